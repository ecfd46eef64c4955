//! [`Challenge`]: what the peer asks (MS-NLMP §2.2.1.2).

use super::pairs::Pairs;
use super::{NEGOTIATE_TARGET_INFO, SIGNATURE};

#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) flags: u32,
    pub(super) random: [u8; 8],
    /// What is known of the peer; empty from a very old one.
    pub(super) target: Pairs,
}

impl Challenge {
    /// `None` for a message that is none.
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        let rest = message.strip_prefix(SIGNATURE)?;
        let kind = rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
        if kind != 2 {
            return None;
        }
        let flags = u32::from_le_bytes(*message.get(20..)?.first_chunk()?);
        let random = *message.get(24..)?.first_chunk()?;
        // The message of a very old peer ends before this field, or has something else there.
        let said = flags & NEGOTIATE_TARGET_INFO != 0;
        let target = match message.get(40..48).filter(|_| said) {
            Some(field) => Pairs::parse(content(message, field)?)?,
            None => Pairs::default(),
        };
        Some(Self { flags, random, target })
    }
}

/// The bytes to which a field points.
fn content<'a>(message: &'a [u8], field: &[u8]) -> Option<&'a [u8]> {
    let len = usize::from(u16::from_le_bytes(*field.first_chunk()?));
    let offset = u32::from_le_bytes(*field.get(4..)?.first_chunk()?);
    let offset = usize::try_from(offset).ok()?;
    match len {
        0 => Some(&[]),
        len => message.get(offset..offset.checked_add(len)?),
    }
}
