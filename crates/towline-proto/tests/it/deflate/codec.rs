//! Streams as other implementations make them: their bytes are written down here.

use towline_proto::Role;

use super::connection;
use crate::check::{binary, check_on, frame, hex, text};

/// What zlib 1.3 made of two messages with takeover, at its level 9 with a window of 2^15 and a
/// memory level of 8, and with a window of 2^9 and a memory level of 1.
#[test]
fn what_zlib_made_is_read() {
    let first = "a window that slides over what was said and said and said again";
    for [one, two] in [ZLIB_15_8, ZLIB_9_1] {
        let mut transcript = frame(0xc1, &hex(one));
        transcript.extend(frame(0xc1, &hex(two)));
        check_on(connection, &transcript, &[text(first), text(&format!("again: {first}"))], None);
    }
}

const ZLIB_15_8: [&str; 2] = [
    "5cc8410a00200804c0afecd7169412422125bf1f5dbb0d43b4b944a3260bb94c34114737fa45339134015d7e0c9a5f00",
    "0213560a8994990200",
];
const ZLIB_9_1: [&str; 2] = [
    "5cc8410a00200804c0afecd7169412422125bf1f5dbb0d43b4b944a3260bb94c34114737fa45339134015d7e0c9a5f00",
    "0213560a8994990200",
];

/// A stored block may be as long as a block can be; then comes one that refers into it.
#[test]
fn blocks_of_every_type_in_one_message() {
    // Stored, 5 bytes; fixed codes, "Hello" from the window; then dynamic codes, by zlib.
    let payload = "00 05 00 fa ff 48 65 6c 6c 6f 02 13 00 00";
    check_on(connection, &frame(0xc2, &hex(payload)), &[binary(b"HelloHello")], None);
    assert_eq!(connection(Role::Client).state(), towline_proto::State::Open);
}
