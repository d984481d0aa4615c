//! Options applied to a configuration.
//!
//! [`ServiceOptions`] and [`ServerOptions`] hold the options that were given.
//! Over the defaults they yield the configuration that a plain `-A` or `-a` asks
//! for; over what the kernel has, the one that `--keep` asks for. Either way they
//! may not go together, which is an error. This is pure: `run` reads the table and
//! changes it.

use super::error::UsageError;
use super::matrix;
use super::opt::{Opt, OptSet};
use super::values::{self, DEFAULT_SCHEDULER};
use crate::cli::opt::TunnelType;
use ipvs::{
    Change, Family, Forwarding, Name, Netmask, ServerConfig, ServerKey, ServiceConfig,
    ServiceFlags, ServiceKey, Tunnel, TunnelChecksum,
};

/// A state that `--keep` or `--ensure` asks for, whatever changes that takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Desired {
    /// `-A --ensure` and `-E --keep`
    Service(ServiceKey, Settings<ServiceConfig, ServiceOptions>),
    /// `-a --ensure` and `-e --keep`
    Server(ServiceKey, ServerKey, Settings<ServerConfig, ServerOptions>),
    /// `-D --ensure`
    NoService(ServiceKey),
    /// `-d --ensure`
    NoServer(ServiceKey, ServerKey),
}

impl Desired {
    /// The line without `--ensure`, if it then says the same of an empty table.
    pub fn plain(&self) -> Option<Change> {
        match self {
            Desired::Service(key, Settings::Ensure(config)) => {
                Some(Change::AddService(*key, *config))
            }
            Desired::Server(service, key, Settings::Ensure(config)) => {
                Some(Change::AddServer(*service, *key, *config))
            }
            _ => None,
        }
    }
}

/// The desired configuration of a service or server: a whole one of type `C`, or
/// the present one with options of type `O` over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings<C, O> {
    /// `--keep`: it must be there.
    Keep(O),
    /// `--ensure`
    Ensure(C),
    /// `--ensure --keep`: the configuration is for one that is not there yet.
    EnsureKept(C, O),
}

impl<C: Copy, O: Over<C>> Settings<C, O> {
    /// What is to be added if it is not there.
    pub fn if_absent(&self) -> Option<C> {
        match self {
            Settings::Keep(_) => None,
            Settings::Ensure(config) | Settings::EnsureKept(config, _) => Some(*config),
        }
    }

    /// What `present` is to be changed into.
    pub fn if_present(&self, present: &C) -> Result<C, UsageError> {
        match self {
            Settings::Ensure(config) => Ok(*config),
            Settings::Keep(options) | Settings::EnsureKept(_, options) => options.over(present),
        }
    }
}

impl Settings<ServiceConfig, ServiceOptions> {
    /// The persistence mask that is set in any case.
    pub fn netmask(&self) -> Option<Netmask> {
        match self {
            Settings::Keep(options) => options.netmask,
            Settings::Ensure(config) | Settings::EnsureKept(config, _) => Some(config.netmask),
        }
    }
}

/// Options of a configuration of type `C`.
pub trait Over<C> {
    /// `present` with what these options say in place of what it says. An error
    /// when they make no sense with the rest.
    fn over(&self, present: &C) -> Result<C, UsageError>;
}

/// The options of a virtual service that were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceOptions {
    /// `-s`
    pub(super) scheduler: Option<Name>,
    /// `-p`, in seconds; 0 removes persistence.
    pub(super) persistence: Option<u32>,
    /// `-M`
    pub(super) netmask: Option<Netmask>,
    /// `--pe`
    pub(super) engine: Option<Option<Name>>,
    /// `-o`
    pub(super) one_packet: Option<bool>,
    /// `-b`, as typed: the scheduler decides what it means.
    pub(super) sched_flags: Option<Box<[u8]>>,
}

impl ServiceOptions {
    /// What a service of `family` has that no option says.
    pub(super) fn defaults(family: Family) -> ServiceConfig {
        ServiceConfig {
            scheduler: Name::from(DEFAULT_SCHEDULER),
            flags: ServiceFlags::default(),
            timeout: 0,
            netmask: Netmask::host(family),
            engine: None,
        }
    }

    /// Makes these options also remove `options` from a service of `family`.
    pub(super) fn remove(&mut self, options: OptSet, family: Family) {
        let removed = |option| options.contains(option);
        if removed(Opt::Persistent) {
            self.persistence = Some(0);
        }
        if removed(Opt::Netmask) {
            self.netmask = Some(Netmask::host(family));
        }
        if removed(Opt::Pe) {
            self.engine = Some(None);
        }
        if removed(Opt::Ops) {
            self.one_packet = Some(false);
        }
        if removed(Opt::SchedFlags) {
            self.sched_flags = Some(Box::default());
        }
    }

    /// Checks `-b` before the service is known. With `keep` and without `-s`,
    /// accepts flags that any scheduler knows.
    pub(super) fn check_flags(&self, keep: bool) -> Result<(), UsageError> {
        let Some(text) = &self.sched_flags else {
            return Ok(());
        };
        let fit = |name: Name| values::sched_flags(text, &name).map(|_| ());
        match fit(self.scheduler.unwrap_or(Name::from(DEFAULT_SCHEDULER))) {
            Err(UsageError::ForeignFlag(_)) if keep && self.scheduler.is_none() => {
                fit(Name::from("sh")).or_else(|_| fit(Name::from("mh")))
            }
            fit => fit,
        }
    }
}

impl Over<ServiceConfig> for ServiceOptions {
    fn over(&self, present: &ServiceConfig) -> Result<ServiceConfig, UsageError> {
        // All by name: an option that is forgotten here does not compile.
        let ServiceOptions {
            scheduler,
            persistence,
            netmask,
            engine,
            one_packet,
            sched_flags,
        } = self;
        let mut config = ServiceConfig {
            scheduler: scheduler.unwrap_or(present.scheduler),
            flags: present.flags,
            timeout: persistence.unwrap_or(present.timeout),
            netmask: netmask.unwrap_or(present.netmask),
            engine: engine.unwrap_or(present.engine),
        };
        if let Some(seconds) = persistence {
            config.flags.set(ServiceFlags::PERSISTENT, *seconds != 0);
        }
        if let Some(on) = one_packet {
            config.flags.set(ServiceFlags::ONE_PACKET, *on);
        }
        if let Some(text) = sched_flags {
            let flags = values::sched_flags(text, &config.scheduler)?;
            config.flags = (config.flags - ServiceFlags::SCHED) | flags;
        }
        Ok(config)
    }
}

/// What `-g`, `-i` and `-m` say, before the tunnel options are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `-g`
    Route,
    /// `-i`
    Tunnel,
    /// `-m`
    Masq,
}

/// The options of a real server that were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerOptions {
    /// `-g`, `-i`, `-m`
    pub(super) method: Option<Method>,
    /// `--tun-type`
    pub(super) tunnel_type: Option<TunnelType>,
    /// `--tun-port`
    pub(super) tunnel_port: Option<u16>,
    /// `--tun-nocsum`, `--tun-csum`, `--tun-remcsum`
    pub(super) checksum: Option<TunnelChecksum>,
    /// Which of the tunnel options were given, several checksums included.
    pub(super) tunnel_options: OptSet,
    /// `-w`
    pub(super) weight: Option<i32>,
    /// `-x`
    pub(super) upper_threshold: Option<u32>,
    /// `-y`
    pub(super) lower_threshold: Option<u32>,
}

impl Over<ServerConfig> for ServerOptions {
    fn over(&self, present: &ServerConfig) -> Result<ServerConfig, UsageError> {
        // All by name, as above; the first five are for `forwarding`.
        let ServerOptions {
            method: _,
            tunnel_type: _,
            tunnel_port: _,
            checksum: _,
            tunnel_options: _,
            weight,
            upper_threshold,
            lower_threshold,
        } = self;
        Ok(ServerConfig {
            forwarding: self.forwarding(present.forwarding)?,
            weight: weight.unwrap_or(present.weight),
            upper_threshold: upper_threshold.unwrap_or(present.upper_threshold),
            lower_threshold: lower_threshold.unwrap_or(present.lower_threshold),
        })
    }
}

impl ServerOptions {
    /// What a real server has that no option says.
    pub(super) const DEFAULTS: ServerConfig = ServerConfig {
        forwarding: Forwarding::Route,
        weight: 1,
        upper_threshold: 0,
        lower_threshold: 0,
    };

    /// Checks what can be checked without knowing the tunnel that is there.
    pub(super) fn check_tunnel(&self) -> Result<(), UsageError> {
        let mut options = self.tunnel_options;
        if options == OptSet::default() {
            return Ok(());
        }
        if self.method.is_some_and(|method| method != Method::Tunnel) {
            return Err(UsageError::NoTunnel);
        }
        // GUE accepts every tunnel option, so it is the permissive choice when
        // the type is unknown; the port may be there.
        let most_permissive = self.tunnel_type.unwrap_or(TunnelType::Gue);
        if most_permissive == TunnelType::Gue {
            options.insert(Opt::TunPort);
        }
        matrix::check_tunnel(most_permissive, options)
    }

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
        if self.tunnel_options == OptSet::default() {
            return Ok(Forwarding::Tunnel(present));
        }
        let none = TunnelChecksum::None;
        let (kind, port, checksum) = match present {
            // Nothing can be said about its options without a type.
            Tunnel::Other { .. } if self.tunnel_type.is_none() => return Err(UsageError::NoTunnel),
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
    use super::*;
    use crate::cli::{Action, parse_line};
    use crate::names::NoLookup;

    fn desired(line: &str) -> Desired {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        match parse_line(&words, &mut NoLookup) {
            Ok(Action::Reach(desired)) => *desired,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn service(options: &str, present: &ServiceConfig) -> Result<ServiceConfig, String> {
        match desired(&format!("-E -u 10.0.0.1:53 --keep {options}")) {
            Desired::Service(_, settings) => {
                settings.if_present(present).map_err(|e| e.to_string())
            }
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
        match desired(&format!(
            "-e -t 10.0.0.1:80 -r 10.0.0.2:80 --keep {options}"
        )) {
            Desired::Server(_, _, settings) => {
                let wanted = settings.if_present(&present).map_err(|e| e.to_string())?;
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
    fn keep_changes_only_the_named_options_of_a_service() {
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
    fn keep_changes_only_the_named_options_of_a_tunnel() {
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
            // No option asks for it, and another program did.
            ("", gre(remote), gre(remote)),
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
    fn contradictions_are_refused_before_the_table_is_read() {
        for (line, error) in [
            (
                "-a -t 10.0.0.1:80 -r 10.0.0.2 --keep",
                "Illegal 'keep' option with the 'add-server' command",
            ),
            (
                "-A -f 1 --keep",
                "Illegal 'keep' option with the 'add-service' command",
            ),
            ("-D -f 1 --keep", "--keep: unknown option"),
            ("-d -f 1 -r 10.0.0.2 --keep", "--keep: unknown option"),
            ("-C --ensure", "--ensure: unknown option"),
            ("-E -f 1 --ensure", "--ensure: unknown option"),
            ("-e -f 1 -r 10.0.0.2 --ensure", "--ensure: unknown option"),
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
                "--without cannot remove `scheduler'",
            ),
            ("-E -f 1 --keep --without ,", "--without cannot remove `,'"),
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
