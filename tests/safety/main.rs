//! Nothing lost: saves and restores that keep everything, rules that are wrong,
//! replacements under traffic, servers taken out of service.
//!
//! All of it on a real kernel, in one network namespace for each test, with
//! real connections where connections matter: the director is its own client
//! and its own real servers, on addresses of `lo`.

mod drain;
mod hints;
mod machine;
mod replace;
mod restore;
mod save;
#[path = "../support/mod.rs"]
mod support;

use libtest_mimic::Trial;
use std::process::ExitCode;
use support::lab::{self, Kernel};

fn main() -> ExitCode {
    let tests = [
        save::TESTS,
        restore::TESTS,
        replace::TESTS,
        drain::TESTS,
        hints::TESTS,
    ]
    .concat();
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = tests.into_iter().map(trial).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}
