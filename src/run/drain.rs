//! `-d --drain`: take a real server out of service without breaking a
//! connection.
//!
//! Its weight is set to 0, so that it gets no new connections; when its active
//! ones are gone, it is deleted. Whatever ends this before, an interrupt or
//! the time limit, puts the weight back.

use super::exit::Exit;
use super::failure::{self, Failure};
use super::signals::Interrupt;
use crate::kernel::Ipvs;
use crate::model::{Change, Server, ServerConfig, ServerKey, ServiceKey, Verb};
use libc::ENOENT;
use std::io::{self, IsTerminal, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the connections are counted.
const POLL: Duration = Duration::from_millis(200);

/// Drains `server` of `service` and deletes it, within `limit` seconds if
/// there is a limit.
pub fn drain(
    ipvs: &mut Ipvs,
    service: &ServiceKey,
    server: &ServerKey,
    limit: Option<u32>,
) -> anyhow::Result<()> {
    let drain = Drain {
        ipvs,
        service: *service,
        server: *server,
    };
    drain.run(limit)
}

struct Drain<'a> {
    ipvs: &'a mut Ipvs,
    service: ServiceKey,
    server: ServerKey,
}

/// Why the waiting ended.
enum End {
    /// No active connection is left.
    Empty,
    /// Somebody else deleted the server.
    Gone,
    /// Somebody else gave it a weight again.
    Reweighted(i32),
    /// The time is up, with so many active connections left.
    TimedOut(u32),
    /// Somebody wants the program to end, with so many left.
    Interrupted(u32),
}

impl Drain<'_> {
    fn run(mut self, limit: Option<u32>) -> anyhow::Result<()> {
        let before = self
            .find()?
            .ok_or(Failure::Refused(Verb::DeleteServer, ENOENT))?;
        self.warn()?;
        let interrupt = Interrupt::watch()?;
        self.set_weight(&before.config, 0)?;
        match self.wait(limit, &interrupt) {
            Ok(End::Empty) => self.delete(),
            Ok(End::Gone) => {
                failure::say(b"somebody else deleted the real server meanwhile");
                Ok(())
            }
            Ok(End::Reweighted(weight)) => {
                let text = format!("somebody else set the weight to {weight}: not deleted");
                failure::say(text.as_bytes());
                Err(Failure::Said(Exit::Failure).into())
            }
            Ok(End::TimedOut(left)) => {
                self.put_back(&before.config, "time is up", left, Exit::Failure)
            }
            Ok(End::Interrupted(left)) => {
                self.put_back(&before.config, "interrupted", left, Exit::Interrupted)
            }
            Err(error) => {
                // The listing failed; what was changed must not stay.
                let _ = self.set_weight(&before.config, before.config.weight);
                Err(error)
            }
        }
    }

    /// The server as it is; `None` when the service has no such server.
    fn find(&mut self) -> anyhow::Result<Option<Server>> {
        let asked = self.ipvs.service(&self.service);
        asked.map_err(|e| Failure::kernel(Verb::DeleteServer, e))?;
        let mut servers = Vec::new();
        self.ipvs
            .servers_into(&self.service, &mut servers)
            .map_err(Failure::list)?;
        Ok(servers.into_iter().find(|s| s.key == self.server))
    }

    fn set_weight(&mut self, config: &ServerConfig, weight: i32) -> anyhow::Result<()> {
        let config = ServerConfig { weight, ..*config };
        let edit = Change::EditServer(self.service, self.server, config);
        let done = self.ipvs.change(&edit);
        Ok(done.map_err(|e| Failure::kernel(Verb::EditServer, e))?)
    }

    fn wait(&mut self, limit: Option<u32>, interrupt: &Interrupt) -> anyhow::Result<End> {
        let start = Instant::now();
        let limit = limit.map(|seconds| Duration::from_secs(seconds.into()));
        let mut progress = Progress::default();
        loop {
            let Some(server) = self.find_again()? else {
                return Ok(End::Gone);
            };
            if server.config.weight != 0 {
                return Ok(End::Reweighted(server.config.weight));
            }
            progress.show(server.active, start.elapsed());
            if server.active == 0 {
                return Ok(End::Empty);
            }
            if interrupt.came() {
                return Ok(End::Interrupted(server.active));
            }
            if limit.is_some_and(|limit| start.elapsed() >= limit) {
                return Ok(End::TimedOut(server.active));
            }
            sleep(POLL);
        }
    }

    /// As [`Drain::find`], but a service that is gone takes its servers along.
    fn find_again(&mut self) -> anyhow::Result<Option<Server>> {
        let mut servers = Vec::new();
        self.ipvs
            .servers_into(&self.service, &mut servers)
            .map_err(Failure::list)?;
        Ok(servers.into_iter().find(|s| s.key == self.server))
    }

    fn delete(&mut self) -> anyhow::Result<()> {
        let delete = Change::DeleteServer(self.service, self.server);
        let done = self.ipvs.change(&delete);
        Ok(done.map_err(|e| Failure::kernel(Verb::DeleteServer, e))?)
    }

    fn put_back(
        &mut self,
        before: &ServerConfig,
        why: &str,
        left: u32,
        exit: Exit,
    ) -> anyhow::Result<()> {
        self.set_weight(before, before.weight)?;
        let (weight, s) = (before.weight, if left == 1 { "" } else { "s" });
        let text = format!(
            "{why}: {left} active connection{s} left; not deleted, and the weight is {weight} again"
        );
        failure::say(text.as_bytes());
        Err(Failure::Said(exit).into())
    }

    /// Says which settings of the kernel stand against what draining promises.
    fn warn(&mut self) -> anyhow::Result<()> {
        let service = self.ipvs.service(&self.service);
        let service = service.map_err(|e| Failure::kernel(Verb::DeleteServer, e))?;
        if service.config.flags.persistent() {
            if self.setting("expire_quiescent_template") {
                failure::say(
                    b"warning: net.ipv4.vs.expire_quiescent_template is 1: persistent clients \
                      go to another server at once",
                );
            } else {
                failure::say(
                    b"warning: net.ipv4.vs.expire_quiescent_template is 0: persistent clients \
                      still get new connections to this server",
                );
            }
        }
        if self.setting("expire_nodest_conn") {
            failure::say(
                b"warning: net.ipv4.vs.expire_nodest_conn is 1: connections that are not active \
                  end when the server is deleted",
            );
        }
        Ok(())
    }

    /// Whether a setting of the kernel is on.
    fn setting(&self, name: &str) -> bool {
        let value = self.ipvs.namespace().setting(name);
        value.is_ok_and(|value| value != "0")
    }
}

/// One line on a terminal, written over and over.
#[derive(Default)]
struct Progress {
    shown: bool,
}

impl Progress {
    fn show(&mut self, active: u32, elapsed: Duration) {
        let mut err = io::stderr();
        if err.is_terminal() {
            self.shown = true;
            let seconds = elapsed.as_secs();
            let _ = write!(
                err,
                "\rdraining: {active} active connections, {seconds} s \x1b[K"
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
