//! Where a client's masking keys come from.

use std::fmt;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::mask::MaskKey;

/// Where a client's masking keys come from. Whoever sees some must not be able to tell the next
/// (RFC 6455 §10.3).
///
/// A seed of 32 unpredictable bytes is enough, and the same seed gives the same keys again. The
/// generator of such a connection takes 320 bytes; connections that [draw](Self::draw) from one of
/// their program take none.
///
/// ```
/// use std::time::Instant;
/// use towline_proto::{Config, Connection, MaskKey, MaskKeys, Role};
///
/// # fn from_the_generator_of_this_thread() -> [u8; 4] { [7; 4] }
/// let keys = MaskKeys::draw(|| MaskKey::new(from_the_generator_of_this_thread()));
/// let client = Connection::new(Role::Client, Config::default(), keys, Instant::now());
/// ```
pub struct MaskKeys(Source);

enum Source {
    /// Boxed: large, and a server has none.
    Own(Box<ChaCha12Rng>),
    Drawn(fn() -> MaskKey),
}

impl MaskKeys {
    /// Keys that `draw` gives, a fresh one for each frame.
    pub const fn draw(draw: fn() -> MaskKey) -> Self {
        Self(Source::Drawn(draw))
    }

    #[inline]
    pub(super) fn next(&mut self) -> MaskKey {
        match &mut self.0 {
            Source::Own(generator) => MaskKey::new(generator.next_u32().to_ne_bytes()),
            Source::Drawn(draw) => draw(),
        }
    }
}

impl From<[u8; 32]> for MaskKeys {
    /// Keys that a generator of their own makes of a seed.
    fn from(seed: [u8; 32]) -> Self {
        Self(Source::Own(Box::new(ChaCha12Rng::from_seed(seed))))
    }
}

/// Tells nothing from which keys could be foretold.
impl fmt::Debug for MaskKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskKeys").finish_non_exhaustive()
    }
}
