//! One function for each fuzz target: it takes any bytes, and panics if a promise is broken.
//!
//! The protocol's tests run them too, over the committed corpus.

use std::collections::VecDeque;
use std::time::Duration;

use towline_proto::handshake::http1::HeadReader;
use towline_proto::handshake::{
    ClientHandshake, ClientRequest, HandshakeError, HeadLimits, ServerHandshake,
};
use towline_proto::{
    CloseCode, CloseFrame, Config, FrameHeader, MessageKind, ProtocolError, Role, SendError, State,
    WsUri,
};

use crate::check::{self, Got};
use crate::pair::{Pair, Side};

/// An address, and what a program may put into a request: nothing can smuggle a line into it.
pub fn address(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut parts = text.split('\0');
    let mut part = || parts.next().unwrap_or_default();
    let Ok(uri) = WsUri::parse(part()) else { return };
    let again = WsUri::parse(&uri.to_string()).expect("what is printed can be read");
    assert_eq!(again, uri);

    let mut request = ClientRequest::new(&uri);
    let mut lines = 6; // the start line, four headers of the handshake, Host
    if let Ok(with) = request.clone().subprotocol(part()) {
        request = with;
        lines += 1;
    }
    if let Ok(with) = request.clone().origin(part()) {
        request = with;
        lines += 1;
    }
    let name = part();
    if let Ok(with) = request.clone().header(name, part()) {
        request = with;
        let once = name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case("origin");
        lines += usize::from(!once);
    }
    let handshake = ClientHandshake::new(request, [7; 16], HeadLimits::default());
    let head = str::from_utf8(handshake.request()).expect("a head is text");
    let line_ends = head.matches("\r\n").count();
    assert_eq!((head.matches('\r').count(), head.matches('\n').count()), (line_ends, line_ends));
    let found = head.strip_suffix("\r\n\r\n").expect("a head ends").split("\r\n").count();
    assert!(found <= lines, "{found} lines instead of {lines}: {head:?}");
}

/// A client's request: the same verdict however it is cut, and an answer that is HTTP.
pub fn request(data: &[u8]) {
    let (cuts, head) = cuts(data);
    let read = |cuts: &[usize]| {
        let mut handshake = ServerHandshake::new(HeadLimits::default());
        feed(head, cuts, |input| handshake.receive(input))
    };
    let whole = read(&[]);
    assert_eq!(format!("{:?}", read(&cuts)), format!("{whole:?}"), "cut at {cuts:?}");

    let (consumed, request) = match whole {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(error) => return check_answer(&error.response()),
    };
    assert!(consumed <= head.len());
    let chosen = request.subprotocols().first().map(String::as_str);
    match request.accept(chosen, &Default::default()) {
        Err(error) => check_answer(&error.response()),
        Ok((answer, negotiated)) => {
            assert!(request.is_upgrade() && request.host().is_some());
            assert_eq!(negotiated.subprotocol.as_deref(), chosen);
            let mut reader = HeadReader::new(HeadLimits { bytes: usize::MAX, headers: usize::MAX });
            assert_eq!(reader.push(&answer), Ok(Some(answer.len())));
            assert_eq!(reader.response().expect("our answer is HTTP").status(), 101);
        }
    }
}

/// A server's answer: the same verdict however it is cut, and nothing agreed that was not offered.
pub fn response(data: &[u8]) {
    let (cuts, head) = cuts(data);
    let offered = ["rope", "chain"];
    let read = |cuts: &[usize]| {
        let uri = WsUri::parse("ws://server.example/").expect("an address");
        let request = offered
            .iter()
            .try_fold(ClientRequest::new(&uri), |request, name| request.subprotocol(name))
            .expect("names of subprotocols");
        let key = *b"the sample nonce";
        let mut handshake = ClientHandshake::new(request, key, HeadLimits::default());
        let mut start = 0;
        feed(head, cuts, |input| {
            let before = start;
            start += input.len();
            handshake.receive(input).map_err(|error| match error {
                HandshakeError::Status { response, consumed } => {
                    HandshakeError::Status { response, consumed: consumed + before }
                }
                other => other,
            })
        })
    };
    let whole = read(&[]);
    assert_eq!(format!("{:?}", read(&cuts)), format!("{whole:?}"), "cut at {cuts:?}");

    if let Ok(Some((consumed, response, negotiated))) = whole {
        assert!(consumed <= head.len());
        assert_eq!(response.status(), 101);
        assert!(negotiated.subprotocol.is_none_or(|name| offered.contains(&&*name)));
    }
}

/// A frame's header: what can be read is printed as it was, and its parts alone are unfinished.
pub fn frame(data: &[u8]) {
    for role in [Role::Client, Role::Server] {
        let Ok(Some((header, len))) = FrameHeader::parse(data, role) else { continue };
        assert!(len <= FrameHeader::MAX_LEN);
        assert_eq!(header.encode().as_ref(), &data[..len]);
        assert_eq!(header.mask.is_some(), role == Role::Server);
        assert!(header.len <= i64::MAX.unsigned_abs());
        for end in 0..len {
            assert_eq!(FrameHeader::parse(&data[..end], role), Ok(None));
        }
    }
}

/// A peer's bytes: the same events, verdict and answers however they are cut, and a failure that
/// the peer is told about.
pub fn connection(data: &[u8]) {
    let Some((&[switches], data)) = data.split_first_chunk() else { return };
    let (cuts, data) = cuts(data);
    let role = if switches & 1 == 0 { Role::Client } else { Role::Server };
    let bytes = if switches & 2 == 0 { data.to_vec() } else { check::masked(data) };
    let config = if switches & 4 == 0 {
        Config::default()
    } else {
        Config::default()
            .max_message_size(1000)
            .max_frame_size(400)
            .max_fragments(8)
            .max_empty_fragments(3)
            .max_control_frames_per_second(5)
            .max_outbox(64)
    };

    let mut whole = check::feed(role, &config, &bytes, &[]);
    let cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= bytes.len()).collect();
    let mut cut = check::feed(role, &config, &bytes, &cuts);
    assert_eq!(cut.events, whole.events, "cut at {cuts:?}");
    assert_eq!(cut.error, whole.error, "cut at {cuts:?}");
    assert_eq!(cut.connection.state(), whole.connection.state());

    let bound = config.get_max_outbox() + 2 * (FrameHeader::MAX_LEN + 125);
    assert!(whole.connection.outbox().len() <= bound);
    let written = check::drain(&mut whole.connection);
    assert_eq!(check::drain(&mut cut.connection), written);
    if let (Some(error), Role::Server) = (whole.error, role) {
        check_told(&error, &written);
    }
    let closed = matches!(whole.events.last(), Some(Got::Closed(_)));
    assert_eq!(closed, whole.connection.state() == State::Closed);
}

/// Two of our own sides, and any sequence of calls: neither ever breaks the protocol, and what
/// arrives is what was sent, in order.
pub fn operations(data: &[u8]) {
    let mut script = Script(data);
    let config = Config::default().max_outbox(1 + usize::from(script.byte()) * 64);
    let mut pair = Pair::with(config.clone(), config.clone());
    pair.latency = Duration::from_millis(u64::from(script.byte() % 64));
    pair.gulp = [usize::MAX, 1, 7, 1000][usize::from(script.byte() % 4)];
    let mut models = [Model::default(), Model::default()];

    for _ in 0..MAX_CALLS {
        let Some(call) = script.next() else { break };
        let from = usize::from(call & 1);
        if !call_one(call >> 1, &mut pair, from, &mut models[from], &mut script) {
            break;
        }
        check_pair(&mut pair, &mut models, &config);
    }

    // Let everything come to its end.
    for (from, model) in models.iter_mut().enumerate() {
        model.finish(side(&mut pair, from));
    }
    for _ in 0..MAX_MINUTES {
        pair.run_for(Duration::from_secs(60));
        check_pair(&mut pair, &mut models, &config);
        if models.iter().all(|model| model.sent.is_empty()) {
            break;
        }
    }
    let calm = pair.client.expired.is_empty() && pair.server.expired.is_empty();
    let frame_open = |side: &mut Side| side.connection.sender().frame_remaining() > 0;
    if calm && !frame_open(&mut pair.client) && !frame_open(&mut pair.server) {
        for model in &models {
            assert!(model.sent.is_empty(), "never arrived: {:?}", model.sent);
        }
        let states = [pair.client.connection.state(), pair.server.connection.state()];
        assert!(
            states == [State::Open; 2] || states == [State::Closed; 2],
            "one side open, the other closed: {states:?}"
        );
    }
}

/// More calls than any state needs, and fewer control frames than the limit of a second.
const MAX_CALLS: usize = 128;

/// A byte at a time takes the most that can be sent longer than this.
const MAX_MINUTES: usize = 240;

/// One call of the script; false at its end.
fn call_one(
    call: u8,
    pair: &mut Pair,
    from: usize,
    model: &mut Model,
    script: &mut Script<'_>,
) -> bool {
    let now = pair.now;
    let connection = &mut side(pair, from).connection;
    // A caller that minds the outbox, as the driver does.
    let room = connection.sender().has_room();
    match call % 8 {
        0 => pair.run_for(Duration::from_millis(u64::from(script.byte()))),
        1 => pair.run_for(Duration::from_secs(u64::from(script.byte()))),
        2 if room => {
            let payload = script.payload();
            let result = match String::from_utf8(payload.clone()) {
                Ok(text) => connection.send(text),
                Err(_) => connection.send(payload.clone()),
            };
            let kind = match str::from_utf8(&payload) {
                Ok(_) => MessageKind::Text,
                Err(_) => MessageKind::Binary,
            };
            model.message(kind, &payload, true, result);
        }
        3 | 4 if room => {
            let (kind, fin) = script.kind_and_fin();
            let payload = script.payload();
            let result = connection.send_fragment(kind, &payload, fin);
            model.message(kind, &payload, fin, result);
        }
        5 if room => {
            let (kind, fin) = script.kind_and_fin();
            let len = u64::from(script.byte()) * 10;
            let result = connection.sender().start_frame(kind, len, fin);
            model.begin(kind, fin, len, result);
        }
        6 if room => {
            let payload = script.payload();
            let result = connection.sender().continue_frame(&payload);
            model.more(&payload, result, connection.sender().frame_remaining());
        }
        7 if room => match script.byte() {
            0..128 => drop(connection.ping(&script.payload(), now)),
            128..192 => drop(connection.sender().pong(&script.payload())),
            192..255 => drop(connection.send_fragment(MessageKind::Binary, b"", false).map(|()| {
                model.message(MessageKind::Binary, b"", false, Ok(()));
            })),
            255 => connection.close(CloseFrame::new(CloseCode::NORMAL, "").ok(), now),
        },
        _ => pair.run_for(Duration::from_millis(1)),
    }
    !script.0.is_empty()
}

fn side(pair: &mut Pair, from: usize) -> &mut Side {
    if from == 0 { &mut pair.client } else { &mut pair.server }
}

/// What holds after every call.
fn check_pair(pair: &mut Pair, models: &mut [Model; 2], config: &Config) {
    for to in 0..2 {
        let model = &mut models[1 - to];
        let side = side(pair, to);
        assert_eq!(side.error, None, "our own side broke the protocol");
        for event in side.take_events() {
            assert!(!model.closed, "{event:?} after the closing frame");
            match event {
                Got::Message(message) => {
                    let sent = model.sent.pop_front().expect("only what was sent arrives");
                    assert_eq!((message.kind(), message.as_bytes()), (sent.0, &*sent.1));
                }
                Got::Closed(_) => model.closed = true,
                Got::Ping(_) | Got::Pong(_) => {}
            }
        }
        let bound = config.get_max_outbox() + 2 * (MAX_PAYLOAD + FrameHeader::MAX_LEN);
        assert!(side.connection.outbox().len() <= bound, "the outbox grew beyond its bound");
    }
}

/// What one side has sent.
#[derive(Debug, Default)]
struct Model {
    /// Whole messages that have not arrived.
    sent: VecDeque<(MessageKind, Vec<u8>)>,
    /// The message that is open.
    open: Option<(MessageKind, Vec<u8>)>,
    /// Whether the open frame is its message's last.
    fin: bool,
    /// Whether its closing frame has arrived.
    closed: bool,
}

impl Model {
    fn message(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        fin: bool,
        sent: Result<(), SendError>,
    ) {
        if sent.is_err() {
            return;
        }
        self.open.get_or_insert((kind, Vec::new())).1.extend_from_slice(payload);
        if fin {
            self.sent.extend(self.open.take());
        }
    }

    fn begin(&mut self, kind: MessageKind, fin: bool, len: u64, begun: Result<(), SendError>) {
        self.message(kind, &[], fin && len == 0, begun);
        if begun.is_ok() {
            self.fin = fin;
        }
    }

    fn more(&mut self, payload: &[u8], sent: Result<(), SendError>, remaining: u64) {
        let Some((kind, _)) = self.open else {
            assert!(sent.is_err(), "payload without a frame");
            return;
        };
        self.message(kind, payload, self.fin && remaining == 0, sent);
    }

    /// Completes a frame that is open, so that a closing frame can follow it.
    fn finish(&mut self, side: &mut Side) {
        let sender = side.connection.sender();
        while sender.frame_remaining() > 0 {
            let len = usize::try_from(sender.frame_remaining()).map_or(1000, |len| len.min(1000));
            let rest = vec![b'.'; len];
            let sent = sender.continue_frame(&rest);
            let remaining = sender.frame_remaining();
            self.more(&rest, sent, remaining);
            if sent.is_err() {
                return; // the connection has failed, or a character was cut
            }
        }
    }
}

/// The bytes that decide what happens.
struct Script<'a>(&'a [u8]);

const MAX_PAYLOAD: usize = 128 * 8;

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    fn kind_and_fin(&mut self) -> (MessageKind, bool) {
        let byte = self.byte();
        (if byte & 1 == 0 { MessageKind::Text } else { MessageKind::Binary }, byte & 2 != 0)
    }

    /// A few bytes of the script, or many that are all the same.
    fn payload(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte());
        if len >= 128 {
            return vec![b'~'; (len - 127) * 8];
        }
        let (payload, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        payload.to_vec()
    }
}

/// Takes places to cut at from the front of `data`; what remains is what is cut.
pub(crate) fn cuts(data: &[u8]) -> (Vec<usize>, &[u8]) {
    let Some((&[count], rest)) = data.split_first_chunk() else { return (Vec::new(), data) };
    let (steps, rest) = rest.split_at(usize::from(count % 16).min(rest.len()));
    let cuts = steps.iter().scan(0, |at, step| {
        *at += usize::from(*step);
        Some(*at)
    });
    (cuts.take_while(|cut| *cut <= rest.len()).collect(), rest)
}

/// Feeds a head in pieces until it is whole. The number of bytes used up counts from its front.
fn feed<T: Head, E>(
    bytes: &[u8],
    cuts: &[usize],
    mut receive: impl FnMut(&[u8]) -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        if let Some(head) = receive(&bytes[start..end])? {
            return Ok(Some(head.counted_from(start)));
        }
        start = end;
    }
    Ok(None)
}

/// A head that was found at the end of so many bytes.
trait Head {
    fn counted_from(self, start: usize) -> Self;
}

impl<T> Head for (usize, T) {
    fn counted_from(self, start: usize) -> Self {
        (self.0 + start, self.1)
    }
}

impl<T, U> Head for (usize, T, U) {
    fn counted_from(self, start: usize) -> Self {
        (self.0 + start, self.1, self.2)
    }
}

/// An answer to a request that was refused is one HTTP head with an error's status.
fn check_answer(answer: &[u8]) {
    let mut reader = HeadReader::new(HeadLimits { bytes: usize::MAX, headers: usize::MAX });
    let consumed = reader.push(answer).expect("our answer is HTTP").expect("its head ends");
    let response = reader.response().expect("our answer is HTTP");
    assert!(response.status().is_client_error() || response.status().is_server_error());
    let length = response.headers().get("content-length").expect("it says how long it is");
    assert_eq!(length.to_str().ok(), Some((answer.len() - consumed).to_string().as_str()));
}

/// The last frame that a server wrote is a closing frame with the code of the error.
fn check_told(error: &ProtocolError, written: &[u8]) {
    let [high, low] = error.close_code().get().to_be_bytes();
    assert!(written.ends_with(&[0x88, 2, high, low]), "{error:?} was not told: {written:02x?}");
}
