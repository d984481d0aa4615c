//! The view without options: scheduler and flags of services, forwarding,
//! weight and connections of servers. Most views show services like this.

use crate::render::address;
use crate::render::buffer::Buffer;
use crate::render::sched_flags;
use ipvs::{Forwarding, Netmask, Server, ServiceConfig, ServiceFlags};

const FORWARD_WIDTH: usize = 7;
pub(super) const WEIGHT_WIDTH: usize = 6;
pub(super) const CONNS_WIDTH: usize = 10;

const SERVICE_TITLES: &str = "Prot LocalAddress:Port Scheduler Flags";
const SERVER_TITLES: &str = "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn";

pub(in crate::render::text) fn titles(out: &mut Buffer) {
    titles_with(out, SERVER_TITLES);
}

/// The titles of services like these, and of servers in another view.
pub(super) fn titles_with(out: &mut Buffer, servers: &str) {
    out.text(SERVICE_TITLES);
    out.end_line();
    out.text(servers);
    out.end_line();
}

pub(in crate::render::text) fn service_columns(out: &mut Buffer, config: &ServiceConfig) {
    out.push(b' ');
    out.text(config.scheduler.as_bytes());
    if config.flags.intersects(ServiceFlags::SCHED) {
        out.text(" (");
        flag_names(out, config);
        out.push(b')');
    }
    if config.flags.persistent() {
        persistence(out, config);
    }
    if config.flags.one_packet() {
        out.text(" ops");
    }
}

fn flag_names(out: &mut Buffer, config: &ServiceConfig) {
    let names = sched_flags::of_scheduler(config.flags)
        .filter_map(|flag| sched_flags::name(flag, &config.scheduler));
    for (index, name) in names.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.text(name);
    }
}

fn persistence(out: &mut Buffer, config: &ServiceConfig) {
    out.text(" persistent ");
    out.number(config.timeout);
    if !config.netmask.is_host() {
        out.text(" mask ");
        netmask(out, &config.netmask);
    }
    if let Some(engine) = config.engine.filter(|engine| !engine.is_empty()) {
        out.text(" pe ");
        out.text(engine.as_bytes());
    }
}

/// A mask as `-M` takes it.
pub(in crate::render::text) fn netmask(out: &mut Buffer, mask: &Netmask) {
    match mask {
        Netmask::V4(mask) => address::ipv4(out, *mask),
        Netmask::V6(prefix) => out.number(*prefix),
    }
}

pub(in crate::render::text) fn server_columns(out: &mut Buffer, server: &Server) {
    forward(out, server.config.forwarding);
    counts(out, server);
}

/// Weight, active and inactive connections.
pub(super) fn counts(out: &mut Buffer, server: &Server) {
    out.push(b' ');
    weight(out, server.config.weight, WEIGHT_WIDTH);
    out.push(b' ');
    out.left_number(server.active, CONNS_WIDTH);
    out.push(b' ');
    out.left_number(server.inactive, CONNS_WIDTH);
}

pub(in crate::render::text) fn weight(out: &mut Buffer, weight: i32, width: usize) {
    let start = out.len();
    if weight < 0 {
        out.push(b'-');
    }
    out.number(weight.unsigned_abs());
    out.pad(start, width);
}

/// The forwarding method, by its number where it has no name.
pub(super) fn forward(out: &mut Buffer, forwarding: Forwarding) {
    out.push(b' ');
    let name = match forwarding {
        Forwarding::Masq => "Masq",
        Forwarding::Local => "Local",
        Forwarding::Tunnel(_) => "Tunnel",
        Forwarding::Route => "Route",
        Forwarding::Bypass => "Bypass",
        Forwarding::Other { method, .. } => return out.left_number(method, FORWARD_WIDTH),
    };
    out.left(name, FORWARD_WIDTH);
}
