//! [`Journal`]: what a client told while it connected, as steps.

use std::fmt::Write;
use std::time::{Duration, Instant};

use http::header::AUTHORIZATION;
use serde_json::json;
use towline::proto::WsUri;
use towline::{Attempt, AttemptOutcome, CertificateError, ConnectionInfo, Error, Progress, Route};

use super::chain::{self, Whose};
use super::print::Printer;
use super::public::headers;
use super::step::{Name, State, Step};
use super::why::{End, Why};
use crate::handshake::one_line;

/// What happened, step by step; a step that is over is printed at once.
#[derive(Debug)]
pub(super) struct Journal {
    /// Whether a flag names the proxy.
    by_flag: bool,
    /// Of the server that it is about now: redirects lead to others.
    uri: Option<WsUri>,
    printer: Printer,
    /// When the last thing happened.
    last: Instant,
    route: Option<Route>,
    /// The one that may still go on.
    open: Option<Step>,
    /// What is wrong with the server's certificate, and was let pass.
    ignored: Vec<CertificateError>,
    /// Whether TLS with the server was agreed on.
    secured: bool,
    /// Whether the last request told the server who we are.
    said_who: bool,
}

impl Journal {
    pub(super) fn new(uri: Option<WsUri>, by_flag: bool, printer: Printer) -> Self {
        Self {
            by_flag,
            uri,
            printer,
            last: Instant::now(),
            route: None,
            open: None,
            ignored: Vec::new(),
            secured: false,
            said_who: false,
        }
    }

    pub(super) fn uri(&self) -> Option<WsUri> {
        self.uri.clone()
    }

    pub(super) fn said_who(&self) -> bool {
        self.said_who
    }

    pub(super) fn route(&self) -> Option<Route> {
        self.route.clone()
    }

    /// Takes down something that happened while connecting.
    pub(super) fn note(&mut self, progress: &Progress) {
        let took = self.lap();
        match progress {
            Progress::Route(route) => self.begin(route),
            Progress::Resolved { host, addresses } => {
                let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let text = format!("{} is {}", one_line(host), shown.join(", "));
                self.over(Step { took: Some(took), ..Step::ok(Name::Names, text) });
            }
            Progress::Attempted(attempt) => self.attempted(attempt),
            Progress::Tunnelled { proxy, to } => {
                let text = format!("{proxy} led on to {}", one_line(to));
                self.over(Step { took: Some(took), ..Step::ok(Name::Proxy, text) });
            }
            Progress::Secured { host, version, certificates, alpn } => {
                let version = version.map_or_else(|| "TLS".to_owned(), |it| it.to_string());
                let mut text = format!("{version} with {}", one_line(host));
                if let Some(alpn) = alpn {
                    let _ = write!(text, ", {}", one_line(&String::from_utf8_lossy(alpn)));
                }
                let mut step = Step { took: Some(took), ..Step::ok(Name::Tls, text) };
                if let Some(shown) = certificates {
                    step.details = chain::drawn(shown, Whose::Server);
                    step.more = Some(("certificates", chain::json(shown)));
                    self.ignored = shown.errors().to_vec();
                }
                self.secured = true;
                self.over(step);
            }
            Progress::Asked(request) => {
                self.said_who = request.headers().contains_key(AUTHORIZATION);
                let mut step = Step::ok(Name::Http, "asked, and no answer yet");
                // What stands behind a question mark may be a secret.
                let path = request.uri().path();
                let query = if request.uri().query().is_some() { "?…" } else { "" };
                step.details.push(format!("> {} {path}{query}", request.method()));
                step.details.extend(headers('>', request.headers()));
                self.next(step);
            }
            Progress::Answered(response) => {
                let status = response.status();
                if let Some(step) = &mut self.open {
                    step.text = format!("the server answered {status}");
                    step.took = Some(took);
                    step.details.push(format!("< {status}"));
                    step.details.extend(headers('<', response.headers()));
                    step.more = Some(("status", json!(status.as_u16())));
                }
                // An answer that refuses may be the end.
                if status == http::StatusCode::SWITCHING_PROTOCOLS {
                    self.close();
                }
            }
            Progress::Redirected(to) => {
                self.over(Step::ok(Name::Address, described(to)));
                self.uri = Some(to.clone());
                (self.ignored, self.secured) = (Vec::new(), false);
            }
            _ => {}
        }
    }

    /// The address is good, and this is the way to it; or again, to another one.
    fn begin(&mut self, route: &Route) {
        if self.route.is_none() {
            let text = self.uri.as_ref().map_or_else(String::new, described);
            self.over(Step::ok(Name::Address, text));
        }
        let mut text = route.to_string();
        // The program is this command, which was told so.
        if let Some(way) = text.strip_suffix("the program says so").filter(|_| self.by_flag) {
            text = format!("{way}--proxy says so");
        }
        self.over(Step::ok(Name::Route, text));
        self.route = Some(route.clone());
    }

    fn attempted(&mut self, attempt: &Attempt) {
        let won = matches!(attempt.outcome, AttemptOutcome::Connected);
        let line = format!("{attempt}, after {}", crate::print::time(attempt.took));
        if self.open.as_ref().is_none_or(|step| step.name != Name::Connect) {
            self.next(Step::ok(Name::Connect, ""));
        }
        let Some(step) = &mut self.open else { return };
        if won {
            step.text = format!("TCP to {}", attempt.address);
            step.took = Some(attempt.took);
            self.close();
        } else {
            step.details.push(line);
        }
    }

    /// The opening handshake is done.
    pub(super) fn open(&mut self, info: &ConnectionInfo) {
        let subprotocol = match info.subprotocol() {
            Some(name) => format!("subprotocol {}", one_line(name)),
            None => "no subprotocol".to_owned(),
        };
        let extension = match info.deflate() {
            Some(terms) => format!("extension {terms}"),
            None => "no extension".to_owned(),
        };
        self.over(Step::ok(Name::WebSocket, format!("{subprotocol}, {extension}")));
        self.lap();
    }

    /// It was pinged, too.
    pub(super) fn works(&mut self, trip: Duration) {
        let text = "the server answers pings";
        self.over(Step { took: Some(trip), ..Step::ok(Name::Ping, text) });
        self.printer.works(&self.ignored);
    }

    /// It ended so, and why.
    pub(super) fn failed(&mut self, end: &End, why: &Why) {
        let name = end.step();
        if self.route.is_none() && name > Name::Route {
            // A socket in the file system has no route.
            let text = self.uri.as_ref().map_or_else(String::new, described);
            self.over(Step::ok(Name::Address, text));
        }
        // With TLS 1.3 a server refuses a client's certificate when the client has asked already.
        self.open.take_if(|step| step.name > name);
        let told = self.open.take_if(|step| step.name == name);
        let mut step = told.unwrap_or_else(|| Step::ok(name, ""));
        step.state = State::Failed;
        step.text = match name == Name::Tls && self.secured {
            true => format!("the server has looked at who we are, and refuses: {}", end.text()),
            false => end.text(),
        };
        if step.took.is_none() {
            step.took = Some(self.lap());
        }
        if let Some(response) =
            end.error().and_then(Error::response).filter(|_| name == Name::Proxy)
        {
            step.details.push(format!("< {}", response.status()));
            step.details.extend(headers('<', response.headers()));
        }
        if let Some(shown) = end.certificates() {
            let whose = if name == Name::Proxy { Whose::Proxy } else { Whose::Server };
            step.details = chain::drawn(shown, whose);
            step.more = Some(("certificates", chain::json(shown)));
        }
        self.next(step);
        self.close();
        for name in Name::ALL.into_iter().filter(|other| *other > name && self.needs(*other)) {
            let step = Step { state: State::NotReached, ..Step::ok(name, "not reached") };
            self.printer.step(&step);
        }
        self.printer.failed(end, why);
    }

    /// Whether connecting takes this step.
    fn needs(&self, name: Name) -> bool {
        let through_proxies = self.route.as_ref().is_some_and(|route| !route.proxies().is_empty());
        match name {
            Name::Names => self.uri.as_ref().is_some_and(|uri| !uri.is_ip()) && !through_proxies,
            Name::Proxy => through_proxies,
            Name::Tls => self.uri.as_ref().is_some_and(WsUri::is_secure),
            _ => true,
        }
    }

    /// It was begun and is over.
    fn over(&mut self, step: Step) {
        self.next(step);
        self.close();
    }

    /// The one before is over.
    fn next(&mut self, step: Step) {
        self.close();
        self.open = Some(step);
    }

    fn close(&mut self) {
        if let Some(mut step) = self.open.take() {
            // Another way is gone, then.
            if step.name == Name::Connect && step.text.is_empty() {
                step.state = State::Failed;
                "no connection".clone_into(&mut step.text);
            }
            self.printer.step(&step);
        }
    }

    /// Since the last thing happened.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.last, now))
    }
}

/// The parts of an address.
fn described(uri: &WsUri) -> String {
    let tls = if uri.is_secure() { "with" } else { "without" };
    format!(
        "{}://{}: host {}, port {}, {tls} TLS",
        uri.scheme(),
        uri.authority(),
        uri.host(),
        uri.port()
    )
}
