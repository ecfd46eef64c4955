//! The extension's four parameters as they travel, in an offer or in an answer (RFC 7692 §7.1).

use std::fmt;

use super::{DeflateError, MAX_WINDOW_BITS, NAME};
use crate::handshake::headers::Extension;

pub(super) const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
pub(super) const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
pub(super) const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
pub(super) const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// One element of `Sec-WebSocket-Extensions` that names this extension.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Params {
    pub(super) server_no_context_takeover: bool,
    pub(super) client_no_context_takeover: bool,
    pub(super) server_max_window_bits: Option<u8>,
    pub(super) client_max_window_bits: Option<ClientBits>,
}

/// In an offer this parameter may come without a value (RFC 7692 §7.1.2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ClientBits {
    /// The client can be told a window, and says nothing about its own.
    Any,
    Most(u8),
}

impl ClientBits {
    pub(super) fn most(self) -> u8 {
        match self {
            Self::Any => MAX_WINDOW_BITS,
            Self::Most(bits) => bits,
        }
    }
}

impl Params {
    /// Reads one element; a rule that holds for offers alone or answers alone is not checked.
    pub(super) fn parse(extension: &Extension) -> Result<Self, DeflateError> {
        let mut params = Self::default();
        for (name, value) in &extension.params {
            let value = value.as_deref();
            match &**name {
                SERVER_NO_CONTEXT_TAKEOVER => {
                    let name = SERVER_NO_CONTEXT_TAKEOVER;
                    flag(name, value, &mut params.server_no_context_takeover)?;
                }
                CLIENT_NO_CONTEXT_TAKEOVER => {
                    let name = CLIENT_NO_CONTEXT_TAKEOVER;
                    flag(name, value, &mut params.client_no_context_takeover)?;
                }
                SERVER_MAX_WINDOW_BITS => {
                    let name = SERVER_MAX_WINDOW_BITS;
                    let bits = bits(value).ok_or(DeflateError::BadValue(name))?;
                    once(name, &mut params.server_max_window_bits, bits)?;
                }
                CLIENT_MAX_WINDOW_BITS => {
                    let name = CLIENT_MAX_WINDOW_BITS;
                    let most = match value {
                        None => ClientBits::Any,
                        some => ClientBits::Most(bits(some).ok_or(DeflateError::BadValue(name))?),
                    };
                    once(name, &mut params.client_max_window_bits, most)?;
                }
                unknown => return Err(DeflateError::UnknownParameter(unknown.to_owned())),
            }
        }
        Ok(params)
    }
}

fn flag(name: &'static str, value: Option<&str>, seen: &mut bool) -> Result<(), DeflateError> {
    if value.is_some() {
        return Err(DeflateError::BadValue(name));
    }
    if std::mem::replace(seen, true) { Err(DeflateError::Repeated(name)) } else { Ok(()) }
}

fn once<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), DeflateError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(DeflateError::Repeated(name)),
    }
}

/// RFC 7692 §7.1.2.1: a decimal number from 8 to 15 without leading zeros.
fn bits(value: Option<&str>) -> Option<u8> {
    match value? {
        "8" => Some(8),
        "9" => Some(9),
        "10" => Some(10),
        "11" => Some(11),
        "12" => Some(12),
        "13" => Some(13),
        "14" => Some(14),
        "15" => Some(15),
        _ => None,
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_max_window_bits {
            None => Ok(()),
            Some(ClientBits::Any) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            Some(ClientBits::Most(bits)) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
        }
    }
}
