//! What an application does before and after it is connected.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::{Instant, timeout};
use towline::{Backoff, ErrorKind, LinkState, Message, Reconnecting};

use super::{Fate, line, seconds, told};

#[tokio::test(start_paused = true)]
async fn the_hook_has_each_fresh_connection_before_anybody_else() {
    let (builder, mut line) = line(&[Fate::Open]);
    let hooked = builder.queue(9, 99).on_connect(|mut socket| async move {
        socket.send("login").await?;
        match socket.recv().await? {
            Some(answer) if answer.as_text() == Some("welcome") => Ok(socket),
            answer => Err(format!("no welcome, but {answer:?}").into()),
        }
    });
    let mut socket: Reconnecting = hooked.start();
    for round in 0..2 {
        socket.send(format!("queued {round}")).await.unwrap();
        let mut states = socket.states();
        timeout(seconds(5), socket.recv()).await.unwrap_err();
        let mut far = line.next().await;
        assert_eq!(far.recv().await.unwrap(), Some(Message::text("login")));
        // It is not there yet for anybody else: neither for what waits, nor for what comes.
        assert!(!told(&mut states).await.contains(&"connected".to_owned()));
        socket.send("and me").await.unwrap();
        timeout(seconds(1), far.recv()).await.unwrap_err();
        far.send("welcome").await.unwrap();
        far.send("news").await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some(Message::text("news")));
        assert!(matches!(socket.state(), LinkState::Connected));
        for expected in [format!("queued {round}"), "and me".to_owned()] {
            let message = timeout(seconds(60), far.recv()).await.expect("it was let out");
            assert_eq!(message.unwrap(), Some(expected.into()));
        }
        drop(far);
        timeout(seconds(0), socket.recv()).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_or_takes_too_long_is_an_attempt_that_failed() {
    let (builder, mut line) = line(&[Fate::Open]);
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let hooked = builder.hook_timeout(seconds(5)).on_connect(move |socket| {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            match number {
                0 => Err("no luck".into()),
                1 => pending().await,
                _ => Ok(socket),
            }
        }
    });
    let begin = Instant::now();
    let socket = hooked.connect().await.unwrap();
    assert_eq!(tries.load(Ordering::Relaxed), 3);
    assert_eq!(line.attempts(), 3);
    assert!(begin.elapsed() >= seconds(5));
    // The connections that came to nothing are gone.
    for _ in 0..2 {
        line.next().await.recv().await.unwrap_err();
    }
    drop(socket);

    let (builder, _line) = super::line(&[Fate::Open]);
    let once = builder.backoff(Backoff::default().retries(Some(0)));
    let error = once.on_connect(async |_| Err("no luck".into())).connect().await.unwrap_err();
    assert_eq!(error.to_string(), "setting up the connection: no luck");
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// With the default settings a hook may take as long as a connection has to be open to be a good one.
#[tokio::test(start_paused = true)]
async fn a_connection_that_was_never_set_up_was_no_good_one() {
    let (builder, line) = line(&[Fate::Open]);
    let hooked = builder.backoff(Backoff::default().retries(Some(2)));
    let connecting = hooked.on_connect(|_| pending()).connect();
    let error = timeout(seconds(3600), connecting).await.expect("it gives up").unwrap_err();
    assert_eq!((error.kind(), line.attempts()), (ErrorKind::TimedOut, 3), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("giving up after 3 attempts: setting up the connection"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_application_can_say_that_its_own_error_is_permanent() {
    #[derive(Debug)]
    struct Banned;
    impl std::fmt::Display for Banned {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("banned")
        }
    }
    impl std::error::Error for Banned {}

    let (builder, line) = line(&[Fate::Open]);
    let error = builder
        .on_connect(async |_| Err(Banned.into()))
        .permanent(|error| error.get_ref()?.is::<Banned>().then_some(true))
        .connect()
        .await
        .unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), line.attempts()),
        ("setting up the connection: banned", 1)
    );
}

#[tokio::test(start_paused = true)]
async fn preparing_is_asked_before_each_attempt_and_knows_which_and_why() {
    let (builder, mut line) = line(&[Fate::Refused, Fate::Open]);
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let prepared = builder.prepare(move |opening| {
        let why = opening.why().map(ToString::to_string);
        noted.lock().unwrap().push((opening.attempt(), why));
        async move { Ok(opening) }
    });
    prepared.connect().await.unwrap();
    line.next().await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(seen[0], (1, None));
    assert_eq!(seen[1].0, 2);
    assert!(seen[1].1.as_ref().unwrap().contains("connection refused"), "{seen:?}");

    let (builder, line) = super::line(&[Fate::Open]);
    let error = builder
        .prepare(async |opening| Ok(opening.header("Sec-WebSocket-Key", "mine")?))
        .connect()
        .await
        .unwrap_err();
    // Nothing of the network has to change for that.
    assert_eq!((error.kind(), line.attempts()), (ErrorKind::InvalidInput, 0));
}
