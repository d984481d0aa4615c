//! The output before it is written, and the cells that lines of text are made
//! of.
//!
//! There are many small cells: std's formatting, or a write for each of them,
//! would cost several times the row itself. This module must not know what a
//! line means, nor write it: its owner does that.

use super::digits::{put, put_number};
use std::io;

/// Padding is added in pieces of this size; few cells need a second one.
pub(super) const BLANKS: [u8; 16] = [b' '; 16];

/// Most columns are shorter than this.
const SHORT: usize = 16;

/// How many bytes there is room for at least.
const SHORTEST: usize = 512;

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

/// Bytes that grow at the end.
#[derive(Debug, Default)]
pub struct Buffer {
    /// They reach beyond the end: what is added there costs no more than to be
    /// written, and its end may be decided on later.
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Buffer {
        Buffer {
            bytes: Vec::with_capacity(capacity),
            len: 0,
        }
    }

    /// All bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The bytes, without a copy.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Cuts off what is beyond the first `len` bytes.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Makes room for `count` bytes more. No more of the capacity is touched than
    /// twice what is used.
    #[cold]
    fn grow(&mut self, count: usize) {
        let needed = self.len + count;
        let mut size = needed.max(self.bytes.len() * 2).max(SHORTEST);
        if needed <= self.bytes.capacity() {
            size = size.min(self.bytes.capacity());
        }
        self.bytes.resize(size, 0);
    }

    /// Adds `text`.
    #[inline]
    pub fn text(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let rest = self.bytes.get_mut(self.len..);
        match rest.and_then(|rest| rest.get_mut(..text.len())) {
            Some(room) => room.copy_from_slice(text),
            None => self.grown(text),
        }
        self.len += text.len();
    }

    #[inline(never)]
    fn grown(&mut self, text: &[u8]) {
        self.grow(text.len());
        self.bytes[self.len..][..text.len()].copy_from_slice(text);
    }

    /// Adds one byte.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.fixed([byte], 1);
    }

    /// Adds the first `len` bytes of `text`. Cheaper than [`Buffer::text`] for
    /// short texts, since all `N` bytes are copied whatever `len` is.
    #[inline]
    pub(crate) fn fixed<const N: usize>(&mut self, text: [u8; N], len: usize) {
        self.add(|room| {
            *room = text;
            len
        });
    }

    /// Adds what `write` writes: it says how much of its room that is.
    #[inline(always)]
    fn add<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        let rest = self.bytes.get_mut(self.len..);
        let room = match rest.and_then(<[u8]>::first_chunk_mut) {
            Some(room) => room,
            None => self.new_room(),
        };
        self.len += write(room).min(N);
    }

    #[inline(never)]
    fn new_room<const N: usize>(&mut self) -> &mut [u8; N] {
        self.grow(N);
        let (_, room) = self.bytes.split_at_mut(self.len);
        room.first_chunk_mut().expect("it has grown")
    }

    /// Adds a cell of at least `width` bytes, `N` at most: `write` puts the text
    /// over blanks, and says how long it is. Nothing is then left to pad.
    #[inline(always)]
    pub(crate) fn cell<const N: usize>(
        &mut self,
        width: usize,
        write: impl FnOnce(&mut [u8; N]) -> usize,
    ) {
        self.add(|room| {
            *room = [b' '; N];
            write(room).max(width)
        });
    }

    /// Ends the line.
    #[inline]
    pub(crate) fn end_line(&mut self) {
        self.push(b'\n');
    }

    /// So many blanks.
    #[inline]
    pub(crate) fn blanks(&mut self, count: usize) {
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
    pub(crate) fn pad(&mut self, start: usize, width: usize) {
        let used = self.len() - start;
        self.blanks(width.saturating_sub(used));
    }

    /// `text`, left-aligned in `width`.
    #[inline]
    pub(crate) fn left(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let start = self.len();
        self.text(text);
        self.pad(start, width);
    }

    /// `text`, left-aligned in `width`, and a blank after it.
    #[inline(always)]
    pub(crate) fn column(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let text = text.as_ref();
        if text.len().max(width) < SHORT {
            self.cell(width + 1, |room| put_short(room, text) + 1);
        } else {
            self.long_column(text, width);
        }
    }

    #[inline(never)]
    fn long_column(&mut self, text: &[u8], width: usize) {
        let start = self.len();
        self.text(text);
        self.end_column(start, width);
    }

    /// Makes a column of what began at `start`; nothing without a width.
    #[inline]
    pub(crate) fn end_column(&mut self, start: usize, width: usize) {
        if width > 0 {
            self.pad(start, width);
            self.push(b' ');
        }
    }

    /// `text`, right-aligned in `width`.
    pub(crate) fn right(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let text = text.as_ref();
        self.blanks(width.saturating_sub(text.len()));
        self.text(text);
    }

    /// `value` in decimal.
    #[inline]
    pub(crate) fn number(&mut self, value: impl Into<u64>) {
        self.left_number(value, 0);
    }

    /// `value`, left-aligned in `width`.
    #[inline]
    pub(crate) fn left_number(&mut self, value: impl Into<u64>, width: usize) {
        let value = value.into();
        match u16::try_from(value) {
            Ok(short) if width <= SHORT => {
                self.cell(width, |room: &mut [u8; SHORT]| put_number(room, 0, short));
            }
            _ => self.left(itoa::Buffer::new().format(value), width),
        }
    }

    /// `value`, right-aligned in `width`.
    #[inline]
    pub(crate) fn right_number(&mut self, value: impl Into<u64>, width: usize) {
        let value = value.into();
        match u16::try_from(value) {
            Ok(short) if width <= SHORT => self.cell(width, |room: &mut [u8; SHORT + 8]| {
                let mut digits = [b' '; 8];
                let len = put_number(&mut digits, 0, short);
                let before = width.saturating_sub(len);
                put(room, before, digits);
                before + len
            }),
            _ => self.right(itoa::Buffer::new().format(value), width),
        }
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
