//! Whether what comes back is what must come, byte for byte.

use std::io;

use bench_common::cycle::Cycle;

use crate::frames::{Frames, Part};

/// Checks one connection's replies.
#[derive(Debug)]
pub(crate) struct Checker {
    /// Messages that came back whole, counted from the ring's beginning.
    number: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Every message has come in one frame so far: the stream is known byte for byte. The offset
    /// is that within the reply.
    Known { offset: usize },
    /// The same of a raw server, which sends back what it was sent.
    Raw { offset: usize },
    /// The server frames its own way: the offset is that within the payload.
    Parsed { frames: Frames, offset: usize },
}

impl Checker {
    /// Of a connection that begins with message `first` of the ring.
    pub(crate) fn new(first: u64, raw: bool) -> Self {
        let state = if raw { State::Raw { offset: 0 } } else { State::Known { offset: 0 } };
        Self { number: first, state }
    }

    /// Takes what was read; how many messages it completed.
    pub(crate) fn take(&mut self, cycle: &Cycle, bytes: &[u8]) -> io::Result<u64> {
        match &mut self.state {
            State::Known { offset } => {
                if let Some(done) = follow(&cycle.reply, cycle, self.number, offset, bytes) {
                    self.number += done;
                    return Ok(done);
                }
                // Up to here it was as expected, and so a parser stands where it had brought it.
                let mut parsed = (Frames::default(), 0);
                let index = usize::try_from(self.number).expect("64 bits") % cycle.count;
                let from = index * cycle.reply_len();
                let before = &cycle.reply[from..from + *offset];
                parse(cycle, &mut parsed.0, &mut parsed.1, self.number, before)?;
                self.state = State::Parsed { frames: parsed.0, offset: parsed.1 };
                self.take(cycle, bytes)
            }
            State::Raw { offset } => {
                let done = follow(&cycle.wire, cycle, self.number, offset, bytes)
                    .ok_or_else(|| io::Error::other("a raw reply is not what was sent"))?;
                self.number += done;
                Ok(done)
            }
            State::Parsed { frames, offset } => {
                let done = parse(cycle, frames, offset, self.number, bytes)?;
                self.number += done;
                Ok(done)
            }
        }
    }
}

/// Compares with the ring `known`; messages completed, or `None` and nothing moved.
fn follow(
    known: &[u8],
    cycle: &Cycle,
    number: u64,
    offset: &mut usize,
    mut bytes: &[u8],
) -> Option<u64> {
    let len = known.len() / cycle.count;
    let total = *offset + bytes.len();
    let mut at = (usize::try_from(number).expect("64 bits") % cycle.count) * len + *offset;
    while !bytes.is_empty() {
        let count = bytes.len().min(known.len() - at);
        let (head, rest) = bytes.split_at(count);
        if head != &known[at..at + count] {
            return None;
        }
        bytes = rest;
        at = 0;
    }
    *offset = total % len;
    Some(u64::try_from(total / len).expect("64 bits"))
}

fn parse(
    cycle: &Cycle,
    frames: &mut Frames,
    offset: &mut usize,
    number: u64,
    mut bytes: &[u8],
) -> io::Result<u64> {
    let mut done = 0;
    while let Some(part) = frames.next(&mut bytes)? {
        let number = number + done;
        let bad = |what: &str| Err(io::Error::other(format!("message {number} {what}")));
        match part {
            Part::Begin(_, true) => return bad("has a reserved bit"),
            Part::Begin(opcode, false) if opcode != cycle.kind.opcode() => {
                return bad("came back in another kind");
            }
            Part::Begin(..) => {}
            Part::Data(data) => {
                let expected = cycle.payload(number).get(*offset..*offset + data.len());
                if expected != Some(data) {
                    return bad("came back changed");
                }
                *offset += data.len();
            }
            Part::End if *offset != cycle.size => return bad("came back cut short"),
            Part::End => {
                *offset = 0;
                done += 1;
            }
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use bench_common::payload::Kind;

    use super::*;

    fn cycle() -> Cycle {
        Cycle::new(Kind::Binary, 300, 1)
    }

    /// The ring's replies again, each cut into frames of at most `size` bytes.
    fn fragmented(cycle: &Cycle, messages: u64, size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for number in 0..messages {
            let mut opcode = 2;
            let mut parts = cycle.payload(number).chunks(size).peekable();
            while let Some(part) = parts.next() {
                let fin = parts.peek().is_none();
                bench_common::cycle::header(&mut out, opcode, fin, None, part.len());
                out.extend_from_slice(part);
                opcode = 0;
            }
        }
        out
    }

    fn feed(checker: &mut Checker, cycle: &Cycle, bytes: &[u8], cut: usize) -> io::Result<u64> {
        bytes.chunks(cut).map(|part| checker.take(cycle, part)).sum()
    }

    #[test]
    fn replies_may_come_in_any_frames_and_any_cuts() {
        let cycle = cycle();
        for cut in [1, 2, 3, 7, 303, 304, 305, 10_000] {
            for size in [1, 100, 125, 126, 299, 300] {
                let mut checker = Checker::new(0, false);
                let bytes = fragmented(&cycle, 9, size);
                assert_eq!(feed(&mut checker, &cycle, &bytes, cut).unwrap(), 9);
            }
        }
    }

    #[test]
    fn a_server_may_begin_to_fragment_in_the_middle() {
        let cycle = cycle();
        let mut bytes = fragmented(&cycle, 3, 300);
        let whole = bytes.len();
        bytes.extend_from_slice(&fragmented(&cycle, 5, 99)[3 * (300 + 4 * 2)..]);
        for cut in [1, 5, whole - 1, whole, whole + 1, whole + 50] {
            let mut checker = Checker::new(0, false);
            assert_eq!(feed(&mut checker, &cycle, &bytes, cut).unwrap(), 5, "cut at {cut}");
        }
    }

    #[test]
    fn any_flipped_bit_of_a_payload_is_seen() {
        let cycle = cycle();
        for size in [300, 100] {
            let good = fragmented(&cycle, 2, size);
            for at in 0..good.len() {
                let mut bad = good.clone();
                bad[at] ^= 1;
                let mut checker = Checker::new(0, false);
                let done = feed(&mut checker, &cycle, &bad, 1000);
                assert!(!matches!(done, Ok(2)), "byte {at} of frames of {size}");
            }
        }
    }

    #[test]
    fn a_lost_or_doubled_message_is_seen() {
        let cycle = cycle();
        let good = fragmented(&cycle, 3, 300);
        let lost = [&good[..304], &good[608..]].concat();
        let doubled = [&good[..304], &good[..304]].concat();
        for bad in [lost, doubled] {
            assert!(feed(&mut Checker::new(0, false), &cycle, &bad, 50).is_err());
        }
        assert!(Checker::new(1, false).take(&cycle, &good[..304]).is_err());
    }

    #[test]
    fn a_raw_server_sends_back_what_came() {
        let cycle = cycle();
        let twice = [&cycle.wire[..], &cycle.wire[..]].concat();
        let count = u64::try_from(cycle.count).unwrap();
        assert_eq!(feed(&mut Checker::new(0, true), &cycle, &twice, 999).unwrap(), 2 * count);
        assert!(Checker::new(0, true).take(&cycle, &cycle.reply).is_err());
    }
}
