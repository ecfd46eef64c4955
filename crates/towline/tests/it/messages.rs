//! Whole messages, both ways.

use towline::{CloseCode, Message, MessageWebSocket, Server};

#[tokio::test]
async fn text_and_binary_travel_both_ways() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/chat", server.local_addr());
    let echo = tokio::spawn(async move {
        let upgrade = server.accept().await.unwrap().handshake().await.unwrap();
        assert_eq!(upgrade.path(), "/chat");
        let mut socket = upgrade.accept_message().await.unwrap();
        while let Some(message) = socket.recv().await.unwrap() {
            socket.send(message).await.unwrap();
        }
        socket.close_frame().cloned()
    });
    let mut socket = MessageWebSocket::connect(&url).await.unwrap();
    socket.send("héllo").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::text("héllo")));
    let large: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[1]).collect();
    socket.send(large.clone()).await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some(Message::binary(large)));
    socket.close(CloseCode::NORMAL, "bye").await.unwrap();
    assert_eq!(socket.close_frame().unwrap().reason, "bye");
    assert_eq!(echo.await.unwrap().unwrap().code, CloseCode::NORMAL);
}
