//! The same of the protocol alone: two `Connection`s, a wire that is cut anywhere, and a clock that
//! is looked at early, late and after jumps.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Buf;
use towline::proto::{Connection, Event, Expired, Role, State};
use towline::{CloseCode, CloseFrame, Config, Message, MessageKind};

use crate::payload::payload;
use crate::rng::Rng;
use crate::trace::{count, note};

/// Turns after which a run has to be over once nobody starts anything new.
const MAX_TURNS: usize = 100_000;

struct Side {
    name: &'static str,
    connection: Connection,
    config: Config,
    /// Bytes on their way to it.
    coming: VecDeque<u8>,
    /// Nothing arrives any more.
    cut: bool,
    /// Messages on their way to it, in order.
    expected: VecDeque<(MessageKind, Vec<u8>)>,
    /// The message of which it has got the beginning.
    partial: Option<(MessageKind, Vec<u8>)>,
    /// The message that it is sending in parts: what is still to go.
    open: Option<(MessageKind, Vec<u8>)>,
    sent: usize,
    /// The code that it closed with, and the one that it saw.
    closed: Option<u16>,
    saw: Option<u16>,
    expired: Option<Expired>,
    /// The last ping's payload, if it may still be answered.
    ping: Option<Vec<u8>>,
}

pub(crate) fn run(seed: u64) {
    let mut rng = Rng::new(seed, 100);
    let start = Instant::now();
    let mut now = start;
    let config = |rng: &mut Rng| {
        let seconds = |rng: &mut Rng| Duration::from_secs(rng.pick(&[1, 5, 30]));
        Config::default()
            .max_outbox(rng.pick(&[1, 100, 5000]))
            .max_control_frames_per_second(100_000)
            .ping_interval(Some(seconds(rng)))
            .pong_timeout(seconds(rng))
            .close_timeout(seconds(rng))
            .idle_timeout(rng.percent(20).then_some(Duration::from_secs(20)))
    };
    let mut sides = [Role::Client, Role::Server].map(|role| {
        let config = config(&mut rng);
        let name = if role == Role::Client { "proto client" } else { "proto server" };
        Side {
            name,
            connection: Connection::new(role, config.clone(), [7; 32], now),
            config,
            coming: VecDeque::new(),
            cut: false,
            expected: VecDeque::new(),
            partial: None,
            open: None,
            sent: 0,
            closed: None,
            saw: None,
            expired: None,
            ping: None,
        }
    });
    let acts = rng.between(10, 300);
    let cuts_after = rng.percent(40).then(|| rng.below(acts));
    let widest = rng.pick(&[1, 3, 50, 100_000]);
    for act in 0..acts {
        if cuts_after == Some(act) {
            let at = rng.below(2);
            note(sides[at].name, || "hears nothing any more".into());
            count("proto: wires cut");
            sides[at].cut = true;
            let all = sides[at].coming.len();
            sides[at].coming.truncate(rng.below(all + 1));
        }
        let me = rng.below(2);
        let [client, server] = &mut sides;
        let (side, peer) = if me == 0 { (client, server) } else { (server, client) };
        match rng.below(10) {
            0..=2 => side.send(peer, &mut rng, me),
            3 if rng.percent(20) => side.close(&mut rng, now),
            3 => side.send_ping(&mut rng, now),
            4..=5 => side.write(peer, rng.between(1, widest)),
            6..=7 => side.read(rng.between(1, widest), now),
            _ => {
                // Rarely so long that a deadline passes unseen.
                let most = if rng.percent(3) { 100_000_000 } else { 400_000 };
                now += Duration::from_micros(u64::try_from(rng.size(most)).unwrap());
                side.look_at_clock(now);
            }
        }
        side.check_memory();
    }
    come_to_rest(&mut sides, start, now);
}

/// Lets everything arrive and every deadline pass; then all is delivered, or both sides know.
fn come_to_rest(sides: &mut [Side; 2], start: Instant, mut now: Instant) {
    let mut turns = 0;
    loop {
        turns += 1;
        assert!(turns < MAX_TURNS, "the pair does not come to rest");
        let [client, server] = sides;
        client.finish_open();
        server.finish_open();
        client.write(server, usize::MAX);
        server.write(client, usize::MAX);
        let moves = !(client.coming.is_empty() && server.coming.is_empty());
        client.read(usize::MAX, now);
        server.read(usize::MAX, now);
        if moves {
            continue;
        }
        let whole = !client.cut && !server.cut;
        if whole && sides.iter().all(|side| side.connection.state() == State::Open) {
            for side in &*sides {
                assert!(side.expected.is_empty(), "{} never got a message", side.name);
                assert!(side.ping.is_none(), "{}'s ping was never answered", side.name);
            }
            return;
        }
        let Some(due) = sides.iter().filter_map(|side| side.connection.poll_timeout()).min() else {
            break;
        };
        if now > start + Duration::from_secs(24 * 3600) {
            panic!("silence: {:?}", sides.each_ref().map(|side| side.connection.state()));
        }
        now = now.max(due);
        for side in &mut *sides {
            side.look_at_clock(now);
            let next = side.connection.poll_timeout();
            assert!(next.is_none_or(|at| at > now), "{}: what was due was not done", side.name);
        }
    }
    for (me, peer) in [(0, 1), (1, 0)] {
        let (me, peer) = (&sides[me], &sides[peer]);
        assert_ne!(me.connection.state(), State::Open, "{} never learnt of the end", me.name);
        // Nobody closes by itself, and no deadline has passed: the code is one of the two.
        let by_itself = [me, peer].iter().any(|side| {
            side.expired.is_some() || side.cut || side.config.get_idle_timeout().is_some()
        });
        if !by_itself {
            assert!([peer.closed, me.closed].contains(&me.saw), "{}: {:?}", me.name, me.saw);
            assert!(me.saw.is_some(), "{} saw no closing frame", me.name);
        }
    }
}

impl Side {
    /// A message, or a part of one.
    fn send(&mut self, peer: &mut Self, rng: &mut Rng, me: usize) {
        if !self.connection.sender().has_room() || self.connection.state() != State::Open {
            return;
        }
        if let Some((kind, rest)) = &mut self.open {
            if self.connection.sender().frame_remaining() > 0 {
                return self.finish_open();
            }
            let len = rng.between(0, rest.len());
            let part: Vec<_> = rest.drain(..len).collect();
            self.connection.send_fragment(*kind, &part, rest.is_empty()).unwrap();
            if rest.is_empty() {
                self.open = None;
            }
            return;
        }
        let kind = rng.pick(&[MessageKind::Text, MessageKind::Binary]);
        let payload = payload(kind, 1 - me, 0, self.sent, rng.size(3000));
        self.sent += 1;
        note(self.name, || format!("sends message {} of {} bytes", self.sent, payload.len()));
        peer.expected.push_back((kind, payload.clone()));
        match rng.below(4) {
            0 => self.open = Some((kind, payload)),
            1 if !payload.is_empty() => {
                let len = u64::try_from(payload.len()).unwrap();
                self.connection.sender().start_frame(kind, len, true).unwrap();
                self.open = Some((kind, payload));
            }
            _ => {
                let message = match kind {
                    MessageKind::Text => Message::text(String::from_utf8(payload).unwrap()),
                    MessageKind::Binary => Message::from(payload),
                };
                self.connection.send(message).unwrap();
            }
        }
    }

    /// Ends what it has begun.
    fn finish_open(&mut self) {
        if self.connection.sender().frame_remaining() > 0 {
            let Some((_, rest)) = self.open.take() else { return };
            // An open frame may be completed in every state but that of a failure.
            if self.connection.state() != State::Failed {
                self.connection.sender().continue_frame(&rest).unwrap();
            }
        } else if self.connection.state() == State::Open
            && let Some((kind, rest)) = self.open.take()
        {
            self.connection.send_fragment(kind, &rest, true).unwrap();
        }
    }

    fn send_ping(&mut self, rng: &mut Rng, now: Instant) {
        let payload = rng.next().to_be_bytes().repeat(2);
        let free = self.connection.sender().frame_remaining() == 0;
        if free && self.connection.state() == State::Open && self.connection.sender().has_room() {
            self.connection.ping(&payload, now).unwrap();
            self.ping = Some(payload);
        }
    }

    fn close(&mut self, rng: &mut Rng, now: Instant) {
        if self.connection.state() == State::Open {
            let code = rng.pick(&[1000, 1001, 4000]);
            note(self.name, || format!("closes with {code}"));
            self.closed = Some(code);
            let frame = CloseFrame::new(CloseCode::new(code).unwrap(), "").unwrap();
            self.connection.close(Some(frame), now);
        }
    }

    fn write(&mut self, peer: &mut Self, most: usize) {
        let len = self.connection.outbox().remaining().min(most);
        let bytes = self.connection.outbox().copy_to_bytes(len);
        if !peer.cut {
            peer.coming.extend(bytes);
        }
    }

    fn read(&mut self, most: usize, now: Instant) {
        let len = self.coming.len().min(most);
        let mut bytes: Vec<_> = self.coming.drain(..len).collect();
        let mut input = &mut bytes[..];
        while !input.is_empty() {
            let (used, event) = match self.connection.receive(input, now) {
                Ok((used, event)) => (used, event),
                Err(error) => panic!("{}: no fault of the wire explains {error}", self.name),
            };
            match event {
                None => {}
                Some(Event::Piece(piece)) => {
                    assert_eq!(piece.start, self.partial.is_none(), "a message's first part");
                    let (kind, mut got) = self.partial.take().unwrap_or((piece.kind, Vec::new()));
                    got.extend_from_slice(piece.payload);
                    if piece.end {
                        count("proto: messages received");
                        let expected = self.expected.pop_front();
                        assert!(expected == Some((kind, got)), "{}: another message", self.name);
                    } else {
                        self.partial = Some((kind, got));
                    }
                }
                Some(Event::Ping(_)) => {}
                // Eight bytes answer the connection's own ping, which may be newer.
                Some(Event::Pong(payload))
                    if payload.len() == 8 || self.ping.as_deref() == Some(payload) =>
                {
                    self.ping = None;
                }
                Some(Event::Closed(frame)) => {
                    note(self.name, || format!("receives the closing frame {frame:?}"));
                    count("proto: closing frames received");
                    self.saw = frame.map(|frame| frame.code.get());
                    // One may have been begun and not ended.
                    let left = self.expected.len();
                    assert!(left <= 1, "{}: {left} messages are lost before the close", self.name);
                }
                Some(_) => {}
            }
            input = &mut input[used..];
        }
    }

    fn look_at_clock(&mut self, now: Instant) {
        if let Some(expired) = self.connection.handle_timeout(now) {
            note(self.name, || format!("{expired:?}"));
            count("proto: deadlines passed");
            // A connection that has lost its peer still waits a while for its last bytes to go.
            let before = self.expired;
            assert!(
                before != Some(expired) && before != Some(Expired::ClosingTooSlow),
                "{}: {before:?}",
                self.name
            );
            self.expired = Some(expired);
        }
    }

    fn check_memory(&mut self) {
        let waits = self.connection.outbox().remaining();
        assert!(waits <= self.config.get_max_outbox() + 3500, "{waits} bytes wait");
    }
}
