//! The views of a listing, one a file: their titles and their columns after the
//! address.
//!
//! These modules must not know how addresses are printed or which view was
//! asked for.

pub(super) mod persistent_conn;
pub(super) mod plain;
pub(super) mod rate;
pub(super) mod stats;
pub(super) mod thresholds;
pub(super) mod tun_info;

use super::line::{Line, Sink};
use super::listing::SERVICE_WIDTH;
use std::io::{self, Write};

/// The first column's title in the views with columns for services.
const SERVICE_TITLE: &[u8] = b"Prot LocalAddress:Port";

/// The second line of titles in those views.
const SERVER_TITLE: &[u8] = b"  -> RemoteAddress:Port";

/// Titles of left-aligned columns of these widths.
fn left_titles<W: Write + ?Sized>(out: &mut W, columns: &[(&str, usize)]) -> io::Result<()> {
    titles(out, |line| {
        for (title, width) in columns {
            line.push(b' ');
            line.left(title.as_bytes(), *width);
        }
    })
}

/// Titles of right-aligned columns of this width.
fn right_titles<W: Write + ?Sized>(out: &mut W, columns: &[&str], width: usize) -> io::Result<()> {
    titles(out, |line| {
        for title in columns {
            line.push(b' ');
            line.right(title.as_bytes(), width);
        }
    })
}

fn titles<W: Write + ?Sized>(
    out: &mut W,
    columns: impl FnOnce(&mut Line<'_, W>),
) -> io::Result<()> {
    let mut line = Line::new(&mut *out);
    line.left(SERVICE_TITLE, SERVICE_WIDTH);
    columns(&mut line);
    line.end()?;
    let mut line = Line::new(out);
    line.text(SERVER_TITLE);
    line.end()
}
