//! Network isolation: an app declares which networks it needs, and reaches nothing else.
#![deny(unsafe_op_in_unsafe_fn)]

mod capability;
mod class;
#[cfg(all(feature = "launch", target_os = "linux"))]
mod filter;
#[cfg(all(feature = "launch", target_os = "linux"))]
mod launch;
mod manifest;
mod policy;
#[cfg(all(feature = "launch", target_os = "linux"))]
mod sys;

pub use capability::{Capabilities, Capability};
pub use class::{Class, Classified, Definitions, Form, Range, RangeError, Surroundings};
#[cfg(all(feature = "launch", target_os = "linux"))]
pub use launch::{LaunchError, LaunchErrorKind, Launcher};
#[cfg(feature = "manifest")]
pub use manifest::ManifestError;
pub use manifest::{Dns, Host, HostError, HostRule, Manifest, Place, Ports, Shape, Warning};
#[cfg(feature = "manifest")]
pub use policy::Level;
pub use policy::{
    CRITICAL_PORTS, Code, Denied, Edit, Fix, Layer, OwnListener, Policy, Protocol, Target,
};
