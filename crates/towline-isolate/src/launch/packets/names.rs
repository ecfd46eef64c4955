//! Questions for a name server (RFC 1035 §4), of which the name is judged.

use std::net::IpAddr;

/// The header of a message.
const HEADER_BYTES: usize = 12;
/// RFC 1035 §2.3.4.
const MAX_NAME_BYTES: usize = 255;
/// RFC 1035 §4.1.1: REFUSED.
const REFUSED: u8 = 5;

/// The one name that a message asks for, without the final dot. `None` if it asks for none, for several, or
/// is no question that makes sense.
pub(super) fn name(question: &[u8]) -> Option<String> {
    let (name, _) = parse(question)?;
    Some(name)
}

/// The name that an answer is about, and the addresses in it.
pub(super) fn addresses(answer: &[u8]) -> Option<(String, Vec<IpAddr>)> {
    let (name, mut at) = question_of(answer)?;
    if answer[2] & 0x80 == 0 {
        return None;
    }
    let records = u16::from_be_bytes([answer[6], answer[7]]);
    let mut found = Vec::new();
    for _ in 0..records {
        at = after_name(answer, at)?;
        let head = answer.get(at..at + RECORD_BYTES)?;
        let (kind, class) =
            (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
        let length = usize::from(u16::from_be_bytes([head[8], head[9]]));
        at += RECORD_BYTES;
        let data = answer.get(at..at + length)?;
        at += length;
        match (kind, class) {
            (A, IN) => found.push(IpAddr::from(<[u8; 4]>::try_from(data).ok()?)),
            (AAAA, IN) => found.push(IpAddr::from(<[u8; 16]>::try_from(data).ok()?)),
            // Other names that it is known by, and signatures.
            _ => {}
        }
    }
    Some((name, found))
}

/// RFC 1035 §3.2, RFC 3596 §2.1.
const A: u16 = 1;
const AAAA: u16 = 28;
const IN: u16 = 1;
/// Type, class, time to live and length.
const RECORD_BYTES: usize = 10;

/// Where a record goes on after its name, which may point to one before it.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*message.get(at)?);
        match length {
            0 => return Some(at + 1),
            1..=63 => at += 1 + length,
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

/// The answer that it will not be answered.
pub(super) fn refused(question: &[u8]) -> Option<Vec<u8>> {
    let (_, end) = parse(question)?;
    let mut answer = question[..end].to_vec();
    // A response to the same question, with nothing else in it.
    answer[2] |= 0x80;
    answer[3] = REFUSED;
    answer[6..HEADER_BYTES].fill(0);
    Some(answer)
}

/// The name, and where the question ends.
fn parse(message: &[u8]) -> Option<(String, usize)> {
    let is_query = message.get(2)? & 0x80 == 0;
    question_of(message).filter(|_| is_query)
}

/// Likewise, also of an answer: it repeats its question.
fn question_of(message: &[u8]) -> Option<(String, usize)> {
    let header = message.get(..HEADER_BYTES)?;
    if u16::from_be_bytes([header[4], header[5]]) != 1 {
        return None;
    }
    let (mut name, mut at) = (String::new(), HEADER_BYTES);
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        match length {
            0 => break,
            // A question has nothing before it that it could point to.
            1..=63 => {}
            _ => return None,
        }
        if !name.is_empty() {
            name.push('.');
        }
        for byte in message.get(at..at + length)? {
            match byte {
                // A dot in a label would be another name in our letters.
                b'.' | b'\\' => return None,
                0x21..=0x7e => name.push(char::from(byte.to_ascii_lowercase())),
                _ => return None,
            }
        }
        at += length;
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
    }
    let end = at + 4; // type and class
    (end <= message.len()).then_some((name, end))
}
