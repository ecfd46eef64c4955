//! Web pages that are not the server's own (RFC 6455 §10.2).
//!
//! Which pages it lets in is a server's to decide, and to let in all of them is a decision as well.
//! But a server that turns some away must not be talked round.

use std::sync::Arc;

use super::due::TURNED_AWAY;
use crate::abuse::attack::{Attack, Play, Playing, Seen};
use crate::abuse::target::{Target, not_connected};

/// Somebody's page, and a name that he can have point at this machine.
const FOREIGN: &str = "foreign.example";

const ANY: Seen = Seen::Skipped("it lets pages of any origin in, which it may decide");

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "foreign-origin",
        "CVE-2025-24010, RFC 6455 §10.2",
        "pages of other origins, some of which look like the server's own",
        TURNED_AWAY,
        Play::Act(foreign_origin),
    ),
    Attack::new(
        "foreign-host",
        "CVE-2025-24010, DNS rebinding",
        "a page whose own name points at this machine",
        TURNED_AWAY,
        Play::Act(foreign_host),
    ),
];

fn foreign_origin(target: Arc<Target>) -> Playing<'static> {
    Box::pin(async move {
        let plain = visit(&target, None, &[&format!("https://{FOREIGN}")]).await;
        if plain == Seen::Alive {
            return ANY;
        }
        let (name, port) = (target.uri.host(), target.uri.port());
        let own = format!("http://{}", target.uri.authority());
        for origins in [
            // A page in a sandbox, or from a file (RFC 6454 §6.1).
            &["null"][..],
            &[""],
            &[&format!("http://{name}.{FOREIGN}:{port}")],
            &[&format!("http://foreign{name}:{port}")],
            &[&format!("http://{FOREIGN}#{own}")],
            &[&format!("{own}@{FOREIGN}")],
            &[&own, &format!("http://{FOREIGN}")],
            &[&format!("http://{FOREIGN}"), &own],
        ] {
            match visit(&target, None, origins).await {
                Seen::Alive => return Seen::Wrong(format!("it let in a page of {origins:?}")),
                Seen::Refused(_) | Seen::Cut => {}
                other => return other,
            }
        }
        plain
    })
}

fn foreign_host(target: Arc<Target>) -> Playing<'static> {
    Box::pin(async move {
        if visit(&target, None, &[&format!("https://{FOREIGN}")]).await == Seen::Alive {
            return ANY;
        }
        let host = format!("{FOREIGN}:{}", target.uri.port());
        let scheme = if target.uri.is_secure() { "https" } else { "http" };
        visit(&target, Some(&host), &[&format!("{scheme}://{host}")]).await
    })
}

/// A page's opening request, to the server by this name, with these for an origin.
async fn visit(target: &Target, host: Option<&str>, origins: &[&str]) -> Seen {
    let mut changes: Vec<_> = origins.iter().map(|origin| ("Origin", Some(*origin))).collect();
    if host.is_some() {
        changes.push(("Host", host));
    }
    match target.connect().await {
        Ok(mut raw) => match raw.ask(&target.request(&changes), 1, target.patience).await.0 {
            Seen::Took(_) => Seen::Silent,
            seen => seen,
        },
        Err(error) => not_connected(&error),
    }
}
