//! A range of addresses, as a policy writes it.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses from one to another, of one family.
///
/// ```
/// use towline_isolate::Range;
///
/// let range: Range = "10.0.0.0/8".parse().unwrap();
/// assert!(range.contains("10.9.9.9".parse().unwrap()));
/// assert_eq!("10.0.0.0-10.255.255.255".parse(), Ok(range));
/// assert_eq!("192.0.2.7".parse::<Range>().unwrap().to_string(), "192.0.2.7");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Range {
    first: IpAddr,
    last: IpAddr,
}

impl Range {
    /// The addresses that begin as `network` does; `None` if it has fewer bits than `length`.
    pub fn prefix(network: IpAddr, length: u8) -> Option<Self> {
        let (first, last) = match network {
            IpAddr::V4(network) if length <= 32 => {
                let host = u32::MAX.checked_shr(length.into()).unwrap_or(0);
                let first = network.to_bits() & !host;
                (Ipv4Addr::from_bits(first).into(), Ipv4Addr::from_bits(first | host).into())
            }
            IpAddr::V6(network) if length <= 128 => {
                let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
                let first = network.to_bits() & !host;
                (Ipv6Addr::from_bits(first).into(), Ipv6Addr::from_bits(first | host).into())
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        Some(Self { first, last })
    }

    /// Its first address.
    pub fn first(self) -> IpAddr {
        self.first
    }

    /// Its last address.
    pub fn last(self) -> IpAddr {
        self.last
    }

    /// Whether the address is one of them. An IPv4-mapped one counts as what it is mapped from.
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    /// The length of the prefix that it is, if it is one.
    pub fn prefix_length(self) -> Option<u8> {
        let bits: u8 = if self.first.is_ipv4() { 32 } else { 128 };
        (0..=bits).find(|length| Self::prefix(self.first, *length) == Some(self))
    }
}

impl From<IpAddr> for Range {
    fn from(address: IpAddr) -> Self {
        Self { first: address, last: address }
    }
}

/// `10.0.0.0/8`, `10.0.0.1-10.0.0.9`, or one address.
impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let address = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| RangeError::NoAddress);
        if let Some((network, length)) = text.split_once('/') {
            let network = address(network)?;
            let length = length.trim().parse().map_err(|_| RangeError::NoLength)?;
            let range = Self::prefix(network, length).ok_or(RangeError::NoLength)?;
            // 10.1.2.3/8 is a slip of somebody who meant another length, or another address.
            return if range.first == network { Ok(range) } else { Err(RangeError::HostBits) };
        }
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (address(first)?, address(last)?);
            let ordered = first.is_ipv4() == last.is_ipv4() && first <= last;
            return if ordered { Ok(Self { first, last }) } else { Err(RangeError::Order) };
        }
        Ok(address(text)?.into())
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix_length() {
            _ if self.first == self.last => write!(f, "{}", self.first),
            Some(length) => write!(f, "{}/{length}", self.first),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Why a text is no range of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RangeError {
    /// No IPv4 or IPv6 address.
    NoAddress,
    /// After the slash stands no length that such an address can have.
    NoLength,
    /// The address says more than the length keeps.
    HostBits,
    /// The last address comes before the first, or is of the other family.
    Order,
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "not an IPv4 or IPv6 address, such as 10.0.0.0/8 or fd00::/8",
            Self::NoLength => "after the slash stands no length: 0 to 32 for IPv4, to 128 for IPv6",
            Self::HostBits => "the address goes on behind the bits that the length keeps",
            Self::Order => "the last address does not follow on the first",
        })
    }
}

impl Error for RangeError {}
