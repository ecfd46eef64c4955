//! The client under test of the Autobahn test suite: `autobahn_client ws://127.0.0.1:9001`
//!
//! It asks the suite's server how many cases there are, echoes every message of each, and has the
//! report written.

use towline::{Config, Deflate, ErrorKind, MessageWebSocket};

const AGENT: &str = "towline";

#[tokio::main(flavor = "current_thread")]
async fn main() -> towline::Result<()> {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: autobahn_client URL");
        std::process::exit(2);
    };
    let url = url.trim_end_matches('/');

    let mut socket = MessageWebSocket::connect(format!("{url}/getCaseCount")).await?;
    let count = socket.recv().await?;
    let count: u32 = count.and_then(|count| count.as_text()?.parse().ok()).unwrap_or_default();
    println!("{count} cases");

    for case in 1..=count {
        let case = format!("{url}/runCase?case={case}&agent={AGENT}");
        match echo(&case).await {
            // Most cases break the protocol on purpose.
            Err(error) if error.kind() == ErrorKind::Protocol => {}
            Err(error) => eprintln!("{case}: {error}"),
            Ok(()) => {}
        }
    }

    let report = format!("{url}/updateReports?agent={AGENT}");
    let mut socket = MessageWebSocket::connect(report).await?;
    while socket.recv().await?.is_some() {}
    Ok(())
}

async fn echo(url: &str) -> towline::Result<()> {
    let config = Config::default().max_message_size(256 * 1024 * 1024);
    // Groups 12 and 13 are about compression; the others do not accept it.
    let client = towline::Client::builder().config(config).deflate(Deflate::default()).build()?;
    let mut socket = MessageWebSocket::from(client.connect(url).await?);
    while let Some(message) = socket.recv().await? {
        // What has gathered goes out when `recv` has to wait.
        socket.feed(message).await?;
    }
    Ok(())
}
