//! [`Printer`]: a diagnosis on standard output, for people or for machines.

use std::io::{Write, stdout};

use serde_json::json;

use towline::CertificateError;

use super::step::{State, Step};
use super::why::{End, Why};
use crate::json;
use crate::print::{escape, time};

#[derive(Clone, Copy, Debug)]
pub(super) struct Printer {
    json: bool,
}

impl Printer {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A step that is over.
    pub(super) fn step(&self, step: &Step) {
        let Step { name, state, text, details, took, more } = step;
        if self.json {
            let state = match state {
                State::Ok => "ok",
                State::Failed => "failed",
                State::NotReached => "not reached",
            };
            let mut event = json!({
                "v": 1, "type": "step", "step": name.text(), "state": state, "text": text,
                "details": details, "ms": took.map(|took| took.as_secs_f64() * 1e3),
            });
            if let Some((key, value)) = more {
                event[*key] = value.clone();
            }
            return json::event(&event);
        }
        let state = match state {
            State::Ok => "ok",
            State::Failed => "FAILED",
            State::NotReached => "-",
        };
        let took = took.map_or_else(String::new, |took| format!(" ({})", time(took)));
        let mut lines = format!("{state:7} {:10} {}{took}\n", name.text(), escape(text));
        for detail in details {
            lines += &format!("{:18} {}\n", "", escape(detail));
        }
        say(&lines);
    }

    /// All of it went well.
    pub(super) fn works(&self, ignored: &[CertificateError]) {
        let names: Vec<_> = ignored.iter().map(|error| error.name()).collect();
        if self.json {
            let event =
                json!({ "v": 1, "type": "diagnosis", "ok": true, "exit": 0, "ignored": names });
            return json::event(&event);
        }
        match names.is_empty() {
            true => say("\nNothing is wrong: the connection works.\n"),
            false => say(&format!(
                "\nThe connection works; of the server's certificate this was ignored: {}.\n",
                names.join(", "),
            )),
        }
    }

    /// Why it failed, and what to do.
    pub(super) fn failed(&self, end: &End, why: &Why) {
        let Why { causes, mend, flag, rust } = why;
        if self.json {
            return json::event(&json!({
                "v": 1, "type": "diagnosis", "ok": false, "exit": end.code().number(),
                "step": end.step().text(), "message": end.text(), "causes": causes,
                "mend": { "text": mend, "flag": flag, "rust": rust },
                "web_error_status": end.error().map(|error| format!("{:?}", error.web_error_status())),
                "hresult": end.error().map(|error| error.hresult().to_string()),
            }));
        }
        let mut lines = String::from("\nLikely causes, the likeliest first:\n");
        for cause in causes {
            lines += &format!("  - {}\n", escape(cause));
        }
        lines += &format!("\nWhat would mend it: {}\n", escape(mend));
        if let Some(flag) = flag {
            lines += &format!("  on the command line:  {}\n", escape(flag));
        }
        if let Some(rust) = rust {
            lines += &format!("  in Rust:              {}\n", escape(rust));
        }
        say(&lines);
    }
}

fn say(text: &str) {
    let mut out = stdout().lock();
    // A broken pipe ends quietly.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
