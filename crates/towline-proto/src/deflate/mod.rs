//! Compression of messages: the extension `permessage-deflate` (RFC 7692).
//!
//! ```text
//!                 client                                    server
//!   Deflate --> DeflateOffer ---- offer ----> Deflate::accept(offers) --> DeflateTerms
//!   DeflateTerms <-- agreed() <-- answer ---- (its text)                       |
//!        |                                                                     |
//!        +-------------> Connection::deflate(&terms) <-------------------------+
//!                          Deflater: a message's bytes -> its frames' payloads
//!                          Inflater: its frames' payloads -> bounded pieces
//! ```
//!
//! What was agreed says what each side may do; the settings say what ours does with it.

mod budget;
mod compressor;
mod decompressor;
mod deflater;
mod error;
mod inflater;
mod offer;
mod params;
mod pool;
mod prepared;
mod scratch;
mod settings;
mod terms;

pub use budget::MemoryBudget;
pub use error::DeflateError;
pub use offer::DeflateOffer;
pub use prepared::Prepared;
pub use settings::Deflate;
pub use terms::DeflateTerms;

pub(crate) use deflater::{Deflater, PART};
pub(crate) use inflater::Inflater;

/// The name under which the extension is registered (RFC 7692 §7).
const NAME: &str = "permessage-deflate";

/// What ends the output of a flush, and is taken off a message's end (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The largest window, of 2^15 bytes, which is also what counts where none was agreed
/// (RFC 7692 §7.1.2).
const MAX_WINDOW_BITS: u8 = 15;

/// The smallest window that zlib's implementations can compress with. RFC 7692 §7.1.2 knows 8 too.
const MIN_COMPRESS_BITS: u8 = 9;
