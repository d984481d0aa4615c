//! The listings of `-L --watch`, and what is remembered from one to the next.

use super::rated::Rated;
use super::{Looks, seen};
use crate::cli::List;
use crate::names::{Names, Resolver};
use crate::rates::{COUNTERS_NOT_UPDATED, Looker, Sampler, counters_are_frozen, rfc3339};
use crate::render::json::Json;
use crate::render::text::Text;
use crate::render::{Report, View};
use crate::run::failure::{self, Failure, Result};
use crate::run::list;
use crate::run::output::Output;
use crate::run::session::Session;
use ipvs::Ipvs;
use std::mem;
use std::time::SystemTime;

/// What is listed again and again.
pub struct Listings {
    list: List,
    json: bool,
    /// For names, if they are wanted: each is looked up once.
    names: Option<Resolver>,
    /// What counts rates, if they are wanted.
    rates: Option<(Looker, Sampler)>,
}

/// Prints one listing after the other, each with its time in front and an empty
/// line behind; or documents, one a line.
pub fn print(session: &mut Session, mut listings: Listings, mut looks: Looks) -> Result<()> {
    if listings.counts() {
        seen(listings.begin(session))?;
    }
    let mut said = Vec::new();
    while let Some(due) = looks.next() {
        session.out.wait(due)?;
        let time = rfc3339(SystemTime::now());
        if !listings.json {
            session.out.buffer().text(&time);
            session.out.buffer().push(b'\n');
        }
        seen(listings.list(session, &time))?;
        session.out.buffer().push(b'\n');
        session.out.finish()?;
        for note in listings.notes(&session.ipvs) {
            if !said.contains(&note) {
                failure::say(note.as_bytes());
                said.push(note);
            }
        }
    }
    Ok(())
}

impl Listings {
    pub fn new(list: List, json: bool) -> Listings {
        let (style, names) = list::text_of(&list);
        let rates = matches!(list, List::Table { .. }) && style.view == View::Rate;
        let names = names && !json;
        Listings {
            list,
            json,
            names: names.then(Resolver::for_listing),
            rates: rates.then(Default::default),
        }
    }

    /// What is listed.
    pub fn what(&self) -> &List {
        &self.list
    }

    /// Whether a listing needs an earlier one to count from.
    pub fn counts(&self) -> bool {
        self.rates.is_some()
    }

    /// Makes a listing to count from, and prints nothing.
    pub fn begin(&mut self, session: &mut Session) -> Result<()> {
        self.kept(session, "").map(drop)
    }

    /// A listing that is not printed.
    pub fn kept(&mut self, session: &mut Session, time: &str) -> Result<Vec<u8>> {
        let out = mem::replace(&mut session.out, Output::kept());
        let result = self.list(session, time);
        let mut kept = mem::replace(&mut session.out, out);
        result.map(|()| kept.take())
    }

    /// Adds a listing to the output; a document tells the `time`.
    pub fn list(&mut self, session: &mut Session, time: &str) -> Result<()> {
        let (mut json, mut text);
        let report: &mut dyn Report = if self.json {
            json = Json::line(time);
            &mut json
        } else {
            if let Some(names) = &mut self.names {
                names.renew();
            }
            let (style, _) = list::text_of(&self.list);
            let names = self.names.as_mut().map(|names| names as &mut dyn Names);
            text = Text::new(style, names);
            &mut text
        };
        match (&mut self.rates, self.list) {
            (
                Some((looker, sampler)),
                List::Table {
                    service, sorted, ..
                },
            ) => {
                let read = || list::read_services(&mut session.ipvs, service);
                let (at, _, services) = looker.services(read).map_err(Failure::list)?;
                sampler.begin(at);
                let mut rated = Rated { report, sampler };
                list::table(session, services, service.is_none(), sorted, &mut rated)
            }
            _ => list::report(session, &self.list, report),
        }
    }

    /// What a user should know about the last listing.
    pub fn notes(&self, ipvs: &Ipvs) -> impl Iterator<Item = &'static str> + use<> {
        let timed_out = self.names.as_ref().is_some_and(Resolver::timed_out);
        let frozen = self.counts() && counters_are_frozen(ipvs.namespace());
        let all = [
            (timed_out, list::NAMES_TIMED_OUT),
            (frozen, COUNTERS_NOT_UPDATED),
        ];
        all.into_iter()
            .filter_map(|(is_so, note)| is_so.then_some(note))
    }
}
