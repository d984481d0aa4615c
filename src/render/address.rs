//! Addresses and ports as C ipvsadm prints them.
//!
//! `Display` of std is not used: the C library writes `::0.1.0.2` where std
//! writes `::1:2`, and std is slow.

use super::buffer::Buffer;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `address` without brackets.
pub(super) fn address(out: &mut Buffer, address: &IpAddr) {
    match address {
        IpAddr::V4(v4) => ipv4(out, *v4),
        IpAddr::V6(v6) => ipv6(out, v6),
    }
}

pub(super) fn ipv4(out: &mut Buffer, address: Ipv4Addr) {
    let mut cell = [b' '; CELL];
    let end = put_ipv4(&mut cell, address);
    out.start_of(&cell, end);
}

/// The longest IPv4 address with its port, and blanks.
const CELL: usize = 24;

/// Puts `address` at the start of `cell`, and a dot after it; where that is.
fn put_ipv4(cell: &mut [u8; CELL], address: Ipv4Addr) -> usize {
    let mut end = 0;
    for octet in address.octets() {
        end = put_dotted(cell, end, octet.into()) + 1;
    }
    end - 1
}

/// Puts `number` and a dot at the place `at` of `cell`; where the dot is.
fn put_dotted(cell: &mut [u8; CELL], at: usize, number: usize) -> usize {
    let (digits, len) = DOTTED[number];
    cell[at..at + 4].copy_from_slice(&digits);
    at + usize::from(len)
}

/// The numbers to 655 with a dot after them, and how many digits they have: all
/// octets, and all ports without their last two digits. With itoa, and each part
/// added to the buffer by itself, `-Lcn` takes a tenth more.
#[expect(clippy::cast_possible_truncation, reason = "digits")]
static DOTTED: [([u8; 4], u8); 656] = {
    let mut numbers = [([b' '; 4], 0); 656];
    let mut number = 0;
    while number < numbers.len() {
        let [a, b, c] = [number / 100, number / 10 % 10, number % 10];
        let [a, b, c] = [b'0' + a as u8, b'0' + b as u8, b'0' + c as u8];
        numbers[number] = match number {
            0..10 => ([c, b'.', b' ', b' '], 1),
            10..100 => ([b, c, b'.', b' '], 2),
            _ => ([a, b, c, b'.'], 3),
        };
        number += 1;
    }
    numbers
};

/// Puts `number` at the place `at` of `cell`; where it ends.
#[inline(always)]
fn put_number(cell: &mut [u8; CELL], at: usize, number: u16) -> usize {
    if number < 100 {
        let end = put_dotted(cell, at, number.into());
        cell[end] = b' ';
        return end;
    }
    let end = put_dotted(cell, at, (number / 100).into());
    cell[end..end + 2].copy_from_slice(&two_digits(number % 100));
    end + 2
}

/// The digits of a number below 100.
#[expect(clippy::cast_possible_truncation, reason = "digits")]
pub(super) fn two_digits(number: u16) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + digit as u8)
}

/// The C library's form: the first of the longest runs of two or more zero
/// groups is `::`, and the last two groups are dotted where that run is all
/// that stands before them, or all but a group of ones.
pub(super) fn ipv6(out: &mut Buffer, address: &Ipv6Addr) {
    let groups = address.segments();
    let (start, len) = longest_zeros(&groups);
    let dotted = start == 0 && (len == 6 || len == 5 && groups[5] == 0xffff);
    let mut at = 0;
    while at < groups.len() {
        if at == start && len > 0 {
            out.text("::");
            at += len;
            continue;
        }
        let after_zeros = len > 0 && at == start + len;
        if at > 0 && !after_zeros {
            out.push(b':');
        }
        if dotted && at == 6 {
            return ipv4_tail(out, address);
        }
        group(out, groups[at]);
        at += 1;
    }
}

fn ipv4_tail(out: &mut Buffer, address: &Ipv6Addr) {
    let [.., a, b, c, d] = address.octets();
    ipv4(out, Ipv4Addr::new(a, b, c, d));
}

/// A group in hexadecimal, without leading zeros.
fn group(out: &mut Buffer, value: u16) {
    let digits = [value >> 12, value >> 8 & 0xf, value >> 4 & 0xf, value & 0xf];
    let leading = digits[..3].iter().take_while(|digit| **digit == 0).count();
    for digit in &digits[leading..] {
        out.push(b"0123456789abcdef"[usize::from(*digit)]);
    }
}

/// Start and length of the run that becomes `::`; length 0 when none does.
fn longest_zeros(groups: &[u16; 8]) -> (usize, usize) {
    let mut best = (0, 0);
    let mut run = 0;
    for (at, group) in groups.iter().enumerate() {
        run = if *group == 0 { run + 1 } else { 0 };
        if run > best.1 {
            best = (at + 1 - run, run);
        }
    }
    if best.1 < 2 { (0, 0) } else { best }
}

/// `1.2.3.4:80` or `[2001:db8::1]:80`, without names; as a column with a width,
/// see [`Buffer::end_column`].
#[inline(always)]
pub(super) fn numeric(out: &mut Buffer, address: &IpAddr, port: u16, width: usize) {
    let IpAddr::V4(v4) = address else {
        return other_numeric(out, address, port, width);
    };
    let mut cell = [b' '; CELL];
    let colon = put_ipv4(&mut cell, *v4);
    cell[colon] = b':';
    let end = put_number(&mut cell, colon + 1, port);
    out.start_of(&cell, end.max(width) + usize::from(width > 0));
}

#[inline(never)]
fn other_numeric(out: &mut Buffer, address: &IpAddr, port: u16, width: usize) {
    let start = out.len();
    host_and_colon(out, address);
    out.number(port);
    out.end_column(start, width);
}

/// What stands before the port.
pub(super) fn host_and_colon(out: &mut Buffer, address: &IpAddr) {
    match address {
        IpAddr::V4(v4) => ipv4(out, *v4),
        IpAddr::V6(v6) => {
            out.push(b'[');
            ipv6(out, v6);
            out.push(b']');
        }
    }
    out.push(b':');
}

#[cfg(test)]
mod tests {
    use super::super::sample::written;
    use super::*;

    fn text(ip: &str) -> String {
        written(|out| address(out, &ip.parse().unwrap()))
    }

    #[test]
    fn ports_are_plain_numbers() {
        for port in (0..=1_001).chain(9_990..=10_010).chain([65_535]) {
            for ip in ["0.0.0.0", "1.20.3.255", "255.255.255.255", "fe80::1"] {
                let ip = ip.parse().unwrap();
                let wanted = std::net::SocketAddr::new(ip, port).to_string();
                assert_eq!(written(|out| numeric(out, &ip, port, 0)), wanted);
            }
        }
    }

    /// What inet_ntop of glibc 2.36 prints.
    #[test]
    fn addresses_are_those_of_the_c_library() {
        for (ip, wanted) in [
            ("0.0.0.0", "0.0.0.0"),
            ("10.20.100.255", "10.20.100.255"),
            ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"),
            ("::2:0", "::0.2.0.0"),
            ("::1:2", "::0.1.0.2"),
            ("::1.2.3.4", "::1.2.3.4"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("::ffff:0:0", "::ffff:0.0.0.0"),
            ("::fffe:1.2.3.4", "::fffe:102:304"),
            ("::ffff:0:1:2", "::ffff:0:1:2"),
            ("::1:ffff:1.2.3.4", "::1:ffff:102:304"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
            ("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"),
            ("0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"),
            ("fe80::abcd:ef01:2345:6789", "fe80::abcd:ef01:2345:6789"),
            (
                "1000:200:30:4:ffff:ffff:ffff:ffff",
                "1000:200:30:4:ffff:ffff:ffff:ffff",
            ),
        ] {
            assert_eq!(text(ip), wanted, "{ip}");
        }
    }
}
