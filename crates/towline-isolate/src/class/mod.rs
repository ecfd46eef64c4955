//! Classes of addresses: which network an address leads to, whatever it is wrapped in.

mod builtin;
mod clock;
mod definitions;
mod form;
mod own;
mod range;
mod surroundings;
mod table;

use std::fmt;
use std::net::IpAddr;

pub use definitions::Definitions;
pub use form::Form;
pub use range::{Range, RangeError};
pub use surroundings::Surroundings;

/// What kind of network an address leads to; the worst first.
///
/// "Worse" is what fewer capabilities reach: of an address that carries another one, the worse of the two
/// classes counts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Class {
    /// This machine: its loopback, and every address of its own.
    Loopback,
    /// Where a cloud tells its machines their secrets.
    Metadata,
    /// Leads to nobody, or to somebody who was never meant.
    Reserved,
    /// All who listen in a network.
    Multicast,
    /// A home or work network.
    Private,
    /// Everybody else.
    Internet,
}

impl Class {
    /// All of them, the worst first.
    pub const ALL: [Self; 6] = [
        Self::Loopback,
        Self::Metadata,
        Self::Reserved,
        Self::Multicast,
        Self::Private,
        Self::Internet,
    ];

    /// The word for it in policies and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Metadata => "metadata",
            Self::Reserved => "reserved",
            Self::Multicast => "multicast",
            Self::Private => "private",
            Self::Internet => "internet",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The class of an address, and how it came to it.
///
/// ```
/// use towline_isolate::{Class, Definitions, Form, Surroundings};
///
/// let here = Surroundings::fixed(&Definitions::default(), &[]);
/// let classified = here.classify("64:ff9b::a09:909".parse().unwrap());
/// assert_eq!(classified.class, Class::Private);
/// assert_eq!(classified.why, "a private address (RFC 1918)");
/// assert_eq!(classified.unwrapped, Some((Form::Nat64, "10.9.9.9".parse().unwrap())));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Classified {
    /// The worse class of the address and of what it carries.
    pub class: Class,
    /// The range that decided, with its RFC: "a private address (RFC 1918)".
    pub why: &'static str,
    /// The address that it carries, and the form in which.
    pub unwrapped: Option<(Form, IpAddr)>,
    /// Whether the address itself decided, rather than what it carries.
    pub by_carrier: bool,
}

/// `a private address (RFC 1918)`, or `the NAT64 form of 10.9.9.9, a private address (RFC 1918)`
impl fmt::Display for Classified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unwrapped {
            None => f.write_str(self.why),
            Some((form, inner)) if self.by_carrier => {
                write!(f, "{}, here the {form} form of {inner}", self.why)
            }
            Some((form, inner)) => write!(f, "the {form} form of {inner}, {}", self.why),
        }
    }
}
