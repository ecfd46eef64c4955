//! The Windows sample's paths, as its clients know them.

use towline::{CloseCode, Fragment, Message, MessageKind, MessageWebSocket};

use crate::harness::{Served, serve};

fn talk(server: &Served, path: &str, test: impl AsyncFnOnce(&mut MessageWebSocket)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = server.at(&format!("/WebSocketSample/{path}"));
        let mut socket = MessageWebSocket::connect(url).await.unwrap();
        let greeting = socket.recv().await.unwrap().unwrap();
        let time = greeting.as_text().unwrap().strip_prefix("EchoWebSocket Connected at: ");
        // 11/22/2026 1:02:03 PM
        let shape: String =
            time.unwrap().chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let shape = shape.replace("00", "0").replace("00", "0").replace("AM", "PM");
        assert_eq!(shape, "0/0/0 0:0:0 PM");
        test(&mut socket).await;
        let code = CloseCode::new(4000).unwrap();
        socket.close(code, "that is all").await.unwrap();
        assert_eq!(socket.close_frame().unwrap().code, code);
    });
}

async fn answer(socket: &mut MessageWebSocket, message: impl Into<Message>) -> Message {
    socket.send(message).await.unwrap();
    socket.recv().await.unwrap().unwrap()
}

#[test]
fn text_comes_back_quoted_and_binary_as_a_size() {
    let server = serve(&["serve"]);
    for path in ["EchoWebSocket.ashx", "EchoWebSocketWithClientAuthentication.ashx"] {
        talk(&server, path, async |socket| {
            assert_eq!(answer(socket, "ahoj 🚢").await.as_text(), Some("You said: \"ahoj 🚢\""));
            assert_eq!(answer(socket, "").await.as_text(), Some("You said: \"\""));
            let size = "binary message received, size=11 bytes";
            assert_eq!(answer(socket, &b"eleven byte"[..]).await.as_text(), Some(size));
            // Of a message in fragments it is the last one's, as the old server had it.
            socket.send_fragment(MessageKind::Binary, [1; 70_000], false).await.unwrap();
            socket.send_fragment(MessageKind::Binary, [2; 5], true).await.unwrap();
            let size = "binary message received, size=5 bytes";
            assert_eq!(socket.recv().await.unwrap().unwrap().as_text(), Some(size));
            let long = "ž".repeat(200_000);
            let answer = answer(socket, &*long).await;
            assert!(answer.as_text() == Some(&format!("You said: \"{long}\"")));
        });
    }
}

#[test]
fn each_piece_of_a_partial_message_is_answered() {
    let server = serve(&["serve"]);
    talk(&server, "partialMessages.ashx", async |socket| {
        let piece = |text: &'static str, start, end| {
            Some(Fragment::new(MessageKind::Text, text, start, end))
        };
        socket.send_fragment(MessageKind::Text, "one", false).await.unwrap();
        let first = socket.recv_fragment().await.unwrap();
        assert_eq!(first, piece("You said: \"one\"\r\n", true, false));
        socket.send_fragment(MessageKind::Text, "two", true).await.unwrap();
        let second = socket.recv_fragment().await.unwrap();
        assert_eq!(second, piece("You said: \"two\"\r\n", false, true));
    });
}
