//! Numbers: plain decimals, and the columns of --stats and --rate.
//!
//! This module must not know which number it prints.

use super::line::{Line, Sink};
use std::io::Write;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

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
    if value < 10 {
        sink.push(b'0' + value as u8);
    } else {
        let mut digits = [0; MOST_DIGITS];
        let first = fill(&mut digits, value);
        sink.text(&digits[first..]);
    }
}

/// Puts the digits of `value` at the end of `digits`; where they begin.
#[inline]
fn fill(digits: &mut [u8; MOST_DIGITS], mut value: u64) -> usize {
    let mut at = MOST_DIGITS;
    while value >= 10 && at >= 2 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        digits[at] = PAIRS[pair];
        digits[at + 1] = PAIRS[pair + 1];
    }
    if at == MOST_DIGITS || value > 0 {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    at
}

/// `value`, right-aligned in `width`.
pub(super) fn right<W: Write + ?Sized>(line: &mut Line<W>, value: u64, width: usize) {
    let mut digits = [0; MOST_DIGITS];
    let first = fill(&mut digits, value);
    line.right(&digits[first..], width);
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
