//! Masking: XOR with a key of four bytes, in place and resumable (RFC 6455 §5.3).

/// A masking key, turned so that its first byte is for the next payload byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MaskKey([u8; 4]);

impl MaskKey {
    /// The key as it stands in a frame's header.
    pub const fn new(key: [u8; 4]) -> Self {
        Self(key)
    }

    /// The four bytes.
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0
    }

    /// Masks or unmasks the next bytes of a payload, and turns the key on by as many.
    pub fn apply(&mut self, data: &mut [u8]) {
        let [a, b, c, d] = self.0;
        let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        // Whole words in a plain loop: the compiler makes vector code of it.
        let (words, rest) = data.as_chunks_mut::<8>();
        for chunk in words {
            *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
        }
        // Eight is a multiple of four, so the rest begins at the key's first byte.
        for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
            *byte ^= key;
        }
        self.0.rotate_left(rest.len() % 4);
    }
}
