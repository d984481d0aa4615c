//! `--rate`: rates per second.

use super::stats::TITLE_WIDTH;
use super::{counter, right_titles};
use crate::render::buffer::Buffer;
use ipvs::Stats;

const TITLES: [&str; 5] = ["CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"];

/// The servers' first three columns are never shortened.
const WHOLE_WIDTH: usize = 8;

pub(in crate::render::text) fn titles(out: &mut Buffer) {
    right_titles(out, &TITLES, TITLE_WIDTH)
}

pub(in crate::render::text) fn service_columns(out: &mut Buffer, stats: &Stats, exact: bool) {
    for value in [stats.cps, stats.in_pps, stats.out_pps] {
        counter::column(out, value, exact);
    }
    bytes(out, stats, exact);
}

pub(in crate::render::text) fn server_columns(out: &mut Buffer, stats: &Stats, exact: bool) {
    for value in [stats.cps, stats.in_pps, stats.out_pps] {
        out.push(b' ');
        out.right_number(value, WHOLE_WIDTH);
    }
    bytes(out, stats, exact);
}

fn bytes(out: &mut Buffer, stats: &Stats, exact: bool) {
    counter::column(out, stats.in_bps, exact);
    counter::column(out, stats.out_bps, exact);
}
