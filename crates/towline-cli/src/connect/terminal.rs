//! A person at a terminal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use towline::{
    CloseCode, Event, Message, MessageKind, MessageReceiver, MessageSender, MessageWebSocket,
};

use super::command::{HELP, Line};
use super::keyboard::{Keyboard, Typed};
use crate::exit::{Failure, Outcome, closed};
use crate::print::{binary_line, escape, size, time};
use crate::tally::Tally;

/// Bytes of a file sent at once.
const PIECE: usize = 64 * 1024;

/// The thread that draws gets so long for the last line.
const LAST_LINE: Duration = Duration::from_millis(50);

pub(super) async fn run(socket: MessageWebSocket, keyboard: Keyboard) -> Outcome {
    let peer = socket.info().peer_addr().map_or_else(String::new, |peer| format!(" to {peer}"));
    keyboard.show(format!("* connected{peer}; /help lists what can be typed")).await;
    let (mut receiver, sender) = socket.split();
    let mut chat = Chat { keyboard, sender, file: None, pinged: None, closing: None };
    let result = chat.run(&mut receiver).await;
    sleep(LAST_LINE).await;
    let closing = chat.closing;
    // Gives the terminal back before anything else is said.
    drop(chat);
    let end = result?;
    let frame = receiver.close_frame();
    if frame.map(|frame| frame.code) != closing {
        closed(frame)?;
    }
    if let Some(frame) = frame {
        eprintln!("* closed with {}", escape(&frame.to_string()));
    }
    match end {
        End::Closed => Ok(()),
        End::Interrupted => Err(Failure::interrupted()),
    }
}

enum End {
    Closed,
    Interrupted,
}

struct Chat {
    keyboard: Keyboard,
    sender: MessageSender,
    /// The code that we closed with, if we did; the server repeats it.
    closing: Option<CloseCode>,
    /// A file on its way, and what there will be to say about it.
    file: Option<JoinHandle<String>>,
    pinged: Option<Instant>,
}

impl Chat {
    async fn run(&mut self, receiver: &mut MessageReceiver) -> Outcome<End> {
        let mut interrupted = false;
        loop {
            let file = async {
                match &mut self.file {
                    Some(file) => file.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = receiver.recv_event() => match event? {
                    Some(event) => self.heard(event).await,
                    None if interrupted => return Ok(End::Interrupted),
                    None => return Ok(End::Closed),
                },
                done = file => {
                    self.file = None;
                    self.keyboard.show(done.unwrap_or_else(|error| format!("* {error}"))).await;
                }
                Some(typed) = self.keyboard.typed.recv() => match typed {
                    Typed::Line(line) => self.typed(Line::parse(&line)).await,
                    // The second time is now.
                    Typed::Interrupt if self.closing.is_some() => return Ok(End::Interrupted),
                    Typed::Interrupt => {
                        interrupted = true;
                        self.close(CloseCode::NORMAL, "").await;
                        crate::interrupt::next_one_kills();
                    }
                    Typed::End => self.close(CloseCode::NORMAL, "").await,
                },
            }
        }
    }

    async fn heard(&mut self, event: Event) {
        let line = match event {
            Event::Message(Message::Text(text)) => format!("< {}", escape(&text)),
            Event::Message(Message::Binary(data)) => {
                let len = u64::try_from(data.len()).unwrap_or(u64::MAX);
                format!("< {}", binary_line(&data, len))
            }
            Event::Pong(_) => match self.pinged.take() {
                Some(pinged) => format!("* pong after {}", time(pinged.elapsed())),
                None => return,
            },
            _ => return,
        };
        self.keyboard.show(line).await;
    }

    async fn typed(&mut self, line: Line) {
        let sent = match line {
            Line::Text(_) if self.file.is_some() => {
                return self.keyboard.show("* wait for the file to be sent".to_owned()).await;
            }
            Line::Text(text) => self.sender.send(text).await,
            Line::Ping => {
                self.pinged = Some(Instant::now());
                self.sender.ping("").await
            }
            Line::File(_) if self.file.is_some() => {
                return self.keyboard.show("* one file at a time".to_owned()).await;
            }
            Line::File(path) => {
                self.file = Some(tokio::spawn(send_file(self.sender.clone(), path)));
                Ok(())
            }
            Line::Close(code, reason) => return self.close(code, &reason).await,
            Line::Quit => return self.close(CloseCode::NORMAL, "").await,
            Line::Help => return self.keyboard.show(HELP.to_owned()).await,
            Line::Bad(why) => return self.keyboard.show(format!("* {why}")).await,
        };
        if let Err(error) = sent {
            self.keyboard.show(format!("* {error}")).await;
        }
    }

    async fn close(&mut self, code: CloseCode, reason: &str) {
        // A file that is on its way has no end that could be waited for.
        if let Some(file) = self.file.take() {
            file.abort();
        }
        match self.sender.close(code, reason).await {
            Ok(()) => self.closing = Some(code),
            Err(error) => self.keyboard.show(format!("* {error}")).await,
        }
    }
}

/// Sends a file as one binary message, and gives the line to show when that is over.
async fn send_file(sender: MessageSender, path: PathBuf) -> String {
    match stream(&sender, &path).await {
        Ok(tally) => {
            let len = size(tally.bytes());
            format!("* sent {}, {len}, SHA-256 {}", path.display(), tally.sha256())
        }
        Err(error) => format!("* sending {}: {error}", path.display()),
    }
}

async fn stream(sender: &MessageSender, path: &Path) -> std::io::Result<Tally> {
    let mut file = File::open(path).await?;
    let mut tally = Tally::default();
    let mut piece = vec![0; PIECE];
    loop {
        let len = file.read(&mut piece).await?;
        tally.add(&piece[..len]);
        sender.send_fragment(MessageKind::Binary, &piece[..len], len == 0).await?;
        if len == 0 {
            return Ok(tally);
        }
    }
}
