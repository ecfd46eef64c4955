//! [`Fetched`]: what was found at the URL of a script.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// What was found at the URL of a script.
#[derive(Default)]
pub(crate) struct Fetched {
    /// Held while it is fetched, so that it is fetched once.
    pub(crate) fetching: tokio::sync::Mutex<()>,
    last: std::sync::Mutex<Last>,
}

/// What came of it last.
#[derive(Clone, Default)]
pub(crate) struct Last {
    /// `None` if nothing ever came.
    pub(crate) text: Option<Arc<str>>,
    /// Before that it is not tried again.
    pub(crate) next: Option<Instant>,
}

impl Fetched {
    pub(crate) fn last(&self) -> Last {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a text for so long, and gives it.
    pub(crate) fn keep(&self, text: Arc<str>, next: Option<Instant>) -> Arc<str> {
        self.set(Last { text: Some(Arc::clone(&text)), next });
        text
    }

    /// Nothing came.
    pub(crate) fn miss(&self, next: Option<Instant>) {
        self.set(Last { text: None, next });
    }

    fn set(&self, last: Last) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}
