//! `-R --replace`: the table is made equal to the rules, while it is in use.

use super::Session;
use super::exit::Exit;
use super::failure::Failure;
use super::list::read_servers;
use super::output::Output;
use super::restore::{carry_out, ended, print_changes, say_of_line};
use super::signals::Interrupt;
use crate::rules::plan::{Present, Wanted};

/// How often the difference is taken anew when the kernel refuses something:
/// somebody else may have changed the table meanwhile.
const ROUNDS: usize = 3;

/// Makes the table what `wanted` says; with `dry_run`, prints how.
pub fn replace(wanted: &Wanted, dry_run: bool, out: Output) -> anyhow::Result<Exit> {
    let mut session = Session::open(out)?;
    let mut steps = wanted.steps(&present(&mut session)?);
    if dry_run {
        print_changes(&mut session.out, steps.iter().map(|(_, change)| *change))?;
        return Ok(if steps.is_empty() {
            Exit::Success
        } else {
            Exit::Failure
        });
    }
    let interrupt = Interrupt::watch()?;
    let mut refusals = Vec::new();
    for _ in 0..ROUNDS {
        refusals.clear();
        carry_out(&mut session.ipvs, steps.into_iter(), |line, text| {
            refusals.push((line, text));
        })?;
        if refusals.is_empty() {
            break;
        }
        steps = wanted.steps(&present(&mut session)?);
        if steps.is_empty() {
            refusals.clear();
            break;
        }
    }
    for (line, text) in &refusals {
        say_of_line(*line, text);
    }
    Ok(ended(&interrupt, refusals.is_empty()))
}

/// The table as it is.
fn present(session: &mut Session) -> anyhow::Result<Present> {
    let services = session.ipvs.services().map_err(Failure::list)?;
    Ok(Present {
        services: read_servers(session, services, false)?,
        timeouts: Some(session.ipvs.timeouts().map_err(Failure::list)?),
        daemons: session.ipvs.daemons().map_err(Failure::list)?,
    })
}
