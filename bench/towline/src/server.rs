//! Echo servers.

use std::io;

use bench_common::serve::{self, ServerArgs};
use tokio::io::{AsyncRead, AsyncWrite};
use towline::{Config, Incoming, MessageWebSocket, Server, WebSocket};

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
            builder =
                builder.tls(towline::ServerTls::from_rustls(bench_common::tls::server(cert, key)?));
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
    // A task of its own, so that an idle connection does not keep the handshake's memory.
    match api {
        Api::Recv => drop(tokio::spawn(recv(socket))),
    }
}

/// Whole messages: `recv` lets out what `feed` gathered before it waits.
pub(crate) async fn recv<T: AsyncRead + AsyncWrite + Unpin>(socket: WebSocket<T>) {
    let mut socket = MessageWebSocket::from(socket);
    while let Ok(Some(message)) = socket.recv().await {
        if socket.feed(message).await.is_err() {
            return;
        }
    }
}
