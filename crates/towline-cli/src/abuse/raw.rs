//! A connection on which anything can be said, and what is heard there.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf, split};
use tokio::time::{Instant, timeout};

use super::attack::{Attack, Play, Seen, Side};
use super::bytes::{CLOSE, PING, PONG, frame, widened};
use super::reader::{Frame, Reader};

/// What a peer that refuses does at once; one that waits for more is not waited for longer.
pub(super) const AT_ONCE: Duration = Duration::from_secs(1);

pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A byte stream, and the frames that come on it. It knows no rule that it would have to keep.
pub(super) struct Raw {
    reader: Reader,
    writer: WriteHalf<Box<dyn ByteStream>>,
    pub(super) side: Side,
    pub(super) patience: Duration,
}

impl Raw {
    pub(super) fn new(io: impl ByteStream + 'static, side: Side, patience: Duration) -> Self {
        let io: Box<dyn ByteStream> = Box::new(io);
        let (read, writer) = split(io);
        let reader = Reader::new(read);
        Self { reader, writer, side, patience }
    }

    /// Plays an attack on this connection, whose handshake is over.
    pub(super) async fn play(&mut self, attack: &Attack) -> Seen {
        let seen = match attack.play {
            Play::Say(bytes) => self.goes_on_after(&bytes(self.side), self.patience).await,
            Play::Begin(bytes) => {
                self.put(&bytes(self.side)).await;
                return self.listen(self.patience.min(AT_ONCE)).await;
            }
            Play::Talk(talk) | Play::Deflated(talk) => talk(self).await,
            Play::Ask(_)
            | Play::Offer(_)
            | Play::Answer(_)
            | Play::Show(_)
            | Play::Act(_)
            | Play::Wait(_)
            | Play::Meet(_) => {
                return Seen::Skipped("it is not played behind a handshake");
            }
        };
        match attack.due.allows_life() {
            true => seen,
            false => self.thinks_again(seen).await,
        }
    }

    /// A frame as our side has to send it.
    pub(super) fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        frame(self.side, first, payload)
    }

    /// Sends this, unless the other side does not take it in time. Reads nothing.
    pub(super) async fn put(&mut self, bytes: &[u8]) -> bool {
        let writing = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        matches!(timeout(self.patience, writing).await, Ok(Ok(())))
    }

    /// Ends in order, so that a client that goes on, and should, does not take our leaving for a
    /// failure.
    pub(super) async fn goodbye(&mut self) {
        let bye = self.frame(CLOSE, &1000_u16.to_be_bytes());
        self.put(&bye).await;
        self.listen(self.patience).await;
    }

    /// Ends our direction.
    pub(super) async fn end(&mut self) {
        timeout(self.patience, self.writer.shutdown()).await.ok();
    }

    /// The next frame, unless it ends before; a pause is no matter here.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        self.reader.frame().await
    }

    /// Sends this so many times while it reads what comes, and tells how much was taken in time, or
    /// how it ended. Silence is that nothing more was taken.
    pub(super) async fn pour(&mut self, batch: &[u8], times: u64, limit: Duration) -> Seen {
        self.exchange(batch, times, limit, None).await
    }

    /// Asks for life with a ping.
    pub(super) async fn alive(&mut self) -> Seen {
        self.alive_within(self.patience).await
    }

    pub(super) async fn alive_within(&mut self, limit: Duration) -> Seen {
        self.goes_on_after(&[], limit).await
    }

    /// Sends this and a ping behind it.
    pub(super) async fn goes_on_after(&mut self, bytes: &[u8], limit: Duration) -> Seen {
        const ASK: &[u8] = b"still there?";
        let bytes = [bytes, &self.frame(PING, ASK)].concat();
        self.exchange(&bytes, 1, limit, Some(ASK)).await
    }

    /// Waits for a closing frame or an end, though it went on: one that hands messages on before it
    /// checks them answers the ping behind them first.
    pub(super) async fn thinks_again(&mut self, seen: Seen) -> Seen {
        match seen {
            Seen::Alive => match self.listen(self.patience.min(AT_ONCE)).await {
                Seen::Silent => Seen::Alive,
                seen => seen,
            },
            seen => seen,
        }
    }

    /// Waits for a closing frame or an end.
    pub(super) async fn listen(&mut self, limit: Duration) -> Seen {
        match self.exchange(&[], 1, limit, Some(b"never sent")).await {
            Seen::Took(_) => Seen::Silent,
            seen => seen,
        }
    }

    /// Writes and reads at once: whoever only writes waits for one that waits for it.
    async fn exchange(
        &mut self,
        batch: &[u8],
        times: u64,
        limit: Duration,
        pong: Option<&[u8]>,
    ) -> Seen {
        let Self { reader, writer, patience, .. } = self;
        let begun = Instant::now();
        let heard = Mutex::new(None);
        // Bytes that were taken, and when the last of them were.
        let taken = Mutex::new((0, begun));
        let took = || *taken.lock().unwrap_or_else(PoisonError::into_inner);
        let writing = async {
            for _ in 0..times {
                let mut rest = batch;
                while !rest.is_empty() {
                    match writer.write(rest).await {
                        Ok(count @ 1..) => {
                            rest = &rest[count..];
                            let sum = took().0 + widened(count);
                            *taken.lock().unwrap_or_else(PoisonError::into_inner) =
                                (sum, Instant::now());
                        }
                        // What was said before the end is still to be read.
                        _ => std::future::pending::<()>().await,
                    }
                }
            }
            let _ = writer.flush().await;
            if pong.is_some() {
                std::future::pending::<()>().await;
            }
        };
        let reading = async {
            while let Some(frame) = reader.frame().await {
                *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                match frame.first & 0x0F {
                    0x8 => return Seen::Closed(frame.code()),
                    0xA if frame.first == PONG && Some(&*frame.payload) == pong => {
                        return Seen::Alive;
                    }
                    _ => {}
                }
            }
            Seen::Cut
        };
        let both = async {
            tokio::select! {
                seen = reading => seen,
                () = writing => Seen::Took(took().0),
            }
        };
        if let Ok(seen) = timeout(limit, both).await {
            return seen;
        }
        let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (bytes, last) = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
        // It is slow, and yet it goes on: it takes more, or has more to say.
        let last = if pong.is_some() { heard } else { Some(last) };
        match last.is_some_and(|last| last.elapsed() < *patience) {
            true => Seen::Took(bytes),
            false => Seen::Silent,
        }
    }

    /// Sends a request, so many times the same bytes, and reads the answer's head.
    ///
    /// 101 is [`Seen::Alive`]. If all was taken and nothing was answered, it [took](Seen::Took) it.
    pub(super) async fn ask(
        &mut self,
        batch: &[u8],
        times: u64,
        limit: Duration,
    ) -> (Seen, String) {
        let Self { reader, writer, patience, .. } = self;
        let patience = *patience;
        let writing = async {
            for _ in 0..times {
                if writer.write_all(batch).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            let _ = writer.flush().await;
            tokio::time::sleep(patience).await;
        };
        let both = async {
            tokio::select! {
                answer = reader.head() => answer,
                () = writing => {
                    (Seen::Took(widened(batch.len()).saturating_mul(times)), String::new())
                }
            }
        };
        timeout(limit + patience, both).await.unwrap_or((Seen::Silent, String::new()))
    }

    /// Waits for an answer's head, and says nothing.
    pub(super) async fn answer(&mut self, limit: Duration) -> Seen {
        match timeout(limit, self.reader.head()).await {
            Ok((seen, _)) => seen,
            Err(_) => Seen::Silent,
        }
    }

    /// Reads a head to its blank line.
    pub(super) async fn head(&mut self) -> Option<String> {
        timeout(self.patience, self.reader.read_head()).await.ok().flatten()
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("side", &self.side).finish_non_exhaustive()
    }
}
