//! `towline echo`: sends every message back, in its own kind.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Runtime};
use towline::{Incoming, Server, StreamReceiver, StreamSender, StreamWebSocket};

use crate::args::EchoArgs;
use crate::exit::{Code, Failure, Outcome};
use crate::flushing::flushing;
use crate::listen;
use crate::serve::Ended;

pub(crate) fn run(args: &EchoArgs) -> Outcome {
    runtime(args.threads)?.block_on(async {
        // An echo gives a page nothing that the page did not have.
        let builder = listen::with_keys(Server::builder().allow_any_origin(), &args.keys)?;
        let server = builder.bind(&args.listen).await?;
        listen::announce(&server);
        listen::run(server, connection).await
    })
}

fn runtime(threads: u16) -> Outcome<Runtime> {
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder
        .worker_threads(threads.into())
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Other, format!("starting threads: {error}")))
}

async fn connection(incoming: Incoming) {
    let Ok(upgrade) = incoming.handshake().await else { return };
    let Ok(socket) = upgrade.accept_stream().await else { return };
    // A task of its own, so that an idle connection does not keep the handshake's memory.
    // What a client did wrong, it has been told.
    tokio::spawn(echo(socket));
}

/// Sends every message back until the client closes. Holds at most a fragment of one.
///
/// What comes back is on its way as soon as there is nothing more to read: in one system call for
/// a burst of small messages, in fragments for a message that is still coming.
pub(crate) fn echo(socket: StreamWebSocket) -> impl Future<Output = Ended> + Send {
    let (reader, writer) = socket.split();
    // Not an `async fn`: its future would keep a place for `socket` beside the halves.
    exchange(reader, writer)
}

async fn exchange(mut reader: StreamReceiver, mut writer: StreamSender) -> Ended {
    let result = async {
        while let Some(mut message) = flushing(reader.next_message(), &mut writer).await?? {
            let mut echo = writer.message_writer(message.kind());
            loop {
                match flushing(message.chunk(), &mut echo).await?? {
                    Some(chunk) if !chunk.end => echo.write_all(chunk.bytes).await?,
                    last => {
                        echo.feed_last(last.map_or(&[], |chunk| chunk.bytes)).await?;
                        break;
                    }
                }
            }
        }
        io::Result::Ok(())
    };
    let result = result.await;
    Ended::new(result, reader.stats(), reader.close_frame())
}
