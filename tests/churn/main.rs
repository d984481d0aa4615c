//! Big tables, and tables that never hold still: listings and saves that are
//! complete and have nothing twice while rules come and go, refusals and lost
//! answers among ten thousand rules, a name server that says nothing.
//!
//! The tests of change take many minutes on an emulated machine and run when
//! they are asked for: `cargo test --test churn -- --include-ignored`.

mod big;
mod change;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use support::lab::{self, Kernel};

/// A test's name and body.
type Test = lab::Test<()>;

fn main() -> ExitCode {
    let slow = |test| lab::trial(test).with_ignored_flag(true);
    let change = change::TESTS.iter().map(slow);
    let trials = change.chain(big::TESTS.iter().map(lab::trial)).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}
