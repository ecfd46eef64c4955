//! The hostile server.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::against_servers::Watch;
use super::attack::{Attack, Play, Seen, Side};
use super::certificates::Certificates;
use super::process::Processes;
use super::raw::Raw;
use super::report::Report;
use super::request::Request;
use super::target::on_this_machine;
use super::tls_client;
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
    let certificates = args.tls.as_deref().map(certificates).transpose()?;
    let listener = listen(address).await?;
    let at = listener.local_addr().map_err(Failure::from)?;
    let stop = interrupt::stop();
    announce(args, at);
    let mut game = Game { attacks, left: attacks.iter().copied().collect(), report };
    let serving = async {
        // One after the other: what memory grows by is then one attack's doing.
        while !game.left.is_empty() {
            let Ok((stream, peer)) = listener.accept().await else { continue };
            match &certificates {
                None => game.meet(stream, peer, args.patience).await,
                Some(certificates) => {
                    game.meet_tls(stream, peer, args.patience, certificates).await?;
                }
            }
        }
        Outcome::Ok(())
    };
    tokio::select! {
        served = serving => served?,
        () = stop => {}
    }
    game.report.end(game.left.len())
}

/// Makes some for this run, and writes what clients have to trust.
fn certificates(trusted: &Path) -> Outcome<Certificates> {
    let certificates = Certificates::new()?;
    certificates.save(trusted)?;
    Ok(certificates)
}

/// Whoever started it may wait for this line.
fn announce(args: &AbuseArgs, at: SocketAddr) {
    let scheme = if args.tls.is_some() { "wss" } else { "ws" };
    match args.json {
        true => crate::json::event(&serde_json::json!({
            "v": 1, "type": "listening", "url": format!("{scheme}://{at}"),
        })),
        false => println!("listening on {scheme}://{at}"),
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

/// What was played, and what is left.
struct Game<'a> {
    attacks: &'a [&'static Attack],
    left: VecDeque<&'static Attack>,
    report: Report,
}

impl Game<'_> {
    /// Gives a client what its address names, or else the next attack.
    async fn meet(&mut self, stream: TcpStream, peer: SocketAddr, patience: Duration) {
        let (Ok(here), Ok(())) = (stream.local_addr(), stream.set_nodelay(true)) else { return };
        let mut raw = Raw::new(stream, Side::Server, patience);
        let Some(head) = raw.head().await else { return };
        let request = Request::new(head);
        let named = request.path().trim_start_matches('/');
        let attack = self.attacks.iter().copied().find(|attack| attack.name == named);
        let attack = match (attack, named) {
            (Some(attack), _) => attack,
            // An address that names none takes the next; a name that is not there is a mistake.
            (None, "") => match self.left.front() {
                Some(attack) => attack,
                None => return,
            },
            (None, _) => {
                raw.put(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                )
                .await;
                return;
            }
        };
        self.watch(attack, peer, here, play(attack, raw, &request)).await;
    }

    /// Gives a client the next attack: it names none before it has been shown a certificate.
    async fn meet_tls(
        &mut self,
        stream: TcpStream,
        peer: SocketAddr,
        patience: Duration,
        certificates: &Certificates,
    ) -> Outcome {
        let (Ok(here), Ok(())) = (stream.local_addr(), stream.set_nodelay(true)) else {
            return Ok(());
        };
        if let Some(attack) = self.left.front().copied()
            && let Play::Show(shown) = attack.play
            && tls_client::speaks(&stream, patience).await
        {
            let acceptor = certificates.acceptor(shown)?;
            let meeting = tls_client::meet(stream, shown, acceptor.as_ref(), patience);
            self.watch(attack, peer, here, meeting).await;
        }
        Ok(())
    }

    /// Looks at the client's memory and at the time while an attack is played.
    async fn watch(
        &mut self,
        attack: &'static Attack,
        peer: SocketAddr,
        here: SocketAddr,
        playing: impl Future<Output = Seen>,
    ) {
        let processes =
            Processes::connected(peer, here).filter(|found| !found.0.contains(&std::process::id()));
        let watch = processes.and_then(Watch::new);
        let begun = Instant::now();
        let seen = playing.await;
        let time = begun.elapsed();
        let growth = watch.map(Watch::growth);
        let bound = self.report.bound(attack);
        let (side, afterwards, gone) = (Side::Server, Ok(()), None);
        let findings = Findings { side, seen, afterwards, gone, growth, bound, time };
        self.report.add(&Row::new(attack, &findings));
        self.left.retain(|other| other.name != attack.name);
    }
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
        Play::Show(_) => Seen::Skipped("it is for clients that speak TLS"),
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
        raw.goodbye().await;
    }
    seen
}
