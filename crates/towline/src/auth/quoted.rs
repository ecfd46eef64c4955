//! Values of parameters, as they stand in a header.

/// Adds a quoted string (RFC 9110 §5.6.4).
pub(super) fn quote(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Adds a value that says in which letters it is written (RFC 8187 §3.2.1).
pub(super) fn extend(out: &mut Vec<u8>, value: &str) {
    out.extend_from_slice(b"UTF-8''");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}
