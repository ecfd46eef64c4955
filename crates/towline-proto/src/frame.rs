//! A frame's header: two to fourteen bytes (RFC 6455 §5.2).

use crate::Role;
use crate::error::ProtocolError;
use crate::mask::MaskKey;
use crate::message::MessageKind;

/// What a frame carries (RFC 6455 §5.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6455 names these six; a seventh must not compile")]
pub enum Opcode {
    /// The next part of a message.
    Continuation,
    /// The first, or only, part of a text message.
    Text,
    /// The first, or only, part of a binary message.
    Binary,
    /// The closing frame.
    Close,
    /// A question for life.
    Ping,
    /// Its answer, or a sign of life unasked.
    Pong,
}

impl Opcode {
    const fn parse(bits: u8) -> Result<Self, ProtocolError> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return Err(ProtocolError::ReservedOpcode(bits)),
        })
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    /// Whether frames of this kind may stand between the frames of a message (RFC 6455 §5.5).
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FrameHeader {
    /// Whether the frame ends its message.
    pub fin: bool,
    /// Whether its message is compressed: the bit RSV1, on the first frame alone (RFC 7692 §6).
    pub compressed: bool,
    /// What the frame carries.
    pub opcode: Opcode,
    /// The key that its payload is masked with; clients mask, servers do not (RFC 6455 §5.1).
    pub mask: Option<MaskKey>,
    /// The payload's length in bytes, below 2^63.
    pub len: u64,
}

const FIN: u8 = 0x80;
// RFC 7692 §6 gives this one to permessage-deflate; the other two belong to nobody.
const RSV1: u8 = 0x40;
const RSV: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASK: u8 = 0x80;
const LEN: u8 = 0x7F;
const LEN_16: u8 = 126;
const LEN_64: u8 = 127;

/// Most bytes that a control frame may carry (RFC 6455 §5.5).
pub const MAX_CONTROL_LEN: usize = 125;

impl FrameHeader {
    /// The longest header in bytes: 2, a length of 8, a key of 4.
    pub const MAX_LEN: usize = 14;

    /// A header for a frame of ours.
    pub const fn new(fin: bool, opcode: Opcode, mask: Option<MaskKey>, len: u64) -> Self {
        Self { fin, compressed: false, opcode, mask, len }
    }

    /// The same header, saying that its message is compressed.
    #[must_use]
    pub const fn compressed(mut self, compressed: bool) -> Self {
        self.compressed = compressed;
        self
    }

    /// The header of a whole message of less than 126 bytes from a server, as it travels.
    #[inline(always)]
    pub(crate) const fn short(opcode: Opcode, len: u8) -> [u8; 2] {
        [FIN | opcode.bits(), len]
    }

    /// The same of a client.
    #[inline(always)]
    pub(crate) const fn short_masked(opcode: Opcode, len: u8, mask: MaskKey) -> [u8; 6] {
        let [a, b, c, d] = mask.to_bytes();
        [FIN | opcode.bits(), MASK | len, a, b, c, d]
    }

    /// Reads the header at the front of `input`, which was sent *to* `role`.
    ///
    /// Gives the header and its length in bytes, or `None` if `input` ends within it. What the
    /// first two bytes show to be wrong is reported as soon as they are there.
    ///
    /// # Errors
    /// The rule of RFC 6455 §5.2 or §5.5 that the header breaks.
    pub fn parse(input: &[u8], role: Role) -> Result<Option<(Self, usize)>, ProtocolError> {
        Self::parse_with(input, role, false)
    }

    /// The same, where the peer may have compressed its messages if `deflate` was agreed on.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(
        input: &[u8],
        role: Role,
        deflate: bool,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let [first, second, rest @ ..] = input else {
            // One byte is enough to see a reserved bit or opcode.
            if let [first] = input {
                Self::parse_first(*first, deflate)?;
            }
            return Ok(None);
        };
        let opcode = Self::parse_first(*first, deflate)?;
        let fin = first & FIN != 0;
        let compressed = first & RSV1 != 0;
        let short = second & LEN;
        if opcode.is_control() {
            if !fin {
                return Err(ProtocolError::FragmentedControlFrame);
            }
            if usize::from(short) > MAX_CONTROL_LEN {
                return Err(ProtocolError::ControlFrameTooLong);
            }
        }
        // RFC 6455 §5.1: masked towards the server, and only towards it.
        let masked = second & MASK != 0;
        match role {
            Role::Server if !masked => return Err(ProtocolError::UnmaskedFrame),
            Role::Client if masked => return Err(ProtocolError::MaskedFrame),
            Role::Server | Role::Client => {}
        }

        let (len, rest) = match short {
            LEN_16 => {
                let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let len = u64::from(u16::from_be_bytes(*bytes));
                if len < u64::from(LEN_16) {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (len, rest)
            }
            LEN_64 => {
                let Some((bytes, rest)) = rest.split_first_chunk() else { return Ok(None) };
                let len = u64::from_be_bytes(*bytes);
                if len >> 63 != 0 {
                    return Err(ProtocolError::LengthTopBit);
                }
                if len <= u64::from(u16::MAX) {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                (len, rest)
            }
            short => (u64::from(short), rest),
        };
        let (mask, rest) = if masked {
            let Some((key, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (Some(MaskKey::new(*key)), rest)
        } else {
            (None, rest)
        };
        Ok(Some((Self { fin, compressed, opcode, mask, len }, input.len() - rest.len())))
    }

    fn parse_first(first: u8, deflate: bool) -> Result<Opcode, ProtocolError> {
        match first & RSV {
            0 => Opcode::parse(first & OPCODE),
            RSV1 if deflate => match Opcode::parse(first & OPCODE)? {
                opcode @ (Opcode::Text | Opcode::Binary) => Ok(opcode),
                // RFC 7692 §6.1: the bit is for a message's first frame only.
                Opcode::Continuation | Opcode::Close | Opcode::Ping | Opcode::Pong => {
                    Err(ProtocolError::ReservedBits)
                }
            },
            _ => Err(ProtocolError::ReservedBits),
        }
    }

    /// The header as it travels; its length comes in the shortest form (RFC 6455 §5.2).
    pub fn encode(&self) -> EncodedHeader {
        let mut header = EncodedHeader { bytes: [0; Self::MAX_LEN], len: 0 };
        self.encode_to(|bytes| header.push(bytes));
        header
    }

    /// The same, at the end of `out`.
    #[inline(always)]
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        self.encode_to(|bytes| out.extend_from_slice(bytes));
    }

    #[inline(always)]
    fn encode_to(&self, mut push: impl FnMut(&[u8])) {
        let rsv1 = if self.compressed { RSV1 } else { 0 };
        let first = if self.fin { FIN } else { 0 } | rsv1 | self.opcode.bits();
        let mask = if self.mask.is_some() { MASK } else { 0 };
        if let Some(short) = u8::try_from(self.len).ok().filter(|short| *short < LEN_16) {
            push(&[first, mask | short]);
        } else if let Ok(len) = u16::try_from(self.len) {
            let [a, b] = len.to_be_bytes();
            push(&[first, mask | LEN_16, a, b]);
        } else {
            push(&[first, mask | LEN_64]);
            push(&self.len.to_be_bytes());
        }
        if let Some(key) = self.mask {
            push(&key.to_bytes());
        }
    }
}

/// A frame that is a whole message and that lies whole at the front of an input.
#[derive(Debug)]
pub(crate) struct WholeFrame<'a> {
    pub(crate) kind: MessageKind,
    pub(crate) mask: Option<MaskKey>,
    /// Where in the input its payload starts.
    pub(crate) start: usize,
    pub(crate) payload: &'a mut [u8],
}

const FIN_TEXT: u8 = FIN | Opcode::Text.bits();
const FIN_BINARY: u8 = FIN | Opcode::Binary.bits();

impl<'a> WholeFrame<'a> {
    /// Looks for one by its first two bytes, up to a length of 16 bits. Whatever else there is,
    /// and whatever is wrong, is left to [`FrameHeader::parse`].
    #[inline(always)]
    pub(crate) fn find(input: &'a mut [u8], role: Role) -> Option<Self> {
        let whole = input.len();
        let (&mut [first, second], rest) = input.split_first_chunk_mut()?;
        let kind = match first {
            FIN_TEXT => MessageKind::Text,
            FIN_BINARY => MessageKind::Binary,
            _ => return None,
        };
        let short = second & LEN;
        let (len, rest) = if short < LEN_16 {
            (usize::from(short), rest)
        } else {
            let (len, rest) = rest.split_first_chunk_mut()?;
            let len = u16::from_be_bytes(*len);
            if short == LEN_64 || len < u16::from(LEN_16) {
                return None;
            }
            (usize::from(len), rest)
        };
        let (mask, rest) = match (role, second & MASK != 0) {
            (Role::Server, true) => {
                let (key, rest) = rest.split_first_chunk_mut()?;
                (Some(MaskKey::new(*key)), rest)
            }
            (Role::Client, false) => (None, rest),
            (Role::Server, false) | (Role::Client, true) => return None,
        };
        let start = whole - rest.len();
        Some(Self { kind, mask, start, payload: rest.get_mut(..len)? })
    }
}

/// A header's bytes.
#[derive(Clone, Copy, Debug)]
pub struct EncodedHeader {
    bytes: [u8; FrameHeader::MAX_LEN],
    len: usize,
}

impl EncodedHeader {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

impl AsRef<[u8]> for EncodedHeader {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
