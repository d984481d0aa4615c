//! `--watch`: looks again and again, and prints what is seen.
//!
//! Signals keep their default: whatever ends the program ends it between two
//! writes, and nothing is left to undo.

mod changes;

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::session::Session;
use crate::cli::{Watch, Watched};
use std::ffi::OsStr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// Looks, and prints, as often as `watch` says.
pub fn watch(watch: &Watch, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let mut session = Session::open(netns, out)?;
    let looks = Looks::new(watch.interval, watch.samples);
    match watch.what {
        Watched::Changes { all } => changes::log(&mut session, all, looks),
    }
    .map(|()| Exit::Success)
}

/// When to look.
struct Looks {
    interval: Duration,
    due: Instant,
    left: Option<u64>,
}

impl Looks {
    fn new(interval: Duration, samples: Option<NonZeroU64>) -> Looks {
        Looks {
            interval,
            due: Instant::now(),
            left: samples.map(NonZeroU64::get),
        }
    }

    /// Waits for the next look while anybody can read `out`; false when there is
    /// to be none. One that is late does not make those after it come sooner.
    fn next(&mut self, out: &Output) -> Result<bool> {
        if self.left == Some(0) {
            return Ok(false);
        }
        self.left = self.left.map(|left| left - 1);
        self.due = (self.due + self.interval).max(Instant::now());
        out.wait(self.due)?;
        Ok(true)
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
