//! Standard input as messages: one a line, or all of it.

use tokio::io::{AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader, Stdin};
use towline::{MessageKind, StreamSender};

use crate::exit::{Code, Failure, Outcome};
use crate::flushing::flushing;
use crate::talk::lost;

/// A line that is longer leaves in fragments, while it is still being read.
const LONG_LINE: usize = 64 * 1024;

type Input = BufReader<Stdin>;

/// Sends all of standard input: each line as a text message, or all as one binary message.
pub(super) async fn send(writer: &mut StreamSender, binary: bool) -> Outcome {
    let mut input = BufReader::with_capacity(LONG_LINE, tokio::io::stdin());
    match binary {
        true => all(&mut input, writer).await?,
        false => lines(&mut input, writer).await?,
    }
    lost(writer.flush().await).await
}

async fn all(input: &mut Input, writer: &mut StreamSender) -> Outcome {
    let mut message = writer.message_writer(MessageKind::Binary);
    loop {
        let bytes = read(input, &mut message).await?;
        let len = bytes.len();
        if len == 0 {
            return lost(message.feed_last(&[]).await.map_err(Into::into)).await;
        }
        lost(message.write_all(bytes).await).await?;
        input.consume(len);
    }
}

async fn lines(input: &mut Input, writer: &mut StreamSender) -> Outcome {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let more = read_line(input, writer, &mut line).await?;
        // The beginning of a long line may end within a character.
        let cut = matches!(more, More::Long);
        if str::from_utf8(&line).is_err_and(|error| !cut || error.error_len().is_some()) {
            let text = format!("line {number} of the input is not UTF-8; --binary sends all of it");
            return Err(Failure::new(Code::Usage, text));
        }
        match more {
            More::Yes => feed(writer, &line).await?,
            More::Long => long_line(input, writer, &line).await?,
            More::No if line.is_empty() => break,
            More::No => return feed(writer, &line).await,
        }
    }
    Ok(())
}

/// What follows the bytes that were read.
enum More {
    /// The next line.
    Yes,
    /// The rest of a long line.
    Long,
    /// The end of the input.
    No,
}

/// Reads a line without its end, or the beginning of a long one.
async fn read_line(
    input: &mut Input,
    writer: &mut StreamSender,
    line: &mut Vec<u8>,
) -> Outcome<More> {
    loop {
        // While the next line is waited for, those before it are on their way.
        let bytes = read(input, writer).await?;
        if bytes.is_empty() {
            return Ok(More::No);
        }
        let (part, end) = split(bytes);
        line.extend_from_slice(part);
        let used = part.len() + usize::from(end);
        input.consume(used);
        match end {
            true => return Ok(More::Yes),
            false if line.len() >= LONG_LINE => return Ok(More::Long),
            false => {}
        }
    }
}

async fn long_line(input: &mut Input, writer: &mut StreamSender, begun: &[u8]) -> Outcome {
    let mut message = writer.message_writer(MessageKind::Text);
    lost(message.write_all(begun).await).await?;
    loop {
        let bytes = read(input, &mut message).await?;
        let at_end = bytes.is_empty();
        let (part, end) = split(bytes);
        if at_end || end {
            let used = part.len() + usize::from(end);
            lost(message.feed_last(part).await.map_err(Into::into)).await?;
            input.consume(used);
            return Ok(());
        }
        lost(message.write_all(part).await).await?;
        let used = part.len();
        input.consume(used);
    }
}

async fn feed(writer: &mut StreamSender, line: &[u8]) -> Outcome {
    #[cfg(windows)]
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let message = writer.message_writer(MessageKind::Text);
    lost(message.feed_last(line).await.map_err(Into::into)).await
}

/// What comes before the end of a line, and whether there is one.
fn split(bytes: &[u8]) -> (&[u8], bool) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], true),
        None => (bytes, false),
    }
}

/// Bytes of the input, none at its end. While they are waited for, what was written is sent.
async fn read<'a>(
    input: &'a mut Input,
    writer: &mut (impl AsyncWrite + Unpin),
) -> Outcome<&'a [u8]> {
    let bytes = lost(flushing(input.fill_buf(), writer).await).await?;
    bytes.map_err(|error| Failure::reading("standard input", &error))
}
