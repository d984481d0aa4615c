//! The view without options: scheduler and flags of services, forwarding,
//! weight and connections of servers. Most views show services like this.

use crate::model::{Forwarding, Netmask, Server, ServiceConfig};
use crate::render::address;
use crate::render::line::{Line, Sink};
use std::io::{self, Write};

pub(super) const FORWARD_WIDTH: usize = 7;
pub(super) const WEIGHT_WIDTH: usize = 6;
pub(super) const CONNS_WIDTH: usize = 10;

const SERVICE_TITLES: &[u8] = b"Prot LocalAddress:Port Scheduler Flags";
const SERVER_TITLES: &[u8] =
    b"  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn";

pub(in crate::render) fn titles<W: Write + ?Sized>(out: &mut W) -> io::Result<()> {
    titles_with(out, SERVER_TITLES)
}

/// The titles of services like these, and of servers in another view.
pub(super) fn titles_with<W: Write + ?Sized>(out: &mut W, servers: &[u8]) -> io::Result<()> {
    let mut line = Line::new(&mut *out);
    line.text(SERVICE_TITLES);
    line.end()?;
    let mut line = Line::new(out);
    line.text(servers);
    line.end()
}

pub(in crate::render) fn service_columns<W: Write + ?Sized>(
    line: &mut Line<W>,
    config: &ServiceConfig,
) {
    line.push(b' ');
    line.text(config.scheduler.as_bytes());
    if config.flags.any_sched() {
        line.text(b" (");
        flag_names(line, config);
        line.push(b')');
    }
    if config.flags.persistent() {
        persistence(line, config);
    }
    if config.flags.one_packet() {
        line.text(b" ops");
    }
}

fn flag_names<W: Write + ?Sized>(line: &mut Line<W>, config: &ServiceConfig) {
    let names = config.flags.sched_names(&config.scheduler);
    for (index, name) in names.enumerate() {
        if index > 0 {
            line.push(b',');
        }
        line.text(name.as_bytes());
    }
}

fn persistence<W: Write + ?Sized>(line: &mut Line<W>, config: &ServiceConfig) {
    line.text(b" persistent ");
    line.number(u64::from(config.timeout));
    if !config.netmask.is_host() {
        line.text(b" mask ");
        netmask(line, &config.netmask);
    }
    if let Some(engine) = config.engine.filter(|engine| !engine.is_empty()) {
        line.text(b" pe ");
        line.text(engine.as_bytes());
    }
}

/// A mask as `-M` takes it.
pub(in crate::render) fn netmask<W: Write + ?Sized>(line: &mut Line<W>, mask: &Netmask) {
    match mask {
        Netmask::V4(mask) => address::ipv4(line, *mask),
        Netmask::V6(prefix) => line.number(u64::from(*prefix)),
    }
}

pub(in crate::render) fn server_columns<W: Write + ?Sized>(line: &mut Line<W>, server: &Server) {
    line.push(b' ');
    line.left(forward(server.config.forwarding), FORWARD_WIDTH);
    counts(line, server);
}

/// Weight, active and inactive connections.
pub(super) fn counts<W: Write + ?Sized>(line: &mut Line<W>, server: &Server) {
    line.push(b' ');
    weight(line, server.config.weight, WEIGHT_WIDTH);
    line.push(b' ');
    line.left_number(u64::from(server.active), CONNS_WIDTH);
    line.push(b' ');
    line.left_number(u64::from(server.inactive), CONNS_WIDTH);
}

pub(in crate::render) fn weight<W: Write + ?Sized>(line: &mut Line<W>, weight: i32, width: usize) {
    let start = line.position();
    if weight < 0 {
        line.push(b'-');
    }
    line.number(u64::from(weight.unsigned_abs()));
    line.pad(start, width);
}

pub(super) fn forward(forwarding: Forwarding) -> &'static [u8] {
    match forwarding {
        Forwarding::Masq => b"Masq",
        Forwarding::Local => b"Local",
        Forwarding::Tunnel(_) => b"Tunnel",
        Forwarding::Route => b"Route",
        Forwarding::Bypass => b"Bypass",
    }
}
