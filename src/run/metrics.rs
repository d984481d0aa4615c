//! `-L --openmetrics`.

use super::failure::{Failure, Result};
use super::session::Session;
use super::table;
use crate::procfs;
use crate::render::openmetrics::{self, Director, Exposition, METRICS, Names};
use crate::selection::Selection;
use ipvs::{Ipvs, Table};
use std::io;

/// Writes the metrics of the `part` of the table.
pub fn metrics(session: &mut Session, names: Names, part: &Selection, sorted: bool) -> Result<()> {
    let Session { ipvs, out, netns } = session;
    let services = table::services(ipvs, part)?;
    match names {
        Names::Own => {
            let director = director(ipvs)?;
            let table = table::read(ipvs, services, part, sorted)?;
            let exposition = Exposition::of(netns.as_deref());
            exposition.head(out.buffer(), &director);
            for metric in &METRICS {
                exposition.metric(out.buffer(), metric);
                for (service, servers) in &table.services {
                    exposition.samples(out.buffer(), metric, service, servers);
                    out.flush_if_full()?;
                }
            }
        }
        Names::Node => {
            let totals = totals(ipvs)?;
            let table: Table = table::read(ipvs, services, part, sorted)?;
            openmetrics::node(out.buffer(), netns.as_deref(), &totals, &table);
        }
    }
    openmetrics::end(out.buffer());
    table::all_known(ipvs)
}

fn totals(ipvs: &Ipvs) -> Result<procfs::Stats> {
    procfs::stats(ipvs.namespace()).map_err(|error| Failure::Unread(procfs::STATS, error))
}

fn director(ipvs: &mut Ipvs) -> Result<Director> {
    let info = ipvs.info().map_err(Failure::list)?;
    let daemons = ipvs.daemons().map_err(Failure::list)?;
    let namespace = ipvs.namespace();
    let status = procfs::status(namespace);
    let status = status.map_err(|error| Failure::Unread(procfs::STATUS, error))?;
    Ok(Director {
        info,
        totals: totals(ipvs)?,
        daemons,
        status,
        limit: match status {
            Some(_) => limit(ipvs)?,
            None => None,
        },
    })
}

/// How many connections there may be.
fn limit(ipvs: &Ipvs) -> Result<Option<u64>> {
    match procfs::setting(ipvs.namespace(), "conn_max") {
        Ok(limit) => Ok(limit.parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Unread("/proc/sys/net/ipv4/vs/conn_max", error)),
    }
}
