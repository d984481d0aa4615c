//! `--watch`: looks again and again, and prints what is seen.
//!
//! Signals keep their default: the terminal is never changed, and whatever ends
//! the program leaves nothing to undo.

mod changes;
mod listings;
mod screen;

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::session::Session;
use crate::cli::{Watch, Watched};
use crate::rates::{PERIOD, Pace};
use listings::Repeated;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

/// Looks, and prints, as often as `watch` says.
// Kept away from what every command runs, see build.rs.
#[cold]
pub fn watch(watch: &Watch, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let mut session = Session::open(netns, out)?;
    let pace = |first| Pace::new(watch.interval, watch.samples, Instant::now() + first);
    match watch.what {
        Watched::Changes { all, part } => {
            changes::log(&mut session, &part, all, pace(watch.interval))?;
        }
        Watched::Listings { list, json } => {
            let listing = Repeated::new(list, json);
            // The first rates are those since a reading that is not printed.
            let pace = pace(if listing.counts() {
                watch.interval.max(PERIOD)
            } else {
                Duration::ZERO
            });
            if !json && screen::is_terminal() {
                screen::show(&mut session, listing, pace)?;
            } else {
                listings::print(&mut session, listing, pace)?;
            }
        }
    }
    Ok(Exit::Success)
}

/// What was seen; a look that a busy table has spoilt is said, and left out.
fn seen<T>(look: Result<T>) -> Result<Option<T>> {
    match look {
        Err(failure @ Failure::Unstable) => {
            failure::report(&failure);
            Ok(None)
        }
        look => look.map(Some),
    }
}
