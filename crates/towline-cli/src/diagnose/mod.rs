//! `towline diagnose`: step by step, why a connection fails, and the one change that would mend it.

mod chain;
mod journal;
mod ping;
mod print;
mod public;
mod step;
mod why;

use std::sync::{Arc, Mutex, PoisonError};

use towline::{CloseCode, Config, MessageWebSocket};

use crate::args::DiagnoseArgs;
use crate::client;
use crate::exit::{Failure, Outcome};
use crate::json;
use crate::way::uri;
use journal::Journal;
use ping::first_ping;
use print::Printer;
use why::{End, Facts};

pub(crate) async fn run(args: &DiagnoseArgs) -> Outcome {
    let outcome = diagnose(args).await;
    // What is wrong with a flag or a file; all else has been told.
    if args.client.json
        && let Err(failure) = &outcome
        && !failure.text().is_empty()
    {
        json::error(failure);
    }
    outcome
}

async fn diagnose(args: &DiagnoseArgs) -> Outcome {
    let printer = Printer::new(args.client.json);
    let by_flag = args.client.proxy.proxy.is_some();
    let journal = Arc::new(Mutex::new(Journal::new(uri(&args.url), by_flag, printer)));
    let watching = Arc::clone(&journal);
    // Our own ping is the one that counts.
    let config = Config::default().ping_interval(None);
    let mut builder = client::builder(&args.url, &args.client, config)?;
    let way = &args.client.way;
    if way.connect_timeout.is_none() {
        builder = builder.handshake_timeout(args.timeout);
        if way.address_timeout.is_none() {
            builder = builder.connect_timeout(args.timeout);
        }
    }
    let client = builder.on_progress(move |progress| lock(&watching).note(progress)).build()?;
    let end = match client.connect(&args.url).await {
        Err(error) => Err(End::Error(error)),
        Ok(socket) => {
            lock(&journal).open(socket.info());
            let mut socket = MessageWebSocket::from(socket);
            let answered = first_ping(&mut socket, args.timeout).await;
            if answered.is_ok() {
                // It has told all that it can; how the server takes leave does not matter.
                tokio::time::timeout(args.timeout, socket.close(CloseCode::NORMAL, "")).await.ok();
            }
            answered
        }
    };
    let mut journal = lock(&journal);
    match end {
        Ok(trip) => {
            journal.works(trip);
            Ok(())
        }
        Err(end) => {
            let facts = Facts {
                url: &args.url,
                uri: journal.uri(),
                args: &args.client,
                route: journal.route(),
                said_who: journal.said_who(),
            };
            let why = why::of(&end, &facts);
            let code = end.code();
            journal.failed(&end, &why);
            // It has all been said.
            Err(Failure::new(code, ""))
        }
    }
}

/// A thread that panics while it prints ends the program anyway.
fn lock(journal: &Mutex<Journal>) -> std::sync::MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}
