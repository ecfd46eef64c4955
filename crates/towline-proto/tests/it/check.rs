//! A transcript in, events out: `check("81 02 48 69", &[text("Hi")])`.
//!
//! Transcripts are written as a server sends them, unmasked. Each is also given, masked, to a
//! server; and each is fed whole, byte by byte, at every single cut and at random cuts. The events
//! may never differ.

use std::time::Instant;

use bytes::BufMut;
use towline_proto::{
    Assembly, Config, Connection, Event, Message, MessageKind, Piece, ProtocolError, Role,
};

/// An event, owned, its pieces joined.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Got {
    Message(Message),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Closed(Option<(u16, String)>),
}

pub(crate) fn text(text: &str) -> Got {
    Got::Message(Message::text(text))
}

pub(crate) fn binary(data: &[u8]) -> Got {
    Got::Message(Message::from(data))
}

pub(crate) fn ping(payload: &[u8]) -> Got {
    Got::Ping(payload.to_vec())
}

pub(crate) fn pong(payload: &[u8]) -> Got {
    Got::Pong(payload.to_vec())
}

pub(crate) fn closed(code: u16, reason: &str) -> Got {
    Got::Closed(Some((code, reason.to_owned())))
}

pub(crate) fn closed_empty() -> Got {
    Got::Closed(None)
}

/// The transcript gives these events, however it is cut and whoever receives it.
#[track_caller]
pub(crate) fn check(transcript: &str, events: &[Got]) {
    check_bytes(&hex(transcript), events);
}

/// [`check`] for bytes that a test has built.
#[track_caller]
pub(crate) fn check_bytes(transcript: &[u8], events: &[Got]) {
    check_outcome(transcript, &Config::default(), events, None);
}

/// The transcript breaks this rule, however it is cut and whoever receives it.
#[track_caller]
pub(crate) fn check_fails(transcript: &str, error: ProtocolError) {
    check_fails_after(transcript, &[], error);
}

/// The transcript gives these events and then breaks this rule.
#[track_caller]
pub(crate) fn check_fails_after(transcript: &str, events: &[Got], error: ProtocolError) {
    check_outcome(&hex(transcript), &Config::default(), events, Some(error));
}

/// Every other [`check`] in one: with limits, events, and the rule that is broken at last.
#[track_caller]
pub(crate) fn check_outcome(
    transcript: &[u8],
    config: &Config,
    events: &[Got],
    error: Option<ProtocolError>,
) {
    check_on(|role| connection(role, config), transcript, events, error);
}

/// The same on connections that are made in another way.
#[track_caller]
pub(crate) fn check_on(
    connect: impl Fn(Role) -> Connection,
    transcript: &[u8],
    events: &[Got],
    error: Option<ProtocolError>,
) {
    let expected = (events.to_vec(), error);
    for role in [Role::Client, Role::Server] {
        let bytes = match role {
            Role::Client => transcript.to_vec(),
            Role::Server => masked(transcript),
        };
        for cuts in ways_to_cut(bytes.len()) {
            let told = feed_to(connect(role), &bytes, &cuts).told();
            assert_eq!(told, expected, "{role:?} receives {bytes:02x?} cut at {cuts:?}");
        }
    }
}

/// The byte that completes the transcript is the first that is wrong: it breaks this rule, and
/// without it nothing is broken.
#[track_caller]
pub(crate) fn check_fails_at_last_byte(transcript: &str, error: ProtocolError) {
    let bytes = hex(transcript);
    for role in [Role::Client, Role::Server] {
        let bytes = match role {
            Role::Client => bytes.clone(),
            Role::Server => masked(&bytes),
        };
        let (_, good) = bytes.split_last().expect("a transcript has bytes");
        let one_by_one: Vec<usize> = (1..bytes.len()).collect();
        let before = feed(role, &Config::default(), good, &one_by_one[..good.len() - 1]);
        assert_eq!(before.error, None, "{role:?} receives {good:02x?}: an error too early");
        let after = feed(role, &Config::default(), &bytes, &one_by_one);
        assert_eq!(after.error, Some(error), "{role:?} receives {bytes:02x?}");
    }
}

/// What a receiver of the transcript writes. A client's answers are shown without their masks.
#[track_caller]
pub(crate) fn check_answer(transcript: &str, answer: &str) {
    for role in [Role::Client, Role::Server] {
        let bytes = match role {
            Role::Client => hex(transcript),
            Role::Server => masked(&hex(transcript)),
        };
        for cuts in ways_to_cut(bytes.len()) {
            let mut outcome = feed(role, &Config::default(), &bytes, &cuts);
            let written = drain(&mut outcome.connection);
            let written = match role {
                Role::Client => unmasked(&written),
                Role::Server => written,
            };
            assert_eq!(show(&written), show(&hex(answer)), "{role:?} answers {transcript}");
        }
    }
}

/// What feeding a transcript came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) connection: Connection,
    pub(crate) events: Vec<Got>,
    pub(crate) error: Option<ProtocolError>,
    pub(crate) joined: Joined,
}

impl Outcome {
    fn told(self) -> (Vec<Got>, Option<ProtocolError>) {
        (self.events, self.error)
    }
}

fn connection(role: Role, config: &Config) -> Connection {
    Connection::new(role, config.clone(), [7; 32], Instant::now())
}

/// Feeds a new connection the bytes, cut at these places.
pub(crate) fn feed(role: Role, config: &Config, bytes: &[u8], cuts: &[usize]) -> Outcome {
    feed_to(connection(role, config), bytes, cuts)
}

/// Feeds a connection the bytes, cut at these places.
pub(crate) fn feed_to(mut connection: Connection, bytes: &[u8], cuts: &[usize]) -> Outcome {
    let now = Instant::now();
    let mut joined = Joined::default();
    let mut events = Vec::new();
    let mut error = None;
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let mut input = bytes[start..end].to_vec();
        start = end;
        if let Err(broken) = receive_all(&mut connection, &mut input, now, &mut joined, &mut events)
        {
            assert_eq!(error.replace(broken), None, "a connection fails once");
        }
    }
    Outcome { connection, events, error, joined }
}

/// Receives all of `input`, and joins the pieces.
pub(crate) fn receive_all(
    connection: &mut Connection,
    mut input: &mut [u8],
    now: Instant,
    joined: &mut Joined,
    events: &mut Vec<Got>,
) -> Result<(), ProtocolError> {
    loop {
        let len = input.len();
        let (consumed, event) = connection.receive(input, now)?;
        assert!(event.is_some() || consumed == len, "without an event all input is used up");
        assert!(
            !matches!(events.last(), Some(Got::Closed(_))) || event.is_none(),
            "nothing follows the closing frame"
        );
        let done = event.is_none();
        events.extend(event.and_then(|event| joined.push(&event)));
        if done {
            return Ok(());
        }
        input = &mut input[consumed..];
    }
}

/// Joins pieces in three ways, which must agree: by hand, by `Assembly`, and as fragments.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    assembly: Assembly,
    bytes: Vec<u8>,
    fragments: Vec<u8>,
    kind: Option<MessageKind>,
    pub(crate) pieces: usize,
}

impl Joined {
    pub(crate) fn push(&mut self, event: &Event<'_>) -> Option<Got> {
        match event {
            Event::Piece(piece) => self.push_piece(piece).map(Got::Message),
            Event::Ping(payload) => Some(Got::Ping(payload.to_vec())),
            Event::Pong(payload) => Some(Got::Pong(payload.to_vec())),
            Event::Closed(frame) => Some(Got::Closed(
                frame.as_ref().map(|frame| (frame.code.get(), frame.reason.to_string())),
            )),
            _ => panic!("an event this helper does not know: {event:?}"),
        }
    }

    /// Bytes of a message that has not ended.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.bytes
    }

    fn push_piece(&mut self, piece: &Piece<'_>) -> Option<Message> {
        self.pieces += 1;
        assert_eq!(piece.start, self.kind.is_none(), "exactly the first piece is the start");
        let kind = *self.kind.get_or_insert(piece.kind);
        assert_eq!(piece.kind, kind, "a message keeps its kind");
        assert!(!piece.payload.is_empty() || piece.end, "only the last piece may be empty");
        self.bytes.extend_from_slice(piece.payload);
        let fragment = piece.to_fragment();
        assert_eq!((fragment.kind, fragment.start, fragment.end), (kind, piece.start, piece.end));
        if kind == MessageKind::Text {
            assert!(str::from_utf8(&fragment.payload).is_ok(), "a fragment is whole characters");
        }
        self.fragments.extend_from_slice(&fragment.payload);
        let message = self.assembly.push(piece);
        assert_eq!(message.is_some(), piece.end, "the last piece gives the message");
        let message = message?;
        assert_eq!(message.kind(), kind);
        assert_eq!(message.as_bytes(), self.bytes, "the message is its pieces' bytes");
        assert_eq!(message.as_bytes(), self.fragments, "the message is its fragments' bytes");
        assert!(self.assembly.is_empty(), "nothing is held between messages");
        if piece.is_whole() {
            assert_eq!(piece.as_text(), message.as_text());
        }
        *self = Self { pieces: self.pieces, ..Self::default() };
        Some(message)
    }
}

/// Writes out all that waits, and what waited for room.
pub(crate) fn drain(connection: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !connection.outbox().is_empty() {
        bytes.put(connection.outbox());
    }
    bytes
}

/// Bytes from hexadecimal digits; blanks do not count.
#[track_caller]
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    assert!(digits.is_ascii() && digits.len().is_multiple_of(2), "two digits to a byte: {digits}");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
        .collect()
}

/// Bytes as hexadecimal digits.
pub(crate) fn show(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// An unmasked frame with this first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, u64::try_from(payload.len()).expect("a length fits"));
    frame.extend_from_slice(payload);
    frame
}

/// The header of an unmasked frame that declares this length.
pub(crate) fn header(first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first];
    if len < 126 {
        header.push(u8::try_from(len).expect("below 126"));
    } else if let Ok(len) = u16::try_from(len) {
        header.push(126);
        header.extend_from_slice(&len.to_be_bytes());
    } else {
        header.push(127);
        header.extend_from_slice(&len.to_be_bytes());
    }
    header
}

/// The transcript as a client would send it. Frames may be malformed, or cut at the end.
pub(crate) fn masked(transcript: &[u8]) -> Vec<u8> {
    remask(transcript, true)
}

/// The transcript of a client, without its masks.
pub(crate) fn unmasked(transcript: &[u8]) -> Vec<u8> {
    remask(transcript, false)
}

/// A parser of its own, so that a fault of the crate's cannot hide itself.
fn remask(mut rest: &[u8], add: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut key: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    while let [first, second, tail @ ..] = rest {
        let long = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mut head = vec![*first, if add { second | 0x80 } else { second & 0x7f }];
        let Some((len, mut tail)) = tail.split_at_checked(long) else {
            head.extend_from_slice(tail);
            out.extend_from_slice(&head);
            return out;
        };
        head.extend_from_slice(len);
        if add {
            key.rotate_left(1);
            key[0] = key[0].wrapping_add(0x55);
            head.extend_from_slice(&key);
        } else {
            assert!(second & 0x80 != 0, "a client's frame is masked");
            key.copy_from_slice(&tail[..4]);
            tail = &tail[4..];
        }
        let len = match len.len() {
            0 => u64::from(second & 0x7f),
            _ => len.iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        };
        let len = usize::try_from(len).map_or(tail.len(), |len| len.min(tail.len()));
        out.extend_from_slice(&head);
        out.extend(tail[..len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        rest = &tail[len..];
    }
    out.extend_from_slice(rest);
    out
}

/// Whole, byte by byte, every single cut, and some random cuts.
fn ways_to_cut(len: usize) -> Vec<Vec<usize>> {
    // Beyond this a single cut at every place costs too much: a prime step stands for all.
    let step = if len <= 600 { 1 } else { len / 97 };
    let mut ways = vec![Vec::new()];
    ways.extend((1..len).step_by(step).map(|cut| vec![cut]));
    if len <= 100_000 {
        ways.push((1..len).collect());
    }
    let mut random = Random(len);
    for _ in 0..16 {
        ways.push((1..len).filter(|_| random.next().is_multiple_of(5)).collect());
    }
    ways
}

/// Numbers without a pattern that matters, the same in every run.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) usize);

impl Random {
    pub(crate) fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        self.0 >> 33
    }
}
