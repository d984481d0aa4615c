//! ipvsadm-restore, the program: everything is in the library.
//!
//! It has the C library's `main` and not Rust's, for three reasons. Rust's
//! start-up opens /dev/null in place of a closed standard output, so that a
//! listing written to nowhere would look like success; it ignores SIGPIPE,
//! which is to end the program as it ends every other; and it reads
//! /proc/self/maps, which is a third of what a small command costs.
#![no_main]

use std::ffi::c_int;

// The name is `unsafe` because another `main` could be linked in its place;
// there is no other.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    ipvsadm::run::ipvsadm_restore().into()
}
