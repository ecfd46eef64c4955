//! What the errors of accept(2) mean.

use std::io;

/// The numbers of errors that have no kind in `std`, where they are Linux's.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod number {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENONET: i32 = 64;
    const EPROTO: i32 = 71;
    const ENOPROTOOPT: i32 = 92;
    const EOPNOTSUPP: i32 = 95;
    const ENOBUFS: i32 = 105;
    const EHOSTDOWN: i32 = 112;

    /// Errors that are pending on the new connection, which Linux hands on.
    pub(super) const OF_ONE_CONNECTION: &[i32] =
        &[ENONET, EPROTO, ENOPROTOOPT, EOPNOTSUPP, EHOSTDOWN];
    pub(super) const OUT_OF_DESCRIPTORS: &[i32] = &[ENFILE, EMFILE, ENOBUFS];
}

/// The same of Windows.
#[cfg(windows)]
mod number {
    const WSAEMFILE: i32 = 10024;
    const WSAENOBUFS: i32 = 10055;

    pub(super) const OF_ONE_CONNECTION: &[i32] = &[];
    pub(super) const OUT_OF_DESCRIPTORS: &[i32] = &[WSAEMFILE, WSAENOBUFS];
}

/// The same of macOS and the BSDs.
#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
mod number {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = 55;

    pub(super) const OF_ONE_CONNECTION: &[i32] = &[];
    pub(super) const OUT_OF_DESCRIPTORS: &[i32] = &[ENFILE, EMFILE, ENOBUFS];
}

/// Errors of a connection that died while it waited to be accepted (accept(2)).
pub(super) fn is_of_one_connection(error: &io::Error) -> bool {
    let known = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::PermissionDenied
    );
    known || is_one_of(error, number::OF_ONE_CONNECTION)
}

/// Out of descriptors, buffers or memory: it gets better when others have closed theirs.
pub(super) fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory || is_one_of(error, number::OUT_OF_DESCRIPTORS)
}

fn is_one_of(error: &io::Error, numbers: &[i32]) -> bool {
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_linux_hands_on_is_of_one_connection() {
        // ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH:
        // those that accept(2) names; and ECONNABORTED.
        for number in [100, 71, 92, 112, 64, 113, 95, 101, 103] {
            let error = io::Error::from_raw_os_error(number);
            assert!(is_of_one_connection(&error), "{error}");
            assert!(!is_out_of_descriptors(&error), "{error}");
        }
        // EBADF, EINVAL: the listener is broken.
        for number in [9, 22] {
            let error = io::Error::from_raw_os_error(number);
            assert!(!is_of_one_connection(&error) && !is_out_of_descriptors(&error), "{error}");
        }
    }

    #[test]
    fn scarcity_passes() {
        let no_buffers = if cfg!(windows) {
            10055
        } else if cfg!(any(target_os = "linux", target_os = "android")) {
            105
        } else {
            55
        };
        let too_many = if cfg!(windows) { 10024 } else { 24 };
        for number in [no_buffers, too_many] {
            let error = io::Error::from_raw_os_error(number);
            assert!(is_out_of_descriptors(&error) && !is_of_one_connection(&error), "{error}");
        }
    }
}
