//! Text as C ipvsadm prints it, down to the trailing blanks, because scripts
//! cut columns out of it; and the rules of `-S`.

mod connections;
mod counts;
mod endpoint;
mod listing;
pub(crate) mod rules;
mod settings;
mod views;

pub use rules::{Rules, rule, timed_rule};

use super::buffer::Buffer;
use super::{Head, Report, Rest};
use crate::connections::{Common, Connection, Count};
use crate::names::Names;
use crate::render::Style;
use ipvs::{Daemon, Server, Service, ServiceKey, Timeouts};
use std::net::IpAddr;

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
}

impl Report for Text<'_> {
    fn wants_names(&self) -> bool {
        self.names.is_some()
    }

    fn look_up(&mut self, addresses: &mut dyn Iterator<Item = IpAddr>) {
        if let Some(names) = &mut self.names {
            names.prefetch(addresses);
        }
    }

    fn head(&mut self, out: &mut Buffer, head: &Head) {
        match head {
            Head::Table(info) => {
                if let Some(info) = info {
                    listing::title(out, info);
                }
                listing::column_titles(out, self.style);
            }
            Head::Connections => self.connection_titles(out),
            Head::Counts(keys) => self.count_titles(out, *keys),
            Head::Timeouts | Head::Daemons => {}
        }
    }

    fn service(&mut self, out: &mut Buffer, service: &Service) {
        self.service_row(out, service);
    }

    fn server(&mut self, out: &mut Buffer, service: &ServiceKey, server: &Server) {
        self.server_row(out, service, server);
    }

    fn connection(&mut self, out: &mut Buffer, connection: &Connection) {
        self.connection_row(out, connection);
    }

    fn count(&mut self, out: &mut Buffer, count: Count, common: &[Common]) {
        self.count_row(out, count, common);
    }

    fn total(&mut self, out: &mut Buffer, rest: Option<Rest>, total: Count) {
        self.count_total(out, rest, total);
    }

    fn timeouts(&mut self, out: &mut Buffer, timeouts: &Timeouts) {
        settings::timeouts(out, timeouts);
    }

    fn daemon(&mut self, out: &mut Buffer, daemon: &Daemon) {
        settings::daemon(out, daemon);
    }

    fn end(&mut self, _: &mut Buffer) {}
}
