//! Echo servers.

use std::io;

use bench_common::serve::{self, Io, ServerArgs};
use towline::{Config, Incoming, MessageWebSocket, Server, StreamWebSocket, WebSocket};

use crate::Api;

/// A huge message is one message here: it is held.
const MAX_MESSAGE_SIZE: u64 = 2 * 1024 * 1024 * 1024;

pub(crate) fn run(api: Api, args: &ServerArgs) -> io::Result<()> {
    serve::runtime()?.block_on(async {
        let config = Config::default().max_message_size(MAX_MESSAGE_SIZE);
        let builder = Server::builder().config(config);
        #[cfg(feature = "tls")]
        let mut builder = builder;
        #[cfg(feature = "tls")]
        if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
            let tls = bench_common::tls::server(cert, key)?;
            builder = builder.tls(towline::ServerTls::from_rustls(tls));
        }
        let server = builder.bind(args.listen.to_string()).await.map_err(io::Error::other)?;
        println!("listening on {}", server.local_addr());
        loop {
            let incoming = server.accept().await.map_err(io::Error::other)?;
            tokio::spawn(connection(api, incoming));
        }
    })
}

async fn connection(api: Api, incoming: Incoming) {
    let Ok(upgrade) = incoming.handshake().await else { return };
    let Ok(socket) = upgrade.accept().await else { return };
    echo(api, socket).await;
}

/// Echoes until the connection ends.
pub(crate) async fn echo(api: Api, socket: WebSocket<impl Io>) {
    match api {
        Api::Batch => batch(socket).await,
        Api::Pieces => pieces(socket).await,
        Api::Recv => recv(socket).await,
    }
}

/// Whole messages, lent.
async fn batch(socket: WebSocket<impl Io>) {
    let mut socket = MessageWebSocket::from(socket);
    while let Ok(Some(mut batch)) = socket.recv_batch().await {
        while let Some((message, replies)) = batch.next() {
            if replies.feed(message).is_err() {
                return;
            }
        }
    }
}

/// Pieces of messages, lent as they come.
async fn pieces(socket: WebSocket<impl Io>) {
    let mut socket = StreamWebSocket::from(socket);
    while let Ok(Some(mut batch)) = socket.recv_pieces().await {
        while let Some((piece, replies)) = batch.next() {
            if replies.feed(piece).is_err() {
                return;
            }
        }
    }
}

/// Whole messages: `recv` lets out what `feed` gathered before it waits.
async fn recv(socket: WebSocket<impl Io>) {
    let mut socket = MessageWebSocket::from(socket);
    while let Ok(Some(message)) = socket.recv().await {
        if socket.feed(message).await.is_err() {
            return;
        }
    }
}
