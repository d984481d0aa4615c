//! `-R --replace`: makes the table equal to the rules while it is in use.

use super::exit::Exit;
use super::failure::Result;
use super::output::Output;
use super::progress::{Progress, carry_out, print_changes, say_of_line};
use super::session::Session;
use super::signals::Interrupt;
use super::table::present;
use crate::rules::plan::Wanted;
use std::ffi::OsStr;

/// How often the difference is taken again when the kernel refuses something:
/// somebody else may have changed the table meanwhile.
const ROUNDS: usize = 3;

/// Makes the table what `wanted` says; with `dry_run`, prints how.
pub fn replace(wanted: &Wanted, dry_run: bool, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let mut session = Session::open(netns, out)?;
    let mut steps = wanted.steps(&present(&mut session, true)?);
    if dry_run {
        print_changes(&mut session.out, steps.iter().map(|(_, change)| *change))?;
        return Ok(if steps.is_empty() {
            Exit::Success
        } else {
            Exit::Failure
        });
    }
    let mut progress = Progress::new(Interrupt::watch()?);
    let mut refusals = Vec::new();
    let mut wanted_steps = 0;
    for _ in 0..ROUNDS {
        refusals.clear();
        progress.refused = 0;
        wanted_steps = progress.done + steps.len();
        let all = steps.into_iter();
        carry_out(&mut session.ipvs, all, &mut progress, |line, text| {
            refusals.push((line, text));
        })?;
        if refusals.is_empty() || progress.interrupted() {
            break;
        }
        steps = wanted.steps(&present(&mut session, true)?);
        if steps.is_empty() {
            refusals.clear();
            progress.refused = 0;
            break;
        }
    }
    for (line, text) in &refusals {
        say_of_line(*line, text);
    }
    Ok(progress.end("changes", wanted_steps))
}
