//! Uploads: each message becomes a file, or is only counted.

use std::io;
use std::path::Path;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use towline::{CloseCode, MessageKind, MessageReader, StreamSender, StreamWebSocket};

use super::Ended;
use super::download::percent_decode;
use crate::part::Part;
use crate::tally::Tally;

/// Longest name of a stored file in bytes; file systems stop at 255, and a number may be added.
const MAX_NAME: usize = 200;

/// Stores each message in `folder`, if there is one, and answers with its size and SHA-256.
pub(crate) async fn upload(socket: StreamWebSocket, folder: Option<&Path>, name: &str) -> Ended {
    let (mut reader, mut writer) = socket.split();
    let result = async {
        while let Some(mut message) = reader.next_message().await? {
            match take(&mut message, folder, name).await {
                Ok(answer) => say(&mut writer, &answer).await?,
                Err(Trouble::Peer(error)) => return Err(error),
                Err(Trouble::Disk(error)) => {
                    let error = format!("storing the upload: {error}");
                    say(&mut writer, &json!({ "error": error })).await?;
                    writer.close(CloseCode::INTERNAL_ERROR, "the upload was not stored").await?;
                    // What is still on its way is dropped.
                    while reader.next_message().await?.is_some() {}
                    return Err(io::Error::other(error));
                }
            }
        }
        io::Result::Ok(())
    };
    let result = result.await;
    Ended::new(result, reader.stats(), reader.close_frame())
}

/// Whose fault it is that an upload is not complete.
enum Trouble {
    Peer(io::Error),
    Disk(io::Error),
}

async fn take(
    message: &mut MessageReader<'_>,
    folder: Option<&Path>,
    name: &str,
) -> Result<serde_json::Value, Trouble> {
    let mut tally = Tally::default();
    let mut part = match folder {
        Some(folder) => Some((Part::create(folder).await.map_err(Trouble::Disk)?, folder)),
        None => None,
    };
    while let Some(chunk) = message.chunk().await.map_err(|error| Trouble::Peer(error.into()))? {
        tally.add(chunk.bytes);
        if let Some((part, _)) = &mut part {
            part.write(chunk.bytes).await.map_err(Trouble::Disk)?;
        }
    }
    let stored = match part {
        Some((part, folder)) => {
            Some(part.name_or_number(folder, name).await.map_err(Trouble::Disk)?)
        }
        None => None,
    };
    let mut answer = json!({ "bytes": tally.bytes(), "sha256": tally.sha256() });
    if let Some(name) = stored {
        answer["name"] = name.into();
    }
    Ok(answer)
}

async fn say(writer: &mut StreamSender, answer: &serde_json::Value) -> io::Result<()> {
    let mut message = writer.message_writer(MessageKind::Text);
    message.write_all(answer.to_string().as_bytes()).await?;
    Ok(message.finish().await?)
}

/// The name that an upload is stored under: the query's `name`, made harmless.
pub(super) fn wanted_name(query: Option<&str>) -> String {
    let pairs = query.unwrap_or_default().split('&');
    let name = pairs.filter_map(|pair| pair.strip_prefix("name=")).find_map(percent_decode);
    harmless(name.as_deref().unwrap_or_default())
}

/// A name that is a plain file's on every system, in the folder itself, and not hidden.
fn harmless(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut kept: String = name
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| if r#"<>:"|?*"#.contains(c) { '_' } else { c })
        .collect();
    while kept.len() > MAX_NAME {
        kept.pop();
    }
    let kept = kept.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    // Windows opens a device under these names, whatever the extension.
    let stem = kept.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let device = match stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT")) {
        Some(number) => number.chars().count() == 1,
        None => matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"),
    };
    match kept {
        "" => "upload".to_owned(),
        kept if device => format!("_{kept}"),
        kept => kept.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::wanted_name;

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        for (query, name) in [
            ("name=film.mkv", "film.mkv"),
            ("a=b&name=two%20words.txt&c", "two words.txt"),
            ("name=..%2F..%2Fetc%2Fpasswd", "passwd"),
            ("name=..", "upload"),
            ("name=C:%5CWindows%5Cwin.ini", "win.ini"),
            ("name=.bashrc", "bashrc"),
            ("name=a%00b%0Ac", "abc"),
            ("name=nul.txt", "_nul.txt"),
            ("name=COM1", "_COM1"),
            ("name=%C5%BElu%C5%A5.txt", "žluť.txt"),
            ("name=%FF", "upload"),
            ("name=", "upload"),
            ("", "upload"),
        ] {
            assert_eq!(wanted_name(Some(query)), name, "{query}");
        }
        assert_eq!(wanted_name(Some(&format!("name={}", "ž".repeat(500)))).len(), 200);
    }
}
