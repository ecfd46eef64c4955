//! The masking keys of a thread's clients.

use std::cell::RefCell;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use towline_proto::{MaskKey, MaskKeys};

thread_local! {
    /// One for all connections: with one each, the generators would be a fifth of the memory of an
    /// idle connection, and would have to be fetched from there for each message.
    static GENERATOR: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// Keys that nobody can predict (RFC 6455 §10.3): the generator begins at a strong source.
pub(super) fn mask_keys() -> MaskKeys {
    MaskKeys::draw(|| {
        GENERATOR.with_borrow_mut(|generator| {
            let generator = generator.get_or_insert_with(|| StdRng::from_seed(rand::random()));
            MaskKey::new(generator.next_u32().to_ne_bytes())
        })
    })
}
