//! A conversation with a server: somebody sends, somebody receives, and one end comes first.

use std::future::{Future, pending};
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use towline::{CloseCode, StreamSender, StreamWebSocket};

use crate::args::TalkArgs;
use crate::exit::{Code, Failure, Outcome, closed};
use crate::output::{Format, Heard, show};
use crate::{interrupt, json};

/// So long a server is waited for that nobody listens to any more.
const GOODBYE: Duration = Duration::from_secs(1);

/// Lets `sending` say what it has to say, shows what comes, and closes when it is time.
///
/// Fails if the server closed with a code that is no normal end, or too early.
pub(crate) async fn talk(
    socket: StreamWebSocket,
    args: &TalkArgs,
    format: Format,
    sending: impl AsyncFnOnce(&mut StreamSender) -> Outcome,
) -> Outcome {
    let (mut reader, mut writer) = socket.split();
    let (counter, seen) = watch::channel(0);
    let mut receiving = Box::pin(show(&mut reader, format, &counter));
    let end = converse(args, sending(&mut writer), receiving.as_mut(), seen.clone()).await;
    let (heard, why) = match end {
        Ok(End::Received(heard)) => (heard, None),
        end => {
            interrupt::next_one_kills();
            // The closing frame first, and what still comes is read up to the server's.
            let (_, heard) = tokio::join!(writer.close(CloseCode::NORMAL, ""), receiving.as_mut());
            (heard, Some(end))
        }
    };
    drop(receiving);
    if let Ok(Heard::OutputGone) = heard {
        let goodbye = async {
            writer.close(CloseCode::NORMAL, "").await.ok();
            while reader.next_message().await.is_ok_and(|message| message.is_some()) {}
        };
        timeout(GOODBYE, goodbye).await.ok();
        return Ok(());
    }
    if format == Format::Json && heard.is_ok() {
        json::close(reader.close_frame());
    }
    match why {
        // It was the server that closed.
        None => {
            heard?;
            closed(reader.close_frame())?;
            check_expected(args, *seen.borrow())
        }
        Some(Err(failure)) => Err(failure),
        Some(Ok(End::Interrupted)) => Err(Failure::interrupted()),
        Some(Ok(_)) => {
            heard?;
            closed(reader.close_frame())
        }
    }
}

/// What ended a conversation.
#[derive(Debug)]
enum End<R> {
    /// The receiver came to its end: the server closed, or the output is gone.
    Received(R),
    /// All was said and heard; now the connection is to be closed.
    Enough,
    /// Ctrl-C; the connection is to be closed.
    Interrupted,
}

/// Runs both sides until one of them, the clock or the user ends it.
///
/// `seen` counts the messages that have come.
async fn converse<R>(
    args: &TalkArgs,
    sending: impl Future<Output = Outcome>,
    mut receiving: Pin<&mut impl Future<Output = R>>,
    mut seen: watch::Receiver<u64>,
) -> Outcome<End<R>> {
    let mut sending = pin!(sending);
    let mut interrupted = pin!(interrupt::pressed());
    let mut sent = false;
    let mut deadline = None;
    loop {
        if sent && args.expect.is_some_and(|expect| *seen.borrow_and_update() >= expect) {
            return Ok(End::Enough);
        }
        let until = deadline.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            // First what came: an answer tells more than that nothing can be sent any more.
            end = &mut receiving => return Ok(End::Received(end)),
            result = &mut sending, if !sent => {
                result?;
                sent = true;
                deadline = args.wait.map(|wait| Instant::now() + wait);
            }
            Ok(()) = seen.changed() => {}
            () = sleep_until(until), if deadline.is_some() => match args.expect {
                None => return Ok(End::Enough),
                Some(expect) => {
                    let seen = *seen.borrow();
                    let text = format!("{seen} of {expect} messages came in time");
                    return Err(Failure::new(Code::Timeout, text));
                }
            },
            () = &mut interrupted => return Ok(End::Interrupted),
        }
    }
}

/// Fails if the server closed before as many messages came as were wanted.
fn check_expected(args: &TalkArgs, seen: u64) -> Outcome {
    match args.expect {
        Some(expect) if seen < expect => {
            let text = format!("the server closed after {seen} of {expect} messages");
            Err(Failure::new(Code::Partial, text))
        }
        _ => Ok(()),
    }
}

/// What a sender does about an error: one of its own it reports, while of the connection's end the
/// receiver knows more, and is waited for.
pub(crate) async fn lost<T>(result: io::Result<T>) -> Outcome<T> {
    match result.map_err(Failure::from) {
        Err(failure) if failure.code() != Code::Usage => pending().await,
        result => result,
    }
}
