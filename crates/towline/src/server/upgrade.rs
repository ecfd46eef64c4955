//! A request that was read and not answered yet.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use towline_proto::Role;
use towline_proto::handshake::{HandshakeError, Negotiated, ServerRequest, response_head};

use super::builder::Settings;
use super::doing::Doing;
use super::origin::Origins;
use crate::error::{Error, ErrorKind, Result, Step};
use crate::http1::write_last;
use crate::info::ConnectionInfo;
use crate::message::MessageWebSocket;
use crate::registry::Registration;
use crate::stream::StreamWebSocket;
use crate::transport::Transport;
use crate::websocket::WebSocket;

/// A client's request, to be looked at and answered.
///
/// Accept it as a WebSocket, or refuse it with a status, or answer it with a plain HTTP response,
/// so that a page can live on the same port. Dropping it closes the connection without an answer.
pub struct Upgrade(Box<Asked>);

/// The request, the connection it came over, and what is to be answered. Boxed, since it passes
/// through many hands before it is.
struct Asked {
    io: Transport,
    request: ServerRequest,
    rest: BytesMut,
    info: ConnectionInfo,
    settings: Arc<Settings>,
    registration: Arc<Registration>,
    subprotocol: Option<String>,
    headers: HeaderMap,
}

/// Method and path only: headers and query carry cookies and tokens.
impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade")
            .field("method", self.request().method())
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

/// Bytes of a body that are read at once.
const CHUNK: usize = 16 * 1024;

impl Upgrade {
    pub(super) fn new(
        io: Transport,
        request: ServerRequest,
        rest: BytesMut,
        info: ConnectionInfo,
        settings: Arc<Settings>,
        registration: Arc<Registration>,
    ) -> Self {
        let (subprotocol, headers) = (None, HeaderMap::new());
        Self(Box::new(Asked {
            io,
            request,
            rest,
            info,
            settings,
            registration,
            subprotocol,
            headers,
        }))
    }

    /// The request's head. Its headers' values share memory: one that is kept keeps all of it.
    pub fn request(&self) -> &Request<()> {
        self.0.request.request()
    }

    /// The path that the client asked for, without the query.
    pub fn path(&self) -> &str {
        self.request().uri().path()
    }

    /// Whether the client asks for a WebSocket, rather than for a page.
    pub fn is_websocket(&self) -> bool {
        self.0.request.is_upgrade()
    }

    /// The subprotocols that the client offers, the one it likes best first.
    pub fn subprotocols(&self) -> &[String] {
        self.0.request.subprotocols()
    }

    /// The web page's origin, if the client is a browser.
    pub fn origin(&self) -> Option<&str> {
        self.0.request.origin()
    }

    /// The client's end of the connection.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.info.peer_addr()
    }

    /// What is known about the connection.
    pub fn info(&self) -> &ConnectionInfo {
        &self.0.info
    }

    /// Chooses a subprotocol. It must be one of [`subprotocols`](Self::subprotocols).
    #[must_use]
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.0.subprotocol = Some(name.into());
        self
    }

    /// Adds a header to the answer with which the request is accepted.
    #[must_use]
    pub fn header(mut self, name: http::HeaderName, value: http::HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// Accepts the request.
    ///
    /// One that breaks a rule of the handshake, or comes from a web page of another origin, is
    /// answered as it should be and is an error here.
    ///
    /// # Errors
    /// [`Handshake`](ErrorKind::Handshake) if the request is refused,
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a subprotocol that was not offered,
    /// [`TimedOut`](ErrorKind::TimedOut), also if the server shuts down meanwhile, or
    /// [`Disconnected`](ErrorKind::Disconnected). The connection is closed.
    ///
    /// # Cancel safety
    /// If cancelled the connection is closed.
    pub async fn accept(self) -> Result<WebSocket> {
        let (registration, doing) = (Arc::clone(&self.0.registration), self.doing());
        unless_aborted(&registration, doing, Box::pin(self.accept_now())).await
    }

    pub(super) async fn accept_now(mut self) -> Result<WebSocket> {
        let (head, terms) = match self.agree() {
            Ok(agreed) => agreed,
            // Boxed: who is accepted needs no room for it.
            Err((answer, error)) => {
                Box::pin(self.write_last(&answer)).await.ok();
                return Err(error);
            }
        };
        let io = &mut self.0.io;
        let written = timeout(self.0.settings.handshake_timeout, async {
            io.write_all(&head).await?;
            io.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Error::disconnected(self.doing(), Some(error))),
            Err(_) => return Err(Error::timed_out(self.doing(), "the client takes no answer")),
        }
        let Asked { io, rest, mut info, settings, registration, .. } = *self.0;
        info.answered(&head);
        let config = Arc::clone(&settings.config);
        let mut socket = WebSocket::with_info(io, Role::Server, terms, config, &rest, info);
        socket.register(registration);
        Ok(socket)
    }

    /// The answer and the terms; or another answer, and why.
    fn agree(&mut self) -> std::result::Result<(Vec<u8>, Negotiated), (Vec<u8>, Error)> {
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &self.0.settings.deflate {
            self.0.request.deflate(deflate);
        }
        let accepted = self.0.request.accept(self.0.subprotocol.as_deref(), &self.0.headers);
        let accepted = accepted.map_err(|error| {
            let kind = match error {
                HandshakeError::Answer(_) => ErrorKind::InvalidInput,
                _ => ErrorKind::Handshake,
            };
            (error.response(), Error::new(kind, self.doing()).cause(error))
        })?;
        match self.foreign() {
            None => Ok(accepted),
            Some(why) => {
                let body = format!("{why}\n");
                let answer = self.print(&response(StatusCode::FORBIDDEN, body.into()));
                Err((answer, Error::new(ErrorKind::Handshake, self.doing()).cause(why)))
            }
        }
    }

    /// Accepts the request, to exchange whole messages.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// If cancelled the connection is closed.
    pub async fn accept_message(self) -> Result<MessageWebSocket> {
        self.accept().await.map(Into::into)
    }

    /// Accepts the request, to exchange streams of bytes.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// If cancelled the connection is closed.
    pub async fn accept_stream(self) -> Result<StreamWebSocket> {
        self.accept().await.map(Into::into)
    }

    /// Refuses the request with a status and a line of text.
    ///
    /// # Errors
    /// [`Disconnected`](ErrorKind::Disconnected) or [`TimedOut`](ErrorKind::TimedOut)
    ///
    /// # Cancel safety
    /// If cancelled the connection is closed.
    pub async fn reject(self, status: StatusCode) -> Result<()> {
        let text = format!("{status}\n");
        self.respond(response(status, text.into())).await
    }

    /// Answers with a plain HTTP response, and closes the connection.
    ///
    /// `Content-Length` and `Connection` are set here; a `HEAD` request gets no body, and neither
    /// does one that is answered 204 or 304.
    ///
    /// # Errors
    /// [`Disconnected`](ErrorKind::Disconnected) or [`TimedOut`](ErrorKind::TimedOut)
    ///
    /// # Cancel safety
    /// If cancelled the connection is closed.
    pub async fn respond(mut self, response: Response<Bytes>) -> Result<()> {
        let (registration, doing) = (Arc::clone(&self.0.registration), self.doing());
        let answering = Box::pin(async move {
            let answer = self.print(&response);
            self.write_last(&answer).await.map_err(|error| failed(doing, error))
        });
        unless_aborted(&registration, doing, answering).await
    }

    /// Answers with a plain HTTP response whose body is read from `body` as it is sent, and closes
    /// the connection.
    ///
    /// Without a `Content-Length` in `response` the body lasts to the end of the connection.
    ///
    /// # Errors
    /// [`Io`](ErrorKind::Io) if `body` cannot be read,
    /// [`Disconnected`](ErrorKind::Disconnected), or [`TimedOut`](ErrorKind::TimedOut) if the
    /// client takes nothing for [`write_timeout`](crate::Config::write_timeout)
    ///
    /// # Cancel safety
    /// If cancelled the connection is closed.
    pub async fn respond_stream(
        self,
        response: Response<()>,
        body: impl AsyncRead + Unpin,
    ) -> Result<()> {
        let (registration, doing) = (Arc::clone(&self.0.registration), self.doing());
        unless_aborted(&registration, doing, Box::pin(self.stream_out(response, body))).await
    }

    async fn stream_out(
        mut self,
        response: Response<()>,
        mut body: impl AsyncRead + Unpin,
    ) -> Result<()> {
        let doing = self.doing();
        let head = response_head(response.status(), response.headers(), None);
        let has_body = self.has_body(response.status());
        let mut chunk = BytesMut::from(&*head);
        loop {
            let written =
                timeout(self.0.settings.config.get_write_timeout(), self.0.io.write_all(&chunk));
            let written =
                written.await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
            written.map_err(|error| failed(doing, error))?;
            chunk.clear();
            chunk.reserve(CHUNK);
            let unreadable = |error| Error::new(ErrorKind::Io, doing).cause(error);
            if !has_body || body.read_buf(&mut chunk).await.map_err(unreadable)? == 0 {
                break;
            }
        }
        self.write_last(&[]).await.map_err(|error| failed(doing, error))
    }

    /// Why a web page may not connect.
    fn foreign(&self) -> Option<String> {
        let origin = self.origin()?;
        let host = self.0.request.host().unwrap_or_default();
        // No page can forge its origin, so one that was listed may call the server as it likes.
        if self.0.settings.origins.list(origin) {
            return None;
        }
        if !self.0.settings.hosts.admit(host, self.0.info.local_addr()) {
            return Some(format!(
                "pages may not call this server {host:?}; allow it with ServerBuilder::allow_host"
            ));
        }
        (!Origins::is_own(origin, host, self.0.settings.is_secure())).then(|| {
            format!(
                "pages of {origin:?} may not connect; allow it with ServerBuilder::allow_origin"
            )
        })
    }

    /// A whole response, as it travels.
    fn print(&self, response: &Response<Bytes>) -> Vec<u8> {
        let body = response.body();
        let len = u64::try_from(body.len()).ok();
        // RFC 9110 §8.6: a 304 may tell only the length that the body of a 200 would have had.
        let len = len.filter(|len| *len > 0 || response.status() != StatusCode::NOT_MODIFIED);
        let mut bytes = response_head(response.status(), response.headers(), len);
        if self.has_body(response.status()) {
            bytes.extend_from_slice(body);
        }
        bytes
    }

    /// Whether an answer with this status has a body (RFC 9110 §6.4.1).
    fn has_body(&self, status: StatusCode) -> bool {
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.request().method() != Method::HEAD && !bodiless && !status.is_informational()
    }

    async fn write_last(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let limit = self.0.settings.handshake_timeout;
        let written = timeout(limit, write_last(&mut self.0.io, bytes)).await;
        written.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
    }

    fn doing(&self) -> Doing {
        Doing { what: "answering", peer: self.0.info.peer_addr() }
    }
}

/// Answers, unless the server cuts its connections off meanwhile, which then is the error.
async fn unless_aborted<T>(
    registration: &Registration,
    doing: Doing,
    // Boxed: the caller's task should not keep the room for it once it is over.
    answering: Pin<Box<impl Future<Output = Result<T>>>>,
) -> Result<T> {
    tokio::select! {
        biased;
        answered = answering => answered.map_err(|error| error.at(Step::Handshake)),
        () = registration.aborted() => {
            Err(Error::timed_out(doing, "the server has shut down").at(Step::Handshake))
        }
    }
}

fn response(status: StatusCode, text: Bytes) -> Response<Bytes> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let plain = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, plain);
    response
}

fn failed(doing: Doing, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::TimedOut {
        Error::timed_out(doing, "the client takes no answer")
    } else {
        Error::disconnected(doing, Some(error))
    }
}
