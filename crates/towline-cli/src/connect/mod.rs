//! `towline connect`: talk to a server, at a terminal or in a pipe.

mod command;
mod input;
mod keyboard;
mod staying;
mod terminal;

use std::io::{IsTerminal, stdin, stdout};

use towline::{Config, StreamSender, WebSocket};

use crate::args::ConnectArgs;
use crate::client;
use crate::exit::Outcome;
use crate::json;
use crate::output::Format;
use crate::talk::talk;
use keyboard::Keyboard;

pub(crate) async fn run(args: &ConnectArgs) -> Outcome {
    let at_terminal = stdin().is_terminal() && stdout().is_terminal();
    let keyboard = at_terminal && !args.client.json && !args.binary;
    if args.stay.reconnect {
        // On a terminal too simple for that, lines are read as from a pipe.
        let keyboard = keyboard.then(|| Keyboard::open(!args.no_history).ok()).flatten();
        return staying::run(args, keyboard).await;
    }
    if keyboard {
        let socket = client::connect(&args.url, &args.client, Config::default()).await?;
        // On a terminal too simple for that, lines are read as from a pipe.
        if let Ok(keyboard) = Keyboard::open(!args.no_history) {
            return terminal::run(socket.into(), keyboard).await;
        }
        return pipe(socket, args).await;
    }
    pipe(client::connect(&args.url, &args.client, client::streaming()).await?, args).await
}

async fn pipe(socket: WebSocket, args: &ConnectArgs) -> Outcome {
    if args.client.json {
        json::open(socket.info());
    }
    let sending = async |writer: &mut StreamSender| input::send(writer, args.binary).await;
    talk(socket.into(), &args.talk, Format::new(args.client.json), sending).await
}
