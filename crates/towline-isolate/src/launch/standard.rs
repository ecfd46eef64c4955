//! The standard descriptors, which a program inherits: what they lead to was judged by nobody.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::major;
use rustix::net::sockopt::{socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType, getpeername};

use super::error::LaunchError;

/// Refuses what a program could reach others by than by its calls.
pub(super) fn look() -> Result<(), LaunchError> {
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    for (name, descriptor) in [
        ("standard input", input.as_fd()),
        ("standard output", output.as_fd()),
        ("standard error", error.as_fd()),
    ] {
        if let Some(kind) = refused(descriptor) {
            let why = format!("its {name} is {kind}, which it would inherit");
            return Err(LaunchError::unable("isolating the program", why)
                .advise("put a pipe between them, as with `cat |` before the command"));
        }
    }
    Ok(())
}

/// What a descriptor is, if it is no file, pipe, terminal or connection to a peer on this machine.
fn refused(descriptor: BorrowedFd<'_>) -> Option<&'static str> {
    // One that is closed leads nowhere.
    let metadata = File::from(descriptor.try_clone_to_owned().ok()?).metadata().ok()?;
    let kind = metadata.file_type();
    if kind.is_socket() {
        return refused_socket(descriptor);
    }
    if kind.is_char_device() {
        /// `/dev/null` and its like. Of the other devices some are networks (`/dev/net/tun`).
        const MEMORY: u32 = 1;
        let harmless = major(metadata.rdev()) == MEMORY || descriptor.is_terminal();
        return (!harmless).then_some("a device other than a terminal");
    }
    let file = kind.is_file() || kind.is_fifo() || kind.is_dir() || kind.is_block_device();
    // io_uring's, for one.
    (!file).then_some("neither a file nor a pipe nor a terminal")
}

/// Likewise of a socket. One without a peer could be given any, by a call or by each message.
fn refused_socket(socket: BorrowedFd<'_>) -> Option<&'static str> {
    match socket_domain(socket) {
        Ok(AddressFamily::UNIX) => {}
        Ok(AddressFamily::INET | AddressFamily::INET6) => return Some("a socket of the Internet"),
        _ => return Some("a socket of a kind that no policy can judge"),
    }
    match socket_type(socket) {
        Ok(SocketType::STREAM | SocketType::SEQPACKET) => {}
        _ => return Some("a Unix socket for datagrams, which could go to any program"),
    }
    getpeername(socket).is_err().then_some("a Unix socket that is not connected")
}
