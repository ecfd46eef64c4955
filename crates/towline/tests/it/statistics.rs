//! How much the way to the peer carries, and how long it is.

use std::time::Duration;

use towline::{
    BandwidthStatistics, Client, MessageReceiver, MessageWebSocket, Server, StreamWebSocket,
};

use crate::harness::messages;

/// A server that reads everything and tells how much there was.
async fn sink() -> String {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", server.local_addr());
    tokio::spawn(async move {
        loop {
            let incoming = server.accept().await.unwrap();
            tokio::spawn(async move {
                let mut socket = incoming.handshake().await?.accept_message().await?;
                while let Some(message) = socket.recv().await? {
                    socket.send(message.len().to_string()).await?;
                }
                towline::Result::Ok(())
            });
        }
    });
    url
}

const MEGABYTE: usize = 1024 * 1024;

#[tokio::test]
#[cfg(target_os = "linux")]
async fn linux_tells_what_tcp_carries_and_how_far_it_is() {
    let url = sink().await;
    let mut client = MessageWebSocket::connect(&url).await.unwrap();
    for _ in 0..8 {
        client.send(vec![7; MEGABYTE]).await.unwrap();
        client.recv().await.unwrap().unwrap();
    }
    let found = client.bandwidth();
    assert!(found.outbound_bits_per_second > 1_000_000, "{found:?}");
    assert!(found.outbound_bits_per_second_instability <= found.outbound_bits_per_second);
    assert!(client.tcp_round_trip().unwrap() < Duration::from_secs(1));
    // In two hands it is the same connection.
    let (mut receiver, sender): (MessageReceiver, _) = client.split();
    assert!(receiver.bandwidth().outbound_bits_per_second > 1_000_000);
    assert!(receiver.tcp_round_trip().is_some());
    sender.send("still here").await.unwrap();
    assert_eq!(receiver.recv().await.unwrap(), Some("10".into()));
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_stream_that_was_given_is_looked_at_too_if_it_is_tcp() {
    let url = sink().await;
    let address = url.trim_start_matches("ws://").trim_end_matches('/');
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let socket = Client::new().connect_over(stream, &url).await.unwrap();
    assert!(socket.tcp_round_trip().is_some());
    let mut socket = StreamWebSocket::from(socket);
    assert!(socket.tcp_round_trip().is_some());
    socket.bandwidth();
    let (receiver, _sender) = socket.split();
    assert!(receiver.tcp_round_trip().is_some());
}

#[tokio::test(start_paused = true)]
async fn over_any_other_stream_it_is_what_was_carried_since_the_last_time() {
    let (mut client, mut server) = messages();
    assert_eq!(client.tcp_round_trip(), None);
    assert_eq!(client.bandwidth(), BandwidthStatistics::default());
    client.send(vec![7; 1000]).await.unwrap();
    server.recv().await.unwrap().unwrap();
    server.send(vec![7; 500]).await.unwrap();
    client.recv().await.unwrap().unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    let found = client.bandwidth();
    // With headers of 8 and 4 bytes.
    assert_eq!(found.outbound_bits_per_second, 1008 * 8 / 2);
    assert_eq!(found.inbound_bits_per_second, 504 * 8 / 2);
    assert_eq!(found.outbound_bits_per_second_instability, found.outbound_bits_per_second);
    assert!(!found.outbound_bandwidth_peaked && !found.inbound_bandwidth_peaked);
    // The measuring goes on in two hands.
    let (mut receiver, sender) = client.split();
    sender.send(vec![7; 1000]).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(receiver.bandwidth().outbound_bits_per_second, 1008 * 8);
    assert_eq!(receiver.tcp_round_trip(), None);
}

#[tokio::test]
async fn pings_that_were_answered_tell_how_far_the_peer_is() {
    let (mut client, server) = messages();
    assert_eq!(client.stats().smoothed_round_trip, None);
    let mut server = server;
    tokio::spawn(async move { server.recv().await });
    for payload in ["1", "2"] {
        client.ping(payload).await.unwrap();
        client.recv_event().await.unwrap().unwrap();
    }
    let stats = client.stats();
    assert!(stats.round_trip.is_some() && stats.smoothed_round_trip.is_some());
}
