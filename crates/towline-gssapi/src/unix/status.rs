//! What a status means, in the library's own words.

use std::io;
use std::ptr;

use super::ffi::{Api, Buffer};
use super::taken;

/// More tokens are to follow (RFC 2744 §3.9.1).
pub(super) const CONTINUE_NEEDED: u32 = 1;

/// The bits of a status that say that it is an error: those above the supplementary ones.
const ERRORS: u32 = 0xffff_0000;

/// `GSS_C_GSS_CODE` and `GSS_C_MECH_CODE` (RFC 2744 §5.11).
const OF_GSSAPI: i32 = 1;
const OF_MECHANISM: i32 = 2;

/// Parts of a message that are put together.
const MAX_PARTS: usize = 4;

/// The error of a call, if it was one.
pub(super) fn check(api: &Api, major: u32, minor: u32) -> io::Result<()> {
    if major & ERRORS == 0 {
        return Ok(());
    }
    // The mechanism's own words say more, where it has some.
    let text = Some(minor).filter(|minor| *minor != 0).map(|minor| text(api, minor, OF_MECHANISM));
    let text = text.filter(|text| !text.is_empty());
    Err(io::Error::other(text.unwrap_or_else(|| self::text(api, major, OF_GSSAPI))))
}

fn text(api: &Api, status: u32, kind: i32) -> String {
    let mut parts = Vec::new();
    let mut next = 0;
    for _ in 0..MAX_PARTS {
        let (mut minor, mut buffer) = (0, Buffer { length: 0, value: ptr::null_mut() });
        // SAFETY: everything points to values that live until it returns; no mechanism is named, which
        // RFC 2744 §5.11 lets be null; `next` is what the last call has put there, and 0 at first.
        let major = unsafe {
            (api.display_status)(&mut minor, status, kind, ptr::null(), &mut next, &mut buffer)
        };
        let part = taken(api, buffer);
        if major & ERRORS != 0 {
            break;
        }
        // Some end in the zero byte of C.
        parts.push(String::from_utf8_lossy(&part).trim_end_matches(['\0', ' ']).to_owned());
        if next == 0 {
            break;
        }
    }
    parts.join(", ")
}
