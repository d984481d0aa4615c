//! The options of one command line, collected.
//!
//! [`Args::take`] reads one option and its value after the other, in the order
//! typed. What they mean together is not decided here; see `interpret`.

use super::UsageError;
use super::interval::{DEFAULT_INTERVAL, interval};
use super::lexer::Occurrence;
use super::matrix::REMOVABLE;
use super::options::{CommandName, Opt, OptSet, Role, TunnelType};
use super::{questions, values};
use crate::connections::{EndpointFilter, Keys, StateSet};
use crate::names::Lookup;
use ipvs::{
    DaemonConfig, DaemonRole, Family, Name, Protocol, ServerKey, ServiceKey, TunnelChecksum,
};
use std::ffi::{OsStr, OsString};
use std::num::{NonZeroU32, NonZeroU64};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// The scheduler of a service without `-s`.
pub const DEFAULT_SCHEDULER: &str = "wlc";
/// The persistence time-out of `-p` without a value, in seconds.
pub const DEFAULT_PERSISTENCE: u32 = 360;

/// What messages call the address of a service and of a server.
pub(super) const VIRTUAL_SERVER: &str = "virtual server address[:port]";
pub(super) const REAL_SERVER: &str = "real server address[:port]";

/// The same for a network namespace.
pub(super) const NAMESPACE: &str = "network namespace";

/// The length at which C ipvsadm cuts the flags of a scheduler.
const SCHED_FLAGS_LIMIT: usize = 127;
/// Schedulers and interfaces are cut so that a NUL fits into the kernel's 16
/// bytes; persistence engines are not.
const NAME_LIMIT: usize = 15;

/// What `-g`, `-i` and `-m` say, before the tunnel options are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// `-g`
    #[default]
    Route,
    /// `-i`
    Tunnel,
    /// `-m`
    Masq,
}

/// The options read so far.
#[derive(Debug)]
pub struct Args<'a> {
    pub(super) command: CommandName,
    pub(super) role: DaemonRole,
    pub(super) given: OptSet,
    pub(super) words: Vec<&'a [u8]>,
    pub(super) service: Option<ServiceKey>,
    pub(super) scheduler: Name,
    pub(super) sched_flags: &'a [u8],
    pub(super) persistence: u32,
    pub(super) netmask: Option<&'a [u8]>,
    pub(super) engine: Option<Name>,
    pub(super) server: Option<ServerKey>,
    /// The server's port, where one was typed.
    pub(super) server_port: Option<u16>,
    pub(super) method: Method,
    pub(super) weight: i32,
    pub(super) upper_threshold: u32,
    pub(super) lower_threshold: u32,
    pub(super) tunnel_type: TunnelType,
    pub(super) tunnel_port: u16,
    pub(super) checksum: TunnelChecksum,
    pub(super) daemon: DaemonConfig,
    pub(super) drain: Option<u32>,
    /// What `--without` removes.
    pub(super) without: OptSet,
    pub(super) netns: Option<OsString>,
    pub(super) interval: Duration,
    pub(super) samples: Option<NonZeroU64>,
    pub(super) client: Option<EndpointFilter>,
    pub(super) states: Option<StateSet>,
    pub(super) by: Option<Keys>,
    pub(super) top: Option<NonZeroU32>,
}

impl<'a> Args<'a> {
    /// No options yet, for the command that `first` names; `None` when it names
    /// none.
    pub fn of(first: &Occurrence<'a>) -> Option<Result<Args<'a>, UsageError>> {
        let Role::Command(command) = first.row.role else {
            return None;
        };
        let role = match (command, first.value) {
            (_, None | Some(b"master")) => DaemonRole::Master,
            (_, Some(b"backup")) => DaemonRole::Backup,
            // C ipvsadm spells these two differently.
            (CommandName::StopDaemon, _) => {
                return Some(Err(UsageError::IllegalValue("start_daemon")));
            }
            _ => {
                return Some(Err(UsageError::IllegalValue("start-daemon parameter")));
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
            server_port: None,
            method: Method::default(),
            weight: 1,
            upper_threshold: 0,
            lower_threshold: 0,
            tunnel_type: TunnelType::default(),
            tunnel_port: 0,
            checksum: TunnelChecksum::default(),
            daemon: DaemonConfig::default(),
            drain: None,
            without: OptSet::default(),
            netns: None,
            interval: DEFAULT_INTERVAL,
            samples: None,
            client: None,
            states: None,
            by: None,
            top: None,
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
    ) -> Result<(), UsageError> {
        match option.row.role {
            Role::Command(_) => Err(UsageError::SecondCommand(option.word.into())),
            Role::Ignored => Ok(()),
            Role::Ipv6 => self.take_ipv6(),
            Role::Option(which) => {
                if !self.given.insert(which) {
                    return Err(UsageError::RepeatedOption(which));
                }
                self.take_option(which, option, lookup)
            }
        }
    }

    fn take_ipv6(&mut self) -> Result<(), UsageError> {
        match &mut self.service {
            Some(ServiceKey::Fwmark { family, .. }) => {
                *family = Family::Inet6;
                Ok(())
            }
            _ => Err(UsageError::Ipv6WithoutMark),
        }
    }

    fn take_option(
        &mut self,
        which: Opt,
        option: &Occurrence<'a>,
        lookup: &mut dyn Lookup,
    ) -> Result<(), UsageError> {
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
            Opt::Without => self.without = without(value)?,
            Opt::Netns => {
                if value.is_empty() {
                    return Err(UsageError::IllegalValue(NAMESPACE));
                }
                self.netns = Some(OsStr::from_bytes(value).to_owned());
            }
            Opt::Watch => {
                if let Some(value) = option.value {
                    self.interval =
                        interval(value).ok_or_else(|| UsageError::InvalidInterval(value.into()))?;
                }
            }
            Opt::Client => self.client = Some(questions::client(value)?),
            Opt::State => self.states = Some(questions::states(value)?),
            Opt::By => self.by = Some(questions::keys(value)?),
            _ => self.take_number(which, value)?,
        }
        Ok(())
    }

    /// The options whose value is a number or one of a few words.
    fn take_number(&mut self, which: Opt, value: &[u8]) -> Result<(), UsageError> {
        let max = i64::from(i32::MAX);
        match which {
            Opt::Weight => self.weight = number(value, "weight", 0, max)?,
            Opt::UThreshold => self.upper_threshold = number(value, "u_threshold", 0, max)?,
            Opt::LThreshold => self.lower_threshold = number(value, "l_threshold", 0, max)?,
            Opt::TunType => {
                self.tunnel_type = TunnelType::ALL
                    .into_iter()
                    .find(|t| t.name().as_bytes() == value)
                    .ok_or(UsageError::IllegalValue("tunnel type"))?;
            }
            Opt::TunPort => self.tunnel_port = number(value, "tunnel port", 1, 65535)?,
            Opt::TunNocsum => self.checksum = TunnelChecksum::None,
            Opt::TunCsum => self.checksum = TunnelChecksum::Checksum,
            Opt::TunRemcsum => self.checksum = TunnelChecksum::Remote,
            Opt::McastInterface if !value.is_empty() => {
                self.daemon.interface = Some(Name::cut(value, NAME_LIMIT));
            }
            Opt::SyncId => self.daemon.sync_id = number(value, "syncid", 0, 255)?,
            Opt::SyncMaxlen => {
                self.daemon.max_len = Some(number(value, "sync-maxlen", 1, 65535 - 20 - 8)?);
            }
            Opt::McastGroup => self.daemon.group = Some(values::multicast(value)?),
            Opt::McastPort => self.daemon.port = Some(number(value, "mcast-port", 1, 65535)?),
            Opt::McastTtl => self.daemon.ttl = Some(number(value, "mcast-ttl", 1, 255)?),
            Opt::Samples => {
                self.samples = NonZeroU64::new(number(value, "samples", 1, i64::MAX)?);
            }
            Opt::Top => {
                self.top = NonZeroU32::new(number(value, "top", 1, u32::MAX.into())?);
            }
            // All others are flags: that they were given is enough.
            _ => {}
        }
        Ok(())
    }

    /// A server without a port has that of the service, if it comes before.
    fn take_server(&mut self, value: &[u8], lookup: &mut dyn Lookup) -> Result<(), UsageError> {
        // With a mark, port names are those of TCP.
        let protocol = self
            .service
            .map(|service| service.protocol().unwrap_or(Protocol::Tcp));
        let (address, port) = values::address(value, protocol, lookup)
            .ok_or(UsageError::IllegalValue(REAL_SERVER))?;
        self.server_port = port;
        let port = port.unwrap_or_else(|| self.service.map_or(0, |service| service.port()));
        self.server = Some(ServerKey { address, port });
        Ok(())
    }

    /// Checks a mask at once where the service's family is known; before that, it
    /// must be right for one of them, and is checked again at the end.
    fn take_netmask(&mut self, value: &'a [u8], lookup: &mut dyn Lookup) -> Result<(), UsageError> {
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

/// The value of the option called `name`, a number between `min` and `max`.
fn number<T: TryFrom<i64>>(
    value: &[u8],
    name: &'static str,
    min: i64,
    max: i64,
) -> Result<T, UsageError> {
    values::number(value, min, max).ok_or(UsageError::IllegalValue(name))
}

/// The options that `--without` names, with commas between them.
fn without(value: &[u8]) -> Result<OptSet, UsageError> {
    let mut options = OptSet::default();
    for name in value.split(|byte| *byte == b',').filter(|n| !n.is_empty()) {
        let option = REMOVABLE.iter().find(|o| o.name().as_bytes() == name);
        options.insert(*option.ok_or_else(|| UsageError::NotRemovable(name.into()))?);
    }
    if options == OptSet::default() {
        return Err(UsageError::NotRemovable(value.into()));
    }
    Ok(options)
}

/// The service that `-t`, `-u`, `--sctp-service` or `-f` names.
fn service(option: &str, value: &[u8], lookup: &mut dyn Lookup) -> Result<ServiceKey, UsageError> {
    let protocol = match option {
        "tcp-service" => Protocol::Tcp,
        "udp-service" => Protocol::Udp,
        "sctp-service" => Protocol::Sctp,
        _ => {
            let mark = values::number(value, 1, i64::from(u32::MAX));
            let mark = mark.and_then(NonZeroU32::new);
            return Ok(ServiceKey::Fwmark {
                mark: mark.ok_or_else(|| UsageError::InvalidMark(value.into()))?,
                family: Family::Inet,
            });
        }
    };
    let (address, port) = values::address(value, Some(protocol), lookup)
        .ok_or(UsageError::IllegalValue(VIRTUAL_SERVER))?;
    Ok(ServiceKey::Address {
        protocol,
        address,
        port: port.unwrap_or(0),
    })
}
