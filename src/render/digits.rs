//! The digits of short numbers, which most numbers of the output are, and of
//! all parts of IPv4 addresses: out of a table, in one piece.
//!
//! This module must not know what a number counts.

/// Puts `text` at the place `at` of `room`, if there is room for it.
#[inline(always)]
pub(super) fn put<const N: usize, const M: usize>(room: &mut [u8; M], at: usize, text: [u8; N]) {
    if let Some(room) = room.get_mut(at..at + N) {
        room.copy_from_slice(&text);
    }
}

/// `0.` to `655.`, filled up with blanks, in the low four bytes, and how many
/// digits there are in the highest two bits: all octets, and all 16-bit numbers
/// without their last two digits.
static DOTTED: [u64; 656] = {
    let mut numbers = [0; 656];
    let mut value = 0;
    while value < numbers.len() {
        let mut text = *b"    \0\0\0\0";
        let len = 1 + (value >= 10) as usize + (value >= 100) as usize;
        let (mut place, mut left) = (len, value);
        text[len] = b'.';
        while place > 0 {
            place -= 1;
            text[place] = b"0123456789"[left % 10];
            left /= 10;
        }
        numbers[value] = u64::from_le_bytes(text) | (len as u64) << 62;
        value += 1;
    }
    numbers
};

/// Puts a number of [`DOTTED`] and the dot at the place `at` of `room`; where the
/// dot is.
#[inline(always)]
pub(super) fn put_dotted<const N: usize>(room: &mut [u8; N], at: usize, number: usize) -> usize {
    let number = DOTTED[number];
    let [a, b, c, d, ..] = number.to_le_bytes();
    put(room, at, [a, b, c, d]);
    at + (number >> 62) as usize
}

/// Puts `number` at the place `at` of `room`; where it ends.
#[inline(always)]
pub(super) fn put_number<const N: usize>(room: &mut [u8; N], at: usize, number: u16) -> usize {
    if number < 100 {
        let end = put_dotted(room, at, number.into());
        put(room, end, [b' ']);
        return end;
    }
    let end = put_dotted(room, at, (number / 100).into());
    put(room, end, two_digits(number % 100));
    end + 2
}

/// The digits of a number below 100.
#[inline]
pub(super) fn two_digits(value: u16) -> [u8; 2] {
    /// Padded to 128 so that a 7-bit index needs no bounds check.
    #[expect(clippy::cast_possible_truncation, reason = "digits")]
    const PAIRS: [[u8; 2]; 128] = {
        let mut pairs = [[b'0'; 2]; 128];
        let mut value = 0;
        while value < 100 {
            pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
            value += 1;
        }
        pairs
    };
    PAIRS[usize::from(value & 0x7f)]
}
