//! A request's head as it may be kept: how somebody said who they are, and not what they said.

/// Leaves of `Authorization` the scheme alone.
pub(crate) fn hide(head: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"Authorization: ";
    let mut kept = Vec::with_capacity(head.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let value = line.strip_prefix(NAME);
        match value.and_then(|value| value.iter().position(|byte| *byte == b' ')) {
            Some(end) => {
                kept.extend_from_slice(&line[..NAME.len() + end]);
                kept.extend_from_slice(b"\r\n");
            }
            None => kept.extend_from_slice(line),
        }
    }
    kept
}
