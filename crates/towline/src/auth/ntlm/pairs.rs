//! [`Pairs`]: what a peer says of itself, and what is added to it (MS-NLMP §2.2.2.1).

#[derive(Clone, Debug, Default)]
pub(super) struct Pairs(Vec<(u16, Vec<u8>)>);

/// Most pairs of a challenge. There are eleven kinds.
const MAX_PAIRS: usize = 32;

const END: u16 = 0;
pub(super) const FLAGS: u16 = 6;
pub(super) const TIMESTAMP: u16 = 7;
pub(super) const TARGET_NAME: u16 = 9;
pub(super) const CHANNEL_BINDINGS: u16 = 10;

impl Pairs {
    pub(super) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut pairs = Vec::new();
        while !bytes.is_empty() {
            let (kind, rest) = bytes.split_first_chunk()?;
            let (len, rest) = rest.split_first_chunk()?;
            let kind = u16::from_le_bytes(*kind);
            if kind == END {
                break;
            }
            let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
            if pairs.len() == MAX_PAIRS {
                return None;
            }
            pairs.push((kind, value.to_vec()));
            bytes = rest;
        }
        Some(Self(pairs))
    }

    pub(super) fn get(&self, kind: u16) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| *known == kind).map(|(_, value)| &**value)
    }

    /// Sets a pair, in place of one that was there.
    pub(super) fn set(&mut self, kind: u16, value: Vec<u8>) {
        self.0.retain(|(known, _)| *known != kind);
        self.0.push((kind, value));
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, value) in &self.0 {
            bytes.extend_from_slice(&kind.to_le_bytes());
            let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes
    }
}
