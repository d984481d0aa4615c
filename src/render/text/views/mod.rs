//! The views of a listing, one a file: their titles and their columns after the
//! address.
//!
//! These modules must not know how addresses are printed or which view was
//! asked for.

mod counter;
pub(super) mod persistent_conn;
pub(super) mod plain;
pub(super) mod rate;
pub(super) mod stats;
pub(super) mod thresholds;
pub(super) mod tun_info;

use super::listing::SERVICE_WIDTH;
use crate::render::buffer::Buffer;

/// The first column's title in the views with columns for services.
const SERVICE_TITLE: &str = "Prot LocalAddress:Port";

/// The second line of titles in those views.
const SERVER_TITLE: &str = "  -> RemoteAddress:Port";

/// Titles of left-aligned columns of these widths.
fn left_titles(out: &mut Buffer, columns: &[(&str, usize)]) {
    out.left(SERVICE_TITLE, SERVICE_WIDTH);
    for (title, width) in columns {
        out.push(b' ');
        out.left(title, *width);
    }
    end_titles(out);
}

/// Titles of right-aligned columns of this width.
fn right_titles(out: &mut Buffer, columns: &[&str], width: usize) {
    out.left(SERVICE_TITLE, SERVICE_WIDTH);
    for title in columns {
        out.push(b' ');
        out.right(title, width);
    }
    end_titles(out);
}

fn end_titles(out: &mut Buffer) {
    out.end_line();
    out.text(SERVER_TITLE);
    out.end_line();
}
