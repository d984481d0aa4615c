//! `-d --drain`: take a real server out of service without breaking a
//! connection.
//!
//! Its weight is set to 0, so that it gets no new connections; when no open one
//! is left, it is deleted. Whatever ends this early, an interrupt or the time
//! limit, restores the weight, unless somebody else has changed the server
//! meanwhile: what others set is never overwritten.

pub mod outcome;
mod report;
mod rows;
mod wait;

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::session::Session;
use super::signals::Interrupt;
use super::{lock, table};
use crate::cli::opt::CommandName;
use crate::connections::{Connection, ConnectionFilter, Connections};
use crate::procfs;
use crate::render::text::rules;
use crate::render::{Buffer, shell};
use ipvs::{Change, Ipvs, Namespace, Server, ServerConfig, ServerKey, Service, ServiceKey};
use libc::ENOENT;
use outcome::{NotDrained, Weight};
use report::Report;
use rows::Target;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::thread;
use std::time::{Duration, Instant};
use wait::{Ended, World};

/// Drains `server` of `service` and deletes it, within `limit` seconds if
/// there is a limit.
pub fn drain(
    session: &mut Session,
    service: &ServiceKey,
    server: &ServerKey,
    limit: Option<u32>,
) -> Result<()> {
    try_drain(session, service, server, limit).map_err(|failure| match failure {
        Failure::NotDrained(_) => failure,
        other => other.cannot_tell(),
    })
}

fn try_drain(
    Session { ipvs, netns, .. }: &mut Session,
    service: &ServiceKey,
    server: &ServerKey,
    limit: Option<u32>,
) -> Result<()> {
    let service = ipvs.service(service);
    let service = service.map_err(|e| Failure::kernel(CommandName::DeleteServer, e))?;
    let mut drain = Drain {
        table: connections(ipvs.namespace())?,
        ipvs,
        netns: netns.as_deref(),
        service: service.key,
        server: *server,
        interrupt: Interrupt::watch()?,
        start: Instant::now(),
        progress: None,
    };
    drain.find()?.ok_or(NO_SUCH_SERVER)?;
    warn(drain.ipvs.namespace(), &service);
    // Read again, since others may have changed it in the meantime.
    let lock = lock::take();
    let before = drain.find()?.ok_or(NO_SUCH_SERVER)?.config;
    if before.weight == 0 {
        failure::say(
            b"warning: the weight is 0 already, perhaps because of another drain: it will stay 0",
        );
    } else if let Err(failure) = drain.set_weight(&before, 0) {
        drop(lock);
        return match failure.may_be_done() {
            true => drain.fail(&before, failure),
            false => Err(failure),
        };
    }
    drop(lock);
    let target = Target::new(&service, *server);
    drain.progress = Progress::on_terminal(target);
    let limit = limit.map(|seconds| Duration::from_secs(seconds.into()));
    let end = wait::wait(&mut drain, &target, limit);
    drop(drain.progress.take());
    match end {
        Ok(Ended::Empty) => match drain.delete() {
            Ok(()) => Ok(()),
            Err(failure) if failure.is_absence() => deleted_by_others(),
            Err(failure) => drain.fail(&before, failure),
        },
        Ok(Ended::Gone) => deleted_by_others(),
        Ok(Ended::Reweighted(weight)) => Err(Failure::NotDrained(NotDrained::Reweighted(
            weight,
            before.weight == 0,
        ))),
        Ok(Ended::TimedOut(left)) => {
            drain.give_up(&before, |weight| NotDrained::TimedOut(left, weight))
        }
        Ok(Ended::Interrupted(left)) => {
            let exit = drain.interrupt.exit().unwrap_or(Exit::Interrupted);
            let why = |weight| NotDrained::Interrupted(exit, left, weight);
            drain.give_up(&before, why)
        }
        Err(failure) => drain.fail(&before, failure),
    }
}

const NO_SUCH_SERVER: Failure = Failure::refused(CommandName::DeleteServer, ENOENT);

/// The time between two reports on a terminal.
const REPORTS: Duration = Duration::from_secs(10);

/// How often the weight is put back if that fails, and the time between.
const TRIES: usize = 10;
const REST: Duration = Duration::from_millis(200);

struct Drain<'a> {
    ipvs: &'a mut Ipvs,
    netns: Option<&'a OsStr>,
    service: ServiceKey,
    server: ServerKey,
    table: Connections,
    interrupt: Interrupt,
    start: Instant,
    progress: Option<Progress>,
}

impl Drain<'_> {
    /// The server as it is; `None` when it is not there.
    fn find(&mut self) -> Result<Option<Server>> {
        table::server(self.ipvs, &self.service, &self.server)
            .map_err(|error| Failure::reading(CommandName::DeleteServer, error))
    }

    fn set_weight(&mut self, config: &ServerConfig, weight: i32) -> Result<()> {
        let config = ServerConfig { weight, ..*config };
        let edit = Change::EditServer(self.service, self.server, config);
        let done = self.ipvs.change(&edit);
        done.map_err(|error| Failure::change(&edit, error))
    }

    fn delete(&mut self) -> Result<()> {
        let delete = Change::DeleteServer(self.service, self.server);
        let done = self.ipvs.change(&delete);
        done.map_err(|error| Failure::change(&delete, error))
    }

    fn give_up(
        &mut self,
        before: &ServerConfig,
        why: impl FnOnce(Weight) -> NotDrained,
    ) -> Result<()> {
        match self.restore(before) {
            Some(weight) => Err(Failure::NotDrained(why(weight))),
            None => deleted_by_others(),
        }
    }

    fn fail(&mut self, before: &ServerConfig, mut failure: Failure) -> Result<()> {
        self.give_up(before, |weight| {
            // The server has just been seen, so it is known what became of it.
            if let (Failure::Unanswered { change, .. }, false) = (&mut failure, weight.is_stuck()) {
                *change = None;
            }
            NotDrained::Failed(failure.into(), weight)
        })
    }

    /// As [`Drain::put_back`], tried again for a while; a failure becomes what there
    /// is to say of the weight.
    fn restore(&mut self, before: &ServerConfig) -> Option<Weight> {
        let mut result = self.put_back(before);
        for _ in 1..TRIES {
            match &result {
                Err(failure) if !failure.is_refusal() => {}
                _ => break,
            }
            thread::sleep(REST);
            result = self.put_back(before);
        }
        result.unwrap_or_else(|failure| {
            let mut edit = Buffer::default();
            edit.text("ipvsadm -e");
            rules::named(&mut edit, &self.service, Some(&self.server));
            edit.text(format!(" --keep -w {}", before.weight));
            let mut command = shell::command(edit.as_bytes());
            if let Some(netns) = self.netns {
                command += " --netns ";
                command += &shell::quoted(netns.as_bytes());
            }
            let cause = failure.to_string();
            Some(Weight::Stuck { cause, command })
        })
    }

    /// Puts the weight back if the server is as draining has set it: a weight
    /// of 0 that came with other changes is somebody else's 0. `None` when there
    /// is no such server any more.
    fn put_back(&mut self, before: &ServerConfig) -> Result<Option<Weight>> {
        let _lock = lock::take();
        let Some(server) = self.find()? else {
            return Ok(None);
        };
        // An earlier try may have done it.
        if server.config == *before || before.weight == 0 && server.config.weight == 0 {
            return Ok(Some(Weight::AsBefore(before.weight)));
        }
        let drained = ServerConfig {
            weight: 0,
            ..*before
        };
        if server.config != drained {
            return Ok(Some(Weight::NotOurs));
        }
        self.set_weight(&server.config, before.weight)?;
        Ok(Some(Weight::AsBefore(before.weight)))
    }
}

impl World for Drain<'_> {
    fn server(&mut self) -> Result<Option<Server>> {
        let server = self.find()?;
        if let (Some(server), Some(progress)) = (&server, &mut self.progress) {
            progress.show(server, self.ipvs.namespace(), self.start.elapsed());
        }
        Ok(server)
    }

    fn rewind(&mut self) -> Result<()> {
        self.table = connections(self.ipvs.namespace())?;
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

/// What was to be done is done.
fn deleted_by_others() -> Result<()> {
    failure::say(b"somebody else deleted the real server meanwhile");
    Ok(())
}

fn connections(namespace: &Namespace) -> Result<Connections> {
    Connections::open(namespace, ConnectionFilter::default()).map_err(Failure::Connections)
}

/// Warns of kernel settings that break what draining promises.
fn warn(namespace: &Namespace, service: &Service) {
    let is_on = |name| procfs::setting(namespace, name).is_ok_and(|value| value != "0");
    if service.config.flags.persistent() {
        if is_on("expire_quiescent_template") {
            failure::say(
                b"warning: net.ipv4.vs.expire_quiescent_template is 1: persistent clients go to \
                  another server at once",
            );
        } else {
            failure::say(
                b"warning: net.ipv4.vs.expire_quiescent_template is 0: persistent clients still \
                  get new connections to this server",
            );
        }
    }
    if is_on("expire_nodest_conn") {
        failure::say(
            b"warning: net.ipv4.vs.expire_nodest_conn is 1: connections that are not open any \
              more end when the server is deleted",
        );
    }
}

/// What a person at a terminal sees of the waiting.
struct Progress {
    target: Target,
    /// When the next report is due.
    next_report: Duration,
}

impl Progress {
    fn on_terminal(target: Target) -> Option<Progress> {
        io::stderr().is_terminal().then(|| Progress {
            target,
            next_report: Duration::ZERO,
        })
    }

    /// Shows the counts in a line that is overwritten again and again, and now and
    /// then a report of the rows in a line that stays.
    fn show(&mut self, server: &Server, namespace: &Namespace, elapsed: Duration) {
        if elapsed >= self.next_report {
            let begun = Instant::now();
            if let Some(report) = Report::read(namespace, &self.target) {
                self.clear();
                failure::say(format!("draining: {report}").as_bytes());
            }
            self.next_report = elapsed + (begun.elapsed() * wait::REST).max(REPORTS);
        }
        let (active, inactive, seconds) = (server.active, server.inactive, elapsed.as_secs());
        // A progress line that cannot be written is no reason to stop.
        let _ = write!(
            io::stderr(),
            "\rdraining: {active} active, {inactive} inactive connections, {seconds} s \x1b[K"
        );
    }

    fn clear(&self) {
        // As for the line itself.
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
