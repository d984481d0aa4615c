//! What a drain still waits for, in words for a person: the connections of the
//! real servers by their states, and how long the last of them may take.

use super::rows::Patterns;
use crate::connections::{Connection, ConnectionFilter, Connections};
use crate::render::words;
use ipvs::Namespace;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// A table that takes longer to read is not reported.
const LONGEST: Duration = Duration::from_secs(2);

/// Counts of rows.
#[derive(Debug, Default)]
pub struct Report {
    connections: u64,
    states: BTreeMap<Vec<u8>, u64>,
    templates: u64,
    /// The longest time left of a connection, in seconds.
    last: u64,
    /// The same of a template.
    last_template: u64,
}

impl Report {
    /// Reads it; `None` if that is not possible now.
    pub fn read(
        namespace: &Namespace,
        filter: ConnectionFilter,
        patterns: &Patterns,
    ) -> Option<Report> {
        let begun = Instant::now();
        let mut table = Connections::open(namespace, filter).ok()?;
        let mut report = Report::default();
        while let Some(rows) = table.next_rows().ok()? {
            if begun.elapsed() > LONGEST {
                return None;
            }
            rows.flatten().for_each(|row| report.take(patterns, &row));
        }
        Some(report)
    }

    fn take(&mut self, patterns: &Patterns, row: &Connection) {
        if patterns.of(row).next().is_some() {
            self.connections += 1;
            *self.states.entry(row.state.to_vec()).or_default() += 1;
            self.last = self.last.max(row.expires);
        } else if patterns.has_template(row) {
            self.templates += 1;
            self.last_template = self.last_template.max(row.expires);
        }
    }
}

/// `2 connections left (1 ESTABLISHED, 1 FIN_WAIT), the last expires in 14:59;
/// 1 persistence template, for 05:00 more`
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let time = |seconds: u64| format!("{:02}:{:02}", seconds / 60, seconds % 60);
        let connections = words::count(self.connections, "connection");
        write!(f, "{connections} left")?;
        if self.connections > 0 {
            let states = self.states.iter();
            let states: Vec<String> = states
                .map(|(state, count)| format!("{count} {}", String::from_utf8_lossy(state)))
                .collect();
            let last = time(self.last);
            write!(f, " ({}), the last expires in {last}", states.join(", "))?;
        }
        if self.templates > 0 {
            let templates = words::count(self.templates, "persistence template");
            write!(f, "; {templates}, for {} more", time(self.last_template))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_the_longest_times_are_said() {
        let mut report = Report::default();
        assert_eq!(report.to_string(), "0 connections left");
        report.connections = 3;
        report.states.insert(b"ESTABLISHED".to_vec(), 2);
        report.states.insert(b"FIN_WAIT".to_vec(), 1);
        (report.last, report.templates, report.last_template) = (898, 1, 7200);
        assert_eq!(
            report.to_string(),
            "3 connections left (2 ESTABLISHED, 1 FIN_WAIT), the last expires in 14:58; \
             1 persistence template, for 120:00 more"
        );
    }
}
