//! Messages on standard output, as they come.

use std::io::{self, IsTerminal};

use tokio::io::{AsyncWriteExt, BufWriter, Stdout};
use tokio::sync::watch;
use towline::{MessageKind, MessageReader, StreamReceiver};

use crate::exit::{Failure, Outcome};
use crate::flushing::flushing;
use crate::json;
use crate::print::{BINARY_SHOWN, binary_line, escape};

/// How messages are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// Text as lines, binary as it is.
    Raw,
    /// For eyes: text with its control characters escaped, binary as a line about it.
    Terminal,
    /// One object a line.
    Json,
}

impl Format {
    pub(crate) fn new(json: bool) -> Self {
        match (json, io::stdout().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Terminal,
            (false, false) => Self::Raw,
        }
    }
}

/// Why no more messages are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// The connection has closed.
    Closed,
    /// Whoever read the output reads no more.
    OutputGone,
}

/// Shows every message until the connection has closed, and counts them in `seen`.
pub(crate) async fn show(
    reader: &mut StreamReceiver,
    format: Format,
    seen: &watch::Sender<u64>,
) -> Outcome<Heard> {
    let mut out = BufWriter::with_capacity(64 * 1024, tokio::io::stdout());
    loop {
        let next = match flushing(reader.next_message(), &mut out).await {
            Ok(next) => next?,
            Err(error) => return heard(Err(error)),
        };
        let Some(mut message) = next else {
            let flushed = out.flush().await;
            return heard(flushed.map(|()| Heard::Closed));
        };
        let shown = match format {
            Format::Raw => raw(&mut message, &mut out).await,
            Format::Terminal => terminal(&mut message, &mut out).await,
            Format::Json => json::message(&mut message, &mut out).await,
        };
        match shown {
            Ok(()) => seen.send_modify(|seen| *seen += 1),
            Err(Trouble::Socket(error)) => {
                out.flush().await.ok();
                return Err(error.into());
            }
            Err(Trouble::Output(error)) => return heard(Err(error)),
        }
    }
}

/// Whose fault it is that a message was not shown.
pub(crate) enum Trouble {
    Socket(towline::Error),
    Output(io::Error),
}

impl From<towline::Error> for Trouble {
    fn from(error: towline::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// A pipe whose reader has left ends quietly; a full disk does not.
fn heard(result: io::Result<Heard>) -> Outcome<Heard> {
    match result {
        Ok(heard) => Ok(heard),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Heard::OutputGone),
        Err(error) => Err(Failure::writing("standard output", &error)),
    }
}

async fn raw(message: &mut MessageReader<'_>, out: &mut BufWriter<Stdout>) -> Result<(), Trouble> {
    while let Some(chunk) = flushing(message.chunk(), out).await?? {
        out.write_all(chunk.bytes).await?;
    }
    if message.kind() == MessageKind::Text {
        out.write_all(b"\n").await?;
    }
    Ok(())
}

async fn terminal(
    message: &mut MessageReader<'_>,
    out: &mut BufWriter<Stdout>,
) -> Result<(), Trouble> {
    match message.kind() {
        MessageKind::Text => {
            let mut text = Whole::default();
            while let Some(chunk) = flushing(message.chunk(), out).await?? {
                out.write_all(escape(&text.add(chunk.bytes)).as_bytes()).await?;
            }
            out.write_all(b"\n").await?;
        }
        MessageKind::Binary => {
            let (mut first, mut total) = (Vec::new(), 0);
            while let Some(chunk) = message.chunk().await? {
                let wanted = (BINARY_SHOWN - first.len()).min(chunk.bytes.len());
                first.extend_from_slice(&chunk.bytes[..wanted]);
                total += u64::try_from(chunk.bytes.len()).unwrap_or(0);
            }
            out.write_all(format!("{}\n", binary_line(&first, total)).as_bytes()).await?;
        }
    }
    Ok(())
}

/// Makes pieces of text end where characters end. A message's text has been checked.
#[derive(Debug, Default)]
struct Whole {
    /// The beginning of a character, at most 3 bytes.
    cut: Vec<u8>,
}

impl Whole {
    fn add(&mut self, bytes: &[u8]) -> String {
        self.cut.extend_from_slice(bytes);
        let whole = match str::from_utf8(&self.cut) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.cut.split_off(whole);
        let text = String::from_utf8_lossy(&self.cut).into_owned();
        self.cut = rest;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Whole;

    #[test]
    fn a_cut_character_waits_for_its_end() {
        let mut whole = Whole::default();
        let pieces: Vec<String> = "a🚢b".as_bytes().chunks(2).map(|cut| whole.add(cut)).collect();
        assert_eq!(pieces, ["a", "", "🚢b"]);
    }
}
