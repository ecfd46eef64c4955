//! What went wrong, for programs (`kind`) and for people (`Display`).

mod hresult;
mod kind;
mod step;
#[cfg(test)]
mod tests;
mod web_error_status;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use towline_proto::{CloseCode, ProtocolError, SendError};

use crate::attempt::Attempt;
#[cfg(feature = "tls")]
use crate::certificate::PeerCertificates;
use crate::guard::Denied;
pub use hresult::HResult;
pub use kind::ErrorKind;
pub use step::Step;
pub use web_error_status::WebErrorStatus;

/// The result of an operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
///
/// Its text is one phrase: what was being done and to what, why it failed, what to do.
#[non_exhaustive]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// `None` where the kind says it.
    step: Option<Step>,
    doing: Cow<'static, str>,
    /// Shared with those who are told the same.
    cause: Option<Arc<dyn StdError + Send + Sync>>,
    advice: Option<&'static str>,
    response: Option<http::Response<Bytes>>,
    close_code: Option<CloseCode>,
    attempts: Vec<Attempt>,
    proxy: Option<String>,
    hresult: Option<HResult>,
    /// Whether it would come again, though others of its kind might not.
    lasting: bool,
    /// And how it would be permitted.
    #[cfg(feature = "isolation")]
    denied: Option<(Denied, String)>,
    #[cfg(feature = "tls")]
    peer_certificates: Option<PeerCertificates>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, doing: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            step: None,
            doing: doing.into(),
            cause: None,
            advice: None,
            response: None,
            close_code: None,
            attempts: Vec::new(),
            proxy: None,
            hresult: None,
            lasting: false,
            #[cfg(feature = "isolation")]
            denied: None,
            #[cfg(feature = "tls")]
            peer_certificates: None,
        }))
    }

    /// Of what a policy does not permit, whose own words say all of it.
    #[cfg(feature = "isolation")]
    pub(crate) fn denied_by(denied: &Denied, doing: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(ErrorKind::Denied, doing).cause(denied.clone());
        let advice = match denied.fix() {
            Some(fix) => format!("add {fix}"),
            None => ErrorKind::Denied.advice().to_owned(),
        };
        error.0.denied = Some((denied.clone(), advice));
        error
    }

    /// There is no policy in this build.
    #[cfg(not(feature = "isolation"))]
    pub(crate) fn denied_by(denied: &Denied, _: impl Into<Cow<'static, str>>) -> Self {
        match *denied {}
    }

    pub(crate) fn invalid(doing: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidInput, doing)
    }

    pub(crate) fn cause(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into().into());
        self
    }

    pub(crate) fn advise(mut self, advice: &'static str) -> Self {
        self.0.advice = Some(advice);
        self
    }

    /// While this was done, unless it was said before.
    pub(crate) fn at(mut self, step: Step) -> Self {
        self.0.step.get_or_insert(step);
        self
    }

    /// On the way to the server, if it is a proxy's matter: whatever it did there itself is a part of
    /// that.
    pub(crate) fn at_proxy(self) -> Self {
        if self.0.proxy.is_some() { self.choosing_proxies() } else { self }
    }

    /// While it was found out which proxies to go through.
    pub(crate) fn choosing_proxies(mut self) -> Self {
        self.0.step = Some(Step::Proxy);
        self
    }

    /// Something else has to change before it is of any use to try again, though its kind does not say so.
    pub(crate) fn lasting(mut self) -> Self {
        self.0.lasting = true;
        self
    }

    pub(crate) fn is_lasting(&self) -> bool {
        self.0.lasting
    }

    /// What Windows would call it, where its kind does not say it.
    pub(crate) fn with_hresult(mut self, hresult: HResult) -> Self {
        self.0.hresult = Some(hresult);
        self
    }

    pub(crate) fn with_response(mut self, response: http::Response<Bytes>) -> Self {
        self.0.response = Some(response);
        self
    }

    /// At a proxy, or behind it: its address, which the text names as well.
    pub(crate) fn with_proxy(mut self, proxy: String) -> Self {
        self.0.proxy = Some(proxy);
        self
    }

    /// On the way to something, which the text names first.
    pub(crate) fn on_the_way(mut self, to: &str) -> Self {
        self.0.doing = format!("{to}: {}", self.0.doing).into();
        self
    }

    /// Behind something that led there, which the text names too.
    pub(crate) fn by_way_of(mut self, proxy: &str) -> Self {
        self.0.doing = format!("{} through {proxy}", self.0.doing).into();
        self.with_proxy(proxy.to_owned())
    }

    pub(crate) fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.0.attempts = attempts;
        self
    }

    #[cfg(feature = "tls")]
    pub(crate) fn with_peer_certificates(mut self, peer: Option<PeerCertificates>) -> Self {
        self.0.peer_certificates = peer;
        self
    }

    /// Something the peer did while we were `doing`.
    pub(crate) fn protocol(error: ProtocolError) -> Self {
        let kind = match error {
            ProtocolError::MessageTooBig { .. }
            | ProtocolError::RatioTooHigh { .. }
            | ProtocolError::FrameTooBig { .. } => ErrorKind::TooBig,
            _ => ErrorKind::Protocol,
        };
        let mut result = Self::new(kind, "receiving").cause(error);
        result.0.close_code = Some(error.close_code());
        match error {
            ProtocolError::MessageTooBig { .. } => result.advise(
                "raise Config::max_message_size, or read it as a stream with StreamWebSocket",
            ),
            ProtocolError::RatioTooHigh { .. } => result
                .advise("raise Deflate::max_ratio, if the peer is known to send such messages"),
            ProtocolError::FrameTooBig { .. } => {
                result.advise("raise Config::max_frame_size, or have the peer send smaller frames")
            }
            _ => result.advise("the peer was told why and the connection is over"),
        }
    }

    /// The byte stream ended, or failed, before the closing handshake.
    pub(crate) fn disconnected(
        doing: impl Into<Cow<'static, str>>,
        cause: Option<io::Error>,
    ) -> Self {
        let error = Self::new(ErrorKind::Disconnected, doing);
        let error = match cause {
            Some(cause) => error.cause(cause),
            None => error.cause("the peer ended the connection without a closing frame"),
        };
        error.advise("connect again; what was sent last may not have arrived")
    }

    pub(crate) fn timed_out(doing: impl Into<Cow<'static, str>>, cause: &'static str) -> Self {
        Self::new(ErrorKind::TimedOut, doing).cause(cause)
    }

    /// Whose matter it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// How far it had come.
    pub fn step(&self) -> Step {
        self.0.step.unwrap_or_else(|| Step::of(self.0.kind))
    }

    /// What the Windows Runtime would say: the number with which its calls fail.
    pub fn hresult(&self) -> HResult {
        self.0.hresult.unwrap_or_else(|| HResult::of_error(self))
    }

    /// What the Windows Runtime would say, by name: what its `WebSocketError.GetStatus` makes of
    /// [`hresult`](Self::hresult).
    pub fn web_error_status(&self) -> WebErrorStatus {
        WebErrorStatus::of(self.hresult())
    }

    /// The HTTP answer with which the server, or a proxy, refused; with the start of its body.
    pub fn response(&self) -> Option<&http::Response<Bytes>> {
        self.0.response.as_ref()
    }

    /// The close code that the peer was sent for what it did.
    pub fn close_code(&self) -> Option<CloseCode> {
        self.0.close_code
    }

    /// Each address that was tried and why it failed, where there was no connection to any.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// The proxy at which it failed, or behind which.
    ///
    /// Its address, without user name and password; of several behind which it failed, all of them.
    /// `None` where no proxy was on the way, or had a part in it.
    pub fn proxy(&self) -> Option<&str> {
        self.0.proxy.as_deref()
    }

    /// The certificates that the peer showed, and all that is wrong with them, where TLS failed
    /// after it had shown them: those of the [proxy](Self::proxy) if it was TLS with that one.
    #[cfg(feature = "tls")]
    pub fn peer_certificates(&self) -> Option<&PeerCertificates> {
        self.0.peer_certificates.as_ref()
    }

    /// What the policy does not permit, why, and what to add to the manifest.
    #[cfg(feature = "isolation")]
    pub fn denied(&self) -> Option<&Denied> {
        self.0.denied.as_ref().map(|(denied, _)| denied)
    }

    /// What to do about it, in a sentence. The text of this error ends with it where it is more than
    /// its [kind](Self::kind) says.
    pub fn advice(&self) -> &str {
        #[cfg(feature = "isolation")]
        if let Some((_, advice)) = &self.0.denied {
            return advice;
        }
        self.0.advice.unwrap_or_else(|| self.0.kind.advice())
    }

    /// The error underneath: an [`io::Error`], a [`ProtocolError`], a [`SendError`], …
    ///
    /// The text of this error includes it, so [`source`](StdError::source) goes on below it.
    pub fn get_ref(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    /// The same once more, for a second one who has to be told.
    pub(crate) fn again(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.doing)?;
        if let Some(cause) = &self.0.cause {
            write!(f, ": {cause}")?;
        }
        if let Some(advice) = self.0.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

// `fn main() -> towline::Result<()>` prints this: let it be the same readable phrase.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().and_then(StdError::source)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        let kind = match error {
            SendError::Closed => ErrorKind::Closed,
            _ => ErrorKind::InvalidInput,
        };
        Self::new(kind, "sending").cause(error).at(Step::Open)
    }
}

/// What a program does beside may fail too, such as reading a file of certificates.
///
/// An error of this crate that travelled as an `io::Error` is itself again.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => error,
            Err(error) => Self::new(ErrorKind::Io, "using the operating system").cause(error),
        }
    }
}

/// Where a face is an `AsyncRead` or `AsyncWrite`, its errors travel as `io::Error`.
///
/// `io::Error::get_ref` and a downcast give this error back.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::InvalidInput => io::ErrorKind::InvalidInput,
            ErrorKind::Resolve | ErrorKind::Connect => io::ErrorKind::NotConnected,
            ErrorKind::Denied => io::ErrorKind::PermissionDenied,
            ErrorKind::Disconnected => io::ErrorKind::ConnectionAborted,
            ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            ErrorKind::Closed => io::ErrorKind::BrokenPipe,
            ErrorKind::Protocol | ErrorKind::TooBig | ErrorKind::Handshake | ErrorKind::Proxy => {
                io::ErrorKind::InvalidData
            }
            ErrorKind::Io | ErrorKind::Tls | ErrorKind::Certificate => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
