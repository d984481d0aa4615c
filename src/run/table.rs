//! The table as it is read: for `-L`, `-S`, `--replace` and `--watch`.
//!
//! This module must not know what a report looks like.

use super::failure::{Failure, Result};
use super::output::Output;
use super::session::Session;
use crate::render::{TableReport, order};
use crate::rules::plan::Present;
use ipvs::{Info, Ipvs, ListError, Server, ServerKey, Service, ServiceKey, Table};

/// The table to compare with another one, in the order of `-S`; with `settings`,
/// the session time-outs and the sync daemons too.
pub fn present(ipvs: &mut Ipvs, settings: bool) -> std::result::Result<Present, ListError> {
    let services = ipvs.services()?;
    let mut table = ipvs.table_of(&services)?;
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

/// The table of `services`, `sorted` or in the kernel's order.
pub fn read(ipvs: &mut Ipvs, services: Vec<Service>, sorted: bool) -> Result<Table> {
    let mut table = ipvs.table_of(&services).map_err(Failure::list)?;
    if sorted {
        order::table(&mut table);
    }
    Ok(table)
}

/// Reports `services` with their servers: each as soon as it is read, but where
/// names are wanted, all of them after all were read.
pub fn report(
    session: &mut Session,
    info: Option<&Info>,
    mut services: Vec<Service>,
    sorted: bool,
    report: &mut dyn TableReport,
) -> Result<()> {
    let Session { ipvs, out, .. } = session;
    report.head(out.buffer(), info);
    if report.names().is_none() {
        if sorted {
            order::services(&mut services);
        }
        ipvs.visit_servers(&services, |service, servers| {
            if sorted {
                order::servers(servers);
            }
            rows(out, report, service, servers)
        })?;
    } else {
        all_rows(out, report, &read(ipvs, services, sorted)?)?;
    }
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
