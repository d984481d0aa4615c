//! Nothing lost: saves and restores that keep everything, rules that are wrong,
//! replacements under traffic, servers taken out of service.
//!
//! All of it on a real kernel, in one network namespace for each test, with
//! real connections where connections matter: the director is its own client
//! and its own real servers, on addresses of `lo`.

mod connection;
mod connections;
mod drain;
mod drain_hosts;
mod ensure;
mod hints;
mod hosts;
mod keep;
mod library;
mod lost_answers;
mod mistakes;
mod name_server;
mod names;
mod netns;
mod replace;
mod restore;
mod save;
mod schedulers;
#[path = "../support/mod.rs"]
mod support;
mod told;
mod unknown;
mod watch;

use std::process::ExitCode;
use support::lab::{self, Kernel};

/// A test's name and body.
type Test = lab::Test<()>;

fn main() -> ExitCode {
    let tests = [
        save::TESTS,
        restore::TESTS,
        replace::TESTS,
        drain::TESTS,
        drain_hosts::TESTS,
        lost_answers::TESTS,
        keep::TESTS,
        ensure::TESTS,
        hints::TESTS,
        hosts::TESTS,
        told::TESTS,
        mistakes::TESTS,
        schedulers::TESTS,
        names::TESTS,
        netns::TESTS,
        watch::TESTS,
        connections::TESTS,
        unknown::TESTS,
        library::TESTS,
    ]
    .concat();
    let trials = tests.iter().map(lab::trial).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}
