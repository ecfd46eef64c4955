//! `towline send`: a file as one message.

use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use towline::{MessageKind, StreamSender};

use crate::args::{SendArgs, TalkArgs};
use crate::client::{connect, streaming};
use crate::exit::{Code, Failure, Outcome};
use crate::json;
use crate::output::Format;
use crate::progress::Progress;
use crate::talk::{lost, talk};

/// Bytes read at once: a fragment's worth.
const PIECE: usize = 64 * 1024;

pub(crate) async fn run(args: &SendArgs) -> Outcome {
    let (input, len) = open(&args.file).await?;
    let frame = match (args.one_frame, len) {
        (false, _) => None,
        (true, Some(len)) => Some(len),
        (true, None) => {
            let text = "--one-frame needs to know the size: name a file rather than a stream";
            return Err(Failure::new(Code::Usage, text));
        }
    };
    let socket = connect(&args.url, &args.client, streaming()).await?;
    let kind = if args.text { MessageKind::Text } else { MessageKind::Binary };
    // Without another word the end of the message is the end of the conversation.
    let expect = args.talk.expect.or_else(|| args.talk.wait.is_none().then_some(0));
    let until = TalkArgs { expect, wait: args.talk.wait };
    let mut done = None;
    let sending = async |writer: &mut StreamSender| {
        let mut progress = Progress::new(len);
        send(input, writer, kind, frame, &mut progress, &args.file).await?;
        done = Some(progress.finish());
        Ok(())
    };
    let result = talk(socket.into(), &until, Format::new(args.client.json), sending).await;
    let Some(done) = done else {
        result?;
        let text = "the connection was closed before all was sent";
        return Err(Failure::new(Code::Partial, text));
    };
    match args.client.json {
        true => json::event(&done.json("sent")),
        false => eprintln!("{}", done.line("sent")),
    }
    result
}

/// The file and its length, if it has one.
async fn open(path: &Path) -> Outcome<(Box<dyn AsyncRead + Unpin>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(tokio::io::stdin()), None));
    }
    let failed = |error| Failure::reading(path.display(), &error);
    let file = File::open(path).await.map_err(failed)?;
    let metadata = file.metadata().await.map_err(failed)?;
    if metadata.is_dir() {
        return Err(Failure::new(
            Code::Read,
            format!("reading {}: it is a folder", path.display()),
        ));
    }
    let len = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(file), len))
}

async fn send(
    mut input: impl AsyncRead + Unpin,
    writer: &mut StreamSender,
    kind: MessageKind,
    frame: Option<u64>,
    progress: &mut Progress,
    path: &Path,
) -> Outcome {
    let mut message = match frame {
        None => writer.message_writer(kind),
        Some(len) => writer.message_writer_sized(kind, len),
    };
    let mut piece = vec![0; PIECE];
    loop {
        let read = input.read(&mut piece).await;
        let len = read.map_err(|error| Failure::reading(path.display(), &error))?;
        if len == 0 {
            break;
        }
        lost(message.write_all(&piece[..len]).await).await?;
        progress.add(&piece[..len]);
    }
    lost(message.finish().await.map_err(Into::into)).await
}
