//! What the options of a command line mean together.
//!
//! [`Args::command`] makes the checks that need all options, in C ipvsadm's
//! order.

use super::UsageError;
use super::args::{Args, Method, REAL_SERVER, VIRTUAL_SERVER};
use super::command::{Action, Command, Format, List, Restore, Save, Watch, Watched};
use super::matrix::{self, TUNNEL_OPTIONS, TunnelType};
use super::options::{CommandName, Opt};
use super::values;
use crate::model::{
    Change, Daemon, Family, Forwarding, Name, Netmask, Protocol, ServerConfig, ServerKey,
    ServiceConfig, ServiceFlags, ServiceKey, Style, Timeouts, Tunnel, View,
};
use crate::names::Lookup;

/// The interface of a sync daemon without `--mcast-interface`.
pub const DEFAULT_INTERFACE: &str = "eth0";

impl Args<'_> {
    /// What the whole command line means.
    pub fn command(self, lookup: &mut dyn Lookup) -> Result<Command, UsageError> {
        let netmask = self.netmask(lookup)?;
        let timeouts = match self.command {
            CommandName::Set => Some(self.timeouts()?),
            _ => None,
        };
        let expected = if timeouts.is_some() { 3 } else { 0 };
        if let Some(word) = self.words.get(expected) {
            return Err(UsageError::UnexpectedWord(word.to_vec()));
        }
        let flags = values::sched_flags(self.sched_flags, &self.scheduler)?;
        matrix::check_command(self.command, self.given)?;
        let change = match self.command {
            CommandName::List => {
                let list = Action::List(self.list()?, self.format());
                return Ok(Command::Action(list));
            }
            CommandName::Save => {
                let save = self.save();
                return self.watched(Action::Save(save), Watched::Changes { all: save.all });
            }
            CommandName::Restore => return Ok(Command::Restore(self.restore())),
            CommandName::Help => return Ok(Command::Help),
            CommandName::Version => return Ok(Command::Version),
            CommandName::AddService => {
                Change::AddService(self.service()?, self.config(flags, netmask)?)
            }
            CommandName::EditService => {
                Change::EditService(self.service()?, self.config(flags, netmask)?)
            }
            CommandName::DeleteService => Change::DeleteService(self.service()?),
            CommandName::Flush => Change::Flush,
            CommandName::Zero => Change::Zero(self.service),
            CommandName::AddServer => self.server(Change::AddServer)?,
            CommandName::EditServer => self.server(Change::EditServer)?,
            CommandName::DeleteServer => return Ok(Command::Action(self.delete_server()?)),
            CommandName::Set => match timeouts {
                Some(timeouts) => Change::SetTimeouts(timeouts),
                None => return Err(UsageError::TooFewTimeouts),
            },
            CommandName::StartDaemon => Change::StartDaemon(self.daemon(Some(DEFAULT_INTERFACE))),
            CommandName::StopDaemon => Change::StopDaemon(self.daemon(None)),
        };
        Ok(Command::Action(Action::Change(change)))
    }

    fn timeouts(&self) -> Result<Timeouts, UsageError> {
        let [tcp, tcp_fin, udp, ..] = self.words[..] else {
            return Err(UsageError::TooFewTimeouts);
        };
        Ok(Timeouts {
            tcp: values::timeout(tcp, 0)?,
            tcp_fin: values::timeout(tcp_fin, 0)?,
            udp: values::timeout(udp, 0)?,
        })
    }

    /// The service; the matrix has checked that there is one.
    fn service(&self) -> Result<ServiceKey, UsageError> {
        self.service.ok_or(UsageError::IllegalValue(VIRTUAL_SERVER))
    }

    /// The mask, for the family of the service; without a service, IPv4, as the
    /// original has it.
    fn netmask(&self, lookup: &mut dyn Lookup) -> Result<Netmask, UsageError> {
        let family = self.service.map_or(Family::Inet, |key| key.family());
        match self.netmask {
            Some(text) => values::netmask(text, family, lookup),
            None => Ok(Netmask::host(family)),
        }
    }

    fn config(
        &self,
        sched_flags: ServiceFlags,
        netmask: Netmask,
    ) -> Result<ServiceConfig, UsageError> {
        let service = self.service()?;
        let mut flags = sched_flags;
        if self.given.contains(Opt::Persistent) {
            flags = flags.with(ServiceFlags::PERSISTENT);
        }
        if self.given.contains(Opt::Ops) {
            flags = flags.with(ServiceFlags::ONE_PACKET);
        }
        if let ServiceKey::Address { protocol, port, .. } = service {
            if port == 0 && !flags.persistent() {
                return Err(UsageError::ZeroPort);
            }
            if flags.one_packet() && protocol != Protocol::Udp {
                return Err(UsageError::OnePacketNotUdp);
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

    fn server_key(&self) -> Result<ServerKey, UsageError> {
        self.server.ok_or(UsageError::IllegalValue(REAL_SERVER))
    }

    fn server(
        &self,
        change: fn(ServiceKey, ServerKey, ServerConfig) -> Change,
    ) -> Result<Change, UsageError> {
        let service = self.service()?;
        let mut server = self.server_key()?;
        if self.method != Method::Masq {
            // Direct routing and tunnels cannot change the port of a packet.
            if let ServiceKey::Address { port, .. } = service {
                server.port = port;
            }
        }
        if Family::of(&server.address) != service.family() && self.method != Method::Tunnel {
            return Err(UsageError::MixedFamilies);
        }
        let config = ServerConfig {
            forwarding: self.forwarding()?,
            weight: self.weight,
            upper_threshold: self.upper_threshold,
            lower_threshold: self.lower_threshold,
        };
        Ok(change(service, server, config))
    }

    fn forwarding(&self) -> Result<Forwarding, UsageError> {
        if self.method != Method::Tunnel {
            if self.given.intersects(TUNNEL_OPTIONS) {
                return Err(UsageError::NoTunnel);
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

    fn delete_server(&self) -> Result<Action, UsageError> {
        let (service, server) = (self.service()?, self.server_key()?);
        Ok(if self.given.contains(Opt::Drain) {
            Action::Drain {
                service,
                server,
                limit: self.drain,
            }
        } else {
            Action::Change(Change::DeleteServer(service, server))
        })
    }

    fn list(&self) -> Result<List, UsageError> {
        let has = |option| self.given.contains(option);
        let other = has(Opt::Timeout) || has(Opt::Daemon);
        let view = has(Opt::Stats) || has(Opt::Rate) || has(Opt::Thresholds);
        if (has(Opt::Connection) || other) && view || other && has(Opt::PersistentConn) {
            return Err(UsageError::ConflictInListing);
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

    fn format(&self) -> Format {
        if self.given.contains(Opt::Json) {
            Format::Json
        } else {
            Format::Text
        }
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
            .find(|(option, _)| self.given.contains(*option));
        Style {
            view: chosen.map_or(View::Plain, |(_, view)| view),
            exact: self.given.contains(Opt::Exact),
        }
    }

    fn save(&self) -> Save {
        Save {
            numeric: self.given.contains(Opt::Numeric),
            all: self.given.contains(Opt::All),
        }
    }

    /// `action`, or with `--watch` what takes its place.
    fn watched(&self, action: Action, what: Watched) -> Result<Command, UsageError> {
        if self.given.contains(Opt::Watch) {
            return Ok(Command::Watch(Watch {
                what,
                interval: self.interval,
                samples: self.samples,
            }));
        }
        if self.given.contains(Opt::Samples) {
            return Err(UsageError::Needs(Opt::Samples, Opt::Watch));
        }
        Ok(Command::Action(action))
    }

    fn restore(&self) -> Restore {
        Restore {
            replace: self.given.contains(Opt::Replace),
            dry_run: self.given.contains(Opt::DryRun),
        }
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
