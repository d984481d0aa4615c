//! The columns of `--stats` and `--rate`: numbers that get a unit when they
//! are long.

use crate::render::buffer::Buffer;

/// A column that may be shortened: a blank and this many places.
const PLACES: usize = 8;

/// Numbers from this one on are divided, and followed by a unit.
const SHORTENED_FROM: u64 = 100_000_000;

/// Numbers below the first bound are divided by the second and followed by the
/// unit.
const UNITS: [(u64, u64, u8); 3] = [
    (1_000_000_000, 1_000, b'K'),
    (100_000_000_000, 1_000_000, b'M'),
    (100_000_000_000_000, 1_000_000_000, b'G'),
];

const LARGEST_UNIT: (u64, u8) = (1_000_000_000_000, b'T');

/// One column: shortened, or with `exact` all the digits.
pub(super) fn column(out: &mut Buffer, value: u64, exact: bool) {
    if exact {
        out.push(b' ');
        out.right_number(value, PLACES);
    } else if value < SHORTENED_FROM {
        out.right_number(value, PLACES + 1);
    } else {
        let (divisor, unit) = unit(value);
        out.right_number(value / divisor, PLACES);
        out.push(unit);
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
    use crate::render::sample::written;

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
            assert_eq!(written(|out| column(out, value, false)), wanted);
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
            assert_eq!(written(|out| column(out, value, true)), wanted);
        }
    }
}
