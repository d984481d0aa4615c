//! `--tun-info`: the encapsulation of tunnelled servers.

use super::plain;
use crate::model::{Forwarding, Server, Tunnel, TunnelChecksum};
use crate::render::line::{Line, Sink};
use std::io::{self, Write};

const INFO_WIDTH: usize = 13;

const SERVER_TITLES: &[u8] =
    b"  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn";

pub(in crate::render) fn titles<W: Write + ?Sized>(out: &mut W) -> io::Result<()> {
    plain::titles_with(out, SERVER_TITLES)
}

pub(in crate::render) fn server_columns<W: Write + ?Sized>(line: &mut Line<W>, server: &Server) {
    line.push(b' ');
    line.left(
        plain::forward(server.config.forwarding),
        plain::FORWARD_WIDTH,
    );
    line.push(b' ');
    let start = line.position();
    info(line, server.config.forwarding);
    line.pad(start, INFO_WIDTH);
    plain::counts(line, server);
}

fn info<W: Write + ?Sized>(line: &mut Line<W>, forwarding: Forwarding) {
    match forwarding {
        Forwarding::Tunnel(Tunnel::Ipip) => line.text(b"ipip"),
        Forwarding::Tunnel(Tunnel::Gue { port, checksum }) => {
            line.text(b"gue:");
            line.number(u64::from(port));
            line.push(b':');
            line.text(flag(checksum));
        }
        Forwarding::Tunnel(Tunnel::Gre { checksum }) => {
            line.text(b"gre:");
            line.text(flag(checksum));
        }
        _ => line.text(b"n/a"),
    }
}

fn flag(checksum: TunnelChecksum) -> &'static [u8] {
    match checksum {
        TunnelChecksum::None => b"-c",
        TunnelChecksum::Checksum => b"+c",
        TunnelChecksum::Remote => b"r+c",
    }
}
