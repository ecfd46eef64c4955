//! `towline recv`: one message into a file.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::pin;

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter, Stdout};
use towline::{CloseCode, MessageReader, StreamWebSocket};

use crate::args::RecvArgs;
use crate::client::{connect, streaming};
use crate::exit::{Code, Failure, Outcome, closed};
use crate::flushing::flushing;
use crate::part::Part;
use crate::progress::Progress;
use crate::serve::LENGTH_HEADER;
use crate::{interrupt, json};

pub(crate) async fn run(args: &RecvArgs) -> Outcome {
    let mut target = Target::open(&args.file, args.force).await?;
    // From here on there is something to be cleared away. Not before: a pipe that nobody reads is
    // waited for, and must end as any program does.
    let mut interrupted = pin!(interrupt::pressed());
    if args.client.json && matches!(target, Target::Output(_)) {
        let text = "--json and the message cannot both go to standard output";
        return Err(Failure::new(Code::Usage, text));
    }
    let mut socket: StreamWebSocket = tokio::select! {
        socket = connect(&args.url, &args.client, streaming()) => socket?.into(),
        () = &mut interrupted => return Err(Failure::interrupted()),
    };
    let response = socket.info().response();
    let len = response
        .and_then(|response| response.headers().get(LENGTH_HEADER)?.to_str().ok()?.parse().ok());
    let mut progress = Progress::new(len);
    let receiving = receive(&mut socket, &mut target, &mut progress);
    let result = tokio::select! {
        result = receiving => result,
        () = &mut interrupted => Err(Failure::interrupted()),
    };
    interrupt::next_one_kills();
    let result = match result {
        Ok(()) => target.finish(&args.file, args.force).await,
        Err(failure) => {
            drop(target);
            Err(failure)
        }
    };
    // Whether the goodbye is answered is no matter: the message has ended, or never will.
    socket.close(CloseCode::NORMAL, "").await.ok();
    result?;
    let done = progress.finish();
    match args.client.json {
        true => json::event(&done.json("received")),
        false => eprintln!("{}", done.line("received")),
    }
    closed(socket.close_frame())
}

async fn receive(
    socket: &mut StreamWebSocket,
    target: &mut Target,
    progress: &mut Progress,
) -> Outcome {
    let Some(mut message) = socket.next_message().await? else {
        closed(socket.close_frame())?;
        return Err(Failure::new(Code::Empty, "the server closed before any message"));
    };
    copy(&mut message, target, progress).await
}

async fn copy(
    message: &mut MessageReader<'_>,
    target: &mut Target,
    progress: &mut Progress,
) -> Outcome {
    loop {
        let next = match target {
            Target::Output(out) => written(flushing(message.chunk(), out).await)?,
            Target::Other(file) => written(flushing(message.chunk(), file).await)?,
            // Nobody reads it before it has its name.
            Target::Part(_) => message.chunk().await,
        };
        let Some(chunk) = next? else { return target.flush().await };
        target.write(chunk.bytes).await?;
        progress.add(chunk.bytes);
    }
}

/// Bytes written at once.
const BUFFER: usize = 64 * 1024;

/// Where the message goes. A peer may send it byte by byte: it is written when enough has come, or
/// nothing more for the moment.
enum Target {
    Output(BufWriter<Stdout>),
    /// A file that gets its name when it is complete.
    Part(Part),
    /// What is there and is no file: a pipe or a device. To write to it overwrites nothing.
    Other(BufWriter<File>),
}

impl Target {
    async fn open(path: &Path, force: bool) -> Outcome<Self> {
        if path == Path::new("-") {
            return Ok(Self::Output(BufWriter::with_capacity(BUFFER, tokio::io::stdout())));
        }
        let failed = |error| Failure::writing(path.display(), &error);
        match tokio::fs::metadata(path).await {
            Ok(metadata) if metadata.is_dir() => {
                let text = format!("writing {}: it is a folder", path.display());
                return Err(Failure::new(Code::Write, text));
            }
            Ok(metadata) if !metadata.is_file() => {
                let file = OpenOptions::new().write(true).open(path).await.map_err(failed)?;
                return Ok(Self::Other(BufWriter::with_capacity(BUFFER, file)));
            }
            Ok(_) if !force => return Err(exists(path)),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(Self::Part(Part::create(&folder(path)).await.map_err(failed)?))
    }

    async fn write(&mut self, bytes: &[u8]) -> Outcome {
        match self {
            Self::Output(out) => written(out.write_all(bytes).await),
            Self::Part(part) => written(part.write(bytes).await),
            Self::Other(file) => written(file.write_all(bytes).await),
        }
    }

    async fn flush(&mut self) -> Outcome {
        match self {
            Self::Output(out) => written(out.flush().await),
            // It is flushed when it gets its name.
            Self::Part(_) => Ok(()),
            Self::Other(file) => written(file.flush().await),
        }
    }

    async fn finish(self, path: &Path, force: bool) -> Outcome {
        let Self::Part(part) = self else { return Ok(()) };
        let named = match force {
            true => part.replace(path).await,
            false => part.name(path).await,
        };
        match named {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists(path)),
            named => named.map_err(|error| Failure::writing(path.display(), &error)),
        }
    }
}

fn written<T>(result: io::Result<T>) -> Outcome<T> {
    result.map_err(|error| match error.kind() {
        // Whoever read our output has had enough.
        ErrorKind::BrokenPipe => Failure::new(Code::Enough, ""),
        _ => Failure::writing("the message", &error),
    })
}

fn exists(path: &Path) -> Failure {
    let text = format!("{} exists; --force replaces it", path.display());
    Failure::new(Code::Write, text)
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
