//! The supervisor's answers to the calls that wait for it.
//!
//! Each is answered from one copy of what the program gave: the address that was judged is the address
//! that is used, and the program is never told to go on with its own call. What takes time waits in an
//! epoll of ours, not in a thread.

mod accept;
mod address;
mod connect;
mod errno;
mod known;
mod listen;
mod program;
mod unix;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use errno::Errno;
use known::Known;
use program::Program;
use rustix::event::epoll;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use waiting::{Waiting, WaitingCalls};

use super::internet_sockets::InternetSockets;
use super::journal::{Journal, Operation};
use super::name_servers::NameServers;
use super::own_sockets::OwnSockets;
use crate::filter::{Architecture, Call};
use crate::policy::{Denied, Policy};
use crate::sys::{Listener, Notification, Options, network_cookie};

/// Answers one app's calls.
#[derive(Debug)]
pub(crate) struct Broker {
    listener: Arc<Listener>,
    architecture: Architecture,
    app: App,
    epoll: OwnedFd,
    waiting: WaitingCalls,
    /// What a fresh socket's options are.
    defaults: HashMap<AddressFamily, Options>,
    /// The number of the network that this process is in.
    outside: u64,
    /// Ports at which the app listens for itself alone, in its own network.
    private_ports: HashSet<u16>,
    /// Its sockets that listen in this process's network.
    listeners: Known,
    /// Its own connections to those.
    connections: Known,
    /// What the kernel tells of this process's network.
    internet: InternetSockets,
}

/// What the broker knows of the app.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) policy: Policy,
    pub(crate) journal: Arc<Journal>,
    /// This machine's name servers.
    pub(crate) name_servers: NameServers,
    /// What the kernel tells of its network, where it has one of its own.
    pub(crate) sockets: Option<OwnSockets>,
}

/// What becomes of a call.
#[derive(Debug)]
enum Answer {
    /// It returns this.
    Value(i64),
    /// It was answered already, or will be.
    Later,
}

/// What a call comes to.
type Outcome = Result<Answer, Errno>;

const DONE: Outcome = Ok(Answer::Value(0));

/// What the listener is called in the epoll. The others count upward from zero.
const LISTENER: u64 = u64::MAX;

impl Broker {
    /// A broker that answers at a listener.
    pub(crate) fn new(listener: OwnedFd, architecture: Architecture, app: App) -> io::Result<Self> {
        let listener = Arc::new(Listener::from(listener));
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &*listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
        let probe =
            socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        Ok(Self {
            listener,
            architecture,
            app,
            epoll,
            waiting: WaitingCalls::default(),
            defaults: HashMap::new(),
            outside: network_cookie(probe.as_fd())?,
            private_ports: HashSet::new(),
            listeners: Known::default(),
            connections: Known::default(),
            internet: InternetSockets::new()?,
        })
    }

    /// Answers until no process of the app is left.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(64);
        loop {
            let timeout = self.waiting.timeout(Instant::now());
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                timeout.as_ref(),
            ) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                // Packed: looked at as a copy.
                let (data, flags) = (event.data, event.flags);
                match data.u64() {
                    LISTENER if flags.contains(epoll::EventFlags::IN) => self.next_call()?,
                    // Nobody is left whom the filter holds.
                    LISTENER => return Ok(()),
                    token => self.is_ready(token),
                }
            }
            self.give_up_on_the_late();
        }
    }

    fn next_call(&mut self) -> io::Result<()> {
        let Some(notification) = self.listener.receive()? else { return Ok(()) };
        let outcome = match Call::of(notification.call, self.architecture) {
            Some(Call::Connect) => self.connect(&notification),
            Some(Call::Listen) => self.listen(&notification),
            Some(Call::Accept) => self.accept(&notification, 0),
            Some(Call::Accept4) => self.accept(&notification, notification.number(3)),
            _ => Err(Errno::NOSYS),
        };
        self.answer(notification.id, outcome);
        Ok(())
    }

    /// Answers a call. That nobody waits for the answer any more is no error: a signal ended the call.
    fn answer(&self, id: u64, outcome: Outcome) {
        let _ = match outcome {
            Ok(Answer::Value(value)) => self.listener.succeed(id, value),
            Ok(Answer::Later) => Ok(()),
            Err(error) => self.listener.fail(id, error.raw_os_error()),
        };
    }

    fn program<'a>(&self, listener: &'a Listener, of: &Notification) -> Program<'a> {
        Program::new(listener, of)
    }

    /// Something that a call waits for has happened.
    fn is_ready(&mut self, token: u64) {
        let Some(call) = self.waiting.take(token) else { return };
        let _ = epoll::delete(&self.epoll, &call.source);
        let id = call.notification.id;
        let outcome = match call.what {
            Waiting::Connection(connection) => Self::connected(&call.source, connection),
            Waiting::Peer(acceptance) => {
                self.accept_from(call.notification, call.source, acceptance, call.deadline)
            }
        };
        self.answer(id, outcome);
    }

    /// Lets a call wait for something to happen to a socket.
    fn wait_for(
        &mut self,
        notification: Notification,
        source: OwnedFd,
        what: Waiting,
        deadline: Option<Instant>,
    ) -> Outcome {
        let events = match what {
            Waiting::Connection(_) => epoll::EventFlags::OUT,
            Waiting::Peer(_) => epoll::EventFlags::IN,
        };
        let token = self.waiting.next_token();
        epoll::add(&self.epoll, &source, epoll::EventData::new_u64(token), events)?;
        self.waiting.put(token, notification, source, what, deadline);
        Ok(Answer::Later)
    }

    /// Ends the calls whose time is over, and forgets those that nobody waits for any more.
    fn give_up_on_the_late(&mut self) {
        for (token, error) in self.waiting.late(Instant::now(), &self.listener) {
            let Some(call) = self.waiting.take(token) else { continue };
            let _ = epoll::delete(&self.epoll, &call.source);
            if let Some(error) = error {
                self.answer(call.notification.id, Err(error));
            }
        }
    }

    /// Tells of a denial, and gives the error that the program gets.
    fn denied(&self, notification: &Notification, operation: Operation, denied: &Denied) -> Errno {
        let name = self.program(&self.listener, notification).name();
        self.app.journal.denied(&name, operation, denied);
        Errno::from_raw_os_error(denied.errno())
    }
}
