//! What is the same for every connection: whom to connect to, what to do before and after, when again.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use towline_proto::CloseFrame;

use super::backoff::Backoff;
use super::opening::Opening;
use super::permanence::{Verdict, is_permanent, judge};
use super::state::Why;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::message::MessageWebSocket;
use crate::websocket::WebSocket;

/// Something of the application's that comes, sooner or later.
pub(super) type Work<T> =
    Pin<Box<dyn Future<Output = std::result::Result<T, Box<dyn StdError + Send + Sync>>> + Send>>;

/// Something that connects.
pub(super) type Attempt<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

pub(super) type Hook<T, R = T> = Arc<dyn Fn(T) -> Work<R> + Send + Sync>;
pub(super) type JudgeError = Arc<dyn Fn(&Error) -> Option<bool> + Send + Sync>;
pub(super) type JudgeClose = Arc<dyn Fn(Option<&CloseFrame>) -> Option<bool> + Send + Sync>;

/// What is the same for every connection.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) client: Client,
    pub(super) uri: String,
    pub(super) backoff: Backoff,
    pub(super) hook_timeout: Duration,
    pub(super) prepare: Option<Hook<Opening>>,
    pub(super) connect: Option<Hook<Opening, WebSocket>>,
    pub(super) on_connect: Option<Hook<MessageWebSocket>>,
    pub(super) permanent: Option<JudgeError>,
    pub(super) again: Option<JudgeClose>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the address: a password or a token may stand in it.
        f.debug_struct("Rules").field("backoff", &self.backoff).finish_non_exhaustive()
    }
}

impl Rules {
    /// Connects once.
    pub(super) fn attempt(&self, attempt: u32, why: Option<Why>) -> Attempt<WebSocket> {
        let opening = Opening { client: self.client.clone(), uri: self.uri.clone(), attempt, why };
        let prepare = self.prepare.as_ref().map(|prepare| prepare(opening.clone()));
        let connect = self.connect.clone();
        let limit = self.hook_timeout;
        Box::pin(async move {
            let opening = match prepare {
                Some(work) => within(limit, "preparing to connect", work).await?,
                None => opening,
            };
            match connect {
                Some(connect) => connect(opening).await.map_err(|why| error("connecting", why)),
                None => opening.connect().await,
            }
        })
    }

    /// Has the application do what it has to with a fresh connection.
    pub(super) fn greet(&self, socket: MessageWebSocket) -> Attempt<MessageWebSocket> {
        let work = self.on_connect.as_ref();
        let Some(hook) = work.cloned() else { return Box::pin(async { Ok(socket) }) };
        let limit = self.hook_timeout;
        Box::pin(async move { within(limit, "setting up the connection", hook(socket)).await })
    }

    /// Whether to try again after this.
    pub(super) fn judge(&self, why: &Why) -> Verdict {
        match why {
            Why::Failed(error) => {
                let own = self.permanent.as_ref().and_then(|permanent| permanent(error));
                match own.unwrap_or_else(|| is_permanent(error)) {
                    true => Verdict::Never,
                    false => Verdict::Again,
                }
            }
            Why::ClosedByPeer(frame) => {
                let again = self.again.as_ref().and_then(|again| again(frame.as_ref()));
                match again {
                    Some(true) => Verdict::Again,
                    Some(false) => Verdict::Done,
                    None => judge(frame.as_ref().map(|frame| frame.code)),
                }
            }
            Why::ClosedByUs => Verdict::Done,
        }
    }
}

async fn within<T>(limit: Duration, doing: &'static str, work: Work<T>) -> Result<T> {
    let Ok(done) = timeout(limit, work).await else {
        return Err(Error::timed_out(doing, "it was not done in time")
            .advise("ReconnectBuilder::hook_timeout is the limit"));
    };
    done.map_err(|why| error(doing, why))
}

/// What went wrong in the application, as an error of ours, if it is none already.
fn error(doing: &'static str, why: Box<dyn StdError + Send + Sync>) -> Error {
    match why.downcast::<Error>() {
        Ok(error) => *error,
        Err(why) => Error::new(ErrorKind::Io, doing).cause(why),
    }
}
