//! The listing of services and their servers: what all views have in common,
//! and which view prints a row.
//!
//! This module must not know the columns of a view.

use super::Text;
use super::endpoint::{IPV4_LIMIT, IPV6_LIMIT, endpoint};
use super::views::{persistent_conn, plain, rate, stats, thresholds, tun_info};
use crate::render::buffer::Buffer;
use crate::render::{Style, View};
use ipvs::{Family, Info, Protocol, Server, Service, ServiceKey};
use std::net::IpAddr;

/// The columns of `PROT ADDRESS` and of `-> ADDRESS`.
pub(super) const SERVICE_WIDTH: usize = 33;
const SERVER_WIDTH: usize = 28;
const PROTOCOL_WIDTH: usize = 4;

const SERVER_INDENT: &str = "  -> ";

/// The first line: IPVS's version and the size of its connection table.
pub(super) fn title(out: &mut Buffer, info: &Info) {
    let [major, minor, patch] = info.version_parts();
    out.text("IP Virtual Server version ");
    out.number(major);
    out.push(b'.');
    out.number(minor);
    out.push(b'.');
    out.number(patch);
    out.text(" (size=");
    out.number(info.conn_tab_size);
    out.push(b')');
    out.end_line();
}

/// The two lines of column titles.
pub(super) fn column_titles(out: &mut Buffer, style: Style) {
    match style.view {
        View::Plain => plain::titles(out),
        View::Stats => stats::titles(out),
        View::Rate => rate::titles(out),
        View::Thresholds => thresholds::titles(out),
        View::PersistentConn => persistent_conn::titles(out),
        View::TunInfo => tun_info::titles(out),
    }
}

impl Text<'_> {
    /// The row of a service.
    pub(super) fn service_row(&self, out: &mut Buffer, service: &Service) {
        let Style { view, exact } = self.style;
        let start = out.len();
        self.service_name(out, &service.key);
        match view {
            View::Stats => {
                out.pad(start, SERVICE_WIDTH);
                stats::columns(out, &service.stats, exact);
            }
            View::Rate => {
                out.pad(start, SERVICE_WIDTH);
                rate::service_columns(out, &service.stats, exact);
            }
            _ => plain::service_columns(out, &service.config),
        }
        out.end_line();
    }

    /// The row of a server of the service `key`.
    pub(super) fn server_row(&self, out: &mut Buffer, key: &ServiceKey, server: &Server) {
        let Style { view, exact } = self.style;
        out.text(SERVER_INDENT);
        let start = out.len();
        self.endpoint(out, key.protocol(), &server.key.address, server.key.port);
        out.pad(start, SERVER_WIDTH);
        match view {
            View::Plain => plain::server_columns(out, server),
            View::Stats => stats::columns(out, &server.stats, exact),
            View::Rate => rate::server_columns(out, &server.stats, exact),
            View::Thresholds => thresholds::server_columns(out, server),
            View::PersistentConn => persistent_conn::server_columns(out, server),
            View::TunInfo => tun_info::server_columns(out, server),
        }
        out.end_line();
    }

    fn service_name(&self, out: &mut Buffer, key: &ServiceKey) {
        match key {
            ServiceKey::Address {
                protocol,
                address,
                port,
            } => {
                out.left(protocol.kernel_name().as_bytes(), PROTOCOL_WIDTH);
                out.push(b' ');
                self.endpoint(out, Some(*protocol), address, *port);
            }
            ServiceKey::Fwmark { mark, family } => {
                out.text("FWM  ");
                out.number(mark.get());
                if *family == Family::Inet6 {
                    out.text(" IPv6");
                }
            }
        }
    }

    fn endpoint(&self, out: &mut Buffer, protocol: Option<Protocol>, ip: &IpAddr, port: u16) {
        let limit = match ip {
            IpAddr::V4(_) => IPV4_LIMIT,
            IpAddr::V6(_) => IPV6_LIMIT,
        };
        endpoint(out, self.names.as_deref(), protocol, ip, port, limit);
    }
}

#[cfg(test)]
mod tests;
