//! The rows of /proc/net/ip_vs_conn.
//!
//! The kernel writes IPv4 addresses as eight hexadecimal digits and IPv6
//! addresses as eight groups of four, ports as four hexadecimal digits, and
//! blanks between the fields; the last two fields are there only with a
//! persistence engine. A row may hold addresses of both families. Any written
//! form of an address and any number of blanks will do, as with C ipvsadm,
//! and fields after those known are skipped.
//!
//! There may be millions of rows, so that nothing is allocated. This module
//! must not know how a row is shown.

use crate::model::{Connection, Endpoint};
use memchr::memchr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Takes the first line of `lines`: the connection in it, or `None` if it is
/// not understood.
#[inline]
pub fn take_row<'a>(lines: &mut &'a [u8]) -> Option<Connection<'a>> {
    let connection = row(lines);
    // Fields of a newer kernel, or what was not understood.
    *lines = match lines {
        [b'\n', rest @ ..] => rest,
        _ => after_line(lines),
    };
    connection
}

#[inline(always)]
fn row<'a>(rest: &mut &'a [u8]) -> Option<Connection<'a>> {
    skip_blanks(rest);
    Some(Connection {
        protocol: word(rest)?,
        client: endpoint(rest)?,
        service: endpoint(rest)?,
        server: endpoint(rest)?,
        state: word(rest)?,
        expires: decimal(rest)?,
        engine: match rest {
            [b'\n', ..] => None,
            _ => word(rest).zip(word(rest)),
        },
    })
}

/// What comes after the first newline.
pub fn after_line(lines: &[u8]) -> &[u8] {
    memchr(b'\n', lines).map_or(&[], |newline| &lines[newline + 1..])
}

/// Blanks as in C, without the newline: that ends a row.
#[inline]
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

/// Takes the next word of the row and the blanks after it.
#[inline(always)]
fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut end = before_low(rest);
    while rest.get(end).is_some_and(|b| !is_blank(*b) && *b != b'\n') {
        end += 1 + before_low(&rest[end + 1..]);
    }
    let (word, after) = rest.split_at(end);
    *rest = after;
    skip_blanks(rest);
    (!word.is_empty()).then_some(word)
}

/// How many bytes come before the first that is a space or a control character.
#[inline(always)]
fn before_low(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(eight) = text[at..].first_chunk() {
        let eight = u64::from_le_bytes(*eight);
        // The highest bit of the first low byte, and maybe of some after it.
        let low = eight.wrapping_sub(repeated(b' ' + 1)) & !eight & repeated(0x80);
        at += bytes_before(low);
        if low != 0 {
            return at;
        }
    }
    let rest = text[at..].iter();
    at + rest.take_while(|byte| **byte > b' ').count()
}

#[inline(always)]
fn skip_blanks(rest: &mut &[u8]) {
    if rest.first().is_some_and(|first| *first <= b' ') {
        *rest = after_blanks(rest);
    }
}

fn after_blanks(mut text: &[u8]) -> &[u8] {
    while let Some(eight) = text.first_chunk() {
        let other = u64::from_le_bytes(*eight) ^ repeated(b' ');
        text = &text[bytes_before(other)..];
        if other != 0 {
            break;
        }
    }
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    &text[blanks..]
}

/// Eight times the same byte.
const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// How many bytes come before the lowest bit that is set; 8 where none is.
#[inline(always)]
fn bytes_before(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8
}

#[inline(always)]
fn endpoint(rest: &mut &[u8]) -> Option<Endpoint> {
    match fixed(rest, ipv4_endpoint) {
        Some(endpoint) => Some(endpoint),
        None => other_endpoint(rest),
    }
}

#[inline(never)]
fn other_endpoint(rest: &mut &[u8]) -> Option<Endpoint> {
    let address = match fixed(rest, ipv6) {
        Some(address) => address,
        None => any_address(word(rest)?)?,
    };
    let port = fixed(rest, four_digits)?;
    Some(Endpoint { address, port })
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

/// Takes the next `N` bytes and the blanks after them, one at least, if `value`
/// knows their value.
#[inline(always)]
fn fixed<const N: usize, T>(
    rest: &mut &[u8],
    value: impl FnOnce(&[u8; N]) -> Option<T>,
) -> Option<T> {
    let (digits, after) = rest.split_first_chunk()?;
    let (blank, after) = after.split_first()?;
    let value = value(digits).filter(|_| is_blank(*blank))?;
    *rest = after;
    skip_blanks(rest);
    Some(value)
}

/// An IPv4 address and its port, with one blank between them.
#[inline(always)]
fn ipv4_endpoint(text: &[u8; 13]) -> Option<Endpoint> {
    let [a, b, c, d, e, f, g, h, b' ', i, j, k, l] = *text else {
        return None;
    };
    let [high, low, port] = [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(value);
    let address = Ipv4Addr::from_bits(u32::try_from(high << 16 | low).ok()?).into();
    let port = u16::try_from(port).ok()?;
    Some(Endpoint { address, port })
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

/// Takes a number of at most nineteen digits, which no sum overflows, and the
/// blanks after it.
#[inline(always)]
fn decimal(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    let mut after = *rest;
    while let [digit @ b'0'..=b'9', more @ ..] = after {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        after = more;
    }
    let len = rest.len() - after.len();
    let ends = match after {
        [next, ..] => is_blank(*next) || *next == b'\n',
        [] => true,
    };
    *rest = after;
    skip_blanks(rest);
    ((1..20).contains(&len) && ends).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_row(row: &[u8]) -> Option<Connection<'_>> {
        let mut rest = row;
        let connection = take_row(&mut rest);
        assert!(rest.is_empty());
        connection
    }

    #[test]
    fn a_row_ends_with_its_line() {
        let row = b"UDP 0A000009 C350 0A000001 0035 0A000002 1F90 UDP             299";
        for end in ["", " ", " x", " sip id x"] {
            let first = [row, end.as_bytes()].concat();
            let lines = [&first[..], b"\nnext\n"].concat();
            let mut rest = &lines[..];
            assert_eq!(take_row(&mut rest), parse_row(&first));
            assert_eq!(rest, b"next\n");
            assert_eq!(take_row(&mut rest), None);
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
            let found = endpoint(&mut text.as_bytes()).unwrap();
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
            assert_eq!(endpoint(&mut text.as_bytes()), None, "{text}");
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
