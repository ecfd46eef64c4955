//! The client's half of the opening handshake (RFC 6455 §4.1).
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is a failed test")]

mod request;
mod response;

use towline_proto::WsUri;
use towline_proto::handshake::{ClientHandshake, ClientRequest, HeadLimits};

/// The key of RFC 6455 §1.3.
const KEY: [u8; 16] = *b"the sample nonce";

fn request_to(uri: &str) -> ClientRequest {
    ClientRequest::new(&WsUri::parse(uri).unwrap())
}

fn start(request: ClientRequest) -> ClientHandshake {
    ClientHandshake::new(request, KEY, HeadLimits::default())
}
