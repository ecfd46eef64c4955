//! What an attack is: a name, where it comes from, what it does, and what is good.

use std::pin::Pin;
use std::sync::Arc;

use super::raw::Raw;
use super::request::Request;
use super::target::Target;

/// One way to mean harm. All of it is data but for `play`.
#[derive(Debug)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// The rule or the advisory it comes from.
    pub(super) source: &'static str,
    /// What it does, in a phrase.
    pub(super) does: &'static str,
    pub(super) due: Due,
    /// Most resident memory that it may cost the other side, in MiB.
    pub(super) memory: u64,
    /// Whether it takes more than a few seconds.
    pub(super) slow: bool,
    pub(super) play: Play,
}

/// Where nothing large has to be held: what garbage collectors and allocators take for themselves.
pub(super) const LITTLE_MIB: u64 = 64;

/// Where a message may be held whole: twice the 64 MiB that several libraries allow by default.
pub(super) const MESSAGE_MIB: u64 = 128;

/// The side that we play.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Client,
    Server,
}

/// How an attack is made.
#[derive(Debug)]
pub(super) enum Play {
    /// To a server: this request. 101 counts as [`Seen::Alive`].
    Ask(fn(&Target) -> Vec<u8>),
    /// To a client: this answer to its request. It is alive if it then answers a ping.
    Answer(fn(&Request) -> Vec<u8>),
    /// To either: these bytes behind the handshake, and then a ping to see whether it goes on.
    Say(fn(Side) -> Vec<u8>),
    /// The same, but the bytes leave the other side in the middle of a frame: no ping can follow.
    Begin(fn(Side) -> Vec<u8>),
    /// To either: whatever else can be done on a connection that is open.
    Talk(for<'a> fn(&'a mut Raw) -> Playing<'a>),
    /// As `Talk`, where permessage-deflate was agreed on (RFC 7692).
    Deflated(for<'a> fn(&'a mut Raw) -> Playing<'a>),
    /// As `Act`, where the server agrees to permessage-deflate if it is offered well.
    Offer(fn(Arc<Target>) -> Playing<'static>),
    /// To a server: whatever needs more than one connection, or none that is open.
    Act(fn(Arc<Target>) -> Playing<'static>),
    /// As `Act`, and it does nothing but wait: it is played beside the others.
    Wait(fn(Arc<Target>) -> Playing<'static>),
    /// To a client that speaks TLS: this, where it looks for a certificate.
    Show(Shown),
    /// To a client: whatever else can be done before the handshake is over.
    Meet(for<'a> fn(&'a mut Raw, Request) -> Playing<'a>),
}

/// What a client that speaks TLS is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shown {
    Good,
    AnotherName,
    SelfSigned,
    Expired,
    ClearText,
}

pub(super) type Playing<'a> = Pin<Box<dyn Future<Output = Seen> + Send + 'a>>;

/// What the other side was seen to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Seen {
    /// It goes on: it has answered a ping, or opened a WebSocket.
    Alive,
    /// It took all of so many bytes, and said nothing.
    Took(u64),
    /// It sent a closing frame, with this code; 1005 stands for none (RFC 6455 §7.1.5).
    Closed(u16),
    /// It answered with this HTTP status.
    Refused(u16),
    /// TCP ended, or was reset, and nothing was said.
    Cut,
    /// Nothing happened within the time.
    Silent,
    /// Nobody listens there any more.
    Gone,
    /// It does not react to others, or not in time.
    Hung(String),
    /// Something that no peer may do.
    Wrong(String),
    /// The attack does not apply, and why.
    Skipped(&'static str),
}

/// One thing that is good to see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Good {
    /// It goes on.
    Alive,
    /// A closing frame with this code.
    Code(u16),
    /// An HTTP status that refuses, other than 500: that one tells of an error nobody foresaw.
    Refused,
    /// An end of TCP without a word.
    Cut,
    /// It waits for more.
    Waits,
}

/// What is good, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) good: &'static [Good],
    pub(super) because: &'static str,
}

impl Due {
    /// Whether the connection may go on.
    pub(super) fn allows_life(&self) -> bool {
        self.good.contains(&Good::Alive)
    }

    /// Whether this is good to see of the peer of `side`.
    pub(super) fn is_met_by(&self, seen: &Seen, side: Side) -> bool {
        self.good.iter().any(|good| match (good, seen) {
            // A client that may stay may also leave.
            (Good::Alive | Good::Waits, Seen::Closed(1000 | 1001)) => side == Side::Server,
            (Good::Alive, Seen::Alive | Seen::Took(_))
            | (Good::Cut, Seen::Cut)
            | (Good::Waits, Seen::Silent) => true,
            (Good::Code(good), Seen::Closed(code)) => good == code,
            (Good::Refused, Seen::Refused(status)) => *status != 500,
            _ => false,
        })
    }
}

impl Attack {
    /// One that is over in seconds, and may cost [`LITTLE_MIB`].
    pub(super) const fn new(
        name: &'static str,
        source: &'static str,
        does: &'static str,
        due: Due,
        play: Play,
    ) -> Self {
        Self { name, source, does, due, memory: LITTLE_MIB, slow: false, play }
    }

    /// The same, but it may cost so many MiB.
    pub(super) const fn memory(self, mib: u64) -> Self {
        Self { memory: mib, ..self }
    }

    /// The same, but it takes its time.
    pub(super) const fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    /// Whether it can be played by this side.
    pub(super) fn is_for(&self, side: Side) -> bool {
        match self.play {
            Play::Ask(_) | Play::Offer(_) | Play::Act(_) | Play::Wait(_) => side == Side::Client,
            Play::Answer(_) | Play::Show(_) | Play::Meet(_) => side == Side::Server,
            Play::Say(_) | Play::Begin(_) | Play::Talk(_) | Play::Deflated(_) => true,
        }
    }

    /// Whether it is one for clients that speak TLS, and for no others.
    pub(super) fn is_on_tls(&self) -> bool {
        matches!(self.play, Play::Show(_))
    }

    /// Whether it is one on compression, and so needs another side that compresses.
    pub(super) fn is_on_deflate(&self) -> bool {
        matches!(self.play, Play::Deflated(_) | Play::Offer(_))
    }
}

impl Good {
    /// For people: `1002`, `refused`.
    pub(super) fn words(self) -> String {
        match self {
            Self::Alive => "held".to_owned(),
            Self::Code(code) => code.to_string(),
            Self::Refused => "refused".to_owned(),
            Self::Cut => "cut".to_owned(),
            Self::Waits => "waits".to_owned(),
        }
    }
}
