//! The listing of services and their servers: what all views have in common,
//! and which view prints a row.
//!
//! This module must not know the columns of a view.

use super::address;
use super::line::{Line, Sink};
use super::views::{persistent_conn, plain, rate, stats, thresholds, tun_info};
use crate::model::{Family, Protocol, Server, Service, ServiceKey, Style, View};
use crate::names::Names;
use std::io::{self, Write};
use std::net::IpAddr;

/// The columns of `PROT ADDRESS` and of `-> ADDRESS`.
pub(super) const SERVICE_WIDTH: usize = 33;
pub(super) const SERVER_WIDTH: usize = 28;
const PROTOCOL_WIDTH: usize = 4;

/// Where the original cuts `host:port`.
const IPV4_LIMIT: usize = 28;
pub(super) const LIMIT: usize = 59;

const SERVER_INDENT: &[u8] = b"  -> ";

/// The first line, with the kernel's IPVS version (major, minor, patch) and the
/// size of its connection table.
pub fn listing_title<W: Write + ?Sized>(
    out: &mut W,
    [major, minor, patch]: [u8; 3],
    size: u32,
) -> io::Result<()> {
    let mut line = Line::new(out);
    line.text(b"IP Virtual Server version ");
    line.number(u64::from(major));
    line.push(b'.');
    line.number(u64::from(minor));
    line.push(b'.');
    line.number(u64::from(patch));
    line.text(b" (size=");
    line.number(u64::from(size));
    line.push(b')');
    line.end()
}

/// The two lines of column titles.
pub fn column_titles<W: Write + ?Sized>(out: &mut W, style: &Style) -> io::Result<()> {
    match style.view {
        View::Plain => plain::titles(out),
        View::Stats => stats::titles(out),
        View::Rate => rate::titles(out),
        View::Thresholds => thresholds::titles(out),
        View::PersistentConn => persistent_conn::titles(out),
        View::TunInfo => tun_info::titles(out),
    }
}

/// The row of a service.
pub fn service<W: Write + ?Sized, N: Names + ?Sized>(
    out: &mut W,
    style: &Style,
    names: &N,
    service: &Service,
) -> io::Result<()> {
    let mut line = Line::new(out);
    let start = line.position();
    service_name(&mut line, names, &service.key);
    match style.view {
        View::Stats => {
            line.pad(start, SERVICE_WIDTH);
            stats::columns(&mut line, &service.stats, style.exact);
        }
        View::Rate => {
            line.pad(start, SERVICE_WIDTH);
            rate::service_columns(&mut line, &service.stats, style.exact);
        }
        _ => plain::service_columns(&mut line, &service.config),
    }
    line.end()
}

/// The row of a server of the service `key`.
pub fn server<W: Write + ?Sized, N: Names + ?Sized>(
    out: &mut W,
    style: &Style,
    names: &N,
    key: &ServiceKey,
    server: &Server,
) -> io::Result<()> {
    let mut line = Line::new(out);
    line.text(SERVER_INDENT);
    let start = line.position();
    let at = (&server.key.address, server.key.port);
    endpoint(&mut line, names, key.protocol(), at);
    line.pad(start, SERVER_WIDTH);
    match style.view {
        View::Plain => plain::server_columns(&mut line, server),
        View::Stats => stats::columns(&mut line, &server.stats, style.exact),
        View::Rate => rate::server_columns(&mut line, &server.stats, style.exact),
        View::Thresholds => thresholds::server_columns(&mut line, server),
        View::PersistentConn => persistent_conn::server_columns(&mut line, server),
        View::TunInfo => tun_info::server_columns(&mut line, server),
    }
    line.end()
}

fn service_name<W: Write + ?Sized, N: Names + ?Sized>(
    line: &mut Line<W>,
    names: &N,
    key: &ServiceKey,
) {
    match key {
        ServiceKey::Address {
            protocol,
            address,
            port,
        } => {
            line.left(protocol.title().as_bytes(), PROTOCOL_WIDTH);
            line.push(b' ');
            endpoint(line, names, Some(*protocol), (address, *port));
        }
        ServiceKey::Fwmark { mark, family } => {
            line.text(b"FWM  ");
            line.number(u64::from(mark.get()));
            if *family == Family::Inet6 {
                line.text(b" IPv6");
            }
        }
    }
}

fn endpoint<W: Write + ?Sized, N: Names + ?Sized>(
    line: &mut Line<W>,
    names: &N,
    protocol: Option<Protocol>,
    (ip, port): (&IpAddr, u16),
) {
    let limit = match ip {
        IpAddr::V4(_) => IPV4_LIMIT,
        IpAddr::V6(_) => LIMIT,
    };
    address::endpoint(line, names, protocol, ip, port, limit);
}

#[cfg(test)]
mod tests;
