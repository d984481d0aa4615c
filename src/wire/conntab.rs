//! The rows of /proc/net/ip_vs_conn.
//!
//! The kernel writes IPv4 addresses as eight hexadecimal digits and IPv6
//! addresses as eight groups of four, ports as four hexadecimal digits, and
//! blanks between the fields; the last two fields are there only with a
//! persistence engine. A row may hold addresses of both families. Fields after
//! those known are passed over.
//!
//! Rows are many: nothing is allocated, and hardly a byte is looked at twice.
//! This module must not know how a row is shown.

use nom::IResult;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till, take_while, take_while_m_n, take_while1};
use nom::combinator::{map_opt, opt};
use nom::sequence::{preceded, terminated};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port; 0 in persistence templates.
    pub port: u16,
}

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The protocol as the kernel names it.
    pub protocol: &'a [u8],
    /// The client.
    pub client: Endpoint,
    /// The virtual service.
    pub service: Endpoint,
    /// The real server.
    pub server: Endpoint,
    /// The state as the kernel names it.
    pub state: &'a [u8],
    /// Seconds until the entry expires.
    pub expires: u64,
    /// The persistence engine and its data, the latter up to the first blank.
    pub engine: Option<(&'a [u8], &'a [u8])>,
}

/// A row that needs little understanding, as most do: its addresses are IPv4, it
/// has no persistence engine, and its fields are as wide as the kernel fills
/// them up, so that their places are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain<'a> {
    /// The protocol, filled up with blanks, of which there is one at least.
    pub protocol: &'a [u8; 4],
    /// The client.
    pub client: (Ipv4Addr, u16),
    /// The virtual service.
    pub service: (Ipv4Addr, u16),
    /// The real server.
    pub server: (Ipv4Addr, u16),
    /// The state, filled up with blanks, of which there is one at least.
    pub state: &'a [u8; 12],
    /// Seconds until the entry expires, less than a million.
    pub expires: u32,
}

/// The length of a plain row with its newline.
const PLAIN: usize = 66;

/// Reads a plain row with its newline. `None` says nothing about the row but
/// that it is for [`row`].
#[inline]
pub fn plain(input: &[u8]) -> Option<(&[u8], Plain<'_>)> {
    let (line, after) = input.split_first_chunk::<PLAIN>()?;
    if line[PLAIN - 1] != b'\n' {
        return None;
    }
    let (protocol, rest) = line.split_first_chunk()?;
    let (client, rest) = ipv4(rest)?;
    let (service, rest) = ipv4(rest)?;
    let (server, rest) = ipv4(rest)?;
    let (state, rest) = rest.split_first_chunk()?;
    let expires = right_aligned(*rest.first_chunk()?)?;
    let row = Plain {
        protocol,
        client,
        service,
        server,
        state,
        expires,
    };
    (is_padded_word(protocol) && is_padded_word(state)).then_some((after, row))
}

/// Whether `field` is a word and at least one blank after it.
#[inline]
fn is_padded_word<const N: usize>(field: &[u8; N]) -> bool {
    let mut blank = false;
    let mut fits = field[0] > b' ' && field[N - 1] == b' ';
    for byte in field {
        fits &= if blank { *byte == b' ' } else { *byte >= b' ' };
        blank = *byte == b' ';
    }
    fits
}

/// The number in `field`: blanks, one at least, and then digits.
#[inline]
fn right_aligned(field: [u8; 7]) -> Option<u32> {
    let [b' ', b, c, d, e, f, g] = field else {
        return None;
    };
    let field = Eight::from_le_bytes([b' ', b' ', b, c, d, e, f, g]);
    let values = field & repeated(0x0f);
    // In a digit this bit is set and in a blank it is not.
    let digits = field >> 4 & repeated(1);
    // Without a digit the shift is 64, and there is no number. Otherwise there
    // are digits up to the end, nothing but blanks before them, and no value
    // above nine.
    let understood = digits == repeated(1).checked_shl(digits.trailing_zeros())?
        && field == repeated(b' ') + (digits << 4) + (values & (digits * 0x0f))
        && (values + repeated(6)) & repeated(0x10) == 0;
    // Each step puts two neighbours together, the first of them counting more.
    let pairs = values.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    let value = fours.wrapping_mul(10_000 << 32 | 1) >> 32;
    understood.then_some(value as u32)
}

/// Reads one row without the newline at its end.
pub fn row(input: &[u8]) -> IResult<&[u8], Row<'_>> {
    // One after the other, and inline: a third of the time is moving results
    // about, otherwise.
    let (rest, protocol) = field(input)?;
    let (rest, client) = endpoint(rest)?;
    let (rest, service) = endpoint(rest)?;
    let (rest, server) = endpoint(rest)?;
    let (rest, state) = field(rest)?;
    let (rest, expires) = decimal(rest)?;
    let (rest, engine) = match rest {
        [b'\n', ..] => (rest, None),
        _ => {
            let (rest, engine) = opt((field, field)).parse(rest)?;
            (take_till(is_newline).parse(rest)?.0, engine)
        }
    };
    let row = Row {
        protocol,
        client,
        service,
        server,
        state,
        expires,
        engine,
    };
    Ok((rest, row))
}

fn is_newline(byte: u8) -> bool {
    byte == b'\n'
}

#[inline]
fn is_blank(byte: u8) -> bool {
    byte <= b' ' && matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

#[inline]
fn is_word(byte: u8) -> bool {
    byte > b' ' || !(is_blank(byte) || is_newline(byte))
}

/// The bytes up to the next blank, which is skipped with those after it.
#[inline(always)]
fn field(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, word) = word(input)?;
    let (rest, _) = blanks(rest)?;
    Ok((rest, word))
}

/// Eight bytes are tried at once, the first in the lowest bits.
type Eight = u64;

/// A byte in each place.
const fn repeated(byte: u8) -> Eight {
    Eight::from_le_bytes([byte; 8])
}

/// In how many bytes the lowest bit that is set comes; 8 where none is.
#[inline]
fn bytes_before(bits: Eight) -> usize {
    bits.trailing_zeros() as usize / 8
}

/// Bytes up to a blank, as scanf's `%s` takes them.
#[inline]
fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    // The highest bit of each byte that is a blank or less, as far as the
    // first of them.
    let low = |bytes: Eight| bytes.wrapping_sub(repeated(b' ' + 1)) & !bytes & repeated(0x80);
    let len = leading(input, low);
    match input.get(len) {
        Some(b' ' | b'\n') if len > 0 => Ok((&input[len..], &input[..len])),
        _ => take_while1(is_word).parse(input),
    }
}

#[inline]
fn blanks(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let len = match input {
        [b'\n', ..] => 0,
        [b' ', next, ..] if *next > b' ' => 1,
        _ => leading(input, |bytes| bytes ^ repeated(b' ')),
    };
    match input.get(len) {
        Some(byte) if *byte > b' ' || *byte == b'\n' => Ok((&input[len..], &input[..len])),
        _ => take_while(is_blank).parse(input),
    }
}

/// How many bytes come before the first for which `other` sets a bit, as far
/// as there are eight more bytes to look at.
#[inline]
fn leading(input: &[u8], other: impl Fn(Eight) -> Eight) -> usize {
    let mut len = 0;
    while let Some(chunk) = input.get(len..).and_then(<[u8]>::first_chunk) {
        let before = bytes_before(other(Eight::from_le_bytes(*chunk)));
        len += before;
        if before < 8 {
            break;
        }
    }
    len
}

#[inline(always)]
fn endpoint(input: &[u8]) -> IResult<&[u8], Endpoint> {
    let Some(((address, port), rest)) = ipv4(input) else {
        return any_endpoint(input);
    };
    let address = address.into();
    Ok((rest, Endpoint { address, port }))
}

/// `0A000001 0050 `, as most are, in one go.
#[inline]
fn ipv4(input: &[u8]) -> Option<((Ipv4Addr, u16), &[u8])> {
    let (text, rest) = input.split_first_chunk::<14>()?;
    let [a, b, c, d, e, f, g, h, b' ', i, j, k, l, b' '] = *text else {
        return None;
    };
    let address = u32::try_from(hex([a, b, c, d, e, f, g, h])).ok()?;
    let port = u16::try_from(hex([i, j, k, l])).ok()?;
    Some(((Ipv4Addr::from_bits(address), port), rest))
}

fn any_endpoint(input: &[u8]) -> IResult<&[u8], Endpoint> {
    let (rest, address) = alt((terminated(ipv6, blank), other_form)).parse(input)?;
    let (rest, _) = blanks(rest)?;
    let (rest, port) = terminated(hex4, blank).parse(rest)?;
    let (rest, _) = blanks(rest)?;
    Ok((rest, Endpoint { address, port }))
}

fn blank(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while_m_n(1, 1, is_blank).parse(input)
}

/// Eight groups of four digits.
fn ipv6(input: &[u8]) -> IResult<&[u8], IpAddr> {
    let mut groups = [0; 8];
    let (mut rest, first) = hex4(input)?;
    groups[0] = first;
    for group in &mut groups[1..] {
        (rest, *group) = preceded(tag(":"), hex4).parse(rest)?;
    }
    Ok((rest, Ipv6Addr::from(groups).into()))
}

/// What else the original understood: any written form of an address.
fn other_form(input: &[u8]) -> IResult<&[u8], IpAddr> {
    map_opt(field, |word| str::from_utf8(word).ok()?.parse().ok()).parse(input)
}

/// Four hexadecimal digits.
#[inline]
fn hex4(input: &[u8]) -> IResult<&[u8], u16> {
    map_opt(take(4usize), |digits: &[u8]| {
        u16::try_from(hex::<4>(*digits.first_chunk()?)).ok()
    })
    .parse(input)
}

/// The value of up to eight hexadecimal digits; negative where one is none.
#[inline]
fn hex<const N: usize>(digits: [u8; N]) -> i64 {
    digits
        .iter()
        .fold(0, |sum, digit| sum << 4 | HEX_VALUES[usize::from(*digit)])
}

/// The value of a hexadecimal digit, -1 for other bytes.
const HEX_VALUES: [i64; 256] = {
    let mut values = [-1; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as i64;
        values[b"0123456789ABCDEF"[value] as usize] = value as i64;
        value += 1;
    }
    values
};

#[inline]
fn decimal(input: &[u8]) -> IResult<&[u8], u64> {
    map_opt(field, |digits: &[u8]| {
        digits.iter().try_fold(0u64, |sum, byte| {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            sum.checked_mul(10)?.checked_add(u64::from(digit))
        })
    })
    .parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_up_to_its_newline() {
        let input =
            b"UDP 0A000009 C350 0A000001 0035 0A000002 1F90 UDP             299 sip id x\nnext";
        let (rest, row) = row(input).unwrap();
        assert_eq!(rest, b"\nnext");
        assert_eq!(row.protocol, b"UDP");
        assert_eq!(row.client.address, IpAddr::from([10, 0, 0, 9]));
        assert_eq!((row.client.port, row.server.port), (50000, 8080));
        assert_eq!((row.state, row.expires), (&b"UDP"[..], 299));
        assert_eq!(row.engine, Some((&b"sip"[..], &b"id"[..])));
    }

    #[test]
    fn right_aligned_numbers() {
        for value in (0..=1000).chain([86_390, 99_999, 100_000, 999_999]) {
            let field = format!("{value:7}");
            let found = right_aligned(*field.as_bytes().first_chunk().unwrap());
            assert_eq!(found, Some(value));
        }
        for at in 0..7 {
            for byte in 0..=255 {
                let mut field = *b"  86390";
                field[at] = byte;
                let text = str::from_utf8(&field).unwrap_or("no number");
                let (blanks, number) = text.split_at(text.rfind(' ').map_or(0, |at| at + 1));
                let digits = number.bytes().all(|byte| byte.is_ascii_digit());
                let wanted =
                    !blanks.is_empty() && blanks.bytes().all(|byte| byte == b' ') && digits;
                let wanted = number.parse().ok().filter(|_| wanted);
                assert_eq!(right_aligned(field), wanted, "{text}");
            }
        }
        assert_eq!(right_aligned([b' '; 7]), None);
    }

    #[test]
    fn any_form_of_an_address_will_do() {
        for (text, wanted) in [
            ("C0A80001", "192.168.0.1"),
            ("c0a80001", "192.168.0.1"),
            ("192.168.0.1", "192.168.0.1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let text = format!("{text} 0001 ");
            let (_, found) = endpoint(text.as_bytes()).unwrap();
            assert_eq!(found.address, wanted.parse::<IpAddr>().unwrap());
        }
        assert!(endpoint(b"C0A8000 0001 ").is_err());
        assert!(endpoint(b"C0A80001 001 ").is_err());
        assert!(endpoint(b"C0A80001").is_err());
    }
}
