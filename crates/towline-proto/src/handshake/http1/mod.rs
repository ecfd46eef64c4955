//! One HTTP/1.1 head: found in the bytes as they come, parsed, and printed (RFC 9112 §2.1).

mod error;
mod parse;
mod reader;

pub use error::HeadError;
pub use reader::HeadReader;

use http::{HeaderName, HeaderValue};

/// Prints one header line, with the name as people are used to seeing it: `Sec-WebSocket-Key`.
///
/// Case does not matter in HTTP/1.1 (RFC 9110 §5.1), but not everybody has heard of that.
pub fn write_header(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    for (i, word) in name.as_str().split('-').enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        match word.as_bytes() {
            b"websocket" => out.extend_from_slice(b"WebSocket"),
            [first, rest @ ..] => {
                out.push(first.to_ascii_uppercase());
                out.extend_from_slice(rest);
            }
            [] => {}
        }
    }
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}
