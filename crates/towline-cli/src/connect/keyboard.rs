//! The line being typed, and messages above it.

use std::path::{Path, PathBuf};
use std::thread;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor, ExternalPrinter};
use tokio::sync::mpsc;

/// What came from the keyboard.
#[derive(Debug)]
pub(super) enum Typed {
    Line(String),
    /// Ctrl-D.
    End,
    /// Ctrl-C.
    Interrupt,
}

/// The terminal while it is in use; dropped, it is as it was.
pub(super) struct Keyboard {
    pub(super) typed: mpsc::Receiver<Typed>,
    screen: mpsc::Sender<String>,
    _mode: Mode,
}

impl Keyboard {
    /// Takes the terminal; an error if it is none that lines can be edited on.
    pub(super) fn open(history: bool) -> rustyline::Result<Self> {
        let mode = Mode::save();
        let config = Config::builder().history_ignore_space(true).build();
        let mut editor = Editor::<(), FileHistory>::with_config(config)?;
        let mut printer = editor.create_external_printer()?;
        let history = if history { history_file() } else { None };
        if let Some(history) = &history {
            // There is none the first time.
            editor.load_history(history).ok();
        }
        // Both of these block, so each has a thread.
        let (screen, mut lines) = mpsc::channel::<String>(16);
        thread::spawn(move || {
            while let Some(line) = lines.blocking_recv() {
                if printer.print(line + "\n").is_err() {
                    break;
                }
            }
        });
        let (sender, typed) = mpsc::channel(16);
        thread::spawn(move || read(editor, history.as_deref(), &sender));
        Ok(Self { typed, screen, _mode: mode })
    }

    /// Shows a line above the one being typed.
    pub(super) async fn show(&self, line: String) {
        self.screen.send(line).await.ok();
    }
}

fn read(mut editor: Editor<(), FileHistory>, history: Option<&Path>, typed: &mpsc::Sender<Typed>) {
    loop {
        let next = match editor.readline("> ") {
            Ok(line) => {
                if editor.add_history_entry(&line).is_ok_and(|added| added)
                    && let Some(history) = history
                {
                    // At once: when the server closes, this thread ends without a word.
                    editor.append_history(history).ok();
                }
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupt,
            Err(_) => Typed::End,
        };
        let over = !matches!(next, Typed::Line(_));
        if typed.blocking_send(next).is_err() || over {
            return;
        }
    }
}

/// The history's place, in a folder that is there. The file is made for its user alone.
fn history_file() -> Option<PathBuf> {
    let folder = state_folder()?.join("towline");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

#[cfg(not(windows))]
fn state_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|at| at.is_absolute());
    // XDG Base Directory Specification 0.8
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

#[cfg(windows)]
fn state_folder() -> Option<PathBuf> {
    std::env::var_os("LOCALAPPDATA").map(PathBuf::from)
}

/// How the terminal was. Whoever types is in the middle of a line when a server closes.
struct Mode {
    #[cfg(unix)]
    termios: Option<nix::sys::termios::Termios>,
}

impl Mode {
    fn save() -> Self {
        Self {
            #[cfg(unix)]
            termios: nix::sys::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }
}

impl Drop for Mode {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(termios) = &self.termios {
            use nix::sys::termios::{SetArg, tcsetattr};
            use std::io::Write;
            tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, termios).ok();
            // Ends bracketed paste, which the editor turned on, and clears the line being typed.
            let mut out = std::io::stdout();
            let _ = write!(out, "\x1b[?2004l\r\x1b[K").and_then(|()| out.flush());
        }
    }
}
