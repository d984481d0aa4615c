//! `-S`: the table as the rules that make it.

use super::failure::{Failure, Result};
use super::list::with_names;
use super::session::Session;
use super::table;
use crate::names::Resolver;
use crate::render::text::Rules;
use crate::render::{Report, order};

/// Prints the rules; with `all` also those of time-outs and sync daemons.
pub fn save(session: &mut Session, numeric: bool, all: bool) -> Result<()> {
    with_names((!numeric).then(Resolver::for_rules), |names| {
        let mut rules = Rules::new(names);
        if all {
            settings(session, &mut rules)?;
        }
        let mut services = session.ipvs.services().map_err(Failure::list)?;
        order::services(&mut services);
        table::report(session, &services, true, &mut rules)?;
        match rules.unsaved() {
            [] => table::all_known(&session.ipvs),
            lines => Err(Failure::NotSaved(lines.to_vec())),
        }
    })
}

fn settings(session: &mut Session, report: &mut dyn Report) -> Result<()> {
    let timeouts = session.ipvs.timeouts().map_err(Failure::list)?;
    report.timeouts(session.out.buffer(), &timeouts);
    for daemon in session.ipvs.daemons().map_err(Failure::list)? {
        report.daemon(session.out.buffer(), &daemon);
    }
    session.out.flush_if_full()
}
