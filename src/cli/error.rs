//! What is wrong with a command line or with a line of rules, and the words for
//! it: C ipvsadm's, to the byte, since scripts compare them.
//!
//! The exit status is not decided here, and nothing is printed.

use super::opt::{CommandName, Opt};
use crate::cli::opt::TunnelType;
use crate::connections::Key;
use ipvs::{Family, Protocol};
use std::fmt;

/// What is wrong with a command line, or with a line of rules. Words of the command
/// line are kept byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// The first option names no command; the program's name, for the advice.
    NoCommand(Vec<u8>),
    /// A line of rules names no command; its first word.
    NoCommandInRule(Vec<u8>),
    /// The command must not stand in rules.
    NotInRules(CommandName),
    /// The option must not stand in rules.
    OptionNotInRules(Opt),
    /// The word spells no option.
    UnknownOption(Vec<u8>),
    /// The option in the word needs a value.
    MissingValue(Vec<u8>),
    /// The option in the word takes no value.
    UnwantedValue(Vec<u8>),
    /// The word names a second command.
    SecondCommand(Vec<u8>),
    /// The option is given twice.
    RepeatedOption(Opt),
    /// The word belongs to no option.
    UnexpectedWord(Vec<u8>),
    /// `-6` without a mark before it.
    Ipv6WithoutMark,
    /// The word is no virtual service of the protocol.
    IllegalService(Vec<u8>, Protocol),
    /// The word is no real server; the protocol, where it was known.
    IllegalServer(Vec<u8>, Option<Protocol>),
    /// An invalid value: what it should have been, in the words of messages, and
    /// the word.
    IllegalValue(&'static str, Vec<u8>),
    /// The word is not a time-out.
    InvalidTimeout(Vec<u8>),
    /// The word is not an interval.
    InvalidInterval(Vec<u8>),
    /// The word is not a firewall mark.
    InvalidMark(Vec<u8>),
    /// No scheduler has the flag in the word.
    UnknownFlag(Vec<u8>),
    /// The word is a flag of another scheduler.
    ForeignFlag(Vec<u8>),
    /// The word is not a multicast group of its family.
    InvalidGroup(Family, Vec<u8>),
    /// `--set` with fewer than three values.
    TooFewTimeouts,
    /// The option must be there.
    MissingOption(Opt, Context),
    /// The first option makes sense only with the second.
    Needs(Opt, Opt),
    /// The option must not be there.
    IllegalOption(Opt, Context),
    /// The second option must not be there because of the first one.
    Conflict(Opt, Opt, Context),
    /// Options that make no sense together with `-L`.
    ConflictInListing,
    /// `--without` cannot remove what the word names.
    NotRemovable(Vec<u8>),
    /// A service that is not persistent needs a port.
    ZeroPort,
    /// `-o` with a service that is not UDP.
    OnePacketNotUdp,
    /// A server of another family than its service, without a tunnel.
    MixedFamilies,
    /// Options of a tunnel without a tunnel.
    NoTunnel,
    /// The prefix in the word is longer than an address.
    LongPrefix(Vec<u8>),
    /// Unknown connection state.
    UnknownState(Vec<u8>),
    /// Unknown `--by` key.
    UnknownKey(Vec<u8>),
    /// The same `--by` key twice.
    RepeatedKey(Key),
    /// `-f` with `-L -c`: the kernel's rows do not record the mark.
    MarkOfConnections,
    /// `--client` of another address family than the service.
    ForeignClient,
}

/// Where options are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// A command.
    Command(CommandName),
    /// A type of tunnel.
    Tunnel(TunnelType),
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Context::Command(command) => write!(f, "'{}' command", command.name()),
            Context::Tunnel(tunnel) => write!(f, "'{}' tunnel type", tunnel.name()),
        }
    }
}

impl UsageError {
    /// The message, without the end of its line.
    pub fn text(&self) -> Vec<u8> {
        use UsageError as E;
        match self {
            E::NoCommand(program) => {
                insert(b"Try `% -h' or '% --help' for more information.", program)
            }
            E::NoCommandInRule(word) => insert(b"no command in `%'", word),
            E::NotInRules(command) => {
                format!("the '{}' command is not allowed in rules", command.name()).into()
            }
            E::OptionNotInRules(option) => {
                format!("the '{}' option is not allowed in rules", option.name()).into()
            }
            E::UnknownOption(word) => insert(b"%: unknown option", word),
            E::MissingValue(word) => insert(b"%: missing argument", word),
            E::UnwantedValue(word) => insert(b"%: option does not take an argument", word),
            E::SecondCommand(word) => insert(b"invalid option `%'", word),
            E::RepeatedOption(option) => {
                format!("multiple '{}' options specified", option.name()).into()
            }
            E::UnexpectedWord(word) => insert(b"unexpected argument %", word),
            // The empty line is C ipvsadm's.
            E::Ipv6WithoutMark => b"-6 must follow -f\n".into(),
            E::IllegalService(..) => b"illegal virtual server address[:port] specified".into(),
            E::IllegalServer(..) => b"illegal real server address[:port] specified".into(),
            E::IllegalValue(what, _) => format!("illegal {what} specified").into(),
            E::InvalidTimeout(word) => insert(b"invalid timeout value `%' specified", word),
            E::InvalidInterval(word) => insert(b"invalid interval `%' specified", word),
            E::InvalidMark(word) => insert(b"invalid fwmark value `%' specified", word),
            E::UnknownFlag(word) => insert(b"invalid scheduler flag `%'", word),
            E::ForeignFlag(word) => insert(b"incompatible scheduler flag `%'", word),
            E::InvalidGroup(Family::Inet, word) => insert(b"invalid IPv4 mcast-group `%'", word),
            E::InvalidGroup(Family::Inet6, word) => insert(b"invalid IPv6 mcast-group `%'", word),
            E::TooFewTimeouts => b"--set option requires 3 timeout values".into(),
            E::MissingOption(option, context) => {
                let option = option.name();
                format!("You need to supply the '{option}' option for the {context}").into()
            }
            E::Needs(option, other) => {
                let (option, other) = (option.name(), other.name());
                format!("The option '{option}' needs the '{other}' option").into()
            }
            E::IllegalOption(option, context) => {
                format!("Illegal '{}' option with the {context}", option.name()).into()
            }
            E::Conflict(first, second, context) => {
                let (first, second) = (first.name(), second.name());
                format!(
                    "The option '{second}' conflicts with the '{first}' option in the {context}"
                )
                .into()
            }
            E::ConflictInListing => b"options conflicts in the list command".into(),
            E::NotRemovable(word) => insert(b"--without cannot remove `%'", word),
            E::ZeroPort => b"Zero port specified for non-persistent service".into(),
            E::OnePacketNotUdp => b"One-Packet Scheduling is only for UDP virtual services".into(),
            E::MixedFamilies => {
                b"Different address family is allowed only for tunneling servers".into()
            }
            E::NoTunnel => b"Tunnel options conflict with forward method".into(),
            E::LongPrefix(word) => insert(b"the prefix of `%' is longer than an address", word),
            E::UnknownState(word) => insert(b"unknown connection state `%'", word),
            E::UnknownKey(word) => insert(b"--by cannot count by `%'", word),
            E::RepeatedKey(key) => format!("--by has the key '{}' twice", key.name()).into(),
            E::MarkOfConnections => {
                b"the kernel's table of connections does not record firewall marks".into()
            }
            E::ForeignClient => {
                b"--client and the service are of different address families".into()
            }
        }
    }
}

/// `pattern` with `word` in place of each `%`.
fn insert(pattern: &[u8], word: &[u8]) -> Vec<u8> {
    pattern.split(|b| *b == b'%').collect::<Vec<_>>().join(word)
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl std::error::Error for UsageError {}
