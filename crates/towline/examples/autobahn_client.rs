//! The client under test of the Autobahn test suite: `autobahn_client ws://127.0.0.1:9001`
//!
//! It asks the suite's server how many cases there are, echoes every message of each, and has the
//! report written. With `--case-info` before the address it asks what each case is about, first: other
//! suites take that question for the case itself.

use std::time::Duration;

use tokio::time::timeout;
use towline::{Config, Deflate, ErrorKind, MessageWebSocket};

const AGENT: &str = "towline";
/// Many times what the longest step takes on a slow machine: one that stands still is named, and ends
/// the run.
const STEP_LIMIT: Duration = Duration::from_secs(300);

#[tokio::main(flavor = "current_thread")]
async fn main() -> towline::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let asks = arguments.next_if(|argument| argument == "--case-info").is_some();
    let Some(url) = arguments.next() else {
        eprintln!("usage: autobahn_client [--case-info] URL");
        std::process::exit(2);
    };
    let url = url.trim_end_matches('/');

    let count = limited(&format!("{url}/getCaseCount"), ask).await?;
    let count: u32 = count.parse().unwrap_or_default();
    println!("{count} cases");

    for case in 1..=count {
        let info = format!("{url}/getCaseInfo?case={case}");
        let takeover = asks && takes_over(&limited(&info, ask).await?);
        let case = format!("{url}/runCase?case={case}&agent={AGENT}");
        match limited(&case, async |url| echo(url, takeover).await).await {
            // Most cases break the protocol on purpose.
            Err(error) if error.kind() == ErrorKind::Protocol => {}
            Err(error) => eprintln!("{case}: {error}"),
            Ok(()) => {}
        }
    }

    limited(&format!("{url}/updateReports?agent={AGENT}"), ask).await?;
    Ok(())
}

/// Does a step at an address, unless that takes longer than it may.
async fn limited<T>(
    url: &str,
    step: impl AsyncFnOnce(&str) -> towline::Result<T>,
) -> towline::Result<T> {
    let Ok(outcome) = timeout(STEP_LIMIT, step(url)).await else {
        eprintln!("{url}: not over after {STEP_LIMIT:?}");
        std::process::exit(1);
    };
    outcome
}

/// The last text that the suite sends at an address before it closes.
async fn ask(url: &str) -> towline::Result<String> {
    let mut socket = MessageWebSocket::connect(url).await?;
    let mut answer = String::new();
    while let Some(message) = socket.recv().await? {
        answer = message.as_text().unwrap_or_default().to_owned();
    }
    Ok(answer)
}

/// Whether to offer context takeover for a case: by what the suite tells of it.
///
/// In some cases of group 13 the suite wants a client without it, and compresses nothing unless that
/// was offered. A suite that is not asked gets that offer always: it does for all cases.
fn takes_over(info: &str) -> bool {
    ["12.", "13.1.", "13.3.", "13.4."].iter().any(|id| info.contains(&format!("\"{id}")))
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
