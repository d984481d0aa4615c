//! Plain rows, for who wants no names. Most rows are such, and this is what
//! makes a million of them bearable: they are put together where the compiler
//! keeps the position in a register, and what the kernel has filled up to a
//! width is copied as it is. The output is that of any row, byte for byte; this
//! module must not print what is printed otherwise there.

use super::super::address::OCTETS;
use super::super::number::{five_digits, pair};
use super::{ENDPOINT_WIDTH, EXPIRE_WIDTH};
use crate::wire::conntab::Plain;
use std::io::{self, Write};
use std::net::Ipv4Addr;

/// More than the longest row and what is copied beyond its end.
const ROOM: usize = 128;

/// More blanks than any cell needs.
const BLANKS: [u8; 16] = [b' '; 16];

/// Writes `row` with its newline.
#[inline]
pub(super) fn write<W: Write + ?Sized>(out: &mut W, row: &Plain) -> io::Result<()> {
    let mut cells = Cells {
        bytes: [0; ROOM],
        len: 0,
    };
    cells.put(*row.protocol, row.protocol.len());
    cells.column(EXPIRE_WIDTH, |cells| cells.expire(row.expires));
    cells.put(*row.state, row.state.len());
    cells.column(ENDPOINT_WIDTH, |cells| cells.endpoint(row.client));
    cells.column(ENDPOINT_WIDTH, |cells| cells.endpoint(row.service));
    cells.endpoint(row.server);
    cells.put([b'\n'], 1);
    out.write_all(cells.bytes.get(..cells.len).unwrap_or(&cells.bytes))
}

/// The row so far.
struct Cells {
    bytes: [u8; ROOM],
    len: usize,
}

impl Cells {
    /// Adds the first `len` bytes of `text`.
    #[inline(always)]
    fn put<const N: usize>(&mut self, text: [u8; N], len: usize) {
        let room = self.bytes.get_mut(self.len..);
        if let Some(room) = room.and_then(<[u8]>::first_chunk_mut) {
            *room = text;
            self.len += len;
        }
    }

    /// Adds what `cell` adds, filled up to `width`, and a blank.
    #[inline(always)]
    fn column(&mut self, width: usize, cell: impl FnOnce(&mut Cells)) {
        let end = self.len + width;
        cell(self);
        self.put(BLANKS, 0);
        self.len = self.len.max(end) + 1;
    }

    #[inline(always)]
    fn expire(&mut self, seconds: u32) {
        let (minutes, len) = five_digits(seconds / 60, 2);
        self.put(minutes, len);
        self.put([b':'], 1);
        self.put(pair(u64::from(seconds % 60)), 2);
    }

    #[inline(always)]
    fn endpoint(&mut self, (address, port): (Ipv4Addr, u16)) {
        for octet in address.octets() {
            let (digits, len) = OCTETS[usize::from(octet)];
            self.put(digits, usize::from(len));
        }
        // In the place of the last dot.
        self.len -= 1;
        self.put([b':'], 1);
        let (port, len) = five_digits(u32::from(port), 1);
        self.put(port, len);
    }
}
