//! `--check --json`: a finding a line.

use crate::check::{Finding, Findings, Ignore, Severity};
use crate::render::Buffer;
use crate::render::json::{Text, Value, Word, members, service_members};
use ipvs::{Family, ServerKey, ServiceKey};
use std::ffi::OsStr;

/// Writes the document.
pub fn findings(out: &mut Buffer, findings: &Findings) {
    let unread: Vec<String> = findings.unread.iter().map(|e| format!("{e:#}")).collect();
    out.push(b'{');
    members!(out,
        "errors": findings.count(Severity::Error) as u64,
        "warnings": findings.count(Severity::Warning) as u64,
        "ignored": findings.ignored as u64,
        "not_read": Texts(&unread),
        "not_checked": Texts(&findings.unchecked),
    );
    out.text(",\"findings\":[");
    for (at, finding) in findings.found.iter().enumerate() {
        out.text(if at > 0 { ",\n" } else { "\n" });
        row(out, finding, findings.netns.as_deref());
    }
    out.text("\n]}\n");
}

fn row(out: &mut Buffer, finding: &Finding, netns: Option<&OsStr>) {
    let fixes = finding.fix.iter();
    let commands: Vec<String> = fixes.map(|fix| fix.command_line(netns)).collect();
    out.push(b'{');
    members!(out,
        "id": Word(finding.kind.id()),
        "severity": Word(finding.kind.severity().name()),
        "ignore": Text(Ignore::narrowest(finding).to_string().as_bytes()),
        "title": Text(finding.kind.title().as_bytes()),
        "service": finding.service,
        "server": finding.server,
        "seen": Text(finding.seen.as_bytes()),
        "fix": Texts(&commands),
    );
    out.push(b'}');
}

impl Value for ServiceKey {
    fn put(&self, out: &mut Buffer) {
        out.push(b'{');
        service_members(out, self);
        out.push(b'}');
    }
}

impl Value for ServerKey {
    fn put(&self, out: &mut Buffer) {
        out.push(b'{');
        members!(out,
            "address": self.address,
            "port": self.port,
            "family": Family::of(&self.address),
        );
        out.push(b'}');
    }
}

/// A list of texts.
struct Texts<'a>(&'a [String]);

impl Value for Texts<'_> {
    fn put(&self, out: &mut Buffer) {
        out.push(b'[');
        for (at, text) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            Text(text.as_bytes()).put(out);
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Fix, Kind};
    use crate::render::sample::{server_key, tcp, written};

    #[test]
    fn a_document() {
        let service = tcp("192.0.2.1", 80);
        let finding = |kind, server| Finding {
            kind,
            service: Some(service),
            server,
            seen: "a \"quote\"".into(),
            fix: vec![Fix::AddServer(service), Fix::Command("true".into())],
        };
        let all = Findings {
            found: vec![
                finding(Kind::NoServers, None),
                finding(Kind::PortIgnored, Some(server_key("fd00::1", 81))),
            ],
            unread: vec![anyhow::anyhow!("denied").context("routes")],
            unchecked: vec!["a".into(), "b".into()],
            netns: Some("blue".into()),
            ignored: 3,
            ..Findings::default()
        };
        let text = written(|out| findings(out, &all));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["errors"], 1);
        assert_eq!(json["warnings"], 1);
        assert_eq!(json["ignored"], 3);
        assert_eq!(json["not_read"][0], "routes: denied");
        assert_eq!(json["not_checked"][1], "b");
        let rows = &json["findings"];
        assert_eq!(rows[0]["id"], "no-servers");
        assert_eq!(rows[0]["ignore"], "no-servers@tcp:192.0.2.1:80");
        assert_eq!(rows[0]["severity"], "error");
        assert_eq!(rows[0]["service"]["port"], 80);
        assert!(rows[0]["server"].is_null());
        assert_eq!(rows[0]["seen"], "a \"quote\"");
        assert_eq!(
            rows[0]["fix"][0],
            "ipvsadm -a -t 192.0.2.1:80 -r ADDRESS --netns blue"
        );
        assert_eq!(rows[1]["server"]["address"], "fd00::1");
        assert_eq!(rows[1]["fix"][1], "ip netns exec blue true");
    }
}
