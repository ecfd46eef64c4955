//! Messages to the kernel (`netlink(7)`).

/// What stands in front of each.
pub(super) const HEADER_BYTES: usize = 16;
/// That it is to be confirmed.
pub(super) const NLM_F_ACK: u16 = 4;
/// The kind of those that ask about sockets (`sock_diag(7)`).
pub(super) const SOCK_DIAG_BY_FAMILY: u16 = 20;

const NLM_F_REQUEST: u16 = 1;

/// A message that asks for something.
pub(super) fn request(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER_BYTES + body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    bytes.extend([0; 8]); // a number for the answer, and whose it is
    bytes.extend_from_slice(body);
    bytes
}
