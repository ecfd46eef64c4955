//! The paths of the server that came with Microsoft's WebSocket sample for Windows 8.
//!
//! Old clients are tried against it, so its oddities are kept: binary is answered with the size of
//! the message's last fragment, and each received piece of a partial message gets its own answer.

use std::io;

use time::{OffsetDateTime, UtcOffset};
use towline::{MessageKind, MessageWebSocket, Result};

use super::Ended;

/// Text that is gathered into one frame of an answer, as much as the old server held.
const FRAGMENT: usize = 64 * 1024;

/// The local time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(UtcOffset);

impl Clock {
    /// Must be called while the process has one thread: only then can the zone be asked for safely.
    pub(super) fn new() -> Self {
        Self(UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC))
    }

    /// As .NET writes it in the United States: `4/1/2012 1:23:45 PM`.
    fn now(self) -> String {
        format(OffsetDateTime::now_utc().to_offset(self.0))
    }
}

fn format(at: OffsetDateTime) -> String {
    let (hour, half) = match at.hour() {
        0 => (12, "AM"),
        hour @ 1..12 => (hour, "AM"),
        12 => (12, "PM"),
        hour => (hour - 12, "PM"),
    };
    let (month, day, year) = (u8::from(at.month()), at.day(), at.year());
    format!("{month}/{day}/{year} {hour}:{:02}:{:02} {half}", at.minute(), at.second())
}

/// `EchoWebSocket.ashx`: text comes back quoted, binary is answered with a size.
pub(super) async fn echo(mut socket: MessageWebSocket, clock: Clock) -> Ended {
    let result = async {
        greet(&mut socket, clock).await?;
        let mut answer = String::new();
        let (mut frames, mut last) = (0, 0);
        while let Some(piece) = socket.recv_fragment().await? {
            if piece.start {
                answer.push_str("You said: \"");
            }
            if piece.kind == MessageKind::Text {
                answer.push_str(&String::from_utf8_lossy(&piece.payload));
                if piece.end {
                    answer.push('"');
                }
                if piece.end || answer.len() >= FRAGMENT {
                    socket.send_fragment(MessageKind::Text, &answer, piece.end).await?;
                    answer.clear();
                }
                continue;
            }
            // The network cuts fragments into pieces; a frame that was not counted begins one.
            if std::mem::replace(&mut frames, socket.stats().frames_in) != frames {
                last = 0;
            }
            last += piece.payload.len();
            if piece.end {
                answer.clear();
                socket.send(format!("binary message received, size={last} bytes")).await?;
            }
        }
        io::Result::Ok(())
    };
    let result = result.await;
    Ended::new(result, socket.stats(), socket.close_frame())
}

/// `partialMessages.ashx`: each piece comes back as it is received, as a piece of the answer.
pub(super) async fn partial(mut socket: MessageWebSocket, clock: Clock) -> Ended {
    let result = async {
        greet(&mut socket, clock).await?;
        while let Some(piece) = socket.recv_fragment().await? {
            let answer = format!("You said: \"{}\"\r\n", String::from_utf8_lossy(&piece.payload));
            socket.send_fragment(MessageKind::Text, answer, piece.end).await?;
        }
        io::Result::Ok(())
    };
    let result = result.await;
    Ended::new(result, socket.stats(), socket.close_frame())
}

async fn greet(socket: &mut MessageWebSocket, clock: Clock) -> Result<()> {
    socket.send(format!("EchoWebSocket Connected at: {}", clock.now())).await
}

#[cfg(test)]
mod tests {
    use super::format;
    use time::OffsetDateTime;

    #[test]
    fn the_time_is_written_as_dot_net_writes_it() {
        let at = |unix| format(OffsetDateTime::from_unix_timestamp(unix).unwrap());
        assert_eq!(at(1_333_286_625), "4/1/2012 1:23:45 PM");
        assert_eq!(at(0), "1/1/1970 12:00:00 AM");
        assert_eq!(at(43_200 + 9), "1/1/1970 12:00:09 PM");
        assert_eq!(at(86_399), "1/1/1970 11:59:59 PM");
        assert_eq!(at(3_600 * 11), "1/1/1970 11:00:00 AM");
    }
}
