//! Whole messages, both ways.

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use towline::{
    CloseCode, Config, ErrorKind, Event, Message, MessageKind, MessageWebSocket, Server,
};

use crate::harness::{client_and_wire, expect, masked, messages, pair, put, server_and_wire};

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

#[tokio::test]
async fn an_empty_message_is_a_message() {
    let (mut client, mut server) = messages();
    client.send("").await.unwrap();
    client.send(Vec::new()).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(Message::text("")));
    assert_eq!(server.recv().await.unwrap(), Some(Message::binary(Vec::new())));
}

#[tokio::test]
async fn the_kind_may_change_from_message_to_message() {
    let (mut client, mut wire) = client_and_wire_messages();
    client.send("a").await.unwrap();
    client.send(b"b".to_vec()).await.unwrap();
    let mut header = [0; 14];
    tokio::io::AsyncReadExt::read_exact(&mut wire, &mut header).await.unwrap();
    assert_eq!((header[0], header[1]), (0x81, 0x81));
    assert_eq!((header[7], header[8]), (0x82, 0x81));
}

fn client_and_wire_messages() -> (MessageWebSocket<tokio::io::DuplexStream>, tokio::io::DuplexStream)
{
    let (client, wire) = client_and_wire(&Config::default());
    (client.into(), wire)
}

fn server_and_wire_messages(
    config: &Config,
) -> (MessageWebSocket<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
    let (server, wire) = server_and_wire(config);
    (server.into(), wire)
}

#[tokio::test]
async fn fragments_are_sent_as_frames_of_one_message() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default());
    server.send_fragment(MessageKind::Text, "ab", false).await.unwrap();
    server.send_fragment(MessageKind::Text, "cd", true).await.unwrap();
    // A final fragment alone is a message.
    server.send_fragment(MessageKind::Binary, "e", true).await.unwrap();
    expect(&mut wire, b"\x01\x02ab\x80\x02cd\x82\x01e").await;
}

#[tokio::test]
async fn a_message_cannot_stand_inside_another() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default());
    server.send_fragment(MessageKind::Text, "ab", false).await.unwrap();
    let error = server.send("whole").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = server.send_fragment(MessageKind::Binary, "cd", false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    // Nothing of either was sent, and the message can be ended.
    server.send_fragment(MessageKind::Text, "cd", true).await.unwrap();
    expect(&mut wire, b"\x01\x02ab\x80\x02cd").await;
}

#[tokio::test]
async fn text_fragments_that_are_not_utf8_are_refused_before_they_are_sent() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default());
    // A character may be cut between two fragments.
    server.send_fragment(MessageKind::Text, b"\xC3", false).await.unwrap();
    let error = server.send_fragment(MessageKind::Text, b"\xC3", true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    server.send_fragment(MessageKind::Text, b"\xA9", true).await.unwrap();
    expect(&mut wire, b"\x01\x01\xC3\x80\x01\xA9").await;
}

#[tokio::test]
async fn pieces_of_a_message_are_given_as_they_arrive() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default());
    let frame = masked(0x82, b"abcdef");
    put(&mut wire, &frame[..9]).await;
    let first = server.recv_fragment().await.unwrap().unwrap();
    assert_eq!((&*first.payload, first.start, first.end), (&b"abc"[..], true, false));
    put(&mut wire, &frame[9..]).await;
    let second = server.recv_fragment().await.unwrap().unwrap();
    assert_eq!((&*second.payload, second.start, second.end), (&b"def"[..], false, true));
    assert_eq!(second.kind, MessageKind::Binary);
}

#[tokio::test]
async fn pieces_of_text_hold_whole_characters() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default());
    put(&mut wire, &masked(0x01, b"a\xE2\x82")).await;
    put(&mut wire, &masked(0x80, b"\xACb")).await;
    let mut text = String::new();
    loop {
        let piece = server.recv_fragment().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece.payload).unwrap());
        if piece.end {
            break;
        }
    }
    assert_eq!(text, "a€b");
}

#[tokio::test]
async fn what_a_cancelled_recv_has_taken_is_not_lost_to_recv_fragment() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default());
    put(&mut wire, &masked(0x01, b"one ")).await;
    tokio::select! {
        biased;
        _ = server.recv() => panic!("the message is not whole"),
        () = tokio::task::yield_now() => {}
    }
    put(&mut wire, &masked(0x80, b"two")).await;
    let piece = server.recv_fragment().await.unwrap().unwrap();
    assert_eq!((&*piece.payload, piece.start, piece.end), (&b"one two"[..], true, true));
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_by_its_header() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default().max_message_size(10));
    put(&mut wire, &masked(0x82, b"exactly 10")).await;
    assert_eq!(server.recv().await.unwrap().unwrap().len(), 10);
    put(&mut wire, &masked(0x82, b"eleven byte")[..6]).await;
    let recv = tokio::spawn(async move { (server.recv().await, server.recv().await) });
    expect(&mut wire, b"\x88\x02\x03\xF1").await; // 1009
    wire.shutdown().await.unwrap();
    drop(wire);
    let (error, after) = recv.await.unwrap();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooBig);
    assert_eq!(error.close_code(), Some(CloseCode::MESSAGE_TOO_BIG));
    assert!(error.to_string().contains("max_message_size"), "{error}");
    assert_eq!(after.unwrap(), None, "one terminal error, and no second");
}

#[tokio::test]
async fn the_limit_holds_for_the_sum_of_the_pieces() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default().max_message_size(10));
    put(&mut wire, &masked(0x02, b"six by")).await;
    assert_eq!(&*server.recv_fragment().await.unwrap().unwrap().payload, b"six by");
    put(&mut wire, &masked(0x80, b"tes, 5")).await;
    let recv = tokio::spawn(async move { server.recv_fragment().await });
    expect(&mut wire, b"\x88\x02\x03\xF1").await; // 1009
    drop(wire);
    assert_eq!(recv.await.unwrap().unwrap_err().kind(), ErrorKind::TooBig);
}

#[tokio::test]
async fn a_ping_is_answered_while_reading_and_is_no_message() {
    let (mut server, mut wire) = server_and_wire_messages(&Config::default());
    put(&mut wire, &masked(0x89, b"are you there?")).await;
    put(&mut wire, &masked(0x81, b"hi")).await;
    assert_eq!(server.recv().await.unwrap(), Some(Message::text("hi")));
    server.send("x").await.unwrap();
    expect(&mut wire, b"\x8A\x0Eare you there?\x81\x01x").await;
}

#[tokio::test]
async fn pings_and_pongs_can_be_seen_and_give_the_round_trip() {
    let (mut client, mut server) = messages();
    client.ping("tick").await.unwrap();
    client.send("after").await.unwrap();
    assert_eq!(server.recv_event().await.unwrap(), Some(Event::Ping("tick".into())));
    assert_eq!(server.recv_event().await.unwrap(), Some(Event::Message(Message::text("after"))));
    // The pong goes out when the server next waits.
    tokio::select! {
        biased;
        _ = server.recv() => panic!("nothing was sent"),
        event = client.recv_event() => {
            assert_eq!(event.unwrap(), Some(Event::Pong("tick".into())));
        }
    }
    assert!(client.stats().round_trip.is_some());
    let error = client.ping([0; 126]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    client.send("still open").await.unwrap();
}

#[tokio::test]
async fn fed_messages_leave_when_recv_waits() {
    let (mut client, mut server) = messages();
    client.feed("one").await.unwrap();
    client.feed("two").await.unwrap();
    let answer = tokio::spawn(async move {
        let first = server.recv().await.unwrap();
        let second = server.recv().await.unwrap();
        server.send("got them").await.unwrap();
        (first, second, server)
    });
    assert_eq!(client.recv().await.unwrap(), Some(Message::text("got them")));
    let (first, second, _server) = answer.await.unwrap();
    assert_eq!((first, second), (Some(Message::text("one")), Some(Message::text("two"))));
}

#[tokio::test]
async fn a_sender_waits_for_a_reader() {
    let config = Config::default().max_outbox(1000);
    let (client, server) = pair(100, &config);
    let (mut client, mut server) = (MessageWebSocket::from(client), MessageWebSocket::from(server));
    let mut fed = 0;
    // What fits into the outbox is taken, and not a message more.
    loop {
        tokio::select! {
            biased;
            done = client.feed(vec![7; 100]) => { done.unwrap(); fed += 1; }
            () = tokio::task::yield_now() => break,
        }
    }
    assert!((10..=12).contains(&fed), "{fed} messages of 106 bytes for 1000 + 100");
    let reader = tokio::spawn(async move {
        let mut count = 0;
        while let Some(message) = server.recv().await.unwrap() {
            assert_eq!(message.len(), 100);
            count += 1;
        }
        count
    });
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(reader.await.unwrap(), fed);
}

#[tokio::test]
async fn the_socket_is_a_stream_and_a_sink() {
    let (client, server) = messages();
    let (mut to_server, from_server) = client.split_by_futures();
    let echo = tokio::spawn(async move {
        let (sink, stream) = server.split_by_futures();
        stream.forward(sink).await
    });
    let reader = tokio::spawn(from_server.take(100).collect::<Vec<_>>());
    for n in 0..100 {
        to_server.send(Message::text(n.to_string())).await.unwrap();
    }
    let echoed = reader.await.unwrap();
    to_server.close().await.unwrap();
    assert_eq!(echoed.len(), 100);
    assert!(
        echoed
            .into_iter()
            .enumerate()
            .all(|(n, message)| { message.unwrap() == Message::text(n.to_string()) })
    );
    // Closing a sink whose peer has closed already is no error.
    echo.await.unwrap().unwrap();
}

/// `futures::StreamExt::split`, whose name our own `split` hides.
trait SplitByFutures: StreamExt + futures_util::Sink<Message> + Sized {
    fn split_by_futures(
        self,
    ) -> (futures_util::stream::SplitSink<Self, Message>, futures_util::stream::SplitStream<Self>)
    {
        StreamExt::split(self)
    }
}
impl<S: StreamExt + futures_util::Sink<Message>> SplitByFutures for S {}

#[tokio::test]
async fn stats_count_what_travelled() {
    let (mut client, mut server) = messages();
    client.send("hello").await.unwrap();
    server.recv().await.unwrap();
    let (sent, received) = (client.stats(), server.stats());
    assert_eq!((sent.bytes_out, sent.frames_out, sent.messages_out), (11, 1, 1));
    assert_eq!((received.bytes_in, received.frames_in, received.messages_in), (11, 1, 1));
}
