//! /proc/net/ip_vs_stats: what a network namespace has balanced in all.

use super::text::{blanks, hexadecimal, line};
use super::{malformed, read_net_file};
use ipvs::Namespace;
use nom::character::complete::line_ending;
use nom::sequence::preceded;
use nom::{IResult, Parser};
use std::io;

/// The counters of all services, of those that are gone too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub incoming_packets: u64,
    /// Packets to clients that passed the director.
    pub outgoing_packets: u64,
    /// Bytes from clients.
    pub incoming_bytes: u64,
    /// Bytes to clients that passed the director.
    pub outgoing_bytes: u64,
}

/// Where the kernel has them.
pub const STATS: &str = "/proc/net/ip_vs_stats";

/// The counters of `namespace`. Everybody may read them.
pub fn stats(namespace: &Namespace) -> io::Result<Stats> {
    let text = read_net_file(namespace, "ip_vs_stats")?;
    parse(&text).map_or_else(|_| Err(malformed()), |(_, stats)| Ok(stats))
}

/// Two lines of titles, and the counters in hexadecimal. What follows are rates.
fn parse(text: &[u8]) -> IResult<&[u8], Stats> {
    let counter = || preceded(blanks, hexadecimal(1, 16));
    let counters = (counter(), counter(), counter(), counter(), counter());
    let titles = (line, line);
    let (rest, (_, counters, _, _)) = (titles, counters, blanks, line_ending).parse(text)?;
    let (connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes) =
        counters;
    let stats = Stats {
        connections,
        incoming_packets,
        outgoing_packets,
        incoming_bytes,
        outgoing_bytes,
    };
    Ok((rest, stats))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "   Total Incoming Outgoing         Incoming         Outgoing
   Conns  Packets  Packets            Bytes            Bytes
       7        E 12345678              310 FFFFFFFFFFFFFFFF

 Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
       1        1        1               49               27
";

    #[test]
    fn counters_are_read_as_hexadecimal_numbers() {
        let (_, stats) = parse(TEXT.as_bytes()).unwrap();
        let wanted = Stats {
            connections: 7,
            incoming_packets: 14,
            outgoing_packets: 0x1234_5678,
            incoming_bytes: 0x310,
            outgoing_bytes: u64::MAX,
        };
        assert_eq!(stats, wanted);
    }

    #[test]
    fn what_is_cut_off_or_no_number_is_refused() {
        for end in [0, 60, 118, 130, 176] {
            assert!(parse(&TEXT.as_bytes()[..end]).is_err(), "{end}");
        }
        for (right, wrong) in [("310", "31G"), (" 310", "-310"), ("FFFF", "FFFFF")] {
            let text = TEXT.replacen(right, wrong, 1);
            assert!(parse(text.as_bytes()).is_err(), "{wrong}");
        }
    }
}
