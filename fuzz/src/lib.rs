//! What the fuzz targets run, and the instruments of the protocol's own tests that they use.

#![allow(dead_code, reason = "the tests use more of their instruments than the targets do")]

pub mod calls;
#[path = "../../crates/towline-proto/tests/it/check.rs"]
mod check;
pub mod deflate;
#[path = "../../crates/towline-proto/tests/it/pair.rs"]
mod pair;
pub mod targets;
pub mod text;
