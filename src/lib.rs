//! ipvsadm: the administration of the Linux Virtual Server (IPVS), the load
//! balancer inside the Linux kernel. A drop-in replacement for the C program of
//! that name.
//!
//! The library exists for the programs and tests of this package; it is no
//! stable interface. Its layers depend on each other in one direction only:
//!
//! * [`run`] does what the command says: it alone ties the others together
//! * [`check`] looks for what keeps a virtual service from answering
//! * [`watch`] looks at the table again and again and counts rates
//! * [`rules`] reads the input of `-R` and plans `--replace`
//! * [`cli`] turns words into a [`cli::Command`]
//! * [`render`] turns plain data into output
//! * [`names`] looks up hosts and services; the one call for it that needs
//!   unsafe code is in a package of its own, `src/gethostbyname`
//! * [`kernel`] talks to the kernel
//! * [`wire`] knows the bytes of those messages
//! * [`model`] says what services, servers and daemons are

#![forbid(unsafe_code)]
// A number that may not fit is converted by `try_from`, or says why it fits.
#![cfg_attr(
    not(test),
    warn(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss
    )
)]

pub mod check;
pub mod cli;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod kernel;
pub mod model;
pub mod names;
#[cfg(test)]
mod random;
pub mod render;
pub mod rules;
pub mod run;
pub mod watch;
pub mod wire;
