//! [`DeflateTerms`]: what both sides agreed on, and a server's part in it.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use super::budget::Reservation;
use super::params::{ClientBits, Params};
use super::settings::Deflate;
use super::{MAX_WINDOW_BITS, NAME};
use crate::Role;
use crate::handshake::headers::{Extension, extensions};

/// What a client and a server agreed on (RFC 7692 §5.3), and the settings to do it with.
///
/// A [`Connection`](crate::Connection::deflate) is built with it. Its text is a server's answer, as
/// it stands in `Sec-WebSocket-Extensions`.
#[derive(Clone, Debug)]
pub struct DeflateTerms {
    answer: Params,
    pub(super) settings: Deflate,
    /// What is kept between messages, in the budget; shared by the connection's two halves.
    pub(super) reserved: Option<Arc<Reservation>>,
}

impl Deflate {
    /// Accepts one of a client's offers, as a server: the first that can be met.
    ///
    /// `None` if there is none: then nothing is agreed, and nothing is compressed. An offer with a
    /// parameter that is unknown, repeated or out of range is passed over (RFC 7692 §7.1).
    ///
    /// [`ServerRequest`](crate::handshake::ServerRequest::deflate) does this for you; here is how to
    /// do it beside another HTTP implementation:
    ///
    /// ```
    /// use http::HeaderMap;
    /// use http::header::SEC_WEBSOCKET_EXTENSIONS;
    /// use towline_proto::Deflate;
    ///
    /// let mut request = HeaderMap::new();
    /// request.insert(
    ///     SEC_WEBSOCKET_EXTENSIONS,
    ///     "permessage-deflate; client_max_window_bits".parse()?,
    /// );
    /// let settings = Deflate::default().client_max_window_bits(12);
    /// let terms = settings.accept(&request).expect("there is an offer that can be met");
    /// assert_eq!(terms.to_string(), "permessage-deflate; client_max_window_bits=12");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accept(&self, request: &HeaderMap) -> Option<DeflateTerms> {
        let offers = extensions(request).ok()?;
        offers.iter().filter(|offer| offer.name == NAME).find_map(|offer| self.meet(offer))
    }

    fn meet(&self, offer: &Extension) -> Option<DeflateTerms> {
        let offer = Params::parse(offer).ok()?;
        let mut answer = Params {
            // RFC 7692 §7.1.1: each may be added to the answer unasked, and a client that will not
            // take its context over is taken at its word.
            server_no_context_takeover: offer.server_no_context_takeover
                || self.get_server_no_context_takeover(),
            client_no_context_takeover: offer.client_no_context_takeover
                || self.get_client_no_context_takeover(),
            // RFC 7692 §7.1.2.1: at most what was offered, and said if it was; less may be said
            // unasked.
            server_max_window_bits: offer
                .server_max_window_bits
                .into_iter()
                .chain(below_most(self.get_server_max_window_bits()))
                .min(),
            // RFC 7692 §7.1.2.2: only a client that offers it can be told.
            client_max_window_bits: offer.client_max_window_bits.and_then(|most| {
                let most = most.most().min(self.get_client_max_window_bits());
                below_most(most).map(ClientBits::Most)
            }),
        };
        let reserved = self.reserve(&mut answer, Role::Server);
        Some(DeflateTerms::new(answer, self.clone(), reserved))
    }

    /// Reserves what will be kept between messages; if that is too much, agrees to keep nothing.
    pub(super) fn reserve(&self, terms: &mut Params, role: Role) -> Option<Reservation> {
        let budget = self.get_memory_budget()?;
        let reserved = budget.reserve(self.kept(terms, role));
        if reserved.is_none() {
            terms.server_no_context_takeover = true;
            terms.client_no_context_takeover = true;
        }
        reserved
    }

    /// Bytes that a connection on these terms keeps between messages.
    pub(super) fn kept(&self, terms: &Params, role: Role) -> usize {
        let server = (terms.server_no_context_takeover, self.server_bits(terms));
        let client = (terms.client_no_context_takeover, self.client_bits(terms));
        let ((we_reset, bits), (peer_resets, _)) = match role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        };
        let compressor = if we_reset { 0 } else { self.compressor_memory(bits) };
        let decompressor = if peer_resets { 0 } else { Self::DECOMPRESSOR_MEMORY };
        compressor + decompressor
    }

    /// The window that a server with these settings compresses with: it may keep to less.
    fn server_bits(&self, terms: &Params) -> u8 {
        server_bits(terms).min(self.get_server_max_window_bits())
    }

    /// The window that a client with these settings compresses with.
    fn client_bits(&self, terms: &Params) -> u8 {
        client_bits(terms).min(self.get_client_max_window_bits())
    }
}

fn below_most(bits: u8) -> Option<u8> {
    Some(bits).filter(|bits| *bits < MAX_WINDOW_BITS)
}

fn server_bits(terms: &Params) -> u8 {
    terms.server_max_window_bits.unwrap_or(MAX_WINDOW_BITS)
}

fn client_bits(terms: &Params) -> u8 {
    terms.client_max_window_bits.map_or(MAX_WINDOW_BITS, ClientBits::most)
}

impl DeflateTerms {
    pub(super) fn new(answer: Params, settings: Deflate, reserved: Option<Reservation>) -> Self {
        Self { answer, settings, reserved: reserved.map(Arc::new) }
    }

    /// Whether the server begins each message with an empty window (RFC 7692 §7.1.1.1).
    pub fn server_no_context_takeover(&self) -> bool {
        self.answer.server_no_context_takeover
    }

    /// Whether the client begins each message with an empty window (RFC 7692 §7.1.1.2).
    pub fn client_no_context_takeover(&self) -> bool {
        self.answer.client_no_context_takeover
    }

    /// The largest window of the server's compressor, as a power of two: 8 to 15 (RFC 7692
    /// §7.1.2.1).
    pub fn server_max_window_bits(&self) -> u8 {
        server_bits(&self.answer)
    }

    /// The largest window of the client's compressor, as a power of two: 8 to 15 (RFC 7692
    /// §7.1.2.2).
    pub fn client_max_window_bits(&self) -> u8 {
        client_bits(&self.answer)
    }

    /// The same terms, which reserve nothing: to be looked at, not to be compressed by.
    #[must_use]
    pub fn unreserved(&self) -> Self {
        Self { reserved: None, ..self.clone() }
    }

    /// The settings under which it was agreed.
    pub fn settings(&self) -> &Deflate {
        &self.settings
    }

    /// Whether this side's context is taken over from message to message, and its window.
    pub(super) fn sending(&self, role: Role) -> (bool, u8) {
        match role {
            Role::Client => {
                (!self.client_no_context_takeover(), self.settings.client_bits(&self.answer))
            }
            Role::Server => {
                (!self.server_no_context_takeover(), self.settings.server_bits(&self.answer))
            }
        }
    }

    /// Whether the peer's context is taken over from message to message.
    pub(super) fn receiving(&self, role: Role) -> bool {
        match role {
            Role::Client => !self.server_no_context_takeover(),
            Role::Server => !self.client_no_context_takeover(),
        }
    }
}

impl fmt::Display for DeflateTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.answer.fmt(f)
    }
}

/// Two are the same if the same was agreed.
impl PartialEq for DeflateTerms {
    fn eq(&self, other: &Self) -> bool {
        self.answer == other.answer
    }
}

impl Eq for DeflateTerms {}
