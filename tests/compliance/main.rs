//! The compliance suite: each command line is given to Debian's ipvsadm and to
//! ours, on the same table of the same kernel, and what can be seen of it must
//! be the same, except for what `differences` lists.

mod differences;
mod listing;
mod matrix;
mod random;
mod refusals;
mod restore;
mod services;
mod spelling;
mod suite;
#[path = "../support/mod.rs"]
mod support;
mod values;

use std::process::ExitCode;
use support::lab::{self, Kernel};

fn main() -> ExitCode {
    let groups = [
        matrix::groups(),
        values::groups(),
        spelling::groups(),
        services::groups(),
        refusals::groups(),
        listing::groups(),
        restore::groups(),
        random::groups(),
    ]
    .concat();
    let trials = groups.into_iter().map(suite::Group::trial).collect();
    lab::main(Kernel::WithIpvs, trials, suite::summary)
}
