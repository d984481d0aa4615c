//! `--check` and `--check-real-server`: reads the facts, runs the checks and prints
//! the findings.

use super::exit::Exit;
use super::failure::{Failure, Nothing, Result};
use super::output::Output;
use super::session::{self, Session};
use super::table;
use crate::check::facts::Facts;
use crate::check::real_server::{self, Membership};
use crate::check::report::text::Summary;
use crate::check::{Findings, Ignore, Severity, director, report};
use crate::cli::Check;
use crate::cli::opt::CommandName;
use crate::render::words::count;
use crate::selection::Selection;
use ipvs::{Ipvs, Namespace, Server, Table};
use libc::{ENOENT, ESRCH};
use std::ffi::OsStr;
use std::io::{self, IsTerminal};

/// Runs the checks and prints the findings.
// Kept away from what every command runs, see build.rs.
#[cold]
pub fn check(
    check: &Check,
    ignore: &[Ignore],
    as_json: bool,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    findings(check, ignore, as_json, netns, out).map_err(Failure::cannot_tell)
}

fn findings(
    check: &Check,
    ignore: &[Ignore],
    as_json: bool,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    match *check {
        Check::Director { part } => director(&part, ignore, as_json, netns, out),
        Check::RealServer {
            service,
            server,
            forwarding,
        } => {
            let member = Membership {
                service,
                server,
                forwarding,
            };
            let namespace = session::namespace(netns)?;
            let mut report = Findings::new(netns, ignore);
            let facts = member.read(&namespace, &mut report);
            real_server::check(&member, &facts, &mut report);
            print(&report, "real server", as_json, out)
        }
    }
}

fn director(
    part: &Selection,
    ignore: &[Ignore],
    as_json: bool,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    let Session { mut ipvs, out, .. } = Session::open(netns, out)?;
    let mut report = Findings::new(netns, ignore);
    let table = match table(&mut ipvs, part).map_err(no_warning) {
        Ok(table) => table,
        Err(failure @ Failure::Unavailable(_)) => {
            return without_table(failure, ipvs.namespace(), report, as_json, out);
        }
        Err(failure) => return Err(failure),
    };
    let checked = format!(
        "{}, {}",
        count(table.services.len() as u64, "service"),
        count(table.servers().count() as u64, "real server")
    );
    if ipvs.has_unknown() {
        report.unread.push(anyhow::anyhow!(
            "services or real servers of an unknown address family"
        ));
    }
    let facts = Facts::read(&mut ipvs, table, part.is_whole(), &mut report);
    director::check(&facts, &mut report);
    print(&report, &checked, as_json, out)
}

/// The services of `part`, with all their real servers.
fn table(ipvs: &mut Ipvs, part: &Selection) -> Result<Table> {
    let services = table::services(ipvs, part)?;
    let mut table = table::read(ipvs, services, &Selection::default(), true)?;
    if part.server.is_some() {
        let is_meant = |servers: &[Server]| servers.iter().any(|s| part.has_server(&s.key));
        table.services.retain(|(_, servers)| is_meant(servers));
        table::found(part, &table)?;
    }
    Ok(table)
}

/// The same failure with another exit status than that of -L, where 1 means
/// warnings.
fn no_warning(failure: Failure) -> Failure {
    match failure {
        Failure::NothingSelected(Nothing::Service) | Failure::Refused { errno: ESRCH, .. } => {
            Failure::refused(CommandName::Check, ESRCH)
        }
        Failure::NothingSelected(Nothing::Server) => {
            Failure::refused(CommandName::DeleteServer, ENOENT)
        }
        failure => failure,
    }
}

/// What can be found without the table, which this user may not read.
fn without_table(
    failure: Failure,
    namespace: &Namespace,
    mut report: Findings,
    as_json: bool,
    out: Output,
) -> Result<Exit> {
    let facts = Facts::without_table(namespace, &mut report);
    director::check(&facts, &mut report);
    print(&report, "without the table", as_json, out)?;
    Err(failure)
}

fn print(findings: &Findings, checked: &str, as_json: bool, mut out: Output) -> Result<Exit> {
    let summary = match io::stdout().is_terminal() {
        true => Summary::Last,
        false => Summary::First,
    };
    match as_json {
        false => report::text::findings(out.buffer(), findings, checked, summary),
        true => report::json::findings(out.buffer(), findings),
    }
    out.finish()?;
    let warned = findings.count(Severity::Warning) > 0;
    Ok(if findings.count(Severity::Error) > 0 {
        Exit::Errors
    } else if warned || !findings.unread.is_empty() {
        Exit::Failure
    } else {
        Exit::Success
    })
}
