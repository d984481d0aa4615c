//! The one loop that reads services and their servers: for `-L`, `-S`,
//! `--replace` and `--watch`.
//!
//! This module must not know what a report looks like.

use super::failure::{Failure, Result};
use super::output::Output;
use super::session::Session;
use crate::render::{Report, order};
use crate::rules::plan::Present;
use ipvs::{Ipvs, ListError, Server, ServerKey, Service, ServiceKey};
use std::net::IpAddr;

/// Services, each with its servers.
pub type Table = Vec<(Service, Vec<Server>)>;

/// Reads the servers of each of `services` and hands them over. A service that
/// is gone by now is left out.
fn for_each(
    ipvs: &mut Ipvs,
    services: &[Service],
    sorted: bool,
    mut visit: impl FnMut(&Service, &[Server]) -> Result<()>,
) -> Result<()> {
    let mut servers = Vec::new();
    for service in services {
        match ipvs.servers_into(&service.key, &mut servers) {
            Err(ListError::Kernel(error)) if error.errno() == libc::ESRCH => continue,
            result => result.map_err(Failure::list)?,
        }
        if sorted {
            order::servers(&mut servers);
        }
        visit(service, &servers)?;
    }
    Ok(())
}

/// The table to compare with another one, in the order of `-S`; with `settings`,
/// the session time-outs and the sync daemons too.
pub fn present(session: &mut Session, settings: bool) -> Result<Present> {
    let Session { ipvs, .. } = session;
    let mut services = ipvs.services().map_err(Failure::list)?;
    order::services(&mut services);
    let mut present = Present {
        services: read(ipvs, &services, true)?,
        ..Present::default()
    };
    if settings {
        present.timeouts = Some(ipvs.timeouts().map_err(Failure::list)?);
        present.daemons = ipvs.daemons().map_err(Failure::list)?;
    }
    Ok(present)
}

/// One server; `None` when it is not there, or its service is not.
pub fn server(ipvs: &mut Ipvs, service: &ServiceKey, key: &ServerKey) -> Result<Option<Server>> {
    match ipvs.servers(service) {
        Err(ListError::Kernel(error)) if error.errno() == libc::ESRCH => Ok(None),
        servers => {
            let servers = servers.map_err(Failure::list)?;
            Ok(servers.into_iter().find(|server| server.key == *key))
        }
    }
}

/// The services with their servers.
pub fn read(ipvs: &mut Ipvs, services: &[Service], sorted: bool) -> Result<Table> {
    let mut table = Vec::with_capacity(services.len());
    for_each(ipvs, services, sorted, |service, servers| {
        table.push((*service, servers.to_vec()));
        Ok(())
    })?;
    Ok(table)
}

/// Reports services with their servers: each as soon as it is read, but where
/// names are wanted or several rounds, all of them after all were read.
pub fn report(
    session: &mut Session,
    services: &[Service],
    sorted: bool,
    report: &mut dyn Report,
) -> Result<()> {
    let Session { ipvs, out } = session;
    let rounds = report.rounds();
    if rounds == 1 && !report.wants_names() {
        return for_each(ipvs, services, sorted, |service, servers| {
            one(out, report, service, servers)
        });
    }
    let table = read(ipvs, services, sorted)?;
    if report.wants_names() {
        report.look_up(&mut addresses(&table));
    }
    for number in 0..rounds {
        report.round(out.buffer(), number);
        for (service, servers) in &table {
            one(out, report, service, servers)?;
        }
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
fn one(
    out: &mut Output,
    report: &mut dyn Report,
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

/// All addresses in `table`.
fn addresses(table: &Table) -> impl Iterator<Item = IpAddr> {
    let services = table.iter().filter_map(|(service, _)| match service.key {
        ServiceKey::Address { address, .. } => Some(address),
        ServiceKey::Fwmark { .. } => None,
    });
    let servers = table.iter().flat_map(|(_, servers)| servers);
    services.chain(servers.map(|server| server.key.address))
}
