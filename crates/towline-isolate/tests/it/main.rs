//! The tests of this crate, one program.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

mod class;
#[cfg(feature = "manifest")]
mod manifest;
#[path = "../../../towline/tests/it/namespace.rs"]
mod namespace;
mod policy;
