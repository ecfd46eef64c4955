//! [`Surroundings`]: whose the addresses are around here, and so the class of each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::clock::coarse;
use super::form::{Content, Form, Translator, content};
use super::own::{Own, hint_v4, hint_v6};
use super::table::{Tables, Verdict};
use super::{Class, Classified, Definitions};

/// After so long the addresses of this machine are read anew: one that was added counts within a second.
const KEEP: Duration = Duration::from_millis(500);

/// What the addresses around here mean. Cheap to clone.
///
/// ```
/// use towline_isolate::{Class, Definitions, Surroundings};
///
/// let here = Surroundings::of_system(&Definitions::default(), &[]);
/// assert_eq!(here.classify([8, 8, 8, 8].into()).class, Class::Internet);
/// assert_eq!(here.classify([192, 168, 1, 1].into()).class, Class::Private);
/// assert_eq!(here.classify([169, 254, 169, 254].into()).class, Class::Metadata);
/// ```
#[derive(Clone, Debug)]
pub struct Surroundings(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tables: Tables,
    translators: Vec<Translator>,
    trusted: Vec<String>,
    given: Vec<IpAddr>,
    /// Whether the system knows of more addresses of this machine.
    system: bool,
    own: RwLock<Own>,
    /// Of `own`, so that few need its lock.
    hints: AtomicU64,
    /// When they were read last, in milliseconds of the coarse clock.
    read_at: AtomicU64,
}

impl Surroundings {
    /// With this machine's addresses as the system has them, kept current, and further ones.
    pub fn of_system(definitions: &Definitions, own: &[IpAddr]) -> Self {
        Self::new(definitions, own, true)
    }

    /// With these addresses as this machine's, and no others.
    pub fn fixed(definitions: &Definitions, own: &[IpAddr]) -> Self {
        Self::new(definitions, own, false)
    }

    fn new(definitions: &Definitions, given: &[IpAddr], system: bool) -> Self {
        let translator = |prefix: &super::Range| match prefix.first() {
            IpAddr::V6(network) => Translator::new(network, prefix.prefix_length()?),
            IpAddr::V4(_) => None,
        };
        let trusted = definitions.trusted_interfaces.clone();
        let own = Own::read(given, system, &trusted).unwrap_or_default();
        Self(Arc::new(Inner {
            tables: Tables::new(definitions),
            translators: definitions.nat64_prefixes.iter().filter_map(translator).collect(),
            hints: AtomicU64::new(own.hints()),
            own: RwLock::new(own),
            trusted,
            given: given.to_vec(),
            system,
            read_at: AtomicU64::new(millis(coarse())),
        }))
    }

    /// The class of an address.
    #[inline]
    pub fn classify(&self, address: IpAddr) -> Classified {
        self.0.refresh();
        self.0.classify(address)
    }

    /// The class of an address as others see it: an address of this machine is what it would be as
    /// another one's.
    pub fn classify_from_outside(&self, address: IpAddr) -> Classified {
        let strange = match address.to_canonical() {
            IpAddr::V4(address) => Classified::plain(self.0.tables.v4(address)),
            IpAddr::V6(address) => Classified::plain(self.0.tables.v6(address)),
        };
        match self.classify(address) {
            classified if classified.why == OWN.why && classified.unwrapped.is_none() => strange,
            classified => classified,
        }
    }
}

impl Inner {
    #[inline]
    fn classify(&self, address: IpAddr) -> Classified {
        match address {
            IpAddr::V4(address) => Classified::plain(self.v4(address)),
            IpAddr::V6(address) => self.v6(address),
        }
    }

    /// Reads the addresses of this machine, if that was too long ago.
    #[inline]
    fn refresh(&self) {
        if !self.system {
            return;
        }
        let now = millis(coarse());
        let read_at = self.read_at.load(Ordering::Relaxed);
        if now.saturating_sub(read_at) >= millis(KEEP) {
            self.reread(read_at, now);
        }
    }

    #[cold]
    fn reread(&self, read_at: u64, now: u64) {
        // Another thread is at it.
        if self
            .read_at
            .compare_exchange(read_at, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            return;
        }
        // If the system does not say, those of before are likelier than none.
        if let Some(own) = Own::read(&self.given, true, &self.trusted) {
            let hints = own.hints();
            // Those of before until they are gone.
            self.hints.fetch_or(hints, Ordering::Relaxed);
            *self.own.write().unwrap_or_else(PoisonError::into_inner) = own;
            self.hints.store(hints, Ordering::Relaxed);
        }
    }

    /// Asks about the addresses of this machine, where they may have a say.
    #[inline]
    fn own<T: Default>(&self, hint: u64, ask: impl FnOnce(&Own) -> T) -> T {
        if self.hints.load(Ordering::Relaxed) & hint == 0 {
            return T::default();
        }
        ask(&self.own.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[inline]
    fn v4(&self, address: Ipv4Addr) -> Verdict {
        let hint = hint_v4(address);
        if self.own(hint, |own| own.has_v4(address)) {
            return OWN;
        }
        self.trusting(self.tables.v4(address), hint, address.into())
    }

    /// The subnet of a trusted interface is private, though its addresses may be for everybody.
    #[inline]
    fn trusting(&self, verdict: Verdict, hint: u64, address: IpAddr) -> Verdict {
        if verdict.class == Class::Internet && self.own(hint, |own| own.trusts(address)) {
            return TRUSTED;
        }
        verdict
    }

    fn v6(&self, address: Ipv6Addr) -> Classified {
        let content = content(address, &self.translators);
        // A socket of both families shows IPv4 so: it is no other address.
        if let Some(Content { form: form @ Form::V4Mapped, inner, .. }) = content {
            let unwrapped = Some((form, inner.into()));
            return Classified {
                unwrapped,
                by_carrier: false,
                ..Classified::plain(self.v4(inner))
            };
        }
        let hint = hint_v6(address);
        if self.own(hint, |own| own.has_v6(address)) {
            return Classified::plain(OWN);
        }
        let carrier = self.trusting(self.tables.v6(address), hint, address.into());
        let Some(Content { form, inner, second }) = content else {
            return Classified::plain(carrier);
        };
        let mut carried = (inner, self.v4(inner));
        if let Some(second) = second {
            let verdict = self.v4(second);
            if verdict.class < carried.1.class {
                carried = (second, verdict);
            }
        }
        let by_carrier = carrier.class < carried.1.class;
        let Verdict { class, why } = if by_carrier { carrier } else { carried.1 };
        Classified { class, why, unwrapped: Some((form, carried.0.into())), by_carrier }
    }
}

impl Classified {
    #[inline]
    fn plain(Verdict { class, why }: Verdict) -> Self {
        Self { class, why, unwrapped: None, by_carrier: true }
    }
}

const OWN: Verdict = Verdict { class: Class::Loopback, why: "an address of this machine" };

const TRUSTED: Verdict = Verdict {
    class: Class::Private,
    why: "in the subnet of a trusted interface, as machine policy says (trusted_networks)",
};

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
