//! What `--keep` and `--ensure` ask for: commands whose change depends on the
//! current table.
//!
//! [`ServicePatch`] and [`ServerPatch`] hold the options that were given;
//! applied to the current configuration they yield the wanted one, or say why
//! the two do not go together. This is pure: `run` reads the table and changes
//! it.

use super::UsageError;
use super::args::Method;
use super::matrix;
use super::options::{Opt, OptSet, TunnelType};
use super::values;
use ipvs::{
    Change, Forwarding, Name, Netmask, ServerConfig, ServerKey, ServiceConfig, ServiceFlags,
    ServiceKey, Tunnel, TunnelChecksum,
};

/// A state to be reached, whatever changes that takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// `-A --ensure` and `-E --keep`
    Service(ServiceKey, Wish<ServiceConfig, ServicePatch>),
    /// `-a --ensure` and `-e --keep`
    Server(ServiceKey, ServerKey, Wish<ServerConfig, ServerPatch>),
    /// `-D --ensure`
    NoService(ServiceKey),
    /// `-d --ensure`
    NoServer(ServiceKey, ServerKey),
}

impl Goal {
    /// The line without `--ensure`, if it then says the same of an empty table.
    pub fn plain(&self) -> Option<Change> {
        match self {
            Goal::Service(key, Wish::Ensure(config)) => Some(Change::AddService(*key, *config)),
            Goal::Server(service, key, Wish::Ensure(config)) => {
                Some(Change::AddServer(*service, *key, *config))
            }
            _ => None,
        }
    }
}

/// The wanted configuration of a service or server: a whole one of type `C`, or
/// the current one with a patch of type `P` applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish<C, P> {
    /// `--keep`: it must be there.
    Keep(P),
    /// `--ensure`
    Ensure(C),
    /// `--ensure --keep`: the set-up is for one that is not there yet.
    EnsureKept(C, P),
}

impl<C: Copy, P: Patch<C>> Wish<C, P> {
    /// What is to be added if it is not there.
    pub fn added(&self) -> Option<C> {
        match self {
            Wish::Keep(_) => None,
            Wish::Ensure(config) | Wish::EnsureKept(config, _) => Some(*config),
        }
    }

    /// What `present` is to be changed into.
    pub fn wanted(&self, present: &C) -> Result<C, UsageError> {
        match self {
            Wish::Ensure(config) => Ok(*config),
            Wish::Keep(patch) | Wish::EnsureKept(_, patch) => patch.over(present),
        }
    }
}

/// Some fields of a set-up of type `C`.
pub trait Patch<C> {
    /// `present` with these fields in place of its own. An error when they make
    /// no sense with the others.
    fn over(&self, present: &C) -> Result<C, UsageError>;
}

/// The options of a virtual service that were named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePatch {
    /// `-s`
    pub scheduler: Option<Name>,
    /// `-p`, in seconds; 0 takes persistence away.
    pub persistence: Option<u32>,
    /// `-M`
    pub netmask: Option<Netmask>,
    /// `--pe`
    pub engine: Option<Option<Name>>,
    /// `-o`
    pub one_packet: Option<bool>,
    /// `-b`, as typed: the scheduler decides what it means.
    pub sched_flags: Option<Box<[u8]>>,
}

impl Patch<ServiceConfig> for ServicePatch {
    fn over(&self, present: &ServiceConfig) -> Result<ServiceConfig, UsageError> {
        let mut config = ServiceConfig {
            scheduler: self.scheduler.unwrap_or(present.scheduler),
            flags: present.flags,
            timeout: self.persistence.unwrap_or(present.timeout),
            netmask: self.netmask.unwrap_or(present.netmask),
            engine: self.engine.unwrap_or(present.engine),
        };
        if let Some(seconds) = self.persistence {
            let on = seconds != 0;
            config.flags.set(ServiceFlags::PERSISTENT, on);
        }
        if let Some(on) = self.one_packet {
            config.flags.set(ServiceFlags::ONE_PACKET, on);
        }
        if let Some(text) = &self.sched_flags {
            let flags = values::sched_flags(text, &config.scheduler)?;
            config.flags = (config.flags - ServiceFlags::SCHED) | flags;
        }
        Ok(config)
    }
}

/// The options of a real server that were named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerPatch {
    /// `-g`, `-i`, `-m`
    pub(super) method: Option<Method>,
    /// `--tun-type`
    pub(super) tunnel_type: Option<TunnelType>,
    /// `--tun-port`
    pub(super) tunnel_port: Option<u16>,
    /// `--tun-nocsum`, `--tun-csum`, `--tun-remcsum`
    pub(super) checksum: Option<TunnelChecksum>,
    /// Which of the tunnel options were given.
    pub(super) tunnel_options: OptSet,
    /// `-w`
    pub(super) weight: Option<i32>,
    /// `-x`
    pub(super) upper_threshold: Option<u32>,
    /// `-y`
    pub(super) lower_threshold: Option<u32>,
}

impl Patch<ServerConfig> for ServerPatch {
    fn over(&self, present: &ServerConfig) -> Result<ServerConfig, UsageError> {
        Ok(ServerConfig {
            forwarding: self.forwarding(present.forwarding)?,
            weight: self.weight.unwrap_or(present.weight),
            upper_threshold: self.upper_threshold.unwrap_or(present.upper_threshold),
            lower_threshold: self.lower_threshold.unwrap_or(present.lower_threshold),
        })
    }
}

impl ServerPatch {
    fn forwarding(&self, present: Forwarding) -> Result<Forwarding, UsageError> {
        match (self.method, present) {
            (None | Some(Method::Tunnel), Forwarding::Tunnel(tunnel)) => self.tunnel(tunnel),
            (Some(Method::Tunnel), _) => self.tunnel(Tunnel::Ipip),
            _ if self.tunnel_options != OptSet::default() => Err(UsageError::NoTunnel),
            (Some(Method::Masq), _) => Ok(Forwarding::Masq),
            (Some(Method::Route), _) => Ok(Forwarding::Route),
            (None, present) => Ok(present),
        }
    }

    /// What a new type of tunnel does not support is dropped.
    fn tunnel(&self, present: Tunnel) -> Result<Forwarding, UsageError> {
        let none = TunnelChecksum::None;
        let (kind, port, checksum) = match present {
            // Nothing can be said about its options without a type.
            Tunnel::Other { .. } if self.tunnel_type.is_none() => {
                return match self.tunnel_options == OptSet::default() {
                    true => Ok(Forwarding::Tunnel(present)),
                    false => Err(UsageError::NoTunnel),
                };
            }
            Tunnel::Other { port, .. } => (TunnelType::Ipip, Some(port), none),
            Tunnel::Ipip => (TunnelType::Ipip, None, none),
            Tunnel::Gue { port, checksum } => (TunnelType::Gue, Some(port), checksum),
            Tunnel::Gre { checksum } => (TunnelType::Gre, None, checksum),
        };
        let kind = self.tunnel_type.unwrap_or(kind);
        let mut options = self.tunnel_options;
        if kind == TunnelType::Gue && port.is_some() {
            options.insert(Opt::TunPort);
        }
        matrix::check_tunnel(kind, options)?;
        let port = self.tunnel_port.or(port).unwrap_or(0);
        let checksum = self.checksum.unwrap_or(checksum);
        Ok(Forwarding::Tunnel(match (kind, checksum) {
            (TunnelType::Ipip, _) => Tunnel::Ipip,
            (TunnelType::Gue, checksum) => Tunnel::Gue { port, checksum },
            (TunnelType::Gre, TunnelChecksum::Remote) => Tunnel::Gre { checksum: none },
            (TunnelType::Gre, checksum) => Tunnel::Gre { checksum },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Action, parse_line};
    use super::*;
    use crate::names::NoLookup;

    fn goal(line: &str) -> Goal {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        match parse_line(&words, &mut NoLookup) {
            Ok(Action::Goal(goal)) => *goal,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn service(options: &str, present: &ServiceConfig) -> Result<ServiceConfig, String> {
        match goal(&format!("-E -u 10.0.0.1:53 --keep {options}")) {
            Goal::Service(_, wish) => wish.wanted(present).map_err(|e| e.to_string()),
            other => panic!("{other:?}"),
        }
    }

    fn server(options: &str, forwarding: Forwarding) -> Result<Forwarding, String> {
        let present = ServerConfig {
            forwarding,
            weight: 3,
            upper_threshold: 9,
            lower_threshold: 4,
        };
        match goal(&format!(
            "-e -t 10.0.0.1:80 -r 10.0.0.2:80 --keep {options}"
        )) {
            Goal::Server(_, _, wish) => {
                let wanted = wish.wanted(&present).map_err(|e| e.to_string())?;
                let others = ServerConfig {
                    forwarding,
                    ..wanted
                };
                assert_eq!(others, present, "{options}");
                Ok(wanted.forwarding)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_named_of_a_service_stays() {
        let present = ServiceConfig {
            scheduler: Name::from("sh"),
            flags: ServiceFlags::from_bits_retain(0x1000 | 0x1 | 0x2 | 0x4 | 0x8),
            timeout: 60,
            netmask: Netmask::V4([255, 255, 0, 0].into()),
            engine: Some(Name::from("sip")),
        };
        let flags = |flags| ServiceConfig {
            flags: ServiceFlags::from_bits_retain(flags),
            ..present
        };
        for (options, wanted) in [
            ("", present),
            ("-b sh-port", flags(0x1017)),
            ("-b flag-3", flags(0x1027)),
            ("--without sched-flags", flags(0x1007)),
            ("--without ops", flags(0x100b)),
            (
                "--without persistent,pe",
                ServiceConfig {
                    timeout: 0,
                    engine: None,
                    ..flags(0x100e)
                },
            ),
            (
                "-p 9 --without netmask",
                ServiceConfig {
                    timeout: 9,
                    netmask: Netmask::host(ipvs::Family::Inet),
                    ..present
                },
            ),
            (
                "-s mh",
                ServiceConfig {
                    scheduler: Name::from("mh"),
                    ..present
                },
            ),
        ] {
            assert_eq!(service(options, &present), Ok(wanted), "{options}");
        }
        assert_eq!(
            service("-b mh-port", &present),
            Err("incompatible scheduler flag `mh-port'".into())
        );
    }

    #[test]
    fn what_is_not_named_of_a_tunnel_stays() {
        let (none, remote) = (TunnelChecksum::None, TunnelChecksum::Remote);
        let checksum = TunnelChecksum::Checksum;
        let gue = |port, checksum| Forwarding::Tunnel(Tunnel::Gue { port, checksum });
        let gre = |checksum| Forwarding::Tunnel(Tunnel::Gre { checksum });
        let ipip = Forwarding::Tunnel(Tunnel::Ipip);
        let tunnel = Tunnel::Other {
            kind: 7,
            port: 9,
            flags: 4,
        };
        let other = Forwarding::Tunnel(tunnel);
        let unknown = Forwarding::Other { method: 5, tunnel };
        for (options, present, wanted) in [
            ("", Forwarding::Local, Forwarding::Local),
            ("-g", Forwarding::Local, Forwarding::Route),
            ("-m", gue(5, remote), Forwarding::Masq),
            ("-i", Forwarding::Masq, ipip),
            ("-i", gue(5, remote), gue(5, remote)),
            ("--tun-port 6", gue(5, remote), gue(6, remote)),
            ("--tun-csum", gue(5, remote), gue(5, checksum)),
            ("--tun-type gre", gue(5, remote), gre(none)),
            ("--tun-type gre", gue(5, checksum), gre(checksum)),
            ("--tun-type ipip", gue(5, checksum), ipip),
            (
                "--tun-type gue --tun-port 7",
                gre(checksum),
                gue(7, checksum),
            ),
            ("-i --tun-type gre", Forwarding::Route, gre(none)),
            ("", other, other),
            ("-i", other, other),
            ("-g", other, Forwarding::Route),
            ("--tun-type gue", other, gue(9, none)),
            ("", unknown, unknown),
            ("-m", unknown, Forwarding::Masq),
        ] {
            assert_eq!(server(options, present), Ok(wanted), "{options}");
        }
        for (options, present, error) in [
            (
                "--tun-csum",
                Forwarding::Masq,
                "Tunnel options conflict with forward method",
            ),
            (
                "--tun-type gue",
                ipip,
                "You need to supply the 'tun-port' option for the 'gue' tunnel type",
            ),
            (
                "--tun-csum",
                other,
                "Tunnel options conflict with forward method",
            ),
            (
                "--tun-csum",
                ipip,
                "Illegal 'tun-csum' option with the 'ipip' tunnel type",
            ),
            (
                "--tun-remcsum",
                gre(none),
                "Illegal 'tun-remcsum' option with the 'gre' tunnel type",
            ),
        ] {
            assert_eq!(server(options, present), Err(error.into()), "{options}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_is_read() {
        for (line, error) in [
            (
                "-a -t 10.0.0.1:80 -r 10.0.0.2 --keep",
                "Illegal 'keep' option with the 'add-server' command",
            ),
            (
                "-A -f 1 --keep",
                "Illegal 'keep' option with the 'add-service' command",
            ),
            (
                "-D -f 1 --keep",
                "Illegal 'keep' option with the 'delete-service' command",
            ),
            (
                "-d -f 1 -r 10.0.0.2 --keep",
                "Illegal 'keep' option with the 'delete-server' command",
            ),
            (
                "-C --ensure",
                "Illegal 'ensure' option with the 'flush' command",
            ),
            (
                "-E -f 1 --ensure",
                "Illegal 'ensure' option with the 'edit-service' command",
            ),
            (
                "-e -f 1 -r 10.0.0.2 --ensure",
                "Illegal 'ensure' option with the 'edit-server' command",
            ),
            (
                "-E -f 1 --without ops",
                "You need to supply the 'keep' option for the 'edit-service' command",
            ),
            (
                "-E -f 1 --keep -o --without pe,ops",
                "The option 'without' conflicts with the 'ops' option in the 'edit-service' command",
            ),
            (
                "-E -f 1 --keep --without scheduler",
                "`scheduler' cannot be taken away",
            ),
            ("-E -f 1 --keep --without ,", "`,' cannot be taken away"),
            (
                "-E -t 10.0.0.1:0 --keep --without persistent",
                "Zero port specified for non-persistent service",
            ),
            (
                "-E -t 10.0.0.1:80 --keep -o",
                "One-Packet Scheduling is only for UDP virtual services",
            ),
            (
                "-E -f 1 --keep -b sh-port,mh-port",
                "incompatible scheduler flag `sh-port'",
            ),
            (
                "-E -f 1 --keep -b nosuch",
                "invalid scheduler flag `nosuch'",
            ),
            (
                "-e -f 1 -r 10.0.0.2 --keep -m --tun-csum",
                "Tunnel options conflict with forward method",
            ),
            (
                "-e -f 1 -r 10.0.0.2 --keep --tun-csum --tun-nocsum",
                "The option 'tun-csum' conflicts with the 'tun-nocsum' option in the 'gue' tunnel type",
            ),
            (
                "-e -f 1 -r 10.0.0.2 --keep --tun-type ipip --tun-port 5",
                "Illegal 'tun-port' option with the 'ipip' tunnel type",
            ),
            (
                "-e -f 1 -r ::1 --keep -m",
                "Different address family is allowed only for tunneling servers",
            ),
        ] {
            let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
            let said = parse_line(&words, &mut NoLookup).map_err(|e| e.to_string());
            assert_eq!(said, Err(error.to_owned()), "{line}");
        }
    }
}
