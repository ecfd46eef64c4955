//! What a process does to itself before the program begins in it.
//!
//! Between `fork` and `exec` nothing may be allocated, and no lock taken: all that is needed is made before
//! ([`Preparation`]), and here are only system calls.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

use super::check;

/// All that the process needs to know, in the form in which the kernel takes it.
#[derive(Debug)]
pub(crate) struct Preparation {
    /// The seccomp filter.
    pub(crate) filter: Vec<libc::sock_filter>,
    /// The network of its own, where it gets one.
    pub(crate) network: Option<Network>,
    /// Whether Landlock can keep it from other programs' abstract sockets and from signalling them.
    pub(crate) scopes: bool,
    /// Where it reports, and waits to be told to go on.
    pub(crate) supervisor: OwnedFd,
}

/// A network of its own, in a user namespace of its own.
#[derive(Debug)]
pub(crate) struct Network {
    /// Its line in `/proc/self/uid_map`: the user stays who they are.
    pub(crate) user_map: Vec<u8>,
    /// Likewise for the group.
    pub(crate) group_map: Vec<u8>,
    /// Messages of rtnetlink, in their order, and whether it goes without where one fails.
    pub(crate) messages: Vec<(Vec<u8>, bool)>,
    /// The index of the interface at which packets for the world come out.
    pub(crate) far_end: i32,
    /// A name server on this machine, in whose place a socket of the program's network is to be.
    pub(crate) resolver: Option<Ipv4Addr>,
}

/// What is being done, to be told if it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Step {
    Namespaces = 1,
    Identity,
    Interfaces,
    Packets,
    Capabilities,
    NoNewPrivileges,
    Scopes,
    Filter,
    Descriptors,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Namespaces,
        Self::Identity,
        Self::Interfaces,
        Self::Packets,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::Scopes,
        Self::Filter,
        Self::Descriptors,
    ];
}

/// What the process tells its supervisor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// It is isolated, and waits to go on.
    Ready {
        /// Its number.
        process: i32,
        /// Its descriptor of the filter's notifications.
        listener: RawFd,
        /// Its descriptor of the packets, where it has a network of its own.
        packets: Option<RawFd>,
        /// Its descriptor of the socket in the place of a name server, likewise.
        resolver: Option<RawFd>,
        /// Its descriptor at which the kernel tells of the sockets of its network, likewise.
        sockets: Option<RawFd>,
    },
    /// It could not be isolated, and ends.
    Failed(Step, i32),
}

/// The size of a report: six numbers.
const REPORT_BYTES: usize = 24;

impl Report {
    /// Reads one. `None` if the process ended before.
    pub(crate) fn read(from: &mut impl io::Read) -> io::Result<Option<Self>> {
        let mut bytes = [0; REPORT_BYTES];
        match from.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut numbers = bytes
            .chunks_exact(4)
            .map(|four| i32::from_ne_bytes([four[0], four[1], four[2], four[3]]));
        let mut next = || numbers.next().unwrap_or(-1);
        let (failed, first) = (next(), next());
        if failed == 0 {
            let listener = next();
            let mut descriptor = || Some(next()).filter(|number| *number >= 0);
            let (packets, resolver, sockets) = (descriptor(), descriptor(), descriptor());
            return Ok(Some(Self::Ready { process: first, listener, packets, resolver, sockets }));
        }
        let step = Step::ALL.into_iter().find(|step| *step as i32 == failed);
        Ok(Some(Self::Failed(step.unwrap_or(Step::Filter), first)))
    }
}

impl Preparation {
    /// Has a command isolate itself before its program begins.
    pub(crate) fn install(self, command: &mut Command) {
        // SAFETY: `isolate` allocates nothing, takes no lock and makes nothing but system calls, which is
        // what may be done in a fork of a process with threads.
        unsafe { command.pre_exec(move || self.isolate()) };
    }

    /// Isolates the calling process, and waits until its supervisor is at work.
    pub(crate) fn isolate(&self) -> io::Result<()> {
        match self.steps() {
            Ok(report) => self.tell(report),
            Err((step, errno)) => {
                self.tell([step as i32, errno, 0, 0, 0, 0])?;
                return Err(io::Error::from_raw_os_error(errno));
            }
        }?;
        let mut word = [0];
        // SAFETY: the kernel writes at most one byte to the address, which is that of one.
        let count = unsafe { libc::read(self.supervisor.as_raw_fd(), word.as_mut_ptr().cast(), 1) };
        if count != 1 {
            // Nobody would answer the program's calls.
            return Err(io::Error::from_raw_os_error(libc::ECONNABORTED));
        }
        Ok(())
    }

    fn steps(&self) -> Result<[i32; 6], (Step, i32)> {
        let (packets, resolver, sockets) = match &self.network {
            Some(network) => network.make()?,
            None => (-1, -1, -1),
        };
        drop_capabilities().map_err(at(Step::Capabilities))?;
        // SAFETY: this option has numbers as its arguments.
        check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })
            .map_err(at(Step::NoNewPrivileges))?;
        if self.scopes {
            scope().map_err(at(Step::Scopes))?;
        }
        // What is open now was opened for somebody else; an Internet socket among it would be a way out.
        close_all_at_exec().map_err(at(Step::Descriptors))?;
        let listener = self.load_filter().map_err(at(Step::Filter))?;
        // SAFETY: it has no arguments and cannot fail.
        let process = unsafe { libc::getpid() };
        Ok([0, process, listener, packets, resolver, sockets])
    }

    fn load_filter(&self) -> io::Result<RawFd> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.filter.len()).unwrap_or(u16::MAX),
            filter: self.filter.as_ptr().cast_mut(),
        };
        // SAFETY: `program` describes `self.filter`, and the kernel only reads both.
        let listener = check(unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
                &program,
            )
        })?;
        Ok(listener as RawFd)
    }

    fn tell(&self, numbers: [i32; 6]) -> io::Result<()> {
        let mut bytes = [0; REPORT_BYTES];
        for (four, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            four.copy_from_slice(&number.to_ne_bytes());
        }
        // SAFETY: the kernel reads as many bytes as `bytes` has.
        let count =
            unsafe { libc::write(self.supervisor.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
        check(count).map(drop)
    }
}

fn at(step: Step) -> impl Fn(io::Error) -> (Step, i32) {
    move |error| (step, error.raw_os_error().unwrap_or(libc::EIO))
}

impl Network {
    /// Makes the namespaces and what is in them; gives the descriptors of the packets, of the socket in the
    /// place of a name server, and of that which tells of sockets.
    fn make(&self) -> Result<(RawFd, RawFd, RawFd), (Step, i32)> {
        // SAFETY: no pointers are passed.
        check(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) })
            .map_err(at(Step::Namespaces))?;
        // The supervisor hides its memory, and this process still is its copy: its files in /proc would be
        // somebody else's. What is secret is in neither.
        // SAFETY: this option has numbers as its arguments.
        check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) })
            .map_err(at(Step::Identity))?;
        // Whoever may set groups could leave one that is forbidden something (`user_namespaces(7)`).
        write_file(c"/proc/self/setgroups", b"deny").map_err(at(Step::Identity))?;
        write_file(c"/proc/self/uid_map", &self.user_map).map_err(at(Step::Identity))?;
        write_file(c"/proc/self/gid_map", &self.group_map).map_err(at(Step::Identity))?;
        self.interfaces().map_err(at(Step::Interfaces))?;
        let packets = self.packets().map_err(at(Step::Packets))?;
        let resolver = match self.resolver {
            Some(address) => name_server(address).map_err(at(Step::Packets))?,
            None => -1,
        };
        // SAFETY: the arguments are numbers.
        let sockets = check(unsafe {
            libc::socket(
                libc::AF_NETLINK,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC,
                libc::NETLINK_SOCK_DIAG,
            )
        })
        .map_err(at(Step::Interfaces))?;
        Ok((packets, resolver, sockets as RawFd))
    }

    fn interfaces(&self) -> io::Result<()> {
        // SAFETY: the arguments are numbers.
        let netlink = check(unsafe {
            libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE)
        })? as RawFd;
        for (message, may_fail) in &self.messages {
            match request(netlink, message) {
                Err(error) if !may_fail => return Err(error),
                _ => {}
            }
        }
        // SAFETY: the descriptor is this function's own.
        unsafe { libc::close(netlink) };
        Ok(())
    }

    /// A socket at which all packets come out that the program sends into the world.
    fn packets(&self) -> io::Result<RawFd> {
        let protocol = (libc::ETH_P_ALL as u16).to_be();
        // SAFETY: the arguments are numbers.
        let socket = check(unsafe {
            libc::socket(
                libc::AF_PACKET,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
                i32::from(protocol),
            )
        })? as RawFd;
        // SAFETY: all fields of the structure may be zero.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol;
        address.sll_ifindex = self.far_end;
        // SAFETY: the kernel reads one `sockaddr_ll` from the address, which is that of one.
        check(unsafe {
            libc::bind(
                socket,
                ptr::from_ref(&address).cast(),
                size_of::<libc::sockaddr_ll>() as libc::socklen_t,
            )
        })?;
        Ok(socket)
    }
}

/// A socket at which programs ask for names.
fn name_server(address: Ipv4Addr) -> io::Result<RawFd> {
    // SAFETY: the arguments are numbers.
    let socket = check(unsafe {
        libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
    })? as RawFd;
    // SAFETY: all fields of the structure may be zero.
    let mut bound: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    bound.sin_family = libc::AF_INET as u16;
    bound.sin_port = 53_u16.to_be();
    bound.sin_addr.s_addr = u32::from(address).to_be();
    // SAFETY: the kernel reads one `sockaddr_in` from the address, which is that of one.
    check(unsafe {
        libc::bind(
            socket,
            ptr::from_ref(&bound).cast(),
            size_of::<libc::sockaddr_in>() as libc::socklen_t,
        )
    })?;
    Ok(socket)
}

/// Sends a message of rtnetlink and waits for what the kernel says to it.
fn request(netlink: RawFd, message: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads as many bytes as `message` has.
    let sent = unsafe { libc::send(netlink, message.as_ptr().cast(), message.len(), 0) };
    check(sent)?;
    let mut answer = [0_u8; 512];
    // SAFETY: the kernel writes at most as many bytes as `answer` has.
    let count = unsafe { libc::recv(netlink, answer.as_mut_ptr().cast(), answer.len(), 0) };
    check(count)?;
    // An `nlmsgerr` behind a header of sixteen bytes: zero, or an error's number below it.
    let error = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-error)) }
}

fn write_file(path: &std::ffi::CStr, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: `path` ends with a zero, and the flags are numbers.
    let file = check(unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) })?;
    let file = file as RawFd;
    // SAFETY: the kernel reads as many bytes as `bytes` has.
    let written = check(unsafe { libc::write(file, bytes.as_ptr().cast(), bytes.len()) });
    // SAFETY: the descriptor is this function's own.
    unsafe { libc::close(file) };
    written.map(drop)
}

/// Gives up every capability, and those that a program could bring.
fn drop_capabilities() -> io::Result<()> {
    for capability in 0..64 {
        // SAFETY: this option has numbers as its arguments. It fails for capabilities that this kernel
        // does not have, and where none may be dropped because there are none.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
    // SAFETY: these options have numbers as their arguments; kernels without ambient capabilities refuse.
    unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
    /// `_LINUX_CAPABILITY_VERSION_3`, this process itself.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    /// Three sets of 64 bits, in two halves.
    const NONE: [u32; 6] = [0; 6];
    // SAFETY: the kernel reads a header of two numbers and sets of six, which these are.
    check(unsafe { libc::syscall(libc::SYS_capset, HEADER.as_ptr(), NONE.as_ptr()) }).map(drop)
}

/// A Landlock ruleset that only has scopes (Linux 6.12).
#[repr(C)]
struct Ruleset {
    handled_access_fs: u64,
    handled_access_net: u64,
    scoped: u64,
}

/// `LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET` and `LANDLOCK_SCOPE_SIGNAL`.
const SCOPES: u64 = 1 | 2;

/// The version of Landlock that has scopes.
const SCOPES_SINCE: i64 = 6;

/// Whether this kernel can keep a program from other programs' abstract sockets, from signalling and from
/// tracing them.
pub(crate) fn has_scopes() -> bool {
    /// `LANDLOCK_CREATE_RULESET_VERSION`.
    const VERSION: u32 = 1;
    // SAFETY: with this flag the kernel looks at no address.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<Ruleset>(), 0_usize, VERSION)
    };
    version >= SCOPES_SINCE
}

fn scope() -> io::Result<()> {
    let ruleset = Ruleset { handled_access_fs: 0, handled_access_net: 0, scoped: SCOPES };
    // SAFETY: the kernel reads as many bytes as the structure has.
    let made = check(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            ptr::from_ref(&ruleset),
            size_of::<Ruleset>(),
            0_u32,
        )
    })?;
    // SAFETY: the arguments are numbers.
    let restricted = check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, made, 0_u32) });
    // SAFETY: the descriptor is this function's own.
    unsafe { libc::close(made as RawFd) };
    restricted.map(drop)
}

/// Has every descriptor but the first three closed when the program begins.
fn close_all_at_exec() -> io::Result<()> {
    /// `CLOSE_RANGE_CLOEXEC`.
    const AT_EXEC: u32 = 4;
    // SAFETY: the arguments are numbers.
    check(unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, AT_EXEC) }).map(drop)
}
