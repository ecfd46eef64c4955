//! What a script wants to know of names.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream;
use tokio::time::timeout;

use crate::dial::resolve::Names;

/// For one name that the script has looked up.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Answers of a resolver about one name.
const MAX_ANSWERS: usize = 16;

/// The addresses of a name, as far as they come in time.
pub(super) async fn look_up(names: &Names, host: &str) -> Vec<IpAddr> {
    let mut answers = names.resolve(host);
    let mut ips = Vec::new();
    let all = async {
        for _ in 0..MAX_ANSWERS {
            match poll_fn(|cx| Pin::new(&mut answers).poll_next(cx)).await {
                Some(Ok(addresses)) => ips.extend(addresses.iter().map(|at| at.ip())),
                Some(Err(_)) => {}
                None => break,
            }
        }
    };
    timeout(LOOK_UP, all).await.ok();
    // The system's resolver gives some twice.
    let mut seen = Vec::new();
    ips.retain(|ip| {
        !seen.contains(ip) && {
            seen.push(*ip);
            true
        }
    });
    ips
}
