//! The filter as the kernel runs it, by an interpreter of the same instructions.

use super::assembler::{Instruction, Program};
use super::calls::{Architecture, Call};
use super::{Rules, private};

const ALLOW: u32 = 0x7fff_0000;
const ASK: u32 = 0x7fc0_0000;
const KILL: u32 = 0x8000_0000;
const BOTH: [Architecture; 2] = [Architecture::X86_64, Architecture::Aarch64];

fn fails(errno: u16) -> u32 {
    0x0005_0000 | u32::from(errno)
}

/// `struct seccomp_data`.
#[derive(Clone, Copy)]
struct Data {
    number: u32,
    architecture: u32,
    arguments: [u64; 6],
}

impl Data {
    fn word(&self, offset: u32) -> u32 {
        let mut bytes = Vec::new();
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.architecture.to_le_bytes());
        bytes.extend(0x7fff_dead_beef_u64.to_le_bytes());
        bytes.extend(self.arguments.iter().flat_map(|argument| argument.to_le_bytes()));
        let at = usize::try_from(offset).unwrap();
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }
}

/// Runs a program to its end; the kernel refuses one that could run out of it, and so does this.
fn run(program: &[Instruction], data: Data) -> u32 {
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let Instruction { code, if_true, if_false, value } = program[at];
        at += 1;
        let holds = match code {
            0x20 => {
                accumulator = data.word(value);
                continue;
            }
            0x54 => {
                accumulator &= value;
                continue;
            }
            0x06 => return value,
            0x15 => accumulator == value,
            0x35 => accumulator >= value,
            0x45 => accumulator & value != 0,
            code => panic!("an instruction that the filter has no need of: {code:#x}"),
        };
        at += usize::from(if holds { if_true } else { if_false });
    }
}

fn verdict(program: &Program, on: Architecture, call: Call, arguments: [u64; 6]) -> u32 {
    let number = call.number(on).unwrap();
    run(program.instructions(), Data { number, architecture: on.audit(), arguments })
}

fn filter(on: Architecture) -> Program {
    private(on, Rules { accepts: true })
}

#[test]
fn whatever_names_an_address_is_asked_about() {
    for on in BOTH {
        let filter = filter(on);
        for call in [Call::Connect, Call::Listen, Call::Accept, Call::Accept4] {
            assert_eq!(verdict(&filter, on, call, [0; 6]), ASK, "{call:?} on {on:?}");
        }
        let silent = private(on, Rules { accepts: false });
        assert_eq!(verdict(&silent, on, Call::Accept, [0; 6]), ALLOW, "in its own network");
        assert_eq!(verdict(&silent, on, Call::Listen, [0; 6]), ASK);
    }
}

#[test]
fn every_call_that_the_filter_does_not_name_is_allowed() {
    for on in BOTH {
        let filter = filter(on);
        for number in 0..1024 {
            let found = run(
                filter.instructions(),
                Data { number, architecture: on.audit(), arguments: [0; 6] },
            );
            let named = Call::of(number.into(), on);
            assert!(found == ALLOW || named.is_some(), "{number} on {on:?}: {found:#x}");
        }
    }
}

#[test]
fn other_ways_to_call_are_closed() {
    const I386: u32 = 0x4000_0003;
    for on in BOTH {
        let filter = filter(on);
        for number in 0..1024 {
            let by = |architecture| {
                run(filter.instructions(), Data { number, architecture, arguments: [0; 6] })
            };
            assert_eq!(by(I386), KILL);
            let other = if on == Architecture::X86_64 { BOTH[1] } else { BOTH[0] };
            assert_eq!(by(other.audit()), KILL);
        }
    }
    let x86_64 = filter(Architecture::X86_64);
    for number in [0x4000_0000, 0x4000_002a, u32::MAX] {
        let architecture = Architecture::X86_64.audit();
        let found = run(x86_64.instructions(), Data { number, architecture, arguments: [0; 6] });
        assert_eq!(found, fails(38), "x32");
    }
}

#[test]
fn sockets_are_made_of_judged_kinds_alone() {
    const FLAGS: u64 = 0o2_004_000; // SOCK_CLOEXEC | SOCK_NONBLOCK
    // Family, type, protocol.
    let allowed: &[(u64, u64, u64)] = &[
        (1, 1, 0),
        (1, 5, 0),
        (2, 1, 0),
        (2, 1, 6),
        (2, 2, 0),
        (2, 2, 17),
        (2, 2, 1),
        (10, 1, 0),
        (10, 1, 6),
        (10, 2, 0),
        (10, 2, 17),
        (10, 2, 58),
        (10, 2, 1),
        (2, 2, 58),
        (16, 2, 0),
        (16, 3, 0),
    ];
    for on in BOTH {
        let filter = filter(on);
        let socket = |family, kind, protocol| {
            verdict(&filter, on, Call::Socket, [family, kind, protocol, 0, 0, 0])
        };
        for family in 0..64 {
            for kind in 0..16 {
                for protocol in [0, 1, 2, 4, 6, 17, 33, 58, 132, 136, 255, 262] {
                    let netlink = family == 16 && protocol == 0;
                    let wanted = netlink
                        || family == 1 && matches!(kind, 1 | 5)
                        || allowed.contains(&(family, kind, protocol));
                    for flags in [0, FLAGS] {
                        let found = socket(family, kind | flags, protocol);
                        let what =
                            format!("socket({family}, {kind}, {protocol}) on {on:?}: {found:#x}");
                        assert_eq!(found == ALLOW, wanted, "{what}");
                        assert_ne!(found, ASK, "{what}");
                    }
                }
            }
        }
        // What the kernel does not look at cannot make it another one.
        let above = 1 << 32;
        assert_eq!(socket(2 | above, 3 | above, 1 | above), fails(1));
        assert_eq!(socket(2 | above, 1 | above, above), ALLOW);
        // A pair of datagram sockets could be aimed elsewhere.
        let pair =
            |family, kind| verdict(&filter, on, Call::SocketPair, [family, kind, 0, 0, 0, 0]);
        assert_eq!((pair(1, 1), pair(1, 2), pair(2, 1)), (ALLOW, fails(13), fails(97)));
    }
}

#[test]
fn nothing_connects_by_sending() {
    const FASTOPEN: u64 = 0x2000_0000;
    for on in BOTH {
        let filter = filter(on);
        for (call, flags) in [(Call::SendTo, 3), (Call::SendMsg, 2), (Call::SendMmsg, 3)] {
            let mut arguments = [0; 6];
            assert_eq!(verdict(&filter, on, call, arguments), ALLOW);
            for others in [0, 0x4000, 0x40] {
                arguments[flags] = FASTOPEN | others;
                assert_eq!(verdict(&filter, on, call, arguments), fails(95), "{call:?} on {on:?}");
            }
        }
        let option =
            |level, name| verdict(&filter, on, Call::SetSockOpt, [3, level, name, 0, 0, 0]);
        // TCP_FASTOPEN_CONNECT, TCP_REPAIR, TCP_ULP, IP_OPTIONS, IPV6_RTHDR, SO_BINDTODEVICE.
        for (level, name) in [(6, 30), (6, 19), (6, 31), (0, 4), (41, 57), (1, 25)] {
            assert_eq!(option(level, name), fails(1), "{level} {name} on {on:?}");
        }
        // TCP_NODELAY, SO_KEEPALIVE, IP_TOS, IPV6_V6ONLY.
        for (level, name) in [(6, 1), (1, 9), (0, 1), (41, 26)] {
            assert_eq!(option(level, name), ALLOW);
        }
    }
}

#[test]
fn the_ways_around_are_closed() {
    for on in BOTH {
        let filter = filter(on);
        for call in [Call::IoUringSetup, Call::IoUringEnter, Call::IoUringRegister] {
            assert_eq!(verdict(&filter, on, call, [0; 6]), fails(38));
        }
        for call in [Call::PidfdGetfd, Call::Ptrace, Call::ProcessVmWritev, Call::Bpf] {
            assert_eq!(verdict(&filter, on, call, [0; 6]), fails(1));
        }
        // TIOCSTI types into the terminal; TCGETS only asks.
        let ioctl = |request| verdict(&filter, on, Call::Ioctl, [0, request, 0, 0, 0, 0]);
        assert_eq!((ioctl(0x5412), ioctl(0x5401)), (fails(1), ALLOW));
        // Of a number the kernel takes the lower half.
        let limit = |process| verdict(&filter, on, Call::PrLimit64, [process, 0, 1, 0, 0, 0]);
        assert_eq!((limit(0), limit(1 << 32)), (ALLOW, ALLOW));
        for process in [1, 4711, (1 << 32) | 4711, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(limit(process), fails(1), "{process:#x} on {on:?}");
        }
    }
}
