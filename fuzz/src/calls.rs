//! Any calls on two sides, wrong ones too, over a wire that stalls or is cut: the promises hold.

use std::time::{Duration, Instant};

use towline_proto::{CloseCode, CloseFrame, Config, Message, MessageKind, ProtocolError, State};

use crate::check::Got;
use crate::pair::{Pair, Side};

const OUTBOX: usize = 300;
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(7);
const CLOSE: Duration = Duration::from_secs(5);

/// Each call is two bytes: what, on which side, and how much.
pub fn run(input: &[u8]) {
    let config = Config::default()
        .max_outbox(OUTBOX)
        .max_control_frames_per_second(20)
        .ping_interval(Some(PING))
        .pong_timeout(PONG)
        .close_timeout(CLOSE);
    let (calls, rest) = input.as_chunks::<2>();
    let config = match rest {
        [] => config,
        _ => config
            .allow_short_pong_interval(true)
            .pong_interval(Some(PING / 3))
            .idle_timeout(Some(PING * 4)),
    };
    let mut pair = Pair::with(config.clone(), config);
    let mut watches = [Watch::new(pair.now), Watch::new(pair.now)];
    for [what, amount] in calls.iter().take(300) {
        let amount = usize::from(*amount);
        match what >> 4 {
            0 => pair.run_for(Duration::from_secs(1) * u32::from(what & 7)),
            1 => pair.gulp = amount + 1,
            2 if *what & 15 == 0 => pair.cut(),
            _ => {
                let now = pair.now;
                let [client, server] = &mut watches;
                if what & 8 == 0 {
                    call(&mut pair.client, *what, amount, now, client);
                } else {
                    call(&mut pair.server, *what, amount, now, server);
                }
            }
        }
        // Bytes on their way, deadlines that are due.
        pair.run_for(Duration::ZERO);
        let (now, cut) = (pair.now, !pair.client.arrives);
        let [client, server] = &mut watches;
        client.check(&mut pair.client, now, cut);
        server.check(&mut pair.server, now, cut);
    }
    // Left alone, with frames ended and the wire writing, both sides come to rest.
    for side in [&mut pair.client, &mut pair.server] {
        side.writes = true;
        let _ = finish_frame(side);
        side.connection.close(None, pair.now);
    }
    pair.gulp = usize::MAX;
    pair.run_for(PING + PONG * 2 + CLOSE * 3);
    for side in [&mut pair.client, &mut pair.server] {
        assert!(matches!(side.connection.state(), State::Closed | State::Failed));
        assert_eq!(side.connection.poll_timeout(), None, "a closed connection waits for nothing");
        assert!(side.connection.outbox().is_empty());
    }
}

fn call(side: &mut Side, what: u8, amount: usize, now: Instant, watch: &mut Watch) {
    let kind = if what & 1 == 0 { MessageKind::Binary } else { MessageKind::Text };
    let fin = what & 2 != 0;
    let payload = vec![b'x'; amount * if what & 4 == 0 { 1 } else { 40 }];
    let before = side.connection.outbox().len();
    let connection = &mut side.connection;
    // Wrong calls are part of the list: they are refused, and harm nothing.
    let refused = match what >> 4 {
        2 | 3 => connection.send(match kind {
            MessageKind::Text => Message::text("é".repeat(amount)),
            MessageKind::Binary => Message::from(payload),
        }),
        4 | 5 => connection.send_fragment(kind, &payload, fin),
        6 => connection.sender().start_frame(kind, u64::try_from(amount).unwrap_or(0), fin),
        7 => {
            let len =
                payload.len().min(connection.sender().frame_remaining().try_into().unwrap_or(0));
            connection.sender().continue_frame(&payload[..len])
        }
        8 => connection.ping(&payload[..payload.len().min(125)], now),
        9 => connection.sender().pong(&payload[..payload.len().min(125)]),
        10 => {
            let code = u16::try_from(1000 + amount * 16).ok().and_then(|c| CloseCode::new(c).ok());
            connection.close(code.and_then(|code| CloseFrame::new(code, "bye").ok()), now);
            Ok(())
        }
        11 => {
            side.writes = fin;
            Ok(())
        }
        12 => {
            connection.handle_timeout(now);
            Ok(())
        }
        13 => connection.send_fragment(kind, b"\xc3", fin),
        14 => connection.sender().start_frame(kind, 1 << (amount % 64), fin),
        _ => finish_frame(side),
    }
    .is_err();
    let added = side.connection.outbox().len() - before;
    // What waited for room may have come along.
    watch.put += if refused { 0 } else { added };
    if refused {
        assert!(added <= AUTOMATIC, "a refused call sent {added} bytes");
    }
}

/// Sends the rest of an open frame, if it is of a size to be sent.
fn finish_frame(side: &mut Side) -> Result<(), towline_proto::SendError> {
    let sender = side.connection.sender();
    match usize::try_from(sender.frame_remaining()) {
        Ok(len) if (1..100_000).contains(&len) => sender.continue_frame(&vec![b'x'; len]),
        _ => Ok(()),
    }
}

/// A pong that waits and a closing frame, each with the longest header.
const AUTOMATIC: usize = 2 * (14 + 125);

/// What has to stay true of one side.
struct Watch {
    /// Bytes its user put in since nothing waited.
    put: usize,
    /// When its outbox last was empty.
    empty: Instant,
    /// When a frame last was open: it leaves no room to ask for life.
    frame_open: Instant,
}

impl Watch {
    fn new(now: Instant) -> Self {
        Self { put: 0, empty: now, frame_open: now }
    }

    fn check(&mut self, side: &mut Side, now: Instant, cut: bool) {
        // No event after the closing frame.
        let closed = side.events.iter().position(|event| matches!(event, Got::Closed(_)));
        assert!(closed.is_none_or(|at| at + 1 == side.events.len()), "{:?}", side.events);
        // Whatever one side sends, the other takes: only limits may be passed. The peer's
        // receiver refuses masks on the wrong side, so they are checked with this.
        let fair = matches!(
            side.error,
            None | Some(
                ProtocolError::TooManyControlFrames { .. }
                    | ProtocolError::MessageTooBig { .. }
                    | ProtocolError::TooManyEmptyFragments { .. }
            )
        );
        assert!(fair, "{:?}", side.error);
        let connection = &mut side.connection;
        // A bounded outbox.
        let waits = connection.outbox().len();
        if waits == 0 {
            (self.put, self.empty) = (0, now);
        }
        let pings = usize::try_from((now - self.empty).as_secs() / PING.as_secs()).unwrap_or(0) + 1;
        let bound = OUTBOX + self.put + AUTOMATIC + pings * 22;
        assert!(waits <= bound, "{waits} bytes wait where {bound} may");
        // Never open and silent past the deadline.
        if connection.sender().frame_remaining() > 0 {
            self.frame_open = now;
        }
        if connection.state() == State::Open {
            let life = connection.receiver().life().received.max(self.frame_open);
            let silent = now - life;
            assert!(silent <= PING + PONG * 2, "open, and silent for {silent:?} (cut: {cut})");
        }
    }
}
