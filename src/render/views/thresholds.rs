//! `--thresholds`: how many connections a server may have.

use super::left_titles;
use crate::model::Server;
use crate::render::line::{Line, Sink};
use std::io::{self, Write};

const WIDTH: usize = 10;

const TITLES: [(&str, usize); 4] = [
    ("Uthreshold", WIDTH),
    ("Lthreshold", WIDTH),
    ("ActiveConn", WIDTH),
    ("InActConn", WIDTH),
];

pub(in crate::render) fn titles<W: Write + ?Sized>(out: &mut W) -> io::Result<()> {
    left_titles(out, &TITLES)
}

pub(in crate::render) fn server_columns<W: Write + ?Sized>(line: &mut Line<W>, server: &Server) {
    for value in [
        server.config.upper_threshold,
        server.config.lower_threshold,
        server.active,
        server.inactive,
    ] {
        line.push(b' ');
        line.left_number(u64::from(value), WIDTH);
    }
}
