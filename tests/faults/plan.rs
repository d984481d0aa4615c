//! Which faults are tried.

use crate::calls::{self, Call, Kind};
use crate::commands::{Case, Program};
use crate::tracer::{Fault, Made};
use crate::verdict::is_ours;
use nix::errno::Errno;
use std::env;

/// Of so many faults a test run tries one; of a script's, which takes ten times as
/// long, one of more.
const SLICE: usize = 24;
const SLICE_OF_SCRIPT: usize = 96;

/// What programs of ours could not cope with once is tried in every run, at the last
/// call of that name: the answer to a change, the end of the rules or of the output.
const ONCE_FOUND: &[(&str, &str)] = &[
    ("recvfrom", "ENOBUFS+"),
    ("recvfrom", "lost"),
    ("recvfrom", "EAGAIN"),
    ("sendto", "ENOMEM"),
    ("read", "EAGAIN"),
    ("write", "EAGAIN"),
    ("write", "ENOSPC"),
    ("setns", "ENOMEM"),
];

/// Whether the command is one whose faults are tried.
pub fn is_chosen(case: &Case) -> bool {
    match env::var("IPVSADM_FAULT") {
        Ok(only) => only.split(':').next() == Some(case.name),
        Err(_) => true,
    }
}

/// The faults that are tried, of all that the calls in `made` can have.
pub fn choose(case: &Case, all: &[Fault]) -> Vec<Fault> {
    if let Ok(only) = env::var("IPVSADM_FAULT") {
        let chosen = all.iter().filter(|fault| fault.name(case) == only);
        let chosen: Vec<_> = chosen.copied().collect();
        assert!(!chosen.is_empty(), "there is no fault `{only}`");
        return chosen;
    }
    if !case.known.is_empty() {
        let known = all.iter().filter(|fault| fault.is_among(case.known));
        return known.copied().collect();
    }
    if env::var("IPVSADM_FAULTS").is_ok_and(|which| which == "all") {
        return all.to_vec();
    }
    // Another part of the calls for each command.
    let slice = match case.program {
        Program::Service => SLICE_OF_SCRIPT,
        _ => SLICE,
    };
    let first = case.name.bytes().map(usize::from).sum::<usize>() % slice;
    let is_last = |at: usize| {
        let same = |other: &Fault| other.call.number == all[at].call.number;
        let again = |other: &Fault| same(other) && other.kind == all[at].kind;
        all[at].is_among(ONCE_FOUND) && !all[at + 1..].iter().any(again)
    };
    let chosen = (0..all.len()).filter(|&at| at % slice == first || is_last(at));
    chosen.map(|at| all[at]).collect()
}

/// What can go wrong with a call.
pub fn faults(made: &Made) -> Vec<Fault> {
    let Some(call) = calls::by_number(made.number) else {
        return Vec::new();
    };
    // Of a program that is not ours, it is enough to know that its failure is seen.
    let (kinds, kill) = match is_ours(&made.program) {
        true => (call.kinds, call.number != calls::ALLOCATION),
        false => (&call.kinds[..1], false),
    };
    let kinds = kinds.iter().copied().chain(kill.then_some(Kind::Kill));
    let fault = |kind| Fault {
        call,
        nth: made.nth,
        kind,
    };
    kinds
        .filter(|kind| is_possible(call, made, *kind))
        .map(fault)
        .collect()
}

fn is_possible(call: &Call, made: &Made, kind: Kind) -> bool {
    match kind {
        // A setting of the kernel cannot be read in pieces.
        Kind::Short => made.result > 1 && !made.file.starts_with("/proc/sys/"),
        Kind::Error(Errno::EAGAIN) if is_of_files(call) => may_not_block(&made.file),
        // A shell takes a script that it cannot read for one that ends there; nothing
        // in the script can help.
        Kind::Error(Errno::EIO) => !made.file.ends_with("/ipvsadm-service"),
        _ => true,
    }
}

fn is_of_files(call: &Call) -> bool {
    ["read", "write", "writev"].contains(&call.name)
}

/// Pipes, and the files in which the tests keep what would go into one.
fn may_not_block(file: &str) -> bool {
    let is_pipe = ["pipe:", "socket:"]
        .iter()
        .any(|kind| file.starts_with(kind));
    is_pipe
        || ["/stdout", "/stderr"]
            .iter()
            .any(|name| file.ends_with(name))
}

impl Fault {
    /// As one asks for it.
    pub fn name(&self, case: &Case) -> String {
        let Fault { call, nth, kind } = self;
        format!("{}: {} {nth} {kind}", case.name, call.name)
    }

    /// Whether its call and its kind are among these.
    pub fn is_among(&self, kinds: &[(&str, &str)]) -> bool {
        let kind = self.kind.to_string();
        kinds.contains(&(self.call.name, &kind))
    }
}
