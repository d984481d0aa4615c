//! The rows of /proc/net/ip_vs_conn.
//!
//! The kernel writes IPv4 addresses as eight hexadecimal digits and IPv6
//! addresses as eight groups of four, ports as four hexadecimal digits, and
//! blanks between the fields; the last two fields are there only with a
//! persistence engine. A row may hold addresses of both families. Any written
//! form of an address and any number of blanks will do, as with C ipvsadm,
//! and fields after those known are skipped.
//!
//! There may be millions of rows, so nothing is allocated. This module must not
//! know how a row is shown.

use super::{Connection, Endpoint};
use memchr::memchr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Takes the first line of `lines` and puts the connection in it into `row`;
/// `None` if it is not understood. A row that is returned by value would be
/// copied several times, which costs as much as to read it.
#[inline(always)]
pub fn take_row<'a>(lines: &mut &'a [u8], row: &mut Connection<'a>) -> Option<()> {
    let rest = read_row(lines, row);
    *lines = match rest {
        Some([b'\n', next @ ..]) => next,
        // Fields of a newer kernel, or what was not understood.
        Some(rest) => after_line(rest),
        None => after_line(lines),
    };
    rest.map(|_| ())
}

/// What follows the fields of a row.
#[inline(always)]
fn read_row<'a>(line: &'a [u8], row: &mut Connection<'a>) -> Option<&'a [u8]> {
    let rest = skip_blanks(line);
    let rest = word(rest, &mut row.protocol)?;
    let rest = endpoint(rest, &mut row.client)?;
    let rest = endpoint(rest, &mut row.service)?;
    let rest = endpoint(rest, &mut row.server)?;
    let rest = word(rest, &mut row.state)?;
    let rest = decimal(rest, &mut row.expires)?;
    row.engine = None;
    match rest {
        [b'\n', ..] => Some(rest),
        _ => Some(engine(rest, row)),
    }
}

#[inline(never)]
fn engine<'a>(rest: &'a [u8], row: &mut Connection<'a>) -> &'a [u8] {
    let (mut name, mut data) = (&[][..], &[][..]);
    let Some(rest) = word(rest, &mut name).and_then(|rest| word(rest, &mut data)) else {
        return rest;
    };
    row.engine = Some((name, data));
    rest
}

/// What comes after the first newline.
pub fn after_line(lines: &[u8]) -> &[u8] {
    memchr(b'\n', lines).map_or(&[], |newline| &lines[newline + 1..])
}

/// Blanks as in C, without the newline: that ends a row.
#[inline]
fn is_blank(byte: u8) -> bool {
    // Most are spaces.
    byte == b' ' || matches!(byte, b'\t' | b'\r' | 0x0b | 0x0c)
}

// Each of these puts a field into its place, and returns what follows it and the
// blanks after it.

/// The next word of the row.
#[inline(always)]
fn word<'a>(rest: &'a [u8], into: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut end = before_low(rest);
    while rest.get(end).is_some_and(|b| !is_blank(*b) && *b != b'\n') {
        end += 1 + before_low(&rest[end + 1..]);
    }
    let (word, after) = rest.split_at(end);
    *into = word;
    (!word.is_empty()).then_some(skip_blanks(after))
}

/// How many bytes come before the first that is a space or a control character.
#[inline(always)]
fn before_low(text: &[u8]) -> usize {
    let mut after = text;
    while let Some((eight, more)) = after.split_first_chunk() {
        let eight = u64::from_le_bytes(*eight);
        // The highest bit of the first low byte, and maybe of some after it.
        let low = eight.wrapping_sub(repeated(b' ' + 1)) & !eight & repeated(0x80);
        if low != 0 {
            return text.len() - after.len() + first_byte(low);
        }
        after = more;
    }
    let rest = after.iter();
    text.len() - after.len() + rest.take_while(|byte| **byte > b' ').count()
}

#[inline(always)]
fn skip_blanks(rest: &[u8]) -> &[u8] {
    match rest {
        [b'\n' | b'!'..=u8::MAX, ..] => rest,
        [b' ', b'!'..=u8::MAX, ..] => &rest[1..],
        _ => after_blanks(rest),
    }
}

#[inline(never)]
fn after_blanks(mut text: &[u8]) -> &[u8] {
    while let Some((eight, more)) = text.split_first_chunk() {
        let other = u64::from_le_bytes(*eight) ^ repeated(b' ');
        if other != 0 {
            text = &text[first_byte(other)..];
            break;
        }
        text = more;
    }
    while let [first, more @ ..] = text {
        if !is_blank(*first) {
            break;
        }
        text = more;
    }
    text
}

/// Eight times the same byte.
const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Which byte has the lowest bit that is set.
#[inline(always)]
fn first_byte(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8
}

#[inline(always)]
fn endpoint<'a>(rest: &'a [u8], into: &mut Endpoint) -> Option<&'a [u8]> {
    if let Some((digits, after)) = rest.split_first_chunk() {
        if let Some(endpoint) = ipv4_endpoint(digits) {
            *into = endpoint;
            return Some(skip_blanks(after));
        }
    }
    other_endpoint(rest, into)
}

#[inline(never)]
fn other_endpoint<'a>(rest: &'a [u8], into: &mut Endpoint) -> Option<&'a [u8]> {
    let (address, rest) = match fixed(rest, ipv6) {
        Some(found) => found,
        None => {
            let mut text = &[][..];
            let rest = word(rest, &mut text)?;
            (any_address(text)?, rest)
        }
    };
    let (port, rest) = fixed(rest, four_digits)?;
    *into = Endpoint { address, port };
    Some(rest)
}

/// Any other form of an address, or any number of blanks after it.
fn any_address(word: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(word).ok()?;
    if word.len() == 8 && word.iter().all(u8::is_ascii_hexdigit) {
        let bits = u32::from_str_radix(text, 16).ok()?;
        return Some(Ipv4Addr::from_bits(bits).into());
    }
    text.parse().ok()
}

/// The value of the first `N` bytes, if `value` knows it and a blank follows them.
fn fixed<const N: usize, T>(
    rest: &[u8],
    value: impl FnOnce(&[u8; N]) -> Option<T>,
) -> Option<(T, &[u8])> {
    let (digits, after) = rest.split_first_chunk()?;
    let blank = after.first().is_some_and(|blank| is_blank(*blank));
    let value = value(digits).filter(|_| blank)?;
    Some((value, skip_blanks(after)))
}

/// An IPv4 address, a blank, its port, and another blank.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "parts of the value")]
fn ipv4_endpoint(text: &[u8; 14]) -> Option<Endpoint> {
    let [a, b, c, d, e, f, g, h, b' ', i, j, k, l, b' '] = *text else {
        return None;
    };
    let [high, low, port] = [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(value);
    let value = u64::try_from(high << 32 | low << 16 | port).ok()?;
    Some(Endpoint {
        address: Ipv4Addr::from_bits((value >> 16) as u32).into(),
        port: value as u16,
    })
}

fn four_digits(digits: &[u8; 4]) -> Option<u16> {
    u16::try_from(value(*digits)).ok()
}

/// Eight groups of four digits with colons between them.
fn ipv6(text: &[u8; 39]) -> Option<IpAddr> {
    let mut groups = [0; 8];
    for (group, text) in groups.iter_mut().zip(text.chunks(5)) {
        let (digits, colon) = text.split_first_chunk()?;
        *group = four_digits(digits).filter(|_| matches!(colon, b":" | b""))?;
    }
    Some(Ipv6Addr::from(groups).into())
}

/// The value of four hexadecimal digits; negative where one is none.
#[inline(always)]
fn value(digits: [u8; 4]) -> i64 {
    let [a, b, c, d] = digits.map(usize::from);
    DIGITS[0][a] | DIGITS[1][b] | DIGITS[2][c] | DIGITS[3][d]
}

/// The value of a hexadecimal digit in each of four places, -1 for other bytes.
#[expect(clippy::cast_possible_wrap, reason = "a digit")]
static DIGITS: [[i64; 256]; 4] = {
    let mut values = [[-1; 256]; 4];
    let mut at = 0;
    while at < 4 * 16 {
        let (place, value) = (at / 16, at % 16);
        let shifted = (value as i64) << (4 * (3 - place));
        values[place][b"0123456789abcdef"[value] as usize] = shifted;
        values[place][b"0123456789ABCDEF"[value] as usize] = shifted;
        at += 1;
    }
    values
};

/// A number of at most nineteen digits, which no sum overflows.
#[inline(always)]
fn decimal<'a>(rest: &'a [u8], into: &mut u64) -> Option<&'a [u8]> {
    let (mut value, mut len) = rest.first_chunk().map_or((0, 0), short_decimal);
    while let Some(digit @ b'0'..=b'9') = rest.get(len) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        len += 1;
    }
    let after = &rest[len..];
    let ends = match after {
        [b'\n', ..] | [] => true,
        [next, ..] => is_blank(*next),
    };
    *into = value;
    ((1..20).contains(&len) && ends).then_some(skip_blanks(after))
}

/// The number at the start of `text`, as far as its first seven digits, and how
/// many those are. Pairs of digits are added up, then pairs of pairs.
#[inline(always)]
fn short_decimal(text: &[u8; 8]) -> (u64, usize) {
    let digits = u64::from_le_bytes(*text) ^ repeated(b'0');
    // The highest bit of the first byte that is no digit, or of the last.
    let other = (digits.wrapping_add(repeated(0x80 - 10)) | digits | 1 << 63) & repeated(0x80);
    let len = first_byte(other);
    // With zeros before them.
    let value = digits << 8 << (56 - 8 * len);
    let value = value.wrapping_mul(1 + (10 << 8)) >> 8 & 0x00ff_00ff_00ff_00ff;
    let value = value.wrapping_mul(1 + (100 << 16)) >> 16 & 0x0000_ffff_0000_ffff;
    (value.wrapping_mul(1 + (10_000 << 32)) >> 32, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_row(row: &[u8]) -> Option<Connection<'_>> {
        let (mut rest, mut connection) = (row, Connection::NONE);
        let read = take_row(&mut rest, &mut connection);
        assert!(rest.is_empty());
        read.map(|()| connection)
    }

    #[test]
    fn a_row_ends_with_its_line() {
        let row = b"UDP 0A000009 C350 0A000001 0035 0A000002 1F90 UDP             299";
        for end in ["", " ", " x", " sip id x"] {
            let first = [row, end.as_bytes()].concat();
            let lines = [&first[..], b"\nnext\n"].concat();
            let (mut rest, mut row) = (&lines[..], Connection::NONE);
            let read = take_row(&mut rest, &mut row);
            assert_eq!(read.map(|()| row), parse_row(&first));
            assert_eq!(rest, b"next\n");
            assert_eq!(take_row(&mut rest, &mut row), None);
            assert_eq!(rest, b"");
        }
    }

    #[test]
    fn one_row() {
        let row = b"UDP 0A000009 C350 0A000001 0035 0A000002 1F90 UDP             299 sip id x";
        let connection = parse_row(row).unwrap();
        assert_eq!(connection.protocol, b"UDP");
        assert_eq!(connection.client.address, IpAddr::from([10, 0, 0, 9]));
        assert_eq!(connection.client.port, 50000);
        assert_eq!(connection.service.port, 53);
        assert_eq!(connection.server.port, 8080);
        assert_eq!(connection.state, b"UDP");
        assert_eq!(connection.expires, 299);
        assert_eq!(connection.engine, Some((&b"sip"[..], &b"id"[..])));
    }

    #[test]
    fn blanks_are_as_many_and_of_any_kind() {
        let usual = b"TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE 899 sip id";
        for blanks in ["  ", "\t", " \t \r\x0b\x0c "] {
            let row = std::str::from_utf8(usual).unwrap().replace(' ', blanks);
            for row in [row.clone(), format!("{blanks}{row}{blanks}")] {
                assert_eq!(parse_row(row.as_bytes()), parse_row(usual), "{row:?}");
            }
        }
        assert!(parse_row(usual).is_some());
    }

    #[test]
    fn numbers_have_one_to_nineteen_digits() {
        let digits = "9081726354998877665";
        for len in 1..=digits.len() {
            for number in [digits[..len].to_owned(), "0".repeat(len)] {
                for after in ["", " ", "\n", "\nTCP 0A000009", "        \n"] {
                    let (text, mut found) = (format!("{number}{after}"), 0);
                    assert!(decimal(text.as_bytes(), &mut found).is_some(), "{text}");
                    assert_eq!(Ok(found), number.parse(), "{text}");
                }
                for after in ["x", "x       ", "/", ":       ", "\0\u{ff}\n"] {
                    let text = format!("{number}{after}");
                    assert_eq!(decimal(text.as_bytes(), &mut 0), None, "{text}");
                }
            }
        }
    }

    #[test]
    fn what_no_row_can_be() {
        for row in [
            "",
            " ",
            "x",
            "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE",
            "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE ",
            "TCP 0A000009 C350 0A000001 0050 0A000002 1F90",
            "TCP 0A00000G C350 0A000001 0050 0A000002 1F90 NONE 1",
            "TCP 0A000009 C35 0A000001 0050 0A000002 1F90 NONE 1",
            "TCP 0A000009 C3500 0A000001 0050 0A000002 1F90 NONE 1",
            "TCP 0A000009C350 0A000001 0050 0A000002 1F90 NONE 1",
            "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE -1",
            "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE 1x",
            "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE 99999999999999999999",
            "TCP 20010db8000000000000000000000001 0001 0A000001 0050 0A000002 0050 NONE 1",
        ] {
            assert_eq!(parse_row(row.as_bytes()), None, "{row:?}");
        }
    }

    #[test]
    fn any_form_of_an_address_will_do() {
        for (text, wanted) in [
            ("C0A80001", "192.168.0.1"),
            ("c0a80001", "192.168.0.1"),
            ("192.168.0.1", "192.168.0.1"),
            ("1.2.3.45", "1.2.3.45"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:db8:1:1:1:1:1:1", "2001:db8:1:1:1:1:1:1"),
        ] {
            let text = format!("{text} 0001 ");
            let mut found = Endpoint::NONE;
            assert_eq!(endpoint(text.as_bytes(), &mut found), Some(&[][..]));
            assert_eq!(found.address, wanted.parse::<IpAddr>().unwrap());
            assert_eq!(found.port, 1);
        }
        for text in [
            "C0A8000 0001 ",
            "C0A80001 001 ",
            "C0A80001",
            "2001:0db8:0000:0000:0000:0000:0000;0001 0001 ",
            "2001:0db8:0000:0000:0000:0000:0000:000g 0001 ",
        ] {
            let mut found = Endpoint::NONE;
            assert_eq!(endpoint(text.as_bytes(), &mut found), None, "{text}");
        }
    }

    /// Whatever stands in a row, it is read or refused, field for field.
    #[test]
    fn one_byte_changed_changes_one_field() {
        let usual = b"TCP 0A000009 C350 0A000001 0050 0A000002 1F90 ESTABLISHED     899";
        let known = parse_row(usual).unwrap();
        let mut read = 0;
        for at in 0..usual.len() {
            let none = |byte: &u8| is_blank(*byte) || *byte == b'\n';
            for byte in (0..=255).filter(|byte| !none(byte) && usual[at] != b' ') {
                let mut row = *usual;
                row[at] = byte;
                let Some(found) = parse_row(&row) else {
                    continue;
                };
                read += 1;
                let same = [
                    found.protocol == known.protocol,
                    found.client == known.client,
                    found.service == known.service,
                    found.server == known.server,
                    found.state == known.state,
                    found.expires == known.expires,
                ];
                let differing = same.iter().filter(|same| !**same).count();
                let unchanged = row.eq_ignore_ascii_case(usual);
                assert!(differing == 1 || unchanged, "{}", row.escape_ascii());
            }
        }
        assert!((3_000..6_000).contains(&read), "{read}");
    }
}
