//! What a person at a terminal sees of the waiting.

use super::report::Report;
use super::rows::Patterns;
use super::wait;
use crate::connections::ConnectionFilter;
use crate::render::words;
use crate::run::failure;
use ipvs::{Namespace, Server};
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The time between two reports.
const REPORTS: Duration = Duration::from_secs(10);

/// A line that is overwritten again and again, and now and then one that stays.
pub struct Progress {
    filter: ConnectionFilter,
    patterns: Rc<Patterns>,
    /// When the next report is due.
    next_report: Duration,
}

/// The connections of all servers that are waited for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    active: u64,
    inactive: u64,
    /// In how many services there are any.
    services: u64,
    servers: u64,
}

impl Sum {
    /// Adds those of one server.
    pub fn add(&mut self, server: &Server) {
        let (active, inactive) = (u64::from(server.active), u64::from(server.inactive));
        self.active += active;
        self.inactive += inactive;
        self.services += u64::from(active + inactive > 0);
        self.servers += 1;
    }
}

impl Progress {
    /// Of connections that have these `patterns`, all of which match `filter`.
    pub fn on_terminal(filter: ConnectionFilter, patterns: Rc<Patterns>) -> Option<Progress> {
        io::stderr().is_terminal().then(|| Progress {
            filter,
            patterns,
            next_report: Duration::ZERO,
        })
    }

    /// Shows the counts in the line that is overwritten, and now and then a report of
    /// the rows in one that stays.
    pub fn show(&mut self, sum: Sum, namespace: &Namespace, elapsed: Duration) {
        if elapsed >= self.next_report {
            let begun = Instant::now();
            if let Some(report) = Report::read(namespace, self.filter, &self.patterns) {
                self.clear();
                failure::say(format!("draining: {report}").as_bytes());
            }
            self.next_report = elapsed + (begun.elapsed() * wait::REST).max(REPORTS);
        }
        let Sum {
            active,
            inactive,
            services,
            servers,
        } = sum;
        let places = match servers {
            0 | 1 => String::new(),
            _ => format!(" in {}", words::count(services, "service")),
        };
        let seconds = elapsed.as_secs();
        // A progress line that cannot be written is no reason to stop.
        let _ = write!(
            io::stderr(),
            "\rdraining: {active} active, {inactive} inactive connections{places}, {seconds} s \
             \x1b[K"
        );
    }

    /// Makes room for a line that stays.
    pub fn clear(&self) {
        // As for the line itself.
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
