//! What programs may rely on, as lines of `docs/interface.txt`: options, fields of the
//! JSON, metrics, findings and exit statuses. docs/packaging.md says what is promised
//! of them.
//!
//! The lines are made from the tables that the programs use. A change shows up as a
//! difference of that file; a line that the last release has must not be lost.

use super::{path, read};
use ipvs::{
    Daemon, DaemonConfig, DaemonRole, Family, Forwarding, Info, Protocol, Server, ServerConfig,
    ServerKey, Service, ServiceConfig, ServiceKey, Table,
};
use ipvsadm::check::Kind;
use ipvsadm::cli::options::{OPTIONS, OptionSpec, Role};
use ipvsadm::procfs::{CHAINS, Stats, Status};
use ipvsadm::render::openmetrics::{Director, Exposition, node};
use ipvsadm::render::{Buffer, Source};
use ipvstop::command_line;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::Command;

const FILE: &str = "docs/interface.txt";

const HEAD: &str = "\
# What programs may rely on; docs/packaging.md says what is promised of it.
# Made by: UPDATE_DOCS=1 cargo test --test docs
";

fn lines() -> Vec<String> {
    let mut lines = options();
    lines.extend(fields());
    lines.extend(metrics());
    lines.extend(
        Kind::ALL
            .iter()
            .map(|kind| format!("finding {}", kind.id())),
    );
    lines.extend(statuses());
    lines
}

/// Each spelling of each option, with each command that takes it.
fn options() -> Vec<String> {
    let mut lines = Vec::new();
    let commands = || {
        OPTIONS
            .iter()
            .filter(|row| matches!(row.role, Role::Command(_)))
    };
    for row in OPTIONS.iter() {
        let takers: Vec<_> = match row.role {
            Role::Option(_) => commands().filter(|other| is_taken_by(row, other)).collect(),
            Role::Command(_) | Role::Unchecked => Vec::new(),
        };
        for spelling in row.spellings() {
            match &takers[..] {
                [] => lines.push(format!("ipvsadm {spelling}")),
                takers => lines.extend(takers.iter().map(|taker| {
                    let command = taker.spellings().next().unwrap_or_default();
                    format!("ipvsadm {command} {spelling}")
                })),
            }
        }
    }
    for option in &command_line::OPTIONS {
        lines.extend(
            option
                .spellings()
                .iter()
                .map(|word| format!("ipvstop {word}")),
        );
    }
    lines
}

fn is_taken_by(row: &OptionSpec, command: &OptionSpec) -> bool {
    matches!(command.role, Role::Command(name) if row.is_taken_by(name))
}

/// Each field of each document and of its parts, as `docs/ipvsadm.schema.json` has it.
fn fields() -> Vec<String> {
    let schema: Value = serde_json::from_str(&read("docs/ipvsadm.schema.json")).expect("JSON");
    let mut lines = Vec::new();
    for (part, shape) in schema["$defs"].as_object().expect("parts") {
        put_fields(&mut lines, part, shape);
    }
    lines
}

fn put_fields(lines: &mut Vec<String>, whole: &str, shape: &Value) {
    let Some(fields) = shape["properties"].as_object() else {
        return;
    };
    let required = shape["required"].as_array();
    for (name, field) in fields {
        let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
        let when = if is_required { "always" } else { "sometimes" };
        let inner = format!("{whole}.{name}");
        lines.push(format!("json {inner} {when} {}", kind(field)));
        put_fields(lines, &inner, field);
        put_fields(lines, &format!("{inner}[]"), &field["items"]);
    }
}

/// What a field is: a type, the name of a part, or several of them.
fn kind(field: &Value) -> String {
    if let Some(part) = field["$ref"].as_str() {
        return part.trim_start_matches("#/$defs/").into();
    }
    if let Some(choices) = field["oneOf"].as_array().or(field["anyOf"].as_array()) {
        let kinds: Vec<_> = choices.iter().map(kind).collect();
        return kinds.join("|");
    }
    match &field["type"] {
        Value::String(name) if name == "array" => format!("array of {}", kind(&field["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
            names.join("|")
        }
        _ if field["enum"].is_array() || field["const"].is_string() => "string".into(),
        _ => "any".into(),
    }
}

/// Each metric with its type and labels, ours and those of node_exporter.
fn metrics() -> Vec<String> {
    let (service, server) = sample();
    let exposition = Exposition::of(None, Source::Netlink);
    let own = written(|out| {
        exposition.head(out, &director());
        for metric in exposition.metrics() {
            exposition.metric(out, metric);
            exposition.samples(out, metric, &service, &[server]);
        }
    });
    let services = vec![(service, vec![server])];
    let nodes = written(|out| node(out, None, &Stats::default(), &Table { services }));
    let mut lines = described(&own);
    lines.extend(described(&nodes));
    lines
}

fn sample() -> (Service, Server) {
    let address = IpAddr::from([10, 0, 0, 1]);
    let key = ServiceKey::Address {
        protocol: Protocol::Tcp,
        address,
        port: 80,
    };
    let service = Service::new(key, ServiceConfig::new("rr", Family::Inet));
    let key = ServerKey { address, port: 80 };
    let server = Server::new(key, ServerConfig::new(Forwarding::Masq));
    (service, server)
}

/// One of which everything is known.
fn director() -> Director {
    Director {
        info: Info::new(0x01_02_01, 4096),
        totals: Stats::default(),
        daemons: Some(vec![Daemon {
            role: DaemonRole::Backup,
            config: DaemonConfig::default(),
        }]),
        status: Some(Status {
            connections: 0,
            buckets: Some([0; CHAINS]),
        }),
        limit: Some(1),
    }
}

fn written(write: impl FnOnce(&mut Buffer)) -> String {
    let mut out = Buffer::default();
    write(&mut out);
    String::from_utf8(out.into_bytes()).expect("text")
}

/// `metric NAME TYPE LABEL,LABEL` for each TYPE of an exposition and its first sample.
fn described(text: &str) -> Vec<String> {
    let mut kind = "";
    let mut lines = Vec::new();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            kind = rest.split(' ').nth(1).unwrap_or_default();
        } else if !line.starts_with('#') {
            let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels
                .split("\",")
                .filter_map(|label| label.split('=').next());
            let labels: Vec<_> = labels.filter(|label| !label.is_empty()).collect();
            if seen.insert(name) {
                lines.push(
                    format!("metric {name} {kind} {}", labels.join(","))
                        .trim_end()
                        .into(),
                );
            }
        }
    }
    lines
}

/// The commands and statuses in the manual's table of exit statuses.
fn statuses() -> Vec<String> {
    let manual = read("man/ipvsadm.8");
    let table = manual.split(".Sh EXIT STATUS").nth(1);
    let table = table.and_then(|rest| rest.split(".Bl -column").nth(1));
    let table = table.and_then(|rest| rest.split(".El").next());
    let rows = table.expect("a table").lines();
    let rows = rows.filter_map(|line| {
        line.strip_prefix(".It ")
            .filter(|row| !row.starts_with("Sy"))
    });
    let mut commands = String::new();
    let mut lines = Vec::new();
    for row in rows {
        let mut cells = row.split(" Ta ");
        let (first, status) = (
            cells.next().unwrap_or_default(),
            cells.next().unwrap_or_default(),
        );
        if first != "\\&" {
            commands = first.replace("Fl ", "-").replace(" , ", ", -");
        }
        lines.push(format!("exit {commands}: {status}"));
    }
    lines
}

/// The lines of `released` that `now` has not.
fn lost<'a>(released: &'a str, now: &str) -> Vec<&'a str> {
    let now: BTreeSet<_> = now.lines().collect();
    let promised = released.lines().filter(|line| !line.starts_with('#'));
    promised.filter(|line| !now.contains(line)).collect()
}

#[test]
fn the_interface_is_what_the_tables_say() {
    let made = format!("{HEAD}{}\n", lines().join("\n"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(FILE), &made).expect("written");
    }
    let written = read(FILE);
    let missing = [lost(&written, &made), lost(&made, &written)].concat();
    assert!(
        written == made,
        "{FILE} is not what the tables say; if that is meant to be, write it anew with\n\
         UPDATE_DOCS=1 cargo test --test docs\n{missing:#?}"
    );
}

/// What a release has, the next one keeps, unless its major version is another one.
#[test]
fn nothing_that_was_released_is_lost() {
    let major = concat!("v", env!("CARGO_PKG_VERSION_MAJOR"), ".*");
    // A tarball, maybe unpacked in the repository of a distribution, with its own tags.
    if !path(".git").exists() {
        return;
    }
    let tag = git(&["describe", "--tags", "--abbrev=0", "--match", major]);
    let Some(tag) = tag else {
        // The first release of this major version is not made yet.
        let first = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".0.0");
        assert_eq!(env!("CARGO_PKG_VERSION"), first, "there is no tag {major}");
        return;
    };
    let released = git(&["show", &format!("{}:{FILE}", tag.trim())]).expect(FILE);
    assert_eq!(lost(&released, &read(FILE)), [""; 0], "lost since {tag}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(path(""))
        .args(arguments)
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

#[test]
fn what_is_lost_is_seen() {
    let now = read(FILE);
    let without = now.replace(
        "metric ipvs_server_weight gauge",
        "metric ipvs_weight gauge",
    );
    assert_ne!(now, without);
    assert_eq!(lost(&now, &without).len(), 1);
    assert_eq!(lost(&now, &format!("{now}ipvsadm --new\n")), [""; 0]);
}
