//! ipvsadm in Rust.
