//! A check of the caller's own.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::certificate::PeerCertificates;

type Refusal = Box<dyn StdError + Send + Sync>;
type Checking = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

/// What decides after everything else has, and before anything of HTTP is sent.
#[derive(Clone)]
pub(crate) struct Check(Arc<dyn Fn(PeerCertificates) -> Checking + Send + Sync>);

impl Check {
    pub(crate) fn new<F, R, E>(check: F) -> Self
    where
        F: Fn(PeerCertificates) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Refusal>,
    {
        Self(Arc::new(move |shown| -> Checking {
            let checking = check(shown);
            Box::pin(async move { checking.await.map_err(Into::into) })
        }))
    }

    pub(super) async fn ask(&self, shown: &PeerCertificates) -> Result<(), Refusal> {
        (self.0)(shown.clone()).await
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").finish_non_exhaustive()
    }
}
