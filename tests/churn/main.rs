//! Big tables, and tables that change all the time: listings and saves that are
//! complete and free of duplicates while rules come and go, refusals and lost
//! answers among ten thousand rules, a name server that does not answer, two
//! commands at the same time.
//!
//! The more listings and rounds, the more they prove, and the longer they take:
//!
//!     IPVSADM_LAB_STALL=1800 IPVSADM_LISTINGS=200 IPVSADM_ROUNDS=200 \
//!         cargo test --test churn

mod big;
mod change;
mod connections;
mod pairs;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use support::lab::{self, Kernel};

/// A test's name and body.
type Test = lab::Test<()>;

fn main() -> ExitCode {
    let tests = [change::TESTS, big::TESTS, connections::TESTS, pairs::TESTS].concat();
    let trials = tests.iter().map(lab::trial).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}
