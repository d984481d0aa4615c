//! One command that needs the kernel.

use super::exit::Exit;
use super::failure::{Failure, Result};
use super::output::Output;
use super::session::Session;
use super::{change, drain, list, save, table};
use crate::cli::{Action, List};
use std::ffi::OsStr;

/// Does what one command asks for.
pub fn run(session: &mut Session, action: &Action) -> Result<()> {
    match action {
        Action::Change(change) => change::one(&mut session.ipvs, change),
        Action::Reach(desired) => change::reach(&mut session.ipvs, desired).map(drop),
        Action::Drain(drain) => drain::in_one_service(session, drain),
        Action::List(list, format) => list::list(session, list, *format),
        Action::Save(options) => save::save(session, options),
    }
}

/// The same as all that the program does.
pub fn run_alone(action: &Action, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let mut session = Session::open(netns, out)?;
    let result = run(&mut session, action);
    // What was listed before a failure is printed all the same.
    let written = session.out.finish();
    let done = result.and(written);
    done.map_err(|failure| trouble(action, failure))?;
    Ok(Exit::Success)
}

/// The same failure, where the exit status of `action` is an answer.
fn trouble(action: &Action, failure: Failure) -> Failure {
    match action {
        Action::List(list, _) => match &**list {
            List::Table { part, .. } => table::trouble(part, failure),
            _ => failure,
        },
        Action::Save(options) => table::trouble(&options.part, failure),
        _ => failure,
    }
}
