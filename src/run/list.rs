//! `-L`: the table, the connections, the time-outs, the sync daemons.

use super::Session;
use super::failure::{self, Failure};
use crate::cli::List;
use crate::kernel::{ListError, Namespace, Unreadable};
use crate::model::{Server, Service, ServiceKey, Style};
use crate::names::{Names, Numeric, Resolver};
use crate::render::{self, order};
use anyhow::{anyhow, bail};
use std::io;

/// Lists what `list` asks for.
pub fn list(session: &mut Session, list: &List) -> anyhow::Result<()> {
    match *list {
        List::Table {
            service,
            style,
            sorted,
            numeric,
        } => table(session, service, &Printer { style, sorted }, numeric),
        List::Connections { engines, numeric } => connections(session, engines, numeric),
        List::Timeouts => {
            let timeouts = session.ipvs.timeouts().map_err(Failure::list)?;
            Ok(render::timeouts(&mut session.out, &timeouts).map_err(Failure::Output)?)
        }
        List::Daemons => {
            let daemons = session.ipvs.daemons().map_err(Failure::list)?;
            for daemon in &daemons {
                render::daemon(&mut session.out, daemon).map_err(Failure::Output)?;
            }
            Ok(())
        }
    }
}

/// How to print a table.
struct Printer {
    style: Style,
    sorted: bool,
}

fn table(
    session: &mut Session,
    service: Option<ServiceKey>,
    printer: &Printer,
    numeric: bool,
) -> anyhow::Result<()> {
    let services = match service {
        Some(key) => vec![session.ipvs.service(&key).map_err(Failure::list)?],
        None => {
            let info = session.ipvs.info().map_err(Failure::list)?;
            render::listing_title(&mut session.out, info.version_parts(), info.conn_tab_size)
                .map_err(Failure::Output)?;
            let mut services = session.ipvs.services().map_err(Failure::list)?;
            if printer.sorted {
                order::services(&mut services);
            }
            services
        }
    };
    render::column_titles(&mut session.out, &printer.style).map_err(Failure::Output)?;
    if numeric {
        return printer.stream(session, &services);
    }
    let table = read_servers(session, services, printer.sorted)?;
    let names = resolve(&table, Resolver::for_listing());
    for (service, servers) in &table {
        printer.block(session, &names, service, servers)?;
    }
    tell_late_names(&names);
    Ok(())
}

impl Printer {
    /// Prints each service as soon as its servers are known.
    fn stream(&self, session: &mut Session, services: &[Service]) -> anyhow::Result<()> {
        let mut servers = Vec::new();
        for service in services {
            if read_servers_of(session, &service.key, self.sorted, &mut servers)? {
                self.block(session, &Numeric, service, &servers)?;
            }
        }
        Ok(())
    }

    fn block<N: Names>(
        &self,
        session: &mut Session,
        names: &N,
        service: &Service,
        servers: &[Server],
    ) -> anyhow::Result<()> {
        let out = &mut session.out;
        render::service(out, &self.style, names, service).map_err(Failure::Output)?;
        for server in servers {
            render::server(out, &self.style, names, &service.key, server)
                .map_err(Failure::Output)?;
        }
        Ok(())
    }
}

/// Reads the servers of `key` into `servers`; false when the service is gone.
pub fn read_servers_of(
    session: &mut Session,
    key: &ServiceKey,
    sorted: bool,
    servers: &mut Vec<Server>,
) -> anyhow::Result<bool> {
    match session.ipvs.servers_into(key, servers) {
        Err(ListError::Kernel(error)) if error.errno() == libc::ESRCH => return Ok(false),
        result => result.map_err(Failure::list)?,
    }
    if sorted {
        order::servers(servers);
    }
    Ok(true)
}

/// The services with their servers, without those that are gone by now.
pub fn read_servers(
    session: &mut Session,
    services: Vec<Service>,
    sorted: bool,
) -> anyhow::Result<Vec<(Service, Vec<Server>)>> {
    let mut table = Vec::with_capacity(services.len());
    for service in services {
        let mut servers = Vec::new();
        if read_servers_of(session, &service.key, sorted, &mut servers)? {
            table.push((service, servers));
        }
    }
    Ok(table)
}

/// The names of all hosts in `table`.
pub fn resolve(table: &[(Service, Vec<Server>)], mut names: Resolver) -> Resolver {
    let services = table.iter().filter_map(|(service, _)| match service.key {
        ServiceKey::Address { address, .. } => Some(address),
        ServiceKey::Fwmark { .. } => None,
    });
    let servers = table.iter().flat_map(|(_, servers)| servers);
    names.prefetch(&mut services.chain(servers.map(|server| server.key.address)));
    names
}

/// Says so where numbers stand for names that did not come in time.
pub fn tell_late_names(names: &Resolver) {
    if names.timed_out() {
        failure::say(b"name look-up timed out: some addresses are shown as numbers");
    }
}

fn connections(session: &mut Session, engines: bool, numeric: bool) -> anyhow::Result<()> {
    // The file is open to everybody, and who talks to whom is not.
    session.check_permission()?;
    if numeric {
        return print_connections(session, engines, &mut Numeric);
    }
    let mut names = Resolver::for_listing();
    let result = print_connections(session, engines, &mut names);
    tell_late_names(&names);
    result
}

fn print_connections<N: Names>(
    session: &mut Session,
    engines: bool,
    names: &mut N,
) -> anyhow::Result<()> {
    let table = session.ipvs.namespace().connections();
    let mut table = table.map_err(connections_failed)?;
    let out = &mut session.out;
    render::connection_titles(out, engines).map_err(Failure::Output)?;
    let mut unreadable = 0u64;
    while let Some(rows) = table.next_rows().map_err(connections_failed)? {
        names.prefetch(&mut rows.addresses());
        for row in rows {
            match row {
                Ok(row) => {
                    render::connection(out, names, engines, &row).map_err(Failure::Output)?;
                }
                Err(Unreadable) => unreadable += 1,
            }
        }
    }
    match unreadable {
        0 => Ok(()),
        1 => bail!("{}: 1 line cannot be understood", Namespace::CONNECTIONS),
        n => bail!("{}: {n} lines cannot be understood", Namespace::CONNECTIONS),
    }
}

pub fn connections_failed(error: io::Error) -> anyhow::Error {
    anyhow!(
        "cannot read {}: {}",
        Namespace::CONNECTIONS,
        failure::system_text(&error)
    )
}
