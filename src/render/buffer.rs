//! The bytes of the output on their way to standard output, with the cells that
//! lines of text are made of.
//!
//! Cells are many and small: the formatting machinery of std, or a call of a
//! writer for each cell, costs several times the row itself. This module must
//! not know what a line means, nor write it: its owner does that.

use std::io;

/// Padding is added in pieces of this size; few cells need a second one.
pub(super) const BLANKS: [u8; 16] = [b' '; 16];

/// Most columns are shorter than this.
const SHORT: usize = 16;

/// Puts `text` into `room`, in pieces that may overlap: a call of memcpy costs
/// more than the few bytes. How long it is.
#[inline(always)]
fn put_short(room: &mut [u8; SHORT], text: &[u8]) -> usize {
    let len = text.len();
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        put(room, 0, *first);
        put(room, len - 8, *last);
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        put(room, 0, *first);
        put(room, len - 4, *last);
    } else if let (Some(first), Some(last)) = (text.first_chunk::<2>(), text.last_chunk::<2>()) {
        put(room, 0, *first);
        put(room, len - 2, *last);
    } else if let [only] = text {
        room[0] = *only;
    }
    len
}

/// Puts `text` at the place `at` of `room`, if there is room for it.
#[inline(always)]
pub(super) fn put<const N: usize>(room: &mut [u8], at: usize, text: [u8; N]) {
    if let Some(room) = room.get_mut(at..at + N) {
        room.copy_from_slice(&text);
    }
}

/// Bytes that grow at the end.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Buffer {
        Buffer {
            bytes: Vec::with_capacity(capacity),
        }
    }

    /// All bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Cuts off what is beyond the first `len` bytes.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Adds `text`.
    #[inline]
    pub fn text(&mut self, text: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(text.as_ref());
    }

    /// Adds one byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Adds the first `len` bytes of `text`. Cheaper than [`Buffer::text`] for
    /// short texts, since all `N` bytes are copied whatever `len` is.
    #[inline]
    pub(super) fn fixed<const N: usize>(&mut self, text: [u8; N], len: usize) {
        let end = self.bytes.len() + len;
        self.bytes.extend_from_slice(&text);
        self.bytes.truncate(end);
    }

    /// Adds a cell of at least `width` bytes, `N` at most: `write` puts the text
    /// over blanks, and says how long it is. Nothing is then left to pad.
    #[inline(always)]
    pub(super) fn cell<const N: usize>(
        &mut self,
        width: usize,
        write: impl FnOnce(&mut [u8; N]) -> usize,
    ) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[b' '; N]);
        if let Some(room) = self.bytes.last_chunk_mut() {
            let len = write(room);
            self.bytes.truncate(start + len.max(width));
        }
    }

    /// Ends the line.
    #[inline]
    pub(super) fn end_line(&mut self) {
        self.push(b'\n');
    }

    #[inline]
    fn blanks(&mut self, count: usize) {
        let mut left = count;
        while left > BLANKS.len() {
            self.fixed(BLANKS, BLANKS.len());
            left -= BLANKS.len();
        }
        self.fixed(BLANKS, left);
    }

    /// Adds blanks until the cell that began at `start` is `width` bytes wide;
    /// a longer one stays as it is.
    #[inline]
    pub(super) fn pad(&mut self, start: usize, width: usize) {
        let used = self.len() - start;
        self.blanks(width.saturating_sub(used));
    }

    /// `text`, left-aligned in `width`.
    #[inline]
    pub(super) fn left(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let start = self.len();
        self.text(text);
        self.pad(start, width);
    }

    /// `text`, left-aligned in `width`, and a blank after it.
    #[inline]
    pub(super) fn column(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let text = text.as_ref();
        if text.len().max(width) < SHORT {
            return self.cell(width + 1, |room| put_short(room, text) + 1);
        }
        let start = self.len();
        self.text(text);
        self.end_column(start, width);
    }

    /// Makes a column of what began at `start`; nothing without a width.
    #[inline]
    pub(super) fn end_column(&mut self, start: usize, width: usize) {
        if width > 0 {
            self.pad(start, width);
            self.push(b' ');
        }
    }

    /// `text`, right-aligned in `width`.
    pub(super) fn right(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let text = text.as_ref();
        self.blanks(width.saturating_sub(text.len()));
        self.text(text);
    }

    /// `value` in decimal.
    #[inline]
    pub(super) fn number(&mut self, value: impl Into<u64>) {
        self.text(itoa::Buffer::new().format(value.into()));
    }

    /// `value`, left-aligned in `width`.
    #[inline]
    pub(super) fn left_number(&mut self, value: impl Into<u64>, width: usize) {
        self.left(itoa::Buffer::new().format(value.into()), width);
    }

    /// `value`, right-aligned in `width`.
    #[inline]
    pub(super) fn right_number(&mut self, value: impl Into<u64>, width: usize) {
        self.right(itoa::Buffer::new().format(value.into()), width);
    }
}

/// For what others write: it takes everything.
impl io::Write for Buffer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(build: impl FnOnce(&mut Buffer)) -> String {
        let mut buffer = Buffer::default();
        build(&mut buffer);
        String::from_utf8(buffer.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn cells_are_padded_and_never_cut() {
        assert_eq!(built(|b| b.left("ab", 4)), "ab  ");
        assert_eq!(built(|b| b.left("abcde", 4)), "abcde");
        assert_eq!(built(|b| b.right("ab", 4)), "  ab");
        assert_eq!(built(|b| b.right("abcde", 4)), "abcde");
        assert_eq!(built(|b| b.left_number(120u32, 5)), "120  ");
        assert_eq!(built(|b| b.left("a", 40)), format!("{:40}", "a"));
    }

    #[test]
    fn numbers_are_those_of_std() {
        let powers = (0..20).map(|n| 10u64.pow(n));
        let borders = powers.flat_map(|p| [p - 1, p, p + 1, p.saturating_mul(9)]);
        for value in borders.chain(0..=1001).chain([u64::MAX]) {
            assert_eq!(built(|b| b.number(value)), format!("{value}"));
            assert_eq!(built(|b| b.right_number(value, 9)), format!("{value:9}"));
        }
    }
}
