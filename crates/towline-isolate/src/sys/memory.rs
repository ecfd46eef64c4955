//! The memory of the isolated program.

use std::io;

use super::check;

/// Copies out of a thread's memory. This copy is the one that is judged and used: what the program
/// writes there afterwards changes nothing.
pub(crate) fn read_memory(thread: u32, address: u64, into: &mut [u8]) -> io::Result<()> {
    if into.is_empty() {
        return Ok(());
    }
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: into.len() };
    // SAFETY: `local` describes `into`, which is borrowed for writing; the other address is another
    // process's, which the kernel checks.
    let done = unsafe { libc::process_vm_readv(thread as i32, &local, 1, &remote, 1, 0) };
    all(check(done)?, into.len())
}

fn all(done: isize, wanted: usize) -> io::Result<()> {
    // Part of it lies outside the program's memory, and the call would have failed so.
    if usize::try_from(done) == Ok(wanted) {
        return Ok(());
    }
    Err(io::Error::from_raw_os_error(libc::EFAULT))
}
