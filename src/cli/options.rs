//! The option table. A row is the option: how it is spelt, what value it takes
//! and how that is read, which commands take it, whether C ipvsadm has it, and
//! what it is for.
//!
//! The readers of the command line, the matrix, the help text, the completions,
//! the checks of the manual and the compliance suite all read this table. A new
//! option is a name in [`Opt`], a row here, a field in `Args` for what it says,
//! and the place that acts on that field: a test of `cli` finds an option that
//! has no effect.

use super::args::{Args, DEFAULT_PERSISTENCE};
use super::error::UsageError;
use super::matrix::{Allowed, REMOVABLE};
use super::opt::{CommandName, Commands, Opt};
use super::patch::Method;
use super::values::interval::DEFAULT_INTERVAL;
use super::values::{self, check, connections, endpoint, number};
use crate::check::Kind;
use crate::cli::opt::TunnelType;
use crate::connections::{Key, Origin, STATES};
use crate::names::Lookup;
use crate::render::openmetrics::Names;
use crate::render::sched_flags::SCHED_FLAGS;
use ipvs::{Protocol, SCHEDULERS, TunnelChecksum};

/// Reads a value into the place of its option.
pub type Read = for<'a> fn(&mut Args<'a>, &'a [u8], &mut dyn Lookup) -> Result<(), UsageError>;

/// Sets the place of an option that has no value.
pub type Set = fn(&mut Args) -> Result<(), UsageError>;

/// What an option takes. The names of values are those of the help.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Nothing; how its place is set.
    Nothing(Set),
    /// Words that may stand anywhere behind the command.
    Words(&'static str),
    /// One value, which may begin with `-`.
    Value(&'static str, Values, Read),
    /// A value unless the next word begins with `-`; how its place is set
    /// without one.
    Optional(&'static str, Set, Read),
}

/// What is known of the values of an option: for completions and the help.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// Nothing that could be listed.
    Any,
    /// One of these words.
    One(fn() -> Vec<&'static str>),
    /// Several of these words, with commas between them.
    Several(fn() -> Vec<&'static str>),
    /// A virtual service.
    Service,
    /// A real server.
    Server,
    /// The address of virtual services.
    Vip,
    /// A network interface.
    Interface,
    /// A network namespace.
    Namespace,
}

impl Values {
    /// The words, where they are known.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Values::One(words) | Values::Several(words) => words(),
            _ => Vec::new(),
        }
    }
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It names the command.
    Command(CommandName),
    /// It is an option that the matrix checks, at most once on a line.
    Option(Opt),
    /// Any command takes it, any number of times.
    Unchecked,
}

/// Who has an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// C ipvsadm 1.31, and we.
    C,
    /// Only we.
    Ours,
}

super::opt::named! {
    /// The sections of the help text and the manual, by their titles.
    Section {
        Commands => "Commands",
        Services => "Virtual services",
        ServiceOptions => "Options of a virtual service",
        ServerOptions => "Options of a real server",
        ListOptions => "Options of a listing",
        WatchOptions => "Watching",
        DaemonOptions => "Options of a sync daemon",
        ChangeOptions => "Options of a change",
        SaveOptions => "Options of save and restore",
        AnyOptions => "Options of every command",
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct OptionSpec {
    /// The short spelling, without its dash.
    pub short: Option<u8>,
    /// The long spelling, without its dashes.
    pub long: &'static str,
    /// What it stands for.
    pub role: Role,
    /// What value it takes.
    pub takes: Takes,
    /// Who has it.
    pub since: Since,
    /// The section in which it is explained.
    pub section: Section,
    /// What it is for, in half a line; see [`OptionSpec::help`].
    about: &'static str,
    /// The commands that need it.
    needed: Commands,
    /// The commands that may have it.
    allowed: Commands,
    /// The commands that may have one of several such options.
    one_of: Commands,
    /// Whether `-L -c` takes it.
    connections: bool,
    /// The commands that take it although C ipvsadm refuses it there.
    also: Commands,
    /// Whether it may be given several times.
    pub(super) repeats: bool,
}

/// Rows are equal if they are the same row.
impl PartialEq for OptionSpec {
    fn eq(&self, other: &OptionSpec) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for OptionSpec {}

impl OptionSpec {
    /// What it is for, in half a line.
    pub fn help(&self) -> String {
        let words = match self.takes {
            Takes::Value(_, values, _) => values.words(),
            _ => Vec::new(),
        };
        self.about.replace('%', &words.join(", "))
    }

    /// Whether it takes a value that may stand in the same word.
    pub fn takes_value(&self) -> bool {
        matches!(self.takes, Takes::Value(..) | Takes::Optional(..))
    }

    /// Whether `command` takes it, with `-c` if that is the list command.
    pub fn is_taken_by(&self, command: CommandName) -> bool {
        let all = self
            .needed
            .union(self.allowed)
            .union(self.one_of)
            .union(self.also);
        all.contains(command) || self.connections && command == CommandName::List
    }

    /// Whether it is an option at all with `command`: those of C ipvsadm are
    /// illegal with other commands, ours are unknown to them.
    pub fn is_known_to(&self, command: CommandName) -> bool {
        self.since == Since::C || self.is_taken_by(command)
    }

    /// Whether it may stand before the command.
    pub fn may_come_first(&self) -> bool {
        self.since == Since::Ours && matches!(self.role, Role::Option(_))
    }

    /// Puts `value` into the place of the option.
    pub(super) fn read<'a>(
        &self,
        args: &mut Args<'a>,
        value: Option<&'a [u8]>,
        lookup: &mut dyn Lookup,
    ) -> Result<(), UsageError> {
        match (self.takes, value) {
            (Takes::Words(_), _) => Ok(()),
            (Takes::Nothing(set), _) | (Takes::Optional(_, set, _), None) => set(args),
            (Takes::Value(_, _, read), value) => read(args, value.unwrap_or_default(), lookup),
            (Takes::Optional(_, _, read), Some(value)) => read(args, value, lookup),
        }
    }

    /// How it can be spelt: `-t` and `--tcp-service`.
    pub fn spellings(&self) -> impl Iterator<Item = String> {
        let short = self.short.map(|letter| format!("-{}", char::from(letter)));
        let long = (!self.long.is_empty()).then(|| format!("--{}", self.long));
        short.into_iter().chain(long)
    }

    const fn ours(self) -> OptionSpec {
        OptionSpec {
            since: Since::Ours,
            ..self
        }
    }

    const fn needed_by(self, commands: &[CommandName]) -> OptionSpec {
        OptionSpec {
            needed: Commands::of(commands),
            ..self
        }
    }

    const fn of(self, commands: &[CommandName]) -> OptionSpec {
        OptionSpec {
            allowed: Commands::of(commands),
            ..self
        }
    }

    const fn one_of(self, command: CommandName) -> OptionSpec {
        OptionSpec {
            one_of: Commands::of(&[command]),
            ..self
        }
    }

    const fn also_of(self, commands: &[CommandName]) -> OptionSpec {
        OptionSpec {
            also: Commands::of(commands),
            ..self
        }
    }

    const fn of_connections(self) -> OptionSpec {
        OptionSpec {
            connections: true,
            ..self
        }
    }

    const fn repeated(self) -> OptionSpec {
        OptionSpec {
            repeats: true,
            ..self
        }
    }

    const fn flag(self, set: Set) -> OptionSpec {
        OptionSpec {
            takes: Takes::Nothing(set),
            ..self
        }
    }

    const fn words(self, names: &'static str) -> OptionSpec {
        OptionSpec {
            takes: Takes::Words(names),
            ..self
        }
    }

    const fn value(self, name: &'static str, values: Values, read: Read) -> OptionSpec {
        OptionSpec {
            takes: Takes::Value(name, values, read),
            ..self
        }
    }

    const fn optional(self, name: &'static str, absent: Set, read: Read) -> OptionSpec {
        OptionSpec {
            takes: Takes::Optional(name, absent, read),
            ..self
        }
    }

    const fn section(self, section: Section) -> OptionSpec {
        OptionSpec { section, ..self }
    }
}

const fn row(short: &str, long: &'static str, role: Role, about: &'static str) -> OptionSpec {
    let short = match short.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    };
    OptionSpec {
        short,
        long,
        role,
        takes: Takes::Nothing(|_| Ok(())),
        since: Since::C,
        section: Section::Commands,
        about,
        needed: Commands::of(&[]),
        allowed: Commands::of(&[]),
        one_of: Commands::of(&[]),
        connections: false,
        also: Commands::of(&[]),
        repeats: false,
    }
}

const fn command(
    short: &str,
    long: &'static str,
    name: CommandName,
    about: &'static str,
) -> OptionSpec {
    row(short, long, Role::Command(name), about)
}

/// `-t` and the like: the four ways to name a virtual service.
const fn service(short: &str, long: &'static str, about: &'static str) -> OptionSpec {
    use CommandName as C;
    option(Section::Services, short, long, Opt::ServiceAddress, about)
        .needed_by(&[
            C::AddService,
            C::EditService,
            C::DeleteService,
            C::AddServer,
            C::EditServer,
            C::DeleteServer,
            C::CheckRealServer,
        ])
        .of(&[C::Zero, C::Check])
        .one_of(C::List)
        .also_of(&[C::Save, C::Restore])
        .of_connections()
}

const fn option(
    section: Section,
    short: &str,
    long: &'static str,
    name: Opt,
    about: &'static str,
) -> OptionSpec {
    row(short, long, Role::Option(name), about).section(section)
}

/// Puts what was read into the place of its option.
fn put<T>(place: &mut Option<T>, read: Result<T, UsageError>) -> Result<(), UsageError> {
    *place = Some(read?);
    Ok(())
}

fn on(place: &mut bool) -> Result<(), UsageError> {
    *place = true;
    Ok(())
}

const INT_MAX: i64 = i32::MAX as i64;

/// The option table.
#[rustfmt::skip] // two or three lines a row
pub static OPTIONS: &[OptionSpec] = {
    use CommandName as C;
    use Opt as O;
    use Section::*;
    use Values::*;

    const SERVICE_CHANGES: &[C] = &[C::AddService, C::EditService];
    const SERVER_CHANGES: &[C] = &[C::AddServer, C::EditServer];
    const FORWARDING: &[C] = &[C::AddServer, C::EditServer, C::CheckRealServer];
    const LIST: &[C] = &[C::List];
    const DAEMON: &[C] = &[C::StartDaemon];
    const ALL_BUT_TEXTS: &[C] = &[
        C::AddService, C::EditService, C::DeleteService, C::Flush, C::List, C::AddServer,
        C::DeleteServer, C::EditServer, C::Set, C::StartDaemon, C::StopDaemon, C::Restore,
        C::Save, C::Check, C::CheckRealServer, C::Zero,
    ];
    const MASTER_OR_BACKUP: Values = One(|| vec!["master", "backup"]);

    &[
        command("A", "add-service", C::AddService, "add a virtual service"),
        command("E", "edit-service", C::EditService, "change a virtual service"),
        command("D", "delete-service", C::DeleteService, "delete a virtual service with its real servers"),
        command("C", "clear", C::Flush, "delete everything"),
        command("R", "restore", C::Restore, "apply rules from standard input"),
        command("S", "save", C::Save, "print the table as rules"),
        command("a", "add-server", C::AddServer, "add a real server to a virtual service"),
        command("e", "edit-server", C::EditServer, "change a real server"),
        command("d", "delete-server", C::DeleteServer, "remove a real server"),
        command("L", "list", C::List, "list the table, or one service; also -l"),
        command("l", "", C::List, ""),
        command("Z", "zero", C::Zero, "set the counters of one or all services to zero"),
        command("", "set", C::Set, "set the session time-outs in seconds; 0 keeps one")
            .words("TCP TCPFIN UDP"),
        command("", "start-daemon", C::StartDaemon, "start a connection sync daemon")
            .value("master|backup", MASTER_OR_BACKUP, |a, v, _| put(&mut a.role, values::role(v, "start-daemon parameter"))),
        // C ipvsadm spells these two differently.
        command("", "stop-daemon", C::StopDaemon, "stop a connection sync daemon")
            .value("master|backup", MASTER_OR_BACKUP, |a, v, _| put(&mut a.role, values::role(v, "start_daemon"))),
        command("", "check", C::Check, "find out why a service, or any service, does not answer").ours(),
        command("", "check-real-server", C::CheckRealServer, "the same, on a real server of the given service").ours(),
        command("h", "help", C::Help, "print this help"),
        command("v", "version", C::Version, "print the version"),

        service("t", "tcp-service", "TCP service host[:port]")
            .value("ADDRESS", Service, |a, v, l| a.take_service(Protocol::Tcp, v, l)),
        service("u", "udp-service", "UDP service host[:port]")
            .value("ADDRESS", Service, |a, v, l| a.take_service(Protocol::Udp, v, l)),
        service("", "sctp-service", "SCTP service host[:port]")
            .value("ADDRESS", Service, |a, v, l| a.take_service(Protocol::Sctp, v, l)),
        service("f", "fwmark-service", "packets with a firewall mark, 1 to 4294967295 or 0x...")
            .value("MARK", Service, |a, v, _| put(&mut a.service, values::mark(v))),
        OptionSpec { role: Role::Unchecked, ..service("6", "ipv6", "the mark is on IPv6 packets; after -f") }
            .flag(|a| a.make_mark_ipv6()),

        option(ServiceOptions, "s", "scheduler", O::Scheduler, "%; default wlc").of(SERVICE_CHANGES)
            .value("SCHEDULER", One(|| SCHEDULERS.to_vec()), |a, v, _| put(&mut a.service_options.scheduler, Ok(values::scheduler(v)))),
        option(ServiceOptions, "p", "persistent", O::Persistent, "a client keeps its server; default 360 seconds").of(SERVICE_CHANGES)
            .optional("SECONDS", |a| put(&mut a.service_options.persistence, Ok(DEFAULT_PERSISTENCE)),
                |a, v, _| put(&mut a.service_options.persistence, values::timeout(v, 1))),
        option(ServiceOptions, "M", "netmask", O::Netmask, "clients that persist together: IPv4 mask or IPv6 prefix length").of(SERVICE_CHANGES)
            .value("MASK", Any, |a, v, l| a.take_netmask(v, l)),
        option(ServiceOptions, "", "pe", O::Pe, "persistence engine, such as sip").of(SERVICE_CHANGES)
            .value("ENGINE", One(|| vec!["sip"]), |a, v, _| put(&mut a.service_options.engine, Ok(values::engine(v)))),
        option(ServiceOptions, "o", "ops", O::Ops, "one-packet scheduling: each datagram on its own").of(SERVICE_CHANGES)
            .flag(|a| put(&mut a.service_options.one_packet, Ok(true))),
        option(ServiceOptions, "b", "sched-flags", O::SchedFlags, "flags of the scheduler: %").of(SERVICE_CHANGES)
            .value("FLAGS", Several(|| SCHED_FLAGS.map(|(name, ..)| name).to_vec()),
                |a, v, _| put(&mut a.service_options.sched_flags, Ok(values::cut_sched_flags(v)))),

        option(ServerOptions, "r", "real-server", O::RealServer, "the real server, host[:port]")
            .needed_by(&[C::AddServer, C::EditServer, C::DeleteServer]).of(&[C::Check, C::CheckRealServer])
            .also_of(&[C::List, C::Save]).of_connections()
            .value("ADDRESS", Server, |a, v, l| a.take_server(v, l)),
        option(ServerOptions, "g", "gatewaying", O::ForwardingMethod, "forward by direct routing; the default").of(FORWARDING)
            .flag(|a| put(&mut a.server_options.method, Ok(Method::Route))),
        option(ServerOptions, "i", "ipip", O::ForwardingMethod, "forward through a tunnel").of(FORWARDING)
            .flag(|a| put(&mut a.server_options.method, Ok(Method::Tunnel))),
        option(ServerOptions, "m", "masquerading", O::ForwardingMethod, "forward by network address translation").of(FORWARDING)
            .flag(|a| put(&mut a.server_options.method, Ok(Method::Masq))),
        option(ServerOptions, "", "tun-type", O::TunType, "the tunnel: %; default ipip").of(FORWARDING)
            .value("TYPE", One(TunnelType::names),
                |a, v, _| put(&mut a.server_options.tunnel_type, values::tunnel_type(v))),
        option(ServerOptions, "", "tun-port", O::TunPort, "the UDP port of a gue tunnel").of(FORWARDING)
            .value("PORT", Any, |a, v, _| put(&mut a.server_options.tunnel_port, number(v, "tunnel port", 1, 65535))),
        option(ServerOptions, "", "tun-nocsum", O::TunNocsum, "gue and gre without checksum; the default").of(FORWARDING)
            .flag(|a| put(&mut a.server_options.checksum, Ok(TunnelChecksum::None))),
        option(ServerOptions, "", "tun-csum", O::TunCsum, "gue and gre with checksum").of(FORWARDING)
            .flag(|a| put(&mut a.server_options.checksum, Ok(TunnelChecksum::Checksum))),
        option(ServerOptions, "", "tun-remcsum", O::TunRemcsum, "gue with remote checksum").of(FORWARDING)
            .flag(|a| put(&mut a.server_options.checksum, Ok(TunnelChecksum::Remote))),
        option(ServerOptions, "w", "weight", O::Weight, "share of the connections, default 1; 0: no new ones").of(SERVER_CHANGES)
            .value("WEIGHT", Any, |a, v, _| put(&mut a.server_options.weight, number(v, "weight", 0, INT_MAX))),
        option(ServerOptions, "x", "u-threshold", O::UThreshold, "upper threshold: no new connections once reached; 0: no limit").of(SERVER_CHANGES)
            .value("COUNT", Any, |a, v, _| put(&mut a.server_options.upper_threshold, number(v, "u_threshold", 0, INT_MAX))),
        option(ServerOptions, "y", "l-threshold", O::LThreshold, "lower threshold: new connections again below it").of(SERVER_CHANGES)
            .value("COUNT", Any, |a, v, _| put(&mut a.server_options.lower_threshold, number(v, "l_threshold", 0, INT_MAX))),
        option(ServerOptions, "", "drain", O::Drain, "wait until no connection is open: with -d then remove, with -e --keep -w 0 not").ours().of(&[C::EditServer, C::DeleteServer])
            .optional("SECONDS", |a| put(&mut a.drain, Ok(None)), |a, v, _| put(&mut a.drain, values::drain_limit(v).map(Some))),

        option(ListOptions, "n", "numeric", O::Numeric, "addresses and ports as numbers")
            .of(&[C::List, C::Save, C::Check, C::CheckRealServer]).of_connections().flag(|a| on(&mut a.numeric)),
        option(ListOptions, "", "vip", O::Vip, "only services at this address, host[/length][:port]").ours()
            .of(&[C::List, C::Save, C::EditServer, C::DeleteServer, C::Check, C::Restore]).of_connections()
            .value("ADDRESS", Vip, |a, v, l| put(&mut a.vip, endpoint::vip(v, l))),
        option(ListOptions, "c", "connection", O::Connection, "list the connections").one_of(C::List).of_connections()
            .flag(|a| on(&mut a.connection)),
        option(ListOptions, "", "client", O::Client, "with -c: only these clients, address[/length][:port]").ours().of_connections()
            .value("CLIENT", Any, |a, v, _| put(&mut a.client, endpoint::client(v))),
        option(ListOptions, "", "state", O::State, "with -c: only these states, such as syn_recv,established").ours().of_connections()
            .value("STATES", Several(|| STATES.to_vec()), |a, v, _| put(&mut a.states, connections::states(v))),
        option(ListOptions, "", "origin", O::Origin, "with -c: only what was made by %: this director, another one").ours().of_connections()
            .value("ORIGINS", Several(|| Origin::ALL.map(Origin::name).to_vec()), |a, v, _| put(&mut a.origins, connections::origins(v))),
        option(ListOptions, "", "by", O::By, "with -c: count by %, client/LENGTH").ours().of_connections()
            .value("KEYS", Several(|| Key::ALL.map(Key::name).to_vec()), |a, v, _| put(&mut a.by, connections::keys(v))),
        option(ListOptions, "", "top", O::Top, "with --by: only this many, the largest").ours().of_connections()
            .value("COUNT", Any, |a, v, _| put(&mut a.top, values::top(v))),
        option(ListOptions, "", "timeout", O::Timeout, "list the session time-outs").one_of(C::List)
            .flag(|a| on(&mut a.timeout)),
        option(ListOptions, "", "daemon", O::Daemon, "list the sync daemons").one_of(C::List)
            .flag(|a| on(&mut a.daemons)),
        option(ListOptions, "", "stats", O::Stats, "list the counters").of(LIST)
            .flag(|a| on(&mut a.stats)),
        option(ListOptions, "", "rate", O::Rate, "list the rates per second").of(LIST)
            .flag(|a| on(&mut a.rate)),
        option(ListOptions, "", "thresholds", O::Thresholds, "list the connection thresholds").of(LIST)
            .flag(|a| on(&mut a.thresholds)),
        option(ListOptions, "", "persistent-conn", O::PersistentConn, "list persistent connections; with -c, persistence engine data").of(LIST).of_connections()
            .flag(|a| on(&mut a.persistent_conn)),
        option(ListOptions, "", "tun-info", O::TunInfo, "list the tunnels").of(LIST).of_connections()
            .flag(|a| on(&mut a.tun_info)),
        option(ListOptions, "X", "exact", O::Exact, "whole numbers, never 12345K").of(LIST).of_connections()
            .flag(|a| on(&mut a.exact)),
        option(ListOptions, "", "nosort", O::Nosort, "keep the kernel's order").of(LIST).of_connections()
            .flag(|a| on(&mut a.nosort)),
        row("", "sort", Role::Unchecked, "does nothing: listings are sorted").section(ListOptions),
        option(ListOptions, "j", "json", O::Json, "everything the kernel reports, or what was changed, as one JSON document").ours()
            .of(&[
                C::List, C::Check, C::CheckRealServer, C::AddService, C::EditService, C::DeleteService,
                C::AddServer, C::EditServer, C::DeleteServer, C::Restore,
            ]).of_connections().flag(|a| on(&mut a.json)),
        option(ListOptions, "", "openmetrics", O::Openmetrics, "services and real servers as metrics for Prometheus; =node: as node_exporter has them").ours().of(LIST)
            .optional("STYLE", |a| put(&mut a.openmetrics, Ok(Names::Own)), |a, v, _| put(&mut a.openmetrics, values::metrics_style(v))),

        option(ListOptions, "", "ignore", O::Ignore, "with --check: not these findings, ID or ID@SERVICE").ours()
            .of(&[C::Check, C::CheckRealServer]).repeated()
            .value("FINDINGS", Several(|| Kind::ALL.iter().map(|kind| kind.id()).collect()),
                |a, v, l| { a.ignore.extend(check::ignore(v, l)?); Ok(()) }),

        option(WatchOptions, "", "watch", O::Watch, "list again and again; with -S, print changes as commands; default 2").ours()
            .of(&[C::List, C::Save]).of_connections()
            .optional("SECONDS", |a| put(&mut a.watch, Ok(DEFAULT_INTERVAL)), |a, v, _| put(&mut a.watch, values::watch_interval(v))),
        option(WatchOptions, "", "samples", O::Samples, "with --watch: stop after this many looks").ours()
            .of(&[C::List, C::Save]).of_connections()
            .value("COUNT", Any, |a, v, _| put(&mut a.samples, values::samples(v))),

        option(DaemonOptions, "", "mcast-interface", O::McastInterface, "where to send or listen; default eth0").of(DAEMON)
            .value("INTERFACE", Interface, |a, v, _| { a.daemon.interface = values::interface(v); Ok(()) }),
        option(DaemonOptions, "", "syncid", O::SyncId, "id shared by master and backup, 0 to 255; default 0")
            .of(&[C::StartDaemon, C::StopDaemon, C::List]).of_connections()
            .value("ID", Any, |a, v, _| put(&mut a.sync_id, number(v, "syncid", 0, 255))),
        option(DaemonOptions, "", "sync-maxlen", O::SyncMaxlen, "longest message; the kernel's default follows the MTU").of(DAEMON)
            .value("BYTES", Any, |a, v, _| put(&mut a.daemon.max_len, number(v, "sync-maxlen", 1, 65535 - 20 - 8))),
        option(DaemonOptions, "", "mcast-group", O::McastGroup, "multicast group; default 224.0.0.81").of(DAEMON)
            .value("ADDRESS", Any, |a, v, _| put(&mut a.daemon.group, values::multicast(v))),
        option(DaemonOptions, "", "mcast-port", O::McastPort, "UDP port; default 8848").of(DAEMON)
            .value("PORT", Any, |a, v, _| put(&mut a.daemon.port, number(v, "mcast-port", 1, 65535))),
        option(DaemonOptions, "", "mcast-ttl", O::McastTtl, "how far messages go; default 1").of(DAEMON)
            .value("TTL", Any, |a, v, _| put(&mut a.daemon.ttl, number(v, "mcast-ttl", 1, 255))),

        option(ChangeOptions, "", "keep", O::Keep, "with -E and -e: leave everything not named as it is").ours()
            .of(&[C::AddService, C::EditService, C::AddServer, C::EditServer]).flag(|a| on(&mut a.keep)),
        option(ChangeOptions, "", "without", O::Without, "with --keep: remove %").ours().of(SERVICE_CHANGES)
            .value("NAMES", Several(|| REMOVABLE.map(Opt::name).to_vec()), |a, v, _| put(&mut a.without, values::without(v))),
        option(ChangeOptions, "", "ensure", O::Ensure, "with -A, -a: add, or edit if it differs; -D, -d: no error if absent; -R: the same of each line").ours()
            .of(&[C::AddService, C::DeleteService, C::AddServer, C::DeleteServer, C::Restore]).flag(|a| on(&mut a.ensure)),

        option(SaveOptions, "", "all", O::All, "with -S: also the session time-outs and sync daemons; with -e, -d: in all services").ours()
            .of(&[C::Save, C::EditServer, C::DeleteServer])
            .flag(|a| on(&mut a.all)),
        option(SaveOptions, "", "replace", O::Replace, "with -R: change only what differs from the rules").ours().of(&[C::Restore])
            .flag(|a| on(&mut a.replace)),
        option(SaveOptions, "", "dry-run", O::DryRun, "change nothing, print the commands that would run").ours()
            .of(&[
                C::Restore, C::AddService, C::EditService, C::DeleteService, C::AddServer, C::EditServer,
                C::DeleteServer,
            ])
            .flag(|a| on(&mut a.dry_run)),

        option(AnyOptions, "", "netns", O::Netns, "a network namespace: a name as in ip netns, or a path").ours().of(ALL_BUT_TEXTS).of_connections()
            .value("NAMESPACE", Namespace, |a, v, _| put(&mut a.netns, values::namespace(v))),
    ]
};

/// Whose options are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taker {
    /// The command's, by C ipvsadm's rules.
    Command,
    /// The command's, with what we take beyond that.
    Extended,
    /// Those of `-L -c`.
    Connections,
}

/// What a command has of the table.
const fn allowed(command: CommandName, taker: Taker) -> Allowed {
    let mut allowed = Allowed::NOTHING;
    let mut i = 0;
    while i < OPTIONS.len() {
        let row = &OPTIONS[i];
        if let Role::Option(option) = row.role {
            if let Taker::Connections = taker {
                if row.connections {
                    allowed.may = allowed.may.with(option);
                }
            } else if row.needed.contains(command) {
                allowed.needs = allowed.needs.with(option);
            } else if row.allowed.contains(command) {
                allowed.may = allowed.may.with(option);
            } else if row.one_of.contains(command) {
                allowed.one_of = allowed.one_of.with(option);
            } else if matches!(taker, Taker::Extended) && row.also.contains(command) {
                allowed.may = allowed.may.with(option);
            }
        }
        i += 1;
    }
    allowed
}

/// The options of `-L -c`. Where one of them is ours, other listings do not take
/// it; C ipvsadm has its own words for those that are its own.
pub static CONNECTION_OPTIONS: Allowed = allowed(CommandName::List, Taker::Connections);

const fn of_all_commands(taker: Taker) -> [Allowed; CommandName::ALL.len()] {
    let mut all = [Allowed::NOTHING; CommandName::ALL.len()];
    let mut i = 0;
    while i < all.len() {
        all[i] = allowed(CommandName::ALL[i], taker);
        i += 1;
    }
    all
}

static COMMAND_OPTIONS: [Allowed; CommandName::ALL.len()] = of_all_commands(Taker::Command);
static EXTENDED_OPTIONS: [Allowed; CommandName::ALL.len()] = of_all_commands(Taker::Extended);

/// The options of `command` by C ipvsadm's rules, with those that are ours alone.
pub fn allowed_with(command: CommandName) -> &'static Allowed {
    &COMMAND_OPTIONS[command as usize]
}

/// The same, with options of C ipvsadm that it refuses with `command`. For
/// `-L -c`, see [`CONNECTION_OPTIONS`].
pub fn extended_with(command: CommandName) -> &'static Allowed {
    &EXTENDED_OPTIONS[command as usize]
}

/// The row with this long spelling.
pub fn find_long(name: &[u8]) -> Option<&'static OptionSpec> {
    OPTIONS
        .iter()
        .find(|row| !name.is_empty() && row.long.as_bytes() == name)
}

/// The rows' numbers by their short spelling, so that a line of rules costs no
/// search. As numbers they need no relocation when the program starts.
static SHORT: [u8; 128] = {
    let mut table = [u8::MAX; 128];
    let mut number = 0;
    while (number as usize) < OPTIONS.len() {
        if let Some(letter) = OPTIONS[number as usize].short {
            table[letter as usize] = number;
        }
        number += 1;
    }
    table
};

/// The row with this short spelling.
pub fn find_short(letter: u8) -> Option<&'static OptionSpec> {
    OPTIONS.get(usize::from(*SHORT.get(usize::from(letter))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_row_that_some_command_takes() {
        for option in Opt::ALL {
            let rows = OPTIONS
                .iter()
                .filter(|row| row.role == Role::Option(*option));
            let takers = rows.map(|row| {
                let takers = CommandName::ALL.iter().filter(|c| row.is_taken_by(**c));
                takers.collect::<Vec<_>>()
            });
            let takers: Vec<_> = takers.collect();
            let first = takers
                .first()
                .unwrap_or_else(|| panic!("no row is {}", option.name()));
            assert!(!first.is_empty(), "no command takes {}", option.name());
            assert!(takers.iter().all(|t| t == first), "{}", option.name());
        }
    }

    #[test]
    fn options_that_take_values_name_them() {
        for row in OPTIONS {
            let name = match row.takes {
                Takes::Value(name, ..) | Takes::Optional(name, ..) | Takes::Words(name) => name,
                Takes::Nothing(_) => continue,
            };
            assert!(!name.is_empty() && name.is_ascii(), "{}", row.long);
        }
    }
}
