//! `--tun-info`: the encapsulation of tunnelled servers.

use super::plain;
use crate::render::buffer::Buffer;
use ipvs::{Forwarding, Server, Tunnel, TunnelChecksum};

const INFO_WIDTH: usize = 13;

const SERVER_TITLES: &str =
    "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn";

pub(in crate::render::text) fn titles(out: &mut Buffer) {
    plain::titles_with(out, SERVER_TITLES)
}

pub(in crate::render::text) fn server_columns(out: &mut Buffer, server: &Server) {
    plain::forward(out, server.config.forwarding);
    out.push(b' ');
    let start = out.len();
    info(out, server.config.forwarding);
    out.pad(start, INFO_WIDTH);
    plain::counts(out, server);
}

fn info(out: &mut Buffer, forwarding: Forwarding) {
    match forwarding {
        Forwarding::Tunnel(Tunnel::Other { kind, port, flags }) => {
            let numbers = [kind.into(), port, flags];
            for (place, number) in numbers.into_iter().enumerate() {
                if place > 0 {
                    out.push(b':');
                }
                out.number(number);
            }
        }
        Forwarding::Tunnel(Tunnel::Ipip) => out.text("ipip"),
        Forwarding::Tunnel(Tunnel::Gue { port, checksum }) => {
            out.text("gue:");
            out.number(port);
            out.push(b':');
            out.text(flag(checksum));
        }
        Forwarding::Tunnel(Tunnel::Gre { checksum }) => {
            out.text("gre:");
            out.text(flag(checksum));
        }
        _ => out.text("n/a"),
    }
}

fn flag(checksum: TunnelChecksum) -> &'static str {
    match checksum {
        TunnelChecksum::None => "-c",
        TunnelChecksum::Checksum => "+c",
        TunnelChecksum::Remote => "r+c",
    }
}
