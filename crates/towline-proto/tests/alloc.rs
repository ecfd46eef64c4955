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
    a_written_outbox_gives_its_memory_back();
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
    for (role, limit) in [(Role::Client, KIB), (Role::Server, 256)] {
        let mut connections = Vec::with_capacity(1000);
        let used = peak(|| {
            for _ in 0..1000 {
                connections.push(connection(role, Config::default()));
            }
        });
        let inline = size_of::<Connection>();
        assert!(inline + used / 1000 <= KIB + limit, "{inline} and {} bytes", used / 1000);
    }
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
