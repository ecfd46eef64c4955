//! [`Rules`]: what was set, be it by the program, the environment or the system.

use std::net::IpAddr;
use std::sync::Arc;

use towline_proto::WsUri;

#[cfg(feature = "pac")]
use super::PacScript;
use super::except::Exceptions;
use super::{Lead, Proxy, Route};
use crate::auth::Credentials;
use crate::error::{Error, Result};

/// What there is to say where there are proxies.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// For `ws`, and for `wss`.
    pub(super) plain: Choice,
    pub(super) secure: Choice,
    pub(super) except: Exceptions,
    /// Whether this machine is reached through them, too.
    pub(super) loopback: bool,
}

/// What is set for one scheme.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// None, and why.
    Direct(&'static str),
    /// These, the nearest first, and why.
    Through(Arc<[Proxy]>, &'static str),
    /// Something that cannot be read: where it stands, and what is wrong with it.
    Bad(&'static str, &'static str),
    /// A script says.
    #[cfg(feature = "pac")]
    Script(Box<Scripted>),
}

impl Choice {
    pub(crate) fn lead(&self) -> Result<Lead> {
        match self {
            Self::Direct(why) => Ok(Lead::Route(Route::directly(*why))),
            Self::Through(chain, why) => Ok(Lead::Route(Route::through(chain, *why))),
            Self::Bad(place, why) => Err(Error::invalid(format!("reading {place}"))
                .cause(*why)
                .advise("mend it, or say which proxy to use: Proxies::none is none")),
            #[cfg(feature = "pac")]
            Self::Script(scripted) => Ok(Lead::Script(scripted.clone())),
        }
    }

    /// Shows these to those proxies that have no credentials.
    pub(super) fn identify(&mut self, credentials: &Credentials) {
        match self {
            Self::Through(chain, _) => {
                *chain = chain.iter().cloned().map(|proxy| proxy.or(credentials)).collect();
            }
            #[cfg(feature = "pac")]
            Self::Script(scripted) => {
                scripted.credentials.get_or_insert_with(|| credentials.clone());
                if let Some(otherwise) = &mut scripted.otherwise {
                    otherwise.identify(credentials);
                }
            }
            Self::Direct(_) | Self::Bad(..) => {}
        }
    }

    /// Whether all credentials can be used at all.
    pub(super) fn check(&self) -> std::result::Result<(), &'static str> {
        let check = |who: Option<&Credentials>| who.map_or(Ok(()), Credentials::check);
        match self {
            Self::Through(chain, _) => {
                chain.iter().try_for_each(|proxy| check(proxy.shown_credentials()))
            }
            #[cfg(feature = "pac")]
            Self::Script(scripted) => {
                check(scripted.credentials.as_ref())?;
                scripted.otherwise.as_ref().map_or(Ok(()), Self::check)
            }
            Self::Direct(_) | Self::Bad(..) => Ok(()),
        }
    }
}

/// A script, and what belongs to it.
#[cfg(feature = "pac")]
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    pub(crate) script: PacScript,
    /// Who one is to the proxies that it names.
    pub(crate) credentials: Option<Credentials>,
    /// What holds where the script cannot be read, if that is no error.
    pub(crate) otherwise: Option<Choice>,
}

impl Rules {
    pub(super) fn choice(&self, uri: &WsUri) -> &Choice {
        if uri.is_secure() { &self.secure } else { &self.plain }
    }

    pub(super) fn is_spared_loopback(&self, uri: &WsUri) -> bool {
        !self.loopback && is_loopback(uri)
    }

    /// Why a server is connected to directly, although there are proxies.
    pub(super) fn spares(&self, uri: &WsUri) -> Option<String> {
        if self.is_spared_loopback(uri) {
            return Some("it is this machine".to_owned());
        }
        self.except.matching(uri).map(|rule| format!("{rule} is excepted"))
    }
}

/// Whether a server is on this machine, as far as its address tells (RFC 6761 §6.3).
fn is_loopback(uri: &WsUri) -> bool {
    match uri.ip() {
        Some(ip) => match ip.to_canonical() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_loopback(),
        },
        None => {
            let host = uri.host();
            let host = host.strip_suffix('.').unwrap_or(host);
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}
