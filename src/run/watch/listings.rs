//! The listings of `-L --watch`, and what is remembered from one to the next.

use super::rated::Rated;
use super::{Looks, seen};
use crate::cli::List;
use crate::names::{Names, Resolver};
use crate::rates::{Looker, Sampler, counters_are_frozen, rfc3339};
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
    told_of_names: bool,
    told_of_rates: bool,
}

/// Prints one listing after the other, each with its time in front and an empty
/// line behind; or documents, one a line.
pub fn print(session: &mut Session, mut listings: Listings, mut looks: Looks) -> Result<()> {
    if listings.counts() {
        seen(listings.begin(session))?;
    }
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
        if let Some(note) = listings.note(&session.ipvs) {
            failure::say(note.as_bytes());
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
            told_of_names: false,
            told_of_rates: false,
        }
    }

    /// Whether a listing needs an earlier one to count from.
    pub fn counts(&self) -> bool {
        self.rates.is_some()
    }

    /// Takes a listing to count from, and prints nothing.
    pub fn begin(&mut self, session: &mut Session) -> Result<()> {
        let out = mem::replace(&mut session.out, Output::kept());
        let result = self.list(session, "");
        session.out = out;
        result
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

    /// What is to be said, once each.
    pub fn note(&mut self, ipvs: &Ipvs) -> Option<&'static str> {
        let timed_out = self.names.as_ref().is_some_and(Resolver::timed_out);
        if timed_out && !mem::replace(&mut self.told_of_names, true) {
            return Some(list::NAMES_TIMED_OUT);
        }
        let frozen = self.counts() && !self.told_of_rates && counters_are_frozen(ipvs.namespace());
        if frozen {
            self.told_of_rates = true;
            return Some("the counters stand still: net.ipv4.vs.run_estimation is 0");
        }
        None
    }
}
