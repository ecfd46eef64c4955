//! Names to addresses.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::net::lookup_host;
use towline_proto::WsUri;

/// Looks up the addresses of hosts.
///
/// [`SystemResolver`] does where no other was set with
/// [`ClientBuilder::resolver`](crate::ClientBuilder::resolver). For a few hosts whose addresses are
/// known, [`ClientBuilder::resolve_to`](crate::ClientBuilder::resolve_to) is enough.
///
/// ```
/// use towline::{Answers, Client, Resolve};
///
/// /// Knows one host.
/// #[derive(Debug)]
/// struct Inventory;
///
/// impl Resolve for Inventory {
///     fn resolve(&self, host: &str) -> Answers {
///         match host {
///             "press.factory.example" => Answers::of([([10, 0, 0, 7], 0).into()]),
///             _ => Answers::failed(std::io::Error::other("no such machine")),
///         }
///     }
/// }
///
/// # fn main() -> towline::Result<()> {
/// let client = Client::builder().resolver(Inventory).build()?;
/// # Ok(())
/// # }
/// ```
pub trait Resolve: fmt::Debug + Send + Sync {
    /// Begins to look up a host: a name in lower case and ASCII, never an address.
    ///
    /// It must not wait here, but in what it gives. That is dropped as soon as nobody needs it.
    fn resolve(&self, host: &str) -> Answers;
}

/// Addresses of a host, as they become known.
///
/// Who asks for IPv6 and IPv4 apart gives each answer as it comes: connecting begins with the first
/// and takes in the rest (RFC 8305 §3). An error is one answer, and others may follow; it is told
/// if no address comes. The ports of the addresses do not matter. Of a look-up at most 16 answers are
/// read and five addresses of each family kept; five in all are tried.
pub struct Answers(Kind);

enum Kind {
    Known(Option<io::Result<Vec<SocketAddr>>>),
    Once(Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>),
    Stream(Pin<Box<dyn Stream<Item = io::Result<Vec<SocketAddr>>> + Send>>),
}

impl Answers {
    /// Answers one by one.
    pub fn new(answers: impl Stream<Item = io::Result<Vec<SocketAddr>>> + Send + 'static) -> Self {
        Self(Kind::Stream(Box::pin(answers)))
    }

    /// One answer that has to be waited for.
    pub fn once(
        answer: impl Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    ) -> Self {
        Self(Kind::Once(Box::pin(answer)))
    }

    /// One answer that is known already.
    pub fn of(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self(Kind::Known(Some(Ok(addresses.into_iter().collect()))))
    }

    /// No address, and why.
    pub fn failed(error: io::Error) -> Self {
        Self(Kind::Known(Some(Err(error))))
    }
}

impl Stream for Answers {
    type Item = io::Result<Vec<SocketAddr>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Kind::Known(answer) => Poll::Ready(answer.take()),
            Kind::Stream(answers) => answers.as_mut().poll_next(cx),
            Kind::Once(answer) => {
                let answer = ready!(answer.as_mut().poll(cx));
                self.0 = Kind::Known(None);
                Poll::Ready(Some(answer))
            }
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

/// The operating system's way: its hosts file, its name servers, its order of addresses.
///
/// It gives both families at once. What it has begun cannot be ended: a look-up that was given up
/// goes on in a thread of the runtime's until the operating system gives up too.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> Answers {
        let host = host.to_owned();
        Answers::once(async move { Ok(lookup_host((host, 0)).await?.collect()) })
    }
}

/// A host's name in the form in which it is looked up, and nothing else.
pub(super) fn name(host: &str) -> Result<String, Box<dyn StdError + Send + Sync>> {
    let uri = WsUri::parse(&format!("ws://{host}"))?;
    if uri.is_ip() {
        return Err("that is an address, which is not looked up".into());
    }
    if host.contains([':', '/', '?']) {
        return Err("that is more than a host's name".into());
    }
    Ok(uri.host().to_owned())
}

/// A resolver, and some hosts whose addresses were set by hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    known: BTreeMap<String, Vec<IpAddr>>,
    /// Asked about all others; `None` is the operating system.
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
}

impl Names {
    /// Takes these addresses for a host.
    pub(crate) fn know(
        &mut self,
        host: &str,
        ips: Vec<IpAddr>,
    ) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let name = name(host)?;
        self.known.insert(name, ips);
        Ok(())
    }

    pub(super) fn resolve(&self, host: &str) -> Answers {
        match self.known.get(host) {
            Some(ips) => Answers::of(ips.iter().map(|ip| SocketAddr::new(*ip, 0))),
            None => match &self.resolver {
                Some(resolver) => resolver.resolve(host),
                None => SystemResolver.resolve(host),
            },
        }
    }
}
