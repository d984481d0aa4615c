//! The options of one command line, collected.
//!
//! The option table puts each value into its place here, in the order typed;
//! `command::build` decides what they mean together. [`Args::given`] is for what
//! messages are about: what was given twice, is missing or does not belong there.

use super::error::UsageError;
use super::opt::{CommandName, OptSet};
use super::patch::{ServerOptions, ServiceOptions};
use super::values::{self, REAL_SERVER, endpoint};
use crate::check::Ignore;
use crate::connections::{Keys, OriginSet, StateSet};
use crate::names::Lookup;
use crate::render::openmetrics::Names;
use crate::selection::EndpointFilter;
use ipvs::{DaemonConfig, DaemonRole, Family, Protocol, ServerKey, ServiceKey};
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::time::Duration;

/// The persistence time-out of `-p` without a value, in seconds.
pub const DEFAULT_PERSISTENCE: u32 = 360;

/// The options read so far.
#[derive(Debug, Default)]
pub struct Args<'a> {
    pub(super) command: CommandName,
    /// The options that were given.
    pub(super) given: OptSet,
    /// The words that belong to no option.
    pub(super) words: Vec<&'a [u8]>,
    pub(super) role: Option<DaemonRole>,
    pub(super) service: Option<ServiceKey>,
    /// Whether its address was typed in brackets, and so with a port.
    pub(super) in_brackets: bool,
    pub(super) service_options: ServiceOptions,
    /// As typed: the family, which decides what it means, may come later.
    pub(super) netmask: Option<&'a [u8]>,
    /// The server; without a port, it has that of the service before it.
    pub(super) server: Option<ServerKey>,
    /// Its port, if one was typed.
    pub(super) server_port: Option<u16>,
    /// `-r` where it stands for servers of any service.
    pub(super) servers: Option<EndpointFilter>,
    /// `-r` as typed: with `--all` it is read as `-L` reads it.
    pub(super) server_word: &'a [u8],
    /// What is wrong with a network as a real server, unless `--all` comes yet.
    pub(super) needs_all: Option<UsageError>,
    pub(super) vip: Option<EndpointFilter>,
    pub(super) server_options: ServerOptions,
    /// `--drain`, with its limit in seconds.
    pub(super) drain: Option<Option<u32>>,
    pub(super) daemon: DaemonConfig,
    pub(super) sync_id: Option<u32>,
    pub(super) keep: bool,
    pub(super) without: Option<OptSet>,
    pub(super) ensure: bool,
    pub(super) numeric: bool,
    pub(super) connection: bool,
    pub(super) client: Option<EndpointFilter>,
    pub(super) states: Option<StateSet>,
    pub(super) origins: Option<OriginSet>,
    pub(super) by: Option<Keys>,
    pub(super) top: Option<NonZeroU32>,
    pub(super) timeout: bool,
    pub(super) daemons: bool,
    pub(super) stats: bool,
    pub(super) rate: bool,
    pub(super) thresholds: bool,
    pub(super) persistent_conn: bool,
    pub(super) tun_info: bool,
    pub(super) exact: bool,
    pub(super) nosort: bool,
    pub(super) json: bool,
    /// Of all `--ignore`.
    pub(super) ignore: Vec<Ignore>,
    pub(super) openmetrics: Option<Names>,
    pub(super) watch: Option<Duration>,
    pub(super) samples: Option<NonZeroU32>,
    pub(super) all: bool,
    pub(super) replace: bool,
    pub(super) dry_run: bool,
    pub(super) netns: Option<OsString>,
}

impl<'a> Args<'a> {
    /// No options yet, for `command`.
    pub fn new(command: CommandName) -> Args<'a> {
        Args {
            command,
            ..Args::default()
        }
    }

    /// Whether `-e` or `-d` is about a real server in any service.
    pub(super) fn is_of_hosts(&self) -> bool {
        matches!(
            self.command,
            CommandName::EditServer | CommandName::DeleteServer
        ) && (self.all || self.vip.is_some())
    }

    /// `error`, or one that was held back in case that `--all` came.
    pub(super) fn first_error(&mut self, error: UsageError) -> UsageError {
        match self.needs_all.take() {
            Some(first) if !self.is_of_hosts() => first,
            _ => error,
        }
    }

    /// `-6`
    pub(super) fn make_mark_ipv6(&mut self) -> Result<(), UsageError> {
        match &mut self.service {
            Some(ServiceKey::Fwmark { family, .. }) => {
                *family = Family::Inet6;
                Ok(())
            }
            _ => Err(UsageError::Ipv6WithoutMark),
        }
    }

    /// `-t` and the like.
    pub(super) fn take_service(
        &mut self,
        protocol: Protocol,
        value: &[u8],
        lookup: &mut dyn Lookup,
    ) -> Result<(), UsageError> {
        self.service = Some(values::service(protocol, value, lookup)?);
        self.in_brackets = value.starts_with(b"[");
        Ok(())
    }

    /// `-r`. A server without a port has that of the service, if it comes before.
    pub(super) fn take_server(
        &mut self,
        value: &'a [u8],
        lookup: &mut dyn Lookup,
    ) -> Result<(), UsageError> {
        // With a mark, port names are those of TCP.
        let protocol = self
            .service
            .map(|service| service.protocol().unwrap_or(Protocol::Tcp));
        if matches!(
            self.command,
            CommandName::List | CommandName::Save | CommandName::Check
        ) {
            self.servers = Some(endpoint::real_server(value, protocol, lookup)?);
            return Ok(());
        }
        self.server_word = value;
        let (address, port) = match values::address(value, protocol, lookup) {
            Ok(found) => found,
            Err(reason) => {
                let wrong = values::illegal(REAL_SERVER, value, reason);
                // A network, or an address in brackets without a port, if --all or
                // --vip comes yet.
                let is_of_hosts = match (self.command, value.contains(&b'/')) {
                    (CommandName::EditServer, true) => true,
                    (CommandName::EditServer | CommandName::DeleteServer, false) => {
                        value.starts_with(b"[")
                    }
                    _ => false,
                };
                if is_of_hosts {
                    self.needs_all = Some(wrong);
                    return Ok(());
                }
                return Err(wrong);
            }
        };
        self.server_port = port;
        let port = port.unwrap_or_else(|| self.service.map_or(0, |service| service.port()));
        self.server = Some(ServerKey { address, port });
        Ok(())
    }

    /// `-M`. Checks a mask at once where the service's family is known; before
    /// that, it must be right for one of them, and is checked again at the end.
    pub(super) fn take_netmask(
        &mut self,
        value: &'a [u8],
        lookup: &mut dyn Lookup,
    ) -> Result<(), UsageError> {
        match self.service {
            // A mark may still turn out to be IPv6.
            Some(service) if service.family() == Family::Inet6 || service.protocol().is_some() => {
                values::netmask(value, service.family(), lookup)?;
            }
            _ if values::netmask(value, Family::Inet6, lookup).is_ok() => {}
            _ => {
                values::netmask(value, Family::Inet, lookup)?;
            }
        }
        self.netmask = Some(value);
        Ok(())
    }
}
