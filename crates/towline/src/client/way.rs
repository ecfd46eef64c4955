//! A client's settings: how its server is reached.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::ClientBuilder;
use crate::dial::{Family, Resolve};
use crate::progress::{Progress, Watch};

/// Linux refuses more.
const MAX_KEEPALIVE_SECONDS: u64 = 32_767;

impl ClientBuilder {
    /// So long may looking up the name take, and so long connecting to each address. Default 60 s.
    ///
    /// A name may have several addresses. Up to five are tried, IPv6 and IPv4 in turn,
    /// [a little apart](Self::attempt_delay); the first that connects is taken (Happy Eyeballs,
    /// RFC 8305). What became of each is in
    /// [`ConnectionInfo::attempts`](crate::ConnectionInfo::attempts) and, if none connects, in
    /// [`Error::attempts`](crate::Error::attempts).
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.client.way.connect_timeout = limit;
        self
    }

    /// So long may TLS take, and so long the opening handshake. Default 30 s.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.client.way.handshake_timeout = limit;
        self
    }

    /// So long may everything take until the connection is open: the look-up, all addresses, TLS
    /// and the opening handshake. By default only each of them has its limit.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.client.way.total_timeout = Some(limit);
        self
    }

    /// So long after one address the next is tried beside it. Default 250 ms, at least 10 ms.
    ///
    /// One that fails is not waited for. With [`Duration::MAX`] one address is tried after another,
    /// as each fails or reaches its [limit](Self::connect_timeout).
    pub fn attempt_delay(mut self, delay: Duration) -> Self {
        self.client.way.attempt_delay = delay;
        self
    }

    /// Uses IPv4 or IPv6 alone, or begins with it. By default the operating system's order says
    /// which begins.
    pub fn family(mut self, family: Family) -> Self {
        self.client.way.family = family;
        self
    }

    /// Keeps to a policy: what it does not permit is refused before anything is sent.
    ///
    /// Each address is judged after the look-up, and again when TCP is there: those of the server, of
    /// proxies and what these are asked for, and those of redirects. [`Error::denied`](crate::Error::denied)
    /// says what was missing. This is no wall around a program that is taken over; the launcher is.
    ///
    /// ```
    /// use towline::isolation::{Capability, Manifest, Policy};
    /// use towline::{Client, ErrorKind};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> towline::Result<()> {
    /// let policy = Policy::new(Manifest::new("chat").with(Capability::InternetClient));
    /// let client = Client::builder().policy(policy).build()?;
    /// let error = client.connect("ws://10.9.9.9/").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Denied);
    /// assert_eq!(error.denied().unwrap().missing(), Some(Capability::PrivateNetworkClientServer));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "isolation")]
    pub fn policy(mut self, policy: towline_isolate::Policy) -> Self {
        self.client.way.guard = crate::guard::Guard::new(policy);
        self
    }

    /// Looks up hosts in another way than the operating system does.
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.client.way.names.resolver = Some(Arc::new(resolver));
        self
    }

    /// Takes these addresses for a host and asks nobody. May be called for several hosts.
    ///
    /// The host's name is still what the server is told and its certificate is checked against.
    ///
    /// ```
    /// # use towline::Client;
    /// # fn main() -> towline::Result<()> {
    /// let client = Client::builder()
    ///     .resolve_to("staging.example.com", ["2001:db8::7".parse().unwrap(), [10, 0, 0, 7].into()])
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resolve_to(self, host: &str, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.set(format!("setting the addresses of {host:?}"), |client| {
            client.way.names.know(host, addresses.into_iter().collect())
        })
    }

    /// Connects to a socket in the file system, whatever the host and port.
    ///
    /// Those the server is told all the same, and with `wss` its certificate has to be the host's.
    /// For another byte stream, see [`Client::connect_over`](crate::Client::connect_over).
    #[cfg(unix)]
    pub fn unix_socket(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.client.way.unix_socket = Some(path.into());
        self
    }

    /// Sends small messages at once rather than waiting for more. Default true.
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.client.way.socket.nodelay = nodelay;
        self
    }

    /// The operating system's buffer for what was sent, in bytes. Best left to it, as 0 does.
    pub fn send_buffer_size(mut self, bytes: u32) -> Self {
        self.client.way.socket.send_buffer_size = (bytes != 0).then_some(bytes);
        self
    }

    /// The operating system's buffer for what has come, in bytes. Best left to it, as 0 does.
    pub fn recv_buffer_size(mut self, bytes: u32) -> Self {
        self.client.way.socket.recv_buffer_size = (bytes != 0).then_some(bytes);
        self
    }

    /// Has the operating system ask for a sign of life after so long a silence (TCP keepalive).
    ///
    /// In whole seconds, from one to 32,767. Off by default: a WebSocket's own
    /// [pings](towline_proto::Config::ping_interval) go all the way to the peer.
    pub fn keepalive(mut self, silence: Duration) -> Self {
        let seconds = silence.as_secs().clamp(1, MAX_KEEPALIVE_SECONDS);
        self.client.way.socket.keepalive = Some(Duration::from_secs(seconds));
        self
    }

    /// Connects from this address of the machine's.
    ///
    /// May be called for each family; addresses of a family for which it was not are not reached.
    pub fn bind_address(mut self, address: IpAddr) -> Self {
        let socket = &mut self.client.way.socket;
        if address.is_ipv4() { &mut socket.from_v4 } else { &mut socket.from_v6 }.replace(address);
        self
    }

    /// Tells how connecting goes, as it goes: for a log, and to find out why it fails.
    ///
    /// Called in the task that connects, so it must not take long. Where nobody watches it costs
    /// nothing.
    ///
    /// ```
    /// use towline::{Client, Progress};
    ///
    /// # fn main() -> towline::Result<()> {
    /// let client = Client::builder()
    ///     .on_progress(|progress| match progress {
    ///         Progress::Attempted(attempt) => println!("{attempt}, after {:?}", attempt.took),
    ///         other => println!("{other:?}"),
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_progress(mut self, watch: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.client.way.watch = Watch::new(watch);
        self
    }

    /// Connects over this network interface, such as `eth0`.
    ///
    /// On Linux and Android. Elsewhere connecting fails: there, [bind an
    /// address](Self::bind_address) of the interface.
    pub fn interface(mut self, name: &str) -> Self {
        self.client.way.socket.interface = Some(name.to_owned());
        self
    }
}
