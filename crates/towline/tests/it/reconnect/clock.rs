//! When it is tried again, and when not, on the virtual clock.

use tokio::time::{Instant, advance, sleep, timeout};
use towline::{Backoff, CloseCode, Config, ErrorKind, LinkState, Message, WebErrorStatus, Why};

use super::{Fate, Line, line, line_with, seconds, told};

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_away_and_comes_back_is_connected_to_again() {
    let fates = &[Fate::Open, Fate::Refused, Fate::Refused, Fate::Open];
    let (builder, mut line) = line(fates);
    let mut socket = builder.connect().await.unwrap();
    let mut states = socket.states();
    let mut far = line.next().await;
    far.send("before").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::text("before")));
    drop(far);
    let serving = tokio::spawn(async move {
        let mut far = line.next().await;
        far.send("after").await.unwrap();
        (far, line)
    });
    assert_eq!(socket.recv().await.unwrap(), Some(Message::text("after")));
    let (_far, line) = serving.await.unwrap();
    assert_eq!(line.attempts(), 4);
    assert_eq!(
        told(&mut states).await,
        [
            "connected",
            "waiting",
            "connecting 2",
            "waiting",
            "connecting 3",
            "waiting",
            "connecting 4",
            "connected"
        ]
    );
    let lost = socket.last_lost().unwrap();
    assert!(lost.again);
    assert!(matches!(&lost.why, Why::Failed(why) if why.kind() == ErrorKind::Disconnected));
}

#[tokio::test(start_paused = true)]
async fn waits_grow_within_their_bounds_and_are_not_all_alike() {
    let (builder, line) = line(&[Fate::Refused]);
    let backoff = Backoff::default().base(seconds(1)).factor(2.0).max(seconds(8));
    let mut socket = builder.backoff(backoff.retries(Some(50))).start();
    let error = socket.ready().await.unwrap_err();
    assert!(error.to_string().starts_with("giving up after 51 attempts: connecting: "), "{error}");
    let waits = line.waits();
    assert_eq!(waits.len(), 50);
    for (number, wait) in waits.iter().enumerate() {
        let longest = seconds(1 << number.min(3));
        // The clock counts whole milliseconds.
        assert!(*wait <= longest + std::time::Duration::from_millis(1), "{number}: {wait:?}");
    }
    let late = &waits[3..];
    assert!(
        late.iter().any(|wait| *wait < seconds(4)) && late.iter().any(|wait| *wait > seconds(4))
    );
    assert_eq!(socket.recv().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_within_its_bound() {
    const IN_SECONDS: Fate =
        Fate::Says("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    const AT_A_DATE: Fate = Fate::Says(
        "HTTP/1.1 429 Slowly\r\nRetry-After: Sun, 06 Nov 2194 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
    );
    let (builder, mut line) = line(&[IN_SECONDS, AT_A_DATE, Fate::Open]);
    let backoff = Backoff::default().base(seconds(1)).max(seconds(1));
    let socket = builder.backoff(backoff.max_retry_after(seconds(100))).connect().await.unwrap();
    line.next().await;
    let waits = line.waits();
    assert!(waits[0] >= seconds(7) && waits[0] <= seconds(9), "{waits:?}");
    assert!(waits[1] >= seconds(100) && waits[1] <= seconds(102), "{waits:?}");
    drop(socket);
}

#[tokio::test(start_paused = true)]
async fn what_is_permanent_ends_it_at_once() {
    const FORBIDDEN: Fate = Fate::Says("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    let begin = Instant::now();
    let (builder, line) = line(&[FORBIDDEN]);
    let mut socket = builder.start();
    let mut states = socket.states();
    let error = socket.recv().await.unwrap_err();
    assert_eq!(error.response().unwrap().status(), 403);
    assert_eq!(error.kind(), ErrorKind::Handshake);
    assert_eq!((line.attempts(), begin.elapsed().as_secs()), (1, 0));
    // Told once; then it is over.
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(socket.send("x").await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(socket.ready().await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(told(&mut states).await.last().unwrap(), "ended");
    let LinkState::Ended { why: Why::Failed(why) } = socket.state() else { panic!("it has ended") };
    assert_eq!(why.to_string(), error.to_string());
    assert_eq!(why.hresult(), error.hresult());
    assert_eq!(why.web_error_status(), WebErrorStatus::Forbidden);
    assert_eq!(why.response().unwrap().status(), 403);
}

#[tokio::test(start_paused = true)]
async fn what_is_permanent_can_be_judged_otherwise() {
    const MISSING: Fate = Fate::Says("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    let (builder, _line) = line(&[MISSING, MISSING, Fate::Open]);
    let late = |error: &towline::Error| {
        error.response().filter(|response| response.status() == 404).map(|_| false)
    };
    builder.permanent(late).connect().await.unwrap();

    let (builder, line) = line(&[Fate::Refused]);
    let error = builder.permanent(|_| Some(true)).connect().await.unwrap_err();
    assert!(error.to_string().starts_with("connecting: "), "{error}");
    assert_eq!(line.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_without_retries_nor_beyond_the_time() {
    let (builder, line) = line(&[Fate::Refused]);
    builder.backoff(Backoff::default().retries(Some(0))).connect().await.unwrap_err();
    assert_eq!(line.attempts(), 1);

    let begin = Instant::now();
    let (builder, line) = super::line(&[Fate::Refused]);
    builder.backoff(Backoff::default().max_time(Some(seconds(20)))).connect().await.unwrap_err();
    assert!(line.attempts() > 1 && begin.elapsed() <= seconds(20));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_good_for_a_while_begins_anew() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.backoff(Backoff::default().healthy_after(seconds(30))).start();
    let mut states = socket.states();
    let mut attempts = Vec::new();
    for lives in [1, 29, 30, 1] {
        socket.ready().await.unwrap();
        let far = line.next().await;
        let change = told(&mut states).await;
        attempts.extend(change.into_iter().filter(|change| change.starts_with("connecting")));
        // Meanwhile the application waits for messages.
        timeout(seconds(lives), socket.recv()).await.unwrap_err();
        drop(far);
        timeout(seconds(0), socket.recv()).await.unwrap_err();
    }
    assert_eq!(attempts, ["connecting 1", "connecting 2", "connecting 3", "connecting 1"]);
}

#[tokio::test(start_paused = true)]
async fn codes_say_whether_to_come_back() {
    for (code, again) in [
        (1000, false),
        (1001, true),
        (1002, false),
        (1008, false),
        (1009, false),
        (1011, true),
        (1012, true),
        (1013, true),
        (1014, true),
        (3000, false),
        (3003, false),
        (4000, true),
    ] {
        let (builder, mut line) = line(&[Fate::Open]);
        let mut socket = builder.connect().await.unwrap();
        let mut far = line.next().await;
        let closing = tokio::spawn(async move {
            far.close(CloseCode::new(code).unwrap(), "so it is").await.unwrap();
        });
        let end = timeout(seconds(300), socket.recv()).await;
        closing.await.unwrap();
        assert_eq!(end.is_err(), again, "{code}: {end:?}");
        let lost = socket.last_lost().unwrap();
        assert_eq!(lost.again, again);
        let frame = socket.close_frame().unwrap();
        assert_eq!((frame.code.get(), &*frame.reason), (code, "so it is"));
        if !again {
            assert!(end.unwrap().unwrap().is_none(), "{code}");
            assert!(lost.why.to_string().contains(&code.to_string()), "{}", lost.why);
        }
    }
    let (builder, mut line) = line(&[Fate::Open]);
    let builder = builder.again_after_close(|frame| Some(frame?.code == CloseCode::NORMAL));
    let mut socket = builder.connect().await.unwrap();
    let mut far = line.next().await;
    tokio::spawn(async move { far.close(CloseCode::NORMAL, "").await });
    timeout(seconds(60), socket.recv()).await.unwrap_err();
    let mut far = line.next().await;
    tokio::spawn(async move { far.close(CloseCode::GOING_AWAY, "").await });
    assert_eq!(socket.recv().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_falls_silent_is_left() {
    let (builder, mut line) = line_with(&[Fate::Open], Config::default());
    let mut socket = builder.connect().await.unwrap();
    let _silent = line.next().await;
    let begin = Instant::now();
    let waiting = tokio::spawn(async move { (socket.recv().await, socket) });
    let mut far = line.next().await;
    assert!(begin.elapsed() >= seconds(60));
    far.send("here I am").await.unwrap();
    let (message, socket) = waiting.await.unwrap();
    assert_eq!(message.unwrap(), Some("here I am".into()));
    let why = &socket.last_lost().unwrap().why;
    assert!(matches!(why, Why::Failed(why) if why.kind() == ErrorKind::TimedOut), "{why}");
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_loses_neither_the_attempt_nor_the_wait() {
    let (builder, mut line) = line(&[Fate::Refused, Fate::Open]);
    let backoff = Backoff::default().base(seconds(3600)).max(seconds(3600));
    let mut socket = builder.backoff(backoff).start();
    timeout(seconds(0), socket.recv()).await.unwrap_err();
    let LinkState::Waiting { delay, .. } = socket.state() else { panic!("it waits") };
    // A bit at a time, and nobody looks in between.
    for _ in 0..10 {
        timeout(delay / 20, socket.recv()).await.unwrap_err();
        advance(delay / 20).await;
    }
    assert!(timeout(seconds(1), socket.ready()).await.is_ok());
    let far = line.next().await;
    assert_eq!(line.attempts(), 2);
    drop(far);
}

#[tokio::test(start_paused = true)]
async fn dropping_it_ends_an_attempt_and_the_stream_of_states() {
    let (builder, line) = line(&[Fate::Silence]);
    let mut socket = builder.start();
    let mut states = socket.states();
    timeout(seconds(10), socket.recv()).await.unwrap_err();
    assert_eq!(line.attempts(), 1);
    drop(socket);
    assert_eq!(told(&mut states).await, ["connecting 1"]);
    sleep(seconds(1000)).await;
    assert_eq!(line.attempts(), 1);
    // Nobody is left who could connect.
    let Line { mut far, .. } = line;
    assert!(far.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn whoever_closes_is_not_connected_again() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.connect().await.unwrap();
    let mut far = line.next().await;
    let serving = tokio::spawn(async move { (far.recv().await, far) });
    // A code after which a peer's would be followed by another connection.
    socket.close(CloseCode::GOING_AWAY, "bye").await.unwrap();
    let (end, far) = serving.await.unwrap();
    assert_eq!(end.unwrap(), None);
    assert_eq!(far.close_frame().unwrap().code, CloseCode::GOING_AWAY);
    assert_eq!(socket.recv().await.unwrap(), None);
    assert!(matches!(socket.state(), LinkState::Ended { why: Why::ClosedByUs }));
    assert_eq!(line.attempts(), 1);

    // Half way, too.
    let (builder, mut line) = super::line(&[Fate::Open]);
    let mut socket = builder.connect().await.unwrap();
    let mut far = line.next().await;
    timeout(seconds(1), socket.close(CloseCode::GOING_AWAY, "")).await.unwrap_err();
    let serving = tokio::spawn(async move { far.recv().await });
    assert_eq!(socket.recv().await.unwrap(), None);
    serving.await.unwrap().unwrap();
    assert!(!socket.last_lost().unwrap().again);

    // And while there is no connection.
    let (builder, line) = super::line(&[Fate::Silence]);
    let mut socket = builder.start();
    timeout(seconds(1), socket.recv()).await.unwrap_err();
    let long = "x".repeat(124);
    let error = socket.close(CloseCode::NORMAL, &long).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    socket.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(line.attempts(), 1);
}
