//! The table as it is read: for `-L`, `-S`, `--replace` and `--watch`.
//!
//! This module must not know what a report looks like.

use super::failure::{self, Failure, Nothing, Result};
use super::output::Output;
use super::session::Session;
use crate::cli::opt::CommandName;
use crate::procfs::{self, Seen};
use crate::render::{TableReport, order};
use crate::rules::plan::Present;
use crate::selection::Selection;
use ipvs::{Family, Info, Ipvs, ListError, Server, ServerKey, Service, ServiceKey, Table};
use libc::ESRCH;
use std::io;

/// The `part` of the table to compare with another one, in the order of `-S`;
/// with `settings`, the session time-outs and the sync daemons too. A part in
/// which there is nothing is an empty table.
pub fn present(
    ipvs: &mut Ipvs,
    part: &Selection,
    settings: bool,
) -> std::result::Result<Present, ListError> {
    let mut services = ipvs.services()?;
    services.retain(|service| part.has_service(&service.key));
    let mut table = ipvs.table_of(&services)?;
    part.reduce(&mut table);
    order::table(&mut table);
    let mut present = Present {
        table,
        ..Present::default()
    };
    if settings {
        present.timeouts = Some(ipvs.timeouts()?);
        present.daemons = ipvs.daemons()?;
    }
    Ok(present)
}

/// One server; `None` when it is not there, or its service is not.
pub fn server(
    ipvs: &mut Ipvs,
    service: &ServiceKey,
    key: &ServerKey,
) -> std::result::Result<Option<Server>, ListError> {
    let servers = ipvs.servers(service)?;
    Ok(servers.into_iter().find(|server| server.key == *key))
}

/// The services of `part`, whatever real servers they have.
pub fn services(ipvs: &mut Ipvs, part: &Selection) -> Result<Vec<Service>> {
    let services = ipvs.all_or_one(part.service.as_ref());
    let mut services = services.map_err(Failure::list)?;
    if part.vip.is_some() {
        services.retain(|service| part.has_service(&service.key));
        if services.is_empty() {
            return Err(Failure::NothingSelected(Nothing::Service));
        }
    }
    Ok(services)
}

/// What `failure` is where a `part` was asked for: 1 then means that there is
/// nothing in it, and trouble is 2. Listings that C ipvsadm has keep its 1.
pub fn trouble(part: &Selection, failure: Failure) -> Failure {
    match failure {
        Failure::NothingSelected(_) | Failure::Refused { errno: ESRCH, .. } => failure,
        failure if part.vip.is_none() && part.server.is_none() => failure,
        failure => failure.cannot_tell(),
    }
}

/// Fails if there is nothing in `table`, which is the `part` that was asked for.
pub fn found(part: &Selection, table: &Table) -> Result<()> {
    match (table.services.is_empty(), part.server, part.vip) {
        (true, Some(_), _) => Err(Failure::NothingSelected(Nothing::Server)),
        (true, None, Some(_)) => Err(Failure::NothingSelected(Nothing::Service)),
        _ => Ok(()),
    }
}

/// The services and servers of `part`, read for `command`, which edits them: a
/// refusal where there are none.
pub fn to_edit(ipvs: &mut Ipvs, part: &Selection, command: CommandName) -> Result<Table> {
    let services = services(ipvs, part);
    let table = services.and_then(|services| read(ipvs, services, part, true));
    table.map_err(|failure| failure.of(command))
}

/// What the kernel says, where that is only for root and this user is not.
const PARTIAL: &str = "only root may ask the kernel for everything: \
                       this is what /proc/net/ip_vs tells";

/// The `part` of the table as /proc/net/ip_vs tells it to everybody, where netlink
/// has `refused`; the first time, it is said on stderr.
pub fn from_proc(
    session: &mut Session,
    part: &Selection,
    sorted: bool,
    refused: Failure,
) -> Result<Seen> {
    let mut seen = match procfs::table(session.ipvs.namespace()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(refused),
        Err(error) => return Err(Failure::Unread(procfs::TABLE, error)),
        Ok(None) => return Err(Failure::Unstable),
        Ok(Some(seen)) => seen,
    };
    if let Some(ServiceKey::Fwmark { mark, .. }) = part.service {
        let is_doubtful = |family| {
            let key = ServiceKey::Fwmark { mark, family };
            seen.source.family(&key).is_none()
        };
        if is_doubtful(Family::Inet) || is_doubtful(Family::Inet6) {
            return Err(Failure::FamilyOfMark(mark).cannot_tell());
        }
    }
    let is_there = |wanted| {
        let mut services = seen.table.services.iter();
        services.any(|(service, _)| service.key == wanted)
    };
    if !part.service.is_none_or(is_there) {
        return Err(Failure::refused(CommandName::List, ESRCH));
    }
    part.reduce(&mut seen.table);
    found(part, &seen.table)?;
    if !part.is_whole() {
        seen.source.forget_others(&seen.table);
    }
    if sorted {
        order::table(&mut seen.table);
    }
    if !std::mem::replace(&mut session.said_partial, true) {
        failure::say(PARTIAL.as_bytes());
    }
    Ok(seen)
}

/// Reads the servers of `services` and hands over each service of `part` with
/// those that are meant.
fn visit(
    ipvs: &mut Ipvs,
    services: &[Service],
    part: &Selection,
    mut visit: impl FnMut(&Service, &mut [Server]) -> Result<()>,
) -> Result<()> {
    let mut found = part.server.is_none();
    ipvs.visit_servers(services, |service, servers| match part.servers(servers) {
        Some(servers) => {
            found = true;
            visit(service, servers)
        }
        None => Ok(()),
    })?;
    match found {
        true => Ok(()),
        false => Err(Failure::NothingSelected(Nothing::Server)),
    }
}

/// The table of `services` as far as they are of `part`, `sorted` or in the
/// kernel's order.
pub fn read(
    ipvs: &mut Ipvs,
    services: Vec<Service>,
    part: &Selection,
    sorted: bool,
) -> Result<Table> {
    let mut table = Table::default();
    table.services.reserve(match part.server {
        None => services.len(),
        Some(_) => 0,
    });
    visit(ipvs, &services, part, |service, servers| {
        table.services.push((*service, servers.to_vec()));
        Ok(())
    })?;
    if sorted {
        order::table(&mut table);
    }
    Ok(table)
}

/// Reports `services` with their servers, as far as they are of `part`: each as
/// soon as it is read, but where names are wanted, all of them after all were
/// read. Where nothing is of `part`, nothing is reported.
pub fn report(
    session: &mut Session,
    info: Option<&Info>,
    mut services: Vec<Service>,
    part: &Selection,
    sorted: bool,
    report: &mut dyn TableReport,
) -> Result<()> {
    let Session { ipvs, out, .. } = session;
    if report.names().is_some() {
        let table = read(ipvs, services, part, sorted)?;
        return report_table(out, info, &table, report);
    }
    if sorted {
        order::services(&mut services);
    }
    let mut begun = part.server.is_none();
    if begun {
        report.head(out.buffer(), info);
    }
    visit(ipvs, &services, part, |service, servers| {
        if !begun {
            begun = true;
            report.head(out.buffer(), info);
        }
        if sorted {
            order::servers(servers);
        }
        rows(out, report, service, servers)
    })?;
    report.end(out.buffer());
    Ok(())
}

/// Reports a table that was read.
pub fn report_table(
    out: &mut Output,
    info: Option<&Info>,
    table: &Table,
    report: &mut dyn TableReport,
) -> Result<()> {
    report.head(out.buffer(), info);
    all_rows(out, report, table)?;
    report.end(out.buffer());
    Ok(())
}

fn all_rows(out: &mut Output, report: &mut dyn TableReport, table: &Table) -> Result<()> {
    if let Some(names) = report.names() {
        names.prefetch(&mut table.addresses());
    }
    for (service, servers) in &table.services {
        rows(out, report, service, servers)?;
    }
    Ok(())
}

/// Fails if a listing so far has left out something that this program cannot
/// name.
pub fn all_known(ipvs: &Ipvs) -> Result<()> {
    match ipvs.has_unknown() {
        true => Err(Failure::UnknownFamily),
        false => Ok(()),
    }
}

/// A service with its servers.
fn rows(
    out: &mut Output,
    report: &mut dyn TableReport,
    service: &Service,
    servers: &[Server],
) -> Result<()> {
    report.service(out.buffer(), service);
    for server in servers {
        report.server(out.buffer(), &service.key, server);
        out.flush_if_full()?;
    }
    out.flush_if_full()
}
