//! `towline abuse`: the hostile peer, for servers and for clients on this machine.
//!
//! An attack is data and a small function ([`attack`], [`attacks`]). It is played on a connection
//! that knows no rules ([`raw`]), judged by what it names as good ([`verdict`]), and told
//! ([`report`]).

mod against_clients;
mod against_servers;
mod attack;
mod attacks;
mod bytes;
mod certificates;
mod process;
mod raw;
mod reader;
mod report;
mod request;
mod target;
mod tls_client;
mod verdict;

use crate::args::AbuseArgs;
use crate::exit::{Code, Failure, Outcome};
use attack::{Attack, Side};
use report::Report;

pub(crate) async fn run(args: &AbuseArgs) -> Outcome {
    let side = if args.serve.is_some() { Side::Server } else { Side::Client };
    let chosen = chosen(side, args)?;
    if args.list {
        report::list(&chosen, args.json);
        return Ok(());
    }
    let report = Report::new(args.json, args.max_memory);
    match &args.serve {
        Some(address) => against_clients::run(address, &chosen, args, report).await,
        None => against_servers::run(&chosen, args, report).await,
    }
}

fn chosen(side: Side, args: &AbuseArgs) -> Outcome<Vec<&'static Attack>> {
    let all = attacks::by(side);
    if let Some(unknown) = args.only.iter().find(|only| all.iter().all(|one| one.name != **only)) {
        let text = format!("there is no attack {unknown:?}; --list tells all");
        return Err(Failure::new(Code::Usage, text));
    }
    // A client that speaks TLS names no attack before it is shown a certificate, so they are apart.
    let tls = args.tls.is_some();
    let playable = |attack: &&Attack| args.list || attack.is_on_tls() == tls;
    if let Some(other) = args.only.iter().find(|only| {
        all.iter().filter(|attack| playable(attack)).all(|attack| attack.name != **only)
    }) {
        let text =
            format!("{other} is {} with --tls", if tls { "not played" } else { "only played" });
        return Err(Failure::new(Code::Usage, text));
    }
    let chosen = all.into_iter().filter(playable).filter(|attack| match args.only.is_empty() {
        true => !(args.quick && attack.slow),
        false => args.only.iter().any(|only| only == attack.name),
    });
    Ok(chosen.collect())
}
