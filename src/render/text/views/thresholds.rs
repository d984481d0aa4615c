//! `--thresholds`: how many connections a server may have.

use super::left_titles;
use crate::render::buffer::Buffer;
use ipvs::Server;

const WIDTH: usize = 10;

const TITLES: [(&str, usize); 4] = [
    ("Uthreshold", WIDTH),
    ("Lthreshold", WIDTH),
    ("ActiveConn", WIDTH),
    ("InActConn", WIDTH),
];

pub(in crate::render::text) fn titles(out: &mut Buffer) {
    left_titles(out, &TITLES)
}

pub(in crate::render::text) fn server_columns(out: &mut Buffer, server: &Server) {
    for value in [
        server.config.upper_threshold,
        server.config.lower_threshold,
        server.active,
        server.inactive,
    ] {
        out.push(b' ');
        out.left_number(value, WIDTH);
    }
}
