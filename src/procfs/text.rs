//! What the files of IPVS are made of, for nom.

use nom::bytes::complete::{take_while, take_while_m_n};
use nom::character::complete::{line_ending, not_line_ending};
use nom::combinator::map_opt;
use nom::sequence::terminated;
use nom::{IResult, Parser};

/// Any line.
pub fn line(input: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(not_line_ending, line_ending).parse(input)
}

/// Blanks, if any.
pub fn blanks(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while(|byte| byte == b' ' || byte == b'\t').parse(input)
}

/// A hexadecimal number of `least` to `most` digits.
pub fn hexadecimal(least: usize, most: usize) -> impl FnMut(&[u8]) -> IResult<&[u8], u64> {
    move |input| {
        let digits = take_while_m_n(least, most, |byte: u8| byte.is_ascii_hexdigit());
        let number = |digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        map_opt(digits, number).parse(input)
    }
}
