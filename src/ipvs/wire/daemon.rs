//! Synchronisation daemons (`IPVS_DAEMON_ATTR_*`).

use super::address::address_of;
use super::attribute::{Sink, attributes, find, u8_of, u16_of, u32_of};
use crate::model::{Daemon, DaemonConfig, DaemonRole, Family, Name};
use std::net::IpAddr;

const IPVS_CMD_ATTR_DAEMON: u16 = 3;

const IPVS_DAEMON_ATTR_STATE: u16 = 1;
const IPVS_DAEMON_ATTR_MCAST_IFN: u16 = 2;
const IPVS_DAEMON_ATTR_SYNC_ID: u16 = 3;
const IPVS_DAEMON_ATTR_SYNC_MAXLEN: u16 = 4;
const IPVS_DAEMON_ATTR_MCAST_GROUP: u16 = 5;
const IPVS_DAEMON_ATTR_MCAST_GROUP6: u16 = 6;
const IPVS_DAEMON_ATTR_MCAST_PORT: u16 = 7;
const IPVS_DAEMON_ATTR_MCAST_TTL: u16 = 8;

const IP_VS_STATE_MASTER: u32 = 1;
const IP_VS_STATE_BACKUP: u32 = 2;

/// A daemon that is to start.
pub(super) fn emit_start(daemon: &Daemon, out: &mut impl Sink) {
    out.nest(IPVS_CMD_ATTR_DAEMON, |out| {
        emit_key(daemon, out);
        emit_options(&daemon.config, out);
    });
}

/// A daemon that is to stop.
pub(super) fn emit_stop(daemon: &Daemon, out: &mut impl Sink) {
    out.nest(IPVS_CMD_ATTR_DAEMON, |out| emit_key(daemon, out));
}

/// The kernel's policy wants an interface even where it does not look at it.
fn emit_key(daemon: &Daemon, out: &mut impl Sink) {
    let interface = daemon.config.interface.unwrap_or_else(|| Name::from(""));
    out.put_u32(IPVS_DAEMON_ATTR_STATE, daemon.role as u32);
    out.put_text(IPVS_DAEMON_ATTR_MCAST_IFN, interface.as_bytes());
    out.put_u32(IPVS_DAEMON_ATTR_SYNC_ID, daemon.config.sync_id);
}

/// What is not asked for is left to the kernel.
fn emit_options(config: &DaemonConfig, out: &mut impl Sink) {
    if let Some(len) = config.max_len {
        out.put_u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN, len);
    }
    if let Some(port) = config.port {
        // The only port of this interface in host byte order.
        out.put_u16(IPVS_DAEMON_ATTR_MCAST_PORT, port);
    }
    if let Some(ttl) = config.ttl {
        out.put_u8(IPVS_DAEMON_ATTR_MCAST_TTL, ttl);
    }
    match config.group {
        Some(IpAddr::V4(group)) => out.put(IPVS_DAEMON_ATTR_MCAST_GROUP, &group.octets()),
        Some(IpAddr::V6(group)) => out.put(IPVS_DAEMON_ATTR_MCAST_GROUP6, &group.octets()),
        None => {}
    }
}

/// The daemon in the attributes of a reply (`IPVS_CMD_NEW_DAEMON`). Settings
/// that are 0 or missing are `None`. `None` for neither master nor backup.
pub fn parse_daemon(attributes_of_reply: &[u8]) -> Option<Daemon> {
    let mut role = None;
    let mut config = DaemonConfig::default();
    for (kind, value) in attributes(find(attributes_of_reply, IPVS_CMD_ATTR_DAEMON)?) {
        match kind {
            IPVS_DAEMON_ATTR_STATE => role = role_of(u32_of(value)?),
            IPVS_DAEMON_ATTR_MCAST_IFN => {
                config.interface = Some(Name::cut(value, Name::CAPACITY));
            }
            IPVS_DAEMON_ATTR_SYNC_ID => config.sync_id = u32_of(value)?,
            IPVS_DAEMON_ATTR_SYNC_MAXLEN => config.max_len = u16_of(value).filter(|n| *n > 0),
            IPVS_DAEMON_ATTR_MCAST_GROUP => config.group = address_of(Family::Inet, value),
            IPVS_DAEMON_ATTR_MCAST_GROUP6 => config.group = address_of(Family::Inet6, value),
            IPVS_DAEMON_ATTR_MCAST_PORT => config.port = u16_of(value).filter(|n| *n > 0),
            IPVS_DAEMON_ATTR_MCAST_TTL => config.ttl = u8_of(value).filter(|n| *n > 0),
            _ => {}
        }
    }
    Some(Daemon {
        role: role?,
        config,
    })
}

fn role_of(state: u32) -> Option<DaemonRole> {
    match state {
        IP_VS_STATE_MASTER => Some(DaemonRole::Master),
        IP_VS_STATE_BACKUP => Some(DaemonRole::Backup),
        _ => None,
    }
}
