//! Whatever fails: each system call of each command, once.
//!
//! Each command line in `commands.rs` runs once as it is, to see which system calls
//! it makes, and then once for every call and everything that can go wrong with it
//! (`calls.rs`). After each run the table, the files, the output and the exit status
//! must be those of a run without a fault, or there is an exit status other than 0,
//! a line that says what failed, and nothing has changed but what is told
//! (`verdict.rs`).
//!
//! `make faults` runs all of it, a test run only a part, always the same; with
//! `IPVSADM_FAULTS=all` it is all of it, too. One fault:
//!
//!     IPVSADM_FAULT='add-service: recvfrom 2 ENOBUFS' cargo test --test faults

mod calls;
mod commands;
mod memory;
mod place;
mod plan;
#[path = "../support/mod.rs"]
mod support;
mod tracer;
mod verdict;

use commands::{CASES, Case};
use libtest_mimic::{Failed, Trial};
use place::Place;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use support::lab::{self, Kernel};
use tracer::{Fault, Made};
use verdict::{Expected, Seen, judge};

/// How often it is said how far a command has got.
const PROGRESS: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let chosen = CASES.iter().filter(|case| plan::is_chosen(case));
    let trials: Vec<_> = chosen.map(trial).collect();
    assert!(!trials.is_empty(), "there is no such command");
    lab::main(Kernel::WithIpvs, trials, || ())
}

fn trial(case: &'static Case) -> Trial {
    lab::shared(case.name, move || match case.known {
        [] => is_honest(case),
        known => has_known_faults(case, known),
    })
}

/// No fault may be found in a program of ours.
fn is_honest(case: &'static Case) -> Result<(), Failed> {
    let mut count = 0;
    find(case, |_, told| {
        count += 1;
        eprint!("{told}");
    });
    match count {
        0 => Ok(()),
        _ => Err(format!("{count} faults, see above").into()),
    }
}

/// Shows that faults are seen: those that C ipvsadm is known to have.
fn has_known_faults(case: &'static Case, known: &[(&str, &str)]) -> Result<(), Failed> {
    let (mut missing, mut count) = (known.to_vec(), 0);
    find(case, |fault, _| {
        count += 1;
        missing.retain(|kind| !fault.is_among(&[*kind]));
    });
    println!("found in {}, which is C ipvsadm: {count}", case.name);
    match &missing[..] {
        [] => Ok(()),
        missing => Err(format!("not found: {missing:?}").into()),
    }
}

/// Tries the faults of a command, and hands over each that is not coped with, with
/// all there is to see.
fn find(case: &'static Case, mut found: impl FnMut(&Fault, String)) {
    let begun = Instant::now();
    let mut place = Place::new(case);
    let (expected, made) = expected(&mut place);
    let all: Vec<_> = made.iter().flat_map(plan::faults).collect();
    let faults = plan::choose(case, &all);
    let (mut missed, mut told) = (0, Instant::now());
    for (tried, fault) in faults.iter().enumerate() {
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            eprintln!("{}: {tried} of {}", case.name, faults.len());
        }
        let run = place.run(Some(*fault));
        let seen = Seen {
            outcome: run.outcome,
            table: place.table(),
            files: place.files(),
        };
        match &run.hit {
            // Threads, and a wait that ends earlier: the call was not made this time.
            None => missed += 1,
            Some(hit) => {
                if let Err(why) = judge(case, &expected, &seen, fault, hit) {
                    let why = format!("{why} (in {})", hit.program);
                    found(fault, tell(&place, fault, &why, &expected, &seen));
                }
            }
        }
        place.put_back(&seen.table, &seen.files, &expected.files);
    }
    let can_fail = |made: &&Made| calls::by_number(made.number).is_some();
    let kinds: BTreeSet<_> = faults.iter().map(|fault| fault.kind.to_string()).collect();
    println!(
        "\nfaults of {} : {} of {} : {} calls : {missed} missed : {:.0} s : {}",
        case.name,
        faults.len(),
        all.len(),
        made.iter().filter(can_fail).count(),
        begun.elapsed().as_secs_f64(),
        kinds.into_iter().collect::<Vec<_>>().join(" ")
    );
}

/// The run without a fault, made twice: it must be the same both times.
fn expected(place: &mut Place) -> (Expected, Vec<Made>) {
    let (table, files) = (place.before(), place.files());
    let mut clean = || {
        let run = place.run(None);
        let seen = Seen {
            outcome: run.outcome,
            table: place.table(),
            files: place.files(),
        };
        place.put_back(&seen.table, &seen.files, &files);
        (seen, run.made)
    };
    clean();
    let (seen, made) = clean();
    let numeric = place.case.numeric;
    let numeric = numeric.map(|line| place.run_line(line, None).outcome.stdout);
    let expected = Expected {
        table,
        files,
        clean: seen,
        numeric,
    };
    (expected, made)
}

/// All there is to see of what is wrong.
fn tell(place: &Place, fault: &Fault, why: &str, expected: &Expected, seen: &Seen) -> String {
    let name = fault.name(place.case);
    let mut told = format!("\n{name}: {why}\n");
    let _ = writeln!(told, "  IPVSADM_FAULT='{name}' cargo test --test faults");
    let line = place.case.line;
    let _ = writeln!(told, "  {} {line}", place.case.program.name());
    let _ = writeln!(told, "{}", seen.outcome);
    if seen.outcome.stdout != expected.clean.outcome.stdout {
        let _ = writeln!(told, "without the fault: {}", expected.clean.outcome);
    }
    if seen.table != expected.table {
        let _ = writeln!(told, "the table has changed:\n{}", place.listing());
    }
    told
}
