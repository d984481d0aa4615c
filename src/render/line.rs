//! Where a row of output is put together before it is written as a whole.
//!
//! Rows are many and their cells are small: a call of the writer for each cell,
//! or the formatting machinery of std, costs several times the row itself. This
//! module must not know what a row means.

use super::number;
use std::io::{self, Write};

/// Longer than any row without names; a longer one is written in pieces.
const CAPACITY: usize = 256;

/// Blanks are added so many at a time; few cells need more.
pub(super) const BLANKS: [u8; 16] = [b' '; 16];

/// Something that takes text.
pub(super) trait Sink {
    /// Adds `text`.
    fn text(&mut self, text: &[u8]);

    /// Adds the first `len` bytes of `text`. Cheaper than [`Sink::text`], since
    /// all of them are copied whatever `len` is.
    fn fixed<const N: usize>(&mut self, text: [u8; N], len: usize) {
        self.text(text.get(..len).unwrap_or(&text));
    }

    /// Adds one byte.
    fn push(&mut self, byte: u8) {
        self.text(&[byte]);
    }
}

/// A short text on the stack. What does not fit is left out; every user's `N`
/// fits all its values.
pub(super) struct Scratch<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Scratch<N> {
    pub(super) fn new() -> Self {
        Scratch {
            bytes: [0; N],
            len: 0,
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl<const N: usize> Sink for Scratch<N> {
    #[inline]
    fn text(&mut self, text: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + text.len()) {
            room.copy_from_slice(text);
            self.len += text.len();
        }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(room) = self.bytes.get_mut(self.len) {
            *room = byte;
            self.len += 1;
        }
    }
}

/// One line on its way to a writer. The first failure of the writer is kept
/// until [`Line::end`], so that cells need not ask after each other.
pub(super) struct Line<'a, W: Write + ?Sized> {
    out: &'a mut W,
    bytes: [u8; CAPACITY],
    len: usize,
    written: usize,
    outcome: io::Result<()>,
}

impl<'a, W: Write + ?Sized> Line<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        Line {
            out,
            bytes: [0; CAPACITY],
            len: 0,
            written: 0,
            outcome: Ok(()),
        }
    }

    /// Ends the line and writes it; the next one may follow. (It is not consumed:
    /// to move it would cost as much as a cell.)
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.push(b'\n');
        self.flush();
        self.written = 0;
        std::mem::replace(&mut self.outcome, Ok(()))
    }

    /// How many bytes the line has so far.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.written + self.len
    }

    /// Fills up with blanks until the cell that began at `start` is `width`
    /// bytes wide; a longer one stays as it is.
    #[inline]
    pub(super) fn pad(&mut self, start: usize, width: usize) {
        let used = self.position() - start;
        self.blanks(width.saturating_sub(used));
    }

    #[inline]
    pub(super) fn blanks(&mut self, count: usize) {
        let mut left = count;
        while left > BLANKS.len() {
            self.fixed(BLANKS, BLANKS.len());
            left -= BLANKS.len();
        }
        self.fixed(BLANKS, left);
    }

    /// `text`, left-aligned in `width`.
    pub(super) fn left(&mut self, text: &[u8], width: usize) {
        let start = self.position();
        self.text(text);
        self.pad(start, width);
    }

    /// `text`, right-aligned in `width`.
    pub(super) fn right(&mut self, text: &[u8], width: usize) {
        self.blanks(width.saturating_sub(text.len()));
        self.text(text);
    }

    pub(super) fn number(&mut self, value: u64) {
        number::decimal(self, value);
    }

    /// `value`, left-aligned in `width`.
    pub(super) fn left_number(&mut self, value: u64, width: usize) {
        let start = self.position();
        number::decimal(self, value);
        self.pad(start, width);
    }

    #[cold]
    fn spill(&mut self, text: &[u8]) {
        self.flush();
        if text.len() < CAPACITY {
            self.text(text);
        } else {
            self.written += text.len();
            if self.outcome.is_ok() {
                self.outcome = self.out.write_all(text);
            }
        }
    }

    #[inline]
    fn flush(&mut self) {
        if self.outcome.is_ok() {
            self.outcome = self.out.write_all(&self.bytes[..self.len]);
        }
        self.written += self.len;
        self.len = 0;
    }
}

impl<W: Write + ?Sized> Sink for Line<'_, W> {
    #[inline]
    fn text(&mut self, text: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + text.len()) {
            room.copy_from_slice(text);
            self.len += text.len();
        } else {
            self.spill(text);
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, text: [u8; N], len: usize) {
        let room = self.bytes.get_mut(self.len..);
        if let Some(room) = room.and_then(|room| room.first_chunk_mut()) {
            *room = text;
            self.len += len.min(N);
        } else {
            self.spill(text.get(..len).unwrap_or(&text));
        }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(room) = self.bytes.get_mut(self.len) {
            *room = byte;
            self.len += 1;
        } else {
            self.spill(&[byte]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(build: impl FnOnce(&mut Line<Vec<u8>>)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut line = Line::new(&mut out);
        build(&mut line);
        line.end().unwrap();
        out
    }

    #[test]
    fn cells_are_padded_and_never_cut() {
        assert_eq!(line(|l| l.left(b"ab", 4)), b"ab  \n");
        assert_eq!(line(|l| l.left(b"abcde", 4)), b"abcde\n");
        assert_eq!(line(|l| l.right(b"ab", 4)), b"  ab\n");
        assert_eq!(line(|l| l.left_number(120, 5)), b"120  \n");
    }

    #[test]
    fn a_line_may_be_longer_than_its_buffer() {
        for len in [CAPACITY - 1, CAPACITY, CAPACITY + 1, 3 * CAPACITY] {
            let long = vec![b'x'; len];
            let wanted = [b"-", &long[..], b"  \n"].concat();
            assert_eq!(
                line(|l| {
                    l.push(b'-');
                    let start = l.position();
                    l.text(&long);
                    l.pad(start, len + 2);
                }),
                wanted
            );
        }
    }

    #[test]
    fn a_failing_writer_is_reported_at_the_end() {
        let mut none: &mut [u8] = &mut [];
        let mut line = Line::new(&mut none);
        line.text(b"x");
        assert!(line.end().is_err());
    }
}
