//! `--rate`: what has been counted a second.

use super::right_titles;
use super::stats::TITLE_WIDTH;
use crate::model::Stats;
use crate::render::line::{Line, Sink};
use crate::render::number;
use std::io::{self, Write};

const TITLES: [&str; 5] = ["CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"];

/// The servers' first three columns are never shortened.
const WHOLE_WIDTH: usize = 8;

pub(in crate::render) fn titles<W: Write + ?Sized>(out: &mut W) -> io::Result<()> {
    right_titles(out, &TITLES, TITLE_WIDTH)
}

pub(in crate::render) fn service_columns<W: Write + ?Sized>(
    line: &mut Line<W>,
    stats: &Stats,
    exact: bool,
) {
    for value in [stats.cps, stats.in_pps, stats.out_pps] {
        number::column(line, value, exact);
    }
    bytes(line, stats, exact);
}

pub(in crate::render) fn server_columns<W: Write + ?Sized>(
    line: &mut Line<W>,
    stats: &Stats,
    exact: bool,
) {
    for value in [stats.cps, stats.in_pps, stats.out_pps] {
        line.push(b' ');
        number::right(line, value, WHOLE_WIDTH);
    }
    bytes(line, stats, exact);
}

fn bytes<W: Write + ?Sized>(line: &mut Line<W>, stats: &Stats, exact: bool) {
    number::column(line, stats.in_bps, exact);
    number::column(line, stats.out_bps, exact);
}
