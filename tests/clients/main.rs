//! Programs that people run on top of ipvsadm, unmodified where Debian has
//! them, restated where it has not: each does its work with the reference and
//! then with ours in the same place, and nothing may differ.
//!
//! `README.md` here says which client is covered by which test.

mod ansible;
#[allow(dead_code)] // shared with the traffic tests
#[path = "../traffic/cluster/mod.rs"]
mod cluster;
mod installed;
mod ldirectord;
mod log;
mod parsers;
mod pipes;
mod services;
#[path = "../support/mod.rs"]
mod support;

use std::env;
use std::process::ExitCode;
use support::lab::{self, Kernel};

/// A test's name and body.
type Test = lab::Test<anyhow::Result<()>>;

const GROUPS: [&[Test]; 6] = [
    ansible::TESTS,
    ldirectord::TESTS,
    log::TESTS,
    services::TESTS,
    parsers::TESTS,
    pipes::TESTS,
];

fn main() -> ExitCode {
    let listed = env::args().any(|word| word == "--list");
    if env::var_os("IPVSADM_LAB").is_none() && !listed && !support::ansible::get() {
        return ExitCode::FAILURE;
    }
    let trials = GROUPS.into_iter().flatten().map(lab::trial).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}
