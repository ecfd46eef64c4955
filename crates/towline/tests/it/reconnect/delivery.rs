//! What was delivered, what perhaps was, and what was not: nothing in silence, nothing twice.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use towline::proto::Role;
use towline::proto::handshake::Negotiated;
use towline::{
    Client, CloseCode, Config, Delivery, ErrorKind, LinkEvent, Lost, Message, Reconnecting,
    Tickets, Transport, WebSocket,
};

use super::{Far, Fate, line, seconds};

fn numbers(tickets: &Tickets) -> Vec<u64> {
    tickets.iter().map(towline::Ticket::get).collect()
}

fn shown(delivery: &Delivery) -> [Vec<u64>; 3] {
    [numbers(&delivery.confirmed), numbers(&delivery.perhaps), numbers(&delivery.waiting)]
}

async fn lost(socket: &mut Reconnecting) -> Lost {
    loop {
        if let LinkEvent::Lost(lost) = socket.recv_event().await.unwrap().unwrap() {
            return lost;
        }
    }
}

/// Reads messages up to and with this one, as text.
async fn read_to(far: &mut Far, last: &str) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.last().is_none_or(|text| text != last) {
        texts.push(far.recv().await.unwrap().unwrap().as_text().unwrap().to_owned());
    }
    texts
}

#[tokio::test(start_paused = true)]
async fn a_pong_confirms_what_was_sent_before_its_ping() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.connect().await.unwrap();
    let mut far = line.next().await;
    assert_eq!(socket.send("one").await.unwrap().get(), 1);
    assert_eq!(socket.send("two").await.unwrap().get(), 2);
    assert_eq!(shown(&socket.delivery()), [vec![], vec![1, 2], vec![]]);
    // The ping goes out while we wait, and its pong comes when the peer reads.
    timeout(Duration::from_millis(900), socket.recv()).await.unwrap_err();
    assert_eq!(shown(&socket.delivery()), [vec![], vec![1, 2], vec![]]);
    let ticket = socket.send("three").await.unwrap();
    assert_eq!(read_to(&mut far, "three").await, ["one", "two", "three"]);
    timeout(seconds(0), far.recv()).await.unwrap_err();
    timeout(seconds(0), socket.recv()).await.unwrap_err();
    assert_eq!(shown(&socket.delivery()), [vec![1, 2], vec![3], vec![]]);
    assert!(socket.delivery().perhaps.contains(ticket));
    // The next ping follows within its interval, and there is none after it.
    let reading = tokio::spawn(async move {
        timeout(seconds(10), far.recv()).await.unwrap_err();
        far.stats().frames_in
    });
    timeout(seconds(5), socket.recv()).await.unwrap_err();
    assert_eq!(shown(&socket.delivery()), [vec![1, 2, 3], vec![], vec![]]);
    assert_eq!(reading.await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_pong_of_somebody_elses_ping_confirms_nothing() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.connect().await.unwrap();
    let mut far = line.next().await;
    socket.send("one").await.unwrap();
    timeout(seconds(0), socket.recv()).await.unwrap_err();
    for payload in [&b""[..], b"sent", &1u64.to_be_bytes(), b"sent\0\0\0\0\0\0\0\x02"] {
        far.pong(payload).await.unwrap();
    }
    timeout(seconds(0), socket.recv()).await.unwrap_err();
    assert_eq!(shown(&socket.delivery()), [vec![], vec![1], vec![]]);
}

/// RFC 6455 §5.5.3: a peer that has fallen behind may answer the newest ping alone.
#[tokio::test(start_paused = true)]
async fn a_ping_that_is_never_answered_is_followed_by_another() {
    let (ends, mut far) = mpsc::unbounded_channel();
    let builder = Reconnecting::builder(Client::new(), "ws://app.example/feed");
    let builder = builder.connect_with(move |_| {
        let (near, end) = duplex(64 * 1024);
        ends.send(end).unwrap();
        let quiet = Config::default().ping_interval(None);
        let near = Transport::new(near);
        async { Ok(WebSocket::new(near, Role::Client, Negotiated::default(), quiet)) }
    });
    let mut socket = builder.connect().await.unwrap();
    let mut far = far.recv().await.unwrap();
    socket.send("one").await.unwrap();
    timeout(Duration::from_millis(2500), socket.recv()).await.unwrap_err();
    let mut sent = Vec::with_capacity(4096);
    far.read_buf(&mut sent).await.unwrap();
    // A text of 3 bytes, and pings of 12, each with 6 bytes before it.
    let pings: Vec<_> = sent[9..].chunks_exact(18).collect();
    assert_eq!((pings.len(), sent.len()), (3, 9 + 3 * 18));
    let (mask, payload) = pings[2][2..].split_at(4);
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let pong: Vec<u8> = b"\x8a\x0c".iter().copied().chain(payload).collect();
    far.write_all(&pong).await.unwrap();
    timeout(seconds(5), socket.recv()).await.unwrap_err();
    assert_eq!(shown(&socket.delivery()), [vec![1], vec![], vec![]]);
    // Then there is nothing more to ask.
    timeout(seconds(0), far.read_buf(&mut sent)).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_loss_says_which_messages_perhaps_did_not_arrive_and_sends_none_again() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.connect().await.unwrap();
    let mut far = line.next().await;
    socket.send("one").await.unwrap();
    let reading = tokio::spawn(async move {
        timeout(seconds(1), far.recv()).await.unwrap().unwrap();
        timeout(seconds(1), far.recv()).await.unwrap_err();
    });
    timeout(seconds(3), lost(&mut socket)).await.unwrap();
    reading.await.unwrap();
    let gone = socket.last_lost().unwrap();
    assert_eq!(shown(&gone.delivery), [vec![1], vec![], vec![]]);
    // On the next one nobody reads what we send.
    socket.ready().await.unwrap();
    let far = line.next().await;
    socket.send("two").await.unwrap();
    socket.send("three").await.unwrap();
    drop(far);
    let gone = lost(&mut socket).await;
    assert_eq!(shown(&gone.delivery), [vec![], vec![2, 3], vec![]]);
    assert!(gone.again);
    socket.ready().await.unwrap();
    let mut far = line.next().await;
    assert_eq!(shown(&socket.delivery()), [vec![], vec![], vec![]]);
    assert_eq!(socket.send("four").await.unwrap().get(), 4);
    assert_eq!(read_to(&mut far, "four").await, ["four"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_sending_while_away_is_an_error_and_takes_nothing() {
    let (builder, mut line) = line(&[Fate::Refused, Fate::Open]);
    let mut socket = builder.start();
    let error = socket.send("too soon").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(error.to_string().contains("there is no connection at the moment"), "{error}");
    assert!(error.advice().contains("ReconnectBuilder::queue"));
    socket.ready().await.unwrap();
    let mut far = line.next().await;
    assert_eq!(socket.send("now").await.unwrap().get(), 1);
    assert_eq!(read_to(&mut far, "now").await, ["now"]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_keeps_so_much_and_sends_it_once_in_order() {
    let (builder, mut line) = line(&[Fate::Refused, Fate::Open]);
    let mut socket = builder.queue(3, 10).start();
    for text in ["one", "two"] {
        socket.send(text).await.unwrap();
    }
    // More bytes than may be, and more messages.
    let error = socket.send("three").await.unwrap_err();
    assert!(error.to_string().contains("no more room in the queue"), "{error}");
    socket.send("3").await.unwrap();
    assert_eq!(socket.send("").await.unwrap_err().kind(), ErrorKind::Disconnected);
    assert_eq!(shown(&socket.delivery()), [vec![], vec![], vec![1, 2, 3]]);
    socket.ready().await.unwrap();
    let mut far = line.next().await;
    // What is sent now comes behind what waits.
    assert_eq!(socket.send("last").await.unwrap().get(), 4);
    assert_eq!(shown(&socket.delivery()), [vec![], vec![1, 2, 3, 4], vec![]]);
    assert_eq!(read_to(&mut far, "last").await, ["one", "two", "3", "last"]);
    // And so does what waits for nothing but the next look.
    drop(far);
    lost(&mut socket).await;
    socket.send("while away").await.unwrap();
    timeout(seconds(60), socket.recv()).await.unwrap_err();
    let mut far = line.next().await;
    assert_eq!(read_to(&mut far, "while away").await, ["while away"]);
}

#[tokio::test(start_paused = true)]
async fn what_still_waits_at_the_end_is_told_as_never_sent() {
    const GONE: Fate = Fate::Says("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    let (builder, mut line) = line(&[Fate::Open, GONE]);
    let mut socket = builder.queue(9, 99).connect().await.unwrap();
    drop(line.next().await);
    assert!(lost(&mut socket).await.again);
    socket.send("never").await.unwrap();
    let last = lost(&mut socket).await;
    assert!(!last.again);
    assert_eq!(shown(&last.delivery), [vec![], vec![], vec![1]]);
    let error = socket.recv_event().await.unwrap_err();
    assert_eq!(error.response().unwrap().status(), 410);
    assert!(socket.recv_event().await.unwrap().is_none());
    assert_eq!(numbers(&socket.delivery().waiting), [1]);
}

#[tokio::test(start_paused = true)]
async fn whoever_passes_losses_over_is_told_of_all_of_them() {
    const GONE: Fate = Fate::Says("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    let (builder, mut line) = line(&[Fate::Open, Fate::Open, GONE]);
    let mut socket = builder.queue(9, 99).connect().await.unwrap();
    for lost in ["one", "two"] {
        let far = line.next().await;
        socket.send(lost).await.unwrap();
        drop(far);
        // Nobody looks at events here.
        timeout(Duration::ZERO, socket.recv()).await.unwrap_err();
        match lost {
            "one" => socket.ready().await.unwrap(),
            _ => assert_eq!(socket.send("never").await.unwrap().get(), 3),
        }
    }
    let error = socket.recv().await.unwrap_err();
    assert_eq!(error.response().unwrap().status(), 410);
    let perhaps: Vec<_> = socket.take_perhaps().iter().map(numbers).collect();
    assert_eq!(perhaps, [[1], [2]]);
    assert!(socket.take_perhaps().is_empty());
    assert_eq!(numbers(&socket.last_lost().unwrap().delivery.waiting), [3]);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_finds_the_connection_gone_is_reported_with_the_loss() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.connect().await.unwrap();
    drop(line.next().await);
    // Nobody has read yet, so nobody knows.
    let first = socket.send("into the void").await.unwrap();
    let second = socket.send("likewise").await;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Disconnected);
    let gone = lost(&mut socket).await;
    assert!(gone.delivery.perhaps.contains(first));
    assert_eq!(gone.delivery.perhaps.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_sends_what_waits_and_what_comes_behind_it_is_refused() {
    let (builder, mut line) = line(&[Fate::Refused, Fate::Open]);
    let mut socket = builder.queue(9, 99).start();
    socket.send("one").await.unwrap();
    socket.ready().await.unwrap();
    let mut far = line.next().await;
    let reading = tokio::spawn(async move {
        let first = far.recv().await.unwrap();
        (first, far.recv().await.unwrap())
    });
    socket.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(reading.await.unwrap(), (Some(Message::text("one")), None));
    assert_eq!(socket.send("two").await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_cancelled_goes_on_when_somebody_receives() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.queue(99, 9_000_000).start();
    for _ in 0..20 {
        socket.send("x".repeat(40_000)).await.unwrap();
    }
    socket.ready().await.unwrap();
    let mut far = line.next().await;
    // Much of it still waits: nobody reads.
    timeout(seconds(1), socket.close(CloseCode::GOING_AWAY, "bye")).await.unwrap_err();
    let reading = tokio::spawn(async move {
        let mut count = 0;
        while far.recv().await.unwrap().is_some() {
            count += 1;
        }
        (count, far.close_frame().unwrap().code)
    });
    assert_eq!(timeout(seconds(5), socket.recv()).await.unwrap().unwrap(), None);
    assert_eq!(reading.await.unwrap(), (20, CloseCode::GOING_AWAY));
}

/// Each would wait for the other to read.
#[tokio::test(start_paused = true)]
async fn closing_reads_while_it_sends_what_waits() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.queue(99, 9_000_000).start();
    for _ in 0..20 {
        socket.send("x".repeat(40_000)).await.unwrap();
    }
    socket.ready().await.unwrap();
    let mut far = line.next().await;
    let echoing = tokio::spawn(async move {
        let mut count = 0;
        while let Some(message) = far.recv().await.unwrap() {
            far.send(message).await.unwrap();
            count += 1;
        }
        count
    });
    timeout(seconds(5), socket.close(CloseCode::NORMAL, "")).await.unwrap().unwrap();
    assert_eq!(echoing.await.unwrap(), 20);
}

#[tokio::test(start_paused = true)]
async fn every_message_of_a_long_rough_ride_is_accounted_for() {
    let (builder, mut line) = line(&[Fate::Open, Fate::Refused, Fate::Open]);
    let milliseconds = Duration::from_millis;
    let backoff = towline::Backoff::default().base(milliseconds(20)).max(milliseconds(300));
    let builder = builder.queue(20, 10_000).backoff(backoff);
    let mut socket = builder.confirm_interval(Some(milliseconds(50))).start();
    // The peer reads for a while, and goes away in the middle of things.
    let serving = tokio::spawn(async move {
        let mut arrived = Vec::new();
        for round in 0_u64.. {
            let Some(mut far) = line.far.recv().await else { break };
            let until = sleep(milliseconds(70 + round * 37 % 90));
            tokio::pin!(until);
            loop {
                tokio::select! {
                    () = &mut until => break,
                    message = far.recv() => match message {
                        Ok(Some(message)) => arrived.push(message.as_text().unwrap().parse().unwrap()),
                        _ => break,
                    },
                }
            }
        }
        arrived
    });
    let (mut sent, mut refused) = (0_u64, 0);
    let (mut confirmed, mut perhaps) = (Vec::new(), Vec::new());
    while sent < 400 {
        tokio::select! {
            () = sleep(milliseconds(7)) => match socket.send((sent + 1).to_string()).await {
                Ok(ticket) => {
                    sent += 1;
                    assert_eq!(ticket.get(), sent);
                }
                Err(_) => refused += 1,
            },
            event = socket.recv_event() => if let LinkEvent::Lost(lost) = event.unwrap().unwrap() {
                confirmed.extend(numbers(&lost.delivery.confirmed));
                perhaps.extend(numbers(&lost.delivery.perhaps));
            },
        }
    }
    let last = socket.delivery();
    drop(socket);
    let arrived: Vec<u64> = serving.await.unwrap();
    assert!(arrived.is_sorted_by(|one, next| one < next), "twice, or out of order: {arrived:?}");
    assert!(confirmed.iter().all(|number| arrived.contains(number)), "confirmed and not there");
    let told = |number: &u64| {
        confirmed.contains(number)
            || perhaps.contains(number)
            || shown(&last).iter().any(|some| some.contains(number))
    };
    assert!((1..=sent).all(|number| told(&number)), "lost in silence");
    assert!(confirmed.len() > 50 && !perhaps.is_empty() && refused > 0, "{}", confirmed.len());
}

#[tokio::test(start_paused = true)]
async fn it_is_a_stream_of_messages_across_connections() {
    let (builder, mut line) = line(&[Fate::Open]);
    let mut socket = builder.connect().await.unwrap();
    tokio::spawn(async move {
        for text in ["one", "two"] {
            line.next().await.send(text).await.unwrap();
        }
        line.next().await.close(CloseCode::NORMAL, "").await
    });
    let texts: Vec<_> = socket.by_ref().map(|message| message.unwrap()).collect().await;
    assert_eq!(texts, [Message::text("one"), Message::text("two")]);
}
