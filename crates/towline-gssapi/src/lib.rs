//! The tickets of the user who is logged on (Kerberos), as tokens for HTTP's Negotiate (RFC 4559).
//!
//! The system's GSSAPI (RFC 2743, RFC 2744) is loaded when it is first needed, so that a program needs it
//! neither to be built nor to start. It is that of MIT, `libgssapi_krb5.so.2`, which Linux and the BSDs
//! have as a package. On Windows, whose own way is SSPI, on macOS and wherever the library is not
//! installed, [`Context::begin`] fails and says so.
//!
//! All `unsafe` of this crate is in `unix/`: a function of C cannot be called without. Made for the crate `towline`; nothing in it is of use for other things.
#![deny(unsafe_op_in_unsafe_fn)]

#[cfg(all(unix, not(target_vendor = "apple")))]
#[path = "unix/mod.rs"]
mod system;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
#[path = "absent.rs"]
mod system;

use std::fmt;
use std::io;

/// Whether this crate knows a GSSAPI on this system at all. It may still not be installed.
pub const SUPPORTED: bool = cfg!(all(unix, not(target_vendor = "apple")));

/// Tokens for one service, by SPNEGO (RFC 4178).
///
/// ```no_run
/// let mut context = towline_gssapi::Context::begin("HTTP@www.example.com")?;
/// let first = context.step(&[])?;
/// println!("Authorization: Negotiate, and {} bytes in base64", first.len());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Context(system::Context);

impl Context {
    /// Begins with a service such as `HTTP@www.example.com`.
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) where there is no GSSAPI, and those of GSSAPI in its own
    /// words.
    pub fn begin(service: &str) -> io::Result<Self> {
        system::Context::begin(service).map(Self)
    }

    /// Ties the tokens to a channel that is named so, such as TLS (RFC 5929): elsewhere a peer that looks
    /// takes none of them. Before the first step.
    pub fn bind(&mut self, channel: &[u8]) {
        self.0.bind(channel);
    }

    /// Takes the peer's token, at first an empty one, and gives the next, which is empty at the end.
    ///
    /// It blocks: the first may be asked for at the other end of the network. The peer has to prove who it
    /// is, too, if it says anything at the end.
    ///
    /// # Errors
    /// Those of GSSAPI in its own words: there is no ticket, say, or the peer's token is not the
    /// service's.
    pub fn step(&mut self, token: &[u8]) -> io::Result<Vec<u8>> {
        self.0.step(token)
    }

    /// Whether both are sure of one another.
    pub fn is_complete(&self) -> bool {
        self.0.is_complete()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("complete", &self.is_complete()).finish_non_exhaustive()
    }
}
