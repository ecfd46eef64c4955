//! Datagrams: judged one by one as the packets that they leave the program's network in.
//!
//! What the program calls to send one matters not at all: whatever address it gave stands in the packet.
//! Each flow that is allowed has a socket of ours in the world. TCP never comes this way.

mod asked;
mod flows;
mod ip;
mod name;
mod names;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use flows::{Flow, Flows};
use ip::{Datagram, Refusal, datagram, refusal};
use names::Question;
use rustix::event::{Timespec, epoll};
use rustix::io::{Errno, read, write};
use rustix::net::{RecvFlags, SendFlags, recv, recvfrom, sendto};

use super::journal::{Journal, Operation};
use super::network::HARDWARE;
use crate::policy::{Policy, Protocol};

/// The ways by which datagrams leave a program's network.
#[derive(Debug)]
pub(crate) struct Exits {
    /// Where packets come out.
    pub(crate) packets: OwnedFd,
    /// A socket in the program's network, in the place of a name server on this machine.
    pub(crate) resolver: Option<(OwnedFd, SocketAddr)>,
}

/// Sends on what may go, and brings back what comes.
#[derive(Debug)]
pub(crate) struct Packets {
    exits: Exits,
    policy: Policy,
    journal: Arc<Journal>,
    /// This machine's name servers.
    name_servers: Vec<IpAddr>,
    epoll: OwnedFd,
    flows: Flows,
}

/// What becomes of a message for a name server.
enum Judged {
    /// It is passed on.
    Ask(Question),
    /// It is not, and this is what the program is told, if anything.
    Answered(Option<Vec<u8>>),
}

/// Which one sent a packet, the packet does not say.
const PROGRAM: &str = "a program";

const EXIT: u64 = u64::MAX;
const RESOLVER: u64 = u64::MAX - 1;

/// The hardware addresses and the type in front of a packet.
const ETHERNET_BYTES: usize = 14;
const MAX_FRAME_BYTES: usize = ETHERNET_BYTES + 65_535;

/// So many packets are read from one source before another has its turn.
const TURN: usize = 64;

impl Packets {
    pub(crate) fn new(
        exits: Exits,
        policy: Policy,
        journal: Arc<Journal>,
        name_servers: Vec<IpAddr>,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let readable = epoll::EventFlags::IN;
        epoll::add(&epoll, &exits.packets, epoll::EventData::new_u64(EXIT), readable)?;
        if let Some((socket, _)) = &exits.resolver {
            epoll::add(&epoll, socket, epoll::EventData::new_u64(RESOLVER), readable)?;
        }
        Ok(Self { exits, policy, journal, name_servers, epoll, flows: Flows::default() })
    }

    /// Works until the process ends.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(64);
        let mut buffer = vec![0; MAX_FRAME_BYTES];
        loop {
            let timeout = self.flows.timeout(Instant::now());
            let timeout = timeout.and_then(|wait| Timespec::try_from(wait).ok());
            let spare = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.epoll, spare, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                let data = event.data;
                match data.u64() {
                    EXIT => self.leave(&mut buffer)?,
                    RESOLVER => self.ask(&mut buffer),
                    token => self.come_back(token, &mut buffer),
                }
            }
            self.flows.end_idle(Instant::now());
        }
    }

    /// Packets have come out of the program's network.
    fn leave(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..TURN {
            let length = match read(&self.exits.packets, &mut *buffer) {
                Ok(length) => length,
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                // The program's network is gone.
                Err(Errno::NETDOWN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let Some(packet) = buffer.get(ETHERNET_BYTES..length) else { continue };
            let Some(datagram) = Datagram::parse(packet) else { continue };
            if let Err(why) =
                self.send(&datagram, &packet[datagram.payload.clone()], Source::Packet)
                && let Some(answer) = refusal(&datagram, packet, why)
            {
                self.put(&answer);
            }
        }
        Ok(())
    }

    /// Questions have come to the socket in the place of a name server.
    fn ask(&mut self, buffer: &mut [u8]) {
        for _ in 0..TURN {
            let Some((socket, server)) = &self.exits.resolver else { return };
            let received = recvfrom(socket, &mut *buffer, RecvFlags::DONTWAIT);
            let Ok((length, _, Some(from))) = received else { return };
            let Ok(from) = SocketAddr::try_from(from) else { continue };
            let datagram = Datagram { from, to: *server, payload: 0..length };
            // Whoever is not answered asks again, and then gives up.
            let _ = self.send(&datagram, &buffer[..length], Source::Resolver);
        }
    }

    /// Sends a datagram on, if it may go.
    fn send(&mut self, datagram: &Datagram, payload: &[u8], source: Source) -> Result<(), Refusal> {
        let mut asked = None;
        if self.is_name_server(datagram.to) {
            match self.judge_question(payload) {
                Judged::Ask(question) => asked = Some(question),
                Judged::Answered(Some(answer)) => {
                    self.bring(datagram.to, datagram.from, source, &answer);
                    return Ok(());
                }
                Judged::Answered(None) => return Err(Refusal::Prohibited),
            }
        } else if let Err(denied) = self.policy.judge_connect(datagram.to, Protocol::Udp, None) {
            self.journal.denied(PROGRAM, Operation::Send, &denied);
            return Err(Refusal::Prohibited);
        }
        let flow = self.flows.of(datagram.from, datagram.to, source, &self.epoll);
        let flow = flow.map_err(|_| Refusal::Prohibited)?;
        if let Some(question) = asked {
            flow.asked.add(question);
        }
        match flow.send(payload, datagram.to) {
            Err(Errno::CONNREFUSED) => Err(Refusal::PortUnreachable),
            // As on any way, a datagram may be lost.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A name server is asked by programs that reach anything at all, and for names that they may know. It is
    /// told nothing else: no name of this machine, and no more than a question.
    fn judge_question(&self, message: &[u8]) -> Judged {
        let Some(question) = Question::of(message) else {
            self.journal.refused(
                PROGRAM,
                Operation::Resolve,
                "what it sent to a name server is more than one question, or none, and was not passed on",
            );
            return Judged::Answered(names::refused(message));
        };
        if question.is_of_this_machine() {
            return Judged::Answered(question.answer(message));
        }
        if let Err(denied) = self.policy.judge_name(&question.name) {
            self.journal.denied(PROGRAM, Operation::Resolve, &denied);
            return Judged::Answered(names::refused(message));
        }
        Judged::Ask(question)
    }

    fn is_name_server(&self, address: SocketAddr) -> bool {
        address.port() == 53 && self.name_servers.contains(&address.ip())
    }

    /// Something has come for a flow.
    fn come_back(&mut self, token: u64, buffer: &mut [u8]) {
        for _ in 0..TURN {
            let Some(Flow { socket, from, to, source, any_peer, asked, .. }) =
                self.flows.get(token)
            else {
                return;
            };
            let (from, to, source, any_peer) = (*from, *to, *source, *any_peer);
            let (length, peer) = if any_peer {
                match recvfrom(socket, &mut *buffer, RecvFlags::DONTWAIT) {
                    Ok((length, _, peer)) => (length, peer.and_then(|peer| peer.try_into().ok())),
                    Err(_) => return,
                }
            } else {
                match recv(socket, &mut *buffer, RecvFlags::DONTWAIT) {
                    Ok((length, _)) => (length, Some(to)),
                    Err(Errno::CONNREFUSED) => {
                        self.tell_unreachable(from, to, source);
                        continue;
                    }
                    Err(_) => return,
                }
            };
            let Some(peer) = peer else { continue };
            if any_peer && self.policy.judge_connect(peer, Protocol::Udp, None).is_err() {
                continue;
            }
            // Programs connect by address: which name it has, nobody says then.
            if let Some((question, addresses)) = names::addresses(&buffer[..length])
                && asked.is_answered(&question)
            {
                self.policy.pin(&question.name, &addresses);
            }
            self.bring(peer, from, source, &buffer[..length]);
        }
    }

    /// Tells the program's kernel what ours was told of a datagram: that nobody is there.
    fn tell_unreachable(&self, from: SocketAddr, to: SocketAddr, source: Source) {
        if source == Source::Packet
            && let Some(sent) = datagram(from, to, &[])
            && let Some(sent_as) = Datagram::parse(&sent)
            && let Some(answer) = refusal(&sent_as, &sent, Refusal::PortUnreachable)
        {
            self.put(&answer);
        }
    }

    /// Brings a datagram to the program.
    fn bring(&self, from: SocketAddr, to: SocketAddr, source: Source, payload: &[u8]) {
        match (source, &self.exits.resolver) {
            (Source::Resolver, Some((socket, _))) => {
                let _ = sendto(socket, payload, SendFlags::DONTWAIT | SendFlags::NOSIGNAL, &to);
            }
            _ => {
                if let Some(packet) = datagram(from, to, payload) {
                    self.put(&packet);
                }
            }
        }
    }

    /// Puts a packet into the program's network. If there is no room, it is lost as on any way.
    fn put(&self, packet: &[u8]) {
        let kind: [u8; 2] = if packet.first().is_some_and(|first| first >> 4 == 4) {
            [0x08, 0x00]
        } else {
            [0x86, 0xdd]
        };
        let frame = [&HARDWARE[..], &kind, packet].concat();
        let _ = write(&self.exits.packets, &frame);
    }
}

/// By which way a datagram came, and its answers go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Packet,
    Resolver,
}
