//! `-L`: the table, the connections, the time-outs, the sync daemons.

use super::failure::{self, Failure, Result};
use super::metrics;
use super::output::Output;
use super::session::Session;
use super::table;
use crate::cli::opt::CommandName;
use crate::cli::{Format, List};
use crate::connections::{
    ConnectionFilter, Connections, Count, Counting, Groups, Key, Tally, Unreadable,
};
use crate::names::Resolver;
use crate::render::json::Json;
use crate::render::text::{self, Text};
use crate::render::{ConnectionReport, Rest, Style, TableReport, View};
use ipvs::Info;
use libc::EPERM;
use std::ops::Range;

/// A listing as columns or as a document.
pub enum Report<'a> {
    Text(Text<'a>),
    Json(Json),
}

/// Lists what `list` asks for.
pub fn list(session: &mut Session, list: &List, format: Format) -> Result<()> {
    match format {
        Format::Json => report(session, list, Report::Json(Json::default())),
        Format::OpenMetrics(names) => match list {
            List::Table { part, sorted, .. } => metrics::metrics(session, names, part, *sorted),
            // Nothing else has metrics, and the command line asks for nothing else.
            List::Connections { .. } | List::Timeouts | List::Daemons => Ok(()),
        },
        Format::Text => {
            let (style, names) = text_of(list);
            let mut names = names.then(Resolver::for_listing);
            let text = Text::new(style, names.as_mut().map(|names| names as _));
            let result = report(session, list, Report::Text(text));
            warn_timed_out(names.as_ref());
            result
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

/// Lists what `list` asks for as `report`.
pub fn report(session: &mut Session, list: &List, mut report: Report) -> Result<()> {
    match *list {
        List::Table {
            ref part, sorted, ..
        } => {
            let services = match (table::services(&mut session.ipvs, part), report) {
                (Err(refused @ Failure::Unavailable(EPERM)), Report::Json(json)) => {
                    let seen = table::from_proc(session, part, sorted, refused)?;
                    let mut json = json.read_from(seen.source);
                    let (info, out) = (Some(&seen.info), &mut session.out);
                    return table::report_table(out, info, &seen.table, &mut json);
                }
                (services, whole) => {
                    report = whole;
                    services?
                }
            };
            let info = report.info(session, part.is_whole())?;
            let rows = report.of_table();
            table::report(session, info.as_ref(), services, part, sorted, rows)?;
            table::all_known(&session.ipvs)
        }
        List::Connections { filter, by, .. } => {
            connections(session, filter, by, report.of_connections())
        }
        List::Timeouts => {
            let timeouts = session.ipvs.timeouts().map_err(Failure::list)?;
            match report {
                Report::Text(_) => text::timeouts(session.out.buffer(), &timeouts),
                Report::Json(json) => json.timeouts(session.out.buffer(), &timeouts),
            }
            Ok(())
        }
        List::Daemons => {
            let daemons = session.ipvs.daemons().map_err(Failure::list)?;
            match report {
                Report::Text(_) => text::daemons(session.out.buffer(), &daemons),
                Report::Json(json) => json.daemons(session.out.buffer(), &daemons),
            }
            Ok(())
        }
    }
}

impl Report<'_> {
    pub fn of_table(&mut self) -> &mut dyn TableReport {
        match self {
            Report::Text(text) => text,
            Report::Json(json) => json,
        }
    }

    fn of_connections(&mut self) -> &mut dyn ConnectionReport {
        match self {
            Report::Text(text) => text,
            Report::Json(json) => json,
        }
    }

    /// What it says about the `whole` table: columns say it only there.
    pub fn info(&self, session: &mut Session, whole: bool) -> Result<Option<Info>> {
        match self {
            Report::Text(_) if !whole => Ok(None),
            _ => session.ipvs.info().map(Some).map_err(Failure::list),
        }
    }
}

/// The message where names that came too late were replaced by numbers.
pub const NAMES_TIMED_OUT: &str = "name look-up timed out: some addresses are shown as numbers";

/// Says so, if there are names and some came too late.
pub fn warn_timed_out(names: Option<&Resolver>) {
    if names.is_some_and(Resolver::timed_out) {
        failure::say(NAMES_TIMED_OUT.as_bytes());
    }
}

fn connections(
    session: &mut Session,
    filter: ConnectionFilter,
    by: Option<Counting>,
    report: &mut dyn ConnectionReport,
) -> Result<()> {
    // Everybody may read the file, but not everybody should see who talks to whom.
    session.check_permission(CommandName::List)?;
    let namespace = session.ipvs.namespace();
    let by_origin = by.is_some_and(|by| by.keys.iter().any(|key| key == Key::Origin));
    let table = match by_origin || filter.origins.is_some() {
        true => Connections::open_with_origin(namespace, filter),
        false => Connections::open(namespace, filter),
    };
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
fn rows(
    table: &mut Connections,
    out: &mut Output,
    report: &mut dyn ConnectionReport,
) -> Result<u64> {
    report.head(out.buffer(), None);
    let mut unreadable = 0;
    while let Some(rows) = table.next_rows().map_err(Failure::Connections)? {
        if let Some(names) = report.names() {
            names.prefetch(&mut rows.addresses());
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
    report: &mut dyn ConnectionReport,
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
    report.head(out.buffer(), Some(counting.keys));
    for first in (0..shown).step_by(GROUPS_AT_ONCE) {
        let some = first..shown.min(first + GROUPS_AT_ONCE);
        if let Some(names) = report.names() {
            let common = some.clone().flat_map(|at| groups.common(at));
            names.prefetch(&mut common.filter_map(|common| common.host()));
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
