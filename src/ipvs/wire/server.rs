//! Real servers, "destinations" in the kernel (`IPVS_DEST_ATTR_*`).

use super::address::{address_bytes, address_of, family_number, family_of};
use super::attribute::{Sink, Values, find};
use super::stats::parse_stats;
use crate::model::{Family, Forwarding, Server, ServerConfig, ServerKey, Tunnel, TunnelChecksum};

const IPVS_CMD_ATTR_DEST: u16 = 2;

const IPVS_DEST_ATTR_ADDR: u16 = 1;
const IPVS_DEST_ATTR_PORT: u16 = 2;
const IPVS_DEST_ATTR_FWD_METHOD: u16 = 3;
const IPVS_DEST_ATTR_WEIGHT: u16 = 4;
const IPVS_DEST_ATTR_U_THRESH: u16 = 5;
const IPVS_DEST_ATTR_L_THRESH: u16 = 6;
const IPVS_DEST_ATTR_ACTIVE_CONNS: u16 = 7;
const IPVS_DEST_ATTR_INACT_CONNS: u16 = 8;
const IPVS_DEST_ATTR_PERSIST_CONNS: u16 = 9;
const IPVS_DEST_ATTR_STATS: u16 = 10;
const IPVS_DEST_ATTR_ADDR_FAMILY: u16 = 11;
const IPVS_DEST_ATTR_STATS64: u16 = 12;
const IPVS_DEST_ATTR_TUN_TYPE: u16 = 13;
const IPVS_DEST_ATTR_TUN_PORT: u16 = 14;
const IPVS_DEST_ATTR_TUN_FLAGS: u16 = 15;
const IPVS_DEST_ATTR_MAX: u16 = IPVS_DEST_ATTR_TUN_FLAGS;

const IP_VS_CONN_F_FWD_MASK: u32 = 7;
const IP_VS_CONN_F_MASQ: u32 = 0;
const IP_VS_CONN_F_LOCALNODE: u32 = 1;
const IP_VS_CONN_F_TUNNEL: u32 = 2;
const IP_VS_CONN_F_DROUTE: u32 = 3;
const IP_VS_CONN_F_BYPASS: u32 = 4;

const IP_VS_CONN_F_TUNNEL_TYPE_IPIP: u8 = 0;
const IP_VS_CONN_F_TUNNEL_TYPE_GUE: u8 = 1;
const IP_VS_CONN_F_TUNNEL_TYPE_GRE: u8 = 2;

const IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM: u16 = 0;
const IP_VS_TUNNEL_ENCAP_FLAG_CSUM: u16 = 1;
const IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM: u16 = 2;

/// A server: what names it within its service, and for a new or edited one also
/// how it is set up.
pub(super) fn emit(key: &ServerKey, config: Option<&ServerConfig>, out: &mut impl Sink) {
    out.nest(IPVS_CMD_ATTR_DEST, |out| {
        emit_key(key, out);
        if let Some(config) = config {
            emit_config(config, out);
        }
    });
}

fn emit_key(key: &ServerKey, out: &mut impl Sink) {
    let family = family_number(Family::of(&key.address));
    out.put_u16(IPVS_DEST_ATTR_ADDR_FAMILY, family);
    out.put(IPVS_DEST_ATTR_ADDR, &address_bytes(&key.address));
    out.put_be16(IPVS_DEST_ATTR_PORT, key.port);
}

/// The kernel has no partial edit: what is not said becomes 0.
fn emit_config(config: &ServerConfig, out: &mut impl Sink) {
    out.put_u32(
        IPVS_DEST_ATTR_FWD_METHOD,
        forwarding_number(config.forwarding),
    );
    out.put(IPVS_DEST_ATTR_WEIGHT, &config.weight.to_ne_bytes());
    if let Forwarding::Tunnel(tunnel) | Forwarding::Other { tunnel, .. } = config.forwarding {
        emit_tunnel(tunnel, out);
    }
    out.put_u32(IPVS_DEST_ATTR_U_THRESH, config.upper_threshold);
    out.put_u32(IPVS_DEST_ATTR_L_THRESH, config.lower_threshold);
}

fn emit_tunnel(tunnel: Tunnel, out: &mut impl Sink) {
    let (kind, port, flags) = match tunnel {
        Tunnel::Ipip => (IP_VS_CONN_F_TUNNEL_TYPE_IPIP, 0, 0),
        Tunnel::Gue { port, checksum } => {
            let flags = checksum_flags(checksum);
            (IP_VS_CONN_F_TUNNEL_TYPE_GUE, port, flags)
        }
        Tunnel::Gre { checksum } => (IP_VS_CONN_F_TUNNEL_TYPE_GRE, 0, checksum_flags(checksum)),
        Tunnel::Other { kind, port, flags } => (kind, port, flags),
    };
    out.put_u8(IPVS_DEST_ATTR_TUN_TYPE, kind);
    out.put_be16(IPVS_DEST_ATTR_TUN_PORT, port);
    out.put_u16(IPVS_DEST_ATTR_TUN_FLAGS, flags);
}

fn checksum_flags(checksum: TunnelChecksum) -> u16 {
    match checksum {
        TunnelChecksum::None => IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM,
        TunnelChecksum::Checksum => IP_VS_TUNNEL_ENCAP_FLAG_CSUM,
        TunnelChecksum::Remote => IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM,
    }
}

fn checksum_of(flags: u16) -> Option<TunnelChecksum> {
    match flags {
        IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM => Some(TunnelChecksum::None),
        IP_VS_TUNNEL_ENCAP_FLAG_CSUM => Some(TunnelChecksum::Checksum),
        IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM => Some(TunnelChecksum::Remote),
        _ => None,
    }
}

fn forwarding_number(forwarding: Forwarding) -> u32 {
    match forwarding {
        Forwarding::Masq => IP_VS_CONN_F_MASQ,
        Forwarding::Local => IP_VS_CONN_F_LOCALNODE,
        Forwarding::Tunnel(_) => IP_VS_CONN_F_TUNNEL,
        Forwarding::Route => IP_VS_CONN_F_DROUTE,
        Forwarding::Bypass => IP_VS_CONN_F_BYPASS,
        Forwarding::Other { method, .. } => method.into(),
    }
}

/// The attributes of a server by type.
type Attributes<'a> = Values<'a, { IPVS_DEST_ATTR_MAX as usize + 1 }>;

fn parse_key(values: &Attributes, family_of_service: Family) -> Option<ServerKey> {
    let family = match values.u16::<IPVS_DEST_ATTR_ADDR_FAMILY>() {
        Some(number) => family_of(number)?,
        None => family_of_service,
    };
    Some(ServerKey {
        address: address_of(family, values.of::<IPVS_DEST_ATTR_ADDR>())?,
        port: values.be16::<IPVS_DEST_ATTR_PORT>()?,
    })
}

/// What linux/ip_vs.h does not have is kept as it is, so that an edit of
/// something else does not alter it.
fn parse_forwarding(values: &Attributes) -> Forwarding {
    let method = values.u32::<IPVS_DEST_ATTR_FWD_METHOD>().unwrap_or(0);
    match method & IP_VS_CONN_F_FWD_MASK {
        IP_VS_CONN_F_MASQ => Forwarding::Masq,
        IP_VS_CONN_F_LOCALNODE => Forwarding::Local,
        IP_VS_CONN_F_TUNNEL => Forwarding::Tunnel(parse_tunnel(values)),
        IP_VS_CONN_F_DROUTE => Forwarding::Route,
        IP_VS_CONN_F_BYPASS => Forwarding::Bypass,
        other => {
            let [method, ..] = other.to_le_bytes();
            let tunnel = parse_tunnel(values);
            Forwarding::Other { method, tunnel }
        }
    }
}

fn parse_tunnel(values: &Attributes) -> Tunnel {
    let number = values.u8::<IPVS_DEST_ATTR_TUN_TYPE>();
    let kind = number.unwrap_or(IP_VS_CONN_F_TUNNEL_TYPE_IPIP);
    let port = values.be16::<IPVS_DEST_ATTR_TUN_PORT>().unwrap_or(0);
    let flags = values.u16::<IPVS_DEST_ATTR_TUN_FLAGS>().unwrap_or(0);
    // A type that would lose the port or the flags is kept as the numbers.
    match (kind, checksum_of(flags)) {
        (IP_VS_CONN_F_TUNNEL_TYPE_IPIP, Some(_)) if port == 0 && flags == 0 => Tunnel::Ipip,
        (IP_VS_CONN_F_TUNNEL_TYPE_GUE, Some(checksum)) => Tunnel::Gue { port, checksum },
        (IP_VS_CONN_F_TUNNEL_TYPE_GRE, Some(checksum)) if port == 0 => Tunnel::Gre { checksum },
        _ => Tunnel::Other { kind, port, flags },
    }
}

/// The server in the attributes of a reply (`IPVS_CMD_NEW_DEST`).
///
/// `family` is its service's, which counts where an old kernel (before 3.18)
/// does not say the server's own. What else is missing is 0. `None` when the
/// message names no server.
pub fn parse_server(attributes_of_reply: &[u8], family: Family) -> Option<Server> {
    let values = Attributes::new(find(attributes_of_reply, IPVS_CMD_ATTR_DEST)?);
    Some(Server {
        key: parse_key(&values, family)?,
        config: ServerConfig {
            forwarding: parse_forwarding(&values),
            weight: values.i32::<IPVS_DEST_ATTR_WEIGHT>().unwrap_or(0),
            upper_threshold: values.u32::<IPVS_DEST_ATTR_U_THRESH>().unwrap_or(0),
            lower_threshold: values.u32::<IPVS_DEST_ATTR_L_THRESH>().unwrap_or(0),
        },
        active: values.u32::<IPVS_DEST_ATTR_ACTIVE_CONNS>().unwrap_or(0),
        inactive: values.u32::<IPVS_DEST_ATTR_INACT_CONNS>().unwrap_or(0),
        persistent: values.u32::<IPVS_DEST_ATTR_PERSIST_CONNS>().unwrap_or(0),
        stats: parse_stats(
            values.of::<IPVS_DEST_ATTR_STATS64>(),
            values.of::<IPVS_DEST_ATTR_STATS>(),
        ),
    })
}
