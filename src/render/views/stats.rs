//! `--stats`: what has been counted.

use super::right_titles;
use crate::model::Stats;
use crate::render::line::Line;
use crate::render::number;
use std::io::{self, Write};

pub(super) const TITLE_WIDTH: usize = 8;

const TITLES: [&str; 5] = ["Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"];

pub(in crate::render) fn titles<W: Write + ?Sized>(out: &mut W) -> io::Result<()> {
    right_titles(out, &TITLES, TITLE_WIDTH)
}

pub(in crate::render) fn columns<W: Write + ?Sized>(
    line: &mut Line<W>,
    stats: &Stats,
    exact: bool,
) {
    for value in [
        stats.conns,
        stats.in_packets,
        stats.out_packets,
        stats.in_bytes,
        stats.out_bytes,
    ] {
        number::column(line, value, exact);
    }
}
