//! Transcripts of conversations with proxies: what we say, what they say, cut at every place.

mod http;
mod socks;

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use towline_proto::WsUri;

use super::hop::Hop;
use super::{Led, connect, socks4, socks5};
use crate::error::{Error, ErrorKind, Result};
use crate::proxy::Proxy;
use crate::transport::Transport;

/// What comes behind a tunnel's beginning, to see that not a byte of it is lost.
const BEHIND: &[u8] = b"the server's";

/// A turn of a conversation: what the proxy expects, and what it says then.
type Turn<'a> = (&'a [u8], &'a [u8]);

/// Plays the proxy. What it says is cut at `cut`, counted over all turns. Says whether it heard all
/// that it expected.
async fn play(mut io: DuplexStream, turns: Vec<(Vec<u8>, Vec<u8>)>, cut: usize) -> bool {
    let mut said = 0;
    for (expected, answer) in turns {
        let mut heard = vec![0; expected.len()];
        if io.read_exact(&mut heard).await.is_err() {
            return false;
        }
        assert_eq!(heard.escape_ascii().to_string(), expected.escape_ascii().to_string());
        let cut = cut.saturating_sub(said).min(answer.len());
        for part in [&answer[..cut], &answer[cut..]] {
            if io.write_all(part).await.is_err() {
                return false;
            }
            // Whoever listens gets this part alone.
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        }
        said += answer.len();
    }
    true
}

#[derive(Clone, Copy, Debug)]
enum By<'a> {
    Connect,
    Socks4(Option<&'a str>),
    Socks5(Option<&'a str>),
}

/// How a conversation ends: what was asked of whom, how, and what was said. Whole and at every cut.
async fn end(by: By<'_>, proxy: &str, next: &str, turns: &[Turn<'_>]) -> Result<Vec<u8>> {
    let len = turns.iter().map(|(_, answer)| answer.len()).sum();
    let mut whole = None;
    for cut in 0..=len {
        let ended = once(by, proxy, next, turns, cut).await;
        let shown = ended.as_ref().map_err(ToString::to_string).cloned();
        let first = whole.get_or_insert_with(|| shown.clone());
        assert_eq!(shown, *first, "cut at {cut}");
        if cut == len {
            return ended;
        }
    }
    unreachable!("the last cut returns")
}

async fn once(
    by: By<'_>,
    proxy: &str,
    next: &str,
    turns: &[Turn<'_>],
    cut: usize,
) -> Result<Vec<u8>> {
    let proxy = Proxy::new(proxy).unwrap();
    let next = WsUri::parse(next).unwrap();
    let (near, far) = duplex(64 * 1024);
    let turns = turns.iter().map(|(one, two)| (one.to_vec(), two.to_vec())).collect();
    let playing = tokio::spawn(play(far, turns, cut));
    let io = Transport::new(near);
    let ip = |text: Option<&str>| text.map(|text| text.parse::<IpAddr>().unwrap());
    let led = match by {
        By::Connect => connect::lead_on(io, &mut Hop::new(&proxy), &next).await,
        By::Socks4(to) => socks4::lead_on(io, &proxy, &next, ip(to)).await.map(Led::On),
        By::Socks5(to) => socks5::lead_on(io, &proxy, &next, ip(to)).await.map(Led::On),
    };
    let Led::On(mut io) = led? else {
        return Err(Error::new(ErrorKind::Io, "again, on another connection"));
    };
    assert!(playing.await.unwrap(), "the proxy did not hear all of it");
    let mut rest = Vec::new();
    io.read_to_end(&mut rest).await.unwrap();
    Ok(rest)
}

/// Checks that a conversation leads on, and that nothing of what comes behind is lost.
#[track_caller]
fn leads_on(by: By<'_>, proxy: &str, next: &str, turns: &[Turn<'_>]) {
    let mut turns: Vec<(&[u8], Vec<u8>)> =
        turns.iter().map(|(expected, answer)| (*expected, answer.to_vec())).collect();
    turns.last_mut().unwrap().1.extend(BEHIND);
    let turns: Vec<Turn<'_>> = turns.iter().map(|(one, two)| (*one, &**two)).collect();
    let rest = block_on(end(by, proxy, next, &turns)).unwrap();
    assert_eq!(rest.escape_ascii().to_string(), BEHIND.escape_ascii().to_string());
}

/// Checks how a conversation fails: the error has these words, and none of the secret.
#[track_caller]
fn fails(by: By<'_>, proxy: &str, next: &str, turns: &[Turn<'_>], words: &[&str]) -> Error {
    let error = block_on(end(by, proxy, next, turns)).unwrap_err();
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
    assert!(!text.contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{text}");
    error
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
