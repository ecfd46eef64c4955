//! `towline echo`: sends every message back, in its own kind.

use tokio::runtime::Builder;
use towline::{Incoming, Server, StreamWebSocket};

use crate::args::EchoArgs;
use crate::exit::{Code, Failure, Outcome};
use crate::listen;
use crate::serve::Ended;
use crate::workers::Workers;

pub(crate) fn run(args: &EchoArgs) -> Outcome {
    let failed = |error| Failure::new(Code::Other, format!("starting threads: {error}"));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        // An echo gives a page nothing that the page did not have.
        let builder = listen::with_keys(Server::builder().allow_any_origin(), &args.keys)?;
        let builder = listen::with_deflate(builder, args.deflate);
        let server = builder.bind(&args.listen).await?;
        let handle = |incoming| drop(tokio::spawn(connection(incoming)));
        match args.threads {
            1 => {
                listen::announce(&server);
                listen::run(server, handle).await
            }
            threads => {
                let mut workers = Workers::start(threads, handle).map_err(failed)?;
                listen::announce(&server);
                listen::run(server, |incoming| workers.take(incoming)).await
            }
        }
    })
}

async fn connection(incoming: Incoming) {
    let Ok(upgrade) = incoming.handshake().await else { return };
    let Ok(socket) = upgrade.accept_stream().await else { return };
    // A task of its own, so that an idle connection does not keep the handshake's memory.
    // What a client did wrong, it has been told.
    tokio::spawn(echo(socket));
}

/// Sends every message back until the client closes. Holds no more of one than came at once.
///
/// What comes back is on its way as soon as there is nothing more to read: in one system call for
/// a burst of small messages, in fragments for a message that is still coming.
pub(crate) async fn echo(mut socket: StreamWebSocket) -> Ended {
    let result = exchange(&mut socket).await;
    Ended::new(result.map_err(Into::into), socket.stats(), socket.close_frame())
}

async fn exchange(socket: &mut StreamWebSocket) -> towline::Result<()> {
    while let Some(mut batch) = socket.recv_pieces().await? {
        while let Some((piece, replies)) = batch.next() {
            replies.feed(piece)?;
        }
    }
    Ok(())
}
