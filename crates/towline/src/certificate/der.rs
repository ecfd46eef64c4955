//! DER (ITU-T X.690), as much of it as certificates are made of.

/// Elements one after the other. What cannot be read ends them.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a>(&'a [u8]);

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    /// Tag and length as well.
    pub(crate) whole: &'a [u8],
}

pub(crate) mod tag {
    //! What an element is.

    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0C;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const TELETEX_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const BMP_STRING: u8 = 0x1E;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
}

impl<'a> Elements<'a> {
    pub(crate) fn of(der: &'a [u8]) -> Self {
        Self(der)
    }

    /// The next one's value, if this is what it is.
    pub(crate) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut rest = self.clone();
        let element = rest.next().filter(|element| element.tag == tag)?;
        *self = rest;
        Some(element.value)
    }

    /// What is in the next one, if this is what it is.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.value(tag).map(Self)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        // X.690 §8.1.2.4: this one says that the tag goes on, which none of ours does.
        if tag & 0x1F == 0x1F {
            return None;
        }
        let (length, rest) = match length {
            0..=0x7F => (usize::from(length), rest),
            // X.690 §8.1.3.5: so many bytes of length follow.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7F))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Element { tag, value, whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_after_the_other() {
        let mut read = Elements::of(&[0x02, 1, 7, 0x30, 0x81, 3, 0x04, 1, 9, 0x05, 0]);
        assert_eq!(read.value(tag::SEQUENCE), None);
        assert_eq!(read.value(tag::INTEGER), Some(&[7][..]));
        let mut inner = read.enter(tag::SEQUENCE).unwrap();
        assert_eq!(inner.next().map(|one| one.whole), Some(&[0x04, 1, 9][..]));
        assert!(inner.next().is_none());
        assert_eq!(read.next().map(|one| (one.tag, one.value.len())), Some((5, 0)));
        assert!(read.next().is_none());
    }

    #[test]
    fn what_is_cut_or_endless_is_none() {
        for bad in [
            &[0x30][..],
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x82, 1],
            &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x3F, 0],
        ] {
            assert!(Elements::of(bad).next().is_none(), "{bad:x?}");
        }
    }
}
