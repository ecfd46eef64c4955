//! Network isolation: an app declares which networks it needs, and reaches nothing else.
#![deny(unsafe_op_in_unsafe_fn)]

pub mod class;
