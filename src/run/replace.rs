//! `-R --replace`: makes the table equal to the rules while it is in use.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::lock;
use super::output::Output;
use super::progress::{Progress, carry_out, print_changes, say_of_line};
use super::session::Session;
use super::signals::Interrupt;
use super::table::present;
use crate::cli::opt::CommandName;
use crate::rules::plan::Wanted;
use crate::selection::Selection;
use ipvs::{Change, Ipvs};
use std::ffi::OsStr;

/// How often the difference is taken again when the kernel refuses something, or
/// somebody else has come between the changes.
const ROUNDS: usize = 3;

/// Makes the table what `wanted` says; with `dry_run`, prints how.
pub fn replace(wanted: &Wanted, dry_run: bool, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    if dry_run {
        return difference(wanted, netns, out).map_err(Failure::cannot_tell);
    }
    let Session { mut ipvs, .. } = Session::open(netns, out)?;
    let steps = |ipvs: &mut Ipvs| match present(ipvs, &Selection::default(), true) {
        Ok(present) => Ok(wanted.steps(&present)),
        Err(error) => Err(Failure::reading(CommandName::Restore, error)),
    };
    let _lock = lock::take();
    let mut missing = steps(&mut ipvs)?;
    let mut progress = Progress::new(Interrupt::watch()?);
    let mut refusals = Vec::new();
    let mut wanted_steps = 0;
    for left in (0..ROUNDS).rev() {
        refusals.clear();
        progress.refused = 0;
        progress.stopped = None;
        wanted_steps = progress.done + missing.len();
        let all = missing.iter().copied();
        carry_out(&mut ipvs, all, &mut progress, |(line, change), error| {
            refusals.push((line, failure::failed(&change, error)));
            true
        });
        let is_made = refusals.is_empty() && progress.stopped.is_none();
        // Nobody comes between a single change.
        if is_made && missing.len() <= 1 || progress.interrupted() {
            break;
        }
        let next = match steps(&mut ipvs) {
            Ok(next) => next,
            Err(_) if is_made => break,
            Err(failure) => {
                progress.stopped = Some(failure.to_string());
                break;
            }
        };
        // What was made and is to be made once more is not as the kernel has it.
        let is_done = match is_made {
            true => next == missing || next.iter().all(|(_, change)| is_setting(change)),
            false => next.is_empty(),
        };
        if is_done {
            refusals.clear();
            progress.refused = 0;
            progress.stopped = None;
            break;
        }
        if is_made && left == 0 {
            progress.stopped = Some("others keep changing the table".into());
        }
        missing = next;
    }
    for (line, text) in &refusals {
        say_of_line(*line, text);
    }
    Ok(progress.end("changes", wanted_steps))
}

/// Whether it is not of the table: the kernel may round what was asked for.
fn is_setting(change: &Change) -> bool {
    matches!(
        change,
        Change::SetTimeouts(_) | Change::StartDaemon(_) | Change::StopDaemon(_)
    )
}

/// Prints how the table becomes what `wanted` says. Nothing is printed of a
/// difference that cannot be told.
fn difference(wanted: &Wanted, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let Session {
        mut ipvs, mut out, ..
    } = Session::open(netns, out)?;
    let steps =
        wanted.steps(&present(&mut ipvs, &Selection::default(), true).map_err(Failure::list)?);
    print_changes(&mut out, steps.iter().map(|(_, change)| *change))?;
    Ok(if steps.is_empty() {
        Exit::Success
    } else {
        Exit::Failure
    })
}
