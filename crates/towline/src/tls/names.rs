//! Which certificate a client is shown.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

use super::identity::Identity;

/// A server's certificates: which one a client is shown depends on the name that it asks for (SNI,
/// RFC 6066 §3). All that use them see when they are replaced.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<Arc<[Entry]>>);

#[derive(Debug)]
struct Entry {
    /// In lower case; a name may begin with `*.`.
    names: Box<[String]>,
    key: Arc<CertifiedKey>,
}

impl Names {
    /// The first is shown to clients that ask for none of their names, or for no name.
    pub(super) fn replace(&self, identities: impl IntoIterator<Item = Identity>) {
        let entries = identities.into_iter().map(Entry::new).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = entries;
    }

    pub(super) fn add(&self, identity: Identity) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let old = entries
            .iter()
            .map(|entry| Entry { names: entry.names.clone(), key: Arc::clone(&entry.key) });
        *entries = old.chain([Entry::new(identity)]).collect();
    }

    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let exact = |name: &str| entries.iter().find(|entry| entry.has(name));
        let found = name.and_then(|name| {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            // RFC 6125 §6.4.3: an asterisk stands for one label.
            let any = || exact(&format!("*.{}", name.split_once('.')?.1));
            exact(&name).or_else(any)
        });
        found.or_else(|| entries.first()).map(|entry| Arc::clone(&entry.key))
    }
}

impl Entry {
    fn new(Identity(key): Identity) -> Self {
        let leaf = key.cert.first().and_then(|leaf| EndEntityCert::try_from(leaf).ok());
        let names = leaf.iter().flat_map(|leaf| leaf.valid_dns_names());
        let names = names.map(str::to_ascii_lowercase).collect();
        Self { names, key }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.find(hello.server_name())
    }
}
