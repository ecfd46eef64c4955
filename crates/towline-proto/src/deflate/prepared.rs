//! [`Prepared`]: a message that is compressed once and sent to many.

use bytes::Bytes;

use super::compressor::Shape;
use super::settings::Deflate;
use super::{MAX_WINDOW_BITS, MIN_COMPRESS_BITS};
use crate::message::Message;

/// A message that is compressed once and sent on any number of connections.
///
/// Send it with [`Sender::send_prepared`](crate::Sender::send_prepared). It goes out as it is where
/// no compression was agreed on, or only one with a smaller window than it was made for.
///
/// On a connection with context takeover it costs the next message a little: that one cannot refer
/// to what was sent before.
///
/// ```
/// use towline_proto::{Deflate, Message, Prepared};
///
/// let news = Prepared::new(Message::text("all is well; ".repeat(100)), &Deflate::default());
/// assert!(news.compressed_len().unwrap() < 50);
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    message: Message,
    compressed: Option<Bytes>,
    window_bits: u8,
}

impl Prepared {
    /// Compresses a message, at the level of these settings.
    ///
    /// Its window is the smaller one of the settings' two, so that no connection with them has to
    /// do without. A message below the threshold, or that does not become smaller, stays as it is.
    pub fn new(message: impl Into<Message>, settings: &Deflate) -> Self {
        let message = message.into();
        let window_bits =
            settings.get_server_max_window_bits().min(settings.get_client_max_window_bits());
        debug_assert!((MIN_COMPRESS_BITS..=MAX_WINDOW_BITS).contains(&window_bits));
        let mut prepared = Self { message, compressed: None, window_bits };
        if prepared.message.len() < settings.get_threshold() {
            return prepared;
        }
        let mut compressor = settings.pool.take_compressor(Shape {
            window_bits,
            level: settings.get_level(),
            memory_level: settings.get_memory_level(),
        });
        let mut scratch = settings.pool.take_scratch();
        compressor.compress(prepared.message.as_bytes(), true, &mut scratch);
        if scratch.len() < prepared.message.len() {
            prepared.compressed = Some(Bytes::copy_from_slice(scratch.as_slice()));
        }
        settings.pool.give_compressor(compressor);
        settings.pool.give_scratch(scratch);
        prepared
    }

    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Bytes of the compressed form; `None` if there is none.
    pub fn compressed_len(&self) -> Option<usize> {
        self.compressed.as_ref().map(Bytes::len)
    }

    /// The compressed form, if a peer with a window of 2^bits bytes can inflate it.
    pub(super) fn compressed_for(&self, window_bits: u8) -> Option<&Bytes> {
        self.compressed.as_ref().filter(|_| self.window_bits <= window_bits)
    }
}
