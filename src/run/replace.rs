//! `-R --replace`: makes the table equal to the rules while it is in use.

use super::exit::Exit;
use super::failure::{Failure, Result};
use super::output::Output;
use super::progress::{Progress, carry_out, print_changes, say_of_line};
use super::session::Session;
use super::signals::Interrupt;
use super::table::present;
use crate::cli::opt::CommandName;
use crate::rules::plan::Wanted;
use ipvs::Ipvs;
use std::ffi::OsStr;

/// How often the difference is taken again when the kernel refuses something:
/// somebody else may have changed the table meanwhile.
const ROUNDS: usize = 3;

/// Makes the table what `wanted` says; with `dry_run`, prints how.
pub fn replace(wanted: &Wanted, dry_run: bool, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    if dry_run {
        return difference(wanted, netns, out).map_err(Failure::cannot_tell);
    }
    let Session { mut ipvs, .. } = Session::open(netns, out)?;
    let steps = |ipvs: &mut Ipvs| match present(ipvs, true) {
        Ok(present) => Ok(wanted.steps(&present)),
        Err(error) => Err(Failure::reading(CommandName::Restore, error)),
    };
    let mut missing = steps(&mut ipvs)?;
    let mut progress = Progress::new(Interrupt::watch()?);
    let mut refusals = Vec::new();
    let mut wanted_steps = 0;
    for _ in 0..ROUNDS {
        refusals.clear();
        progress.refused = 0;
        progress.stopped = None;
        wanted_steps = progress.done + missing.len();
        let all = missing.into_iter();
        carry_out(&mut ipvs, all, &mut progress, |line, text| {
            refusals.push((line, text));
        });
        let is_done = refusals.is_empty() && progress.stopped.is_none();
        if is_done || progress.interrupted() {
            break;
        }
        missing = match steps(&mut ipvs) {
            Ok(missing) => missing,
            Err(failure) => {
                progress.stopped = Some(failure.to_string());
                break;
            }
        };
        if missing.is_empty() {
            refusals.clear();
            progress.refused = 0;
            progress.stopped = None;
            break;
        }
    }
    for (line, text) in &refusals {
        say_of_line(*line, text);
    }
    Ok(progress.end("changes", wanted_steps))
}

/// Prints how the table becomes what `wanted` says. Nothing is printed of a
/// difference that cannot be told.
fn difference(wanted: &Wanted, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let Session {
        mut ipvs, mut out, ..
    } = Session::open(netns, out)?;
    let steps = wanted.steps(&present(&mut ipvs, true).map_err(Failure::list)?);
    print_changes(&mut out, steps.iter().map(|(_, change)| *change))?;
    Ok(if steps.is_empty() {
        Exit::Success
    } else {
        Exit::Failure
    })
}
