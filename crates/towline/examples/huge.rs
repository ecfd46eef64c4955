//! Sends one huge message and checks what comes back:
//! `huge URL SIZE[K|M|G] (one-frame|fragments|compressed)`
//!
//! The message is made as it is sent and checked as it returns, so neither is held. An answer in
//! text, as `/upload` gives it, is printed instead. With `fragments` the message goes in frames of
//! 1 byte to 64 KiB; with `compressed` it does too, and compression has to be agreed on.

use std::process::ExitCode;

use tokio::io::AsyncWriteExt;
use towline::{
    CloseCode, Config, Deflate, MessageKind, StreamReceiver, StreamSender, StreamWebSocket,
};

/// The message repeats this many bytes: a prime, so that it never lines up with a buffer.
const PERIOD: usize = 65_521;

const FRAGMENT: usize = 64 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, size, shape] = &args[..] else {
        eprintln!("usage: huge URL SIZE[K|M|G] (one-frame|fragments|compressed)");
        return ExitCode::from(2);
    };
    let Some(size) = parse(size) else {
        eprintln!("huge: {size:?} is no size");
        return ExitCode::from(2);
    };
    match exchange(url, size, shape).await {
        Ok(what) => {
            println!("{what}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("huge: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(size: &str) -> Option<u64> {
    let digits = size.trim_end_matches(['K', 'M', 'G']);
    let unit = match &size[digits.len()..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

async fn exchange(url: &str, size: u64, shape: &str) -> Result<String> {
    // A peer that is busy with 20 GiB may be late with a pong.
    let config = Config::default().ping_interval(None);
    let mut client = towline::Client::builder().config(config);
    if shape == "compressed" {
        client = client.deflate(Deflate::default());
    }
    let socket = client.build()?.connect(url).await?;
    if shape == "compressed" && socket.info().deflate().is_none() {
        return Err("the server does not compress".into());
    }
    let (mut reader, writer) = StreamWebSocket::from(socket).split();
    let sending = tokio::spawn(send(writer, size, shape == "one-frame"));
    let what = receive(&mut reader, size).await?;
    let mut writer = sending.await??;
    writer.close(CloseCode::NORMAL, "").await?;
    while reader.next_message().await?.is_some() {}
    let sent = reader.stats().bytes_out;
    if shape == "compressed" && sent >= size {
        return Err(format!("{size} bytes were sent as {sent}: nothing was compressed").into());
    }
    Ok(format!("{what}; sent as {sent} bytes"))
}

async fn send(mut writer: StreamSender, size: u64, one_frame: bool) -> Result<StreamSender> {
    let pattern = pattern();
    let mut message = if one_frame {
        writer.message_writer_sized(MessageKind::Binary, size)
    } else {
        writer.message_writer(MessageKind::Binary)
    };
    let mut sent = 0;
    let mut lengths = 1_u64;
    while sent < size {
        // Any sequence of lengths will do that takes in the shortest and the longest.
        lengths = lengths.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        let random = usize::try_from((lengths >> 33) % 65_536)? + 1;
        let length = if one_frame { FRAGMENT } else { random };
        let length = length.min(usize::try_from(size - sent).unwrap_or(FRAGMENT));
        let offset = usize::try_from(sent % u64::try_from(PERIOD)?)?;
        message.write_all(&pattern[offset..offset + length]).await?;
        if !one_frame {
            message.flush().await?;
        }
        sent += u64::try_from(length)?;
    }
    message.finish().await?;
    Ok(writer)
}

async fn receive(reader: &mut StreamReceiver, size: u64) -> Result<String> {
    let pattern = pattern();
    let Some(mut message) = reader.next_message().await? else {
        return Err("the server closed without an answer".into());
    };
    if message.kind() == MessageKind::Text {
        let mut text = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut message, &mut text).await?;
        return Ok(text);
    }
    let mut received = 0;
    while let Some(chunk) = message.chunk().await? {
        let offset = usize::try_from(received % u64::try_from(PERIOD)?)?;
        for part in chunk.bytes.chunks(PERIOD) {
            if part != &pattern[offset..offset + part.len()] {
                return Err(format!("what came back differs after byte {received}").into());
            }
        }
        received += u64::try_from(chunk.bytes.len())?;
    }
    if received != size {
        return Err(format!("{received} of {size} bytes came back").into());
    }
    Ok(format!("{received} bytes went and came back as one message"))
}

/// Long enough that a fragment can begin anywhere in the first period.
fn pattern() -> Vec<u8> {
    let period = (0..PERIOD).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[1]);
    period.collect::<Vec<_>>().repeat(3)
}
