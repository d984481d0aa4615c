//! Counters and rates of a service or a server (`IPVS_STATS_ATTR_*`).

use super::attribute::{attributes, u32_of};
use crate::model::Stats;

const IPVS_STATS_ATTR_CONNS: usize = 1;
const IPVS_STATS_ATTR_INPKTS: usize = 2;
const IPVS_STATS_ATTR_OUTPKTS: usize = 3;
const IPVS_STATS_ATTR_INBYTES: usize = 4;
const IPVS_STATS_ATTR_OUTBYTES: usize = 5;
const IPVS_STATS_ATTR_CPS: usize = 6;
const IPVS_STATS_ATTR_INPPS: usize = 7;
const IPVS_STATS_ATTR_OUTPPS: usize = 8;
const IPVS_STATS_ATTR_INBPS: usize = 9;
const IPVS_STATS_ATTR_OUTBPS: usize = 10;

/// The counters in the nested attribute `STATS64` (all of 64 bits, Linux 4.1 and
/// newer) or, where that is missing, `STATS` (most of 32 bits). What is missing
/// is 0.
pub(super) fn parse_stats(wide: &[u8], narrow: &[u8]) -> Stats {
    let bytes = if wide.is_empty() { narrow } else { wide };
    let values = in_order(bytes).unwrap_or_else(|| in_any_order(bytes));
    let counter = |kind: usize| values[kind];
    Stats {
        conns: counter(IPVS_STATS_ATTR_CONNS),
        in_packets: counter(IPVS_STATS_ATTR_INPKTS),
        out_packets: counter(IPVS_STATS_ATTR_OUTPKTS),
        in_bytes: counter(IPVS_STATS_ATTR_INBYTES),
        out_bytes: counter(IPVS_STATS_ATTR_OUTBYTES),
        cps: counter(IPVS_STATS_ATTR_CPS),
        in_pps: counter(IPVS_STATS_ATTR_INPPS),
        out_pps: counter(IPVS_STATS_ATTR_OUTPPS),
        in_bps: counter(IPVS_STATS_ATTR_INBPS),
        out_bps: counter(IPVS_STATS_ATTR_OUTBPS),
    }
}

/// All counters at once, 64 bits wide, in the header's order: what the kernel
/// sends on machines that read unaligned numbers. Most attributes of a listing
/// are these, and the whole listing takes 2 % less by this.
fn in_order(bytes: &[u8]) -> Option<[u64; 11]> {
    let bytes: &[u8; 120] = bytes.try_into().ok()?;
    let mut values = [0; 11];
    for (kind, attribute) in (1u16..).zip(bytes.chunks_exact(12)) {
        let (header, value) = attribute.split_first_chunk::<4>()?;
        let [a, b, c, d] = *header;
        let expected = (12, kind);
        if (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])) != expected {
            return None;
        }
        values[usize::from(kind)] = number(value);
    }
    Some(values)
}

fn in_any_order(bytes: &[u8]) -> [u64; 11] {
    let mut values = [0; 11];
    for (kind, value) in attributes(bytes) {
        if let Some(counter) = values.get_mut(usize::from(kind)) {
            *counter = number(value);
        }
    }
    values
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
    fn a_counter_is_as_wide_as_its_attribute() {
        let mut bytes = vec![];
        bytes.extend(8u16.to_ne_bytes());
        bytes.extend((IPVS_STATS_ATTR_CONNS as u16).to_ne_bytes());
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(12u16.to_ne_bytes());
        bytes.extend((IPVS_STATS_ATTR_INBYTES as u16).to_ne_bytes());
        bytes.extend((1u64 << 40).to_ne_bytes());
        bytes.extend(4u16.to_ne_bytes());
        bytes.extend(99u16.to_ne_bytes());
        let stats = parse_stats(&[], &bytes);
        assert_eq!(stats.conns, u64::from(u32::MAX));
        assert_eq!(stats.in_bytes, 1 << 40);
        assert_eq!(stats.out_bytes, 0);
    }
}
