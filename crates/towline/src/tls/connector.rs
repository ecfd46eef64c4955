//! A client's TLS, made of its settings.

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, KeyLogFile, RootCertStore, SignatureScheme};
use webpki::KeyUsage;

use super::check::Check;
use super::config::{Kind, Settings, TlsConfig, Whom};
use super::crls::Lists;
use super::examiner::Examiner;
use super::identity::Identity;
use super::provider::provider;
use super::roots;
use super::trust::{Base, Trust};
use super::verifier::{Last, ServerVerifier};
use crate::error::{Error, ErrorKind, Result};

type Refused = Box<dyn StdError + Send + Sync>;

/// A client's settings of TLS, and what was made of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    config: TlsConfig,
    checks: Arc<Vec<Check>>,
    /// Whether anything was set.
    set: bool,
    /// Whether anything was but whom to trust.
    more: bool,
    /// Made when it is first needed: who never connects by `wss` needs no roots. Clones share it,
    /// and with it the sessions that can be resumed.
    made: Arc<Made>,
    /// Whether no certificate of one's own is shown.
    nameless: bool,
}

/// What was made of the settings. Each has sessions of its own: one that is resumed shows again who it was.
#[derive(Debug, Default)]
struct Made {
    named: OnceLock<Connector>,
    nameless: OnceLock<Connector>,
}

/// What connecting needs.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(super) config: Arc<ClientConfig>,
    /// `None` if rustls was told by somebody else.
    pub(super) verifier: Option<Arc<ServerVerifier>>,
    pub(super) checks: Arc<Vec<Check>>,
}

impl Tls {
    /// Changes whom to trust, and nothing else that was set.
    pub(crate) fn trust(&mut self, config: TlsConfig) -> std::result::Result<(), Refused> {
        (self.set, self.made) = (true, Arc::default());
        match (config.0, &mut self.config.0) {
            (Kind::Ours(new), Kind::Ours(settings)) => settings.whom = new.whom,
            (Kind::Rustls(_), Kind::Ours(_)) if self.more => return Err(set_by_rustls()),
            (new, old) => *old = new,
        }
        Ok(())
    }

    /// Changes a setting.
    pub(crate) fn change(
        &mut self,
        change: impl FnOnce(&mut Settings) -> std::result::Result<(), Refused>,
    ) -> std::result::Result<(), Refused> {
        (self.set, self.more, self.made) = (true, true, Arc::default());
        match &mut self.config.0 {
            Kind::Ours(settings) => change(settings),
            Kind::Rustls(_) => Err(set_by_rustls()),
        }
    }

    pub(crate) fn check(&mut self, check: Check) {
        self.made = Arc::default();
        Arc::make_mut(&mut self.checks).push(check);
    }

    /// Whether anything was set: then it is tried out before it is needed.
    pub(crate) fn is_set(&self) -> bool {
        self.set
    }

    /// The same, but no certificate of one's own is shown: for servers that the caller did not name.
    pub(crate) fn nameless(&self) -> Self {
        Self { nameless: true, ..self.clone() }
    }

    pub(crate) fn connector(&self) -> Result<&Connector> {
        let made = if self.nameless { &self.made.nameless } else { &self.made.named };
        if let Some(made) = made.get() {
            return Ok(made);
        }
        let (config, verifier) = match &self.config.0 {
            Kind::Rustls(config) if self.nameless => (Arc::new(without_identity(config)), None),
            Kind::Rustls(config) => (Arc::clone(config), None),
            Kind::Ours(settings) => {
                let identity = settings.identity.as_ref().filter(|_| !self.nameless);
                let (config, verifier) = make(settings, identity)?;
                (Arc::new(config), Some(verifier))
            }
        };
        let checks = Arc::clone(&self.checks);
        Ok(made.get_or_init(|| Connector { config, verifier, checks }))
    }
}

fn set_by_rustls() -> Refused {
    "beside TlsConfig::from_rustls that is for the settings which it was given".into()
}

/// What somebody else has set, without whom it shows.
fn without_identity(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.client_auth_cert_resolver = Arc::new(Nobody);
    config.resumption = Resumption::default();
    config
}

/// Has no certificate.
#[derive(Debug)]
struct Nobody;

impl ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn make(
    settings: &Settings,
    identity: Option<&Identity>,
) -> Result<(ClientConfig, Arc<ServerVerifier>)> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let (base, own) = match &settings.whom {
        Whom::Platform => (roots::platform(&[], &provider)?, Vec::new()),
        Whom::PlatformAnd(own) => (roots::platform(own, &provider)?, own.clone()),
        Whom::Only(own) => {
            let mut store = RootCertStore::empty();
            roots::add(&mut store, own.iter().cloned())?;
            (Base::Roots(store), own.clone())
        }
        Whom::Verifier(verifier) => (Base::Verifier(Arc::clone(verifier)), Vec::new()),
    };
    let (store, asked) = match base {
        Base::Roots(store) => (store, None),
        Base::Verifier(_) if !settings.crls.is_empty() => {
            return Err(Error::invalid("looking certificates up in lists of what was revoked")
                .cause("whoever judges the chain here looks for that itself")
                .advise("name the roots with TlsConfig::roots_pem, or leave the lists out"));
        }
        Base::Verifier(verifier) => (RootCertStore::empty(), Some(verifier)),
    };
    let usage = KeyUsage::server_auth();
    let lists = Lists::parse(&settings.crls)?;
    let verifier = Arc::new(ServerVerifier {
        trust: Trust {
            examiner: Examiner::new(store, own, lists, usage, algorithms),
            verifier: asked,
        },
        ignored: settings.ignored.clone(),
        pins: settings.pins.clone(),
        algorithms,
        last: Last::default(),
    });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&settings.versions.list()?)
        .map_err(|error| Error::new(ErrorKind::Tls, "setting up TLS").cause(error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone());
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let identity = SingleCertAndKey::from(Arc::clone(&identity.0));
            builder.with_client_cert_resolver(Arc::new(identity))
        }
    };
    config.alpn_protocols.clone_from(&settings.alpn);
    if settings.key_log {
        config.key_log = Arc::new(KeyLogFile::new());
    }
    Ok((config, verifier))
}
