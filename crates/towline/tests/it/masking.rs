//! The masking keys of clients (RFC 6455 §5.3, §10.3).

use std::collections::HashSet;

use tokio::io::AsyncReadExt;
use towline::proto::Role;
use towline::proto::handshake::Negotiated;
use towline::{Config, MessageWebSocket, WebSocket};

/// Opens a client's end and gives the keys of its first frames.
async fn keys(count: usize) -> Vec<[u8; 4]> {
    let (io, mut wire) = tokio::io::duplex(6 * count);
    let socket = WebSocket::new(io, Role::Client, Negotiated::default(), Config::default());
    let mut client = MessageWebSocket::from(socket);
    for _ in 0..count {
        client.feed("").await.unwrap();
    }
    client.flush().await.unwrap();
    let mut frames = vec![0; 6 * count];
    wire.read_exact(&mut frames).await.unwrap();
    let (frames, rest) = frames.as_chunks();
    assert!(rest.is_empty());
    let keys = frames.iter().map(|[first, length, key @ ..]: &[u8; 6]| {
        assert_eq!([*first, *length], [0x81, 0x80]);
        *key
    });
    keys.collect()
}

#[test]
fn neither_a_connection_nor_a_thread_repeats_the_keys_of_another() {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { [keys(100).await, keys(100).await].concat() })
    };
    let threads = [std::thread::spawn(run), std::thread::spawn(run)];
    let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let different: HashSet<_> = all.iter().collect();
    // By chance, two of 400 are the same once in 50,000 runs.
    assert!(different.len() > all.len() - 2, "{different:?}");
}

/// CVE-2025-10148: a client used one key for all frames of a connection.
#[tokio::test]
async fn the_keys_of_a_hundred_thousand_frames_do_not_repeat() {
    let keys = keys(100_000).await;
    let different: HashSet<_> = keys.iter().collect();
    // Of so many random keys about one pair is equal; a pattern would show as many.
    assert!(different.len() > keys.len() - 20, "{} keys differ", different.len());
    let follow: HashSet<_> = keys.windows(2).collect();
    assert_eq!(follow.len(), keys.len() - 1, "no two frames follow each other alike twice");
    for bit in 0..32 {
        let ones = keys.iter().filter(|key| key[bit / 8] >> (bit % 8) & 1 == 1).count();
        assert!((49_000..51_000).contains(&ones), "bit {bit} is set in {ones} keys");
    }
}
