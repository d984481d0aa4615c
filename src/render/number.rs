//! Numbers: plain decimals, and the columns of --stats and --rate.
//!
//! This module must not know which number it prints.

use super::line::{Line, Sink};
use std::io::Write;

/// `00` to `99`, and as many more as make an index of seven bits always right.
const PAIRS: [[u8; 2]; 128] = {
    let mut pairs = [[b'0'; 2]; 128];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

/// The digits of `u64::MAX`.
const MOST_DIGITS: usize = 20;

/// A column of a number that may be shortened: a blank and this many places.
const PLACES: usize = 8;

/// From this number on a unit stands for the last digits.
const SHORTENED_FROM: u64 = 100_000_000;

/// The numbers below the first bound are divided by the second and followed by
/// the unit.
const UNITS: [(u64, u64, u8); 3] = [
    (1_000_000_000, 1_000, b'K'),
    (100_000_000_000, 1_000_000, b'M'),
    (100_000_000_000_000, 1_000_000_000, b'G'),
];

const LARGEST_UNIT: (u64, u8) = (1_000_000_000_000, b'T');

/// `value` in decimal.
#[inline]
pub(super) fn decimal<S: Sink>(sink: &mut S, value: u64) {
    match u32::try_from(value) {
        Ok(value @ ..100_000) => {
            let (digits, len) = five_digits(value, 1);
            sink.fixed(digits, len);
        }
        _ => {
            outlined(sink, value / 10_000);
            sink.fixed(four_digits((value % 10_000) as u32).to_le_bytes(), 4);
        }
    }
}

/// Few numbers are so long that they come here.
#[inline(never)]
fn outlined<S: Sink>(sink: &mut S, value: u64) {
    decimal(sink, value);
}

/// The digits of a number below 100,000, with noughts before them up to `least`
/// digits and NULs after them; and how many digits there are.
#[inline]
pub(super) fn five_digits(value: u32, least: u32) -> ([u8; 8], usize) {
    const NOUGHTS: u64 = u64::from_le_bytes(*b"00000\0\0\0");
    let first = b'0' + (value / 10_000) as u8;
    let digits = u64::from(first) | u64::from(four_digits(value % 10_000)) << 8;
    let noughts = (digits ^ NOUGHTS).trailing_zeros() / 8;
    let left_out = noughts.min(5 - least);
    let text = digits >> (8 * left_out);
    (text.to_le_bytes(), 5 - left_out as usize)
}

/// The digits of a number below 10,000, the first of them in the lowest bits.
#[inline]
fn four_digits(value: u32) -> u32 {
    let two = |value: u32| u32::from(u16::from_le_bytes(pair(u64::from(value))));
    two(value / 100) | two(value % 100) << 16
}

/// The digits of a number below 100.
#[inline]
pub(super) fn pair(value: u64) -> [u8; 2] {
    PAIRS[(value & 0x7f) as usize]
}

/// `value`, right-aligned in `width`, which is no more than [`MOST_DIGITS`].
pub(super) fn right<W: Write + ?Sized>(line: &mut Line<W>, mut value: u64, width: usize) {
    let mut digits = [b' '; MOST_DIGITS];
    let mut at = MOST_DIGITS;
    for place in digits.rchunks_exact_mut(2) {
        place.copy_from_slice(&pair(value % 100));
        at -= 2;
        if value < 10 {
            place[0] = b' ';
            at += 1;
        }
        value /= 100;
        if value == 0 {
            break;
        }
    }
    line.text(&digits[at.min(MOST_DIGITS.saturating_sub(width))..]);
}

/// A column of --stats and --rate: shortened, or with `exact` all the digits.
pub(super) fn column<W: Write + ?Sized>(line: &mut Line<W>, value: u64, exact: bool) {
    if exact {
        line.push(b' ');
        right(line, value, PLACES);
    } else if value < SHORTENED_FROM {
        right(line, value, PLACES + 1);
    } else {
        let (divisor, unit) = unit(value);
        right(line, value / divisor, PLACES);
        line.push(unit);
    }
}

fn unit(value: u64) -> (u64, u8) {
    UNITS
        .iter()
        .find(|(bound, ..)| value < *bound)
        .map_or(LARGEST_UNIT, |&(_, divisor, unit)| (divisor, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(build: impl FnOnce(&mut Line<Vec<u8>>)) -> String {
        let mut out = Vec::new();
        let mut line = Line::new(&mut out);
        build(&mut line);
        line.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_are_those_of_std() {
        let powers = (0..20).map(|n| 10u64.pow(n));
        let borders = powers.flat_map(|p| [p - 1, p, p + 1, p.saturating_mul(9)]);
        for value in borders.chain(0..=1001).chain([u64::MAX]) {
            assert_eq!(written(|l| decimal(l, value)), format!("{value}\n"));
            assert_eq!(written(|l| right(l, value, 9)), format!("{value:9}\n"));
        }
        for value in [0, 9, 10, 99, 100, 99_999] {
            let (digits, len) = five_digits(value, 2);
            assert_eq!(digits[..len], *format!("{value:02}").as_bytes());
        }
    }

    #[test]
    fn large_numbers_get_a_unit() {
        for (value, wanted) in [
            (0, "        0"),
            (99_999_999, " 99999999"),
            (100_000_000, "  100000K"),
            (999_999_999, "  999999K"),
            (1_000_000_000, "    1000M"),
            (99_999_999_999, "   99999M"),
            (100_000_000_000, "     100G"),
            (99_999_999_999_999, "   99999G"),
            (100_000_000_000_000, "     100T"),
            (u64::MAX, "18446744T"),
        ] {
            assert_eq!(written(|l| column(l, value, false)), format!("{wanted}\n"));
        }
    }

    #[test]
    fn exact_numbers_keep_a_blank_before_them() {
        for (value, wanted) in [
            (0, "        0"),
            (99_999_999, " 99999999"),
            (100_000_000, " 100000000"),
            (u64::MAX, " 18446744073709551615"),
        ] {
            assert_eq!(written(|l| column(l, value, true)), format!("{wanted}\n"));
        }
    }
}
