//! Talking to a server that may go away and come back.

use std::io::{self, Write, stdout};
use std::path::Path;
use std::pin::pin;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::time::{Instant, sleep_until};
use towline::{
    CloseCode, Config, LinkChange, LinkEvent, LinkState, LinkStates, Lost, Message, Reconnecting,
    Why,
};

use super::command::{HELP, Line};
use super::keyboard::{Keyboard, Typed};
use crate::args::ConnectArgs;
use crate::exit::{Code, Failure, Outcome, closed};
use crate::output::Format;
use crate::print::{binary_line, count, escape, time};
use crate::{client, handshake, interrupt, json};

pub(super) async fn run(args: &ConnectArgs, keyboard: Option<Keyboard>) -> Outcome {
    let client = client::build(&args.url, &args.client, Config::default())?;
    let builder = Reconnecting::builder(client, &args.url).backoff(args.stay.backoff());
    let socket = builder.start();
    let states = socket.states();
    let input = match keyboard {
        Some(keyboard) => Input::Keyboard(keyboard),
        None => Input::Lines(BufReader::new(tokio::io::stdin()).lines()),
    };
    let format = Format::new(args.client.json);
    let mut talk = Talk { args, socket, states, input, format, seen: 0, said: false };
    talk.run().await
}

/// Where lines come from.
enum Input {
    Keyboard(Keyboard),
    Lines(Lines<BufReader<Stdin>>),
}

/// What was said there.
enum Said {
    Line(Line),
    End,
    Interrupt,
}

struct Talk<'a> {
    args: &'a ConnectArgs,
    socket: Reconnecting,
    states: LinkStates,
    input: Input,
    format: Format,
    /// Messages that have come.
    seen: u64,
    /// Whether all was said that there was to say.
    said: bool,
}

impl Talk<'_> {
    async fn run(&mut self) -> Outcome {
        let mut interrupted = pin!(interrupt::pressed());
        let mut deadline = None;
        loop {
            if self.said && self.args.talk.expect.is_some_and(|expect| self.seen >= expect) {
                return self.leave().await;
            }
            let connected = self.socket.socket().is_some();
            let until = deadline.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                Some(change) = self.states.next() => self.changed(change).await,
                event = self.socket.recv_event() => match event? {
                    Some(event) => {
                        if let Err(error) = self.heard(event).await {
                            return match error.kind() {
                                io::ErrorKind::BrokenPipe => self.leave().await,
                                _ => Err(Failure::writing("standard output", &error)),
                            };
                        }
                    }
                    None => return self.over(),
                },
                // What is said in a pipe waits for a connection; a person is told that there is none.
                said = next(&mut self.input), if !self.said
                    && (connected || matches!(self.input, Input::Keyboard(_))) => match said? {
                    Said::Line(line) => self.say(line).await?,
                    Said::End => {
                        self.said = true;
                        if matches!(self.input, Input::Keyboard(_)) {
                            return self.leave().await;
                        }
                        deadline = self.args.talk.wait.map(|wait| Instant::now() + wait);
                    }
                    Said::Interrupt => return self.interrupted().await,
                },
                () = sleep_until(until), if deadline.is_some() => match self.args.talk.expect {
                    None => return self.leave().await,
                    Some(expect) => {
                        let text = format!("{} of {expect} messages came in time", self.seen);
                        return Err(Failure::new(Code::Timeout, text));
                    }
                },
                () = &mut interrupted => return self.interrupted().await,
            }
        }
    }

    /// Closes the connection: all was said and heard.
    async fn leave(&mut self) -> Outcome {
        interrupt::next_one_kills();
        self.socket.close(CloseCode::NORMAL, "").await?;
        if self.format == Format::Json {
            json::close(self.socket.close_frame());
        }
        Ok(())
    }

    async fn interrupted(&mut self) -> Outcome {
        self.leave().await.ok();
        Err(Failure::interrupted())
    }

    /// The server closed, and not to come back.
    fn over(&self) -> Outcome {
        if self.format == Format::Json {
            json::close(self.socket.close_frame());
        }
        closed(self.socket.close_frame())?;
        match self.args.talk.expect {
            Some(expect) if self.seen < expect => {
                let text = format!("the server closed after {} of {expect} messages", self.seen);
                Err(Failure::new(Code::Partial, text))
            }
            _ => Ok(()),
        }
    }

    async fn changed(&mut self, change: LinkChange) {
        let LinkChange::State(LinkState::Waiting { delay, why }) = change else { return };
        let why = why.to_string();
        if self.format == Format::Json {
            return json::event(&json!({
                "v": 1, "type": "waiting", "seconds": delay.as_secs_f64(), "why": why,
            }));
        }
        self.note(format!("* {}; again in {}", escape(&why), time(delay))).await;
    }

    async fn heard(&mut self, event: LinkEvent) -> io::Result<()> {
        match event {
            LinkEvent::Message(message) => {
                self.seen += 1;
                return self.show(&message).await;
            }
            LinkEvent::Connected(_) => self.connected().await,
            LinkEvent::Lost(lost) => self.lost(&lost).await,
            _ => {}
        }
        Ok(())
    }

    async fn show(&self, message: &Message) -> io::Result<()> {
        if let Input::Keyboard(keyboard) = &self.input {
            keyboard.show(format!("< {}", line(message))).await;
            return Ok(());
        }
        if self.format == Format::Json {
            json::whole(message);
            return Ok(());
        }
        let mut out = stdout().lock();
        match (self.format, message) {
            (Format::Raw, Message::Binary(data)) => out.write_all(data)?,
            (Format::Raw, Message::Text(text)) => writeln!(out, "{text}")?,
            (Format::Terminal | Format::Json, message) => writeln!(out, "{}", line(message))?,
        }
        out.flush()
    }

    async fn connected(&self) {
        let Some(socket) = self.socket.socket() else { return };
        if self.args.client.verbose {
            handshake::show(socket.info());
        }
        if self.format == Format::Json {
            return json::open(socket.info());
        }
        let peer = socket.info().peer_addr().map_or_else(String::new, |peer| format!(" to {peer}"));
        self.note(format!("* connected{peer}")).await;
    }

    async fn lost(&self, lost: &Lost) {
        let perhaps = lost.delivery.perhaps.len();
        if self.format == Format::Json {
            return json::event(&json!({ "v": 1, "type": "lost", "perhaps": perhaps }));
        }
        if perhaps > 0 && !matches!(lost.why, Why::ClosedByUs) {
            let messages = count(perhaps, "message");
            self.note(format!("* {messages} sent before may not have arrived")).await;
        }
    }

    async fn say(&mut self, line: Line) -> Outcome {
        let message = match line {
            Line::Text(text) => Message::text(text),
            Line::File(path) => match read(&path).await {
                Ok(message) => message,
                Err(error) => {
                    self.note(format!("* reading {}: {error}", path.display())).await;
                    return Ok(());
                }
            },
            Line::Ping => {
                let trip = self.socket.socket().and_then(|socket| socket.stats().round_trip);
                let told = trip.map_or_else(|| "no ping was answered yet".to_owned(), time);
                self.note(format!("* the last round trip: {told}")).await;
                return Ok(());
            }
            Line::Close(code, reason) => return Ok(self.socket.close(code, &reason).await?),
            Line::Quit => return Ok(self.socket.close(CloseCode::NORMAL, "").await?),
            Line::Help => {
                self.note(HELP.to_owned()).await;
                return Ok(());
            }
            Line::Bad(why) => {
                self.note(format!("* {why}")).await;
                return Ok(());
            }
        };
        if let Err(error) = self.socket.send(message).await {
            self.note(format!("* not sent: {error}")).await;
        }
        Ok(())
    }

    /// Says something of our own.
    async fn note(&self, text: String) {
        match &self.input {
            Input::Keyboard(keyboard) => keyboard.show(text).await,
            Input::Lines(_) => eprintln!("{text}"),
        }
    }
}

async fn next(input: &mut Input) -> Outcome<Said> {
    match input {
        Input::Keyboard(keyboard) => Ok(match keyboard.typed.recv().await {
            Some(Typed::Line(line)) => Said::Line(Line::parse(&line)),
            Some(Typed::Interrupt) => Said::Interrupt,
            Some(Typed::End) | None => Said::End,
        }),
        Input::Lines(lines) => match lines.next_line().await {
            Ok(Some(line)) => Ok(Said::Line(Line::Text(line))),
            Ok(None) => Ok(Said::End),
            Err(error) => Err(Failure::reading("standard input", &error)),
        },
    }
}

/// A message as one line for eyes.
fn line(message: &Message) -> String {
    match message {
        Message::Text(text) => escape(text),
        Message::Binary(data) => binary_line(data, u64::try_from(data.len()).unwrap_or(u64::MAX)),
    }
}

async fn read(path: &Path) -> io::Result<Message> {
    Ok(Message::binary(tokio::fs::read(path).await?))
}
