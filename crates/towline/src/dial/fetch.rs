//! Fetches a small file by HTTP: directly, with one request, within a limit.

use std::fmt;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use towline_proto::WsUri;
use towline_proto::handshake::HeadLimits;
use towline_proto::handshake::http1::HeadReader;

use super::script::TOO_LARGE;
use super::tcp;
use super::way::Way;
use crate::error::{Error, ErrorKind, Result};
use crate::http1::Body;
use crate::transport::Transport;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// What is at this address, in which `ws` stands for `http` and `wss` for `https`. The time is the caller's
/// to limit, and no proxy is asked.
pub(super) async fn fetch(at: &WsUri, way: &Way, max_bytes: usize) -> Result<Vec<u8>> {
    let doing = format!("asking {}", at.authority());
    let failed = |cause: &dyn fmt::Display| {
        Error::new(ErrorKind::Io, doing.clone())
            .cause(cause.to_string())
            .advise("is its address right?")
    };
    let (connected, _) = tcp::connect(at, way, None).await?;
    let mut io = Transport::tcp(connected.stream);
    if at.is_secure() {
        io = secure(io, at, way).await?;
    }
    // RFC 9112 §3.2.1, and §9.6 on the end.
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        at.resource(),
        at.authority()
    );
    io.write_all(request.as_bytes()).await.map_err(|error| failed(&error))?;
    io.flush().await.map_err(|error| failed(&error))?;
    let mut reader = HeadReader::new(HeadLimits::default());
    let mut bytes = BytesMut::new();
    let taken = loop {
        bytes.clear();
        bytes.reserve(READ);
        if io.read_buf(&mut bytes).await.map_err(|error| failed(&error))? == 0 {
            return Err(failed(&"the server ended the connection instead of answering"));
        }
        if let Some(taken) = reader.push(&bytes).map_err(|error| failed(&error))? {
            break taken;
        }
    };
    bytes.advance(taken);
    let response = reader.response().map_err(|error| failed(&error))?;
    if response.status() != http::StatusCode::OK {
        return Err(failed(&format!("the server answered {}", response.status())));
    }
    let mut body = Body::of(&response);
    let mut content = Vec::new();
    loop {
        let whole = match &mut body {
            Body::ToTheEnd => {
                content.extend_from_slice(&bytes);
                false
            }
            body => {
                let pushed = body.push(&bytes, &mut content);
                pushed.map_err(|()| failed(&"its answer is garbled"))?.is_some()
            }
        };
        if content.len() > max_bytes {
            return Err(failed(&TOO_LARGE));
        }
        if whole {
            return Ok(content);
        }
        bytes.clear();
        bytes.reserve(READ);
        if io.read_buf(&mut bytes).await.map_err(|error| failed(&error))? == 0 {
            return match body {
                Body::ToTheEnd => Ok(content),
                Body::Length(_) | Body::Chunked(_) => Err(failed(&"its answer ended too soon")),
            };
        }
    }
}

/// Adds TLS, with the trust that proxies have.
#[cfg(feature = "tls")]
async fn secure(io: Transport, at: &WsUri, way: &Way) -> Result<Transport> {
    let connector = way.proxy_tls.connector()?;
    let (stream, _) = Box::pin(crate::tls::connect(io, at.host(), connector)).await?;
    Ok(Transport::new(stream))
}

/// There is no TLS in this build.
#[cfg(not(feature = "tls"))]
async fn secure(_: Transport, at: &WsUri, _: &Way) -> Result<Transport> {
    Err(Error::invalid(format!("connecting to {}", at.host()))
        .cause("this build has no TLS")
        .advise("turn on the feature `tls`"))
}
