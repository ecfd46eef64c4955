//! The system calls that the filter knows, by their numbers on each architecture.

/// An architecture that we make filters for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    X86_64,
    Aarch64,
}

impl Architecture {
    /// That of this program, if we make filters for it.
    pub(crate) const fn here() -> Option<Self> {
        if cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
            Some(Self::X86_64)
        } else if cfg!(all(target_arch = "aarch64", target_pointer_width = "64")) {
            Some(Self::Aarch64)
        } else {
            None
        }
    }

    /// As the kernel names it (`AUDIT_ARCH_…`).
    pub(crate) const fn audit(self) -> u32 {
        match self {
            Self::X86_64 => 0xc000_003e,
            Self::Aarch64 => 0xc000_00b7,
        }
    }
}

/// Names each call with its number on x86-64 and on aarch64.
macro_rules! calls {
    ($($name:ident $x86_64:literal $aarch64:literal,)*) => {
        /// A system call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Call {
            $($name,)*
        }

        impl Call {
            /// Its number.
            pub(crate) const fn number(self, architecture: Architecture) -> Option<u32> {
                Some(match (self, architecture) {
                    $((Self::$name, Architecture::X86_64) => $x86_64,
                    (Self::$name, Architecture::Aarch64) => $aarch64,)*
                })
            }

            /// The call that has this number.
            pub(crate) fn of(number: i64, architecture: Architecture) -> Option<Self> {
                [$(Self::$name),*]
                    .into_iter()
                    .find(|call| call.number(architecture).map(i64::from) == Some(number))
            }
        }
    };
}

calls! {
    Accept 43 202,
    Accept4 288 242,
    Bind 49 200,
    Bpf 321 280,
    Connect 42 203,
    Ioctl 16 29,
    IoUringEnter 426 426,
    IoUringRegister 427 427,
    IoUringSetup 425 425,
    Listen 50 201,
    PidfdGetfd 438 438,
    PrLimit64 302 261,
    ProcessVmWritev 311 271,
    Ptrace 101 117,
    SendMmsg 307 269,
    SendMsg 46 211,
    SendTo 44 206,
    SetSockOpt 54 208,
    Socket 41 198,
    SocketPair 53 199,
}
