//! `towline echo`: sends every message back, in its own kind.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

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
        let builder = listen::with_policy(builder, args.manifest.as_deref())?;
        let builder = listen::with_deflate(builder, args.deflate);
        let server = builder.bind(&args.listen).await?;
        let handle = |incoming| drop(tokio::spawn(Connection::new(incoming)));
        match args.threads {
            1 => {
                let stop = listen::announce(&server);
                listen::run(server, stop, handle).await
            }
            threads => {
                let mut workers = Workers::start(threads, handle).map_err(failed)?;
                let stop = listen::announce(&server);
                listen::run(server, stop, |incoming| workers.take(incoming)).await
            }
        }
    })
}

/// A connection's task, which is as small as one can be: there may be ten thousand that idle.
enum Connection {
    ShakingHands(Pin<Box<dyn Future<Output = towline::Result<StreamWebSocket>> + Send>>),
    Echoing(Box<StreamWebSocket>),
}

impl Connection {
    fn new(incoming: Incoming) -> Self {
        Self::ShakingHands(Box::pin(async { incoming.handshake().await?.accept_stream().await }))
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut *self {
                Self::ShakingHands(shaking) => match ready!(shaking.as_mut().poll(cx)) {
                    Ok(socket) => *self = Self::Echoing(Box::new(socket)),
                    // What a client did wrong, it has been told.
                    Err(_) => return Poll::Ready(()),
                },
                // Called anew each time, which loses nothing: so no call is kept while it waits.
                Self::Echoing(socket) => return pin!(exchange(socket)).poll(cx).map(drop),
            }
        }
    }
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
