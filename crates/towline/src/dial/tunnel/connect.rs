//! CONNECT: an HTTP proxy leads on (RFC 9110 §9.3.6).

use std::io::Cursor;

use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Response, StatusCode};
use tokio::io::{AsyncReadExt, join, split};
use towline_proto::WsUri;

use super::exchange::{Trouble, exchange, request};
use super::hop::Hop;
use super::{Led, failure, refusal};
use crate::error::{Error, Result};
use crate::http1::{Refusal, is_page};
use crate::proxy::target;
use crate::transport::Transport;

/// Requests on one connection. NTLM takes three.
const MAX_ROUNDS: usize = 6;

/// Asks an HTTP proxy to lead on, and shows who we are if it wants to know.
pub(super) async fn lead_on(
    mut io: Transport,
    hop: &mut Hop<'_>,
    next: &WsUri,
) -> Result<Led<Transport>> {
    let proxy = hop.proxy;
    let target = target(next);
    let about = |error: Error| {
        error.on_the_way(&format!("asking the proxy {proxy}")).with_proxy(proxy.to_string())
    };
    let mut shown = hop.first().await.map_err(about)?;
    let mut round = 0;
    loop {
        let (response, rest) = match exchange(&mut io, &request(&target, shown.as_ref())).await {
            Ok(answer) => answer,
            // It had said that the connection stays.
            Err(Trouble::Gone(_)) if round > 0 && !hop.is_bound() => {
                hop.show_next(shown);
                return Ok(Led::Again);
            }
            Err(Trouble::Gone(error)) => return Err(failure::silent(proxy, next, error)),
            Err(Trouble::Garbled(error)) => return Err(refusal::garbled(proxy, next, error)),
        };
        let status = response.status();
        if status.is_success() && !is_no_tunnel(&response, &rest) {
            hop.led_on(shown, response.headers()).await.map_err(about)?;
            return Ok(Led::On(with_rest(io, rest)));
        }
        let refusal = Refusal::read(&mut io, response, rest).await;
        if status.is_success() {
            return Err(refusal::page(proxy, next, refusal.response));
        }
        let answer = match status {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                match hop.answer(refusal.response.headers(), &target).await {
                    Ok(answer) => answer,
                    Err(error) => return Err(about(error).with_response(refusal.response)),
                }
            }
            _ => None,
        };
        let Some(answer) = answer else {
            return Err(refusal::refused(proxy, next, refusal.response, hop.tried()));
        };
        shown = Some(answer);
        round += 1;
        if round == MAX_ROUNDS {
            return Err(refusal::insatiable(proxy, next, refusal.response));
        }
        if !refusal.reusable {
            if hop.is_bound() {
                return Err(refusal::unbound(proxy, next, refusal.response));
            }
            hop.show_next(shown);
            return Ok(Led::Again);
        }
    }
}

/// Whether a page comes in place of a tunnel. RFC 9110 §9.3.6 has us ignore what an answer says of a
/// body; but a web server that answers every request with a page is no proxy, and is to be named.
fn is_no_tunnel(response: &Response<()>, rest: &[u8]) -> bool {
    let headers = response.headers();
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    // No server speaks before it was spoken to, neither by TLS nor by HTTP.
    (is_page(response) && has_body) || rest.trim_ascii_start().starts_with(b"<")
}

/// The byte stream from here on: what came too soon belongs to it.
fn with_rest(io: Transport, rest: BytesMut) -> Transport {
    if rest.is_empty() {
        return io;
    }
    let (read, write) = split(io);
    Transport::new(join(AsyncReadExt::chain(Cursor::new(rest), read), write))
}
