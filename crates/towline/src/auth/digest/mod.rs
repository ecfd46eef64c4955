//! Digest: a hash of the password and of what the peer asked (RFC 7616).

mod hash;

use std::fmt;

use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::quoted::{extend, quote};
use super::secret::Secret;
pub(super) use hash::Hash;

/// What a peer asked, understood.
pub(super) struct Digest {
    hash: Hash,
    /// Whether the password's hash is made anew for each nonce (`-sess`).
    session: bool,
    /// Whether the algorithm was named, and has to be named again.
    named: bool,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    quality: Quality,
    /// Whether the user is named by a hash.
    userhash: bool,
    /// How often the nonce was answered.
    count: u32,
}

/// What is protected (RFC 7616 §3.4.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Quality {
    /// The peer names none: it knows RFC 2069 alone.
    Unnamed,
    Auth,
    /// The body as well, and a request that opens a WebSocket has none.
    AuthInt,
}

/// The request for which an answer is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    /// As on the request line.
    pub(super) target: &'a str,
    /// Random, of letters and digits.
    pub(super) cnonce: &'a str,
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Digest {
    /// Reads a challenge; `None` for one that cannot be answered.
    pub(super) fn read(challenge: &Challenge) -> Option<Self> {
        let (hash, session) = algorithm(challenge)?;
        let quality = quality(challenge)?;
        // Without a quality there is no cnonce, which a session's hash is made of.
        if session && quality == Quality::Unnamed {
            return None;
        }
        Some(Self {
            hash,
            session,
            named: challenge.param("algorithm").is_some(),
            realm: challenge.param("realm")?.to_vec(),
            nonce: challenge.param("nonce")?.to_vec(),
            opaque: challenge.param("opaque").map(<[u8]>::to_vec),
            quality,
            userhash: challenge.flag("userhash"),
            count: 0,
        })
    }

    pub(super) fn hash(&self) -> Hash {
        self.hash
    }

    /// Whether the peer would take the same password with this nonce, which is new
    /// (RFC 7616 §3.3, `stale`).
    pub(super) fn is_renewed_by(&self, challenge: &Challenge, other: &Self) -> bool {
        challenge.flag("stale")
            && other.nonce != self.nonce
            && other.realm == self.realm
            && other.hash >= self.hash
    }

    /// What to send (RFC 7616 §3.4).
    pub(super) fn answer(&mut self, user: &str, password: &Secret, asked: Asked<'_>) -> Vec<u8> {
        self.count += 1;
        let count = format!("{:08x}", self.count);
        let response = self.response(user, password, &count, asked);
        let mut out = b"Digest ".to_vec();
        self.name(&mut out, user);
        out.extend_from_slice(b", realm=");
        quote(&mut out, &self.realm);
        out.extend_from_slice(b", uri=");
        quote(&mut out, asked.target.as_bytes());
        if self.named {
            let session = if self.session { "-sess" } else { "" };
            out.extend_from_slice(format!(", algorithm={}{session}", self.hash.name()).as_bytes());
        }
        out.extend_from_slice(b", nonce=");
        quote(&mut out, &self.nonce);
        if let Some(quality) = self.quality.name() {
            let cnonce = asked.cnonce;
            let more = format!(", nc={count}, cnonce=\"{cnonce}\", qop={quality}");
            out.extend_from_slice(more.as_bytes());
        }
        out.extend_from_slice(format!(", response=\"{response}\"").as_bytes());
        if let Some(opaque) = &self.opaque {
            out.extend_from_slice(b", opaque=");
            quote(&mut out, opaque);
        }
        if self.userhash {
            out.extend_from_slice(b", userhash=true");
        }
        out
    }

    /// RFC 7616 §3.4.4: by a hash, as it is, or as letters that are not ASCII have to be written.
    fn name(&self, out: &mut Vec<u8>, user: &str) {
        if self.userhash {
            out.extend_from_slice(b"username=");
            quote(out, self.hash.of(&[user.as_bytes(), &self.realm]).as_bytes());
        } else if user.is_ascii() {
            out.extend_from_slice(b"username=");
            quote(out, user.as_bytes());
        } else {
            out.extend_from_slice(b"username*=");
            extend(out, user);
        }
    }

    /// RFC 7616 §3.4.1
    fn response(&self, user: &str, password: &Secret, count: &str, asked: Asked<'_>) -> String {
        let (hash, cnonce) = (self.hash, asked.cnonce.as_bytes());
        let password = password.reveal().as_bytes();
        // RFC 7616 §3.4.2: with it anybody can answer, and so it is as good as the password.
        let mut a1 = Zeroizing::new(hash.of(&[user.as_bytes(), &self.realm, password]));
        if self.session {
            a1 = Zeroizing::new(hash.of(&[a1.as_bytes(), &self.nonce, cnonce]));
        }
        let (method, target) = (asked.method.as_bytes(), asked.target.as_bytes());
        // RFC 7616 §3.4.3
        let a2 = match self.quality {
            Quality::Unnamed | Quality::Auth => hash.of(&[method, target]),
            Quality::AuthInt => hash.of(&[method, target, hash.of(&[]).as_bytes()]),
        };
        match self.quality.name() {
            None => hash.of(&[a1.as_bytes(), &self.nonce, a2.as_bytes()]),
            Some(quality) => hash.of(&[
                a1.as_bytes(),
                &self.nonce,
                count.as_bytes(),
                cnonce,
                quality.as_bytes(),
                a2.as_bytes(),
            ]),
        }
    }
}

impl Quality {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Unnamed => None,
            Self::Auth => Some("auth"),
            Self::AuthInt => Some("auth-int"),
        }
    }
}

fn algorithm(challenge: &Challenge) -> Option<(Hash, bool)> {
    // RFC 7616 §3.3: where none is named it is MD5.
    let Some(name) = challenge.param("algorithm") else { return Some((Hash::Md5, false)) };
    let name = str::from_utf8(name).ok()?;
    [Hash::Md5, Hash::Sha256, Hash::Sha512_256].into_iter().find_map(|hash| {
        let (own, rest) = name.split_at_checked(hash.name().len())?;
        let session = rest.eq_ignore_ascii_case("-sess");
        let same = own.eq_ignore_ascii_case(hash.name()) && (session || rest.is_empty());
        same.then_some((hash, session))
    })
}

fn quality(challenge: &Challenge) -> Option<Quality> {
    let Some(offered) = challenge.param("qop") else { return Some(Quality::Unnamed) };
    let offered = str::from_utf8(offered).ok()?;
    let offers = |name: &str| offered.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
    match (offers("auth"), offers("auth-int")) {
        (true, _) => Some(Quality::Auth),
        (false, true) => Some(Quality::AuthInt),
        (false, false) => None,
    }
}
