//! `-R --replace`: the table is made equal to the rules, while it is in use.

use super::failure::Failure;
use super::list::read_servers;
use super::restore::{carry_out, ended, print_changes};
use super::signals::Interrupt;
use super::{Session, failure};
use crate::cli::Exit;
use crate::model::Verb;
use crate::rules::plan::{Present, Wanted};

/// How often the difference is made anew when somebody else changes the table
/// meanwhile.
const ROUNDS: usize = 3;

/// Makes the table what `wanted` says; with `dry_run`, prints how.
pub fn replace(wanted: &Wanted, dry_run: bool) -> anyhow::Result<Exit> {
    let mut session = Session::open()?;
    let mut steps = wanted.steps(&present(&mut session)?);
    if dry_run {
        let exit = if steps.is_empty() {
            Exit::Done
        } else {
            Exit::ListFailed
        };
        print_changes(steps.iter().map(|(_, change)| change))?;
        return Ok(exit);
    }
    let interrupt = Interrupt::watch()?;
    let mut refused = 0;
    for _ in 0..ROUNDS {
        if steps.is_empty() {
            break;
        }
        refused = carry_out(&mut session.ipvs, steps.into_iter())?;
        // A refusal may mean that the table was no longer the one compared.
        steps = if refused > 0 {
            wanted.steps(&present(&mut session)?)
        } else {
            Vec::new()
        };
    }
    if refused > 0 && !steps.is_empty() {
        let left = steps.len();
        failure::say(
            format!("{left} differences between the table and the rules are left").as_bytes(),
        );
        return Ok(Exit::Refused);
    }
    ended(&interrupt, 0)
}

/// The table as it is.
fn present(session: &mut Session) -> anyhow::Result<Present> {
    let services = session.ipvs.services().map_err(Failure::list)?;
    let timeouts = session.ipvs.timeouts();
    Ok(Present {
        services: read_servers(session, services, false)?,
        timeouts: Some(timeouts.map_err(|e| Failure::kernel(Verb::List, e))?),
        daemons: session.ipvs.daemons().map_err(Failure::list)?,
    })
}
