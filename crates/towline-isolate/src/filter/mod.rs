//! What the kernel lets a program call: the static half of isolation.
//!
//! The filter looks at numbers alone, never at memory: what depends on an address is handed to the
//! supervisor, and what would be a way around it is refused here.

mod assembler;
mod calls;
#[cfg(test)]
mod tests;

pub(crate) use assembler::Program;
use assembler::{Argument, Verdict};
pub(crate) use calls::{Architecture, Call};

/// What the filter leaves to the supervisor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Whether the program may accept connections from outside: those are looked at one by one.
    pub(crate) accepts: bool,
}

// Socket families, types and protocols, which are the same on all architectures that we build for.
const AF_UNIX: u32 = 1;
const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;
const AF_NETLINK: u32 = 16;
const SOCK_STREAM: u32 = 1;
const SOCK_DGRAM: u32 = 2;
const SOCK_SEQPACKET: u32 = 5;
/// Above it are flags.
const SOCK_TYPE_MASK: u32 = 0xf;
const IPPROTO_ANY: u32 = 0;
const IPPROTO_ICMP: u32 = 1;
const IPPROTO_TCP: u32 = 6;
const IPPROTO_UDP: u32 = 17;
const IPPROTO_ICMPV6: u32 = 58;
const NETLINK_ROUTE: u32 = 0;
const MSG_FASTOPEN: u32 = 0x2000_0000;
/// The process that calls, in the place of a process's number.
const SELF: u32 = 0;

const EPERM: u16 = 1;
const EACCES: u16 = 13;
const ENOSYS: u16 = 38;
const EPROTONOSUPPORT: u16 = 93;
const EOPNOTSUPP: u16 = 95;
const EAFNOSUPPORT: u16 = 97;

/// Options that send packets elsewhere than to the address that was judged, or make them by hand.
const FORBIDDEN_OPTIONS: &[(u32, &[u32])] = &[
    // IP_OPTIONS (source routes), IP_HDRINCL, IP_TRANSPARENT.
    (0, &[4, 3, 19]),
    // SO_BINDTODEVICE, SO_BINDTOIFINDEX.
    (1, &[25, 62]),
    // TCP_REPAIR, TCP_FASTOPEN, TCP_FASTOPEN_CONNECT (which connects at the first write), TCP_ULP.
    (6, &[19, 23, 30, 31]),
    // IPV6_2292RTHDR, IPV6_2292PKTOPTIONS, IPV6_HOPOPTS, IPV6_RTHDRDSTOPTS, IPV6_RTHDR, IPV6_DSTOPTS,
    // IPV6_TRANSPARENT, IPV6_HDRINCL.
    (41, &[5, 6, 54, 55, 57, 59, 75, 36]),
];

/// Types text into a terminal, as if the user had: outside of all isolation.
const TERMINAL_INPUT: &[u32] = &[0x5412, 0x541c];

/// The filter for a program with a network of its own.
pub(crate) fn private(architecture: Architecture, rules: Rules) -> Program {
    let mut program = Program::for_architecture(architecture);
    let mut on = |call: Call, body: &mut dyn FnMut(&mut Program)| {
        if let Some(number) = call.number(architecture) {
            program.on_call(number, body);
        }
    };
    for call in [Call::Connect, Call::Listen] {
        on(call, &mut |p| p.end(Verdict::Ask));
    }
    if rules.accepts {
        for call in [Call::Accept, Call::Accept4] {
            on(call, &mut |p| p.end(Verdict::Ask));
        }
    }
    on(Call::Socket, &mut socket);
    on(Call::SocketPair, &mut |p| {
        p.when(Argument(0), AF_UNIX, &mut unix_type);
        p.end(Verdict::Fail(EAFNOSUPPORT));
    });
    // Fast open connects without `connect`.
    for (call, flags) in [(Call::SendTo, 3), (Call::SendMsg, 2), (Call::SendMmsg, 3)] {
        on(call, &mut |p| {
            p.when_any_bit(Argument(flags), MSG_FASTOPEN, &mut |p| {
                p.end(Verdict::Fail(EOPNOTSUPP))
            });
            p.end(Verdict::Allow);
        });
    }
    on(Call::SetSockOpt, &mut |p| {
        for (level, names) in FORBIDDEN_OPTIONS {
            p.when(Argument(1), *level, &mut |p| {
                for name in *names {
                    p.when(Argument(2), *name, &mut |p| p.end(Verdict::Fail(EPERM)));
                }
                p.end(Verdict::Allow);
            });
        }
        p.end(Verdict::Allow);
    });
    on(Call::Ioctl, &mut |p| {
        for request in TERMINAL_INPUT {
            p.when(Argument(1), *request, &mut |p| p.end(Verdict::Fail(EPERM)));
        }
        p.end(Verdict::Allow);
    });
    // Its operations make and name sockets where no filter sees them. Programs go on without it.
    for call in [Call::IoUringSetup, Call::IoUringEnter, Call::IoUringRegister] {
        on(call, &mut |p| p.end(Verdict::Fail(ENOSYS)));
    }
    // Ways into another process of this user, or at its sockets.
    for call in [Call::PidfdGetfd, Call::Ptrace, Call::ProcessVmWritev, Call::Bpf] {
        on(call, &mut |p| p.end(Verdict::Fail(EPERM)));
    }
    // A limit of CPU time kills any process of this user, and one of descriptors blinds the supervisor;
    // Landlock does not look at it. A priority or a processor does not end anything, and programs set those of
    // their own threads by number.
    on(Call::PrLimit64, &mut |p| {
        p.when(Argument(0), SELF, &mut |p| p.end(Verdict::Allow));
        p.end(Verdict::Fail(EPERM));
    });
    program.end(Verdict::Allow);
    program
}

/// Which sockets may be made. The families that are not named have no judge.
fn socket(p: &mut Program) {
    p.when(Argument(0), AF_UNIX, &mut unix_type);
    p.when(Argument(0), AF_NETLINK, &mut |p| {
        p.when(Argument(2), NETLINK_ROUTE, &mut |p| p.end(Verdict::Allow));
        p.end(Verdict::Fail(EPROTONOSUPPORT));
    });
    for family in [AF_INET, AF_INET6] {
        p.when(Argument(0), family, &mut |p| {
            p.when_masked(Argument(1), SOCK_TYPE_MASK, SOCK_STREAM, &mut |p| {
                of_protocols(p, &[IPPROTO_ANY, IPPROTO_TCP]);
            });
            p.when_masked(Argument(1), SOCK_TYPE_MASK, SOCK_DGRAM, &mut |p| {
                of_protocols(p, &[IPPROTO_ANY, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6]);
            });
            // Raw sockets, above all.
            p.end(Verdict::Fail(EPERM));
        });
    }
    p.end(Verdict::Fail(EAFNOSUPPORT));
}

/// A Unix socket that has to connect before it sends. One that has not could send to any name that it
/// gives with a message, which no call announces.
fn unix_type(p: &mut Program) {
    for kind in [SOCK_STREAM, SOCK_SEQPACKET] {
        p.when_masked(Argument(1), SOCK_TYPE_MASK, kind, &mut |p| p.end(Verdict::Allow));
    }
    p.end(Verdict::Fail(EACCES));
}

/// MPTCP, SCTP, UDP-Lite and others would not be what the rules are about.
fn of_protocols(p: &mut Program, protocols: &[u32]) {
    for protocol in protocols {
        p.when(Argument(2), *protocol, &mut |p| p.end(Verdict::Allow));
    }
    p.end(Verdict::Fail(EPROTONOSUPPORT));
}
