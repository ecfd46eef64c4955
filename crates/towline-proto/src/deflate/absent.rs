//! What stands in for compression without the feature `deflate`: types that have no values.

use crate::error::ProtocolError;

#[derive(Debug)]
pub(crate) enum Inflater {}

impl Inflater {
    pub(crate) fn begin_message(&mut self) {
        match *self {}
    }
    pub(crate) fn inflate(&mut self, _: &[u8], _: bool) -> Result<usize, ProtocolError> {
        match *self {}
    }
    pub(crate) fn end_message(&mut self) {
        match *self {}
    }
    pub(crate) fn chunk(&self) -> &[u8] {
        match *self {}
    }
    pub(crate) fn inflated(&self) -> u64 {
        match *self {}
    }
    pub(crate) fn release(&mut self) {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) enum Deflater {}

/// What compressing would write into.
type Scratch = Vec<u8>;

pub(crate) const PART: usize = 64 * 1024;

impl Deflater {
    pub(crate) fn wants(&self, _: usize, _: bool) -> bool {
        match *self {}
    }
    pub(crate) fn deflate(&mut self, _: &[u8], _: bool) -> Scratch {
        match *self {}
    }
    pub(crate) fn recycle(&mut self, _: Scratch) {
        match *self {}
    }
    pub(crate) fn may_go_plain(&self) -> bool {
        match *self {}
    }
}
