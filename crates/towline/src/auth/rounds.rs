//! [`Rounds`]: tokens that go to and fro on one connection (NTLM, and Negotiate by RFC 4559).

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::scheme::Scheme;
use super::secret::Secret;

/// Takes the peer's token, at first an empty one, and gives the next.
pub(super) type Steps = Box<dyn FnMut(&[u8]) -> io::Result<Vec<u8>> + Send>;

/// Begins rounds with a service, such as `HTTP@example.com`, tied to a channel if there is one.
pub(super) type Begin = Arc<dyn Fn(&str, Option<&[u8]>) -> io::Result<Steps> + Send + Sync>;

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer<'a> {
    pub(super) host: &'a str,
    /// RFC 5929 §4.
    pub(super) channel: Option<&'a [u8]>,
}

/// Most tokens of ours in one exchange. Kerberos takes one, and two where clocks differ.
const MAX_ROUNDS: u32 = 6;

/// An exchange on one connection.
pub(super) struct Rounds {
    pub(super) scheme: Scheme,
    steps: Maker,
    /// How many tokens of ours there were.
    count: u32,
}

impl Rounds {
    /// With tokens that somebody else makes, for this service (RFC 4559 §4.1).
    pub(super) fn of_tickets(begin: &Begin, peer: Peer<'_>) -> Self {
        let (begin, service) = (Arc::clone(begin), format!("HTTP@{}", peer.host));
        let channel = peer.channel.map(<[u8]>::to_vec);
        let mut begun: Option<Steps> = None;
        let steps = move |token: &[u8]| match &mut begun {
            Some(steps) => steps(token),
            None => begun.insert(begin(&service, channel.as_deref())?)(token),
        };
        Self { scheme: Scheme::Negotiate, steps: Maker::Elsewhere(Some(Box::new(steps))), count: 0 }
    }

    /// With a password: NTLM, by itself or within Negotiate.
    pub(super) fn of_password(
        scheme: Scheme,
        user: &str,
        password: Secret,
        peer: Peer<'_>,
    ) -> Self {
        Self { scheme, steps: Maker::Here(ntlm(user, password, peer)), count: 0 }
    }

    /// What answers the peer's token; `None` if it has none, which is a refusal.
    pub(super) async fn answer(
        &mut self,
        offered: &[Challenge],
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let token = match (self.token(offered), self.count) {
            (_, 0) => Vec::new(),
            (Some(token), ..MAX_ROUNDS) => token?,
            (Some(_) | None, _) => return Ok(None),
        };
        let next = Zeroizing::new(self.steps.next(token).await?);
        // All is said, and it asks again.
        if next.is_empty() && self.count > 0 {
            return Ok(None);
        }
        self.count += 1;
        let next = Zeroizing::new(BASE64.encode(&*next));
        Ok(Some(Zeroizing::new(format!("{} {}", self.scheme, *next).into_bytes())))
    }

    /// The peer agrees. If it proves with that who it is, the proof has to be right; it need not (RFC
    /// 4559 §5).
    pub(super) async fn confirm(&mut self, said: &[Challenge]) -> io::Result<()> {
        let proves = matches!(self.steps, Maker::Elsewhere(_)) && self.count > 0;
        match self.token(said).filter(|_| proves) {
            Some(token) => self.steps.next(token?).await.map(drop).map_err(|error| {
                io::Error::new(error.kind(), format!("it does not prove who it is: {error}"))
            }),
            None => Ok(()),
        }
    }

    /// The peer's token, if it has said one.
    fn token(&self, said: &[Challenge]) -> Option<io::Result<Vec<u8>>> {
        let mut same = said.iter().filter(|one| one.known() == Some(self.scheme));
        let token = same.next()?.token.as_deref()?;
        let garbled = |_| io::Error::new(io::ErrorKind::InvalidData, "its token is not base64");
        Some(BASE64.decode(token).map_err(garbled))
    }

    /// Whether nothing was said yet.
    pub(super) fn is_first(&self) -> bool {
        self.count == 0
    }

    /// Whether the last token means something on this connection alone: so for all but the first.
    pub(super) fn are_bound(&self) -> bool {
        self.count > 1
    }
}

/// Who makes the tokens, and where.
enum Maker {
    /// At once.
    Here(Steps),
    /// Where it may take its time: it may ask somebody in the network. `None` while it is there.
    Elsewhere(Option<Steps>),
}

impl Maker {
    async fn next(&mut self, token: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Here(steps) => steps(&token),
            Self::Elsewhere(place) => {
                let mut steps = place.take().expect("nobody goes on with one that was given up");
                let made = spawn_blocking(move || (steps(&token), steps)).await;
                let (next, steps) = made.map_err(io::Error::other)?;
                *place = Some(steps);
                next
            }
        }
    }
}

#[cfg(feature = "ntlm")]
fn ntlm(user: &str, password: Secret, peer: Peer<'_>) -> Steps {
    let mut ntlm = super::ntlm::Ntlm::new(user, password, peer);
    Box::new(move |token: &[u8]| ntlm.step(token))
}

/// There is no NTLM in this build, and `Credentials::can` said so.
#[cfg(not(feature = "ntlm"))]
fn ntlm(_: &str, _: Secret, _: Peer<'_>) -> Steps {
    Box::new(|_: &[u8]| {
        Err(io::Error::new(io::ErrorKind::Unsupported, "turn on the feature `ntlm`"))
    })
}
