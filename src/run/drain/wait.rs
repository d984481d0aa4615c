//! Waiting until a real server has no open connection left.
//!
//! The kernel's counters are cheap, but tell only whether a connection is in an
//! active state; the table of connections tells more, but may have millions of
//! rows. So rows are looked at only when no connection is active and some are
//! inactive.
//!
//! Neither is read at one instant: a connection that changes its state is not
//! counted for a moment, and rows are missed or repeated when the table changes
//! meanwhile. So a look counts only if it found as many rows as the kernel has
//! connections of the server, and "none" must be found twice in a row.
//!
//! This module has neither a clock nor a kernel of its own, so that tests can
//! stand in for both.

use super::outcome::Left;
use super::rows::{self, Target};
use crate::connections::Connection;
use crate::run::failure::{Failure, Result};
use ipvs::Server;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often the connections are counted.
const POLL: Duration = Duration::from_millis(200);

/// After a look at the rows, the next one waits this many times as long as it
/// took.
pub const REST: u32 = 9;

/// A look that takes longer is abandoned; connections are then waited for until
/// the kernel forgets them.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// Without a limit, nothing could be read for this long when waiting is given up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What waiting needs from outside.
pub trait World {
    /// The server as it is now; `None` when it is gone.
    fn server(&mut self) -> Result<Option<Server>>;
    /// Goes to the first row of the table of connections.
    fn rewind(&mut self) -> Result<()>;
    /// Tells `each` some of the next rows; false when there were none left.
    fn next_rows(&mut self, each: &mut dyn FnMut(&Connection)) -> Result<bool>;
    /// Whether a signal asked the program to end.
    fn interrupted(&self) -> bool;
    /// The time since some start.
    fn now(&self) -> Duration;
    /// Lets time pass.
    fn sleep(&mut self, time: Duration);
}

/// Why the waiting ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// No open connection is left.
    Empty,
    /// Somebody else deleted the server.
    Gone,
    /// Somebody else gave it a weight again.
    Reweighted(i32),
    /// The time is up.
    TimedOut(Left),
    /// A signal asked the program to end.
    Interrupted(Left),
}

/// Waits until the server that `target` means has no open connection, at most
/// for the time `limit`.
///
/// What cannot be read is looked at again at the next beat, until the time is up;
/// without a limit, until nothing could be read for [`PATIENCE`]. That failure is
/// then the error. What the kernel refuses it will refuse again.
pub fn wait<W: World>(world: &mut W, target: &Target, limit: Option<Duration>) -> Result<Ended> {
    let start = world.now();
    let mut looks = Looks {
        target,
        current: None,
        next: start,
    };
    let mut none_open = 0;
    let mut left = Left::Inactive(0);
    // Since when nothing could be read, and why.
    let mut trouble: Option<(Duration, Failure)> = None;
    loop {
        match looks.beat(world) {
            Ok(Beat::Ended(ended)) => return Ok(ended),
            Ok(Beat::Seen { found, inactive }) => {
                trouble = None;
                left = match (found, left) {
                    (Some(Left::Active(0) | Left::Open(0)), _) => {
                        none_open += 1;
                        Left::Inactive(inactive)
                    }
                    (Some(left), _) => {
                        none_open = 0;
                        left
                    }
                    // What the last look found is true until the next one.
                    (None, left @ Left::Open(_)) => left,
                    (None, _) => Left::Inactive(inactive),
                };
            }
            Err(failure) if failure.is_refusal() => return Err(failure),
            Err(failure) => {
                looks.current = None;
                none_open = 0;
                let since = trouble.map_or_else(|| world.now(), |(since, _)| since);
                trouble = Some((since, failure));
            }
        }
        if none_open == 2 {
            return Ok(Ended::Empty);
        }
        if world.interrupted() {
            return Ok(Ended::Interrupted(left));
        }
        let is_over = match (limit, &trouble) {
            (Some(limit), _) => world.now() - start >= limit,
            (None, Some((since, _))) => world.now() - *since >= PATIENCE,
            (None, None) => false,
        };
        if is_over {
            return match trouble {
                Some((_, failure)) => Err(failure),
                None => Ok(Ended::TimedOut(left)),
            };
        }
        if looks.current.is_none() {
            world.sleep(POLL);
        }
    }
}

/// What one count of the connections comes to.
enum Beat {
    /// Others have ended the draining.
    Ended(Ended),
    /// How many are left, when that is known, and how many inactive ones the
    /// kernel counts.
    Seen { found: Option<Left>, inactive: u32 },
}

/// The looks at the table of connections, one after the other.
struct Looks<'a> {
    target: &'a Target,
    current: Option<Look>,
    /// When the next one may begin.
    next: Duration,
}

struct Look {
    began: Duration,
    /// Whether all rows have been read.
    complete: bool,
    /// The connections found, by a hash: there may be a million.
    found: HashSet<u64>,
    hasher: RandomState,
    /// How many of them are open.
    open: u32,
}

impl Looks<'_> {
    /// Counts the connections, and looks at the rows if need be.
    fn beat<W: World>(&mut self, world: &mut W) -> Result<Beat> {
        let Some(server) = world.server()? else {
            return Ok(Beat::Ended(Ended::Gone));
        };
        if server.config.weight != 0 {
            return Ok(Beat::Ended(Ended::Reweighted(server.config.weight)));
        }
        let found = match (server.active, server.inactive) {
            (0, inactive @ 1..) => self.go_on(world, inactive)?.map(Left::Open),
            (active, _) => {
                self.end(world.now());
                Some(Left::Active(active))
            }
        };
        let inactive = server.inactive;
        Ok(Beat::Seen { found, inactive })
    }

    /// Goes on looking until it is time to count again; how many connections
    /// are open, when that is known. `inactive` is the kernel's count, of just
    /// now.
    fn go_on<W: World>(&mut self, world: &mut W, inactive: u32) -> Result<Option<u32>> {
        let now = world.now();
        let look = match &mut self.current {
            Some(look) if look.complete => {
                let found = u32::try_from(look.found.len()).unwrap_or(u32::MAX);
                let missed = inactive.saturating_sub(found);
                let open = look.open + missed;
                self.end(now);
                return Ok(Some(open));
            }
            Some(look) => look,
            None if now < self.next => return Ok(None),
            None => {
                world.rewind()?;
                self.current.insert(Look::new(now))
            }
        };
        while !look.complete && world.now() - now < POLL {
            look.complete = !world.next_rows(&mut |row| look.take(self.target, row))?;
        }
        if !look.complete && world.now() - look.began > LONGEST_LOOK {
            self.end(world.now());
        }
        Ok(None)
    }

    /// Ends the look, whether it is complete or not.
    fn end(&mut self, now: Duration) {
        if let Some(look) = self.current.take() {
            self.next = now + (now - look.began) * REST;
        }
    }
}

impl Look {
    fn new(now: Duration) -> Look {
        Look {
            began: now,
            complete: false,
            found: HashSet::new(),
            hasher: RandomState::new(),
            open: 0,
        }
    }

    fn take(&mut self, target: &Target, row: &Connection) {
        if target.has(row) {
            let [client, service] = [row.client, row.service].map(|end| (end.address, end.port));
            let identity = (row.protocol, client, service);
            if self.found.insert(self.hasher.hash_one(identity)) {
                self.open += u32::from(rows::is_open(row));
            }
        }
    }
}

#[cfg(test)]
mod tests;
