//! The end that we want ourselves.

use std::task::{Context, Poll, ready};

use towline_proto::CloseFrame;

use super::messages::{Reconnecting, Stage};
use super::state::Why;
use crate::error::Result;

/// Whether it is we who close.
#[derive(Debug)]
pub(super) enum Closing {
    No,
    /// With this frame, behind what waits in the queue.
    Wanted(CloseFrame),
    /// The frame is on its way.
    Begun,
}

impl Closing {
    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Self::No)
    }

    /// The frame, if it is to be sent now: once.
    pub(super) fn begin(&mut self) -> Option<CloseFrame> {
        match std::mem::replace(self, Self::Begun) {
            Self::Wanted(frame) => Some(frame),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl Reconnecting {
    /// Goes on with the connection to its end; what still comes is discarded.
    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            let closed = match &self.stage {
                Stage::Ended(_) => return Poll::Ready(Ok(())),
                Stage::Away | Stage::Greeting(_) => Ok(()),
                // It reads as well: a peer that has to send first would never take what waits.
                Stage::Open(_) => match ready!(self.poll_open(cx)) {
                    Ok(Some(_)) => continue,
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                },
            };
            if let Stage::Open(socket) = &self.stage {
                self.frame = socket.close_frame().cloned();
            }
            self.stage = Stage::Ended(None);
            self.reconnector.end(Why::ClosedByUs);
            return Poll::Ready(closed);
        }
    }
}
