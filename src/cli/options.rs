//! The one option table: every command and every option, how it is spelt, what
//! it takes and what it is for.
//!
//! clap's definition, the lexer, the matrix, the help text, the completions
//! and the checks of the manual read it. A new option is a new [`Opt`], a row
//! here, a place in [`super::matrix`] and a line in `args`, which gives it its
//! meaning. This module must not give options a meaning itself.

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// One value, which may begin with `-`; the word is its name in the help.
    Value(&'static str),
    /// A value unless the next word begins with `-`; likewise.
    Optional(&'static str),
}

/// The commands, by the names they have in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the rows below say what they are
pub enum CommandName {
    AddService,
    EditService,
    DeleteService,
    Flush,
    List,
    AddServer,
    DeleteServer,
    EditServer,
    Set,
    StartDaemon,
    StopDaemon,
    Restore,
    Save,
    Zero,
    Help,
    Version,
}

impl CommandName {
    /// The commands that the matrix knows, in its order.
    pub const ALL: [CommandName; 14] = [
        CommandName::AddService,
        CommandName::EditService,
        CommandName::DeleteService,
        CommandName::Flush,
        CommandName::List,
        CommandName::AddServer,
        CommandName::DeleteServer,
        CommandName::EditServer,
        CommandName::Set,
        CommandName::StartDaemon,
        CommandName::StopDaemon,
        CommandName::Restore,
        CommandName::Save,
        CommandName::Zero,
    ];

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            CommandName::AddService => "add-service",
            CommandName::EditService => "edit-service",
            CommandName::DeleteService => "delete-service",
            CommandName::Flush => "flush",
            CommandName::List => "list",
            CommandName::AddServer => "add-server",
            CommandName::DeleteServer => "delete-server",
            CommandName::EditServer => "edit-server",
            CommandName::Set => "set",
            CommandName::StartDaemon => "start-daemon",
            CommandName::StopDaemon => "stop-daemon",
            CommandName::Restore => "restore",
            CommandName::Save => "save",
            CommandName::Zero => "zero",
            CommandName::Help => "help",
            CommandName::Version => "version",
        }
    }
}

/// The options that the matrix checks, in the order in which it checks them:
/// first those of C ipvsadm, then ours. Several spellings may be one of them
/// (`-t`, `-u`, `--sctp-service` and `-f` are all the service-address).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the rows below say what they are
pub enum Opt {
    Numeric,
    Connection,
    ServiceAddress,
    Scheduler,
    Persistent,
    Netmask,
    RealServer,
    ForwardingMethod,
    Weight,
    UThreshold,
    LThreshold,
    McastInterface,
    Timeout,
    Daemon,
    Stats,
    Rate,
    Thresholds,
    PersistentConn,
    Nosort,
    SyncId,
    Exact,
    Ops,
    Pe,
    SchedFlags,
    McastGroup,
    McastPort,
    McastTtl,
    SyncMaxlen,
    TunInfo,
    TunType,
    TunPort,
    TunNocsum,
    TunCsum,
    TunRemcsum,
    All,
    Replace,
    DryRun,
    Drain,
}

impl Opt {
    /// All of them, in the order of the matrix, with their names in messages.
    pub const ALL: [(Opt, &'static str); 38] = [
        (Opt::Numeric, "numeric"),
        (Opt::Connection, "connection"),
        (Opt::ServiceAddress, "service-address"),
        (Opt::Scheduler, "scheduler"),
        (Opt::Persistent, "persistent"),
        (Opt::Netmask, "netmask"),
        (Opt::RealServer, "real-server"),
        (Opt::ForwardingMethod, "forwarding-method"),
        (Opt::Weight, "weight"),
        (Opt::UThreshold, "u-threshold"),
        (Opt::LThreshold, "l-threshold"),
        (Opt::McastInterface, "mcast-interface"),
        (Opt::Timeout, "timeout"),
        (Opt::Daemon, "daemon"),
        (Opt::Stats, "stats"),
        (Opt::Rate, "rate"),
        (Opt::Thresholds, "thresholds"),
        (Opt::PersistentConn, "persistent-conn"),
        (Opt::Nosort, "nosort"),
        (Opt::SyncId, "syncid"),
        (Opt::Exact, "exact"),
        (Opt::Ops, "ops"),
        (Opt::Pe, "pe"),
        (Opt::SchedFlags, "sched-flags"),
        (Opt::McastGroup, "mcast-group"),
        (Opt::McastPort, "mcast-port"),
        (Opt::McastTtl, "mcast-ttl"),
        (Opt::SyncMaxlen, "sync-maxlen"),
        (Opt::TunInfo, "tun-info"),
        (Opt::TunType, "tun-type"),
        (Opt::TunPort, "tun-port"),
        (Opt::TunNocsum, "tun-nocsum"),
        (Opt::TunCsum, "tun-csum"),
        (Opt::TunRemcsum, "tun-remcsum"),
        (Opt::All, "all"),
        (Opt::Replace, "replace"),
        (Opt::DryRun, "dry-run"),
        (Opt::Drain, "drain"),
    ];

    /// The name in messages.
    pub fn name(self) -> &'static str {
        Opt::ALL[self as usize].1
    }
}

/// A set of options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptSet(u64);

impl OptSet {
    /// The set of `options`.
    pub const fn of(options: &[Opt]) -> OptSet {
        let mut bits = 0;
        let mut i = 0;
        while i < options.len() {
            bits |= 1 << options[i] as u64;
            i += 1;
        }
        OptSet(bits)
    }

    /// The options of both sets.
    pub const fn and(self, other: OptSet) -> OptSet {
        OptSet(self.0 | other.0)
    }

    /// Whether `option` is in the set.
    pub fn has(self, option: Opt) -> bool {
        self.0 & (1 << option as u64) != 0
    }

    /// Whether the sets share an option.
    pub fn meets(self, other: OptSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether `other` has all options of the set.
    pub fn within(self, other: OptSet) -> bool {
        self.0 & !other.0 == 0
    }

    /// Puts `option` in; false if it was there.
    pub fn insert(&mut self, option: Opt) -> bool {
        let new = !self.has(option);
        self.0 |= 1 << option as u64;
        new
    }
}

/// What a spelling stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It names the command.
    Command(CommandName),
    /// It is an option that the matrix checks.
    Option(Opt),
    /// `-6`: it qualifies a mark, and may be repeated.
    Ipv6,
    /// `--sort`: it does nothing, with any command, any number of times.
    Ignored,
}

/// Where a row stands in the help text and the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the titles say it
pub enum Section {
    Commands,
    Services,
    ServiceOptions,
    ServerOptions,
    ListOptions,
    DaemonOptions,
    SaveOptions,
}

impl Section {
    /// All sections in order, with their titles.
    pub const ALL: [(Section, &'static str); 7] = [
        (Section::Commands, "Commands"),
        (Section::Services, "Virtual services"),
        (Section::ServiceOptions, "Options of a virtual service"),
        (Section::ServerOptions, "Options of a real server"),
        (Section::ListOptions, "Options of a listing"),
        (Section::DaemonOptions, "Options of a sync daemon"),
        (Section::SaveOptions, "Options of save and restore"),
    ];
}

/// One row: one spelling pair and what it stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The short spelling, without its dash.
    pub short: Option<u8>,
    /// The long spelling, without its dashes.
    pub long: &'static str,
    /// Whether it takes a value.
    pub takes: Takes,
    /// What it stands for.
    pub role: Role,
    /// Where it is explained.
    pub section: Section,
    /// What it is for, in half a line.
    pub help: &'static str,
}

const fn row(
    short: &str,
    long: &'static str,
    takes: Takes,
    role: Role,
    section: Section,
    help: &'static str,
) -> Row {
    let short = match short.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    };
    Row {
        short,
        long,
        takes,
        role,
        section,
        help,
    }
}

/// The table.
#[rustfmt::skip] // one line a row
pub static ROWS: [Row; 62] = {
    use CommandName as C;
    use Opt as O;
    use Role::{Command, Ignored, Ipv6, Option};
    use Section::*;
    use Takes::{Nothing, Optional, Value};
    [
        row("A", "add-service", Nothing, Command(C::AddService), Commands, "add a virtual service"),
        row("E", "edit-service", Nothing, Command(C::EditService), Commands, "set a virtual service up anew"),
        row("D", "delete-service", Nothing, Command(C::DeleteService), Commands, "delete a virtual service with its real servers"),
        row("C", "clear", Nothing, Command(C::Flush), Commands, "delete everything"),
        row("R", "restore", Nothing, Command(C::Restore), Commands, "carry out the rules on standard input"),
        row("S", "save", Nothing, Command(C::Save), Commands, "print the table as rules"),
        row("a", "add-server", Nothing, Command(C::AddServer), Commands, "add a real server to a virtual service"),
        row("e", "edit-server", Nothing, Command(C::EditServer), Commands, "set a real server up anew"),
        row("d", "delete-server", Nothing, Command(C::DeleteServer), Commands, "remove a real server"),
        row("L", "list", Nothing, Command(C::List), Commands, "list the table, or one service; also -l"),
        row("l", "", Nothing, Command(C::List), Commands, ""),
        row("Z", "zero", Nothing, Command(C::Zero), Commands, "set the counters of one or all services to zero"),
        row("", "set", Nothing, Command(C::Set), Commands, "set the session time-outs: tcp tcpfin udp, in seconds, 0 keeps one"),
        row("", "start-daemon", Value("master|backup"), Command(C::StartDaemon), Commands, "start a connection sync daemon"),
        row("", "stop-daemon", Value("master|backup"), Command(C::StopDaemon), Commands, "stop a connection sync daemon"),
        row("h", "help", Nothing, Command(C::Help), Commands, "print this"),
        row("v", "version", Nothing, Command(C::Version), Commands, "print the version"),

        row("t", "tcp-service", Value("ADDRESS"), Option(O::ServiceAddress), Services, "TCP service host[:port]"),
        row("u", "udp-service", Value("ADDRESS"), Option(O::ServiceAddress), Services, "UDP service host[:port]"),
        row("", "sctp-service", Value("ADDRESS"), Option(O::ServiceAddress), Services, "SCTP service host[:port]"),
        row("f", "fwmark-service", Value("MARK"), Option(O::ServiceAddress), Services, "packets with a firewall mark, 1 to 4294967295"),
        row("6", "ipv6", Nothing, Ipv6, Services, "the mark is on IPv6 packets; after -f"),

        row("s", "scheduler", Value("SCHEDULER"), Option(O::Scheduler), ServiceOptions, "rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh; default wlc"),
        row("p", "persistent", Optional("SECONDS"), Option(O::Persistent), ServiceOptions, "a client keeps its server; default 360 seconds"),
        row("M", "netmask", Value("MASK"), Option(O::Netmask), ServiceOptions, "clients that persist together: IPv4 mask or IPv6 prefix length"),
        row("", "pe", Value("ENGINE"), Option(O::Pe), ServiceOptions, "persistence engine, as sip"),
        row("o", "ops", Nothing, Option(O::Ops), ServiceOptions, "one-packet scheduling: each datagram for itself"),
        row("b", "sched-flags", Value("FLAGS"), Option(O::SchedFlags), ServiceOptions, "flags of sh, mh or another scheduler, as sh-port,sh-fallback"),

        row("r", "real-server", Value("ADDRESS"), Option(O::RealServer), ServerOptions, "the real server, host[:port]"),
        row("g", "gatewaying", Nothing, Option(O::ForwardingMethod), ServerOptions, "forward by direct routing; the default"),
        row("i", "ipip", Nothing, Option(O::ForwardingMethod), ServerOptions, "forward through a tunnel"),
        row("m", "masquerading", Nothing, Option(O::ForwardingMethod), ServerOptions, "forward by network address translation"),
        row("", "tun-type", Value("TYPE"), Option(O::TunType), ServerOptions, "the tunnel: ipip, gue or gre; default ipip"),
        row("", "tun-port", Value("PORT"), Option(O::TunPort), ServerOptions, "the UDP port of a gue tunnel"),
        row("", "tun-nocsum", Nothing, Option(O::TunNocsum), ServerOptions, "gue and gre without checksum; the default"),
        row("", "tun-csum", Nothing, Option(O::TunCsum), ServerOptions, "gue and gre with checksum"),
        row("", "tun-remcsum", Nothing, Option(O::TunRemcsum), ServerOptions, "gue with remote checksum"),
        row("w", "weight", Value("WEIGHT"), Option(O::Weight), ServerOptions, "share of the connections, default 1; 0 takes no new ones"),
        row("x", "u-threshold", Value("COUNT"), Option(O::UThreshold), ServerOptions, "no new connections above so many; 0 for no limit"),
        row("y", "l-threshold", Value("COUNT"), Option(O::LThreshold), ServerOptions, "new connections again below so many"),
        row("", "drain", Optional("SECONDS"), Option(O::Drain), ServerOptions, "with -d: take no new connections, wait for the open ones, then remove"),

        row("n", "numeric", Nothing, Option(O::Numeric), ListOptions, "addresses and ports as numbers"),
        row("c", "connection", Nothing, Option(O::Connection), ListOptions, "list the connections"),
        row("", "timeout", Nothing, Option(O::Timeout), ListOptions, "list the session time-outs"),
        row("", "daemon", Nothing, Option(O::Daemon), ListOptions, "list the sync daemons"),
        row("", "stats", Nothing, Option(O::Stats), ListOptions, "list the counters"),
        row("", "rate", Nothing, Option(O::Rate), ListOptions, "list the rates a second"),
        row("", "thresholds", Nothing, Option(O::Thresholds), ListOptions, "list the connection thresholds"),
        row("", "persistent-conn", Nothing, Option(O::PersistentConn), ListOptions, "list persistent connections; with -c, persistence engine data"),
        row("", "tun-info", Nothing, Option(O::TunInfo), ListOptions, "list the tunnels"),
        row("X", "exact", Nothing, Option(O::Exact), ListOptions, "whole numbers, never 12345K"),
        row("", "nosort", Nothing, Option(O::Nosort), ListOptions, "keep the kernel's order"),
        row("", "sort", Nothing, Ignored, ListOptions, "does nothing: listings are sorted"),

        row("", "mcast-interface", Value("INTERFACE"), Option(O::McastInterface), DaemonOptions, "where to send or listen; default eth0"),
        row("", "syncid", Value("ID"), Option(O::SyncId), DaemonOptions, "daemons with other ids are ignored; 0 to 255, default 0"),
        row("", "sync-maxlen", Value("BYTES"), Option(O::SyncMaxlen), DaemonOptions, "longest message; the kernel's default follows the MTU"),
        row("", "mcast-group", Value("ADDRESS"), Option(O::McastGroup), DaemonOptions, "multicast group; default 224.0.0.81"),
        row("", "mcast-port", Value("PORT"), Option(O::McastPort), DaemonOptions, "UDP port; default 8848"),
        row("", "mcast-ttl", Value("TTL"), Option(O::McastTtl), DaemonOptions, "how far messages go; default 1"),

        row("", "all", Nothing, Option(O::All), SaveOptions, "with -S: also the session time-outs and sync daemons"),
        row("", "replace", Nothing, Option(O::Replace), SaveOptions, "with -R: make the table equal to the rules by the smallest change"),
        row("", "dry-run", Nothing, Option(O::DryRun), SaveOptions, "with -R: change nothing, print the commands that would run"),
    ]
};

/// The schedulers of the kernel, for help, completions and near misses. Any
/// other name goes to the kernel too, which may know it.
pub const SCHEDULERS: [&str; 13] = [
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh",
];
