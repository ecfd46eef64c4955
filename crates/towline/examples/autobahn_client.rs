//! The client under test of the Autobahn test suite: `autobahn_client ws://127.0.0.1:9001`
//!
//! It asks the suite's server how many cases there are, echoes every message of each, and has the
//! report written. With `--case-info` before the address it asks what each case is about, first: other
//! suites take that question for the case itself.

use towline::{Config, Deflate, ErrorKind, MessageWebSocket};

const AGENT: &str = "towline";

#[tokio::main(flavor = "current_thread")]
async fn main() -> towline::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let asks = arguments.next_if(|argument| argument == "--case-info").is_some();
    let Some(url) = arguments.next() else {
        eprintln!("usage: autobahn_client [--case-info] URL");
        std::process::exit(2);
    };
    let url = url.trim_end_matches('/');

    let mut socket = MessageWebSocket::connect(format!("{url}/getCaseCount")).await?;
    let count = socket.recv().await?;
    let count: u32 = count.and_then(|count| count.as_text()?.parse().ok()).unwrap_or_default();
    println!("{count} cases");

    for case in 1..=count {
        let takeover = asks && takes_over(&format!("{url}/getCaseInfo?case={case}")).await?;
        let case = format!("{url}/runCase?case={case}&agent={AGENT}");
        match echo(&case, takeover).await {
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

/// Whether to offer context takeover for a case: by what the suite tells of it.
///
/// In some cases of group 13 the suite wants a client without it, and compresses nothing unless that
/// was offered. A suite that is not asked gets that offer always: it does for all cases.
async fn takes_over(url: &str) -> towline::Result<bool> {
    let mut socket = MessageWebSocket::connect(url).await?;
    let info = socket.recv().await?;
    let info = info.as_ref().and_then(|info| info.as_text()).unwrap_or_default();
    Ok(["12.", "13.1.", "13.3.", "13.4."].iter().any(|id| info.contains(&format!("\"{id}"))))
}

async fn echo(url: &str, takeover: bool) -> towline::Result<()> {
    let config = Config::default().max_message_size(256 * 1024 * 1024);
    // Groups 12 and 13 are about compression; the others do not accept it.
    let deflate = Deflate::default().client_no_context_takeover(!takeover);
    let client = towline::Client::builder().config(config).deflate(deflate).build()?;
    let mut socket = MessageWebSocket::from(client.connect(url).await?);
    while let Some(message) = socket.recv().await? {
        // What has gathered goes out when `recv` has to wait.
        socket.feed(message).await?;
    }
    Ok(())
}
