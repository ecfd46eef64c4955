//! Bearer: a token, or somebody who knows one (RFC 6750).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use super::challenge::Challenge;
use super::secret::Secret;
use crate::error::{Error, ErrorKind, Result};

/// A token that comes, sooner or later.
pub(super) type Answer = Pin<Box<dyn Future<Output = io::Result<Secret>> + Send>>;

/// Somebody who knows tokens.
pub(super) type Ask = Arc<dyn Fn(TokenRequest) -> Answer + Send + Sync>;

/// Where a token comes from.
#[derive(Clone)]
pub(super) enum Bearer {
    Token(Secret),
    Asked(Ask),
}

/// What a token is wanted for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The host that it will be shown to.
    pub host: String,
    /// Whether the last one was refused, so that a new one is needed.
    pub refused: bool,
    /// What the host says it is about, if it refused one.
    pub realm: Option<String>,
    /// What the token has to allow, if the host said so: names with blanks between.
    pub scope: Option<String>,
}

impl TokenRequest {
    pub(super) fn first(host: &str) -> Self {
        Self { host: host.to_owned(), ..Self::default() }
    }

    pub(super) fn after(host: &str, challenge: &Challenge) -> Self {
        let word = |name| challenge.word(name).map(str::to_owned);
        let (realm, scope) = (word("realm"), word("scope"));
        Self { host: host.to_owned(), refused: true, realm, scope }
    }
}

/// Asks for a token.
pub(super) async fn fetch(ask: &Ask, request: TokenRequest) -> Result<Secret> {
    let doing = format!("getting a token for {}", request.host);
    let token = ask(request).await.and_then(|token| match is_token(token.reveal()) {
        true => Ok(token),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, NO_TOKEN)),
    });
    token.map_err(|error| Error::new(ErrorKind::Io, doing).cause(error))
}

pub(super) const NO_TOKEN: &str = "a token is of visible ASCII letters, without blanks";

/// Whether it can stand in a header. RFC 6750 §2.1 allows fewer letters than are in use.
pub(super) fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What to send.
pub(super) fn answer(token: &Secret) -> Vec<u8> {
    [&b"Bearer "[..], token.reveal().as_bytes()].concat()
}
