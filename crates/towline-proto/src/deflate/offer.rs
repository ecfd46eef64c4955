//! [`DeflateOffer`]: a client's offer, and what a server's answer makes of it.

use std::fmt;

use super::budget::Reservation;
use super::params::{
    CLIENT_MAX_WINDOW_BITS, ClientBits, Params, SERVER_MAX_WINDOW_BITS, SERVER_NO_CONTEXT_TAKEOVER,
};
use super::settings::Deflate;
use super::terms::DeflateTerms;
use super::{DeflateError, MAX_WINDOW_BITS, NAME};
use crate::Role;
use crate::handshake::headers::Extension;

/// What a client offers on one connection (RFC 7692 §5.1).
///
/// Its text goes into `Sec-WebSocket-Extensions`. [`ClientRequest`](crate::handshake::ClientRequest)
/// does all of this for you; here is how to do it beside another HTTP implementation:
///
/// ```
/// use http::HeaderMap;
/// use http::header::SEC_WEBSOCKET_EXTENSIONS;
/// use towline_proto::Deflate;
/// use towline_proto::handshake::headers::extensions;
///
/// let offer = Deflate::default().offer();
/// assert_eq!(offer.to_string(), "permessage-deflate; client_max_window_bits");
///
/// let mut response = HeaderMap::new();
/// response.insert(
///     SEC_WEBSOCKET_EXTENSIONS,
///     "permessage-deflate; client_max_window_bits=12".parse()?,
/// );
/// let terms = offer.agreed(&extensions(&response)?)?.expect("the server has accepted");
/// assert_eq!(terms.client_max_window_bits(), 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DeflateOffer {
    offer: Params,
    settings: Deflate,
    reserved: Option<Reservation>,
}

impl Deflate {
    /// A client's offer for one connection.
    pub fn offer(&self) -> DeflateOffer {
        let most = |bits| Some(bits).filter(|bits| *bits < MAX_WINDOW_BITS);
        let mut offer = Params {
            server_no_context_takeover: self.get_server_no_context_takeover(),
            client_no_context_takeover: self.get_client_no_context_takeover(),
            server_max_window_bits: most(self.get_server_max_window_bits()),
            // RFC 7692 §7.1.2.2: always there, or the server could not ask for less.
            client_max_window_bits: Some(
                most(self.get_client_max_window_bits()).map_or(ClientBits::Any, ClientBits::Most),
            ),
        };
        let reserved = self.reserve(&mut offer, Role::Client);
        DeflateOffer { offer, settings: self.clone(), reserved }
    }
}

impl DeflateOffer {
    pub(crate) const NAME: &str = NAME;

    /// What a server's extensions come to: `None` if it does not compress.
    ///
    /// Extensions of other names are passed over.
    ///
    /// # Errors
    /// [`DeflateError`] if they answer something else than was offered: the client has to fail the
    /// connection (RFC 7692 §7.1).
    pub fn agreed(self, answer: &[Extension]) -> Result<Option<DeflateTerms>, DeflateError> {
        let mut answers = answer.iter().filter(|extension| extension.name == NAME);
        let Some(answer) = answers.next() else { return Ok(None) };
        if answers.next().is_some() {
            return Err(DeflateError::AcceptedTwice);
        }
        let mut terms = Params::parse(answer)?;
        self.check(&terms)?;
        // Nobody asked the server for it, but we said that we would keep to it.
        terms.client_no_context_takeover |= self.offer.client_no_context_takeover;
        let mut reserved = self.reserved;
        if let Some(reserved) = &mut reserved {
            reserved.shrink_to(self.settings.kept(&terms, Role::Client));
        }
        Ok(Some(DeflateTerms::new(terms, self.settings, reserved)))
    }

    fn check(&self, answer: &Params) -> Result<(), DeflateError> {
        // RFC 7692 §7.1.1.1: accepted by saying it too.
        if self.offer.server_no_context_takeover && !answer.server_no_context_takeover {
            return Err(DeflateError::Missing(SERVER_NO_CONTEXT_TAKEOVER));
        }
        // RFC 7692 §7.1.2.1: accepted with the same or a smaller value.
        match (self.offer.server_max_window_bits, answer.server_max_window_bits) {
            (Some(_), None) => return Err(DeflateError::Missing(SERVER_MAX_WINDOW_BITS)),
            (Some(most), Some(bits)) if bits > most => {
                return Err(DeflateError::WindowTooLarge(SERVER_MAX_WINDOW_BITS));
            }
            (Some(_) | None, _) => {}
        }
        // RFC 7692 §7.1.2.2: an answer has a value, and never a larger one.
        match (self.offer.client_max_window_bits, answer.client_max_window_bits) {
            (_, Some(ClientBits::Any)) => Err(DeflateError::BadValue(CLIENT_MAX_WINDOW_BITS)),
            (None, Some(_)) => Err(DeflateError::NotOffered(CLIENT_MAX_WINDOW_BITS)),
            (Some(most), Some(ClientBits::Most(bits))) if bits > most.most() => {
                Err(DeflateError::WindowTooLarge(CLIENT_MAX_WINDOW_BITS))
            }
            (_, Some(ClientBits::Most(_)) | None) => Ok(()),
        }
    }
}

impl fmt::Display for DeflateOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.offer.fmt(f)
    }
}
