//! Frames as they come back, parsed wherever they are cut, and in whatever fragments.

use std::io;

/// Parses one connection's frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    header: [u8; 10],
    have: usize,
    /// Payload of the frame at hand that has not come yet.
    left: u64,
    fin: bool,
    in_message: bool,
    /// The frame at hand is a ping, which is let by. Nothing here lasts so long that a server would
    /// miss the answer.
    ping: bool,
}

/// What a call of [`Frames::next`] found.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    /// A message's first frame has begun: opcode, and whether RSV1 is set.
    Begin(u8, bool),
    /// A part of its payload.
    Data(&'a [u8]),
    /// The message is over.
    End,
}

impl Frames {
    /// The next part in `input`, which moves on; `None` once it is used up.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a [u8]) -> io::Result<Option<Part<'a>>> {
        if self.have == 0 || !self.is_header_whole() {
            loop {
                let Some((byte, rest)) = input.split_first() else { return Ok(None) };
                self.header[self.have] = *byte;
                self.have += 1;
                *input = rest;
                if self.is_header_whole() {
                    break;
                }
            }
            if let Some(part) = self.begin()? {
                return Ok(Some(part));
            }
        }
        if self.left == 0 {
            self.have = 0;
            if self.fin && !self.ping {
                self.in_message = false;
                return Ok(Some(Part::End));
            }
            return self.next(input);
        }
        if input.is_empty() {
            return Ok(None);
        }
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
        let (data, rest) = input.split_at(count);
        *input = rest;
        self.left -= u64::try_from(count).expect("64 bits");
        if self.ping {
            return self.next(input);
        }
        Ok(Some(Part::Data(data)))
    }

    fn is_header_whole(&self) -> bool {
        let need = match self.header[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        self.have >= 2 && self.have == need
    }

    fn begin(&mut self) -> io::Result<Option<Part<'static>>> {
        let [first, second, rest @ ..] = self.header;
        let (opcode, rsv) = (first & 0x0f, first & 0x70);
        let bad = |what: &str| io::Error::other(format!("the server sent {what}"));
        if second & 0x80 != 0 {
            return Err(bad("a masked frame"));
        }
        if rsv & 0x30 != 0 || (rsv != 0 && opcode == 0) {
            return Err(bad("a reserved bit"));
        }
        self.ping = opcode == 9;
        self.fin = first & 0x80 != 0;
        self.left = match second {
            126 => u64::from(u16::from_be_bytes([rest[0], rest[1]])),
            127 => u64::from_be_bytes(rest),
            short => u64::from(short),
        };
        match (opcode, self.in_message) {
            (0, true) | (9, _) => Ok(None),
            (1 | 2, false) => {
                self.in_message = true;
                Ok(Some(Part::Begin(opcode, rsv != 0)))
            }
            (0, false) => Err(bad("a continuation of nothing")),
            (1 | 2, true) => Err(bad("a message within a message")),
            (8, _) => Err(bad("a closing frame")),
            _ => Err(bad("a control frame nobody asked for")),
        }
    }
}
