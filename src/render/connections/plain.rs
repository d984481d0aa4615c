//! Plain rows without names, as most rows are with `-n`. They are put together
//! in a buffer of their own, so that the compiler keeps the position in a
//! register, and what the kernel has filled up to a width is copied as it is.
//! This module must not print anything otherwise than `Table::row` does.

use super::super::address;
use super::super::line::{BLANKS, Sink};
use super::{ENDPOINT_WIDTH, EXPIRE_WIDTH, PROTOCOL_WIDTH, STATE_WIDTH, minutes};
use crate::wire::conntab::Plain;
use std::io::{self, Write};
use std::net::IpAddr;

/// More than the longest row and what is copied beyond its end, so that nothing
/// is ever left out.
const ROOM: usize = 128;

/// Writes `row` with its newline.
#[inline]
pub(super) fn write<W: Write + ?Sized>(out: &mut W, row: &Plain) -> io::Result<()> {
    let mut cells = Cells {
        bytes: [0; ROOM],
        len: 0,
    };
    // The kernel's columns are as wide as ours, with a blank after each.
    cells.fixed::<{ PROTOCOL_WIDTH + 1 }>(*row.protocol, PROTOCOL_WIDTH + 1);
    cells.column(EXPIRE_WIDTH, |cells| minutes(cells, u64::from(row.expires)));
    cells.fixed::<{ STATE_WIDTH + 1 }>(*row.state, STATE_WIDTH + 1);
    let [client, service, server] =
        [row.client, row.service, row.server].map(|(address, port)| (IpAddr::from(address), port));
    cells.column(ENDPOINT_WIDTH, |cells| {
        address::numeric(cells, &client.0, client.1)
    });
    cells.column(ENDPOINT_WIDTH, |cells| {
        address::numeric(cells, &service.0, service.1)
    });
    address::numeric(&mut cells, &server.0, server.1);
    cells.push(b'\n');
    out.write_all(cells.bytes.get(..cells.len).unwrap_or(&cells.bytes))
}

/// The row so far.
struct Cells {
    bytes: [u8; ROOM],
    len: usize,
}

impl Cells {
    /// Adds what `cell` adds, filled up to `width`, and a blank.
    #[inline(always)]
    fn column(&mut self, width: usize, cell: impl FnOnce(&mut Cells)) {
        let end = self.len + width;
        cell(self);
        self.fixed(BLANKS, 0);
        self.len = self.len.max(end) + 1;
    }
}

impl Sink for Cells {
    #[inline(always)]
    fn text(&mut self, text: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + text.len()) {
            room.copy_from_slice(text);
            self.len += text.len();
        }
    }

    #[inline(always)]
    fn fixed<const N: usize>(&mut self, text: [u8; N], len: usize) {
        let room = self.bytes.get_mut(self.len..);
        if let Some(room) = room.and_then(<[u8]>::first_chunk_mut) {
            *room = text;
            self.len += len;
        }
    }
}
