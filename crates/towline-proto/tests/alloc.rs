//! Memory grows with the bytes that came, never with a length that was declared.
//!
//! A binary of its own, with a single test: its allocator counts for the whole process.
#![expect(unsafe_code, reason = "an allocator that counts has to be one; nothing else is unsafe")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Buf;
use towline_proto::{Assembly, Config, Connection, Event, Message, MessageKind, Role};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to `System` unchanged, which keeps the contract; counting allocates
// nothing and does not touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `alloc` above with this layout, so from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Most memory held at any time within `run`, above what is held before it.
fn peak(run: impl FnOnce()) -> usize {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    run();
    PEAK.load(Ordering::Relaxed) - before
}

fn connection(role: Role, config: Config) -> Connection {
    Connection::new(role, config, [0; 32], Instant::now())
}

/// Receives all of `input` and joins its pieces.
fn pour(connection: &mut Connection, mut input: &mut [u8], assembly: &mut Assembly) {
    let now = Instant::now();
    while !input.is_empty() {
        let Ok((consumed, event)) = connection.receive(input, now) else { return };
        if let Some(Event::Piece(piece)) = event {
            assembly.push(&piece);
        }
        input = &mut input[consumed..];
    }
}

const KIB: usize = 1024;

#[test]
fn memory_is_bounded() {
    a_declared_length_allocates_nothing();
    a_large_message_costs_what_has_come();
    fragments_cost_nothing_of_their_own();
    control_frames_cost_nothing();
    a_peer_that_reads_slowly_costs_what_waits();
    an_idle_connection_costs_little();
    a_connection_that_is_kept_alive_costs_no_more();
    a_written_outbox_gives_its_memory_back();
    #[cfg(feature = "deflate")]
    deflate::run();
}

/// What compression costs. With `--nocapture` it prints the guide's table (`scripts/deflate-memory`).
#[cfg(feature = "deflate")]
mod deflate {
    use std::sync::atomic::Ordering;
    use std::time::Instant;

    use bytes::BufMut;
    use http::header::SEC_WEBSOCKET_EXTENSIONS;
    use http::{HeaderMap, HeaderValue};
    use towline_proto::{
        Assembly, Config, Connection, Deflate, DeflateTerms, MessageKind, Prepared, Role,
    };

    use super::{HELD, KIB, connection, peak, pour};

    pub(crate) fn run() {
        each_mode_costs_what_its_parts_do();
        a_bomb_costs_no_more_than_its_limit();
        a_large_message_is_compressed_in_little_memory();
    }

    fn terms(settings: &Deflate) -> DeflateTerms {
        let mut headers = HeaderMap::new();
        let offer = HeaderValue::from_static("permessage-deflate; client_max_window_bits");
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, offer);
        settings.accept(&headers).expect("the offer can be met")
    }

    fn connect(role: Role, terms: &DeflateTerms) -> Connection {
        connection(role, Config::default()).deflate(terms)
    }

    fn drain(connection: &mut Connection) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !connection.outbox().is_empty() {
            bytes.put(connection.outbox());
        }
        bytes
    }

    fn held() -> usize {
        HELD.load(Ordering::Relaxed)
    }

    /// A message to a server and one from it, so that all is in use; then rest.
    fn exchange(server: &mut Connection, bytes: &[u8], text: &str) {
        pour(server, &mut bytes.to_vec(), &mut Assembly::default());
        server.receiver().release();
        server.send(text).expect("nothing is in the way");
        drain(server);
    }

    fn each_mode_costs_what_its_parts_do() {
        let text = "{\"id\":17,\"side\":\"buy\"},".repeat(40);
        let without =
            Deflate::default().server_no_context_takeover(true).client_no_context_takeover(true);
        let modes = [
            ("no compression", None),
            ("no takeover on either side", Some(without)),
            (
                "no takeover by the server",
                Some(Deflate::default().server_no_context_takeover(true)),
            ),
            (
                "no takeover by the client",
                Some(Deflate::default().client_no_context_takeover(true)),
            ),
            ("the defaults", Some(Deflate::default())),
            ("window of 2^12 for the server", Some(Deflate::default().server_max_window_bits(12))),
            (
                "window of 2^9, memory level 1",
                Some(Deflate::default().server_max_window_bits(9).memory_level(1)),
            ),
        ];
        for (name, settings) in modes {
            let (bytes, kept) = match &settings {
                None => {
                    let mut client = connection(Role::Client, Config::default());
                    client.send(&*text).expect("nothing is in the way");
                    (drain(&mut client), 0)
                }
                Some(settings) => {
                    let terms = terms(settings);
                    // With a pool of its own.
                    let mut client = connect(Role::Client, &self::terms(&Deflate::default()));
                    client.send(&*text).expect("nothing is in the way");
                    let kept = if terms.server_no_context_takeover() {
                        0
                    } else {
                        settings.compressor_memory(terms.server_max_window_bits())
                    };
                    let inflater = usize::from(!terms.client_no_context_takeover());
                    (drain(&mut client), kept + inflater * Deflate::DECOMPRESSOR_MEMORY)
                }
            };
            let new = || match &settings {
                None => connection(Role::Server, Config::default()),
                Some(settings) => connect(Role::Server, &terms(settings)),
            };
            let before = held();
            let mut server = new();
            let first = held() - before;
            let most = first + peak(|| exchange(&mut server, &bytes, &text));
            // What this one has borrowed and given back, the others borrow in their turn.
            let mut others: Vec<Connection> = (0..20).map(|_| new()).collect();
            let rest = held();
            for other in &mut others {
                exchange(other, &bytes, &text);
            }
            let after = first + (held() - rest) / others.len();
            println!("| {name} | {} | {} | {} |", kib(first), kib(after), kib(most));
            assert!(first <= 2 * KIB, "{name}: {first} at first");
            let grown = after - first;
            assert!(
                grown <= kept + 4 * KIB && grown + 60 * KIB >= kept,
                "{name}: {grown} kept, not {kept}"
            );
        }
    }

    fn kib(bytes: usize) -> String {
        format!("{}.{}", bytes / KIB, bytes % KIB * 10 / KIB)
    }

    fn a_bomb_costs_no_more_than_its_limit() {
        let hard = terms(&Deflate::default().level(9));
        let mut client = connect(Role::Client, &hard);
        client.send(vec![0; 64 * KIB * KIB]).expect("nothing is in the way");
        let mut bomb = drain(&mut client);
        let len = bomb.len();
        assert!(len < 128 * KIB, "{len}");
        // By the ratio: a quarter of a MiB is free, and then 200 times what came.
        let mut server = connect(Role::Server, &terms(&Deflate::default()));
        let mut input = bomb.clone();
        let most = peak(|| pour(&mut server, &mut input, &mut Assembly::default()));
        assert!(most < 2 * (256 + 200) * KIB + 200 * KIB, "{most} for {len} bytes");
        // By the size of messages.
        let any = terms(&Deflate::default().max_ratio(None));
        let config = Config::default().max_message_size(1024 * 1024);
        let now = Instant::now();
        let mut server = Connection::new(Role::Server, config, [0; 32], now).deflate(&any);
        let most = peak(|| pour(&mut server, &mut bomb, &mut Assembly::default()));
        assert!(most < 2 * 1024 * KIB + 200 * KIB, "{most} for {len} bytes");
    }

    fn a_large_message_is_compressed_in_little_memory() {
        let terms = terms(&Deflate::default());
        let mut server = connect(Role::Server, &terms);
        let message = bytes::Bytes::from(vec![7; 64 * KIB * KIB]);
        let most = peak(|| {
            server.send(message.clone()).expect("nothing is in the way");
            while !server.outbox().is_empty() {
                let len = server.outbox().len();
                bytes::Buf::advance(server.outbox(), len);
            }
        });
        assert!(most < 700 * KIB, "{most}");
        let most = peak(|| {
            for fin in [false, false, true] {
                let kind = MessageKind::Binary;
                server.send_fragment(kind, &message[..256 * KIB], fin).expect("in order");
                drain(&mut server);
            }
        });
        assert!(most < 700 * KIB, "{most}");
        drop(Prepared::new(message, &Deflate::default()));
    }
}

fn a_declared_length_allocates_nothing() {
    for len in [1_u64 << 20, 1 << 31, 1 << 32, 1 << 53, 1 << 62, (1 << 63) - 1] {
        for first in [0x81, 0x82, 0x01, 0x02] {
            for limit in [Config::default().get_max_message_size(), u64::MAX] {
                let mut client =
                    connection(Role::Client, Config::default().max_message_size(limit));
                let mut assembly = Assembly::default();
                let used = peak(|| {
                    let mut head = [&[first, 127][..], &len.to_be_bytes()].concat();
                    pour(&mut client, &mut head, &mut assembly);
                    pour(&mut client, &mut [b'a'; 1], &mut assembly);
                });
                assert!(used < KIB, "{used} bytes for a declared length of {len}");
            }
        }
    }
}

fn a_large_message_costs_what_has_come() {
    for first in [0x81, 0x82] {
        let mut client = connection(Role::Client, Config::default());
        let mut assembly = Assembly::default();
        let mut block = vec![b'a'; 64 * KIB];
        let used = peak(|| {
            let mut head = [&[first, 127][..], &(60_u64 << 20).to_be_bytes()].concat();
            pour(&mut client, &mut head, &mut assembly);
            for _ in 0..64 {
                pour(&mut client, &mut block, &mut assembly);
            }
        });
        // 4 MiB came. Growing by doubling holds the old piece and the new one for a moment.
        assert!(used <= 3 * 4 * KIB * KIB, "{used} bytes for 4 MiB");
        assert_eq!(assembly.len(), 4 * KIB * KIB);
    }
}

fn fragments_cost_nothing_of_their_own() {
    let config = Config::default().max_fragments(u64::MAX).max_empty_fragments(u64::MAX);
    let mut client = connection(Role::Client, config);
    let mut assembly = Assembly::default();
    let used = peak(|| {
        pour(&mut client, &mut [0x02, 0], &mut assembly);
        for _ in 0..1_000_000 {
            pour(&mut client, &mut [0x00, 0], &mut assembly);
        }
    });
    assert!(used < KIB, "{used} bytes for a million empty fragments");
    let used = peak(|| {
        for _ in 0..1_000_000 {
            pour(&mut client, &mut [0x00, 1, 7], &mut assembly);
        }
    });
    assert!(used < 4 * KIB * KIB, "{used} bytes for a million fragments of one byte");
}

fn control_frames_cost_nothing() {
    let config = Config::default().max_control_frames_per_second(u32::MAX).max_outbox(KIB);
    let mut client = connection(Role::Client, config);
    let mut assembly = Assembly::default();
    let used = peak(|| {
        for _ in 0..100_000 {
            pour(&mut client, &mut [0x89, 2, 1, 2], &mut assembly);
            pour(&mut client, &mut [0x8a, 2, 1, 2], &mut assembly);
        }
    });
    assert!(used < 4 * KIB, "{used} bytes for pings whose pongs nobody reads");
}

fn a_peer_that_reads_slowly_costs_what_waits() {
    for (role, large) in [(Role::Client, 3 * KIB), (Role::Server, 3 * KIB), (Role::Server, 5 * KIB)]
    {
        let mut sender = connection(role, Config::default());
        let payload = vec![7; large];
        let used = peak(|| {
            // Something always waits: the outbox never runs empty.
            sender.send(vec![7; 64 * KIB]).expect("the connection is open");
            for _ in 0..10_000 {
                let before = sender.outbox().len();
                sender
                    .send_fragment(MessageKind::Binary, &payload, true)
                    .expect("the connection is open");
                sender.send(Message::from(&payload[..])).expect("the connection is open");
                let after = sender.outbox().len();
                sender.outbox().advance(after - before);
            }
        });
        assert!(used < 512 * KIB, "{role:?}: {used} bytes where 70 KiB wait");
    }
}

fn an_idle_connection_costs_little() {
    // The settings are most of what is not inline, and a client's source of keys.
    for (role, limit) in [(Role::Client, 512), (Role::Server, 192)] {
        let mut connections = Vec::with_capacity(1000);
        let used = peak(|| {
            for _ in 0..1000 {
                connections.push(connection(role, Config::default()));
            }
        });
        let inline = size_of::<Connection>();
        assert!(inline <= 320, "{inline} bytes inline");
        assert!(used / 1000 <= limit, "{role:?}: {} bytes beside it", used / 1000);
    }
}

fn a_connection_that_is_kept_alive_costs_no_more() {
    let start = Instant::now();
    let mut server = Connection::new(Role::Server, Config::default(), [0; 32], start);
    let before = HELD.load(Ordering::Relaxed);
    let now = start + Config::default().get_ping_interval().expect("there is one");
    assert_eq!(server.handle_timeout(now), None);
    let ping = server.outbox().copy_to_bytes(10);
    assert_eq!(ping[..2], [0x89, 8]);
    let mut pong = [&[0x8a, 0x88, 0, 0, 0, 0], &ping[2..]].concat();
    let (_, event) = server.receive(&mut pong, now).expect("it is a pong");
    assert!(matches!(event, Some(Event::Pong(_))), "{event:?}");
    server.receiver().release();
    drop((ping, pong));
    assert_eq!(HELD.load(Ordering::Relaxed), before);
}

fn a_written_outbox_gives_its_memory_back() {
    let mut server = connection(Role::Server, Config::default());
    let before = HELD.load(Ordering::Relaxed);
    for len in [10, 5 * KIB, 10, 1000 * KIB] {
        server.send(vec![7; len]).expect("the connection is open");
    }
    let waits = server.outbox().len();
    server.outbox().advance(waits);
    assert_eq!(HELD.load(Ordering::Relaxed), before);
}
