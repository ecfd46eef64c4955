//! Questions for a name server (RFC 1035 §4), of which the name is judged, and their answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::name::Reader;

/// The header of a message.
const HEADER_BYTES: usize = 12;
/// RFC 1035 §4.1.1: in the third byte, and in the fourth.
const RESPONSE: u8 = 0x80;
const OPERATION: u8 = 0x78;
const AUTHORITATIVE: u8 = 0x04;
const RECURSION_DESIRED: u8 = 0x01;
const RECURSION_AVAILABLE: u8 = 0x80;
const CODE: u8 = 0x0f;
const REFUSED: u8 = 5;

/// RFC 1035 §3.2, RFC 3596 §2.1, RFC 6891 §6.1.1.
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;
const OPTIONS: u16 = 41;
const IN: u16 = 1;

/// Other names in a row that a name is known by. Resolvers give up earlier.
const MAX_ALIASES: usize = 16;

/// What a program asks, and no more: one name, and nothing else that a name server could be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    id: u16,
    /// In lower case, without the final dot.
    pub(super) name: String,
    kind: u16,
    class: u16,
    /// Where it ends in the message.
    end: usize,
}

impl Question {
    /// Reads a message of a program. `None` for all that is more than a question, or less: updates and
    /// transfers, records to go with it, several questions, and bytes behind it.
    pub(super) fn of(message: &[u8]) -> Option<Self> {
        let header = message.get(..HEADER_BYTES)?;
        let (question, rest) = question(message)?;
        let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let mut reader = Reader::new(message, rest);
        match (count(6), count(8), count(10)) {
            (0, 0, 0) => {}
            (0, 0, 1) => {
                let record = reader.record()?;
                let is_options = record.kind == OPTIONS && record.owner.as_deref() == Some("");
                is_options.then_some(())?;
            }
            _ => return None,
        }
        let alone = header[2] & (RESPONSE | OPERATION) == 0 && reader.is_at_end();
        alone.then_some(question)
    }

    /// Whether it is for this machine itself, of which nobody else is asked (RFC 6761 §6.3).
    pub(super) fn is_of_this_machine(&self) -> bool {
        self.name == "localhost" || self.name.ends_with(".localhost")
    }

    /// The answer of this machine itself to `message`, which it was read from.
    pub(super) fn answer(&self, message: &[u8]) -> Option<Vec<u8>> {
        const SECONDS: u32 = 604_800; // it does not change
        let data: &[u8] = match (self.kind, self.class) {
            (A, IN) => &Ipv4Addr::LOCALHOST.octets(),
            (AAAA, IN) => &Ipv6Addr::LOCALHOST.octets(),
            _ => &[],
        };
        let mut answer = message.get(..self.end)?.to_vec();
        answer[2] = RESPONSE | AUTHORITATIVE | (answer[2] & RECURSION_DESIRED);
        answer[3] = RECURSION_AVAILABLE;
        answer[6..HEADER_BYTES].fill(0);
        if !data.is_empty() {
            answer[7] = 1;
            answer.extend([0xc0, 12]); // the name that was asked for
            answer.extend(self.kind.to_be_bytes());
            answer.extend(self.class.to_be_bytes());
            answer.extend(SECONDS.to_be_bytes());
            answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
            answer.extend_from_slice(data);
        }
        Some(answer)
    }
}

/// The question that an answer is for, and the addresses that are the name's in it. `None` if it is no
/// answer, or tells of an error.
pub(super) fn addresses(answer: &[u8]) -> Option<(Question, Vec<IpAddr>)> {
    let (question, rest) = question(answer)?;
    if answer[2] & (RESPONSE | OPERATION) != RESPONSE || answer[3] & CODE != 0 {
        return None;
    }
    let mut reader = Reader::new(answer, rest);
    let (mut found, mut aliases) = (Vec::new(), Vec::new());
    for _ in 0..u16::from_be_bytes([answer[6], answer[7]]) {
        let record = reader.record()?;
        let Some(owner) = record.owner.clone() else { continue };
        match (record.kind, record.class) {
            (A, IN) => {
                found.push((owner, IpAddr::from(<[u8; 4]>::try_from(record.data).ok()?)));
            }
            (AAAA, IN) => {
                found.push((owner, IpAddr::from(<[u8; 16]>::try_from(record.data).ok()?)));
            }
            (CNAME, IN) => aliases.extend(record.name().map(|name| (owner, name))),
            // Signatures, above all.
            _ => {}
        }
    }
    let mut names = vec![question.name.clone()];
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        at += 1;
        for (_, alias) in aliases.iter().filter(|(owner, _)| *owner == name) {
            if names.len() <= MAX_ALIASES && !names.contains(alias) {
                names.push(alias.clone());
            }
        }
    }
    // What it says of others than it was asked for, it was not asked for.
    found.retain(|(owner, _)| names.contains(owner));
    Some((question, found.into_iter().map(|(_, address)| address).collect()))
}

/// The answer that a message will not be answered. `None` if it is an answer itself.
pub(super) fn refused(message: &[u8]) -> Option<Vec<u8>> {
    let header = message.get(..HEADER_BYTES).filter(|header| header[2] & RESPONSE == 0)?;
    let end = question(message).map(|(question, _)| question.end);
    let mut answer = message[..end.unwrap_or(HEADER_BYTES)].to_vec();
    // A response to the same question, if that can be told, with nothing else in it.
    answer[2] = RESPONSE | (header[2] & (OPERATION | RECURSION_DESIRED));
    answer[3] = REFUSED;
    answer[4..HEADER_BYTES].fill(0);
    answer[5] = u8::from(end.is_some());
    Some(answer)
}

/// The one question of a message, and where that goes on.
fn question(message: &[u8]) -> Option<(Question, usize)> {
    let header = message.get(..HEADER_BYTES)?;
    if u16::from_be_bytes([header[4], header[5]]) != 1 {
        return None;
    }
    let mut reader = Reader::new(message, HEADER_BYTES);
    // It has nothing before it that it could point to.
    let name = reader.whole_name()?;
    let (kind, class) = (reader.number()?, reader.number()?);
    let id = u16::from_be_bytes([header[0], header[1]]);
    let end = reader.at();
    Some((Question { id, name, kind, class, end }, end))
}
