//! ipvsadm: the administration of the Linux Virtual Server (IPVS), the load
//! balancer inside the Linux kernel. A drop-in replacement for the C program of
//! that name.
//!
//! The library exists for the programs and tests of this package; it is not a
//! stable interface. Its layers depend on each other in one direction only, on
//! those below:
//!
//! * [`run`] does what the command says: it alone ties the others together
//! * [`check`] looks for what keeps a virtual service from answering
//! * [`rules`] reads the input of `-R` and plans `--replace`
//! * [`cli`] turns words into a [`cli::Command`]
//! * [`render`] turns plain data into output
//! * [`names`] looks up hosts and services; the one call for it that needs
//!   unsafe code is in a package of its own, `src/gethostbyname`
//! * [`rates`] looks at the table again and again and counts rates
//! * [`connections`] reads the table of connections
//! * [`selection`] says which part of a table is meant
//! * [`procfs`] reads what the kernel says in files
//! * [`ipvs`] talks to the kernel: a package of its own, in `src/ipvs`

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
pub mod connections;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod names;
pub mod procfs;
#[cfg(test)]
mod random;
pub mod rates;
pub mod render;
pub mod rules;
pub mod run;
pub mod selection;
mod start;
