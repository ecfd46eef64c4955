//! What an idle connection costs a client: `idle URL CONNECTIONS BOUND`
//!
//! Prints the resident memory of each, just opened and after a message of 16 KiB there and back,
//! and fails if either is above the bound. Linux alone tells a process how much it has.

use std::process::ExitCode;

use towline::{Client, Message, MessageWebSocket};

/// Opened before anything is measured, for what all share.
const WARM: usize = 100;

const PAYLOAD: usize = 16 * 1024;

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, connections, bound] = &args[..] else {
        eprintln!("usage: idle URL CONNECTIONS BOUND");
        return ExitCode::from(2);
    };
    match (connections.parse(), bound.parse()) {
        (Ok(connections), Ok(bound)) => match measure(url, connections, bound).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("idle: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("idle: {connections:?} and {bound:?} are to be numbers");
            ExitCode::from(2)
        }
    }
}

async fn measure(url: &str, connections: usize, bound: usize) -> Result<()> {
    let client = Client::new();
    let mut warm = open(&client, url, WARM).await?;
    echo(&mut warm).await?;
    let base = resident()?;
    let mut sockets = open(&client, url, connections).await?;
    let opened = resident()?.saturating_sub(base) / connections.max(1);
    echo(&mut sockets).await?;
    let used = resident()?.saturating_sub(base) / connections.max(1);
    println!(
        "{connections} idle connections of a client: {opened} bytes each just opened, {used} after a \
         16 KiB echo"
    );
    if opened.max(used) > bound {
        return Err(format!("that is more than {bound} bytes").into());
    }
    Ok(())
}

async fn open(client: &Client, url: &str, count: usize) -> Result<Vec<MessageWebSocket>> {
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        sockets.push(client.connect(url).await?.into());
    }
    Ok(sockets)
}

async fn echo(sockets: &mut [MessageWebSocket]) -> Result<()> {
    for socket in sockets {
        socket.send(vec![7; PAYLOAD]).await?;
        if socket.recv().await? != Some(Message::from(vec![7; PAYLOAD])) {
            return Err("what came back differs".into());
        }
    }
    Ok(())
}

/// Bytes of memory that this process has.
fn resident() -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmRSS")?;
    Ok(kib.trim().parse::<usize>()? * 1024)
}
