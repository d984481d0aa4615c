//! `--watch`: looks again and again, and prints what is seen.
//!
//! Signals keep their default: the terminal is never changed, and whatever ends
//! the program leaves nothing to undo.

mod changes;
mod listings;
mod rated;
mod screen;

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::session::Session;
use crate::cli::{Watch, Watched};
use crate::rates::PERIOD;
use listings::Listings;
use std::ffi::OsStr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// Looks, and prints, as often as `watch` says.
// Kept away from what every command runs, see build.rs.
#[cold]
pub fn watch(watch: &Watch, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let mut session = Session::open(netns, out)?;
    let looks = |first| Looks::new(watch, first);
    match watch.what {
        Watched::Changes { all } => {
            changes::log(&mut session, all, looks(watch.interval))?;
        }
        Watched::Listings { list, json } => {
            let listings = Listings::new(list, json);
            let looks = looks(if listings.counts() {
                watch.interval.max(PERIOD)
            } else {
                Duration::ZERO
            });
            if !json && screen::is_terminal() {
                screen::show(&mut session, listings, looks)?;
            } else {
                listings::print(&mut session, listings, looks)?;
            }
        }
    }
    Ok(Exit::Success)
}

/// When to look.
struct Looks {
    interval: Duration,
    due: Instant,
    left: Option<u64>,
}

impl Looks {
    /// Looks as `watch` wants them, the first of them after `first`.
    fn new(watch: &Watch, first: Duration) -> Looks {
        Looks {
            interval: watch.interval,
            due: Instant::now() + first,
            left: watch.samples.map(NonZeroU64::get),
        }
    }

    /// When the next one is due, if there is to be one. One that comes late does
    /// not make those after it come sooner.
    fn next(&mut self) -> Option<Instant> {
        self.left = match self.left {
            Some(left) => Some(left.checked_sub(1)?),
            None => None,
        };
        let due = self.due.max(Instant::now());
        self.due = due + self.interval;
        Some(due)
    }
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
