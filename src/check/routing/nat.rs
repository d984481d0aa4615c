//! nf_tables over nfnetlink: NAT rules for outgoing packets.
//!
//! All that is read of a rule is whether it changes the source of packets, and
//! whether it is meant for those of IPVS. iptables writes its rules here too, as
//! expressions `match` and `target`; those of iptables-legacy are elsewhere.

use super::SourceNat;
use ipvs::netlink::{attributes, find, u32_of};
use netlink_packet_core::NetlinkSerializable;

// linux/netfilter/nfnetlink.h, nf_tables.h and nf_tables_compat.h
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFT_MSG_GETRULE: u16 = 7;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_NAT_TYPE: u16 = 1;
const NFT_NAT_SNAT: u32 = 0;
const NFTA_MATCH_NAME: u16 = 1;
const NFTA_TARGET_NAME: u16 = 1;

/// `struct nfgenmsg`: family, version and a number that is not used.
const NFGENMSG: usize = 4;

/// The request for all rules of all families, a message each.
#[derive(Clone, Copy)]
pub struct RulesRequest;

impl NetlinkSerializable for RulesRequest {
    fn message_type(&self) -> u16 {
        NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE
    }

    fn buffer_len(&self) -> usize {
        NFGENMSG
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// A rule, from `NFT_MSG_NEWRULE`; `None` for those that leave the source alone.
pub fn parse_source_nat(message: &[u8]) -> Option<SourceNat> {
    let rule = message.get(NFGENMSG..)?;
    let (mut changes, mut ipvs) = (false, false);
    for (_, expression) in attributes(find(rule, NFTA_RULE_EXPRESSIONS)?) {
        let name = text(find(expression, NFTA_EXPR_NAME)?);
        let data = find(expression, NFTA_EXPR_DATA).unwrap_or_default();
        match name {
            b"masq" => changes = true,
            b"nat" => {
                let kind = find(data, NFTA_NAT_TYPE).and_then(u32_of).map(u32::from_be);
                changes |= kind == Some(NFT_NAT_SNAT);
            }
            b"target" => {
                let target = text(find(data, NFTA_TARGET_NAME).unwrap_or_default());
                changes |= matches!(target, b"MASQUERADE" | b"SNAT");
            }
            b"match" => ipvs |= text(find(data, NFTA_MATCH_NAME).unwrap_or_default()) == b"ipvs",
            _ => {}
        }
    }
    let table = text(find(rule, NFTA_RULE_TABLE).unwrap_or_default());
    let table = String::from_utf8_lossy(table).into_owned();
    changes.then_some(SourceNat { table, ipvs })
}

/// Without the NUL at the end.
fn text(value: &[u8]) -> &[u8] {
    value.strip_suffix(b"\0").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipvs::netlink::{Sink, Writer, append};
    use netlink_packet_core::NLM_F_DUMP;

    /// A rule of `table` with these expressions: name, and the first attribute.
    fn rule(expressions: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut bytes = [0; 512];
        let mut writer = Writer::new(&mut bytes[NFGENMSG..]);
        writer.put_text(NFTA_RULE_TABLE, b"nat");
        writer.nest(NFTA_RULE_EXPRESSIONS, |writer| {
            for (name, value) in expressions {
                writer.nest(1, |writer| {
                    writer.put_text(NFTA_EXPR_NAME, name);
                    writer.nest(NFTA_EXPR_DATA, |writer| writer.put(1, value));
                });
            }
        });
        // The zeros after the last one end the list.
        bytes.to_vec()
    }

    fn read(expressions: &[(&[u8], &[u8])]) -> Option<bool> {
        let rule = parse_source_nat(&rule(expressions))?;
        assert_eq!(rule.table, "nat");
        Some(rule.ipvs)
    }

    #[test]
    fn the_request_byte_for_byte() {
        let mut out = b"before".to_vec();
        append(&mut out, RulesRequest, NLM_F_DUMP, 7);
        let request = [20, 0, 0, 0, 7, 10, 1, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        if cfg!(target_endian = "little") {
            assert_eq!(out[6..], request);
        }
    }

    #[test]
    fn rules_that_change_the_source() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[(b"counter", b""), (b"immediate", b"")]), None);
        assert_eq!(read(&[(b"masq", b"")]), Some(false));
        assert_eq!(read(&[(b"nat", &[0, 0, 0, 0])]), Some(false));
        assert_eq!(read(&[(b"nat", &[0, 0, 0, 1])]), None, "destination");
        assert_eq!(read(&[(b"nat", &[0])]), None, "cut");
        assert_eq!(read(&[(b"target", b"MASQUERADE\0")]), Some(false));
        assert_eq!(read(&[(b"target", b"MARK\0")]), None);
        let ipvs = (&b"match"[..], &b"ipvs\0"[..]);
        assert_eq!(read(&[ipvs, (b"target", b"SNAT\0")]), Some(true));
        assert_eq!(read(&[ipvs, (b"target", b"ACCEPT\0")]), None);
        assert_eq!(read(&[(b"match", b"tcp\0"), (b"masq", b"")]), Some(false));
        for len in 0..NFGENMSG + 4 {
            assert_eq!(parse_source_nat(&vec![0; len]), None);
        }
    }
}
