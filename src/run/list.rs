//! `-L`: the table, the connections, the time-outs, the sync daemons.

use super::failure::{self, Failure, Result};
use super::output::Output;
use super::session::Session;
use super::table as servers;
use crate::cli::{Format, List};
use crate::connections::{
    ConnectionFilter, Connections, Count, Counting, Groups, Tally, Unreadable,
};
use crate::names::{Names, Resolver};
use crate::render::json::Json;
use crate::render::openmetrics::OpenMetrics;
use crate::render::text::Text;
use crate::render::{Head, Report, Rest, Style, View, order};
use ipvs::{Ipvs, ListError, Service, ServiceKey};
use std::ops::Range;

/// Lists what `list` asks for.
pub fn list(session: &mut Session, list: &List, format: Format) -> Result<()> {
    match format {
        Format::Json => report(session, list, &mut Json::default()),
        Format::OpenMetrics => report(session, list, &mut OpenMetrics::default()),
        Format::Text => {
            let (style, names) = text_of(list);
            with_names(names.then(Resolver::for_listing), |names| {
                report(session, list, &mut Text::new(style, names))
            })
        }
    }
}

/// How `list` looks as text, and whether with names.
pub fn text_of(list: &List) -> (Style, bool) {
    match *list {
        List::Table { style, numeric, .. } => (style, !numeric),
        List::Connections {
            engines, numeric, ..
        } => {
            let view = if engines {
                View::PersistentConn
            } else {
                View::Plain
            };
            (Style { view, exact: false }, !numeric)
        }
        List::Timeouts | List::Daemons => (Style::default(), false),
    }
}

/// Lists what `list` asks for by `report`.
pub fn report(session: &mut Session, list: &List, report: &mut dyn Report) -> Result<()> {
    match *list {
        List::Table {
            service, sorted, ..
        } => {
            let services = read_services(&mut session.ipvs, service).map_err(Failure::list)?;
            table(session, services, service.is_none(), sorted, report)?;
            servers::all_known(&session.ipvs)
        }
        List::Connections { filter, by, .. } => connections(session, filter, by, report),
        List::Timeouts => timeouts(session, report),
        List::Daemons => daemons(session, report),
    }
}

/// Calls `report` with the resolver, if there is one, and says so if names that
/// came too late were replaced by numbers.
pub fn with_names(
    resolver: Option<Resolver>,
    report: impl FnOnce(Option<&mut dyn Names>) -> Result<()>,
) -> Result<()> {
    let Some(mut names) = resolver else {
        return report(None);
    };
    let result = report(Some(&mut names));
    warn_timed_out(&names);
    result
}

/// The message for that.
pub const NAMES_TIMED_OUT: &str = "name look-up timed out: some addresses are shown as numbers";

fn warn_timed_out(names: &Resolver) {
    if names.timed_out() {
        failure::say(NAMES_TIMED_OUT.as_bytes());
    }
}

/// All services, or this one.
pub fn read_services(
    ipvs: &mut Ipvs,
    service: Option<ServiceKey>,
) -> std::result::Result<Vec<Service>, ListError> {
    match service {
        Some(key) => Ok(vec![ipvs.service(&key)?]),
        None => ipvs.services(),
    }
}

/// Lists `services`, which are all of them if it is the `whole` table.
pub fn table(
    session: &mut Session,
    mut services: Vec<Service>,
    whole: bool,
    sorted: bool,
    report: &mut dyn Report,
) -> Result<()> {
    let info = if whole || report.wants_info() {
        Some(session.ipvs.info().map_err(Failure::list)?)
    } else {
        None
    };
    if sorted {
        order::services(&mut services);
    }
    report.head(session.out.buffer(), &Head::Table(info));
    servers::report(session, &services, sorted, report)?;
    report.end(session.out.buffer());
    Ok(())
}

fn timeouts(session: &mut Session, report: &mut dyn Report) -> Result<()> {
    let timeouts = session.ipvs.timeouts().map_err(Failure::list)?;
    let out = session.out.buffer();
    report.head(out, &Head::Timeouts);
    report.timeouts(out, &timeouts);
    report.end(out);
    session.out.flush_if_full()
}

fn daemons(session: &mut Session, report: &mut dyn Report) -> Result<()> {
    let daemons = session.ipvs.daemons().map_err(Failure::list)?;
    let out = session.out.buffer();
    report.head(out, &Head::Daemons);
    for daemon in &daemons {
        report.daemon(out, daemon);
    }
    report.end(out);
    session.out.flush_if_full()
}

fn connections(
    session: &mut Session,
    filter: ConnectionFilter,
    by: Option<Counting>,
    report: &mut dyn Report,
) -> Result<()> {
    // Everybody may read the file, but not everybody should see who talks to whom.
    session.check_permission()?;
    let table = Connections::open(session.ipvs.namespace(), filter);
    let mut table = table.map_err(Failure::Connections)?;
    let out = &mut session.out;
    let unreadable = match by {
        None => rows(&mut table, out, report)?,
        Some(counting) => counts(&mut table, counting, out, report)?,
    };
    if unreadable > 0 {
        return Err(Failure::UnknownConnections(unreadable));
    }
    report.end(out.buffer());
    Ok(())
}

/// Reports the rows of `table`; how many are not understood.
fn rows(table: &mut Connections, out: &mut Output, report: &mut dyn Report) -> Result<u64> {
    report.head(out.buffer(), &Head::Connections);
    let mut unreadable = 0;
    while let Some(rows) = table.next_rows().map_err(Failure::Connections)? {
        if report.wants_names() {
            report.look_up(&mut rows.addresses());
        }
        for row in rows {
            match row {
                Ok(connection) => report.connection(out.buffer(), &connection),
                Err(Unreadable) => unreadable += 1,
            }
            out.flush_if_full()?;
        }
    }
    Ok(unreadable)
}

/// So many counts are reported between two look-ups of names.
const GROUPS_AT_ONCE: usize = 1024;

/// Reports how many rows of `table` are alike; how many are not understood.
fn counts(
    table: &mut Connections,
    counting: Counting,
    out: &mut Output,
    report: &mut dyn Report,
) -> Result<u64> {
    let mut tally = Tally::by(counting.keys);
    let mut unreadable = 0;
    while let Some(rows) = table.next_rows().map_err(Failure::Connections)? {
        for row in rows {
            match row {
                Ok(connection) => tally.add(&connection),
                Err(Unreadable) => unreadable += 1,
            }
        }
    }
    let groups = tally.groups();
    let top = counting.top.map_or(usize::MAX, |top| top.get() as usize);
    let shown = groups.len().min(top);
    let mut common = Vec::new();
    report.head(out.buffer(), &Head::Counts(counting.keys));
    for first in (0..shown).step_by(GROUPS_AT_ONCE) {
        let some = first..shown.min(first + GROUPS_AT_ONCE);
        if report.wants_names() {
            let common = some.clone().flat_map(|at| groups.common(at));
            report.look_up(&mut common.filter_map(|common| common.host()));
        }
        for at in some {
            common.clear();
            common.extend(groups.common(at));
            report.count(out.buffer(), groups.count(at), &common);
            out.flush_if_full()?;
        }
    }
    let sum = |groups: &Groups, range: Range<usize>| {
        range.fold(Count::default(), |mut sum, at| {
            sum.add(groups.count(at));
            sum
        })
    };
    let rest = (shown < groups.len()).then(|| Rest {
        groups: (groups.len() - shown) as u64,
        count: sum(&groups, shown..groups.len()),
    });
    report.total(out.buffer(), rest, sum(&groups, 0..groups.len()));
    Ok(unreadable)
}
