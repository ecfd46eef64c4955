//! The hostile server.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::against_servers::Watch;
use super::attack::{Attack, Play, Seen, Side};
use super::bytes::CLOSE;
use super::process::Processes;
use super::raw::Raw;
use super::report::Report;
use super::request::Request;
use super::target::on_this_machine;
use super::verdict::{Findings, Row};
use crate::args::AbuseArgs;
use crate::exit::{Code, Failure, Outcome};
use crate::interrupt;

/// What is agreed on with clients that offer it.
const TERMS: &str = "permessage-deflate";

pub(super) async fn run(
    address: &str,
    attacks: &[&'static Attack],
    args: &AbuseArgs,
    report: Report,
) -> Outcome {
    let listener = listen(address).await?;
    let at = listener.local_addr().map_err(Failure::from)?;
    let stop = interrupt::stop();
    announce(args.json, at);
    let left = RefCell::new(attacks.iter().copied().collect::<VecDeque<_>>());
    let report = RefCell::new(report);
    let serving = async {
        // One after the other: what memory grows by is then one attack's doing.
        while !left.borrow().is_empty() {
            let Ok((stream, peer)) = listener.accept().await else { continue };
            meet(stream, peer, args.patience, attacks, &left, &report).await;
        }
    };
    tokio::select! {
        () = serving => {}
        () = stop => {}
    }
    report.into_inner().end(left.into_inner().len())
}

/// Whoever started it may wait for this line.
fn announce(json: bool, at: SocketAddr) {
    match json {
        true => crate::json::event(&serde_json::json!({
            "v": 1, "type": "listening", "url": format!("ws://{at}"),
        })),
        false => println!("listening on ws://{at}"),
    }
}

/// Listens where nobody else can come from.
async fn listen(address: &str) -> Outcome<TcpListener> {
    let bad = || Failure::new(Code::Usage, format!("{address} is no address such as 127.0.0.1:0"));
    let (host, port) = address.rsplit_once(':').ok_or_else(bad)?;
    let port = port.parse().map_err(|_| bad())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let at = on_this_machine(host, port).await?;
    TcpListener::bind(at)
        .await
        .map_err(|error| Failure::new(Code::Other, format!("listening on {at}: {error}")))
}

/// Gives a client what its address names, or else the next attack.
async fn meet(
    stream: TcpStream,
    peer: SocketAddr,
    patience: Duration,
    attacks: &[&'static Attack],
    left: &RefCell<VecDeque<&'static Attack>>,
    report: &RefCell<Report>,
) {
    let (Ok(here), Ok(())) = (stream.local_addr(), stream.set_nodelay(true)) else { return };
    let mut raw = Raw::new(stream, Side::Server, patience);
    let Some(head) = raw.head().await else { return };
    let request = Request::new(head);
    let named = request.path().trim_start_matches('/');
    let attack = attacks.iter().copied().find(|attack| attack.name == named);
    let attack = match (attack, named) {
        (Some(attack), _) => attack,
        // An address that names none takes the next; a name that is not there is a mistake.
        (None, "") => match left.borrow().front() {
            Some(attack) => attack,
            None => return,
        },
        (None, _) => {
            raw.put(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await;
            return;
        }
    };
    let processes =
        Processes::connected(peer, here).filter(|found| !found.0.contains(&std::process::id()));
    let watch = processes.and_then(Watch::new);
    let begun = Instant::now();
    let seen = play(attack, raw, &request).await;
    let time = begun.elapsed();
    let growth = watch.map(Watch::growth);
    let bound = report.borrow().bound(attack);
    let (side, afterwards, gone) = (Side::Server, Ok(()), None);
    let findings = Findings { side, seen, afterwards, gone, growth, bound, time };
    report.borrow_mut().add(&Row::new(attack, &findings));
    left.borrow_mut().retain(|other| other.name != attack.name);
}

async fn play(attack: &Attack, mut raw: Raw, request: &Request) -> Seen {
    let raw = &mut raw;
    let seen = match attack.play {
        Play::Answer(answer) => {
            let seen = raw.goes_on_after(&answer(request), raw.patience).await;
            raw.thinks_again(seen).await
        }
        Play::Meet(meet) => meet(raw, request.clone()).await,
        Play::Ask(_) | Play::Offer(_) | Play::Act(_) | Play::Wait(_) => {
            Seen::Skipped("it is for servers")
        }
        Play::Deflated(_) if !request.offers_deflate() => {
            raw.put(&request.answer(&[])).await;
            Seen::Skipped("the client does not offer permessage-deflate")
        }
        Play::Deflated(_) => {
            raw.put(&request.answer(&[("Sec-WebSocket-Extensions", Some(TERMS))])).await;
            raw.play(attack).await
        }
        Play::Say(_) | Play::Begin(_) | Play::Talk(_) => {
            raw.put(&request.answer(&[])).await;
            raw.play(attack).await
        }
    };
    if matches!(seen, Seen::Alive | Seen::Skipped(_)) {
        // So that a client that goes on, and should, does not take our leaving for a failure.
        let bye = raw.frame(CLOSE, &1000_u16.to_be_bytes());
        raw.put(&bye).await;
        raw.listen(raw.patience).await;
    }
    seen
}
