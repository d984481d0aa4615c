//! Addresses and ports as C ipvsadm prints them.
//!
//! `Display` of std is not used: the C library writes `::0.1.0.2` where std
//! writes `::1:2`, and std is slow. This module must not know names.

use super::buffer::Buffer;
use super::digits::{put, put_dotted, put_number};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `00` to `ff`
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut value = 0;
    while value < 256 {
        pairs[value] = [digits[value / 16], digits[value % 16]];
        value += 1;
    }
    pairs
};

/// `address` without brackets.
pub(super) fn address(out: &mut Buffer, address: &IpAddr) {
    match address {
        IpAddr::V4(v4) => ipv4(out, *v4),
        IpAddr::V6(v6) => ipv6(out, v6),
    }
}

#[inline]
pub(super) fn ipv4(out: &mut Buffer, address: Ipv4Addr) {
    out.cell(0, |room: &mut [u8; 16]| put_octets(room, address));
}

/// Puts the octets at the start of `room`, each with a dot after it; where the
/// last dot is.
#[inline(always)]
fn put_octets<const N: usize>(room: &mut [u8; N], address: Ipv4Addr) -> usize {
    let [a, b, c, d] = address.octets().map(usize::from);
    let at = put_dotted(room, 0, a) + 1;
    let at = put_dotted(room, at, b) + 1;
    let at = put_dotted(room, at, c) + 1;
    put_dotted(room, at, d)
}

/// The C library's form: the first of the longest runs of two or more zero
/// groups is `::`, and the last two groups are dotted where that run is all
/// that stands before them, or all but a group of ones.
#[inline(never)]
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

#[inline]
fn group(out: &mut Buffer, value: u16) {
    let leading = usize::from(value < 0x1000) + usize::from(value < 0x100);
    let leading = leading + usize::from(value < 0x10);
    let [high, low] = value.to_be_bytes().map(|byte| HEX[usize::from(byte)]);
    let digits = u32::from_le_bytes([high[0], high[1], low[0], low[1]]) >> (leading * 8);
    out.fixed(digits.to_le_bytes(), 4 - leading);
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
/// see [`Buffer::column`].
#[inline(always)]
pub(super) fn numeric(out: &mut Buffer, address: &IpAddr, port: u16, width: usize) {
    let gap = usize::from(width > 0);
    match address {
        IpAddr::V4(v4) => out.cell(width + gap, |room: &mut [u8; 24]| {
            let colon = put_octets(room, *v4);
            put(room, colon, [b':']);
            put_number(room, colon + 1, port) + gap
        }),
        IpAddr::V6(v6) => numeric_ipv6(out, v6, port, width),
    }
}

#[inline(never)]
fn numeric_ipv6(out: &mut Buffer, address: &Ipv6Addr, port: u16, width: usize) {
    let start = out.len();
    out.push(b'[');
    ipv6(out, address);
    out.text("]:");
    out.cell(0, |room: &mut [u8; 8]| put_number(room, 0, port));
    out.end_column(start, width);
}

/// What stands before the port.
#[inline]
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
