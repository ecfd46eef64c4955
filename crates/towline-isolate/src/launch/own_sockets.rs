//! Which sockets in the file system are the app's own (`sock_diag(7)`).
//!
//! A path leads out of a network of one's own: behind it may be any program of this user. Those that listen
//! in the app's network are the app.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::netlink::{self, HEADER_BYTES, SOCK_DIAG_BY_FAMILY};

/// What the kernel tells of an app's network.
#[derive(Debug)]
pub(crate) struct OwnSockets(OwnedFd);

const NLM_F_DUMP: u16 = 0x300;
const NLMSG_DONE: u16 = 3;
const NLMSG_ERROR: u16 = 2;
const AF_UNIX: u8 = 1;
const UDIAG_SHOW_VFS: u32 = 2;
const UNIX_DIAG_VFS: u16 = 1;
const MESSAGE_BYTES: usize = 16;

/// What the kernel sends at once.
const BUFFER_BYTES: usize = 32 * 1024;

impl OwnSockets {
    pub(crate) fn new(diagnosis: OwnedFd) -> Self {
        Self(diagnosis)
    }

    /// Whether a file is a socket that a process of the app has bound.
    pub(crate) fn has(&self, device: u64, inode: u64) -> Result<bool, Errno> {
        send(&self.0, &request(), SendFlags::NOSIGNAL)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut found = false;
        loop {
            let (length, _) = recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
            let mut rest = &buffer[..length];
            while let Some((kind, message, after)) = next(rest) {
                match kind {
                    NLMSG_DONE => return Ok(found),
                    NLMSG_ERROR => return Err(Errno::IO),
                    _ => found |= is_bound_to(message, device, inode),
                }
                rest = after;
            }
        }
    }
}

/// All Unix sockets, each with its file.
fn request() -> Vec<u8> {
    // A `unix_diag_req`: family, protocol, padding, states, inode, what to show, cookie.
    let mut bytes = vec![AF_UNIX, 0, 0, 0];
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(UDIAG_SHOW_VFS.to_ne_bytes());
    bytes.extend([0; 8]);
    netlink::request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &bytes)
}

/// The first message: its kind, what is in it, and what follows.
fn next(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(number(bytes, 0)?).ok()?;
    let kind = u16::from_ne_bytes([*bytes.get(4)?, *bytes.get(5)?]);
    let message = bytes.get(HEADER_BYTES..length)?;
    let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, message, rest))
}

fn is_bound_to(message: &[u8], on: u64, wanted: u64) -> bool {
    let mut attributes = message.get(MESSAGE_BYTES..).unwrap_or_default();
    while let Some(head) = number(attributes, 0) {
        let [low, high, ..] = head.to_ne_bytes();
        let length = usize::from(u16::from_ne_bytes([low, high]));
        let [.., low, high] = head.to_ne_bytes();
        if u16::from_ne_bytes([low, high]) == UNIX_DIAG_VFS
            && let (Some(inode), Some(device)) = (number(attributes, 4), number(attributes, 8))
        {
            // The kernel tells the lower half of an inode's number alone.
            return u64::from(inode) == wanted & 0xffff_ffff && device == kernel_device(on);
        }
        if length < 4 {
            return false;
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

/// A device's number as the kernel has it inside, of the form that programs see (`makedev(3)`).
fn kernel_device(device: u64) -> u32 {
    let major = (device >> 8) & 0xfff | (device >> 32) & 0xffff_f000;
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00;
    u32::try_from(major << 20 | minor & 0xf_ffff).unwrap_or_default()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
}
