//! `-S`: the table as the rules that make it.

use super::Session;
use super::failure::Failure;
use super::list::{read_servers, read_servers_of, resolve, tell_late_names};
use crate::model::{Change, Server, Service};
use crate::names::{Names, Numeric, Resolver};
use crate::render::{self, order};

/// Prints the rules; with `all` also those of time-outs and sync daemons.
pub fn save(session: &mut Session, numeric: bool, all: bool) -> anyhow::Result<()> {
    if all {
        save_settings(session)?;
    }
    let mut services = session.ipvs.services().map_err(Failure::list)?;
    order::services(&mut services);
    if numeric {
        let mut servers = Vec::new();
        for service in &services {
            if read_servers_of(session, &service.key, true, &mut servers)? {
                block(session, &Numeric, service, &servers)?;
            }
        }
        return Ok(());
    }
    let table = read_servers(session, services, true)?;
    let names = resolve(&table, Resolver::for_rules());
    for (service, servers) in &table {
        block(session, &names, service, servers)?;
    }
    tell_late_names(&names);
    Ok(())
}

fn save_settings(session: &mut Session) -> anyhow::Result<()> {
    let timeouts = session.ipvs.timeouts().map_err(Failure::list)?;
    line(session, &Numeric, &Change::SetTimeouts(timeouts))?;
    for daemon in session.ipvs.daemons().map_err(Failure::list)? {
        line(session, &Numeric, &Change::StartDaemon(daemon))?;
    }
    Ok(())
}

fn block<N: Names>(
    session: &mut Session,
    names: &N,
    service: &Service,
    servers: &[Server],
) -> anyhow::Result<()> {
    line(
        session,
        names,
        &Change::AddService(service.key, service.config),
    )?;
    for server in servers {
        let add = Change::AddServer(service.key, server.key, server.config);
        line(session, names, &add)?;
    }
    Ok(())
}

fn line<N: Names>(session: &mut Session, names: &N, change: &Change) -> anyhow::Result<()> {
    Ok(render::change_line(&mut session.out, names, change).map_err(Failure::Output)?)
}
