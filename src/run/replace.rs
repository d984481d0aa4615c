//! `-R --replace`: makes the table, or a part of it, equal to the rules while it
//! is in use.

use super::exit::Exit;
use super::failure::{Failure, Result};
use super::lock;
use super::output::Output;
use super::progress::{Failed, Progress, carry_out, print_difference};
use super::session::Session;
use super::signals::Interrupt;
use super::table::present;
use crate::cli::Restore;
use crate::cli::opt::CommandName;
use crate::rules::plan::Wanted;
use ipvs::{Change, Ipvs};
use std::ffi::OsStr;

/// How often the difference is taken again when the kernel refuses something, or
/// somebody else has come between the changes.
const ROUNDS: usize = 3;

/// Makes the table, or the part of it that is meant, what `wanted` says; with
/// `--dry-run`, prints how.
pub fn replace(
    wanted: &Wanted,
    options: Restore,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    if options.dry_run {
        return difference(wanted, options, netns, out).map_err(Failure::cannot_tell);
    }
    let Session { mut ipvs, out, .. } = Session::open(netns, out)?;
    let steps = |ipvs: &mut Ipvs| match present(ipvs, &options.part, options.part.is_whole()) {
        Ok(present) => Ok(wanted.steps(&present)),
        Err(error) => Err(Failure::reading(CommandName::Restore, error)),
    };
    let _lock = lock::take();
    let mut missing = steps(&mut ipvs)?;
    let mut progress = Progress::told(Interrupt::watch()?, options.json);
    let mut refusals = Vec::new();
    let mut wanted_steps = 0;
    for left in (0..ROUNDS).rev() {
        refusals.clear();
        progress.refused = 0;
        progress.stopped = None;
        wanted_steps = progress.done + missing.len();
        let all = missing.iter().copied();
        carry_out(&mut ipvs, all, &mut progress, |step, error| {
            refusals.push(Failed::of(step, error));
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
    refusals.iter().for_each(Failed::say);
    Ok(progress.end_and_tell(wanted_steps, refusals, out))
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
fn difference(
    wanted: &Wanted,
    options: Restore,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    let Session {
        mut ipvs, mut out, ..
    } = Session::open(netns, out)?;
    let present = present(&mut ipvs, &options.part, options.part.is_whole());
    let steps = wanted.steps(&present.map_err(Failure::list)?);
    let changes: Vec<Change> = steps.iter().map(|(_, change)| *change).collect();
    print_difference(&mut out, options.json, &changes, &[])
}
