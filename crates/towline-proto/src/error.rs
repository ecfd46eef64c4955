//! Whose fault it was: the peer's (`ProtocolError`) or the caller's (`SendError`).

use std::fmt;

use crate::close::CloseCode;

/// The peer broke the WebSocket protocol, or went past a limit of ours.
///
/// [`close_code`](Self::close_code) is what the closing frame tells the peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit was set that no extension gave a meaning to (RFC 6455 §5.2).
    ReservedBits,
    /// An opcode from the reserved ranges (RFC 6455 §5.2).
    ReservedOpcode(u8),
    /// A client sent a frame without a mask (RFC 6455 §5.1).
    UnmaskedFrame,
    /// A server sent a masked frame (RFC 6455 §5.1).
    MaskedFrame,
    /// A length that a shorter form could hold (RFC 6455 §5.2).
    LengthNotMinimal,
    /// A 64-bit length with the top bit set (RFC 6455 §5.2).
    LengthTopBit,
    /// A control frame was fragmented (RFC 6455 §5.5).
    FragmentedControlFrame,
    /// A control frame carried more than 125 bytes (RFC 6455 §5.5).
    ControlFrameTooLong,
    /// A continuation frame with no message to continue (RFC 6455 §5.4).
    UnexpectedContinuation,
    /// A new message began before the last one had ended (RFC 6455 §5.4).
    ExpectedContinuation,
    /// Text that is not UTF-8 (RFC 6455 §8.1).
    InvalidUtf8,
    /// A compressed message that is no DEFLATE (RFC 7692 §7.2.2).
    InvalidDeflate,
    /// A closing frame with a payload of one byte (RFC 6455 §5.5.1).
    ClosePayloadTooShort,
    /// A close code that may not travel (RFC 6455 §7.4).
    InvalidCloseCode(u16),
    /// A close reason that is not UTF-8 (RFC 6455 §5.5.1).
    InvalidCloseReason,
    /// A message larger than [`Config::max_message_size`](crate::Config::max_message_size).
    MessageTooBig {
        /// The limit, in bytes.
        limit: u64,
    },
    /// A compressed message that inflates to more than
    /// `Deflate::max_ratio` times what came.
    RatioTooHigh {
        /// The limit: bytes out for each byte in.
        limit: u32,
    },
    /// A frame larger than [`Config::max_frame_size`](crate::Config::max_frame_size).
    FrameTooBig {
        /// The limit, in bytes.
        limit: u64,
        /// What the frame declared, in bytes.
        declared: u64,
    },
    /// More frames in one message than [`Config::max_fragments`](crate::Config::max_fragments).
    TooManyFragments {
        /// The limit, in frames.
        limit: u64,
    },
    /// More empty frames in a row than [`Config::max_empty_fragments`](crate::Config::max_empty_fragments).
    TooManyEmptyFragments {
        /// The limit, in frames.
        limit: u64,
    },
    /// More control frames in a second than
    /// [`Config::max_control_frames_per_second`](crate::Config::max_control_frames_per_second).
    TooManyControlFrames {
        /// The limit, in frames per second.
        limit: u32,
    },
}

impl ProtocolError {
    /// The close code that fails the connection for this reason (RFC 6455 §7.4.1).
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::ReservedBits
            | Self::ReservedOpcode(_)
            | Self::UnmaskedFrame
            | Self::MaskedFrame
            | Self::LengthNotMinimal
            | Self::LengthTopBit
            | Self::FragmentedControlFrame
            | Self::ControlFrameTooLong
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::ClosePayloadTooShort
            | Self::InvalidCloseCode(_) => CloseCode::PROTOCOL_ERROR,
            // RFC 7692 names no code for what cannot be inflated: as with text that is no text, the
            // frames are in order and what they carry is not.
            Self::InvalidUtf8 | Self::InvalidCloseReason | Self::InvalidDeflate => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::MessageTooBig { .. } | Self::RatioTooHigh { .. } | Self::FrameTooBig { .. } => {
                CloseCode::MESSAGE_TOO_BIG
            }
            // RFC 6455 names no code for a flood: 1008 is the one for "no other fits".
            Self::TooManyFragments { .. }
            | Self::TooManyEmptyFragments { .. }
            | Self::TooManyControlFrames { .. } => CloseCode::POLICY_VIOLATION,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits => f.write_str("a reserved bit is set"),
            Self::ReservedOpcode(opcode) => write!(f, "opcode {opcode:#x} is reserved"),
            Self::UnmaskedFrame => f.write_str("a client's frame is not masked"),
            Self::MaskedFrame => f.write_str("a server's frame is masked"),
            Self::LengthNotMinimal => f.write_str("a frame's length is not in its shortest form"),
            Self::LengthTopBit => f.write_str("a frame's length has its top bit set"),
            Self::FragmentedControlFrame => f.write_str("a control frame is fragmented"),
            Self::ControlFrameTooLong => f.write_str("a control frame is longer than 125 bytes"),
            Self::UnexpectedContinuation => {
                f.write_str("a continuation frame continues no message")
            }
            Self::ExpectedContinuation => {
                f.write_str("a message began before the last one had ended")
            }
            Self::InvalidUtf8 => f.write_str("a text message is not UTF-8"),
            Self::InvalidDeflate => f.write_str("a compressed message cannot be inflated"),
            Self::ClosePayloadTooShort => f.write_str("a closing frame's payload is one byte"),
            Self::InvalidCloseCode(code) => write!(f, "close code {code} may not be sent"),
            Self::InvalidCloseReason => f.write_str("a close reason is not UTF-8"),
            Self::MessageTooBig { limit } => {
                write!(f, "a message is larger than the limit of {limit} bytes")
            }
            Self::RatioTooHigh { limit } => {
                write!(f, "a message inflates to more than {limit} times its compressed size")
            }
            Self::FrameTooBig { limit, declared } => {
                write!(f, "a frame of {declared} bytes is larger than the limit of {limit} bytes")
            }
            Self::TooManyFragments { limit } => {
                write!(f, "a message has more than {limit} frames")
            }
            Self::TooManyEmptyFragments { limit } => {
                write!(f, "more than {limit} empty frames came in a row")
            }
            Self::TooManyControlFrames { limit } => {
                write!(f, "more than {limit} control frames came within a second")
            }
        }
    }
}

impl std::error::Error for ProtocolError {}

/// The caller asked for something that the connection cannot do now.
///
/// Nothing was sent, and the connection is as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SendError {
    /// The closing handshake has begun, or the connection has failed (RFC 6455 §5.5.1).
    Closed,
    /// A message is being sent in fragments: end it before starting another (RFC 6455 §5.4).
    MessageOpen,
    /// A fragment's kind differs from the kind that its message began with.
    KindChanged,
    /// A frame was begun and its payload is not complete: nothing else may be sent inside it.
    FrameOpen,
    /// More payload than the open frame declared, or no frame is open.
    FrameOverrun,
    /// A frame of 2^63 bytes or more (RFC 6455 §5.2).
    FrameTooLong,
    /// A frame of a declared length inside a message that was begun compressed.
    MessageCompressed,
    /// Text that is not UTF-8 (RFC 6455 §8.1).
    InvalidUtf8,
    /// A ping or pong payload of more than 125 bytes (RFC 6455 §5.5).
    ControlTooLong,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closing or closed",
            Self::MessageOpen => {
                "a fragmented message is open; send its final fragment before the next message"
            }
            Self::KindChanged => "a message keeps the kind of its first fragment",
            Self::FrameOpen => "a frame is open; send the rest of its payload first",
            Self::FrameOverrun => "the payload is longer than the open frame declared",
            Self::FrameTooLong => "a frame holds less than 2^63 bytes; send a longer one in parts",
            Self::MessageCompressed => {
                "a frame of a declared length cannot go on with a compressed message"
            }
            Self::InvalidUtf8 => "a text message must be UTF-8; send these bytes as binary",
            Self::ControlTooLong => "a ping or pong carries at most 125 bytes",
        })
    }
}

impl std::error::Error for SendError {}
