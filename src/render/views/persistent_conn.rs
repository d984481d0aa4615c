//! `--persistent-conn`: how many clients are bound to a server.

use super::{left_titles, plain};
use crate::model::Server;
use crate::render::line::{Line, Sink};
use std::io::{self, Write};

const WEIGHT_WIDTH: usize = 9;
const PERSISTENT_WIDTH: usize = 11;
const CONNS_WIDTH: usize = 10;

const TITLES: [(&str, usize); 4] = [
    ("Weight", WEIGHT_WIDTH),
    ("PersistConn", PERSISTENT_WIDTH),
    ("ActiveConn", CONNS_WIDTH),
    ("InActConn", CONNS_WIDTH),
];

pub(in crate::render) fn titles<W: Write + ?Sized>(out: &mut W) -> io::Result<()> {
    left_titles(out, &TITLES)
}

pub(in crate::render) fn server_columns<W: Write + ?Sized>(line: &mut Line<W>, server: &Server) {
    line.push(b' ');
    plain::weight(line, server.config.weight, WEIGHT_WIDTH);
    line.push(b' ');
    line.left_number(u64::from(server.persistent), PERSISTENT_WIDTH);
    line.push(b' ');
    line.left_number(u64::from(server.active), CONNS_WIDTH);
    line.push(b' ');
    line.left_number(u64::from(server.inactive), CONNS_WIDTH);
}
