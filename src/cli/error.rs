//! What is wrong with a command line or with a line of rules, and the words for
//! it: C ipvsadm's, to the byte, since scripts compare them.
//!
//! The exit status is not decided here, and nothing is printed.

use super::frontend;
use super::options::{CommandName, Opt, TunnelType};
use crate::connections::{Key, STATES};
use ipvs::Family;
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
    /// An invalid value; what it should have been, in the words of messages.
    IllegalValue(&'static str),
    /// The word is no time-out.
    InvalidTimeout(Vec<u8>),
    /// The word is no time between two looks.
    InvalidInterval(Vec<u8>),
    /// The word is no firewall mark.
    InvalidMark(Vec<u8>),
    /// The word is no flag of any scheduler.
    UnknownFlag(Vec<u8>),
    /// The word is a flag of another scheduler.
    ForeignFlag(Vec<u8>),
    /// The word is no multicast group of its family.
    InvalidGroup(Family, Vec<u8>),
    /// `--set` with fewer than three values.
    TooFewTimeouts,
    /// The option must be there.
    MissingOption(Opt, Taker),
    /// The first option makes sense only with the second.
    Needs(Opt, Opt),
    /// The option must not be there.
    IllegalOption(Opt, Taker),
    /// The second option must not be there because of the first one.
    Conflict(Opt, Opt, Taker),
    /// Options that make no sense together with `-L`.
    ConflictInListing,
    /// The word is nothing that `--without` can remove.
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
    /// The word is no state of a connection.
    UnknownState(Vec<u8>),
    /// Connections cannot be counted by the word.
    UnknownKey(Vec<u8>),
    /// Connections are to be counted twice by the same.
    RepeatedKey(Key),
    /// `--top` without `--by`.
    TopOfNothing,
    /// Connections of a mark.
    MarkOfConnections,
    /// Clients of another family than their service.
    ForeignClient,
}

/// What options belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// A command.
    Command(CommandName),
    /// A type of tunnel.
    Tunnel(TunnelType),
}

impl fmt::Display for Taker {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Taker::Command(command) => write!(f, "'{}' command", command.name()),
            Taker::Tunnel(tunnel) => write!(f, "'{}' tunnel type", tunnel.name()),
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
            E::IllegalValue(what) => format!("illegal {what} specified").into(),
            E::InvalidTimeout(word) => insert(b"invalid timeout value `%' specified", word),
            E::InvalidInterval(word) => insert(b"invalid interval `%' specified", word),
            E::InvalidMark(word) => insert(b"invalid fwmark value `%' specified", word),
            E::UnknownFlag(word) => insert(b"invalid scheduler flag `%'", word),
            E::ForeignFlag(word) => insert(b"incompatible scheduler flag `%'", word),
            E::InvalidGroup(Family::Inet, word) => insert(b"invalid IPv4 mcast-group `%'", word),
            E::InvalidGroup(Family::Inet6, word) => insert(b"invalid IPv6 mcast-group `%'", word),
            E::TooFewTimeouts => b"--set option requires 3 timeout values".into(),
            E::MissingOption(option, taker) => {
                let option = option.name();
                format!("You need to supply the '{option}' option for the {taker}").into()
            }
            E::Needs(option, other) => {
                let (option, other) = (option.name(), other.name());
                format!("The option '{option}' needs the '{other}' option").into()
            }
            E::IllegalOption(option, taker) => {
                format!("Illegal '{}' option with the {taker}", option.name()).into()
            }
            E::Conflict(first, second, taker) => {
                let (first, second) = (first.name(), second.name());
                format!("The option '{second}' conflicts with the '{first}' option in the {taker}")
                    .into()
            }
            E::ConflictInListing => b"options conflicts in the list command".into(),
            E::NotRemovable(word) => insert(b"`%' cannot be taken away", word),
            E::ZeroPort => b"Zero port specified for non-persistent service".into(),
            E::OnePacketNotUdp => b"One-Packet Scheduling is only for UDP virtual services".into(),
            E::MixedFamilies => {
                b"Different address family is allowed only for tunneling servers".into()
            }
            E::NoTunnel => b"Tunnel options conflict with forward method".into(),
            E::LongPrefix(word) => insert(b"the prefix of `%' is longer than an address", word),
            E::UnknownState(word) => insert(b"there is no state `%'", word),
            E::UnknownKey(word) => insert(b"connections cannot be counted by `%'", word),
            E::RepeatedKey(key) => format!("the key '{}' is given twice", key.name()).into(),
            E::TopOfNothing => b"'top' needs the 'by' option".into(),
            E::MarkOfConnections => {
                b"the kernel's table of connections does not record firewall marks".into()
            }
            E::ForeignClient => {
                b"the clients are of another address family than the service".into()
            }
        }
    }

    /// One more line for a person at a terminal.
    pub fn hint(&self) -> Option<String> {
        match self {
            UsageError::UnknownOption(word) => {
                frontend::near_miss(word).map(|option| format!("did you mean {option}?"))
            }
            UsageError::UnknownState(word) => did_you_mean(word, &STATES),
            UsageError::UnknownKey(word) => did_you_mean(word, &Key::ALL.map(Key::name)),
            UsageError::ZeroPort => {
                Some("name a port, or add -p for a service on all ports".into())
            }
            _ => None,
        }
    }
}

fn did_you_mean(word: &[u8], known: &[&str]) -> Option<String> {
    near(&String::from_utf8_lossy(word), known).map(|known| format!("did you mean {known}?"))
}

/// How alike two words must be (Jaro-Winkler; 1 is equal).
const NEAR: f64 = 0.6;

/// The one of the `known` words that was probably meant by `word`, in upper or
/// lower case.
pub fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let known = known.iter().map(|known| {
        let likeness = strsim::jaro_winkler(&known.to_ascii_lowercase(), &word);
        (likeness, *known)
    });
    let near = known.filter(|(likeness, _)| *likeness > NEAR);
    near.max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
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
