//! A report with rates that are counted, in place of the kernel's.

use crate::connections::{Common, Connection, Count};
use crate::rates::Sampler;
use crate::render::{Buffer, Head, Report, Rest};
use ipvs::{Daemon, Server, Service, ServiceKey, Timeouts};
use std::net::IpAddr;

/// Hands everything on to `report`, with the rates that `sampler` counts: 0 for
/// what it has not seen before.
pub struct Rated<'a> {
    pub report: &'a mut dyn Report,
    pub sampler: &'a mut Sampler,
}

impl Report for Rated<'_> {
    fn wants_info(&self) -> bool {
        self.report.wants_info()
    }

    fn wants_names(&self) -> bool {
        self.report.wants_names()
    }

    fn look_up(&mut self, addresses: &mut dyn Iterator<Item = IpAddr>) {
        self.report.look_up(addresses);
    }

    fn head(&mut self, out: &mut Buffer, head: &Head) {
        self.report.head(out, head);
    }

    fn rounds(&self) -> usize {
        self.report.rounds()
    }

    fn round(&mut self, out: &mut Buffer, number: usize) {
        self.report.round(out, number);
    }

    fn service(&mut self, out: &mut Buffer, service: &Service) {
        let rates = self.sampler.count(&service.key, None, &service.stats);
        let mut rated = *service;
        rated.stats = rates.unwrap_or_default().in_place_of(service.stats);
        self.report.service(out, &rated);
    }

    fn server(&mut self, out: &mut Buffer, service: &ServiceKey, server: &Server) {
        let rates = self
            .sampler
            .count(service, Some(&server.key), &server.stats);
        let mut rated = *server;
        rated.stats = rates.unwrap_or_default().in_place_of(server.stats);
        self.report.server(out, service, &rated);
    }

    fn connection(&mut self, out: &mut Buffer, connection: &Connection) {
        self.report.connection(out, connection);
    }

    fn count(&mut self, out: &mut Buffer, count: Count, common: &[Common]) {
        self.report.count(out, count, common);
    }

    fn total(&mut self, out: &mut Buffer, rest: Option<Rest>, total: Count) {
        self.report.total(out, rest, total);
    }

    fn timeouts(&mut self, out: &mut Buffer, timeouts: &Timeouts) {
        self.report.timeouts(out, timeouts);
    }

    fn daemon(&mut self, out: &mut Buffer, daemon: &Daemon) {
        self.report.daemon(out, daemon);
    }

    fn end(&mut self, out: &mut Buffer) {
        self.sampler.end();
        self.report.end(out);
    }
}
