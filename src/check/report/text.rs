//! The findings of `--check`, a block each:
//!
//! ```text
//! error forwarding-off: the kernel does not forward ...
//!   where: -t 192.0.2.1:80 -r 10.0.0.11:80
//!   seen:  ...
//!   mend:  sysctl -w net.ipv4.ip_forward=1
//! ```
//!
//! This module must not know what a finding means.

use crate::check::{Finding, Findings, Mend, Severity};
use crate::render::Buffer;
use crate::render::text::rules::{self, rule};

/// Writes all findings, what was not looked at, and how many there are.
pub fn findings(out: &mut Buffer, findings: &Findings, checked: &str) {
    for finding in &findings.found {
        block(out, finding);
    }
    for (label, whats) in [
        ("not read: ", &findings.unread),
        ("not checked: ", &findings.unchecked),
    ] {
        for what in whats {
            out.text(label);
            out.text(what);
            out.end_line();
        }
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
    for mend in &finding.mend {
        out.text("  mend:  ");
        out.text(command_line(mend));
        out.end_line();
    }
}

/// The command line that mends.
pub fn command_line(mend: &Mend) -> String {
    let mut out = Buffer::default();
    match mend {
        Mend::Change(change) => {
            out.text("ipvsadm ");
            rule(&mut out, None, change);
        }
        Mend::AddServer(service) => {
            out.text("ipvsadm -a");
            rules::named(&mut out, service, None);
            out.text(" -r ADDRESS");
        }
        Mend::Command(command) => out.text(command),
    }
    String::from_utf8_lossy(out.as_bytes())
        .trim_end()
        .to_owned()
}
