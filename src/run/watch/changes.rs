//! `-S --watch`: every change that anybody makes, as the command that makes it.
//!
//! The kernel announces nothing, so that two tables are compared: what was done
//! and undone between two looks is not seen.

use super::seen;
use crate::rates::{Pace, rfc3339};
use crate::render::text;
use crate::rules::plan;
use crate::run::failure::{Failure, Result};
use crate::run::session::Session;
use crate::run::table::present;
use crate::selection::Selection;
use std::time::{Instant, SystemTime};

/// Prints the changes of `part`, with `all` also those of time-outs and sync daemons,
/// each with the time of the look that has seen it. Addresses are numbers: a
/// log must not wait for a name server.
pub fn log(session: &mut Session, part: &Selection, all: bool, mut pace: Pace) -> Result<()> {
    let mut before = seen(present(&mut session.ipvs, part, all).map_err(Failure::list))?;
    while let Some(due) = pace.due() {
        session.out.wait(due)?;
        pace.begin(Instant::now());
        let time = SystemTime::now();
        let Some(after) = seen(present(&mut session.ipvs, part, all).map_err(Failure::list))?
        else {
            continue;
        };
        if let Some(before) = &before {
            for change in plan::changes(before, &after) {
                text::timed_rule(session.out.buffer(), &change, &rfc3339(time));
                session.out.flush_if_full()?;
            }
            session.out.finish()?;
        }
        before = Some(after);
    }
    Ok(())
}
