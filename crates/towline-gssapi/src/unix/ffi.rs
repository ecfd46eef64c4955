//! The types and functions of RFC 2744 that are needed, as `libgssapi_krb5.so.2` has them.

use std::error::Error;
use std::ffi::c_void;
use std::io;
use std::sync::OnceLock;

use libloading::Library;

/// MIT's, by the number of its interface: other numbers would have other functions.
const LIBRARY: &str = "libgssapi_krb5.so.2";

/// `gss_OID_desc` (RFC 2744 §3.3).
#[repr(C)]
pub(super) struct Oid {
    pub(super) length: u32,
    pub(super) elements: *const c_void,
}

/// `gss_buffer_desc` (RFC 2744 §3.2).
#[repr(C)]
pub(super) struct Buffer {
    pub(super) length: usize,
    pub(super) value: *mut c_void,
}

/// `gss_channel_bindings_struct` (RFC 2744 §3.11).
#[repr(C)]
pub(super) struct Bindings {
    pub(super) initiator_kind: u32,
    pub(super) initiator: Buffer,
    pub(super) acceptor_kind: u32,
    pub(super) acceptor: Buffer,
    pub(super) application: Buffer,
}

/// `gss_name_t` and `gss_ctx_id_t`: what they point to is the library's.
pub(super) type Name = *mut c_void;
pub(super) type ContextId = *mut c_void;

type ImportName = unsafe extern "C" fn(*mut u32, *const Buffer, *const Oid, *mut Name) -> u32;
type ReleaseName = unsafe extern "C" fn(*mut u32, *mut Name) -> u32;
type InitSecContext = unsafe extern "C" fn(
    minor: *mut u32,
    credentials: *const c_void,
    context: *mut ContextId,
    target: Name,
    mechanism: *const Oid,
    flags: u32,
    time: u32,
    bindings: *const Bindings,
    input: *const Buffer,
    actual_mechanism: *mut *const Oid,
    output: *mut Buffer,
    actual_flags: *mut u32,
    actual_time: *mut u32,
) -> u32;
type ReleaseBuffer = unsafe extern "C" fn(*mut u32, *mut Buffer) -> u32;
type DeleteSecContext = unsafe extern "C" fn(*mut u32, *mut ContextId, *mut Buffer) -> u32;
type DisplayStatus =
    unsafe extern "C" fn(*mut u32, u32, i32, *const Oid, *mut u32, *mut Buffer) -> u32;

/// The functions of a library that stays loaded as long as the program runs.
pub(super) struct Api {
    pub(super) import_name: ImportName,
    pub(super) release_name: ReleaseName,
    pub(super) init_sec_context: InitSecContext,
    pub(super) release_buffer: ReleaseBuffer,
    pub(super) delete_sec_context: DeleteSecContext,
    pub(super) display_status: DisplayStatus,
    /// Without it the functions would be gone.
    _library: Library,
}

/// The library, which is loaded once.
pub(super) fn api() -> io::Result<&'static Api> {
    static API: OnceLock<Result<Api, String>> = OnceLock::new();
    API.get_or_init(|| load(LIBRARY).map_err(|error| told(&error))).as_ref().map_err(|why| {
        let why = format!("{why}; install MIT Kerberos, such as the package libgssapi-krb5-2");
        io::Error::new(io::ErrorKind::Unsupported, why)
    })
}

/// With what is underneath, which alone says why.
fn told(error: &libloading::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}

fn load(name: &str) -> Result<Api, libloading::Error> {
    // SAFETY: what a library does when it is loaded cannot be known, and this one is known to do nothing
    // but to prepare its own memory. It is the system's: its name has no path, so it is looked for
    // where the linker looks for those of every program. Each function has the type that RFC 2744
    // gives it, which that name of the library stands for; none is called here. They are valid as
    // long as `_library` beside them is, and that is never dropped: `Api` is kept in a static.
    unsafe {
        let library = Library::new(name)?;
        Ok(Api {
            import_name: *library.get(b"gss_import_name\0")?,
            release_name: *library.get(b"gss_release_name\0")?,
            init_sec_context: *library.get(b"gss_init_sec_context\0")?,
            release_buffer: *library.get(b"gss_release_buffer\0")?,
            delete_sec_context: *library.get(b"gss_delete_sec_context\0")?,
            display_status: *library.get(b"gss_display_status\0")?,
            _library: library,
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_library_that_is_not_there_is_an_error() {
        let error = super::load("libtowline-is-not-there.so.2").err().unwrap();
        let told = super::told(&error);
        assert!(told.contains("libtowline-is-not-there"), "{told}");
    }
}
