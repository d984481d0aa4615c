//! Counters and rates of a service or a server (`IPVS_STATS_ATTR_*`).

use super::attribute::{attributes, u32_of};
use crate::model::Stats;

const IPVS_STATS_ATTR_CONNS: u16 = 1;
const IPVS_STATS_ATTR_INPKTS: u16 = 2;
const IPVS_STATS_ATTR_OUTPKTS: u16 = 3;
const IPVS_STATS_ATTR_INBYTES: u16 = 4;
const IPVS_STATS_ATTR_OUTBYTES: u16 = 5;
const IPVS_STATS_ATTR_CPS: u16 = 6;
const IPVS_STATS_ATTR_INPPS: u16 = 7;
const IPVS_STATS_ATTR_OUTPPS: u16 = 8;
const IPVS_STATS_ATTR_INBPS: u16 = 9;
const IPVS_STATS_ATTR_OUTBPS: u16 = 10;

/// The counters in the nested attribute `STATS` (most of 32 bits) or `STATS64`
/// (all of 64 bits, Linux 4.1 and newer). What is missing is 0.
pub(super) fn parse_stats(bytes: &[u8]) -> Stats {
    let mut stats = Stats::default();
    for (kind, value) in attributes(bytes) {
        let place = match kind {
            IPVS_STATS_ATTR_CONNS => &mut stats.conns,
            IPVS_STATS_ATTR_INPKTS => &mut stats.in_packets,
            IPVS_STATS_ATTR_OUTPKTS => &mut stats.out_packets,
            IPVS_STATS_ATTR_INBYTES => &mut stats.in_bytes,
            IPVS_STATS_ATTR_OUTBYTES => &mut stats.out_bytes,
            IPVS_STATS_ATTR_CPS => &mut stats.cps,
            IPVS_STATS_ATTR_INPPS => &mut stats.in_pps,
            IPVS_STATS_ATTR_OUTPPS => &mut stats.out_pps,
            IPVS_STATS_ATTR_INBPS => &mut stats.in_bps,
            IPVS_STATS_ATTR_OUTBPS => &mut stats.out_bps,
            _ => continue,
        };
        *place = number(value);
    }
    stats
}

/// A counter is as wide as its attribute.
fn number(value: &[u8]) -> u64 {
    match value.first_chunk() {
        Some(wide) => u64::from_ne_bytes(*wide),
        None => u32_of(value).unwrap_or(0).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_follow_the_attribute() {
        let mut bytes = vec![];
        bytes.extend(8u16.to_ne_bytes());
        bytes.extend(IPVS_STATS_ATTR_CONNS.to_ne_bytes());
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(12u16.to_ne_bytes());
        bytes.extend(IPVS_STATS_ATTR_INBYTES.to_ne_bytes());
        bytes.extend((1u64 << 40).to_ne_bytes());
        bytes.extend(4u16.to_ne_bytes());
        bytes.extend(99u16.to_ne_bytes());
        let stats = parse_stats(&bytes);
        assert_eq!(stats.conns, u32::MAX.into());
        assert_eq!(stats.in_bytes, 1 << 40);
        assert_eq!(stats.out_bytes, 0);
    }
}
