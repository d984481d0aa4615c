//! What the options of a command line mean together.
//!
//! [`Args::command`] makes the checks that need all options, in C ipvsadm's
//! order.

use super::{
    Action, Check, Command, Drain, Format, Hosts, List, Restore, Save, ServerEdit, Watch, Watched,
};
use crate::cli::args::Args;
use crate::cli::error::{Context, UsageError};
use crate::cli::matrix::{REMOVABLE, TUNNEL_OPTIONS};
use crate::cli::opt::{CommandName, Opt};
use crate::cli::options::{CONNECTION_OPTIONS, allowed_with, extended_with};
use crate::cli::patch::{Desired, Method, Over, ServerOptions, ServiceOptions, Settings};
use crate::cli::values::{self, endpoint};
use crate::connections::{ConnectionFilter, Counting, Key};
use crate::names::Lookup;
use crate::render::{Style, View};
use crate::selection::{EndpointFilter, Selection};
use ipvs::{
    Change, Daemon, DaemonConfig, Family, Name, Netmask, Protocol, ServerKey, ServiceConfig,
    ServiceKey, Timeouts,
};

/// The interface of a sync daemon without `--mcast-interface`.
pub const DEFAULT_INTERFACE: &str = "eth0";

impl Args<'_> {
    /// What the whole command line means.
    pub(in crate::cli) fn command(
        mut self,
        lookup: &mut dyn Lookup,
    ) -> Result<Command, UsageError> {
        match self.needs_all.take() {
            Some(error) if !self.is_of_hosts() => return Err(error),
            _ => {}
        }
        self.service_options.netmask = self.netmask(lookup)?;
        self.server_options.tunnel_options = self.given.intersection(TUNNEL_OPTIONS);
        let timeouts = match self.command {
            CommandName::Set => Some(self.timeouts()?),
            _ => None,
        };
        let expected = if timeouts.is_some() { 3 } else { 0 };
        if let Some(word) = self.words.get(expected) {
            return Err(UsageError::UnexpectedWord(word.to_vec()));
        }
        let keeps = self.keep && self.command == CommandName::EditService;
        self.service_options.check_flags(keeps)?;
        self.check_options()?;
        let change = match self.command {
            CommandName::List => {
                let (list, format) = (self.list()?, self.format()?);
                let json = format == Format::Json;
                return self.watched(
                    Action::List(Box::new(list), format),
                    Watched::Listings { list, json },
                );
            }
            CommandName::Save => {
                let save = self.save()?;
                let watched = Watched::Changes {
                    all: save.all,
                    part: save.part,
                };
                return self.watched(Action::Save(save), watched);
            }
            CommandName::Restore => return Ok(Command::Restore(self.restore()?)),
            CommandName::Check => {
                let part = self.part()?;
                return Ok(self.check(Check::Director { part }));
            }
            CommandName::CheckRealServer => {
                let check = self.check_real_server()?;
                return Ok(self.check(check));
            }
            CommandName::Help => return Ok(Command::Help),
            CommandName::Version => return Ok(Command::Version),
            CommandName::AddService | CommandName::EditService => {
                let told = self.told();
                return Ok(reached(self.change_service()?, told));
            }
            CommandName::DeleteService => return Ok(reached(self.delete_service()?, self.told())),
            CommandName::Flush => Change::Flush,
            CommandName::Zero => Change::Zero(self.service),
            CommandName::EditServer | CommandName::DeleteServer if self.is_of_hosts() => {
                return Ok(Command::Hosts(self.hosts(lookup)?));
            }
            CommandName::AddServer | CommandName::EditServer => {
                let told = self.told();
                return Ok(reached(self.change_server()?, told));
            }
            CommandName::DeleteServer => return Ok(reached(self.delete_server()?, self.told())),
            CommandName::Set => match timeouts {
                Some(timeouts) => Change::SetTimeouts(timeouts),
                None => return Err(UsageError::TooFewTimeouts),
            },
            CommandName::StartDaemon => {
                Change::StartDaemon(self.daemon(Some(Name::from(DEFAULT_INTERFACE)))?)
            }
            CommandName::StopDaemon => Change::StopDaemon(self.daemon(None)?),
        };
        Ok(Command::Action(Action::Change(change)))
    }

    /// Checks which options stand together.
    fn check_options(&self) -> Result<(), UsageError> {
        let context = Context::Command(self.command);
        if self.is_of_hosts() {
            return self.check_options_of_hosts(context);
        }
        let ours = match self.command {
            CommandName::List if self.connection => &CONNECTION_OPTIONS,
            command => extended_with(command),
        };
        // What both refuse is refused in C ipvsadm's words.
        let by_c = allowed_with(self.command).check(self.given, context);
        by_c.or_else(|refused| ours.check(self.given, context).map_err(|_| refused))?;
        self.check_told(context)?;
        let adds = matches!(
            self.command,
            CommandName::AddService | CommandName::AddServer
        );
        if adds && self.keep && !self.ensure {
            return Err(UsageError::IllegalOption(Opt::Keep, context));
        }
        if self.without.is_some() && !self.keep {
            return Err(UsageError::MissingOption(Opt::Keep, context));
        }
        self.check_drain(context)
    }

    /// A real server that stays is drained by keeping all but its weight, which
    /// becomes 0.
    fn check_drain(&self, context: Context) -> Result<(), UsageError> {
        match (self.drain, self.command) {
            (Some(_), CommandName::EditServer) if !self.keep => {
                Err(UsageError::MissingOption(Opt::Keep, context))
            }
            (Some(_), CommandName::EditServer) if self.server_options.weight != Some(0) => {
                Err(UsageError::DrainWithWeight)
            }
            _ => Ok(()),
        }
    }

    /// `--dry-run` and `--json` are of changes that look at the table first.
    fn check_told(&self, context: Context) -> Result<(), UsageError> {
        use CommandName as C;
        let told = match (self.dry_run, self.json) {
            (_, true) => Opt::Json,
            (true, false) => Opt::DryRun,
            (false, false) => return Ok(()),
        };
        let needed = match self.command {
            C::Restore if self.json => Opt::Replace,
            C::AddService | C::AddServer | C::DeleteService | C::DeleteServer => Opt::Ensure,
            C::EditService | C::EditServer => Opt::Keep,
            _ => return Ok(()),
        };
        match (self.ensure || self.replace || self.keep, self.drain) {
            (false, _) => Err(UsageError::Needs(told, needed)),
            (true, Some(_)) => Err(UsageError::Conflict(Opt::Drain, told, context)),
            (true, None) => Ok(()),
        }
    }

    /// Whether a change is only to be told, and how: `--dry-run` and `--json`.
    fn told(&self) -> (bool, bool) {
        (self.dry_run, self.json)
    }

    /// The same for `--all` and `--vip` with a command about a real server.
    fn check_options_of_hosts(&self, context: Context) -> Result<(), UsageError> {
        let selector = match self.all {
            true => Opt::All,
            false => Opt::Vip,
        };
        if self.all && self.vip.is_some() {
            return Err(UsageError::Conflict(Opt::All, Opt::Vip, context));
        }
        if self.service.is_some() {
            return Err(UsageError::Conflict(Opt::ServiceAddress, selector, context));
        }
        allowed_with(self.command)
            .without(Opt::ServiceAddress)
            .check(self.given, context)?;
        if self.command == CommandName::EditServer && !self.keep {
            return Err(UsageError::MissingOption(Opt::Keep, context));
        }
        if self.json && self.drain.is_some() && !self.dry_run {
            return Err(UsageError::Conflict(Opt::Drain, Opt::Json, context));
        }
        self.check_drain(context)
    }

    /// `-e` and `-d` with `--all` or `--vip`.
    fn hosts(self, lookup: &mut dyn Lookup) -> Result<Hosts, UsageError> {
        let tcp = Some(Protocol::Tcp);
        let server = endpoint::real_server(self.server_word, tcp, lookup)?;
        let edit = match self.command {
            CommandName::DeleteServer => ServerEdit::Delete {
                ensure: self.ensure,
            },
            _ => {
                self.server_options.check_tunnel()?;
                ServerEdit::Keep(self.server_options)
            }
        };
        Ok(Hosts {
            part: Selection {
                vip: self.vip,
                server: Some(server),
                service: None,
            },
            edit,
            drain: self.drain,
            dry_run: self.dry_run,
            json: self.json,
        })
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

    /// The matrix finds what is missing before this is needed.
    fn missing(&self, option: Opt) -> UsageError {
        UsageError::MissingOption(option, Context::Command(self.command))
    }

    /// The service; the matrix has checked that there is one.
    fn service(&self) -> Result<ServiceKey, UsageError> {
        self.service
            .ok_or_else(|| self.missing(Opt::ServiceAddress))
    }

    /// The mask, for the family of the service; without a service, IPv4, as in
    /// C ipvsadm.
    fn netmask(&self, lookup: &mut dyn Lookup) -> Result<Option<Netmask>, UsageError> {
        let family = self.service.map_or(Family::Inet, |key| key.family());
        self.netmask
            .map(|text| values::netmask(text, family, lookup))
            .transpose()
    }

    /// `-A` and `-E`
    fn change_service(self) -> Result<Action, UsageError> {
        let key = self.service()?;
        let edits = self.command == CommandName::EditService;
        let reach = |settings| Action::Reach(Box::new(Desired::Service(key, settings)));
        Ok(match (edits, self.keep, self.ensure) {
            (true, true, _) => reach(Settings::Keep(self.kept_service_options(key)?)),
            (true, false, _) => Action::Change(Change::EditService(key, self.service_config(key)?)),
            (false, _, false) => Action::Change(Change::AddService(key, self.service_config(key)?)),
            (false, false, true) => reach(Settings::Ensure(self.service_config(key)?)),
            (false, true, true) => {
                let config = self.service_config(key)?;
                reach(Settings::EnsureKept(
                    config,
                    self.kept_service_options(key)?,
                ))
            }
        })
    }

    /// The options of `--keep`, those of `--without` included.
    fn kept_service_options(self, key: ServiceKey) -> Result<ServiceOptions, UsageError> {
        let without = self.without.unwrap_or_default();
        let contradicts =
            |option: &&Opt| self.given.contains(**option) && without.contains(**option);
        if let Some(&option) = REMOVABLE.iter().find(contradicts) {
            let context = Context::Command(self.command);
            return Err(UsageError::Conflict(option, Opt::Without, context));
        }
        if let ServiceKey::Address {
            protocol,
            address,
            port,
        } = key
        {
            if port == 0 && without.contains(Opt::Persistent) {
                return Err(UsageError::ZeroPort(address, self.in_brackets));
            }
            if self.service_options.one_packet.is_some() && protocol != Protocol::Udp {
                return Err(UsageError::OnePacketNotUdp);
            }
        }
        let mut options = self.service_options;
        options.remove(without, key.family());
        Ok(options)
    }

    fn delete_service(&self) -> Result<Action, UsageError> {
        let key = self.service()?;
        Ok(match self.ensure {
            true => Action::Reach(Box::new(Desired::NoService(key))),
            false => Action::Change(Change::DeleteService(key)),
        })
    }

    fn service_config(&self, key: ServiceKey) -> Result<ServiceConfig, UsageError> {
        let config = self
            .service_options
            .over(&ServiceOptions::defaults(key.family()))?;
        if let ServiceKey::Address {
            protocol,
            address,
            port,
        } = key
        {
            if port == 0 && !config.flags.persistent() {
                return Err(UsageError::ZeroPort(address, self.in_brackets));
            }
            if config.flags.one_packet() && protocol != Protocol::Udp {
                return Err(UsageError::OnePacketNotUdp);
            }
        }
        Ok(config)
    }

    fn server(&self) -> Result<ServerKey, UsageError> {
        self.server.ok_or_else(|| self.missing(Opt::RealServer))
    }

    /// `-a` and `-e`
    fn change_server(self) -> Result<Action, UsageError> {
        let (service, key) = self.service_and_server()?;
        let edits = self.command == CommandName::EditServer;
        let reach = |settings| Action::Reach(Box::new(Desired::Server(service, key, settings)));
        let config = || self.server_options.over(&ServerOptions::DEFAULTS);
        Ok(match (edits, self.keep, self.ensure) {
            (true, true, _) => {
                self.server_options.check_tunnel()?;
                match self.drain {
                    Some(limit) => Action::Drain(Box::new(Drain {
                        service,
                        server: key,
                        edit: ServerEdit::Keep(self.server_options),
                        limit,
                    })),
                    None => reach(Settings::Keep(self.server_options)),
                }
            }
            (true, false, _) => Action::Change(Change::EditServer(service, key, config()?)),
            (false, _, false) => Action::Change(Change::AddServer(service, key, config()?)),
            (false, false, true) => reach(Settings::Ensure(config()?)),
            (false, true, true) => {
                let config = config()?;
                self.server_options.check_tunnel()?;
                reach(Settings::EnsureKept(config, self.server_options))
            }
        })
    }

    /// The service and the server, whose port and family the method decides. A
    /// method that is to stay is not known here: the server is the one typed.
    fn service_and_server(&self) -> Result<(ServiceKey, ServerKey), UsageError> {
        let (service, mut server) = (self.service()?, self.server()?);
        let edits = self.command == CommandName::EditServer;
        let keeps_method = edits && self.keep && self.server_options.method.is_none();
        let method = self.server_options.method.unwrap_or(Method::Route);
        // Direct routing and tunnels cannot change the port of a packet.
        let takes_port = match keeps_method {
            true => server.port == 0,
            false => method != Method::Masq,
        };
        if let (true, ServiceKey::Address { port, .. }) = (takes_port, service) {
            server.port = port;
        }
        let mixed = Family::of(&server.address) != service.family();
        if mixed && !keeps_method && method != Method::Tunnel {
            return Err(UsageError::MixedFamilies);
        }
        Ok((service, server))
    }

    fn check(self, check: Check) -> Command {
        Command::Check {
            check,
            ignore: self.ignore,
            json: self.json,
        }
    }

    fn check_real_server(&self) -> Result<Check, UsageError> {
        Ok(Check::RealServer {
            service: self.service()?,
            server: self.server,
            forwarding: self
                .server_options
                .over(&ServerOptions::DEFAULTS)?
                .forwarding,
        })
    }

    fn delete_server(&self) -> Result<Action, UsageError> {
        let (service, server) = (self.service()?, self.server()?);
        Ok(match (self.drain, self.ensure) {
            (Some(limit), ensure) => Action::Drain(Box::new(Drain {
                service,
                server,
                edit: ServerEdit::Delete { ensure },
                limit,
            })),
            (None, true) => Action::Reach(Box::new(Desired::NoServer(service, server))),
            (None, false) => Action::Change(Change::DeleteServer(service, server)),
        })
    }

    fn list(&self) -> Result<List, UsageError> {
        let settings = self.timeout || self.daemons;
        let view = self.stats || self.rate || self.thresholds;
        if (self.connection || settings) && view || settings && self.persistent_conn {
            return Err(UsageError::ConflictInListing);
        }
        let part = self.part()?;
        if settings && !part.is_whole() {
            let selector = if self.servers.is_some() {
                Opt::RealServer
            } else {
                Opt::Vip
            };
            return Err(UsageError::IllegalOption(
                selector,
                Context::Command(self.command),
            ));
        }
        let by_origin = self
            .by
            .is_some_and(|by| by.iter().any(|key| key == Key::Origin));
        if self.connection && self.persistent_conn && (by_origin || self.origins.is_some()) {
            // The kernel has no file that tells both.
            let context = Context::Command(self.command);
            return Err(UsageError::Conflict(
                Opt::PersistentConn,
                Opt::Origin,
                context,
            ));
        }
        Ok(if self.connection {
            let filter = self.filter()?;
            List::Connections {
                engines: self.persistent_conn,
                numeric: self.numeric,
                filter,
                by: self.counting(&filter)?,
            }
        } else if self.timeout {
            List::Timeouts
        } else if self.daemons {
            List::Daemons
        } else {
            List::Table {
                part,
                style: self.style(),
                sorted: !self.nosort,
                numeric: self.numeric,
            }
        })
    }

    /// Connections, time-outs and daemons are not metrics.
    fn format(&self) -> Result<Format, UsageError> {
        let others = [
            (self.connection, Opt::Connection),
            (self.timeout, Opt::Timeout),
            (self.daemons, Opt::Daemon),
            (self.json, Opt::Json),
        ];
        let other = others.into_iter().find(|(given, _)| *given);
        match (self.openmetrics, other) {
            (Some(_), Some((_, other))) => {
                let context = Context::Command(self.command);
                Err(UsageError::Conflict(other, Opt::Openmetrics, context))
            }
            (Some(names), None) => Ok(Format::OpenMetrics(names)),
            (None, _) if self.json => Ok(Format::Json),
            (None, _) => Ok(Format::Text),
        }
    }

    /// The part of the table that is listed, saved, checked or replaced.
    fn part(&self) -> Result<Selection, UsageError> {
        if self.vip.is_some() && self.service.is_some() {
            let context = Context::Command(self.command);
            return Err(UsageError::Conflict(Opt::ServiceAddress, Opt::Vip, context));
        }
        Ok(Selection {
            service: self.service,
            vip: self.vip,
            server: self.servers,
        })
    }

    fn filter(&self) -> Result<ConnectionFilter, UsageError> {
        let service = match self.service {
            Some(ServiceKey::Fwmark { .. }) => return Err(UsageError::MarkOfConnections),
            Some(ServiceKey::Address { address, port, .. }) => {
                Some(EndpointFilter::host(address, port))
            }
            None => self.vip.map(on_any_port),
        };
        let families = [service, self.client].map(|filter| filter.map(|f| f.network.family()));
        if let [Some(service), Some(client)] = families {
            if service != client {
                return Err(UsageError::ForeignClient);
            }
        }
        Ok(ConnectionFilter {
            protocol: self.service.and_then(|service| service.protocol()),
            service,
            server: self.servers.map(on_any_port),
            client: self.client,
            states: self.states,
            origins: self.origins,
        })
    }

    fn counting(&self, filter: &ConnectionFilter) -> Result<Option<Counting>, UsageError> {
        let Some(keys) = self.by else {
            return match self.top {
                Some(_) => Err(UsageError::Needs(Opt::Top, Opt::By)),
                None => Ok(None),
            };
        };
        let clients = filter.service.or(filter.client);
        let of_ipv4 = clients.is_some_and(|filter| filter.network.family() == Family::Inet);
        for key in keys.iter() {
            match key {
                Key::Client(Some(length @ 33..)) if of_ipv4 => {
                    let word = format!("client/{length}");
                    return Err(UsageError::LongPrefix(word.into()));
                }
                _ => {}
            }
        }
        Ok(Some(Counting {
            keys,
            top: self.top,
        }))
    }

    fn style(&self) -> Style {
        let views = [
            (self.stats, View::Stats),
            (self.rate, View::Rate),
            (self.thresholds, View::Thresholds),
            (self.persistent_conn, View::PersistentConn),
            (self.tun_info, View::TunInfo),
        ];
        let chosen = views.into_iter().find(|(given, _)| *given);
        Style {
            view: chosen.map_or(View::Plain, |(_, view)| view),
            exact: self.exact,
        }
    }

    fn save(&self) -> Result<Save, UsageError> {
        let part = self.part()?;
        if self.all && !part.is_whole() {
            // Time-outs and daemons are of no part.
            let selectors = [
                (self.service.is_some(), Opt::ServiceAddress),
                (self.servers.is_some(), Opt::RealServer),
            ];
            let selector = selectors.into_iter().find(|(given, _)| *given);
            let selector = selector.map_or(Opt::Vip, |(_, selector)| selector);
            let context = Context::Command(self.command);
            return Err(UsageError::Conflict(Opt::All, selector, context));
        }
        Ok(Save {
            numeric: self.numeric,
            all: self.all,
            part,
        })
    }

    /// `action`, or with `--watch` what takes its place.
    fn watched(&self, action: Action, what: Watched) -> Result<Command, UsageError> {
        match self.watch {
            // A scrape reads one exposition; a stream of them is not valid
            // OpenMetrics.
            Some(_) if self.openmetrics.is_some() => Err(UsageError::Conflict(
                Opt::Openmetrics,
                Opt::Watch,
                Context::Command(self.command),
            )),
            Some(interval) => Ok(Command::Watch(Watch {
                what,
                interval,
                samples: self.samples,
            })),
            None if self.samples.is_some() => Err(UsageError::Needs(Opt::Samples, Opt::Watch)),
            None => Ok(Command::Action(action)),
        }
    }

    fn restore(&self) -> Result<Restore, UsageError> {
        if self.replace && self.ensure {
            let context = Context::Command(self.command);
            return Err(UsageError::Conflict(Opt::Replace, Opt::Ensure, context));
        }
        let part = self.part()?;
        if !self.replace {
            if part.service.is_some() {
                // As C ipvsadm has it.
                let context = Context::Command(self.command);
                return Err(UsageError::IllegalOption(Opt::ServiceAddress, context));
            }
            if part.vip.is_some() {
                return Err(UsageError::Needs(Opt::Vip, Opt::Replace));
            }
        }
        Ok(Restore {
            replace: self.replace,
            part,
            ensure: self.ensure,
            dry_run: self.dry_run,
            json: self.json,
        })
    }

    fn daemon(&self, default_interface: Option<Name>) -> Result<Daemon, UsageError> {
        Ok(Daemon {
            role: self
                .role
                .ok_or_else(|| UsageError::MissingValue(b"--start-daemon".into()))?,
            config: DaemonConfig {
                interface: self.daemon.interface.or(default_interface),
                sync_id: self.sync_id.unwrap_or_default(),
                ..self.daemon
            },
        })
    }
}

/// `action`, told as asked for.
fn reached(action: Action, (dry_run, json): (bool, bool)) -> Command {
    match action {
        Action::Reach(desired) if dry_run || json => Command::Reach {
            desired,
            dry_run,
            json,
        },
        action => Command::Action(action),
    }
}

/// Connections are found whatever port their service or server has, where 0 says
/// so.
fn on_any_port(filter: EndpointFilter) -> EndpointFilter {
    EndpointFilter {
        port: filter.port.filter(|port| *port != 0),
        ..filter
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::parse_line;
    use crate::names::NoLookup;

    #[test]
    fn the_first_mistake_in_table_order_is_named() {
        for (line, error) in [
            (
                "-D -b flag-1",
                "You need to supply the 'service-address' option for the 'delete-service' command",
            ),
            (
                "-L --daemon --timeout",
                "The option 'daemon' conflicts with the 'timeout' option in the 'list' command",
            ),
        ] {
            let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
            let refused = parse_line(&words, &mut NoLookup).map_err(|e| e.to_string());
            assert_eq!(refused, Err(error.to_owned()));
        }
    }
}
