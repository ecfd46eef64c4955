//! The least that a WebSocket echo has to do: parse, unmask, move forward, in the buffer at hand.
//!
//! It checks no text, holds no message and trusts its client: no server, but a limit for one.

use std::io;
use std::ops::Range;

use bench_common::cycle::mask;

use crate::epoll::{Echo, LEAD};
use crate::handshake;

#[derive(Default)]
pub(crate) struct Floor {
    open: bool,
    /// The request's head, until it is whole.
    head: Vec<u8>,
    /// The beginning of a header whose rest has not come.
    header: [u8; MAX_HEADER],
    have: usize,
    /// Payload of the frame at hand that has not come, and its key, turned to it.
    left: u64,
    key: [u8; 4],
}

const MAX_HEADER: usize = 14;

impl Echo for Floor {
    fn answer(&mut self, buffer: &mut [u8], count: usize) -> io::Result<Range<usize>> {
        if self.open {
            return self.frames(buffer, LEAD..LEAD + count);
        }
        self.head.extend_from_slice(&buffer[LEAD..LEAD + count]);
        let Some(answer) = handshake::answer(&self.head)? else { return Ok(0..0) };
        self.open = true;
        self.head = Vec::new();
        buffer[..answer.len()].copy_from_slice(&answer);
        Ok(0..answer.len())
    }
}

impl Floor {
    fn frames(&mut self, buffer: &mut [u8], read: Range<usize>) -> io::Result<Range<usize>> {
        let mut at = read.start - self.have;
        buffer[at..read.start].copy_from_slice(&self.header[..self.have]);
        self.have = 0;
        let mut out = 0;
        loop {
            if self.left > 0 {
                let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(read.end - at);
                buffer.copy_within(at..at + count, out);
                mask(self.key, &mut buffer[out..out + count]);
                self.key.rotate_left(count % 4);
                self.left -= u64::try_from(count).expect("64 bits");
                at += count;
                out += count;
            }
            let input = &buffer[at..read.end];
            let &[first, second, ref rest @ ..] = input else { break };
            let short = second & 0x7f;
            // The header that goes out lacks the key, and so ends before the one that came.
            let (len, header) = match short {
                126 if rest.len() >= 6 => (u64::from(u16::from_be_bytes([rest[0], rest[1]])), 8),
                127 if rest.len() >= 12 => {
                    (u64::from_be_bytes(rest[..8].try_into().expect("eight")), 14)
                }
                ..=125 if rest.len() >= 4 => (u64::from(short), 6),
                _ => break,
            };
            let key = &input[header - 4..header];
            self.key = key.try_into().expect("four");
            self.left = len;
            // A small frame that is there in full goes in one step of 16 bytes at most.
            buffer.copy_within(at..at + header - 4, out);
            buffer[out] = first;
            buffer[out + 1] = short;
            at += header;
            out += header - 4;
        }
        let rest = at..read.end;
        self.have = rest.len();
        self.header[..self.have].copy_from_slice(&buffer[rest]);
        Ok(0..out)
    }
}

#[cfg(test)]
mod tests {
    use bench_common::cycle::{Cycle, header};
    use bench_common::payload::Kind;

    use super::*;

    #[test]
    fn what_comes_back_is_the_same_wherever_it_was_cut() {
        for (size, frames) in [(0, 1), (16, 1), (125, 1), (126, 3), (300, 1), (70_000, 1)] {
            let cycle = Cycle::new(Kind::Binary, size, frames);
            let messages = 4;
            let mut expected = Vec::new();
            for number in 0..messages {
                let mut opcode = 2;
                let payload = cycle.payload(number);
                let mut parts = payload.chunks(size.div_ceil(frames).max(1)).peekable();
                while let Some(part) = parts.next() {
                    header(&mut expected, opcode, parts.peek().is_none(), None, part.len());
                    expected.extend_from_slice(part);
                    opcode = 0;
                }
            }
            let wire = &cycle.wire[..cycle.wire_len() * 4];
            for cut in [1, 2, 5, 6, 13, 22, 64, 1000, 1_000_000] {
                let mut floor = Floor { open: true, ..Floor::default() };
                let mut got = Vec::new();
                for part in wire.chunks(cut) {
                    let mut buffer = vec![0; LEAD + part.len()];
                    buffer[LEAD..].copy_from_slice(part);
                    let answer = floor.answer(&mut buffer, part.len()).unwrap();
                    got.extend_from_slice(&buffer[answer]);
                }
                assert!(got == expected, "{size} bytes in {frames} frames, cut at {cut}");
            }
        }
    }
}
