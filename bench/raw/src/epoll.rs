//! One thread, epoll, one large buffer, one `send` for each `recv`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;

use bench_common::listen::listen;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// What is done with the bytes of one connection.
pub(crate) trait Echo: Default {
    /// Turns what was read, `buffer[LEAD..][..count]`, into the answer, in place; where it is.
    fn answer(&mut self, buffer: &mut [u8], count: usize) -> io::Result<Range<usize>>;
}

/// Nothing is done.
#[derive(Default)]
pub(crate) struct Raw;

impl Echo for Raw {
    fn answer(&mut self, _: &mut [u8], count: usize) -> io::Result<Range<usize>> {
        Ok(LEAD..LEAD + count)
    }
}

/// Room in front of what is read, for the beginning of a frame's header left over from before. A
/// cache line, so that the rest is aligned.
pub(crate) const LEAD: usize = 64;

/// Bytes read at once.
const READ_BYTES: usize = 512 * 1024;

const LISTENER: Token = Token(usize::MAX - 1);

struct Connection<E> {
    socket: TcpStream,
    echo: E,
    /// What the socket did not take. Nothing is read meanwhile.
    pending: Vec<u8>,
}

pub(crate) fn run<E: Echo>(addr: SocketAddr) -> io::Result<()> {
    let mut listener = TcpListener::from_std(listen(addr)?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections: Vec<Option<Connection<E>>> = Vec::new();
    let mut free = Vec::new();
    let mut buffer = vec![0; LEAD + READ_BYTES];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut connections, &mut free)?;
                continue;
            }
            let index = event.token().0;
            let Some(connection) = &mut connections[index] else { continue };
            if connection.serve(&mut buffer).is_err() {
                connections[index] = None;
                free.push(index);
            }
        }
    }
}

fn accept<E: Echo>(
    listener: &TcpListener,
    poll: &Poll,
    connections: &mut Vec<Option<Connection<E>>>,
    free: &mut Vec<usize>,
) -> io::Result<()> {
    loop {
        let mut socket = match listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            // The client has gone again.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        socket.set_nodelay(true)?;
        let index = free.pop().unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut socket, Token(index), interest)?;
        connections[index] = Some(Connection { socket, echo: E::default(), pending: Vec::new() });
    }
}

impl<E: Echo> Connection<E> {
    /// An error is the end of the connection.
    fn serve(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            while !self.pending.is_empty() {
                match self.socket.write(&self.pending) {
                    Ok(count) => drop(self.pending.drain(..count)),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            let count = match self.socket.read(&mut buffer[LEAD..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let mut answer = self.echo.answer(buffer, count)?;
            while !answer.is_empty() {
                match self.socket.write(&buffer[answer.clone()]) {
                    Ok(count) => answer.start += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.pending = buffer[answer].to_vec();
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
            // A read that was not filled has emptied the socket; epoll tells when there is more.
            if count < READ_BYTES {
                return Ok(());
            }
        }
    }
}
