//! What a message may inflate to, and how long that takes (`peers.md` D1 and D2 are here).

use std::time::{Duration, Instant};

use towline_proto::{Config, Connection, Deflate, Event, MessageKind, ProtocolError, Role};

use super::{agree, connect, noise};
use crate::check::{drain, frame, masked};

const MIB: usize = 1024 * 1024;

fn receiver(role: Role, config: &Config, settings: &Deflate) -> Connection {
    let (for_client, for_server) = agree(settings, settings);
    match role {
        Role::Client => connect(role, config.clone(), &for_client),
        Role::Server => connect(role, config.clone(), &for_server),
    }
}

/// The payload of a message that inflates to so many zeros, as small as can be.
pub(crate) fn bomb(len: usize) -> Vec<u8> {
    let (_, mut server) = super::pair(&Deflate::default().level(9));
    let mut part = |fin| {
        server.send_fragment(MessageKind::Binary, &[0; 64 * 1024], fin).unwrap();
        let bytes = drain(&mut server);
        bytes[if bytes[1] == 126 { 4 } else { 2 }..].to_vec()
    };
    // Once the window is full of zeros, each part comes out like the one before it.
    let mut payload = part(false);
    part(false);
    let next = part(false);
    assert_eq!(part(false), next);
    payload.extend(next.repeat(len / (64 * 1024) - 1));
    payload.truncate(payload.len() - 4);
    payload
}

/// Receives a compressed message, masked for a server: the bytes that came out of it before it
/// failed, and how.
fn pour(connection: &mut Connection, payload: &[u8]) -> (usize, Option<ProtocolError>) {
    let mut bytes = masked(&frame(0xc2, payload));
    let mut total = 0;
    for chunk in bytes.chunks_mut(64 * 1024) {
        let mut input = chunk;
        while !input.is_empty() {
            match connection.receive(input, Instant::now()) {
                Ok((consumed, event)) => {
                    if let Some(Event::Piece(piece)) = event {
                        assert!(piece.payload.len() <= 32 * 1024, "pieces are bounded");
                        total += piece.payload.len();
                    }
                    input = &mut input[consumed..];
                }
                Err(error) => return (total, Some(error)),
            }
        }
    }
    (total, None)
}

#[test]
fn d1_a_mebibyte_that_inflates_to_a_gibibyte_costs_the_limit() {
    let payload = bomb(1024 * MIB);
    assert!(payload.len() < 2 * MIB, "{}", payload.len());
    let begun = Instant::now();

    let config = Config::default();
    let mut server = receiver(Role::Server, &config, &Deflate::default());
    let (total, error) = pour(&mut server, &payload);
    assert_eq!(error, Some(ProtocolError::RatioTooHigh { limit: 200 }));
    assert!(total <= 2 * MIB, "{total}");
    assert!(drain(&mut server).ends_with(&[0x88, 2, 0x03, 0xf1]), "the peer is told 1009");
    assert_eq!(pour(&mut server, &payload), (0, None), "after a failure nothing is received");

    let any_ratio = Deflate::default().max_ratio(None);
    let mut server = receiver(Role::Server, &config, &any_ratio);
    let (total, error) = pour(&mut server, &payload);
    let limit = config.get_max_message_size();
    assert_eq!(error, Some(ProtocolError::MessageTooBig { limit }));
    assert!(u64::try_from(total).unwrap() <= limit, "{total}");
    assert!(drain(&mut server).ends_with(&[0x88, 2, 0x03, 0xf1]), "the peer is told 1009");

    // As a stream it is held by the ratio, and without that it is only long.
    let mut server = receiver(Role::Server, &config, &Deflate::default());
    server.receiver().hold_messages(false);
    assert_eq!(pour(&mut server, &payload).1, Some(ProtocolError::RatioTooHigh { limit: 200 }));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());

    let mut server = receiver(Role::Server, &config, &any_ratio);
    server.receiver().hold_messages(false);
    assert_eq!(pour(&mut server, &bomb(256 * MIB)), (256 * MIB, None));
}

#[test]
fn d1_across_frames() {
    let payload = bomb(256 * MIB);
    let mut transcript = Vec::new();
    let parts = payload.chunks(1000);
    let last = parts.len() - 1;
    for (at, part) in parts.enumerate() {
        let first = if at == 0 { 0x42 } else { 0 } | if at == last { 0x80 } else { 0 };
        transcript.extend(frame(first, part));
    }
    let mut bytes = masked(&transcript);
    let mut server = receiver(Role::Server, &Config::default(), &Deflate::default());
    let mut input = &mut bytes[..];
    let error = loop {
        match server.receive(input, Instant::now()) {
            Ok((consumed, _)) => input = &mut input[consumed..],
            Err(error) => break error,
        }
    };
    assert_eq!(error, ProtocolError::RatioTooHigh { limit: 200 });
}

#[test]
fn d2_empty_fragments_of_a_compressed_message() {
    let mut server = receiver(Role::Server, &Config::default(), &Deflate::default());
    let mut transcript = frame(0x42, &[]);
    transcript.extend(frame(0x00, &[]).repeat(2000));
    let error = server.receive(&mut masked(&transcript), Instant::now()).unwrap_err();
    assert_eq!(error, ProtocolError::TooManyEmptyFragments { limit: 1024 });

    // Blocks of nothing are more than nothing on the wire, and count as fragments.
    let mut server =
        receiver(Role::Server, &Config::default().max_fragments(100), &Deflate::default());
    let mut transcript = frame(0x42, &[0, 0, 0, 0xff, 0xff]);
    transcript.extend(frame(0x00, &[0, 0, 0, 0xff, 0xff]).repeat(2000));
    let error = server.receive(&mut masked(&transcript), Instant::now()).unwrap_err();
    assert_eq!(error, ProtocolError::TooManyFragments { limit: 100 });
}

#[test]
fn the_limit_on_messages_is_on_what_they_inflate_to() {
    let limit = 100_000;
    let config = Config::default().max_message_size(limit);
    for (len, fits) in [(100_000, true), (100_001, false)] {
        for data in [noise(len), vec![b'a'; len]] {
            let (mut client, _) = super::pair(&Deflate::default());
            client.send(data).unwrap();
            let mut bytes = drain(&mut client);
            let mut server = receiver(Role::Server, &config, &Deflate::default());
            let mut input = &mut bytes[..];
            let mut total = 0;
            let error = loop {
                match server.receive(input, Instant::now()) {
                    Ok((_, None)) => break None,
                    Ok((consumed, event)) => {
                        if let Some(Event::Piece(piece)) = event {
                            total += piece.payload.len();
                        }
                        input = &mut input[consumed..];
                    }
                    Err(error) => break Some(error),
                }
            };
            match fits {
                true => assert_eq!((total, error), (len, None)),
                false => assert_eq!(error, Some(ProtocolError::MessageTooBig { limit })),
            }
            assert!(total <= 100_000);
        }
    }
}

#[test]
fn the_ratio_is_each_messages_own_and_small_ones_are_free() {
    let settings = Deflate::default();
    let (mut client, mut server) = super::pair(&settings);
    for _ in 0..40 {
        client.send(vec![0; 256 * 1024]).unwrap();
        assert_eq!(super::carry(&mut client, &mut server).1.len(), 1);
    }
    let strict = Deflate::default().max_ratio(Some(2));
    let mut server = receiver(Role::Server, &Config::default(), &strict);
    assert_eq!(pour(&mut server, &bomb(256 * 1024)), (256 * 1024, None));
    let error = pour(&mut server, &bomb(320 * 1024)).1;
    assert_eq!(error, Some(ProtocolError::RatioTooHigh { limit: 2 }));
    // One that is noise is no larger than what came.
    let (mut client, mut server) = super::pair(&Deflate::default().max_ratio(Some(1)));
    client.send(noise(2 * MIB)).unwrap();
    assert_eq!(super::carry(&mut client, &mut server).1.len(), 1);
}
