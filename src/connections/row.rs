//! The rows of /proc/net/ip_vs_conn.
//!
//! The kernel writes IPv4 addresses as eight hexadecimal digits and IPv6
//! addresses as eight groups of four, ports as four hexadecimal digits, and
//! blanks between the fields; the last two fields are there only with a
//! persistence engine. A row may hold addresses of both families. As with C
//! ipvsadm, any written form of an address and any number of blanks will do,
//! and fields after those known are skipped.

use super::{Connection, Endpoint, Origin};
use memchr::memchr;
use std::net::{IpAddr, Ipv4Addr};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The connection.
    pub connection: Connection<'a>,
    /// What stays the same while the connection lives and tells it from all
    /// others: its protocol and endpoints, as they are written, and all that
    /// the persistence engine keeps.
    pub identity: [&'a [u8]; 2],
}

/// The columns of a file of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Those of ip_vs_conn.
    Plain,
    /// Those of ip_vs_conn_sync: the origin stands between the state and the time,
    /// and nothing is said of persistence engines.
    WithOrigin,
}

/// Takes the first row off `lines`; `None` if it is not understood.
#[inline(always)] // A call would copy each row once more.
pub fn take_row<'a>(lines: &mut &'a [u8], layout: Layout) -> Option<Row<'a>> {
    let row = match layout {
        Layout::Plain => lines.split_first_chunk(),
        Layout::WithOrigin => None,
    };
    let columns = row.and_then(|(row, rest)| Some((columns(row)?, rest)));
    let Some((row, rest)) = columns else {
        return words(take_line(lines), layout);
    };
    *lines = rest;
    Some(row)
}

/// Takes the first line off `lines`, without its newline.
pub fn take_line<'a>(lines: &mut &'a [u8]) -> &'a [u8] {
    let end = memchr(b'\n', lines).unwrap_or(lines.len());
    let (line, rest) = lines.split_at(end);
    *lines = rest.get(1..).unwrap_or_default();
    line
}

/// Reads a row of IPv4 by its columns, whose widths are fixed
/// (`%-3s %08X %04X %08X %04X %08X %04X %-11s %7u\n`): nearly all rows are so, and
/// to look for their words would cost a listing of all a sixth more.
fn columns(row: &[u8; 66]) -> Option<Row<'_>> {
    let gaps = [3, 12, 17, 26, 31, 40, 45, 57];
    if gaps.iter().any(|at| row[*at] != b' ') || row[65] != b'\n' {
        return None;
    }
    let endpoint = |at: usize| {
        let (address, port) = (&row[at..at + 8], &row[at + 9..at + 13]);
        Some(Endpoint {
            address: ipv4(address)?,
            port: port_number(port)?,
        })
    };
    let protocol = &row[..3];
    let state = &row[46..57];
    let state = &state[..=state.iter().rposition(|byte| *byte != b' ')?];
    let expires = &row[58..65];
    let expires = &expires[expires.iter().position(|byte| *byte != b' ')?..];
    let is_word = |text: &[u8]| text.iter().all(|byte| *byte > b' ');
    if !is_word(protocol) || !is_word(state) {
        return None;
    }
    Some(Row {
        connection: Connection {
            protocol,
            client: endpoint(4)?,
            service: endpoint(18)?,
            server: endpoint(32)?,
            state,
            expires: decimal(expires)?,
            engine: None,
            origin: None,
        },
        identity: [&row[..45], &[]],
    })
}

/// Reads any row, word by word.
fn words(line: &[u8], layout: Layout) -> Option<Row<'_>> {
    let mut rest = line;
    let protocol = word(&mut rest)?;
    let client = endpoint(&mut rest)?;
    let service = endpoint(&mut rest)?;
    let server = endpoint(&mut rest)?;
    let endpoints = &line[..line.len() - rest.len()];
    let state = word(&mut rest)?;
    let origin = match layout {
        Layout::Plain => None,
        Layout::WithOrigin => Some(Origin::named(word(&mut rest)?)?),
    };
    let expires = decimal(word(&mut rest)?)?;
    let kept = rest.trim_ascii_start();
    let engine = match layout {
        Layout::Plain => word(&mut rest).zip(word(&mut rest)),
        Layout::WithOrigin => None,
    };
    Some(Row {
        connection: Connection {
            protocol,
            client,
            service,
            server,
            state,
            expires,
            engine,
            origin,
        },
        identity: [endpoints, engine.map_or(&[], |_| kept)],
    })
}

/// Blanks as in C.
fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Takes the next word off `rest`.
fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = rest.iter().position(|byte| !is_blank(byte))?;
    let text = &rest[start..];
    let end = text.iter().position(is_blank).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    *rest = after;
    Some(word)
}

/// Takes an address and its port off `rest`.
fn endpoint(rest: &mut &[u8]) -> Option<Endpoint> {
    let address = any_address(word(rest)?)?;
    let port = port_number(word(rest)?)?;
    Some(Endpoint { address, port })
}

fn any_address(word: &[u8]) -> Option<IpAddr> {
    ipv4(word).or_else(|| std::str::from_utf8(word).ok()?.parse().ok())
}

fn ipv4(digits: &[u8]) -> Option<IpAddr> {
    Some(Ipv4Addr::from_bits(hex::<8>(digits)?).into())
}

fn port_number(digits: &[u8]) -> Option<u16> {
    u16::try_from(hex::<4>(digits)?).ok()
}

/// The value of `N` hexadecimal digits.
fn hex<const N: usize>(digits: &[u8]) -> Option<u32> {
    let digits: &[u8; N] = digits.try_into().ok()?;
    let value = digits.iter().fold(0, |value, digit| {
        value << 4 | i64::from(HEX[usize::from(*digit)])
    });
    u32::try_from(value).ok()
}

/// The values of hexadecimal digits; -1, which no later digit makes positive,
/// for all other bytes.
#[expect(clippy::cast_possible_truncation, reason = "a digit")]
static HEX: [i8; 256] = {
    let mut values = [-1; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as i8;
        values[b"0123456789ABCDEF"[value] as usize] = value as i8;
        value += 1;
    }
    values
};

/// A number of at most nineteen digits, which no sum overflows.
fn decimal(word: &[u8]) -> Option<u64> {
    if word.len() > 19 {
        return None;
    }
    word.iter().try_fold(0, |value, digit| match digit {
        b'0'..=b'9' => Some(value * 10 + u64::from(digit - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(row: impl AsRef<[u8]>) -> Option<Connection<'static>> {
        let lines = [row.as_ref(), b"\nnext\n"].concat().leak();
        let mut rest = &*lines;
        let row = take_row(&mut rest, Layout::Plain);
        assert_eq!(rest, b"next\n");
        row.map(|row| row.connection)
    }

    #[test]
    fn one_row() {
        let row = b"UDP 0A000009 C350 0A000001 0035 0A000002 1F90 UDP             299 sip id x";
        let connection = parse(row).unwrap();
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
    fn who_made_a_connection_stands_before_the_time() {
        let row = "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 ESTABLISHED";
        let read = |end: &str| {
            let row = format!("{row} {end}\n");
            let row = take_row(&mut row.as_bytes(), Layout::WithOrigin)?.connection;
            Some((row.origin?, row.expires, row.engine.is_some()))
        };
        assert_eq!(read("LOCAL      897"), Some((Origin::Local, 897, false)));
        assert_eq!(read("SYNC       897 x y"), Some((Origin::Sync, 897, false)));
        for end in ["897", "OTHER 897", "LOCAL", "LOCAL x"] {
            assert_eq!(read(end), None, "{end}");
        }
    }

    #[test]
    fn blanks_are_as_many_and_of_any_kind() {
        let usual = b"TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE 899 sip id";
        for blanks in ["  ", "\t", " \t \r\x0b\x0c "] {
            let row = std::str::from_utf8(usual).unwrap().replace(' ', blanks);
            for row in [row.clone(), format!("{blanks}{row}{blanks}")] {
                assert_eq!(parse(&row), parse(usual), "{row:?}");
            }
        }
        assert!(parse(usual).is_some());
    }

    #[test]
    fn a_number_has_at_most_nineteen_digits() {
        let digits = "99999999999999999990";
        assert_eq!(decimal(&digits.as_bytes()[..19]), digits[..19].parse().ok());
        assert_eq!(decimal(digits.as_bytes()), None);
        for text in ["x", "1x", "/", ":", "-1"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_identity_leaves_out_state_and_time() {
        let endpoints = "UDP 0A000009 C350 0A000001 0035 0A000002 1F90";
        for (end, engine) in [
            (" UDP  299", ""),
            (" UDP  299 x", ""),
            (" UDP  299 sip id x", "sip id x"),
        ] {
            let row = format!("{endpoints}{end}");
            let identity = take_row(&mut row.as_bytes(), Layout::Plain)
                .unwrap()
                .identity;
            assert_eq!(identity, [endpoints, engine].map(str::as_bytes), "{row}");
        }
        // Its time makes the second row too long for the columns.
        for time in ["899", "12345678"] {
            let row = format!("{endpoints} NONE        {time:>7}\n");
            let identity = take_row(&mut row.as_bytes(), Layout::Plain)
                .unwrap()
                .identity;
            assert_eq!(identity, [endpoints, ""].map(str::as_bytes), "{row}");
        }
    }

    #[test]
    fn columns_and_words_are_read_alike() {
        let row = |state, time| {
            format!("TCP 0A000009 C350 0A000001 0050 0A000002 1F90 {state:<11} {time:>7}")
        };
        for (state, time) in [
            ("ESTABLISHED", "899"),
            ("NONE", "1234567"),
            ("", "1"),
            (" NONE", "1"),
            ("A B", "1"),
            ("NONE\t", "1"),
            ("NONE", "1 "),
            ("NONE", "1x"),
            ("NONE", ""),
        ] {
            let row = row(state, time);
            assert_eq!(row.len(), 65);
            assert_eq!(parse(&row), parse(format!(" {row}")), "{row}");
        }
        assert_eq!(
            columns(b"TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE\n            1 \n"),
            None
        );
    }

    #[test]
    fn malformed_rows_are_rejected() {
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
            assert_eq!(parse(row), None, "{row:?}");
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
            assert_eq!(any_address(text.as_bytes()), wanted.parse().ok(), "{text}");
        }
        for text in [
            "C0A8000",
            "C0A800011",
            "2001:0db8:0000:0000:0000:0000:0000;0001",
            "2001:0db8:0000:0000:0000:0000:0000:000g",
        ] {
            assert_eq!(any_address(text.as_bytes()), None, "{text}");
        }
    }

    /// Whatever stands in a row, it is read or refused, field for field.
    #[test]
    fn one_byte_changed_changes_one_field() {
        let usual = b"TCP 0A000009 C350 0A000001 0050 0A000002 1F90 ESTABLISHED     899";
        let known = parse(usual).unwrap();
        let mut read = 0;
        for at in 0..usual.len() {
            let none = |byte: &u8| is_blank(byte) || *byte == b'\n';
            for byte in (0..=255).filter(|byte| !none(byte) && usual[at] != b' ') {
                let mut row = *usual;
                row[at] = byte;
                let Some(found) = parse(row) else {
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
