//! The commands, the options and sets of them, by the names they have in
//! messages.
//!
//! How they are spelt on the command line is the business of
//! [`options`](super::options).

use ipvs::Change;

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

            /// Their words, in order.
            pub fn names() -> Vec<&'static str> {
                Self::ALL.iter().map(|one| one.name()).collect()
            }

            /// The one with these words.
            pub fn named(name: &[u8]) -> Option<$kind> {
                Self::ALL.iter().copied().find(|one| one.name().as_bytes() == name)
            }

            /// Its words.
            pub const fn name(self) -> &'static str {
                match self {
                    $($kind::$variant => $name,)*
                }
            }
        }
    };
}
pub(super) use named;

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

/// A command line without any word lists the table.
impl Default for CommandName {
    fn default() -> CommandName {
        CommandName::List
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
        Origin => "origin",
        By => "by",
        Top => "top",
        Vip => "vip",
        Ignore => "ignore",
    }
}

named! {
    /// The types of tunnel.
    TunnelType {
        Ipip => "ipip",
        Gue => "gue",
        Gre => "gre",
    }
}

/// A set of commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands(u32);

impl Commands {
    /// The set of `commands`.
    pub const fn of(commands: &[CommandName]) -> Commands {
        let mut bits = 0;
        let mut i = 0;
        while i < commands.len() {
            bits |= 1 << commands[i] as u32;
            i += 1;
        }
        Commands(bits)
    }

    /// The commands that are in one of the sets or in both.
    pub const fn union(self, other: Commands) -> Commands {
        Commands(self.0 | other.0)
    }

    /// Whether `command` is in the set.
    pub const fn contains(self, command: CommandName) -> bool {
        self.0 & (1 << command as u32) != 0
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
    pub const fn contains(self, option: Opt) -> bool {
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

    /// The set with `option` in it.
    pub const fn with(self, option: Opt) -> OptSet {
        OptSet(self.0 | 1 << option as u64)
    }

    /// The set without `option`.
    pub const fn without(self, option: Opt) -> OptSet {
        OptSet(self.0 & !(1 << option as u64))
    }

    /// Puts `option` in; false if it was there.
    pub fn insert(&mut self, option: Opt) -> bool {
        let new = !self.contains(option);
        self.0 |= 1 << option as u64;
        new
    }
}
