//! Real packets through IPVS: clusters of network namespaces that only our
//! ipvsadm sets up, real sockets at both ends, and the table held against what
//! was sent.
//!
//! Run one test with `cargo test --test traffic -- NAME`, and all of them on
//! another kernel with `IPVSADM_KERNEL=testing`. With `IPVSADM_TRAFFIC_REFERENCE=1`
//! Debian's ipvsadm does the work, to tell a test's mistake from ours.

mod check;
mod cluster;
mod counters;
mod disturbed;
mod faults;
mod forwarding;
mod reboot;
mod scheduling;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod sync;
mod terminal;
mod top;
mod watch;

use std::process::ExitCode;
use support::lab::{self, Kernel};

/// A test's name and body.
type Test = lab::Test<anyhow::Result<()>>;

const GROUPS: [&[Test]; 11] = [
    forwarding::TESTS,
    services::TESTS,
    scheduling::TESTS,
    counters::TESTS,
    sync::TESTS,
    faults::TESTS,
    top::TESTS,
    watch::TESTS,
    check::TESTS,
    disturbed::TESTS,
    reboot::TESTS,
];

fn main() -> ExitCode {
    let trials = GROUPS.into_iter().flatten().map(lab::trial).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}
