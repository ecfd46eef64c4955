//! [`Why`]: the likely causes of a failure, and the one change that would mend it.

mod address;
mod http;
mod line;
mod network;
mod open;
mod proxy;
mod tls;

use std::net::IpAddr;
use std::time::Duration;

use towline::proto::WsUri;
use towline::{CloseFrame, Error, ErrorKind, PeerCertificates, Route, Step};

use super::step::Name;
use crate::args::ClientArgs;
use crate::exit::{Code, closed};

/// How a connection that does not work ended.
#[derive(Debug)]
pub(super) enum End {
    Error(Error),
    /// It was open, and the server closed it before it answered a ping.
    Closed(Option<CloseFrame>),
    /// It was open, and the server did not answer a ping in this time.
    NoPong(Duration),
}

impl End {
    pub(super) fn error(&self) -> Option<&Error> {
        match self {
            Self::Error(error) => Some(error),
            Self::Closed(_) | Self::NoPong(_) => None,
        }
    }

    pub(super) fn certificates(&self) -> Option<&PeerCertificates> {
        self.error().and_then(Error::peer_certificates)
    }

    pub(super) fn step(&self) -> Name {
        self.error().map_or(Name::Ping, |error| match (error.step(), error.kind()) {
            // Of the way to a proxy the steps are the same.
            (Step::Proxy, ErrorKind::Resolve) if error.proxy().is_some() => Name::Names,
            (Step::Proxy, _) if error.proxy().is_some() && !error.attempts().is_empty() => {
                Name::Connect
            }
            (step, _) => Name::of(step),
        })
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Error(error) => error.to_string(),
            Self::Closed(frame) => match closed(frame.as_ref()) {
                Err(failure) => failure.text().to_owned(),
                Ok(()) => "the server closed the connection before it answered a ping".to_owned(),
            },
            Self::NoPong(limit) => {
                format!("the server did not answer a ping within {}", crate::print::time(*limit))
            }
        }
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::Error(error) => Code::of(error),
            Self::Closed(frame) => {
                closed(frame.as_ref()).map_or_else(|failure| failure.code(), |()| Code::Empty)
            }
            Self::NoPong(_) => Code::Timeout,
        }
    }
}

/// What is known beside the error.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// As it was given: user name and password may be in it.
    pub(super) url: &'a str,
    /// Without them; `None` if it is none.
    pub(super) uri: Option<WsUri>,
    pub(super) args: &'a ClientArgs,
    /// `None` if it failed before, and for a socket in the file system.
    pub(super) route: Option<Route>,
    /// Whether the last request told the server who we are.
    pub(super) said_who: bool,
}

impl Facts<'_> {
    pub(super) fn host(&self) -> &str {
        self.uri.as_ref().map_or("", WsUri::host)
    }

    /// The host as it stands in an address.
    pub(super) fn bracketed(&self) -> String {
        match self.uri.as_ref().and_then(WsUri::ip) {
            Some(IpAddr::V6(ip)) => format!("[{ip}]"),
            Some(IpAddr::V4(_)) | None => self.host().to_owned(),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.uri.as_ref().map_or(0, WsUri::port)
    }

    pub(super) fn is_secure(&self) -> bool {
        self.uri.as_ref().is_some_and(WsUri::is_secure)
    }

    /// The same path at another server, or by another scheme. What stands behind the question mark may
    /// be a secret.
    pub(super) fn at(&self, scheme: &str, authority: &str) -> String {
        let resource = self.uri.as_ref().map_or("/", WsUri::resource);
        match resource.split_once('?') {
            Some((path, _)) => format!("{scheme}://{authority}{path}?…"),
            None => format!("{scheme}://{authority}{resource}"),
        }
    }

    /// The same address with the other scheme, at the same port if it was named.
    pub(super) fn other_scheme(&self) -> Option<String> {
        let uri = self.uri.as_ref()?;
        let scheme = if uri.is_secure() { "ws" } else { "wss" };
        Some(self.at(scheme, &uri.authority()))
    }
}

/// The likely causes of a failure, the likeliest first, and the one change that would mend it.
#[derive(Debug, Default)]
pub(super) struct Why {
    pub(super) causes: Vec<String>,
    pub(super) mend: String,
    /// The change on the command line, if it can be made there.
    pub(super) flag: Option<String>,
    /// The change in a program, if it can be made there.
    pub(super) rust: Option<String>,
}

impl Why {
    fn new<const N: usize>(causes: [&str; N]) -> Self {
        Self { causes: causes.map(str::to_owned).to_vec(), ..Self::default() }
    }

    fn mend(mut self, text: impl Into<String>) -> Self {
        self.mend = text.into();
        self
    }

    fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flag = Some(flag.into());
        self
    }

    fn rust(mut self, line: impl Into<String>) -> Self {
        self.rust = Some(line.into());
        self
    }

    /// Another address is the change.
    fn address(self, address: &str) -> Self {
        self.flag(format!("the same, but to {address}"))
            .rust(format!("client.connect({address:?})"))
    }
}

pub(super) fn of(end: &End, facts: &Facts<'_>) -> Why {
    let error = match end {
        End::Error(error) if network::is_of_family(error) => return network::family(facts),
        End::Error(error) => error,
        End::Closed(frame) => return open::closed(frame.as_ref(), facts),
        End::NoPong(_) => return open::no_pong(),
    };
    if error.denied().is_some() {
        // Its text has said which network that is, and what it takes.
        return Why::new(["the manifest, or a policy, keeps this program to other networks"])
            .mend(error.advice());
    }
    match error.step() {
        Step::Resolve => network::unknown(error, facts),
        Step::Connect => network::unreachable(error, facts),
        Step::Proxy => proxy::of(error, facts),
        Step::Tls => tls::of(error, facts),
        Step::Handshake => http::of(error, facts),
        Step::Open => open::lost(error),
        _ => address::of(error, facts),
    }
}
