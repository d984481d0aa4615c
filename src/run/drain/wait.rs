//! Waiting until real servers have no open connection left: all of them in one
//! wait, over the same looks.
//!
//! The kernel's counters are cheap, but tell only whether a connection is in an
//! active state; the table of connections tells more, but may have millions of
//! rows. So rows are looked at only while some server has inactive connections
//! and no active one.
//!
//! Neither is read at one instant: a connection that changes its state is not
//! counted for a moment, and rows are missed or repeated when the table changes
//! meanwhile. So a look counts only if it found as many rows as the kernel has
//! connections of the server, and "none" must be found twice in a row.
//!
//! This module has neither a clock nor a kernel of its own, so that tests can
//! stand in for both.

use super::outcome::Left;
use super::rows::{self, Patterns};
use crate::connections::Connection;
use crate::run::failure::{Failure, Result};
use ipvs::Server;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::rc::Rc;
use std::time::Duration;

/// How often the connections are counted, if that takes next to no time.
const POLL: Duration = Duration::from_millis(200);

/// After the servers or the rows were read, they are not read again for this many
/// times as long as it took.
pub const REST: u32 = 9;

/// A look that takes longer is abandoned; connections are then waited for until
/// the kernel forgets them.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// Without a limit, nothing could be read for this long when waiting is given up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often in a row no open connection is found where there is none.
const ENOUGH: u8 = 2;

/// What waiting needs from outside.
pub trait World {
    /// Tells `each` the servers as they are now, by their places; those that are
    /// gone are left out.
    fn servers(&mut self, each: &mut dyn FnMut(usize, &Server)) -> Result<()>;
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

/// What the waiting has come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// These servers, by their places, are not waited for any more.
    Ended(Vec<(usize, Ended)>),
    /// The time is up.
    TimedOut,
    /// A signal asked the program to end.
    Interrupted,
}

/// Why a server is not waited for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// No open connection is left.
    Quiet,
    /// Somebody else deleted the server.
    Gone,
    /// Somebody else gave it a weight again.
    Reweighted(i32),
}

/// How far it is with all servers.
pub struct Waiting {
    patterns: Rc<Patterns>,
    servers: Vec<Watched>,
    /// A server that has become quiet stays, and must be so when the last one is.
    together: bool,
    limit: Option<Duration>,
    start: Duration,
    /// When the servers are read again.
    next_count: Duration,
    /// When the rows may be read again.
    next_look: Duration,
    look: Option<Look>,
    /// Whether rows could tell something.
    wants_look: bool,
    trouble: Option<Trouble>,
}

/// Something cannot be read.
struct Trouble {
    since: Duration,
    failure: Failure,
    /// The rows, and not the servers.
    of_rows: bool,
}

struct Watched {
    /// The place of its pattern.
    pattern: usize,
    is_awaited: bool,
    left: Left,
    /// How often in a row it had no open connection.
    quiet: u8,
    /// When it had none the last time.
    last_quiet: Duration,
}

/// One reading of the rows.
struct Look {
    began: Duration,
    /// The connections found, by a hash: there may be a million.
    found: HashSet<u64>,
    hasher: RandomState,
    /// How many there are of each pattern.
    counts: Vec<Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    found: u32,
    /// How many of those are open.
    open: u32,
}

impl Waiting {
    /// Waits for servers that have these patterns, at most for the time `limit`;
    /// `together` until all of them are quiet at the same time.
    pub fn new(
        patterns: Rc<Patterns>,
        servers: impl Iterator<Item = usize>,
        together: bool,
        limit: Option<Duration>,
        now: Duration,
    ) -> Waiting {
        let watched = |pattern| Watched {
            pattern,
            is_awaited: true,
            left: Left::Inactive(0),
            quiet: 0,
            last_quiet: now,
        };
        Waiting {
            patterns,
            servers: servers.map(watched).collect(),
            together,
            limit,
            start: now,
            next_count: now,
            next_look: now,
            look: None,
            wants_look: false,
            trouble: None,
        }
    }

    /// The server at this place is not waited for any more.
    pub fn leave(&mut self, place: usize) {
        self.servers[place].is_awaited = false;
    }

    /// Whether there is nothing to wait for.
    pub fn is_over(&self) -> bool {
        self.awaited().next().is_none()
    }

    /// The servers that have not become quiet, by their places, and what is left of
    /// their connections.
    pub fn left(&self) -> Vec<(usize, Left)> {
        let left = self.awaited().filter(|(_, server)| server.quiet < ENOUGH);
        left.map(|(place, server)| (place, server.left)).collect()
    }

    /// The same for all that are waited for.
    pub fn rest(&self) -> Vec<(usize, Left)> {
        let rest = self.awaited();
        rest.map(|(place, server)| (place, server.left)).collect()
    }

    fn awaited(&self) -> impl Iterator<Item = (usize, &Watched)> {
        let servers = self.servers.iter().enumerate();
        servers.filter(|(_, server)| server.is_awaited)
    }

    /// Waits until there is something to tell.
    ///
    /// What cannot be read is looked at again at the next beat, until the time is up;
    /// without a limit, until nothing could be read for [`PATIENCE`]. That failure is
    /// then the error. What the kernel refuses it will refuse again.
    pub fn next<W: World>(&mut self, world: &mut W) -> Result<Event> {
        loop {
            let looked = match self.beat(world) {
                Ok(beat) if !beat.ended.is_empty() => return Ok(Event::Ended(beat.ended)),
                Ok(beat) => beat.looked,
                Err((failure, _)) if failure.is_refusal() => return Err(failure),
                Err((failure, of_rows)) => {
                    self.give_up_look(world.now(), failure, of_rows);
                    true
                }
            };
            if world.interrupted() {
                return Ok(Event::Interrupted);
            }
            let now = world.now();
            let is_over = match (self.limit, &self.trouble) {
                (Some(limit), _) => now - self.start >= limit,
                (None, Some(trouble)) => now - trouble.since >= PATIENCE,
                (None, None) => false,
            };
            if is_over {
                return match self.trouble.take() {
                    Some(trouble) => Err(trouble.failure),
                    None => Ok(Event::TimedOut),
                };
            }
            let goes_on = self.look.is_some() || !looked && self.may_look(now);
            if !goes_on {
                world.sleep(POLL);
            }
        }
    }

    /// Reads some rows, counts, or does neither. An error comes with whether the rows
    /// could not be read.
    fn beat<W: World>(&mut self, world: &mut W) -> std::result::Result<Beat, (Failure, bool)> {
        let (look, failure) = match self.look_on(world) {
            Ok(look) => (look, None),
            Err(failure) => (None, Some(failure)),
        };
        let looked = look.is_some();
        let mut ended = Vec::new();
        if looked || failure.is_some() || world.now() >= self.next_count {
            ended = self
                .count(world, look)
                .map_err(|failure| (failure, false))?;
        }
        match failure {
            Some(failure) if ended.is_empty() => Err((failure, true)),
            _ => Ok(Beat { ended, looked }),
        }
    }

    fn may_look(&self, now: Duration) -> bool {
        self.wants_look && now >= self.next_look
    }

    /// Goes on looking until it is time to count again; the look once it is
    /// complete.
    fn look_on<W: World>(&mut self, world: &mut W) -> Result<Option<Look>> {
        let now = world.now();
        if self.look.is_none() {
            if !self.may_look(now) {
                return Ok(None);
            }
            world.rewind()?;
        }
        let patterns = &self.patterns;
        let look = self
            .look
            .get_or_insert_with(|| Look::new(now, patterns.len()));
        let mut complete = false;
        while !complete && world.now() - now < POLL {
            complete = !world.next_rows(&mut |row| look.take(patterns, row))?;
        }
        if complete {
            return Ok(self.end_look(world.now()));
        }
        if world.now() - look.began > LONGEST_LOOK {
            self.end_look(world.now());
        }
        Ok(None)
    }

    /// Ends the look, whether it is complete or not.
    fn end_look(&mut self, now: Duration) -> Option<Look> {
        let look = self.look.take()?;
        self.next_look = now + (now - look.began) * REST;
        Some(look)
    }

    /// Counts the connections, of which a complete `look` knows more; which servers
    /// are not waited for any more.
    fn count<W: World>(
        &mut self,
        world: &mut W,
        look: Option<Look>,
    ) -> Result<Vec<(usize, Ended)>> {
        let began = world.now();
        let mut seen: Vec<Option<Seen>> = vec![None; self.servers.len()];
        world.servers(&mut |place, server| {
            seen[place] = Some(Seen {
                weight: server.config.weight,
                active: server.active,
                inactive: server.inactive,
            });
        })?;
        let now = world.now();
        self.next_count = now + (now - began) * REST;
        if let Some(limit) = self.limit {
            // Once more before the time is up.
            self.next_count = self.next_count.min(self.start + limit);
        }
        self.wants_look = false;
        let (mut ended, mut all_quiet) = (Vec::new(), true);
        let awaited = self.servers.iter_mut().zip(seen).enumerate();
        for (place, (server, seen)) in awaited.filter(|(_, (server, _))| server.is_awaited) {
            match seen {
                None => ended.push((place, Ended::Gone)),
                Some(Seen { weight, .. }) if weight != 0 => {
                    ended.push((place, Ended::Reweighted(weight)));
                }
                Some(seen) => {
                    server.see(
                        now,
                        seen,
                        look.as_ref().map(|look| look.counts[server.pattern]),
                    );
                    self.wants_look |= seen.active == 0 && seen.inactive > 0;
                    all_quiet &= server.quiet == ENOUGH;
                    if server.quiet == ENOUGH && !self.together {
                        ended.push((place, Ended::Quiet));
                    }
                }
            }
        }
        for (place, _) in &ended {
            self.leave(*place);
        }
        if self.together && all_quiet {
            for (place, server) in self.servers.iter_mut().enumerate() {
                if mem::take(&mut server.is_awaited) {
                    ended.push((place, Ended::Quiet));
                }
            }
        }
        if !self.wants_look {
            self.end_look(now);
        }
        let is_read = |trouble: &Trouble| !trouble.of_rows || look.is_some() || !self.wants_look;
        if self.trouble.as_ref().is_some_and(is_read) {
            self.trouble = None;
        }
        Ok(ended)
    }

    /// What was found before is not found in a row with what comes.
    fn give_up_look(&mut self, now: Duration, failure: Failure, of_rows: bool) {
        self.look = None;
        self.next_count = now;
        for server in &mut self.servers {
            // The kernel's count of none needs no rows.
            if !of_rows || server.left != Left::Inactive(0) {
                server.quiet = 0;
            }
        }
        let since = match &self.trouble {
            Some(trouble) => trouble.since,
            None => now,
        };
        self.trouble = Some(Trouble {
            since,
            failure,
            of_rows,
        });
    }
}

/// What came of a beat.
struct Beat {
    ended: Vec<(usize, Ended)>,
    /// Whether it has completed a look.
    looked: bool,
}

/// A server as it was counted.
#[derive(Clone, Copy)]
struct Seen {
    weight: i32,
    active: u32,
    inactive: u32,
}

impl Watched {
    /// Takes the kernel's count, and that of the rows if they were looked at before
    /// it.
    fn see(&mut self, now: Duration, seen: Seen, rows: Option<Count>) {
        let found = match (seen.active, seen.inactive, rows) {
            (0, 0, _) => Some(Left::Open(0)),
            (0, inactive, Some(rows)) => {
                let missed = inactive.saturating_sub(rows.found);
                Some(Left::Open(rows.open + missed))
            }
            (0, _, None) => None,
            (active, ..) => Some(Left::Active(active)),
        };
        match (found, self.left) {
            (Some(Left::Open(0)), _) => {
                // What is seen twice at once is not seen twice.
                if self.quiet == 0 || now - self.last_quiet >= POLL {
                    self.quiet = ENOUGH.min(self.quiet + 1);
                    self.last_quiet = now;
                }
                self.left = Left::Inactive(seen.inactive);
            }
            (Some(left), _) => {
                self.quiet = 0;
                self.left = left;
            }
            // What the last look found is true until the next one.
            (None, Left::Open(_)) => {}
            (None, _) => self.left = Left::Inactive(seen.inactive),
        }
    }
}

impl Look {
    fn new(began: Duration, patterns: usize) -> Look {
        Look {
            began,
            found: HashSet::new(),
            hasher: RandomState::new(),
            counts: vec![Count::default(); patterns],
        }
    }

    fn take(&mut self, patterns: &Patterns, row: &Connection) {
        let mut places = patterns.of(row).peekable();
        if places.peek().is_none() {
            return;
        }
        let [client, service] = [row.client, row.service].map(|end| (end.address, end.port));
        let identity = (row.protocol, client, service);
        if !self.found.insert(self.hasher.hash_one(identity)) {
            return;
        }
        for place in places {
            let count = &mut self.counts[place];
            count.found += 1;
            count.open += u32::from(rows::is_open(row));
        }
    }
}

#[cfg(test)]
mod tests;
