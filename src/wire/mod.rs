//! The kernel's bytes.

pub mod conntab;
