//! `--persistent-conn`: how many clients are bound to a server.

use super::{left_titles, plain};
use crate::render::buffer::Buffer;
use ipvs::Server;

const WEIGHT_WIDTH: usize = 9;
const PERSISTENT_WIDTH: usize = 11;
const CONNS_WIDTH: usize = 10;

const TITLES: [(&str, usize); 4] = [
    ("Weight", WEIGHT_WIDTH),
    ("PersistConn", PERSISTENT_WIDTH),
    ("ActiveConn", CONNS_WIDTH),
    ("InActConn", CONNS_WIDTH),
];

pub(in crate::render::text) fn titles(out: &mut Buffer) {
    left_titles(out, &TITLES)
}

pub(in crate::render::text) fn server_columns(out: &mut Buffer, server: &Server) {
    out.push(b' ');
    plain::weight(out, server.config.weight, WEIGHT_WIDTH);
    out.push(b' ');
    out.left_number(server.persistent, PERSISTENT_WIDTH);
    out.push(b' ');
    out.left_number(server.active, CONNS_WIDTH);
    out.push(b' ');
    out.left_number(server.inactive, CONNS_WIDTH);
}
