//! The bag of options that a command line is read into, and what it means as
//! a whole.
//!
//! [`Args::take`] reads one option with its value, in the order in which they
//! were typed; [`Args::command`] then makes the checks that need all of them,
//! in the order in which the original makes them. Nothing here prints, or
//! talks to the kernel.

use super::Complaint;
use super::command::{Command, List, Restore};
use super::lexer::Occurrence;
use super::matrix::{self, TUNNEL_OPTIONS, TunnelType};
use super::options::{CommandName, Opt, OptSet, Role};
use super::values;
use crate::model::{
    Change, Daemon, DaemonConfig, DaemonRole, Family, Forwarding, Name, Netmask, Protocol,
    ServerConfig, ServerKey, ServiceConfig, ServiceFlags, ServiceKey, Timeouts, Tunnel,
    TunnelChecksum,
};
use crate::names::Lookup;
use crate::render::{Style, View};
use std::num::NonZeroU32;

/// The scheduler of a service that asks for none.
pub const DEFAULT_SCHEDULER: &str = "wlc";
/// The interface of a sync daemon that asks for none.
pub const DEFAULT_INTERFACE: &str = "eth0";
/// The persistence time-out of `-p` without a value, in seconds.
pub const DEFAULT_PERSISTENCE: u32 = 360;

/// The length at which the original cuts the flags of a scheduler.
const SCHED_FLAGS_LIMIT: usize = 127;
/// Schedulers and interfaces are cut so that a NUL fits into the kernel's 16
/// bytes; persistence engines are not.
const NAME_LIMIT: usize = 15;

/// What `-g`, `-i` and `-m` say, before the tunnel options are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Method {
    #[default]
    Route,
    Tunnel,
    Masq,
}

/// The options read so far.
#[derive(Debug)]
pub struct Args<'a> {
    command: CommandName,
    role: DaemonRole,
    given: OptSet,
    words: Vec<&'a [u8]>,
    service: Option<ServiceKey>,
    scheduler: Name,
    sched_flags: &'a [u8],
    persistence: u32,
    netmask: Option<&'a [u8]>,
    engine: Option<Name>,
    server: Option<ServerKey>,
    method: Method,
    weight: i32,
    upper_threshold: u32,
    lower_threshold: u32,
    tunnel_type: TunnelType,
    tunnel_port: u16,
    checksum: TunnelChecksum,
    daemon: DaemonConfig,
    drain: Option<u32>,
}

impl<'a> Args<'a> {
    /// The bag of the command that `first` names; `None` when it names none.
    pub fn of(first: &Occurrence<'a>) -> Option<Result<Args<'a>, Complaint>> {
        let Role::Command(command) = first.row.role else {
            return None;
        };
        let role = match (command, first.value) {
            (_, None | Some(b"master")) => DaemonRole::Master,
            (_, Some(b"backup")) => DaemonRole::Backup,
            // These two are spelt differently, and scripts may know it.
            (CommandName::StopDaemon, _) => {
                return Some(Err(Complaint::usage("illegal start_daemon specified")));
            }
            _ => {
                return Some(Err(Complaint::usage(
                    "illegal start-daemon parameter specified",
                )));
            }
        };
        Some(Ok(Args::new(command, role)))
    }

    fn new(command: CommandName, role: DaemonRole) -> Args<'a> {
        Args {
            command,
            role,
            given: OptSet::default(),
            words: Vec::new(),
            service: None,
            scheduler: Name::from(DEFAULT_SCHEDULER),
            sched_flags: b"",
            persistence: 0,
            netmask: None,
            engine: None,
            server: None,
            method: Method::default(),
            weight: 1,
            upper_threshold: 0,
            lower_threshold: 0,
            tunnel_type: TunnelType::default(),
            tunnel_port: 0,
            checksum: TunnelChecksum::default(),
            daemon: DaemonConfig::default(),
            drain: None,
        }
    }

    /// The command that was named.
    pub fn name(&self) -> CommandName {
        self.command
    }

    /// Takes a word that belongs to no option.
    pub fn take_word(&mut self, word: &'a [u8]) {
        self.words.push(word);
    }

    /// Puts the words that stood before the command in front of the others.
    pub fn put_words_first(&mut self, words: Vec<&'a [u8]>) {
        self.words.splice(0..0, words);
    }

    /// Takes an option after the command.
    pub fn take(
        &mut self,
        option: &Occurrence<'a>,
        lookup: &mut dyn Lookup,
    ) -> Result<(), Complaint> {
        match option.row.role {
            Role::Command(_) => Err(Complaint::about("invalid option `%'", option.word)),
            Role::Ignored => Ok(()),
            Role::Ipv6 => self.take_ipv6(),
            Role::Option(which) => {
                if !self.given.insert(which) {
                    return Err(Complaint::usage(format!(
                        "multiple '{}' options specified",
                        which.name()
                    )));
                }
                self.take_option(which, option, lookup)
            }
        }
    }

    fn take_ipv6(&mut self) -> Result<(), Complaint> {
        match &mut self.service {
            Some(ServiceKey::Fwmark { family, .. }) => {
                *family = Family::Inet6;
                Ok(())
            }
            // The empty line is the original's.
            _ => Err(Complaint::usage("-6 must follow -f\n")),
        }
    }

    fn take_option(
        &mut self,
        which: Opt,
        option: &Occurrence<'a>,
        lookup: &mut dyn Lookup,
    ) -> Result<(), Complaint> {
        let value = option.value.unwrap_or_default();
        match which {
            Opt::ServiceAddress => self.service = Some(service(option.row.long, value, lookup)?),
            Opt::RealServer => self.take_server(value, lookup)?,
            Opt::Netmask => self.take_netmask(value, lookup)?,
            Opt::Scheduler => {
                if !value.is_empty() {
                    self.scheduler = Name::cut(value, NAME_LIMIT);
                }
            }
            Opt::Pe => {
                self.engine = Some(Name::cut(value, Name::CAPACITY)).filter(|n| !n.is_empty());
            }
            Opt::SchedFlags => self.sched_flags = &value[..value.len().min(SCHED_FLAGS_LIMIT)],
            Opt::Persistent => {
                self.persistence = match option.value {
                    Some(value) => values::timeout(value, 1)?,
                    None => DEFAULT_PERSISTENCE,
                };
            }
            Opt::ForwardingMethod => {
                self.method = match option.row.short {
                    Some(b'i') => Method::Tunnel,
                    Some(b'm') => Method::Masq,
                    _ => Method::Route,
                };
            }
            Opt::Drain => {
                self.drain = option.value.map(|v| values::timeout(v, 1)).transpose()?;
            }
            _ => self.take_number(which, value)?,
        }
        Ok(())
    }

    /// The options whose value is a number or one of a few words.
    fn take_number(&mut self, which: Opt, value: &[u8]) -> Result<(), Complaint> {
        let number = |name: &str, min, max| {
            values::number(value, min, max)
                .ok_or_else(|| Complaint::usage(format!("illegal {name} specified")))
        };
        let max = i64::from(i32::MAX);
        match which {
            Opt::Weight => self.weight = number("weight", 0, max)? as i32,
            Opt::UThreshold => self.upper_threshold = number("u_threshold", 0, max)? as u32,
            Opt::LThreshold => self.lower_threshold = number("l_threshold", 0, max)? as u32,
            Opt::TunType => {
                self.tunnel_type = TunnelType::ALL
                    .into_iter()
                    .find(|t| t.name().as_bytes() == value)
                    .ok_or_else(|| Complaint::usage("illegal tunnel type specified"))?;
            }
            Opt::TunPort => self.tunnel_port = number("tunnel port", 1, 65535)? as u16,
            Opt::TunNocsum => self.checksum = TunnelChecksum::None,
            Opt::TunCsum => self.checksum = TunnelChecksum::Checksum,
            Opt::TunRemcsum => self.checksum = TunnelChecksum::Remote,
            Opt::McastInterface if !value.is_empty() => {
                self.daemon.interface = Some(Name::cut(value, NAME_LIMIT));
            }
            Opt::SyncId => self.daemon.sync_id = number("syncid", 0, 255)? as u32,
            Opt::SyncMaxlen => {
                self.daemon.max_len = Some(number("sync-maxlen", 1, 65535 - 20 - 8)? as u16);
            }
            Opt::McastGroup => self.daemon.group = Some(values::multicast(value)?),
            Opt::McastPort => self.daemon.port = Some(number("mcast-port", 1, 65535)? as u16),
            Opt::McastTtl => self.daemon.ttl = Some(number("mcast-ttl", 1, 255)? as u8),
            // All others say what they say by being there.
            _ => {}
        }
        Ok(())
    }

    /// A server without a port takes that of the service, if it is known by now.
    fn take_server(&mut self, value: &[u8], lookup: &mut dyn Lookup) -> Result<(), Complaint> {
        let protocol = self.service.and_then(|service| service.protocol());
        let (address, port) = values::address(value, protocol, lookup)
            .ok_or_else(|| Complaint::usage("illegal real server address[:port] specified"))?;
        let port = port.unwrap_or_else(|| self.service.map_or(0, |service| service.port()));
        self.server = Some(ServerKey { address, port });
        Ok(())
    }

    /// Checks a mask at once where the family is settled; before that, it must
    /// make sense for one of them, and [`Args::config`] decides.
    fn take_netmask(&mut self, value: &'a [u8], lookup: &mut dyn Lookup) -> Result<(), Complaint> {
        match self.service {
            Some(ServiceKey::Address { address, .. }) => {
                values::netmask(value, Family::of(&address), lookup)?;
            }
            _ if values::netmask(value, Family::Inet6, lookup).is_ok() => {}
            _ => {
                values::netmask(value, Family::Inet, lookup)?;
            }
        }
        self.netmask = Some(value);
        Ok(())
    }

    /// What the whole command line means.
    pub fn command(self, lookup: &mut dyn Lookup) -> Result<Command, Complaint> {
        let timeouts = match self.command {
            CommandName::Set => Some(self.timeouts()?),
            _ => None,
        };
        let expected = if timeouts.is_some() { 3 } else { 0 };
        if let Some(word) = self.words.get(expected) {
            return Err(Complaint::about("unexpected argument %", word));
        }
        let flags = values::sched_flags(self.sched_flags, &self.scheduler)?;
        matrix::check_command(self.command, self.given)?;
        let change = match self.command {
            CommandName::List => return self.list().map(Command::List),
            CommandName::Save => return Ok(self.save()),
            CommandName::Restore => return Ok(self.restore()),
            CommandName::Help => return Ok(Command::Help),
            CommandName::Version => return Ok(Command::Version),
            CommandName::AddService => {
                Change::AddService(self.service()?, self.config(flags, lookup)?)
            }
            CommandName::EditService => {
                Change::EditService(self.service()?, self.config(flags, lookup)?)
            }
            CommandName::DeleteService => Change::DeleteService(self.service()?),
            CommandName::Flush => Change::Flush,
            CommandName::Zero => Change::Zero(self.service),
            CommandName::AddServer => self.server(Change::AddServer)?,
            CommandName::EditServer => self.server(Change::EditServer)?,
            CommandName::DeleteServer => return self.delete_server(),
            CommandName::Set => match timeouts {
                Some(timeouts) => Change::SetTimeouts(timeouts),
                None => return Err(Complaint::usage("--set option requires 3 timeout values")),
            },
            CommandName::StartDaemon => Change::StartDaemon(self.daemon(Some(DEFAULT_INTERFACE))),
            CommandName::StopDaemon => Change::StopDaemon(self.daemon(None)),
        };
        Ok(Command::Change(change))
    }

    fn timeouts(&self) -> Result<Timeouts, Complaint> {
        let [tcp, tcp_fin, udp, ..] = self.words[..] else {
            return Err(Complaint::usage("--set option requires 3 timeout values"));
        };
        Ok(Timeouts {
            tcp: values::timeout(tcp, 0)?,
            tcp_fin: values::timeout(tcp_fin, 0)?,
            udp: values::timeout(udp, 0)?,
        })
    }

    /// The service; the matrix has seen to it that there is one.
    fn service(&self) -> Result<ServiceKey, Complaint> {
        self.service
            .ok_or_else(|| Complaint::usage("illegal virtual server address[:port] specified"))
    }

    fn config(
        &self,
        sched_flags: ServiceFlags,
        lookup: &mut dyn Lookup,
    ) -> Result<ServiceConfig, Complaint> {
        let service = self.service()?;
        let netmask = match self.netmask {
            Some(text) => values::netmask(text, service.family(), lookup)?,
            None => Netmask::host(service.family()),
        };
        let mut flags = sched_flags;
        if self.given.has(Opt::Persistent) {
            flags = flags.with(ServiceFlags::PERSISTENT);
        }
        if self.given.has(Opt::Ops) {
            flags = flags.with(ServiceFlags::ONE_PACKET);
        }
        if let ServiceKey::Address { protocol, port, .. } = service {
            if port == 0 && !flags.persistent() {
                return Err(
                    Complaint::usage("Zero port specified for non-persistent service")
                        .with_hint("name a port, or add -p for a service on all ports"),
                );
            }
            if flags.one_packet() && protocol != Protocol::Udp {
                return Err(Complaint::usage(
                    "One-Packet Scheduling is only for UDP virtual services",
                ));
            }
        }
        Ok(ServiceConfig {
            scheduler: self.scheduler,
            flags,
            timeout: self.persistence,
            netmask,
            engine: self.engine,
        })
    }

    fn server_key(&self) -> Result<ServerKey, Complaint> {
        self.server
            .ok_or_else(|| Complaint::usage("illegal real server address[:port] specified"))
    }

    fn server(
        &self,
        change: fn(ServiceKey, ServerKey, ServerConfig) -> Change,
    ) -> Result<Change, Complaint> {
        let service = self.service()?;
        let mut server = self.server_key()?;
        if self.method != Method::Masq {
            // Direct routing and tunnels leave the packets' port alone.
            if let ServiceKey::Address { port, .. } = service {
                server.port = port;
            }
        }
        if Family::of(&server.address) != service.family() && self.method != Method::Tunnel {
            return Err(Complaint::usage(
                "Different address family is allowed only for tunneling servers",
            ));
        }
        let config = ServerConfig {
            forwarding: self.forwarding()?,
            weight: self.weight,
            upper_threshold: self.upper_threshold,
            lower_threshold: self.lower_threshold,
        };
        Ok(change(service, server, config))
    }

    fn forwarding(&self) -> Result<Forwarding, Complaint> {
        if self.method != Method::Tunnel {
            if self.given.meets(TUNNEL_OPTIONS) {
                return Err(Complaint::usage(
                    "Tunnel options conflict with forward method",
                ));
            }
            return Ok(match self.method {
                Method::Masq => Forwarding::Masq,
                _ => Forwarding::Route,
            });
        }
        matrix::check_tunnel(self.tunnel_type, self.given)?;
        Ok(Forwarding::Tunnel(match self.tunnel_type {
            TunnelType::Ipip => Tunnel::Ipip,
            TunnelType::Gue => Tunnel::Gue {
                port: self.tunnel_port,
                checksum: self.checksum,
            },
            TunnelType::Gre => Tunnel::Gre {
                checksum: self.checksum,
            },
        }))
    }

    fn delete_server(&self) -> Result<Command, Complaint> {
        let (service, server) = (self.service()?, self.server_key()?);
        Ok(if self.given.has(Opt::Drain) {
            Command::Drain {
                service,
                server,
                limit: self.drain,
            }
        } else {
            Command::Change(Change::DeleteServer(service, server))
        })
    }

    fn list(&self) -> Result<List, Complaint> {
        let has = |option| self.given.has(option);
        let other = has(Opt::Timeout) || has(Opt::Daemon);
        let view = has(Opt::Stats) || has(Opt::Rate) || has(Opt::Thresholds);
        if (has(Opt::Connection) || other) && view || other && has(Opt::PersistentConn) {
            return Err(Complaint::usage("options conflicts in the list command"));
        }
        let numeric = has(Opt::Numeric);
        Ok(if has(Opt::Connection) {
            List::Connections {
                engines: has(Opt::PersistentConn),
                numeric,
            }
        } else if has(Opt::Timeout) {
            List::Timeouts
        } else if has(Opt::Daemon) {
            List::Daemons
        } else {
            List::Table {
                service: self.service,
                style: self.style(),
                sorted: !has(Opt::Nosort),
                numeric,
            }
        })
    }

    fn style(&self) -> Style {
        let views = [
            (Opt::Stats, View::Stats),
            (Opt::Rate, View::Rate),
            (Opt::Thresholds, View::Thresholds),
            (Opt::PersistentConn, View::PersistentConn),
            (Opt::TunInfo, View::TunInfo),
        ];
        let chosen = views
            .into_iter()
            .find(|(option, _)| self.given.has(*option));
        Style {
            view: chosen.map_or(View::Plain, |(_, view)| view),
            exact: self.given.has(Opt::Exact),
        }
    }

    fn save(&self) -> Command {
        Command::Save {
            numeric: self.given.has(Opt::Numeric),
            all: self.given.has(Opt::All),
        }
    }

    fn restore(&self) -> Command {
        Command::Restore(Restore {
            replace: self.given.has(Opt::Replace),
            dry_run: self.given.has(Opt::DryRun),
        })
    }

    fn daemon(&self, default_interface: Option<&str>) -> Daemon {
        let mut config = self.daemon;
        config.interface = config.interface.or(default_interface.map(Name::from));
        Daemon {
            role: self.role,
            config,
        }
    }
}

/// The service that `-t`, `-u`, `--sctp-service` or `-f` names.
fn service(option: &str, value: &[u8], lookup: &mut dyn Lookup) -> Result<ServiceKey, Complaint> {
    let protocol = match option {
        "tcp-service" => Protocol::Tcp,
        "udp-service" => Protocol::Udp,
        "sctp-service" => Protocol::Sctp,
        _ => {
            let mark = values::number(value, 1, i64::from(u32::MAX));
            let mark = mark.and_then(|mark| NonZeroU32::new(mark as u32));
            return Ok(ServiceKey::Fwmark {
                mark: mark
                    .ok_or_else(|| Complaint::about("invalid fwmark value `%' specified", value))?,
                family: Family::Inet,
            });
        }
    };
    let (address, port) = values::address(value, Some(protocol), lookup)
        .ok_or_else(|| Complaint::usage("illegal virtual server address[:port] specified"))?;
    Ok(ServiceKey::Address {
        protocol,
        address,
        port: port.unwrap_or(0),
    })
}
