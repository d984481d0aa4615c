//! The option table: every command and every option, how it is spelt, what
//! value it takes and what it is for.
//!
//! clap's definition, the lexer, the matrix, the help text, the completions
//! and the checks of the manual read it. A new option is a new [`Opt`], a row
//! of the table, a place in [`super::matrix`], a line in `args` that reads its
//! value and one in `interpret` that gives it its meaning. This module must not
//! give options a meaning itself.

use ipvs::Change;

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// One value, which may begin with `-`; the word is its name in the help.
    Value(&'static str),
    /// A value unless the next word begins with `-`; the word is its name.
    Optional(&'static str),
}

/// An enum and the words for its variants, in one list. The words are spelt out
/// and not made from the variants' names, as a derive would: they stand in
/// messages that scripts compare.
macro_rules! named {
    ($(#[$about:meta])* $kind:ident { $($variant:ident => $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // the words say what they are
        pub enum $kind {
            $($variant,)*
        }

        impl $kind {
            /// All of them, in order.
            pub const ALL: &[$kind] = &[$($kind::$variant,)*];

            /// Its words.
            pub fn name(self) -> &'static str {
                match self {
                    $($kind::$variant => $name,)*
                }
            }
        }
    };
}

named! {
    /// The commands, by the names they have in messages.
    CommandName {
        AddService => "add-service",
        EditService => "edit-service",
        DeleteService => "delete-service",
        Flush => "flush",
        List => "list",
        AddServer => "add-server",
        DeleteServer => "delete-server",
        EditServer => "edit-server",
        Set => "set",
        StartDaemon => "start-daemon",
        StopDaemon => "stop-daemon",
        Restore => "restore",
        Save => "save",
        Check => "check",
        CheckRealServer => "check-real-server",
        Zero => "zero",
        Help => "help",
        Version => "version",
    }
}

impl CommandName {
    /// The command that asks for `change`.
    pub fn of(change: &Change) -> CommandName {
        match change {
            Change::AddService(..) => CommandName::AddService,
            Change::EditService(..) => CommandName::EditService,
            Change::DeleteService(..) => CommandName::DeleteService,
            Change::Flush => CommandName::Flush,
            Change::AddServer(..) => CommandName::AddServer,
            Change::EditServer(..) => CommandName::EditServer,
            Change::DeleteServer(..) => CommandName::DeleteServer,
            Change::Zero(..) => CommandName::Zero,
            Change::SetTimeouts(..) => CommandName::Set,
            Change::StartDaemon(..) => CommandName::StartDaemon,
            Change::StopDaemon(..) => CommandName::StopDaemon,
        }
    }
}

named! {
    /// The options that the matrix checks, in the order in which it checks
    /// them: first those of C ipvsadm, then ours. Several spellings may be the
    /// same option (`-t`, `-u`, `--sctp-service` and `-f` are all the
    /// service-address). The names are those in messages.
    Opt {
        Numeric => "numeric",
        Connection => "connection",
        ServiceAddress => "service-address",
        Scheduler => "scheduler",
        Persistent => "persistent",
        Netmask => "netmask",
        RealServer => "real-server",
        ForwardingMethod => "forwarding-method",
        Weight => "weight",
        UThreshold => "u-threshold",
        LThreshold => "l-threshold",
        McastInterface => "mcast-interface",
        Timeout => "timeout",
        Daemon => "daemon",
        Stats => "stats",
        Rate => "rate",
        Thresholds => "thresholds",
        PersistentConn => "persistent-conn",
        Nosort => "nosort",
        SyncId => "syncid",
        Exact => "exact",
        Ops => "ops",
        Pe => "pe",
        SchedFlags => "sched-flags",
        McastGroup => "mcast-group",
        McastPort => "mcast-port",
        McastTtl => "mcast-ttl",
        SyncMaxlen => "sync-maxlen",
        TunInfo => "tun-info",
        TunType => "tun-type",
        TunPort => "tun-port",
        TunNocsum => "tun-nocsum",
        TunCsum => "tun-csum",
        TunRemcsum => "tun-remcsum",
        All => "all",
        Replace => "replace",
        DryRun => "dry-run",
        Drain => "drain",
        Json => "json",
        Openmetrics => "openmetrics",
        Keep => "keep",
        Without => "without",
        Ensure => "ensure",
        Netns => "netns",
        Watch => "watch",
        Samples => "samples",
        Client => "client",
        State => "state",
        By => "by",
        Top => "top",
    }
}

/// A set of options. By hand, since a set from a crate costs five more packages
/// to build, and this is all that the tables need.
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

    /// The options that are in one of the sets or in both.
    pub const fn union(self, other: OptSet) -> OptSet {
        OptSet(self.0 | other.0)
    }

    /// Whether `option` is in the set.
    pub fn contains(self, option: Opt) -> bool {
        self.0 & (1 << option as u64) != 0
    }

    /// Whether the sets have an option in common.
    pub fn intersects(self, other: OptSet) -> bool {
        self.0 & other.0 != 0
    }

    /// The options that are in both sets.
    pub fn intersection(self, other: OptSet) -> OptSet {
        OptSet(self.0 & other.0)
    }

    /// Whether all options of the set are in `other`.
    pub fn is_subset(self, other: OptSet) -> bool {
        self.0 & !other.0 == 0
    }

    /// Puts `option` in; false if it was there.
    pub fn insert(&mut self, option: Opt) -> bool {
        let new = !self.contains(option);
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
    /// `-6`: it makes a mark IPv6, and may be repeated.
    Ipv6,
    /// `--sort`: no effect, with any command, any number of times.
    Ignored,
}

named! {
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

/// One row of the table: a short and a long spelling and what they stand for.
#[derive(Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// The short spelling, without its dash.
    pub short: Option<u8>,
    /// The long spelling, without its dashes.
    pub long: &'static str,
    /// Whether it takes a value.
    pub takes: Takes,
    /// What it stands for.
    pub role: Role,
    /// The section in which it is explained.
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
) -> OptionSpec {
    let short = match short.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    };
    OptionSpec {
        short,
        long,
        takes,
        role,
        section,
        help,
    }
}

/// The option table.
#[rustfmt::skip] // one line a row
pub static OPTIONS: [OptionSpec; 76] = {
    use CommandName as C;
    use Opt as O;
    use Role::{Command, Ignored, Ipv6, Option};
    use Section::*;
    use Takes::{Nothing, Optional, Value};
    [
        row("A", "add-service", Nothing, Command(C::AddService), Commands, "add a virtual service"),
        row("E", "edit-service", Nothing, Command(C::EditService), Commands, "change a virtual service"),
        row("D", "delete-service", Nothing, Command(C::DeleteService), Commands, "delete a virtual service with its real servers"),
        row("C", "clear", Nothing, Command(C::Flush), Commands, "delete everything"),
        row("R", "restore", Nothing, Command(C::Restore), Commands, "apply rules from standard input"),
        row("S", "save", Nothing, Command(C::Save), Commands, "print the table as rules"),
        row("a", "add-server", Nothing, Command(C::AddServer), Commands, "add a real server to a virtual service"),
        row("e", "edit-server", Nothing, Command(C::EditServer), Commands, "change a real server"),
        row("d", "delete-server", Nothing, Command(C::DeleteServer), Commands, "remove a real server"),
        row("L", "list", Nothing, Command(C::List), Commands, "list the table, or one service; also -l"),
        row("l", "", Nothing, Command(C::List), Commands, ""),
        row("Z", "zero", Nothing, Command(C::Zero), Commands, "set the counters of one or all services to zero"),
        row("", "set", Nothing, Command(C::Set), Commands, "set the session time-outs: tcp tcpfin udp, in seconds, 0 keeps one"),
        row("", "start-daemon", Value("master|backup"), Command(C::StartDaemon), Commands, "start a connection sync daemon"),
        row("", "stop-daemon", Value("master|backup"), Command(C::StopDaemon), Commands, "stop a connection sync daemon"),
        row("", "check", Nothing, Command(C::Check), Commands, "find out why a service, or any service, does not answer"),
        row("", "check-real-server", Nothing, Command(C::CheckRealServer), Commands, "the same, on a real server of the given service"),
        row("h", "help", Nothing, Command(C::Help), Commands, "print this help"),
        row("v", "version", Nothing, Command(C::Version), Commands, "print the version"),

        row("t", "tcp-service", Value("ADDRESS"), Option(O::ServiceAddress), Services, "TCP service host[:port]"),
        row("u", "udp-service", Value("ADDRESS"), Option(O::ServiceAddress), Services, "UDP service host[:port]"),
        row("", "sctp-service", Value("ADDRESS"), Option(O::ServiceAddress), Services, "SCTP service host[:port]"),
        row("f", "fwmark-service", Value("MARK"), Option(O::ServiceAddress), Services, "packets with a firewall mark, 1 to 4294967295"),
        row("6", "ipv6", Nothing, Ipv6, Services, "the mark is on IPv6 packets; after -f"),

        row("s", "scheduler", Value("SCHEDULER"), Option(O::Scheduler), ServiceOptions, "rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh; default wlc"),
        row("p", "persistent", Optional("SECONDS"), Option(O::Persistent), ServiceOptions, "a client keeps its server; default 360 seconds"),
        row("M", "netmask", Value("MASK"), Option(O::Netmask), ServiceOptions, "clients that persist together: IPv4 mask or IPv6 prefix length"),
        row("", "pe", Value("ENGINE"), Option(O::Pe), ServiceOptions, "persistence engine, such as sip"),
        row("o", "ops", Nothing, Option(O::Ops), ServiceOptions, "one-packet scheduling: each datagram on its own"),
        row("b", "sched-flags", Value("FLAGS"), Option(O::SchedFlags), ServiceOptions, "flags of sh, mh or another scheduler, such as sh-port,sh-fallback"),

        row("r", "real-server", Value("ADDRESS"), Option(O::RealServer), ServerOptions, "the real server, host[:port]"),
        row("g", "gatewaying", Nothing, Option(O::ForwardingMethod), ServerOptions, "forward by direct routing; the default"),
        row("i", "ipip", Nothing, Option(O::ForwardingMethod), ServerOptions, "forward through a tunnel"),
        row("m", "masquerading", Nothing, Option(O::ForwardingMethod), ServerOptions, "forward by network address translation"),
        row("", "tun-type", Value("TYPE"), Option(O::TunType), ServerOptions, "the tunnel: ipip, gue or gre; default ipip"),
        row("", "tun-port", Value("PORT"), Option(O::TunPort), ServerOptions, "the UDP port of a gue tunnel"),
        row("", "tun-nocsum", Nothing, Option(O::TunNocsum), ServerOptions, "gue and gre without checksum; the default"),
        row("", "tun-csum", Nothing, Option(O::TunCsum), ServerOptions, "gue and gre with checksum"),
        row("", "tun-remcsum", Nothing, Option(O::TunRemcsum), ServerOptions, "gue with remote checksum"),
        row("w", "weight", Value("WEIGHT"), Option(O::Weight), ServerOptions, "share of the connections, default 1; 0: no new ones"),
        row("x", "u-threshold", Value("COUNT"), Option(O::UThreshold), ServerOptions, "upper threshold: no new connections once reached; 0: no limit"),
        row("y", "l-threshold", Value("COUNT"), Option(O::LThreshold), ServerOptions, "lower threshold: new connections again below it"),
        row("", "drain", Optional("SECONDS"), Option(O::Drain), ServerOptions, "with -d: take no new connections, wait for the open ones, then remove"),

        row("n", "numeric", Nothing, Option(O::Numeric), ListOptions, "addresses and ports as numbers"),
        row("c", "connection", Nothing, Option(O::Connection), ListOptions, "list the connections"),
        row("", "client", Value("CLIENT"), Option(O::Client), ListOptions, "with -c: only these clients, address[/length][:port]"),
        row("", "state", Value("STATES"), Option(O::State), ListOptions, "with -c: only these states, such as syn_recv,established"),
        row("", "by", Value("KEYS"), Option(O::By), ListOptions, "with -c: count by service, server, client[/length], state, protocol"),
        row("", "top", Value("COUNT"), Option(O::Top), ListOptions, "with --by: only this many, the largest"),
        row("", "timeout", Nothing, Option(O::Timeout), ListOptions, "list the session time-outs"),
        row("", "daemon", Nothing, Option(O::Daemon), ListOptions, "list the sync daemons"),
        row("", "stats", Nothing, Option(O::Stats), ListOptions, "list the counters"),
        row("", "rate", Nothing, Option(O::Rate), ListOptions, "list the rates per second"),
        row("", "thresholds", Nothing, Option(O::Thresholds), ListOptions, "list the connection thresholds"),
        row("", "persistent-conn", Nothing, Option(O::PersistentConn), ListOptions, "list persistent connections; with -c, persistence engine data"),
        row("", "tun-info", Nothing, Option(O::TunInfo), ListOptions, "list the tunnels"),
        row("X", "exact", Nothing, Option(O::Exact), ListOptions, "whole numbers, never 12345K"),
        row("", "nosort", Nothing, Option(O::Nosort), ListOptions, "keep the kernel's order"),
        row("", "sort", Nothing, Ignored, ListOptions, "does nothing: listings are sorted"),
        row("j", "json", Nothing, Option(O::Json), ListOptions, "everything the kernel reports, as one JSON document"),
        row("", "openmetrics", Nothing, Option(O::Openmetrics), ListOptions, "services and real servers as metrics for Prometheus"),

        row("", "watch", Optional("SECONDS"), Option(O::Watch), WatchOptions, "list again and again; with -S, print changes as commands; default 2"),
        row("", "samples", Value("COUNT"), Option(O::Samples), WatchOptions, "with --watch: stop after this many looks"),

        row("", "mcast-interface", Value("INTERFACE"), Option(O::McastInterface), DaemonOptions, "where to send or listen; default eth0"),
        row("", "syncid", Value("ID"), Option(O::SyncId), DaemonOptions, "id shared by master and backup, 0 to 255; default 0"),
        row("", "sync-maxlen", Value("BYTES"), Option(O::SyncMaxlen), DaemonOptions, "longest message; the kernel's default follows the MTU"),
        row("", "mcast-group", Value("ADDRESS"), Option(O::McastGroup), DaemonOptions, "multicast group; default 224.0.0.81"),
        row("", "mcast-port", Value("PORT"), Option(O::McastPort), DaemonOptions, "UDP port; default 8848"),
        row("", "mcast-ttl", Value("TTL"), Option(O::McastTtl), DaemonOptions, "how far messages go; default 1"),

        row("", "keep", Nothing, Option(O::Keep), ChangeOptions, "with -E and -e: leave everything not named as it is"),
        row("", "without", Value("NAMES"), Option(O::Without), ChangeOptions, "with --keep: remove persistent, netmask, pe, ops, sched-flags"),
        row("", "ensure", Nothing, Option(O::Ensure), ChangeOptions, "with -A, -a: add, or edit if it differs; -D, -d: no error if absent"),

        row("", "all", Nothing, Option(O::All), SaveOptions, "with -S: also the session time-outs and sync daemons"),
        row("", "replace", Nothing, Option(O::Replace), SaveOptions, "with -R: change only what differs from the rules"),
        row("", "dry-run", Nothing, Option(O::DryRun), SaveOptions, "with -R: change nothing, print the commands that would run"),

        row("", "netns", Value("NAMESPACE"), Option(O::Netns), AnyOptions, "a network namespace: a name as in ip netns, or a path"),
    ]
};

/// The types of tunnel, by their names on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TunnelType {
    /// IP in IP
    #[default]
    Ipip,
    /// Generic UDP encapsulation
    Gue,
    /// Generic routing encapsulation
    Gre,
}

impl TunnelType {
    /// All of them.
    pub const ALL: [TunnelType; 3] = [TunnelType::Ipip, TunnelType::Gue, TunnelType::Gre];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            TunnelType::Ipip => "ipip",
            TunnelType::Gue => "gue",
            TunnelType::Gre => "gre",
        }
    }
}
