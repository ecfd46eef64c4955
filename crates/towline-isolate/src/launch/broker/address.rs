//! Socket addresses, as programs hand them to the kernel (`sockaddr(3type)`).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::errno::Errno;

/// The longest that the kernel takes: a `sockaddr_storage`.
pub(super) const MAX_ADDRESS_BYTES: usize = 128;

/// What a program gave as an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `AF_UNSPEC`: connected to nothing any more.
    Unspecified,
    /// `AF_INET` and `AF_INET6`.
    Internet(SocketAddr),
    /// `AF_UNIX`: what stands in `sun_path`, all of it.
    Unix(Vec<u8>),
    /// A family for which nobody judges.
    Other,
}

const AF_UNSPEC: u16 = 0;
const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// The lengths from which the kernel takes one: a `sockaddr_in`, and a `sockaddr_in6` without its scope
/// (`SIN6_LEN_RFC2133`).
const IN_BYTES: usize = 16;
const IN6_BYTES: usize = 24;
/// The length of `sun_path`.
const PATH_BYTES: usize = 108;

impl Address {
    /// Reads one.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Errno> {
        let [low, high, rest @ ..] = bytes else { return Err(Errno::INVAL) };
        match u16::from_ne_bytes([*low, *high]) {
            AF_UNSPEC => Ok(Self::Unspecified),
            AF_UNIX if rest.len() <= PATH_BYTES => Ok(Self::Unix(rest.to_vec())),
            AF_INET if bytes.len() >= IN_BYTES => {
                let address: [u8; 4] = taken(bytes, 4);
                let address = SocketAddrV4::new(Ipv4Addr::from(address), port(bytes));
                Ok(Self::Internet(address.into()))
            }
            AF_INET6 if bytes.len() >= IN6_BYTES => {
                let address = Ipv6Addr::from(taken::<16>(bytes, 8));
                let flow = u32::from_be_bytes(taken(bytes, 4));
                let scope =
                    if bytes.len() >= 28 { u32::from_ne_bytes(taken(bytes, 24)) } else { 0 };
                let address = SocketAddrV6::new(address, port(bytes), flow, scope);
                Ok(Self::Internet(address.into()))
            }
            AF_UNIX | AF_INET | AF_INET6 => Err(Errno::INVAL),
            _ => Ok(Self::Other),
        }
    }
}

/// Writes one, as the kernel gives it to a program.
pub(super) fn written(address: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(28);
    match address {
        SocketAddr::V4(address) => {
            bytes.extend(AF_INET.to_ne_bytes());
            bytes.extend(address.port().to_be_bytes());
            bytes.extend(address.ip().octets());
            bytes.extend([0; 8]);
        }
        SocketAddr::V6(address) => {
            bytes.extend(AF_INET6.to_ne_bytes());
            bytes.extend(address.port().to_be_bytes());
            bytes.extend(address.flowinfo().to_be_bytes());
            bytes.extend(address.ip().octets());
            bytes.extend(address.scope_id().to_ne_bytes());
        }
    }
    bytes
}

fn port(bytes: &[u8]) -> u16 {
    u16::from_be_bytes(taken(bytes, 2))
}

/// So many bytes from there; the caller has looked that there are as many.
fn taken<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[from..from + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::{Address, written};

    #[test]
    fn an_address_is_read_as_it_was_written() {
        for text in
            ["8.8.8.8:80", "[2606:4700::1111]:443", "[fe80::1%3]:5353", "[::ffff:10.9.9.9]:1"]
        {
            let address = text.parse().unwrap();
            assert_eq!(Address::parse(&written(address)), Ok(Address::Internet(address)));
        }
        // Without its scope, as RFC 2133 had it.
        let bytes = written("[2606:4700::1111]:443".parse().unwrap());
        assert_eq!(Address::parse(&bytes[..24]), Address::parse(&bytes));
    }

    #[test]
    fn what_is_too_short_is_refused_as_the_kernel_refuses_it() {
        for address in ["8.8.8.8:80", "[::1]:443"] {
            let bytes = written(address.parse().unwrap());
            let shortest = if bytes.len() == 16 { 16 } else { 24 };
            for length in 0..shortest {
                assert!(Address::parse(&bytes[..length]).is_err(), "{length} bytes of {address}");
            }
        }
    }

    #[test]
    fn families_without_a_judge_are_told_apart() {
        assert_eq!(Address::parse(&[0, 0]), Ok(Address::Unspecified));
        assert_eq!(Address::parse(b"\x01\x00\0name"), Ok(Address::Unix(b"\0name".to_vec())));
        assert!(Address::parse(&[&[1, 0][..], &[b'x'; 109]].concat()).is_err());
        for family in (0..=u16::MAX).filter(|family| ![0, 1, 2, 10].contains(family)) {
            let bytes = [&family.to_ne_bytes()[..], &[0; 126]].concat();
            assert_eq!(Address::parse(&bytes), Ok(Address::Other));
        }
    }
}
