//! Text as C ipvsadm prints it, down to the trailing blanks, because scripts
//! cut columns out of it; and the rules of `-S`.

mod connections;
mod counts;
mod endpoint;
mod listing;
pub(crate) mod rules;
mod settings;
mod views;

pub use rules::{Rules, command, rule, timed_rule};
pub use settings::{daemons, timeouts};

use super::buffer::Buffer;
use super::{ConnectionReport, Rest, TableReport};
use crate::connections::{Connection, Count, KeyValue, Keys};
use crate::names::Names;
use crate::render::Style;
use ipvs::{Info, Server, Service, ServiceKey};

/// `-L` without a format.
pub struct Text<'a> {
    style: Style,
    names: Option<&'a mut dyn Names>,
}

impl<'a> Text<'a> {
    /// A listing with names for addresses and ports, or without.
    pub fn new(style: Style, names: Option<&'a mut dyn Names>) -> Text<'a> {
        Text { style, names }
    }

    fn own_names(&mut self) -> Option<&mut dyn Names> {
        match &mut self.names {
            Some(names) => Some(&mut **names),
            None => None,
        }
    }
}

impl TableReport for Text<'_> {
    fn names(&mut self) -> Option<&mut dyn Names> {
        self.own_names()
    }

    fn head(&mut self, out: &mut Buffer, info: Option<&Info>) {
        if let Some(info) = info {
            listing::title(out, info);
        }
        listing::column_titles(out, self.style);
    }

    fn service(&mut self, out: &mut Buffer, service: &Service) {
        self.service_row(out, service);
    }

    fn server(&mut self, out: &mut Buffer, service: &ServiceKey, server: &Server) {
        self.server_row(out, service, server);
    }
}

impl ConnectionReport for Text<'_> {
    fn names(&mut self) -> Option<&mut dyn Names> {
        self.own_names()
    }

    fn head(&mut self, out: &mut Buffer, by: Option<Keys>) {
        match by {
            None => self.connection_titles(out),
            Some(keys) => self.count_titles(out, keys),
        }
    }

    fn connection(&mut self, out: &mut Buffer, connection: &Connection) {
        self.connection_row(out, connection);
    }

    fn count(&mut self, out: &mut Buffer, count: Count, common: &[KeyValue]) {
        self.count_row(out, count, common);
    }

    fn total(&mut self, out: &mut Buffer, rest: Option<Rest>, total: Count) {
        self.count_total(out, rest, total);
    }
}
