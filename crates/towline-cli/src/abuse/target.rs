//! What is attacked: a server on this machine, and nothing else.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};
use towline::WsUri;

use super::attack::{Seen, Side};
use super::bytes::request;
use super::raw::Raw;
use crate::exit::{Code, Failure, Outcome};
use crate::listen::read;

/// A process that has begun to end has ended by then.
const ENDING: Duration = Duration::from_millis(200);

/// A server on this machine.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) uri: WsUri,
    /// A loopback address. Names are looked up once: what they mean later does not matter.
    pub(super) addr: SocketAddr,
    /// Longest time for a reaction that is due.
    pub(super) patience: Duration,
    tls: Option<Tls>,
}

/// What to connect with, and the name that the certificate has to have.
type Tls = (Arc<ClientConfig>, ServerName<'static>);

impl Target {
    pub(super) async fn new(url: &str, cacert: Option<&Path>, patience: Duration) -> Outcome<Self> {
        let uri = WsUri::parse(url)
            .map_err(|error| Failure::new(Code::Usage, format!("reading the address: {error}")))?;
        let addr = on_this_machine(uri.host(), uri.port()).await?;
        let tls = match (uri.is_secure(), cacert) {
            (false, _) => None,
            (true, Some(pem)) => Some(trusting(pem, uri.host())?),
            (true, None) => {
                let text = "wss needs --cacert: nobody else vouches for a server on this machine";
                return Err(Failure::new(Code::Usage, text));
            }
        };
        Ok(Self { uri, addr, patience, tls })
    }

    /// A connection on which nothing was said yet.
    pub(super) async fn connect(&self) -> io::Result<Raw> {
        self.dial(false, self.tls.as_ref()).await
    }

    /// The same; when it is dropped, it is reset.
    pub(super) async fn connect_to_reset(&self) -> io::Result<Raw> {
        self.dial(true, self.tls.as_ref()).await
    }

    /// The same without TLS, whatever the server speaks.
    pub(super) async fn connect_in_clear(&self) -> io::Result<Raw> {
        self.dial(false, None).await
    }

    /// The same with TLS in records of so many bytes.
    pub(super) async fn connect_in_records(&self, len: usize) -> io::Result<Raw> {
        let cut = self.tls.as_ref().map(|(config, name)| {
            let mut config = ClientConfig::clone(config);
            config.max_fragment_size = Some(len);
            (Arc::new(config), name.clone())
        });
        self.dial(false, cut.as_ref()).await
    }

    /// The first that a client says to a server that speaks TLS.
    pub(super) fn client_hello(&self) -> Option<Vec<u8>> {
        let (config, name) = self.tls.as_ref()?;
        let mut hello = Vec::new();
        let mut client = ClientConnection::new(Arc::clone(config), name.clone()).ok()?;
        client.write_tls(&mut hello).ok()?;
        Some(hello)
    }

    async fn dial(&self, reset: bool, tls: Option<&Tls>) -> io::Result<Raw> {
        let dialling = async {
            let tcp = TcpStream::connect(self.addr).await?;
            tcp.set_nodelay(true)?;
            if reset {
                tcp.set_zero_linger()?;
            }
            Ok(match tls {
                None => Raw::new(tcp, Side::Client, self.patience),
                Some((config, name)) => {
                    let connector = TlsConnector::from(Arc::clone(config));
                    let tls = connector.connect(name.clone(), tcp).await?;
                    Raw::new(tls, Side::Client, self.patience)
                }
            })
        };
        timeout(self.patience, dialling)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// The opening request, with some headers changed, left out or added.
    pub(super) fn request(&self, changes: &[(&str, Option<&str>)]) -> Vec<u8> {
        self.request_by(&format!("GET {} HTTP/1.1", self.uri.resource()), changes)
    }

    pub(super) fn request_by(&self, line: &str, changes: &[(&str, Option<&str>)]) -> Vec<u8> {
        request(line, &self.uri.authority(), changes)
    }

    /// A connection whose handshake is over, and the server's answer; or what came instead.
    pub(super) async fn open(
        &self,
        changes: &[(&str, Option<&str>)],
    ) -> Result<(Raw, String), Seen> {
        let mut raw = self.connect().await.map_err(|error| not_connected(&error))?;
        match raw.ask(&self.request(changes), 1, self.patience).await {
            (Seen::Alive, head) => Ok((raw, head)),
            // A whole request asks for an answer.
            (Seen::Took(_), _) => Err(Seen::Silent),
            (seen, _) => Err(seen),
        }
    }

    /// Whether somebody who means well is served: a new connection, and an answer to a ping.
    ///
    /// One that is cut off may have got in while the listener was closing: the next one will tell.
    /// If that one is served, a server that turns honest clients away is not good all the same.
    pub(super) async fn serves(&self) -> Result<(), Seen> {
        match self.serves_one().await {
            Err(Seen::Cut) => {
                sleep(ENDING).await;
                match self.serves_one().await {
                    Err(Seen::Gone) => Err(Seen::Gone),
                    _ => Err(Seen::Cut),
                }
            }
            served => served,
        }
    }

    async fn serves_one(&self) -> Result<(), Seen> {
        let (mut raw, _) = self.open(&[]).await?;
        match raw.alive().await {
            Seen::Alive => Ok(()),
            seen => Err(seen),
        }
    }
}

/// What it means that no connection came about.
pub(super) fn not_connected(error: &io::Error) -> Seen {
    match error.kind() {
        io::ErrorKind::TimedOut => Seen::Silent,
        io::ErrorKind::ConnectionRefused => Seen::Gone,
        _ => Seen::Cut,
    }
}

/// Looks a host up, and insists that all its addresses are loopback.
///
/// An attack on another machine is not what this is for, whoever asks.
pub(super) async fn on_this_machine(host: &str, port: u16) -> Outcome<SocketAddr> {
    let addresses = lookup_host((host, port))
        .await
        .map_err(|error| Failure::new(Code::Resolve, format!("looking up {host}: {error}")))?;
    loopback_only(host, &addresses.collect::<Vec<_>>())
}

fn loopback_only(host: &str, addresses: &[SocketAddr]) -> Outcome<SocketAddr> {
    // An IPv4 address may come dressed as an IPv6 one, `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2).
    match addresses.iter().find(|address| !address.ip().to_canonical().is_loopback()) {
        Some(other) => {
            let text = format!("{host} is {}, which is not a loopback address", other.ip());
            let advice = "; only servers on this machine are attacked";
            Err(Failure::new(Code::Usage, text + advice))
        }
        None => addresses.first().copied().ok_or_else(|| {
            Failure::new(Code::Resolve, format!("looking up {host}: it has no address"))
        }),
    }
}

fn trusting(pem: &Path, host: &str) -> Outcome<Tls> {
    let bad = |error: &dyn std::fmt::Display| {
        Failure::new(Code::Usage, format!("using {}: {error}", pem.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&read(pem)?) {
        let certificate = certificate.map_err(|error| bad(&error))?;
        roots.add(certificate).map_err(|error| bad(&error))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| bad(&error))?;
    Ok((Arc::new(config), name))
}

#[cfg(test)]
mod tests {
    use super::loopback_only;
    use crate::exit::Code;

    fn check(addresses: &[&str]) -> Result<String, Code> {
        let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        loopback_only("host", &addresses)
            .map(|address| address.to_string())
            .map_err(|failure| failure.code())
    }

    #[test]
    fn only_loopback_addresses_are_attacked() {
        assert_eq!(check(&["127.0.0.1:1"]), Ok("127.0.0.1:1".to_owned()));
        assert_eq!(check(&["[::1]:1", "127.8.8.8:1"]), Ok("[::1]:1".to_owned()));
        assert_eq!(check(&["[::ffff:127.0.0.1]:1"]), Ok("[::ffff:127.0.0.1]:1".to_owned()));
        for other in [
            "8.8.8.8:1",
            "0.0.0.0:1",
            "192.168.0.1:1",
            "169.254.169.254:1",
            "[::]:1",
            "[::ffff:8.8.8.8]:1",
            "[::ffff:0.0.0.0]:1",
            // RFC 4291 §2.5.5.1, RFC 6052, RFC 3056: other dresses of addresses, 127.0.0.1 too.
            "[::8.8.8.8]:1",
            "[::127.0.0.1]:1",
            "[64:ff9b::7f00:1]:1",
            "[2002:7f00:1::]:1",
            "[fe80::1]:1",
        ] {
            assert_eq!(check(&[other]), Err(Code::Usage), "{other}");
            assert_eq!(check(&["127.0.0.1:1", other]), Err(Code::Usage), "{other} as the second");
        }
        assert_eq!(check(&[]), Err(Code::Resolve));
    }
}
