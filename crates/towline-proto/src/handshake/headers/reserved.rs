//! The headers that the handshake writes itself.

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY};
use http::header::{SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION};

/// What to do instead of setting a header that the handshake writes itself.
pub(in crate::handshake) fn reserved(name: &HeaderName) -> Option<&'static str> {
    if name == SEC_WEBSOCKET_PROTOCOL {
        Some("name subprotocols with subprotocol()")
    } else if name == SEC_WEBSOCKET_EXTENSIONS {
        Some("leave it out; compression is offered with deflate(), and there is no other extension")
    } else if [UPGRADE, CONNECTION, SEC_WEBSOCKET_VERSION].contains(name) {
        Some("leave it out, its value is always the same")
    } else if [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_ACCEPT].contains(name) {
        Some("leave it out, its value is new for every connection")
    } else if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
        Some("leave it out, the opening handshake has no body")
    } else {
        None
    }
}
