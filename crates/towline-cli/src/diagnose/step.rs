//! [`Step`]: one step of connecting, and what came of it.

use std::time::Duration;

use serde_json::Value;

/// Which step.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Name {
    Address,
    Route,
    Names,
    Connect,
    Proxy,
    Tls,
    Http,
    WebSocket,
    Ping,
}

impl Name {
    pub(super) const ALL: [Self; 9] = [
        Self::Address,
        Self::Route,
        Self::Names,
        Self::Connect,
        Self::Proxy,
        Self::Tls,
        Self::Http,
        Self::WebSocket,
        Self::Ping,
    ];

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Route => "route",
            Self::Names => "names",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Ping => "ping",
        }
    }

    /// Where an error of the library's belongs.
    pub(super) fn of(step: towline::Step) -> Self {
        match step {
            towline::Step::Resolve => Self::Names,
            towline::Step::Connect => Self::Connect,
            towline::Step::Proxy => Self::Proxy,
            towline::Step::Tls => Self::Tls,
            towline::Step::Handshake => Self::Http,
            towline::Step::Open => Self::Ping,
            _ => Self::Address,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Ok,
    Failed,
    NotReached,
}

/// One step, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: Name,
    pub(super) state: State,
    /// In a line.
    pub(super) text: String,
    /// In more lines.
    pub(super) details: Vec<String>,
    pub(super) took: Option<Duration>,
    /// What machines want to know beside it.
    pub(super) more: Option<(&'static str, Value)>,
}

impl Step {
    pub(super) fn ok(name: Name, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name, state: State::Ok, text, details: Vec::new(), took: None, more: None }
    }
}
