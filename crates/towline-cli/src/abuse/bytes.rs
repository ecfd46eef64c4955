//! Frames and heads, byte by byte.

use super::attack::Side;

/// The mask of our frames (RFC 6455 §5.7 has it in its examples). Attackers need no secrets.
const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// First bytes of frames: FIN, RSV1 to RSV3 and the opcode (RFC 6455 §5.2).
pub(super) const CONTINUATION: u8 = 0x00;
pub(super) const LAST: u8 = 0x80;
pub(super) const TEXT: u8 = 0x81;
pub(super) const BINARY: u8 = 0x82;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8A;
/// A first byte without FIN.
pub(super) const fn begun(first: u8) -> u8 {
    first & 0x7F
}

/// A frame as this side has to send it.
pub(super) fn frame(side: Side, first: u8, payload: &[u8]) -> Vec<u8> {
    match side {
        Side::Client => masked(first, payload),
        Side::Server => unmasked(first, payload),
    }
}

/// A frame as a client has to send it.
pub(super) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, 0x80, payload.len());
    frame.extend(KEY);
    frame.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// A frame as a server has to send it.
pub(super) fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, 0, payload.len());
    frame.extend_from_slice(payload);
    frame
}

fn header(first: u8, mask: u8, len: usize) -> Vec<u8> {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..126), _) => vec![first, mask | len],
        (_, Ok(len)) => [&[first, mask | 126], &len.to_be_bytes()[..]].concat(),
        _ => [&[first, mask | 127], &widened(len).to_be_bytes()[..]].concat(),
    }
}

/// The header of a frame with a length in 64 bits, whether that is its shortest form or not.
pub(super) fn declaring(side: Side, first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first, mask_bit(side) | 127];
    header.extend(len.to_be_bytes());
    header.extend(key(side));
    header
}

/// The same with a length in 16 bits.
pub(super) fn declaring_16(side: Side, first: u8, len: u16) -> Vec<u8> {
    let mut header = vec![first, mask_bit(side) | 126];
    header.extend(len.to_be_bytes());
    header.extend(key(side));
    header
}

fn mask_bit(side: Side) -> u8 {
    if side == Side::Client { 0x80 } else { 0 }
}

/// A key of zeros, where there has to be one: payload can then follow as it is.
fn key(side: Side) -> &'static [u8] {
    if side == Side::Client { &[0; 4] } else { &[] }
}

/// A closing frame with these bytes for a code, and a reason.
pub(super) fn close(side: Side, code: u16, reason: &[u8]) -> Vec<u8> {
    frame(side, CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// An opening request with some headers changed, left out (`None`) or added.
pub(super) fn request(line: &str, host: &str, changes: &[(&str, Option<&str>)]) -> Vec<u8> {
    let own = [
        ("Host", host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        // RFC 6455 §1.3
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    head(line, &own, changes)
}

/// A first line, headers, and those changed, left out (`None`) or added.
pub(super) fn head(line: &str, own: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut head = format!("{line}\r\n");
    let kept = own.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let kept = kept.map(|(name, value)| (*name, *value));
    let changed = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
    for (name, value) in kept.chain(changed) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    (head + "\r\n").into_bytes()
}

/// A length as wide as any.
pub(super) fn widened(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{BINARY, Side, TEXT, declaring, frame, header, request};

    #[test]
    fn frames_are_those_of_the_rfc() {
        // RFC 6455 §5.7
        assert_eq!(frame(Side::Server, TEXT, b"Hello"), b"\x81\x05Hello");
        let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        assert_eq!(frame(Side::Client, TEXT, b"Hello"), masked);
        assert_eq!(header(BINARY, 0, 256), b"\x82\x7E\x01\x00");
        assert_eq!(header(BINARY, 0, 65_536), b"\x82\x7F\0\0\0\0\0\x01\0\0");
        assert_eq!(declaring(Side::Server, BINARY, 1), b"\x82\x7F\0\0\0\0\0\0\0\x01");
    }

    #[test]
    fn headers_are_changed_left_out_and_added() {
        let changes = [("Host", None), ("Upgrade", Some("x")), ("X", Some("y"))];
        let head = String::from_utf8(request("GET / HTTP/1.1", "h", &changes)).unwrap();
        assert!(head.starts_with("GET / HTTP/1.1\r\nConnection: Upgrade\r\n"), "{head}");
        assert!(head.ends_with("Upgrade: x\r\nX: y\r\n\r\n"), "{head}");
        assert!(!head.contains("Host"), "{head}");
    }
}
