//! The findings of `--check`, a block each:
//!
//! ```text
//! error forwarding-off: IP forwarding is off, ...
//!   where: -t 192.0.2.1:80 -r 10.0.0.11:80
//!   seen:  ...
//!   fix:   sysctl -w net.ipv4.ip_forward=1
//! ```

use crate::check::{Finding, Findings, Fix, Severity};
use crate::render::Buffer;
use crate::render::text::rules::{self, rule};

/// Writes all findings, what is not known, and how many findings there are.
pub fn findings(out: &mut Buffer, findings: &Findings, checked: &str) {
    for finding in &findings.found {
        block(out, finding);
    }
    let unread = findings
        .unread
        .iter()
        .map(|error| format!("not read: {error:#}"));
    let unchecked = findings
        .unchecked
        .iter()
        .map(|what| format!("not checked: {what}"));
    for line in unread.chain(unchecked) {
        out.text(line);
        out.end_line();
    }
    out.text(checked);
    for (separator, severity) in [(": ", Severity::Error), (", ", Severity::Warning)] {
        let count = findings.count(severity);
        out.text(separator);
        out.number(count as u64);
        out.push(b' ');
        out.text(severity.name());
        if count != 1 {
            out.push(b's');
        }
    }
    out.end_line();
}

fn block(out: &mut Buffer, finding: &Finding) {
    out.text(finding.kind.severity().name());
    out.push(b' ');
    out.text(finding.kind.id());
    out.text(": ");
    out.text(finding.kind.title());
    out.end_line();
    if let Some(service) = &finding.service {
        out.text("  where:");
        rules::named(out, service, finding.server.as_ref());
        out.end_line();
    }
    out.text("  seen:  ");
    out.text(&finding.seen);
    out.end_line();
    for fix in &finding.fix {
        out.text("  fix:   ");
        out.text(command_line(fix));
        out.end_line();
    }
}

/// The command line of a fix.
pub fn command_line(fix: &Fix) -> String {
    let mut out = Buffer::default();
    match fix {
        Fix::Change(change) => {
            out.text("ipvsadm ");
            rule(&mut out, None, change);
        }
        Fix::AddServer(service) => {
            out.text("ipvsadm -a");
            rules::named(&mut out, service, None);
            out.text(" -r ADDRESS");
        }
        Fix::Command(command) => out.text(command),
    }
    String::from_utf8_lossy(out.as_bytes())
        .trim_end()
        .to_owned()
}
