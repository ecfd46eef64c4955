//! What compression costs in time and gains in size, for small messages of JSON:
//! `cargo run --release -p towline-proto --features deflate --example deflate`
//!
//! One thread, no network: a server's sending half and a client's receiving half.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BufMut;
use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue};
use towline_proto::{Config, Connection, Deflate, Role};

const MESSAGES: usize = 2000;
const ROUNDS: usize = 5;

fn main() {
    let messages: Vec<String> = (0..MESSAGES).map(message).collect();
    let len: usize = messages.iter().map(String::len).sum();
    println!("{MESSAGES} messages of {} bytes; the best of {ROUNDS} rounds\n", len / MESSAGES);
    println!("| settings | µs to compress | bytes | µs to inflate |");
    println!("|---|---|---|---|");
    for level in [1, 2, 3, 4, 6, 9] {
        measure(&format!("level {level}"), &messages, &Deflate::default().level(level));
    }
    for bits in [12, 9] {
        let settings = Deflate::default().server_max_window_bits(bits);
        measure(&format!("level 1, window of 2^{bits}"), &messages, &settings);
    }
    for level in [1, 6] {
        let settings = Deflate::default().level(level).server_no_context_takeover(true);
        measure(&format!("level {level}, no takeover"), &messages, &settings);
    }
}

/// About a kilobyte of records that resemble each other.
fn message(number: usize) -> String {
    let mut state = u64::try_from(number).unwrap_or_default();
    let mut next = |below: u64| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) % below
    };
    let records: Vec<String> = (0..13)
        .map(|at| {
            let side = ["buy", "sell"][usize::from(next(2) == 0)];
            format!(
                r#"{{"id":{},"symbol":"SYM{}","price":{}.{:02},"volume":{},"side":"{side}"}}"#,
                number * 100 + at,
                next(50),
                next(1000),
                next(100),
                next(10_000),
            )
        })
        .collect();
    format!(r#"{{"type":"update","items":[{}]}}"#, records.join(","))
}

fn measure(name: &str, messages: &[String], settings: &Deflate) {
    let (mut out, mut back, mut bytes) = (Duration::MAX, Duration::MAX, 0);
    for _ in 0..ROUNDS {
        let mut offer = HeaderMap::new();
        offer.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
        let terms = settings.accept(&offer).expect("the offer can be met");
        let now = Instant::now();
        let new = |role| Connection::new(role, Config::default(), [7; 32], now).deflate(&terms);
        let (mut server, mut client) = (new(Role::Server), new(Role::Client));

        let mut wire = Vec::new();
        let begun = Instant::now();
        for message in messages {
            server.send(&**message).expect("nothing is in the way");
            wire.put(server.outbox());
        }
        out = out.min(begun.elapsed());
        bytes = wire.len();

        let begun = Instant::now();
        let mut input = &mut wire[..];
        while !input.is_empty() {
            let (consumed, event) = client.receive(input, now).expect("our own bytes are in order");
            black_box(event);
            input = &mut input[consumed..];
        }
        back = back.min(begun.elapsed());
    }
    let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(count);
    println!("| {name} | {:.1} | {} | {:.1} |", each(out), bytes / messages.len(), each(back));
}
