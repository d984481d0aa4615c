//! The findings of `--check`, a block each:
//!
//! ```text
//! error forwarding-off: IP forwarding is off, ...
//!   where: -t 192.0.2.1:80 -r 10.0.0.11:80
//!   seen:  ...
//!   fix:   sysctl -w net.ipv4.ip_forward=1
//!   or:    --ignore forwarding-off
//! ```
//!
//! One line sums it up: the last one for a person at a terminal, and the first one
//! for a monitoring system, which shows no other.

use crate::check::{Finding, Findings, Ignore, Kind, Severity};
use crate::render::Buffer;
use crate::render::text::rules;
use crate::render::visible;
use crate::render::words::count;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

/// Of more findings of a kind than this, only the [first](SHOWN) are shown.
const MANY: usize = 10;
const SHOWN: usize = 3;

/// Where the line that sums it up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// Above everything else.
    First,
    /// Below everything else.
    Last,
}

/// Writes all findings, what is not known, and how many findings there are in what
/// was `checked`.
pub fn findings(out: &mut Buffer, findings: &Findings, checked: &str, place: Summary) {
    if place == Summary::First {
        summary(out, findings, checked);
    }
    blocks(out, findings);
    let unread = findings
        .unread
        .iter()
        .map(|error| format!("not read: {error:#}"));
    let unchecked = findings
        .unchecked
        .iter()
        .map(|what| format!("not checked: {what}"));
    for line in unread.chain(unchecked) {
        out.text(visible(line.as_bytes()));
        out.end_line();
    }
    if place == Summary::Last {
        summary(out, findings, checked);
    }
}

/// `2 services, 5 real servers: 3 errors (1 no-weight, 2 no-servers), 0 warnings`
fn summary(out: &mut Buffer, findings: &Findings, checked: &str) {
    out.text(checked);
    for (separator, severity) in [(": ", Severity::Error), (", ", Severity::Warning)] {
        let number = findings.count(severity);
        out.text(separator);
        out.text(count(number as u64, severity.name()));
        let mut kinds = by_kind(findings);
        kinds.retain(|kind, _| kind.severity() == severity);
        if !kinds.is_empty() {
            let kinds = kinds.iter().map(|(kind, n)| format!("{n} {}", kind.id()));
            out.text(format!(" ({})", kinds.collect::<Vec<_>>().join(", ")));
        }
    }
    if findings.ignored > 0 {
        out.text(format!(", {} ignored", findings.ignored));
    }
    if !findings.unread.is_empty() {
        out.text(format!(", {} not read", findings.unread.len()));
    }
    out.end_line();
}

/// How many findings there are of each kind.
fn by_kind(findings: &Findings) -> BTreeMap<Kind, usize> {
    let mut kinds = BTreeMap::new();
    for finding in &findings.found {
        *kinds.entry(finding.kind).or_default() += 1;
    }
    kinds
}

/// A block for each finding, or for each kind of which there are many.
fn blocks(out: &mut Buffer, findings: &Findings) {
    let netns = findings.netns.as_deref();
    let kinds = by_kind(findings);
    let mut grouped = BTreeSet::new();
    for finding in &findings.found {
        let number = kinds[&finding.kind];
        if number <= MANY {
            title(out, finding.kind);
            body(out, finding, netns);
        } else if grouped.insert(finding.kind) {
            title(out, finding.kind);
            let alike = findings.found.iter();
            let alike = alike.filter(|other| other.kind == finding.kind);
            for finding in alike.take(SHOWN) {
                body(out, finding, netns);
            }
            let more = number - SHOWN;
            out.text(format!("  more:  {more} others; --json has all of them"));
            out.end_line();
        }
    }
}

fn title(out: &mut Buffer, kind: Kind) {
    out.text(kind.severity().name());
    out.push(b' ');
    out.text(kind.id());
    out.text(": ");
    out.text(kind.title());
    out.end_line();
}

fn body(out: &mut Buffer, finding: &Finding, netns: Option<&OsStr>) {
    if let Some(service) = &finding.service {
        out.text("  where:");
        rules::named(out, service, finding.server.as_ref());
        out.end_line();
    }
    out.text("  seen:  ");
    out.text(visible(finding.seen.as_bytes()));
    out.end_line();
    for fix in &finding.fix {
        out.text("  fix:   ");
        out.text(fix.command_line(netns));
        out.end_line();
    }
    out.text("  or:    --ignore ");
    out.text(Ignore::narrowest(finding).to_string());
    out.end_line();
}
