//! Names and records in messages of name servers (RFC 1035 §4.1).

/// RFC 1035 §2.3.4, in letters: a final dot is not among them here.
const MAX_NAME_BYTES: usize = 255;
/// Pointers from one name to another (RFC 1035 §4.1.4). A name has no more labels than this.
const MAX_POINTERS: usize = 127;
/// Type, class, time to live and length of a record.
const RECORD_BYTES: usize = 10;

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

/// A record, of which the data stand in the message.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// Whose it is; `None` if that is no name in our letters.
    pub(super) owner: Option<String>,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) data: &'a [u8],
    from: Reader<'a>,
}

impl Record<'_> {
    /// Its data, where they are a name.
    pub(super) fn name(&self) -> Option<String> {
        self.from.pointed_name()
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(message: &'a [u8], at: usize) -> Self {
        Self { message, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.message.len()
    }

    pub(super) fn number(&mut self) -> Option<u16> {
        let bytes = self.message.get(self.at..self.at + 2)?;
        self.at += 2;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A name without pointers, in lower case and without the final dot.
    pub(super) fn whole_name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            match *self.message.get(self.at)? {
                0 => break,
                1..=63 => self.label(&mut name)?,
                _ => return None,
            }
        }
        self.at += 1;
        Some(name)
    }

    /// The next record.
    pub(super) fn record(&mut self) -> Option<Record<'a>> {
        let owner = self.pointed_name();
        self.pass_name()?;
        let head = self.message.get(self.at..self.at + RECORD_BYTES)?;
        let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
        let from = Self { at: self.at + RECORD_BYTES, ..*self };
        let data = self.message.get(from.at..from.at + usize::from(number(8)))?;
        self.at = from.at + data.len();
        Some(Record { owner, kind: number(0), class: number(2), data, from })
    }

    /// The name here, which may go on somewhere before it.
    fn pointed_name(mut self) -> Option<String> {
        let (mut name, mut pointers) = (String::new(), 0);
        loop {
            match *self.message.get(self.at)? {
                0 => return Some(name),
                1..=63 => self.label(&mut name)?,
                0xc0.. => {
                    pointers += 1;
                    let to = usize::from(self.number()? & 0x3fff);
                    // One that does not lead back could lead in circles.
                    if to + 2 >= self.at || pointers > MAX_POINTERS {
                        return None;
                    }
                    self.at = to;
                }
                _ => return None,
            }
        }
    }

    /// Goes on behind a name.
    fn pass_name(&mut self) -> Option<()> {
        loop {
            let length = *self.message.get(self.at)?;
            match length {
                0 => self.at += 1,
                1..=63 => self.at += 1 + usize::from(length),
                0xc0.. => self.at += 2,
                _ => return None,
            }
            if !matches!(length, 1..=63) {
                return Some(());
            }
        }
    }

    /// Adds a label to a name.
    fn label(&mut self, name: &mut String) -> Option<()> {
        let length = usize::from(*self.message.get(self.at)?);
        if !name.is_empty() {
            name.push('.');
        }
        for byte in self.message.get(self.at + 1..self.at + 1 + length)? {
            match byte {
                // A dot in a label would be another name in our letters.
                b'.' | b'\\' => return None,
                0x21..=0x7e => name.push(char::from(byte.to_ascii_lowercase())),
                _ => return None,
            }
        }
        self.at += 1 + length;
        (name.len() < MAX_NAME_BYTES).then_some(())
    }
}
