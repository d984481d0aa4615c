//! The listings of `-L --watch`, and what is remembered from one to the next.

use super::seen;
use crate::cli::List;
use crate::names::Resolver;
use crate::rates::{COUNTERS_NOT_UPDATED, Pace, Sampler, TableReader, rfc3339};
use crate::render::json::Json;
use crate::render::text::Text;
use crate::render::{View, order};
use crate::run::failure::{self, Failure, Result};
use crate::run::list::{self, Report};
use crate::run::output::Output;
use crate::run::session::Session;
use crate::run::table;
use crate::selection::Selection;
use ipvs::{Ipvs, Table};
use std::mem;
use std::time::{Instant, SystemTime};

/// What is listed again and again.
pub struct Repeated {
    list: List,
    json: bool,
    /// For names, if they are wanted: each is looked up once.
    names: Option<Resolver>,
    /// What counts rates, if they are wanted.
    rates: Option<CountedRates>,
}

/// Rates that are counted from one reading of the table to the next.
#[derive(Default)]
struct CountedRates {
    reader: TableReader,
    sampler: Sampler,
    frozen: bool,
}

/// Prints one listing after the other, each with its time in front and an empty
/// line behind; or documents, one a line.
pub fn print(session: &mut Session, mut listing: Repeated, mut pace: Pace) -> Result<()> {
    seen(listing.begin(&mut session.ipvs))?;
    let mut said = Vec::new();
    while let Some(due) = pace.due() {
        session.out.wait(due)?;
        pace.begin(Instant::now());
        let time = rfc3339(SystemTime::now());
        if !listing.json {
            session.out.buffer().text(&time);
            session.out.buffer().push(b'\n');
        }
        seen(listing.list(session, &time))?;
        session.out.buffer().push(b'\n');
        session.out.finish()?;
        for note in listing.notes() {
            if !said.contains(&note) {
                failure::say(note.as_bytes());
                said.push(note);
            }
        }
    }
    Ok(())
}

impl Repeated {
    pub fn new(list: List, json: bool) -> Repeated {
        let (style, names) = list::text_of(&list);
        let rates = matches!(list, List::Table { .. }) && style.view == View::Rate;
        let names = names && !json;
        Repeated {
            list,
            json,
            names: names.then(Resolver::for_listing),
            rates: rates.then(CountedRates::default),
        }
    }

    /// What is listed.
    pub fn what(&self) -> &List {
        &self.list
    }

    /// Whether a listing needs an earlier reading to count from.
    pub fn counts(&self) -> bool {
        self.rates.is_some()
    }

    /// Reads what is to be counted from, if anything is.
    pub fn begin(&mut self, ipvs: &mut Ipvs) -> Result<()> {
        if let (Some(rates), List::Table { part, .. }) = (&mut self.rates, &self.list) {
            rates.read(ipvs, part)?;
        }
        Ok(())
    }

    /// A listing that is not printed.
    pub fn kept(&mut self, session: &mut Session, time: &str) -> Result<Vec<u8>> {
        let out = mem::replace(&mut session.out, Output::kept());
        let result = self.list(session, time);
        let mut kept = mem::replace(&mut session.out, out);
        result.map(|()| kept.take())
    }

    /// Adds a listing to the output; a document says the `time`.
    fn list(&mut self, session: &mut Session, time: &str) -> Result<()> {
        if let Some(names) = &mut self.names {
            names.renew();
        }
        let mut report = if self.json {
            Report::Json(Json::line(time))
        } else {
            let (style, _) = list::text_of(&self.list);
            let names = self.names.as_mut().map(|names| names as _);
            Report::Text(Text::new(style, names))
        };
        let (Some(rates), List::Table { part, sorted, .. }) = (&mut self.rates, &self.list) else {
            return list::report(session, &self.list, report);
        };
        let mut rated = rates.read(&mut session.ipvs, part)?;
        if *sorted {
            order::table(&mut rated);
        }
        let info = report.info(session, part.is_whole())?;
        table::report_table(&mut session.out, info.as_ref(), &rated, report.of_table())
    }

    /// What a user should know about the last listing.
    pub fn notes(&self) -> impl Iterator<Item = &'static str> + use<> {
        let timed_out = self.names.as_ref().is_some_and(Resolver::timed_out);
        let frozen = self.rates.as_ref().is_some_and(|rates| rates.frozen);
        let all = [
            (timed_out, list::NAMES_TIMED_OUT),
            (frozen, COUNTERS_NOT_UPDATED),
        ];
        all.into_iter()
            .filter_map(|(is_so, note)| is_so.then_some(note))
    }
}

impl CountedRates {
    /// The `part` of the table, with rates that were counted.
    fn read(&mut self, ipvs: &mut Ipvs, part: &Selection) -> Result<Table> {
        let reading = self.reader.read(ipvs, part).map_err(Failure::list)?;
        table::found(part, &reading.table)?;
        self.frozen = reading.frozen;
        let mut table = reading.table;
        self.sampler.rate(reading.at, &mut table);
        Ok(table)
    }
}
