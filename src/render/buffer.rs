//! The output before it is written, and the cells that lines of text are made
//! of.
//!
//! There are many small cells: with the formatting of std, or a write for each
//! of them, they would cost several times the row itself.

use std::io;

/// Bytes that grow at the end.
#[derive(Debug, Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Buffer {
        Buffer(Vec::with_capacity(capacity))
    }

    /// All bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Cuts off what is beyond the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Adds `text`.
    pub fn text(&mut self, text: impl AsRef<[u8]>) {
        self.0.extend_from_slice(text.as_ref());
    }

    /// Adds one byte.
    pub fn push(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Ends the line.
    pub(crate) fn end_line(&mut self) {
        self.push(b'\n');
    }

    /// Adds the first `len` bytes of `text`. To copy all `N` and cut them off
    /// again takes a few instructions; to copy `len` bytes is a call.
    pub(crate) fn start_of<const N: usize>(&mut self, text: &[u8; N], len: usize) {
        let end = self.len() + len;
        self.0.extend_from_slice(text);
        self.0.truncate(end);
    }

    /// So many blanks.
    pub(crate) fn blanks(&mut self, count: usize) {
        match count {
            0..=16 => self.start_of(&[b' '; 16], count),
            _ => self.0.resize(self.0.len() + count, b' '),
        }
    }

    /// Adds blanks until the cell that began at `start` is `width` bytes wide;
    /// a longer one stays as it is.
    pub(crate) fn pad(&mut self, start: usize, width: usize) {
        self.blanks((start + width).saturating_sub(self.len()));
    }

    /// `text`, left-aligned in `width`.
    pub(crate) fn left(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let start = self.len();
        self.text(text);
        self.pad(start, width);
    }

    /// `text`, left-aligned in `width`, and a blank after it.
    #[inline(always)]
    pub(crate) fn column(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let text = text.as_ref();
        self.text(text);
        self.blanks(width.saturating_sub(text.len()) + 1);
    }

    /// Makes a column of what began at `start`; nothing without a width.
    pub(crate) fn end_column(&mut self, start: usize, width: usize) {
        if width > 0 {
            self.blanks((start + width).saturating_sub(self.len()) + 1);
        }
    }

    /// `text`, right-aligned in `width`.
    pub(crate) fn right(&mut self, text: impl AsRef<[u8]>, width: usize) {
        let text = text.as_ref();
        self.blanks(width.saturating_sub(text.len()));
        self.text(text);
    }

    /// `value` in decimal.
    pub(crate) fn number(&mut self, value: impl itoa::Integer) {
        self.text(itoa::Buffer::new().format(value));
    }

    /// `value`, left-aligned in `width`.
    pub(crate) fn left_number(&mut self, value: impl itoa::Integer, width: usize) {
        self.left(itoa::Buffer::new().format(value), width);
    }

    /// `value`, right-aligned in `width`.
    pub(crate) fn right_number(&mut self, value: impl itoa::Integer, width: usize) {
        self.right(itoa::Buffer::new().format(value), width);
    }
}

/// For what others write: it takes everything.
impl io::Write for Buffer {
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
