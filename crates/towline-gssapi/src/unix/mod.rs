//! A context of GSSAPI, of which nothing unsafe comes out.
#![expect(unsafe_code, reason = "functions of C are called here, and nowhere else in Towline")]

mod ffi;
mod status;

use std::ffi::c_void;
use std::io;
use std::ptr;
use std::slice;

use ffi::{Api, Bindings, Buffer, ContextId, Name, Oid, api};
use status::{CONTINUE_NEEDED, check};

/// 1.3.6.1.5.5.2, SPNEGO (RFC 4178 §3).
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";

/// 1.2.840.113554.1.2.2, Kerberos (RFC 4121 §1).
const KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";

/// 1.2.840.113554.1.2.1.4, a service at a host (RFC 2744 §4, `GSS_C_NT_HOSTBASED_SERVICE`).
const HOSTBASED_SERVICE: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";

/// The peer has to prove who it is as well (RFC 2744 §5.19). No flag lets it act in our name.
const MUTUAL: u32 = 2;

pub(super) struct Context {
    api: &'static Api,
    target: Name,
    id: ContextId,
    complete: bool,
    service: Box<str>,
    channel: Option<Box<[u8]>>,
}

// SAFETY: what the two pointers point to belongs to this value alone, and MIT's library lets any thread
// use a context or a name as long as no two do at once; whoever has `&mut self` is alone.
unsafe impl Send for Context {}

impl Context {
    pub(super) fn begin(service: &str) -> io::Result<Self> {
        let api = api()?;
        let (mut minor, mut target) = (0, ptr::null_mut());
        let name = borrowed(service.as_bytes());
        let kind = oid(HOSTBASED_SERVICE);
        // SAFETY: all four point to values that live until it returns; of the buffer it only reads as many
        // bytes as its length says, which are those of `service`.
        let major = unsafe { (api.import_name)(&mut minor, &name, &kind, &mut target) };
        check(api, major, minor)?;
        Ok(Self {
            api,
            target,
            id: ptr::null_mut(),
            complete: false,
            service: service.into(),
            channel: None,
        })
    }

    pub(super) fn bind(&mut self, channel: &[u8]) {
        self.channel = Some(channel.into());
    }

    pub(super) fn step(&mut self, token: &[u8]) -> io::Result<Vec<u8>> {
        if self.complete {
            return Err(io::Error::other("the peer goes on where all is said"));
        }
        let first = self.id.is_null();
        match self.call(SPNEGO, token) {
            // It says that it has no mechanism; why Kerberos is none of them, that says itself.
            Err(error) if first => Err(self.again()?.call(KERBEROS, token).err().unwrap_or(error)),
            stepped => stepped,
        }
    }

    /// Another one with the same service, and nothing said yet.
    fn again(&self) -> io::Result<Self> {
        let mut again = Self::begin(&self.service)?;
        again.channel.clone_from(&self.channel);
        Ok(again)
    }

    fn call(&mut self, mechanism: &'static [u8], token: &[u8]) -> io::Result<Vec<u8>> {
        let (mut minor, mut output) = (0, Buffer { length: 0, value: ptr::null_mut() });
        let (input, mechanism) = (borrowed(token), oid(mechanism));
        let bindings = self.channel.as_deref().map(bindings);
        // SAFETY: `target` came from `import_name` and was not released; `id` is null at first, as it has
        // to be, and then what the last call has put there. Everything else points to values that live
        // until it returns, or is null where RFC 2744 §5.19 lets it be: default credentials, no channel
        // bindings, and results that nobody wants. It reads as many bytes of the token, and of what is in
        // the bindings, as their lengths say; those are of `self.channel`, which stays as it is.
        let major = unsafe {
            (self.api.init_sec_context)(
                &mut minor,
                ptr::null(),
                &mut self.id,
                self.target,
                &mechanism,
                MUTUAL,
                0,
                bindings.as_ref().map_or(ptr::null(), ptr::from_ref),
                &input,
                ptr::null_mut(),
                &mut output,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let next = taken(self.api, output);
        check(self.api, major, minor)?;
        self.complete = major & CONTINUE_NEEDED == 0;
        Ok(next)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: both are null or came from the library, and are released once, here. The third may be
        // null (RFC 2744 §5.9): no token for the peer is wanted.
        unsafe {
            (self.api.delete_sec_context)(&mut minor, &mut self.id, ptr::null_mut());
            (self.api.release_name)(&mut minor, &mut self.target);
        }
    }
}

/// A buffer that the library only reads. It must not outlive the bytes.
fn borrowed(bytes: &[u8]) -> Buffer {
    Buffer { length: bytes.len(), value: bytes.as_ptr().cast_mut().cast::<c_void>() }
}

/// No address of either side, and this of the application. It must not outlive the bytes.
fn bindings(channel: &[u8]) -> Bindings {
    let none = || Buffer { length: 0, value: ptr::null_mut() };
    Bindings {
        // RFC 2744 §3.11, `GSS_C_AF_UNSPEC`.
        initiator_kind: 0,
        initiator: none(),
        acceptor_kind: 0,
        acceptor: none(),
        application: borrowed(channel),
    }
}

fn oid(bytes: &'static [u8]) -> Oid {
    let length = u32::try_from(bytes.len()).expect("it has a few bytes");
    Oid { length, elements: bytes.as_ptr().cast() }
}

/// What is in a buffer that the library has filled, which is released.
fn taken(api: &Api, mut buffer: Buffer) -> Vec<u8> {
    let mut minor = 0;
    let bytes = if buffer.value.is_null() {
        Vec::new()
    } else {
        // SAFETY: the library has made so many bytes there, and until they are released nobody else
        // touches them.
        let bytes = unsafe { slice::from_raw_parts(buffer.value.cast::<u8>(), buffer.length) };
        bytes.to_vec()
    };
    // SAFETY: it is the library's own, or empty, and is released once; then it is gone.
    unsafe { (api.release_buffer)(&mut minor, &mut buffer) };
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The library is installed wherever the checks with a real KDC run (`scripts/proxies`).
    fn context(service: &str) -> Option<Context> {
        match Context::begin(service) {
            Ok(context) => Some(context),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
                assert!(error.to_string().contains("libgssapi-krb5-2"), "{error}");
                let line = format!("\ndid not run: a context of GSSAPI: {error}\n");
                // Not by `eprintln!`, which is not shown for tests that pass.
                io::stderr().write_all(line.as_bytes()).unwrap();
                None
            }
        }
    }

    #[test]
    fn a_service_without_a_ticket_is_an_error_in_words() {
        let Some(mut context) = context("HTTP@towline.invalid") else { return };
        let error = context.step(&[]).unwrap_err().to_string();
        assert!(error.len() > 20 && !error.contains('\0'), "{error}");
        assert!(!context.is_complete());
    }

    #[test]
    fn bindings_are_read_and_left_as_they_are() {
        let Some(mut context) = context("HTTP@towline.invalid") else { return };
        context.bind(b"tls-server-end-point:a hash");
        context.step(&[]).unwrap_err();
        assert_eq!(context.channel.as_deref(), Some(&b"tls-server-end-point:a hash"[..]));
        let again = context.again().unwrap();
        assert_eq!(again.channel, context.channel);
    }

    #[test]
    fn a_name_with_nothing_in_it_is_an_error_in_words() {
        if context("HTTP@a.example").is_none() {
            return;
        }
        // Some say so at once, and some when a ticket is to be had.
        let begun = Context::begin("").and_then(|mut context| context.step(&[]));
        let error = begun.unwrap_err().to_string();
        assert!(error.len() > 20 && !error.contains('\0'), "{error}");
    }

    /// What MIT's library says of an error it keeps for each thread.
    #[test]
    fn a_context_that_went_to_another_thread_says_the_same() {
        let Some(mut here) = context("HTTP@towline.invalid") else { return };
        let expected = here.step(&[]).unwrap_err().to_string();
        // Begun here, asked there, and released here again.
        let mut context = Context::begin("HTTP@towline.invalid").unwrap();
        let there = std::thread::spawn(move || (context.step(&[]).unwrap_err(), context));
        let (error, mut context) = there.join().unwrap();
        assert_eq!(error.to_string(), expected);
        assert_eq!(context.step(&[]).unwrap_err().to_string(), expected);
        assert!(!context.is_complete());
    }
}
