//! Network isolation: an app declares which networks it needs, and reaches nothing else.
#![deny(unsafe_op_in_unsafe_fn)]

mod capability;
mod class;
mod manifest;
mod policy;

pub use capability::{Capabilities, Capability};
pub use class::{Class, Classified, Definitions, Form, Range, RangeError, Surroundings};
#[cfg(feature = "manifest")]
pub use manifest::ManifestError;
pub use manifest::{Dns, Host, HostError, HostRule, Manifest, Place, Ports, Shape, Warning};
#[cfg(feature = "manifest")]
pub use policy::Level;
pub use policy::{
    CRITICAL_PORTS, Code, Denied, Edit, Fix, Layer, OwnListener, Policy, Protocol, Target,
};
