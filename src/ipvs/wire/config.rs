//! What concerns IPVS as a whole: session time-outs (`IPVS_CMD_ATTR_TIMEOUT_*`)
//! and the facts about the kernel's side (`IPVS_INFO_ATTR_*`).

use super::attribute::{Sink, find, u32_of};
use crate::model::{Info, Timeouts};

const IPVS_CMD_ATTR_TIMEOUT_TCP: u16 = 4;
const IPVS_CMD_ATTR_TIMEOUT_TCP_FIN: u16 = 5;
const IPVS_CMD_ATTR_TIMEOUT_UDP: u16 = 6;

const IPVS_INFO_ATTR_VERSION: u16 = 1;
const IPVS_INFO_ATTR_CONN_TAB_SIZE: u16 = 2;

/// The three time-outs in seconds; 0 leaves one as it is.
pub(super) fn emit_timeouts(timeouts: &Timeouts, out: &mut impl Sink) {
    out.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp);
    out.put_u32(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcp_fin);
    out.put_u32(IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp);
}

/// The time-outs in a reply (`IPVS_CMD_SET_CONFIG`), in seconds; 0 for a
/// protocol that the kernel was built without.
pub fn parse_timeouts(attributes_of_reply: &[u8]) -> Timeouts {
    Timeouts {
        tcp: number(attributes_of_reply, IPVS_CMD_ATTR_TIMEOUT_TCP),
        tcp_fin: number(attributes_of_reply, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN),
        udp: number(attributes_of_reply, IPVS_CMD_ATTR_TIMEOUT_UDP),
    }
}

/// The facts in a reply (`IPVS_CMD_SET_INFO`); what is missing is 0.
pub fn parse_info(attributes_of_reply: &[u8]) -> Info {
    Info {
        version: number(attributes_of_reply, IPVS_INFO_ATTR_VERSION),
        conn_tab_size: number(attributes_of_reply, IPVS_INFO_ATTR_CONN_TAB_SIZE),
    }
}

fn number(attributes_of_reply: &[u8], kind: u16) -> u32 {
    find(attributes_of_reply, kind)
        .and_then(u32_of)
        .unwrap_or(0)
}
