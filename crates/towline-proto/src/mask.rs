//! Masking: XOR with a key of four bytes, in place and resumable (RFC 6455 §5.3).

/// A masking key, turned so that its first byte is for the next payload byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MaskKey([u8; 4]);

/// From this length on vector code wins.
const LONG: usize = 128;

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
        self.apply_all(data);
        self.0.rotate_left(data.len() % 4);
    }

    /// Masks or unmasks a whole payload.
    #[inline(always)]
    pub(crate) fn apply_all(self, data: &mut [u8]) {
        if data.len() < LONG {
            self.apply_short(data);
        } else {
            self.apply_long(data);
        }
    }

    /// Whole words in a plain loop, of which the compiler makes vector code.
    #[inline(never)]
    fn apply_long(self, data: &mut [u8]) {
        let [a, b, c, d] = self.0;
        let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        let (words, rest) = data.as_chunks_mut::<8>();
        for chunk in words {
            *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
        }
        // Eight is a multiple of four, so the rest begins at the key's first byte.
        self.apply_short(rest);
    }

    /// Few bytes, where to set up vector code costs more than all the rest: the first word and the
    /// last, which may overlap, both read before either is written.
    #[inline(always)]
    fn apply_short(self, data: &mut [u8]) {
        let key = u32::from_le_bytes(self.0);
        // The key as it stands before the last whole word.
        let turned = key.rotate_right(8 * u32::try_from(data.len() % 4).unwrap_or(0));
        if let Some(&last) = data.last_chunk() {
            if let Some((start, rest)) = data.split_first_chunk_mut() {
                *start = xor(*start, key);
                if rest.len() > 16 {
                    for chunk in rest.as_chunks_mut().0 {
                        *chunk = xor(*chunk, key);
                    }
                }
            }
            if let Some(end) = data.last_chunk_mut() {
                *end = xor(last, turned);
            }
        } else if let Some((&first, &last)) = data.first_chunk::<8>().zip(data.last_chunk::<8>()) {
            if let Some(start) = data.first_chunk_mut() {
                *start = (u64::from_le_bytes(first) ^ twice(key)).to_le_bytes();
            }
            if let Some(end) = data.last_chunk_mut() {
                *end = (u64::from_le_bytes(last) ^ twice(turned)).to_le_bytes();
            }
        } else {
            for (byte, key) in data.iter_mut().zip(twice(key).to_le_bytes()) {
                *byte ^= key;
            }
        }
    }
}

/// Sixteen bytes at once. Written so that they are stored at once: whoever reads them next would
/// have to wait for two stores of eight.
#[inline(always)]
fn xor(mut bytes: [u8; 16], key: u32) -> [u8; 16] {
    for word in bytes.as_chunks_mut().0 {
        *word = (u32::from_le_bytes(*word) ^ key).to_le_bytes();
    }
    bytes
}

fn twice(key: u32) -> u64 {
    let key = u64::from(key);
    key << 32 | key
}
