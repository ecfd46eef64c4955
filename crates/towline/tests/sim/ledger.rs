//! The oracle: what was sent, what may have been, and whether what arrives agrees with it.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use towline::{CloseFrame, Error, ErrorKind, MessageKind};

use crate::payload::stream_byte;
use crate::trace::{count, note};

pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;
pub(crate) const NAMES: [&str; 2] = ["client", "server"];

/// What both sides did, written down as they do it.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

/// By side: the messages towards it, and what it knows.
#[derive(Debug)]
pub(crate) struct Book {
    sound: bool,
    to: [Direction; 2],
    pub(crate) sides: [Side; 2],
}

/// What is on its way to a side.
#[derive(Debug, Default)]
struct Direction {
    /// By writer: the order within each is kept.
    queues: Vec<VecDeque<Entry>>,
    /// Writers that have not sent all they want to.
    busy: usize,
    /// Of a stream without messages: bytes written and read.
    written: u64,
    read: u64,
    /// Bytes that a write which failed may have written all the same.
    perhaps: u64,
}

#[derive(Debug)]
struct Entry {
    number: usize,
    kind: MessageKind,
    /// What may arrive: more than one where a part may have been sent or not.
    payloads: Vec<Vec<u8>>,
    fate: Fate,
}

/// What the sender knows of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It is being sent, or that was cancelled or failed: it may arrive, whole.
    Perhaps,
    /// It was sent: it arrives, unless the connection fails.
    Sent,
    /// It was said not to be queued.
    Not,
}

/// What a side has done and seen.
#[derive(Debug, Default)]
pub(crate) struct Side {
    /// It has closed, with this code; by itself, not in answer.
    pub(crate) closed: Option<Option<u16>>,
    pub(crate) ended: bool,
    ended_at: Option<Instant>,
    /// Its settings let it close without being asked.
    pub(crate) closes_by_itself: bool,
    /// It sends through a `Sink` of `futures`, which holds back the last message it was fed.
    pub(crate) holds_back: bool,
    /// It left a message unfinished.
    pub(crate) abandoned: bool,
    /// It gave up its reader, so that no end is due.
    pub(crate) reads_no_more: bool,
    /// The code that it saw of the peer.
    pub(crate) saw: Option<Option<u16>>,
    /// Its last ping, if the pong has not come.
    pub(crate) ping: Option<Vec<u8>>,
}

impl Ledger {
    pub(crate) fn new(sound: bool) -> Self {
        let book = Book { sound, to: Default::default(), sides: Default::default() };
        Self(Arc::new(Mutex::new(book)))
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// A writer that has something to send to this side; its number.
    pub(crate) fn add_writer(&mut self, to: usize) -> usize {
        self.to[to].busy += 1;
        self.to[to].queues.push(VecDeque::new());
        self.to[to].queues.len() - 1
    }

    /// It has sent all that it wants to.
    pub(crate) fn writer_is_done(&mut self, to: usize) {
        self.to[to].busy -= 1;
    }

    /// A message is about to be sent.
    pub(crate) fn begin(
        &mut self,
        to: usize,
        writer: usize,
        number: usize,
        kind: MessageKind,
        payloads: Vec<Vec<u8>>,
    ) {
        let entry = Entry { number, kind, payloads, fate: Fate::Perhaps };
        self.to[to].queues[writer].push_back(entry);
    }

    /// The shapes that a message may have, where parts of it were cancelled.
    pub(crate) fn offer(
        &mut self,
        to: usize,
        writer: usize,
        number: usize,
        payloads: Vec<Vec<u8>>,
    ) {
        let queue = &mut self.to[to].queues[writer];
        if let Some(entry) = queue.iter_mut().find(|entry| entry.number == number) {
            entry.payloads = payloads;
        }
    }

    /// What became of it, as far as its sender knows.
    pub(crate) fn settle(&mut self, to: usize, writer: usize, number: usize, fate: Fate) {
        let queue = &mut self.to[to].queues[writer];
        let at = queue.iter().position(|entry| entry.number == number);
        match (at, fate) {
            (Some(at), Fate::Not) => drop(queue.remove(at)),
            (Some(at), fate) => queue[at].fate = fate,
            // It has arrived before its sender's next turn.
            (None, Fate::Sent | Fate::Perhaps) => {}
            (None, Fate::Not) => {
                panic!("message {writer}/{number} arrived and was said not to be queued")
            }
        }
    }

    /// A message has arrived at a side.
    pub(crate) fn received(&mut self, side: usize, kind: MessageKind, payload: &[u8]) {
        note(NAMES[side], || format!("receives {}", describe(payload)));
        count("messages received");
        self.matched(side, kind, payload, |sent| sent == payload);
    }

    /// The beginning of a message has arrived; the rest was skipped.
    pub(crate) fn received_beginning(&mut self, side: usize, kind: MessageKind, beginning: &[u8]) {
        note(NAMES[side], || format!("skips the rest of {}", describe(beginning)));
        count("messages skipped half-way");
        self.matched(side, kind, beginning, |sent| sent.starts_with(beginning));
    }

    fn matched(
        &mut self,
        side: usize,
        kind: MessageKind,
        payload: &[u8],
        fits: impl Fn(&[u8]) -> bool,
    ) {
        assert!(!self.sides[side].ended, "a message arrives after the end");
        let mut expected = Vec::new();
        for queue in &mut self.to[side].queues {
            for at in 0..queue.len() {
                let entry = &queue[at];
                if entry.kind == kind && entry.payloads.iter().any(|sent| fits(sent)) {
                    queue.drain(..=at);
                    return;
                }
                expected.push(describe(&entry.payloads[0]));
                if entry.fate == Fate::Sent {
                    break;
                }
            }
        }
        panic!("{} receives {kind:?} {}, expected {expected:?}", NAMES[side], describe(payload));
    }

    /// Bytes of a stream without messages: written towards a side.
    pub(crate) fn wrote(&mut self, to: usize, count: usize) {
        self.to[to].written += u64::try_from(count).unwrap();
    }

    pub(crate) fn may_have_written(&mut self, to: usize, count: usize) {
        self.to[to].perhaps += u64::try_from(count).unwrap();
    }

    pub(crate) fn written(&self, to: usize) -> u64 {
        self.to[to].written
    }

    /// And read by it.
    pub(crate) fn read(&mut self, side: usize, bytes: &[u8]) {
        note(NAMES[side], || format!("reads {} bytes of the stream", bytes.len()));
        let direction = &mut self.to[side];
        for byte in bytes {
            assert_eq!(*byte, stream_byte(side, direction.read), "at byte {}", direction.read);
            direction.read += 1;
        }
        let most = direction.written + direction.perhaps;
        assert!(direction.read <= most, "more was read than was written");
    }

    /// Whether both sides have sent all they wanted to, and all of it has arrived.
    pub(crate) fn is_settled(&self) -> bool {
        let settled = |direction: &Direction| {
            direction.busy == 0
                && direction.read == direction.written
                && direction.queues.iter().flatten().all(|entry| entry.fate != Fate::Sent)
        };
        self.to.iter().all(settled) && self.sides.iter().all(|side| side.ping.is_none())
    }

    /// A side closes.
    pub(crate) fn closes(&mut self, side: usize, code: Option<u16>) {
        note(NAMES[side], || format!("closes with {code:?}"));
        count("closes");
        self.sides[side].closed.get_or_insert(code);
    }

    /// A side's connection has ended.
    pub(crate) fn ends(
        &mut self,
        side: usize,
        result: Result<(), Error>,
        peer_closed: bool,
        frame: Option<&CloseFrame>,
    ) {
        note(NAMES[side], || format!("ends: {result:?}, peer's closing frame: {frame:?}"));
        assert!(!self.sides[side].ended, "an end comes once");
        self.sides[side].ended = true;
        self.sides[side].ended_at = Some(Instant::now());
        if peer_closed {
            self.sides[side].saw = Some(frame.map(|frame| frame.code.get()));
        }
        match result {
            Err(error) => {
                assert!(!self.sound, "an error on a sound link: {error:?}");
                let kind = error.kind();
                count(match kind {
                    ErrorKind::Disconnected => "ends: disconnected",
                    ErrorKind::TimedOut => "ends: timed out",
                    ErrorKind::InvalidInput if self.sides[side].abandoned => "ends: abandoned",
                    _ => panic!("no fault of the link explains {error:?}"),
                });
            }
            Ok(()) => {
                count("ends: closed");
                assert!(peer_closed, "a normal end without the peer's closing frame");
                // The peer's closing frame came behind everything it has sent. Who closed first has
                // discarded what still came.
                let (me, peer) = (&self.sides[side], &self.sides[1 - side]);
                let held_back = peer.holds_back && peer.closed.is_none();
                if me.closed.is_none() && !me.closes_by_itself && !held_back {
                    let left = self.to[side].queues.iter().flatten();
                    let left: Vec<_> = left
                        .filter(|entry| entry.fate == Fate::Sent)
                        .map(|entry| describe(&entry.payloads[0]))
                        .collect();
                    assert!(left.is_empty(), "{} never got {left:?}", NAMES[side]);
                    let direction = &self.to[side];
                    assert!(direction.read >= direction.written, "bytes of the stream are lost");
                }
            }
        }
    }

    /// Sending, which was begun at `since`, has failed: whether that can be.
    pub(crate) fn send_failed(&self, side: usize, since: Instant, error: &Error) {
        note(NAMES[side], || format!("cannot send: {error:?}"));
        // Who waits is woken by the end, not by a deadline of its own.
        let waited_on = self.sides[side].ended_at.filter(|end| since < *end);
        assert!(waited_on.is_none_or(|end| end == Instant::now()), "it was not told of the end");
        match error.kind() {
            ErrorKind::Closed => {
                count("sends refused after a close");
                let closed = self.sides.iter().any(|side| side.closed.is_some() || side.ended);
                assert!(closed || !self.sound, "nobody has closed: {error:?}");
            }
            ErrorKind::Disconnected | ErrorKind::TimedOut => {
                assert!(!self.sound, "an error on a sound link: {error:?}");
            }
            ErrorKind::InvalidInput if self.sides[side].abandoned => {}
            _ => panic!("no fault of the link explains {error:?}"),
        }
    }

    /// Where both sides stand, for people.
    pub(crate) fn summary(&self) -> String {
        let mut summary = String::new();
        for side in [CLIENT, SERVER] {
            let Direction { queues, busy, written, read, .. } = &self.to[side];
            let left = queues.iter().flatten().filter(|entry| entry.fate == Fate::Sent);
            let left: Vec<_> = left.map(|entry| describe(&entry.payloads[0])).collect();
            write!(
                summary,
                "\n  {}: {:?}; towards it {busy} writers are busy, {read} of {written} bytes of a \
                 stream were read, these messages are due: {left:?}",
                NAMES[side], self.sides[side]
            )
            .unwrap();
        }
        summary
    }

    /// What has to be true once all tasks have ended.
    pub(crate) fn check_end(&self) {
        for (side, name) in self.sides.iter().zip(NAMES) {
            assert!(side.ended || side.reads_no_more, "{name} never saw an end");
        }
        if !self.sound {
            return;
        }
        for (me, peer) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
            let (me, peer) = (&self.sides[me], &self.sides[peer]);
            let saw = me.saw.unwrap_or_else(|| panic!("no closing frame: {self:?}"));
            // The peer's own, or mine in its answer.
            let possible = [peer.closed, me.closed];
            assert!(
                possible.contains(&Some(saw)),
                "the sides disagree on the code: {possible:?}, {saw:?}"
            );
            if let (Some(code), None) = (peer.closed, me.closed) {
                assert_eq!(saw, code, "the code that the peer closed with");
            }
        }
    }
}

/// A payload's beginning and length.
fn describe(payload: &[u8]) -> String {
    let beginning = String::from_utf8_lossy(&payload[..payload.len().min(12)]).into_owned();
    format!("{beginning:?} ({} bytes)", payload.len())
}
