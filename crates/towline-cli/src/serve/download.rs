//! Downloads: a file as one message.

use std::io;
use std::path::Path;

use http::HeaderName;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use towline::{CloseCode, MessageKind, StreamReceiver, StreamSender, StreamWebSocket};

use super::Ended;

/// How long the one message will be, told in the answer to the handshake: a message in fragments
/// does not say it, and who waits for a film wants to know how long.
pub(crate) const LENGTH_HEADER: HeaderName = HeaderName::from_static("towline-message-length");

/// Bytes read at once.
const PIECE: usize = 64 * 1024;

/// A file that may be sent.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: File,
    pub(super) len: u64,
}

/// The file that a request's path names: a regular one within the folder, or nothing.
pub(super) async fn find(folder: &Path, name: &str) -> Option<Found> {
    let name = percent_decode(name)?;
    let plain = |part: &str| {
        // A part that begins with a dot leads up or is hidden, as an unfinished upload is.
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':', '\0'])
    };
    if !name.split('/').all(plain) {
        return None;
    }
    // Where symbolic links lead is known only now.
    let path = tokio::fs::canonicalize(folder.join(name)).await.ok()?;
    // Looked at before it is opened: to open a pipe or a device can wait for ever.
    if !path.starts_with(folder) || !tokio::fs::metadata(&path).await.ok()?.is_file() {
        return None;
    }
    let file = File::open(&path).await.ok()?;
    let metadata = file.metadata().await.ok()?;
    metadata.is_file().then(|| Found { file, len: metadata.len() })
}

/// Sends a file as one binary message, and closes.
pub(crate) async fn send_file(socket: StreamWebSocket, file: File) -> Ended {
    let (mut reader, mut writer) = socket.split();
    // Whoever sends has to read as well: pings want pongs, and the client may have had enough.
    let result = tokio::select! {
        sent = send(&mut writer, file) => sent,
        ended = read_to_end(&mut reader) => ended,
    };
    let result = match result {
        Ok(()) => read_to_end(&mut reader).await,
        failed => failed,
    };
    Ended::new(result, reader.stats(), reader.close_frame())
}

async fn send(writer: &mut StreamSender, mut file: File) -> io::Result<()> {
    let mut message = writer.message_writer(MessageKind::Binary);
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).await? {
            0 => break,
            len => message.write_all(&piece[..len]).await?,
        }
    }
    message.finish().await?;
    Ok(writer.close(CloseCode::NORMAL, "").await?)
}

async fn read_to_end(reader: &mut StreamReceiver) -> io::Result<()> {
    while reader.next_message().await?.is_some() {}
    Ok(())
}

/// Undoes percent-encoding (RFC 3986 §2.1); `None` if it is broken or no UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let byte = match first {
            b'%' => {
                let [high, low, after @ ..] = rest else { return None };
                rest = after;
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                u8::try_from(digit(high)? * 16 + digit(low)?).ok()?
            }
            byte => *byte,
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::percent_decode;

    #[test]
    fn percent_encoding_is_undone_once() {
        let decoded = |text| percent_decode(text).unwrap_or_else(|| "none".to_owned());
        assert_eq!(decoded("two%20words"), "two words");
        assert_eq!(decoded("%252e"), "%2e");
        assert_eq!(decoded("%c5%be+"), "ž+");
        for broken in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert_eq!(decoded(broken), "none", "{broken}");
        }
    }
}
