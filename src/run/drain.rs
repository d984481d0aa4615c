//! `--drain`: take real servers out of service without breaking a connection,
//! one in one service or one host in all services.
//!
//! The weight is set to 0, so that there are no new connections. With `-d` each
//! server is deleted when it has no open one left; with `-e --keep -w 0` all of
//! them stay, and are waited for until none has any. Whatever ends this early, an
//! interrupt or the time limit, restores the weights with `-d`, unless somebody
//! else has changed the server meanwhile: what others set is never overwritten.

pub mod outcome;
mod progress;
mod report;
mod restore;
mod rows;
mod wait;

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::session::Session;
use super::signals::Interrupt;
use super::{hosts, lock, table};
use crate::cli::{self, Limit, ServerEdit};
use crate::connections::{Connection, ConnectionFilter, Connections};
use crate::procfs;
use crate::render::Buffer;
use crate::render::text::rules;
use crate::selection::{EndpointFilter, Network, Selection};
use ipvs::{
    BatchError, Change, Ipvs, ListError, Namespace, Server, ServerConfig, ServerKey, Service,
    ServiceKey, Table,
};
use outcome::{Left, NotDrained, Weight};
use progress::{Progress, Sum};
use rows::Patterns;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use wait::{Ended, Event, Waiting, World};

/// Drains one server in one service.
pub fn in_one_service(session: &mut Session, drain: &cli::Drain) -> Result<()> {
    let server = EndpointFilter {
        network: Network::host(drain.server.address),
        port: Some(drain.server.port),
    };
    let part = Selection {
        service: Some(drain.service),
        server: Some(server),
        ..Selection::default()
    };
    self::drain(session, &part, &drain.edit, drain.limit).map(drop)
}

/// Drains the servers of `part` for `edit`. In many services, what goes wrong with
/// one of them is said, and the others go on.
pub fn drain(
    session: &mut Session,
    part: &Selection,
    edit: &ServerEdit,
    limit: Limit,
) -> Result<Exit> {
    let result = Drain::start(session, part, edit).and_then(|mut drain| {
        drain.wait(limit.map(|seconds| Duration::from_secs(seconds.into())));
        drain.end()
    });
    match result {
        Err(failure) if hosts::is_done(edit, &failure) => Ok(Exit::Success),
        Err(Failure::NotDrained(why)) => Err(Failure::NotDrained(why)),
        result => result.map_err(Failure::cannot_tell),
    }
}

/// What begins the draining of all servers in `table`.
pub fn weights_of_0(table: &Table) -> Vec<Change> {
    let servers = hosts::servers(table).map(Drained::with_weight_0);
    servers.filter_map(|server| server.begin()).collect()
}

/// A real server of a service.
struct Drained {
    service: ServiceKey,
    server: ServerKey,
    before: ServerConfig,
    /// With weight 0.
    during: ServerConfig,
}

impl Drained {
    fn new(service: ServiceKey, server: &Server, during: ServerConfig) -> Drained {
        Drained {
            service,
            server: server.key,
            before: server.config,
            during,
        }
    }

    /// Nothing but the weight changes.
    fn with_weight_0((service, server): (ServiceKey, &Server)) -> Drained {
        let during = ServerConfig {
            weight: 0,
            ..server.config
        };
        Drained::new(service, server, during)
    }

    /// The change that lets no new connections come, if it takes one.
    fn begin(&self) -> Option<Change> {
        let is_so = self.during.is_same(&self.before);
        (!is_so).then_some(Change::EditServer(self.service, self.server, self.during))
    }
}

struct Drain<'a> {
    ipvs: &'a mut Ipvs,
    netns: Option<&'a OsStr>,
    part: Selection,
    /// Whether the servers stay.
    stays: bool,
    servers: Vec<Drained>,
    /// The servers that are not done with: their places in `servers`.
    places: HashMap<(ServiceKey, ServerKey), usize>,
    /// Their services.
    services: Vec<Service>,
    /// Servers that could not be drained from the start.
    not_begun: Vec<(usize, Failure)>,
    filter: ConnectionFilter,
    table: Connections,
    interrupt: Interrupt,
    start: Instant,
    progress: Option<Progress>,
    /// What became of it.
    exit: Exit,
    /// The same of a server in one service that was named.
    why: Option<NotDrained>,
}

impl Drain<'_> {
    /// Sets the weights to 0.
    fn start<'a>(
        Session { ipvs, netns, .. }: &'a mut Session,
        part: &Selection,
        edit: &ServerEdit,
    ) -> Result<Drain<'a>> {
        let host = part.server.map(|server| server.network);
        let filter = ConnectionFilter {
            server: host.map(|network| EndpointFilter {
                network,
                port: None,
            }),
            ..ConnectionFilter::default()
        };
        let connections = connections(ipvs.namespace(), filter)?;
        let _lock = lock::take();
        let table = table::to_edit(ipvs, part, edit.command())?;
        let servers: Vec<Drained> = match edit {
            ServerEdit::Delete { .. } => {
                let servers = hosts::servers(&table);
                servers.map(Drained::with_weight_0).collect()
            }
            ServerEdit::Keep(options) => {
                let kept = hosts::kept(options, &table)?.into_iter();
                kept.map(|(service, server, config)| Drained::new(service, server, config))
                    .collect()
            }
        };
        let places = servers.iter().enumerate();
        let places = places.map(|(place, server)| ((server.service, server.server), place));
        let mut drain = Drain {
            places: places.collect(),
            services: table.services.iter().map(|(service, _)| *service).collect(),
            not_begun: Vec::new(),
            ipvs,
            netns: netns.as_deref(),
            part: *part,
            stays: matches!(edit, ServerEdit::Keep(_)),
            servers,
            filter,
            table: connections,
            // Until here there is nothing to be undone.
            interrupt: Interrupt::watch()?,
            start: Instant::now(),
            progress: None,
            exit: Exit::Success,
            why: None,
        };
        drain.warn();
        let changes = drain.servers.iter().enumerate();
        let changes = changes.filter_map(|(place, server)| Some((place, server.begin()?)));
        let changes = changes.collect();
        drain.not_begun = drain.make(changes);
        Ok(drain)
    }

    /// Waits for the connections to end, and deletes the servers that do not stay.
    fn wait(&mut self, limit: Option<Duration>) {
        self.say_not_begun();
        let mut patterns = Patterns::default();
        let services = self.services.iter().map(|service| (service.key, service));
        let services: HashMap<_, _> = services.collect();
        let places: Vec<usize> = self
            .servers
            .iter()
            .map(|server| match services.get(&server.service) {
                Some(service) => patterns.insert(service, server.server),
                None => 0,
            })
            .collect();
        let patterns = Rc::new(patterns);
        self.progress = Progress::on_terminal(self.filter, Rc::clone(&patterns));
        let now = self.now();
        let mut waiting = Waiting::new(patterns, places.into_iter(), self.stays, limit, now);
        let is_awaited: HashSet<usize> = self.places.values().copied().collect();
        let others = (0..self.servers.len()).filter(|place| !is_awaited.contains(place));
        others.for_each(|place| waiting.leave(place));
        while !waiting.is_over() {
            match waiting.next(self) {
                Ok(Event::Ended(ended)) => self.ended(&ended),
                Ok(Event::TimedOut) => {
                    return self.give_up(waiting.left(), NotDrained::TimedOut);
                }
                Ok(Event::Interrupted) => {
                    let exit = self.interrupt.exit().unwrap_or(Exit::Interrupted);
                    let why = |left, weight| NotDrained::Interrupted(exit, left, weight);
                    return self.give_up(waiting.left(), why);
                }
                Err(failure) => {
                    let failure = Arc::new(failure);
                    let failed = |_, weight| NotDrained::Failed(Arc::clone(&failure), weight);
                    return self.give_up(waiting.rest(), failed);
                }
            }
        }
    }

    /// How it ended.
    fn end(self) -> Result<Exit> {
        match self.why {
            None => Ok(self.exit),
            Some(NotDrained::NotBegun(failure)) => Err(*failure),
            Some(why) => Err(Failure::NotDrained(why)),
        }
    }

    /// Makes `changes`; those that were not made, or may not have been, with the places
    /// they came with.
    fn make(&mut self, changes: Vec<(usize, Change)>) -> Vec<(usize, Failure)> {
        let (mut failed, mut sent) = (Vec::new(), 0);
        let tagged = changes.iter().map(|(place, change)| {
            sent += 1;
            ((*place, *change), *change)
        });
        let result = self.ipvs.batch(tagged, |(place, change), error| {
            failed.push((place, Failure::change(&change, error)));
        });
        if let Err(BatchError { unsent, error, .. }) = result {
            failed.extend(changes[sent - unsent..].iter().map(|(place, change)| {
                let error = error.again();
                (*place, Failure::change(change, error))
            }));
        }
        failed
    }

    /// What is wrong with servers that cannot be drained from the start.
    fn say_not_begun(&mut self) {
        let not_begun = mem::take(&mut self.not_begun);
        let places: Vec<usize> = not_begun.iter().map(|(place, _)| *place).collect();
        let mut uncertain = Vec::new();
        for (place, failure) in not_begun {
            if failure.is_absence() {
                self.deleted_by_others(place);
            } else if failure.may_be_done() && !self.stays {
                uncertain.push((place, failure));
            } else {
                self.undrained(place, NotDrained::NotBegun(failure.into()));
            }
        }
        self.fail(uncertain);
        self.forget(&places);
    }

    /// Does what remains to be done with servers that are not waited for any more.
    fn ended(&mut self, ended: &[(usize, Ended)]) {
        let mut quiet = Vec::new();
        for (place, why) in ended {
            let Drained {
                service,
                server,
                before,
                ..
            } = self.servers[*place];
            match why {
                Ended::Gone => self.deleted_by_others(*place),
                Ended::Reweighted(weight) => {
                    let why = NotDrained::Reweighted {
                        weight: *weight,
                        was_0: before.weight == 0,
                        stays: self.stays,
                    };
                    self.undrained(*place, why);
                }
                Ended::Quiet if self.stays => {}
                Ended::Quiet => quiet.push((*place, Change::DeleteServer(service, server))),
            }
        }
        let not_deleted = self.make(quiet).into_iter();
        let (gone, failed) = not_deleted.partition(|(_, failure)| failure.is_absence());
        let gone: Vec<(usize, Failure)> = gone;
        gone.iter()
            .for_each(|(place, _)| self.deleted_by_others(*place));
        self.fail(failed);
        let places: Vec<usize> = ended.iter().map(|(place, _)| *place).collect();
        self.forget(&places);
    }

    /// Ends the draining of servers with so many connections left.
    fn give_up(&mut self, left: Vec<(usize, Left)>, why: impl Fn(Left, Weight) -> NotDrained) {
        let places: Vec<usize> = left.iter().map(|(place, _)| *place).collect();
        let weights = match self.stays {
            true => places.iter().map(|_| Some(Weight::Zero)).collect(),
            false => self.restore(&places),
        };
        for ((place, left), weight) in left.into_iter().zip(weights) {
            match weight {
                Some(weight) => self.undrained(place, why(left, weight)),
                None => self.deleted_by_others(place),
            }
        }
    }

    /// The same where something has failed for each of these servers.
    fn fail(&mut self, failed: Vec<(usize, Failure)>) {
        if failed.is_empty() {
            return;
        }
        let places: Vec<usize> = failed.iter().map(|(place, _)| *place).collect();
        let weights = self.restore(&places);
        for ((place, mut failure), weight) in failed.into_iter().zip(weights) {
            let Some(weight) = weight else {
                self.deleted_by_others(place);
                continue;
            };
            // The server has just been seen, so it is known what became of it.
            if let (Failure::Unanswered { change, .. }, false) = (&mut failure, weight.is_stuck()) {
                *change = None;
            }
            self.undrained(place, NotDrained::Failed(failure.into(), weight));
        }
    }

    /// A server that was to go is gone; of one that was to stay, nobody knows who is
    /// connected.
    fn deleted_by_others(&mut self, place: usize) {
        match self.stays {
            true => self.undrained(place, NotDrained::Deleted),
            false => self.say(place, "somebody else deleted the real server meanwhile"),
        }
    }

    fn undrained(&mut self, place: usize, why: NotDrained) {
        if self.part.service.is_some() {
            self.why = Some(why);
        } else {
            self.exit = self.exit.worse(why.exit());
            self.say(place, &why.to_string());
        }
    }

    /// Says something of a server, which is named if there may be others.
    fn say(&self, place: usize, text: &str) {
        if let Some(progress) = &self.progress {
            progress.clear();
        }
        let mut line = Buffer::default();
        if self.part.service.is_none() {
            let Drained {
                service, server, ..
            } = &self.servers[place];
            rules::named(&mut line, service, Some(server));
            line.text(": ");
        }
        line.text(text);
        failure::say(line.as_bytes().trim_ascii_start());
    }

    /// Does not read these servers any more.
    fn forget(&mut self, places: &[usize]) {
        for place in places {
            let Drained {
                service, server, ..
            } = self.servers[*place];
            self.places.remove(&(service, server));
        }
        let left: HashSet<ServiceKey> = self.places.keys().map(|(service, _)| *service).collect();
        self.services.retain(|service| left.contains(&service.key));
    }

    /// Tells `each` the servers as they are now, by their places.
    fn read(&mut self, each: &mut dyn FnMut(usize, &Server)) -> Result<()> {
        let Drain {
            part,
            places,
            services,
            ..
        } = self;
        let read = self.ipvs.visit_servers(services, |service, servers| {
            for server in servers.iter().filter(|server| part.has_server(&server.key)) {
                if let Some(place) = places.get(&(service.key, server.key)) {
                    each(*place, server);
                }
            }
            Ok::<(), ListError>(())
        });
        read.map_err(Failure::list)
    }

    /// Warns of what breaks what draining promises.
    fn warn(&self) {
        let places = self.servers.iter().enumerate();
        let zero = places.filter(|(_, server)| server.before.weight == 0 && !self.stays);
        let zero: Vec<usize> = zero.map(|(place, _)| place).collect();
        let why = "perhaps because of another drain: it will stay 0";
        match zero[..] {
            [] => {}
            [place] => self.say(place, &format!("warning: the weight is 0 already, {why}")),
            // As after -e --drain: a line for each would hide what else is said.
            [..] => {
                let number = zero.len();
                let line = format!("warning: the weight is 0 already {number} times, {why}");
                failure::say(line.as_bytes());
            }
        }
        let is_on = |name| {
            let value = procfs::setting(self.ipvs.namespace(), name);
            value.is_ok_and(|value| value != "0")
        };
        let mut services = self.services.iter();
        if services.any(|service| service.config.flags.persistent()) {
            if is_on("expire_quiescent_template") {
                failure::say(
                    b"warning: net.ipv4.vs.expire_quiescent_template is 1: persistent clients go \
                      to another server at once",
                );
            } else {
                failure::say(
                    b"warning: net.ipv4.vs.expire_quiescent_template is 0: persistent clients \
                      still get new connections to this server",
                );
            }
        }
        if !self.stays && is_on("expire_nodest_conn") {
            failure::say(
                b"warning: net.ipv4.vs.expire_nodest_conn is 1: connections that are not open any \
                  more end when the server is deleted",
            );
        }
    }
}

impl World for Drain<'_> {
    fn servers(&mut self, each: &mut dyn FnMut(usize, &Server)) -> Result<()> {
        let mut sum = Sum::default();
        self.read(&mut |place, server| {
            sum.add(server);
            each(place, server);
        })?;
        let elapsed = self.start.elapsed();
        if let Some(progress) = &mut self.progress {
            progress.show(sum, self.ipvs.namespace(), elapsed);
        }
        Ok(())
    }

    fn rewind(&mut self) -> Result<()> {
        self.table = connections(self.ipvs.namespace(), self.filter)?;
        Ok(())
    }

    fn next_rows(&mut self, each: &mut dyn FnMut(&Connection)) -> Result<bool> {
        let rows = self.table.next_rows();
        let Some(rows) = rows.map_err(Failure::Connections)? else {
            return Ok(false);
        };
        // A row that cannot be read is a connection not found, which counts as open.
        rows.flatten().for_each(|row| each(&row));
        Ok(true)
    }

    fn interrupted(&self) -> bool {
        self.interrupt.came()
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&mut self, time: Duration) {
        thread::sleep(time);
    }
}

fn connections(namespace: &Namespace, filter: ConnectionFilter) -> Result<Connections> {
    Connections::open(namespace, filter).map_err(Failure::Connections)
}
