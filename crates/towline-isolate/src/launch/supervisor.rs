//! The supervisor: a process of its own, that starts the program and answers its calls to the last.

use std::fs::File;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;

use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Resource, Rlimit, getgid, getrlimit, getuid, pidfd_getfd,
    pidfd_open, setrlimit,
};
use rustix::stdio::{dup2_stdin, dup2_stdout};

use super::broker::{App, Broker};
use super::error::{LaunchError, LaunchErrorKind};
use super::journal::Journal;
use super::name_servers::{NAME_SERVER_PORT, NameServers};
use super::network;
use super::own_sockets::OwnSockets;
use super::packets::{Exits, Packets};
use super::relay::Message;
use crate::filter::{self, Architecture, Rules};
use crate::policy::Policy;
use crate::sys::{
    Network, Preparation, Report, Step, has_scopes, hide_memory, write_to_any_terminal,
};

/// All that it needs to know.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) policy: Policy,
    pub(super) architecture: Architecture,
    pub(super) quiet: bool,
    pub(super) name_servers: NameServers,
    /// The process group of whoever asked, which the program belongs to.
    pub(super) group: i32,
}

impl Supervisor {
    /// Runs a command, and tells the process that asked for it what becomes of it.
    pub(super) fn run(self, mut command: Command, mut asker: UnixStream) {
        let outcome = self.start(&mut command, &mut asker);
        let broker = match outcome {
            Ok((status, broker)) => {
                let _ = Message::Ended(status).write(&mut asker);
                broker
            }
            Err(error) => {
                let _ = Message::Failed(error).write(&mut asker);
                return;
            }
        };
        drop(asker);
        // What the program has left behind is still isolated, and still reaches what it may.
        let _ = broker.join();
    }

    fn start(
        self,
        command: &mut Command,
        asker: &mut UnixStream,
    ) -> Result<(ExitStatus, thread::JoinHandle<()>), LaunchError> {
        let doing = "isolating the program";
        let failed = |error: io::Error| LaunchError::failed(doing, error);
        hide_memory().map_err(failed)?;
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let program = command.get_program().to_string_lossy().into_owned();
        self.prepare(theirs.into()).install(command);
        command.process_group(self.group);

        // The program's process waits for this thread's word before it begins, and `spawn` for it.
        let serving = thread::Builder::new()
            .name("broker".into())
            .spawn(move || self.serve(ours))
            .map_err(failed)?;
        let spawned = command.spawn();
        // The command holds the other end of what the thread reads.
        *command = Command::new("");
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                return Err(match serving.join() {
                    Ok(Err(unable)) => unable,
                    Ok(Ok(_)) | Err(_) => LaunchError::starting(&program, &error),
                });
            }
        };
        let _ = Message::Started(child.id()).write(asker);
        // The program has its own copies of all this by now.
        let _ = let_go_of_standard_streams();
        allow_more_descriptors();
        write_to_any_terminal();
        let status = child.wait().map_err(failed)?;
        let quiet_or_told = move || match serving.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("towline: {error}; its network is closed from now on"),
            Err(_) => {
                eprintln!("towline: the supervisor has failed; its network is closed from now on")
            }
        };
        let rest = thread::Builder::new().spawn(quiet_or_told).map_err(failed)?;
        Ok((status, rest))
    }

    /// Waits for the program's process to be isolated, and answers its calls.
    fn serve(self, mut program: UnixStream) -> Result<(), LaunchError> {
        let doing = "isolating the program";
        let failed = |error: io::Error| LaunchError::failed(doing, error);
        let report = Report::read(&mut program).map_err(failed)?;
        let (process, listener, packets, resolver, sockets) = match report {
            Some(Report::Ready { process, listener, packets, resolver, sockets }) => {
                (process, listener, packets, resolver, sockets)
            }
            Some(Report::Failed(step, errno)) => return Err(unable(step, errno)),
            None => return Err(LaunchError::failed(doing, "its process ended before it began")),
        };
        let process = Pid::from_raw(process)
            .ok_or_else(|| LaunchError::failed(doing, "its process has no number"))?;
        let take = |descriptor| -> io::Result<OwnedFd> {
            let process = pidfd_open(process, PidfdFlags::empty())?;
            Ok(pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty())?)
        };
        let journal = Arc::new(Journal::new(self.quiet));
        let listener = take(listener).map_err(failed)?;
        if let Some(packets) = packets {
            let packets = take(packets).map_err(failed)?;
            let resolver = resolver.map(take).transpose().map_err(failed)?;
            let resolver = resolver
                .zip(self.name_servers.on_this_machine())
                .map(|(socket, address)| (socket, SocketAddr::from((address, NAME_SERVER_PORT))));
            let exits = Exits { packets, resolver };
            let servers = self.name_servers.addresses().to_vec();
            let mut packets = Packets::new(exits, self.policy.clone(), journal.clone(), servers)
                .map_err(failed)?;
            thread::Builder::new()
                .name("packets".into())
                .spawn(move || packets.run())
                .map_err(failed)?;
        }
        let sockets = sockets.map(take).transpose().map_err(failed)?.map(OwnSockets::new);
        let app = App { policy: self.policy, journal, name_servers: self.name_servers, sockets };
        let mut broker = Broker::new(listener, self.architecture, app).map_err(failed)?;
        program.write_all(&[1]).map_err(failed)?;
        drop(program);
        broker.run().map_err(failed)
    }

    fn prepare(&self, supervisor: OwnedFd) -> Preparation {
        let rules = Rules { accepts: self.policy.may_listen() };
        let filter = filter::private(self.architecture, rules);
        let (user, group) = (getuid().as_raw(), getgid().as_raw());
        Preparation {
            filter: filter.into(),
            network: Some(Network {
                user_map: format!("{user} {user} 1\n").into_bytes(),
                group_map: format!("{group} {group} 1\n").into_bytes(),
                messages: network::messages(&machine()),
                far_end: network::FAR_END,
                resolver: self.name_servers.on_this_machine(),
            }),
            scopes: has_scopes(),
            supervisor,
        }
    }
}

/// This machine's addresses. Where they cannot be read, the app cannot bind to them.
fn machine() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().map(if_addrs::Interface::ip).collect()
}

/// Keeps neither what the program reads from nor what it writes to open for longer than it does.
fn let_go_of_standard_streams() -> io::Result<()> {
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    Ok(())
}

/// Raises this process's limit as far as it may: each call of the program takes descriptors here.
fn allow_more_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// What a failed step means.
fn unable(step: Step, errno: i32) -> LaunchError {
    let doing = match step {
        Step::Namespaces => "making a network of its own",
        Step::Identity => "keeping its user in a namespace of its own",
        Step::Interfaces => "making the interfaces of its network",
        Step::Packets => "reading the packets of its network",
        Step::Capabilities => "giving up capabilities",
        Step::NoNewPrivileges => "giving up new privileges",
        Step::Scopes => "keeping it from other programs (Landlock)",
        Step::Filter => "filtering its system calls (seccomp)",
        Step::Descriptors => "closing what it would inherit",
    };
    let error =
        LaunchError::new(LaunchErrorKind::Unable, doing, io::Error::from_raw_os_error(errno));
    match step {
        Step::Namespaces => error.advise("this machine forbids user namespaces to ordinary users"),
        Step::Packets | Step::Filter => {
            error.advise("is this program isolated already? one supervisor is the most")
        }
        _ => error,
    }
}

/// A status as the numbers that `wait` gives.
pub(super) fn raw(status: ExitStatus) -> i32 {
    status.into_raw()
}
