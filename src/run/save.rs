//! `-S`: the table as the rules that make it.

use super::failure::{Failure, Result};
use super::list::warn_timed_out;
use super::session::Session;
use super::table;
use crate::cli::Save;
use crate::names::Resolver;
use crate::render::text::{self, Rules};
use ipvs::Change;

/// Prints the rules that `options` ask for.
pub fn save(session: &mut Session, options: &Save) -> Result<()> {
    let part = &options.part;
    if options.all {
        settings(session)?;
    }
    let services = table::services(&mut session.ipvs, part)?;
    let mut names = (!options.numeric).then(Resolver::for_rules);
    let mut rules = Rules::new(names.as_mut().map(|names| names as _));
    rules.servers_only = part.server.is_some();
    let result = table::report(session, None, services, part, true, &mut rules);
    let unsaved = rules.unsaved().to_vec();
    warn_timed_out(names.as_ref());
    result?;
    if !unsaved.is_empty() {
        return Err(Failure::NotSaved(unsaved));
    }
    table::all_known(&session.ipvs)
}

fn settings(session: &mut Session) -> Result<()> {
    let timeouts = session.ipvs.timeouts().map_err(Failure::list)?;
    let out = session.out.buffer();
    text::rule(out, None, &Change::SetTimeouts(timeouts));
    for daemon in session.ipvs.daemons().map_err(Failure::list)? {
        text::rule(out, None, &Change::StartDaemon(daemon));
    }
    Ok(())
}
