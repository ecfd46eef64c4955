//! What went wrong once and must not again.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional, duplex,
};
use tokio::time::{sleep, timeout};
use towline::proto::handshake::Negotiated;
use towline::proto::{Connection, Role};
use towline::{
    CloseCode, CloseFrame, Config, Message, MessageKind, MessageSender, MessageWebSocket, Server,
    StreamWebSocket, WebSocket,
};

fn ws<T: AsyncRead + AsyncWrite + Unpin>(io: T, role: Role, c: Config) -> WebSocket<T> {
    WebSocket::new(io, role, Negotiated::default(), c)
}

#[tokio::test(start_paused = true)]
async fn a_read_after_a_cancelled_close_sees_no_old_piece() {
    let (a, mut b) = duplex(4096);
    let mut s = StreamWebSocket::from(ws(a, Role::Client, Config::default()));
    b.write_all(b"\x82\x0bhello world").await.unwrap();
    let mut five = [0; 5];
    s.read_exact(&mut five).await.unwrap();
    b.write_all(&[0x88, 0x02, 0x03, 0xe8]).await.unwrap();
    let r = timeout(Duration::from_millis(100), s.close(CloseCode::NORMAL, "")).await;
    assert!(r.is_err());
    let mut rest = Vec::new();
    s.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_message_that_was_read_in_part_is_no_next_message() {
    let (a, mut b) = duplex(4096);
    let mut s = StreamWebSocket::from(ws(a, Role::Client, Config::default()));
    b.write_all(b"\x82\x0bhello world\x82\x06second").await.unwrap();
    let mut five = [0; 5];
    s.read_exact(&mut five).await.unwrap();
    let mut m = s.next_message().await.unwrap().unwrap();
    let mut got = String::new();
    m.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "second");
}

#[tokio::test]
async fn closing_and_reading_in_one_task_is_no_busy_loop() {
    let (a, mut b) = duplex(16);
    tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let mut x = [0; 4];
        b.read_exact(&mut x).await.unwrap();
        sleep(Duration::from_secs(60)).await;
        drop(b)
    });
    let mut s = MessageWebSocket::from(ws(a, Role::Server, Config::default()));
    s.feed("x".repeat(1000)).await.unwrap();
    let (mut sink, mut stream) = futures_util::StreamExt::split(s);
    let polls = AtomicUsize::new(0);
    let both = async {
        futures_util::future::join(
            async {
                let mut f = pin!(futures_util::SinkExt::close(&mut sink));
                poll_fn(|cx| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    f.as_mut().poll(cx)
                })
                .await
            },
            futures_util::StreamExt::next(&mut stream),
        )
        .await
    };
    timeout(Duration::from_millis(500), both).await.ok();
    let n = polls.load(Ordering::Relaxed);
    assert!(n < 20, "polled {n} times in half a second");
}
#[tokio::test]
async fn nor_is_it_on_a_split_socket() {
    let (a, mut b) = duplex(16);
    tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let mut x = [0; 4];
        b.read_exact(&mut x).await.unwrap();
        sleep(Duration::from_secs(60)).await;
        drop(b)
    });
    let s = StreamWebSocket::from(ws(a, Role::Server, Config::default()));
    let (mut rx, mut tx) = s.split();
    tx.write_all(&[0; 1000]).await.unwrap();
    let polls = AtomicUsize::new(0);
    let both = async {
        let mut buf = [0; 10];
        futures_util::future::join(
            async {
                let mut f = pin!(tx.shutdown());
                poll_fn(|cx| {
                    polls.fetch_add(1, Ordering::Relaxed);
                    f.as_mut().poll(cx)
                })
                .await
            },
            rx.read(&mut buf),
        )
        .await
    };
    timeout(Duration::from_millis(500), both).await.ok();
    let n = polls.load(Ordering::Relaxed);
    assert!(n < 20, "polled {n} times in half a second");
}
#[tokio::test]
async fn nor_in_copy_bidirectional() {
    let (a, mut b) = duplex(16);
    tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let mut x = [0; 4];
        b.read_exact(&mut x).await.unwrap();
        sleep(Duration::from_secs(60)).await;
        drop(b)
    });
    let mut s = StreamWebSocket::from(ws(a, Role::Server, Config::default()));
    s.write_all(&[0; 1000]).await.unwrap();
    let (mut p, mut q) = duplex(16);
    q.shutdown().await.unwrap(); // the local side has ended
    let polls = AtomicUsize::new(0);
    let mut f = pin!(copy_bidirectional(&mut p, &mut s));
    timeout(
        Duration::from_millis(500),
        poll_fn(|cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            f.as_mut().poll(cx)
        }),
    )
    .await
    .ok();
    let n = polls.load(Ordering::Relaxed);
    assert!(n < 20, "polled {n} times in half a second");
}

#[tokio::test(start_paused = true)]
async fn a_send_that_the_peers_close_cut_short_is_no_success() {
    let (a, mut b) = duplex(1024);
    let s = MessageWebSocket::from(ws(a, Role::Client, Config::default()));
    let (mut rx, tx) = s.split();
    let sending = tokio::spawn(async move { tx.send(vec![7; 100_000]).await });
    let _reading = tokio::spawn(async move { rx.recv().await.map(|m| m.is_some()) });
    sleep(Duration::from_millis(10)).await;
    b.write_all(&[0x88, 0x02, 0x03, 0xe8]).await.unwrap();
    // reads nothing for two seconds, then all
    sleep(Duration::from_secs(2)).await;
    let mut got = Vec::new();
    timeout(Duration::from_secs(5), b.read_to_end(&mut got)).await.ok();
    let sent = sending.await.unwrap();
    assert!(
        sent.is_err() || got.len() > 100_000,
        "send said {sent:?}, {} bytes arrived",
        got.len()
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_is_read_though_a_write_fails() {
    let (a, mut b) = duplex(4096);
    let mut s = MessageWebSocket::from(ws(a, Role::Client, Config::default()));
    b.write_all(b"\x81\x03bye\x88\x02\x03\xe8").await.unwrap();
    drop(b);
    s.feed("x").await.unwrap();
    let m = s.recv().await;
    assert!(matches!(&m, Ok(Some(m)) if m.as_text() == Some("bye")), "{m:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_after_a_frame_was_open() {
    let (a, mut b) = duplex(1 << 20);
    let c = Config::default()
        .ping_interval(Some(Duration::from_secs(10)))
        .pong_timeout(Duration::from_secs(10));
    let (mut rx, mut tx) = StreamWebSocket::from(ws(a, Role::Server, c)).split();
    let reading = tokio::spawn(async move {
        let mut x = [0; 1];
        rx.read(&mut x).await
    });
    let drain = tokio::spawn(async move {
        let mut v = vec![0; 4096];
        loop {
            if b.read(&mut v).await.unwrap() == 0 {
                break;
            }
        }
    });
    let mut m = tx.message_writer_sized(MessageKind::Binary, 10);
    m.write_all(b"12345").await.unwrap();
    m.flush().await.unwrap();
    sleep(Duration::from_secs(15)).await;
    m.write_all(b"67890").await.unwrap();
    m.finish().await.unwrap();
    // The peer is silent for an hour: pings, then the end, should have come.
    let r = timeout(Duration::from_secs(3600), reading).await;
    drain.abort();
    assert!(r.is_ok(), "an hour of silence was not noticed");
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_told_of_a_broken_write() {
    let (a, _b) = duplex(16);
    let c = Config::default().ping_interval(None).write_timeout(Duration::from_secs(1));
    let s = MessageWebSocket::from(ws(a, Role::Server, c));
    let (mut sink, mut stream) = futures_util::StreamExt::split(s);
    let reading =
        tokio::spawn(
            async move { futures_util::StreamExt::next(&mut stream).await.map(|r| r.is_ok()) },
        );
    sleep(Duration::from_millis(10)).await;
    let sent = futures_util::SinkExt::send(&mut sink, Message::binary(vec![0; 1000])).await;
    assert!(sent.is_err());
    let r = timeout(Duration::from_secs(3600), reading).await;
    assert!(r.is_ok(), "the reader waits for ever on a connection that was given up");
}

#[tokio::test]
async fn a_connection_counts_as_long_as_anybody_can_write() {
    let server = Arc::new(Server::builder().max_connections(1).bind("127.0.0.1:0").await.unwrap());
    let url = format!("ws://{}/", server.local_addr());
    async fn serve(server: Arc<Server>) -> towline::Result<()> {
        let mut senders: Vec<MessageSender> = Vec::new();
        loop {
            let ws = server.accept().await?.handshake().await?.accept_message().await?;
            senders.push(ws.split().1);
        }
    }
    tokio::spawn(serve(server.clone()));
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(MessageWebSocket::connect(&url).await);
        sleep(Duration::from_millis(20)).await;
    }
    let open = clients.iter().filter(|c| c.is_ok()).count();
    assert_eq!(open, 1);
}

#[tokio::test(start_paused = true)]
async fn an_open_frame_is_finished_before_the_close_is_answered() {
    let (a, b) = duplex(1 << 16);
    let (mut rx, mut tx) = StreamWebSocket::from(ws(a, Role::Server, Config::default())).split();
    let mut client = MessageWebSocket::from(ws(b, Role::Client, Config::default()));
    let _reading = tokio::spawn(async move {
        let mut x = [0; 1];
        rx.read(&mut x).await
    });
    let writing = tokio::spawn(async move {
        let mut m = tx.message_writer_sized(MessageKind::Binary, 10);
        m.write_all(b"12345").await?;
        m.flush().await?;
        sleep(Duration::from_millis(200)).await;
        m.write_all(b"67890").await?;
        m.finish().await.map_err(std::io::Error::from)
    });
    sleep(Duration::from_millis(50)).await;
    let closed = client.close(CloseCode::NORMAL, "").await;
    assert!(closed.is_ok(), "{closed:?}");
    writing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_cuts_a_task_that_is_sending() {
    let server = Arc::new(Server::bind("127.0.0.1:0").await.unwrap());
    let url = format!("ws://{}/", server.local_addr());
    async fn serve(server: Arc<Server>) -> towline::Result<()> {
        let mut ws = server.accept().await?.handshake().await?.accept_message().await?;
        loop {
            ws.send(vec![0; 1 << 20]).await?;
        }
    }
    let task = tokio::spawn(serve(server.clone()));
    let mut _client = MessageWebSocket::connect(&url).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    let left = server.shutdown(Duration::from_millis(300)).await;
    let r = timeout(Duration::from_secs(3), task).await;
    assert!(
        r.is_ok(),
        "left {left}: 3 s after the deadline the connection is still there, never told 1001; connections {}",
        server.connections()
    );
}

#[tokio::test(start_paused = true)]
async fn a_complete_frame_may_be_dropped_without_finish() {
    let (a, mut b) = duplex(1 << 16);
    let mut s = StreamWebSocket::from(ws(a, Role::Server, Config::default()));
    {
        let mut m = s.message_writer_sized(MessageKind::Binary, 5);
        m.write_all(b"12345").await.unwrap();
    }
    let r = s.flush().await;
    let mut v = [0; 7];
    let got = timeout(Duration::from_secs(1), b.read_exact(&mut v)).await;
    assert!(r.is_ok() && got.is_ok(), "{r:?} {got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_link_gets_the_answer_to_its_close() {
    let (a, mut b) = duplex(8 * 1024);
    let mut s = MessageWebSocket::from(ws(a, Role::Server, Config::default()));
    s.feed(vec![7; 60_000]).await.unwrap();
    let reading = tokio::spawn(async move { s.recv().await });
    sleep(Duration::from_millis(10)).await;
    b.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await.unwrap();
    // A link of 32 KiB/s: it makes progress all the time.
    let mut got = Vec::new();
    let mut buf = vec![0; 8 * 1024];
    loop {
        sleep(Duration::from_millis(250)).await;
        match b.read(&mut buf).await {
            Ok(0) | Err(_) => break,
            Ok(n) => got.extend_from_slice(&buf[..n]),
        }
    }
    println!("recv gave {:?}; {} bytes", reading.await.unwrap(), got.len());
    assert!(got.ends_with(&[0x88, 0x02, 0x03, 0xe8]), "no closing frame, {} bytes", got.len());
}

struct Flood(usize, Arc<AtomicUsize>);
impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        b: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.1.fetch_add(1, Ordering::Relaxed) > 2_000_000 {
            return Poll::Ready(Ok(()));
        }
        let f = b"\x82\x03abc";
        b.put_slice(f);
        self.0 += 1;
        Poll::Ready(Ok(()))
    }
}
impl AsyncWrite for Flood {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        b: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(b.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
#[tokio::test]
async fn the_close_deadline_holds_against_a_stream_that_always_has_more() {
    let n = Arc::new(AtomicUsize::new(0));
    let c = Config::default().close_timeout(Duration::from_millis(50));
    let mut s = MessageWebSocket::from(ws(Flood(0, n.clone()), Role::Client, c));
    let t = std::time::Instant::now();
    let _ = timeout(Duration::from_millis(100), s.close(CloseCode::NORMAL, "")).await;
    assert!(t.elapsed() < Duration::from_secs(2));
}
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_close_deadline_holds_against_a_flood_over_tcp() {
    let l = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = l.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::Write;
        let mut c = std::net::TcpStream::connect(addr).unwrap();
        let mut one = vec![0x82, 127];
        one.extend_from_slice(&65536u64.to_be_bytes());
        one.resize(65546, 0);
        while c.write_all(&one).is_ok() {}
    });
    let (io, _) = l.accept().await.unwrap();
    let c = Config::default().close_timeout(Duration::from_millis(200));
    let mut s = MessageWebSocket::from(ws(io, Role::Client, c));
    let t = std::time::Instant::now();
    let closed = timeout(Duration::from_secs(30), s.close(CloseCode::NORMAL, "")).await;
    assert!(closed.expect("it ended").is_err());
    assert!(t.elapsed() < Duration::from_secs(15));
}
#[test]
fn a_reason_that_was_set_too_long_is_cut() {
    let mut f = CloseFrame::new(CloseCode::NORMAL, "").unwrap();
    f.reason = "x".repeat(200).into();
    let mut c =
        Connection::new(Role::Server, Config::default(), [0; 32], std::time::Instant::now());
    c.close(Some(f), std::time::Instant::now());
}
#[tokio::test(start_paused = true)]
async fn recv_skips_a_message_whose_beginning_was_given_in_parts() {
    let (a, mut b) = duplex(4096);
    let mut s = MessageWebSocket::from(ws(a, Role::Client, Config::default()));
    b.write_all(b"\x01\x05hello").await.unwrap();
    let f = s.recv_fragment().await.unwrap().unwrap();
    assert!(!f.end);
    b.write_all(b"\x80\x06 world\x81\x04next").await.unwrap();
    let m = s.recv().await.unwrap().unwrap();
    assert_eq!(m.as_text(), Some("next"));
}

/// A batch that was dropped unvisited, with all that was read used up, left its piece behind
/// without the buffer that it lies in.
#[tokio::test]
async fn a_batch_that_nobody_visits_is_in_the_next_one() {
    let (mut client, mut server) = crate::harness::messages();
    client.send("not lost").await.unwrap();
    assert!(server.recv_batch().await.unwrap().is_some());
    let mut batch = server.recv_batch().await.unwrap().unwrap();
    let (message, _) = batch.next().unwrap();
    assert_eq!(message.as_bytes(), b"not lost");
}

/// Found by the simulation: the writer of a frame that could not be completed was blamed for it.
#[tokio::test(start_paused = true)]
async fn a_writer_that_stops_because_the_peer_is_lost_is_not_to_blame() {
    let config = Config::default()
        .ping_interval(Some(Duration::from_secs(1)))
        .pong_timeout(Duration::from_secs(1));
    let (a, _silent) = duplex(1 << 20);
    let (mut rx, mut tx) = StreamWebSocket::from(ws(a, Role::Server, config)).split();
    let reading = tokio::spawn(async move { rx.next_message().await.map(|_| ()) });
    // The ping goes out and is not answered while this waits.
    sleep(Duration::from_millis(1500)).await;
    let mut message = tx.message_writer_sized(MessageKind::Binary, 1000);
    message.write_all(&[0; 10]).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(message.write_all(&[0; 10]).await.is_err());
    drop(message);
    let error = tx.flush().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted, "{error}");
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), towline::ErrorKind::TimedOut);
}

/// As TLS is: of several pieces one record is taken, of one piece all.
struct Records(tokio::io::DuplexStream);

impl AsyncRead for Records {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Records {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
        self.poll_write(cx, &first[..first.len().min(16 * 1024)])
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A client's large message over TLS was masked as a whole after its first record.
#[tokio::test]
async fn a_large_message_over_records_is_masked_as_it_is_written() {
    const LARGE: usize = 4 << 20;
    let (near, mut far) = duplex(2 * LARGE);
    let socket = ws(Records(near), Role::Client, Config::default());
    let mut client = MessageWebSocket::from(socket);
    client.feed(vec![7; LARGE]).await.unwrap();
    // Nothing was flushed: what is there was written while it was masked.
    let mut there = vec![0; LARGE - 1024 * 1024];
    timeout(Duration::from_secs(10), far.read_exact(&mut there)).await.unwrap().unwrap();
}
