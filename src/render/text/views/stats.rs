//! `--stats`: what has been counted.

use super::{counter, right_titles};
use crate::render::buffer::Buffer;
use ipvs::Stats;

pub(super) const TITLE_WIDTH: usize = 8;

const TITLES: [&str; 5] = ["Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"];

pub(in crate::render::text) fn titles(out: &mut Buffer) {
    right_titles(out, &TITLES, TITLE_WIDTH)
}

pub(in crate::render::text) fn columns(out: &mut Buffer, stats: &Stats, exact: bool) {
    for value in [
        stats.conns,
        stats.in_packets,
        stats.out_packets,
        stats.in_bytes,
        stats.out_bytes,
    ] {
        counter::column(out, value, exact);
    }
}
