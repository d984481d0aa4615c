//! `-L --openmetrics`.

use super::failure::{Failure, Result};
use super::session::Session;
use super::table;
use crate::procfs::{self, Seen};
use crate::render::Source;
use crate::render::openmetrics::{self, Director, Exposition, Names};
use crate::selection::Selection;
use ipvs::{Daemon, Namespace, ServiceKey};
use libc::EPERM;
use std::collections::HashSet;
use std::io;

/// Writes the metrics of the `part` of the table.
pub fn metrics(session: &mut Session, names: Names, part: &Selection, sorted: bool) -> Result<()> {
    let (seen, daemons) = read(session, part, sorted)?;
    let Session {
        ipvs, out, netns, ..
    } = session;
    let namespace = ipvs.namespace();
    let totals = procfs::stats(namespace);
    let totals = totals.map_err(|error| Failure::Unread(procfs::STATS, error))?;
    match names {
        Names::Own => {
            tell_apart(&seen.source)?;
            let status = procfs::status(namespace);
            let status = status.map_err(|error| Failure::Unread(procfs::STATUS, error))?;
            let director = Director {
                info: seen.info,
                totals,
                daemons,
                status,
                limit: match status {
                    Some(_) => limit(namespace)?,
                    None => None,
                },
            };
            let exposition = Exposition::of(netns.as_deref(), seen.source);
            exposition.head(out.buffer(), &director);
            for metric in exposition.metrics() {
                exposition.metric(out.buffer(), metric);
                for (service, servers) in &seen.table.services {
                    exposition.samples(out.buffer(), metric, service, servers);
                    out.flush_if_full()?;
                }
            }
        }
        Names::Node => openmetrics::node(out.buffer(), netns.as_deref(), &totals, &seen.table),
    }
    openmetrics::end(out.buffer());
    table::all_known(ipvs)
}

/// Reads the `part` of the table and the sync daemons, which /proc does not tell.
fn read(
    session: &mut Session,
    part: &Selection,
    sorted: bool,
) -> Result<(Seen, Option<Vec<Daemon>>)> {
    let ipvs = &mut session.ipvs;
    let services = match table::services(ipvs, part) {
        Err(refused @ Failure::Unavailable(EPERM)) => {
            return Ok((table::from_proc(session, part, sorted, refused)?, None));
        }
        services => services?,
    };
    let info = ipvs.info().map_err(Failure::list)?;
    let daemons = ipvs.daemons().map_err(Failure::list)?;
    let table = table::read(ipvs, services, part, sorted)?;
    let seen = Seen {
        info,
        table,
        source: Source::Netlink,
    };
    Ok((seen, Some(daemons)))
}

/// Fails if two services would have the same labels.
fn tell_apart(source: &Source) -> Result<()> {
    let Source::Proc { doubtful, .. } = source else {
        return Ok(());
    };
    let mut marks = HashSet::new();
    for key in doubtful {
        if let ServiceKey::Fwmark { mark, .. } = key {
            if !marks.insert(mark) {
                return Err(Failure::FamilyOfMark(*mark));
            }
        }
    }
    Ok(())
}

/// How many connections there may be.
fn limit(namespace: &Namespace) -> Result<Option<u64>> {
    match procfs::setting(namespace, "conn_max") {
        Ok(limit) => Ok(limit.parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Unread("/proc/sys/net/ipv4/vs/conn_max", error)),
    }
}
