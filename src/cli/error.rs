//! What is wrong with a command line or with a line of rules, and the words for
//! it: C ipvsadm's, to the byte, since scripts compare them.
//!
//! The exit status is not decided here, and nothing is printed.

use super::matrix::REMOVABLE;
use super::opt::{CommandName, Opt};
use super::values::{Reason, Refused};
use crate::check::Kind;
use crate::cli::opt::TunnelType;
use crate::connections::{Key, STATES};
use crate::render::sched_flags::SCHED_FLAGS;
use crate::render::visible;
use crate::selection::Network;
use ipvs::Family;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

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
    /// The option refuses its value; what it should have been, in the words of messages.
    IllegalValue(&'static str, Refused),
    /// The word is not a time-out.
    InvalidTimeout(Refused),
    /// The word is not an interval.
    InvalidInterval(Refused),
    /// The word is not a firewall mark.
    InvalidMark(Refused),
    /// No scheduler has the flag in the word.
    UnknownFlag(Vec<u8>),
    /// The word is a flag of another scheduler.
    ForeignFlag(Vec<u8>),
    /// The word is not a multicast group of its family.
    InvalidGroup(Family, Refused),
    /// `--set` with fewer than three values.
    TooFewTimeouts,
    /// The option must be there.
    MissingOption(Opt, Context),
    /// The first option makes sense only with the second.
    Needs(Opt, Opt),
    /// `-e --drain` with a weight that is not 0, or none.
    DrainWithWeight,
    /// The option must not be there.
    IllegalOption(Opt, Context),
    /// The second option must not be there because of the first one.
    Conflict(Opt, Opt, Context),
    /// Options that make no sense together with `-L`.
    ConflictInListing,
    /// `--without` cannot remove what the word names.
    NotRemovable(Vec<u8>),
    /// A service that is not persistent needs a port; its address.
    ZeroPort(IpAddr, bool),
    /// `-o` with a service that is not UDP.
    OnePacketNotUdp,
    /// A server of another family than its service, without a tunnel.
    MixedFamilies,
    /// Options of a tunnel without a tunnel.
    NoTunnel,
    /// The prefix in the word is longer than an address.
    LongPrefix(Vec<u8>),
    /// The word has bits set behind the length of the network, which is this.
    HostBits(Vec<u8>, Network),
    /// Unknown connection state.
    UnknownState(Vec<u8>),
    /// Unknown `--by` key.
    UnknownKey(Vec<u8>),
    /// The same `--by` key twice.
    RepeatedKey(Key),
    /// `-f` with `-L -c`: the kernel's rows do not record the mark.
    MarkOfConnections,
    /// No finding of `--check` has the name in the word.
    UnknownFinding(Vec<u8>),
    /// The finding is not about a service.
    FindingOfDirector(Kind),
    /// The word names no service, as `--ignore` names them.
    UnknownPlace(Vec<u8>),
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
    /// The message, without the end of its line and with words as they were typed.
    pub fn text(&self) -> Vec<u8> {
        self.text_with(<[u8]>::to_vec)
    }

    /// The message, with escapes for what cannot be seen.
    pub fn visible(&self) -> String {
        let text = self.text_with(|word| visible(word).into());
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The same for a line of rules, which nobody has typed just now: with the word
    /// that is refused and the reason.
    pub fn explained(&self) -> String {
        // C ipvsadm ends some with an empty line.
        let mut text = self.visible().trim_end().to_owned();
        if let UsageError::ZeroPort(address, _) = self {
            text += &format!(": {address}");
        }
        match self.reason() {
            Some(reason) => text + ": " + &reason,
            None => text,
        }
    }

    /// Why the value of an option is refused, where the message, which is that of
    /// C ipvsadm, does not say it; with the value if that is not in the message.
    pub fn reason(&self) -> Option<String> {
        use UsageError as E;
        match self {
            E::IllegalValue(_, refused) if !refused.word.is_empty() => {
                Some(format!("{}: {}", visible(&refused.word), refused.reason))
            }
            E::IllegalValue(_, refused)
            | E::InvalidTimeout(refused)
            | E::InvalidInterval(refused)
            | E::InvalidMark(refused)
            | E::InvalidGroup(_, refused) => Some(refused.reason.to_string()),
            E::ZeroPort(IpAddr::V4(_), _) | E::ZeroPort(_, true) => {
                Some("name a port, or add -p for a service on all ports".into())
            }
            E::ZeroPort(IpAddr::V6(address), false) => Some(with_port(*address).to_string()),
            E::UnknownFlag(_) => {
                Some(Reason::OneOf(SCHED_FLAGS.map(|(name, ..)| name).into()).to_string())
            }
            E::ForeignFlag(word) => {
                let flag = SCHED_FLAGS
                    .iter()
                    .find(|(name, ..)| name.as_bytes() == word);
                let owner = flag.and_then(|(.., owner)| *owner)?;
                Some(format!("a flag of the scheduler {owner}"))
            }
            E::NotRemovable(_) => Some(Reason::OneOf(REMOVABLE.map(Opt::name).into()).to_string()),
            E::UnknownState(_) => Some(Reason::OneOf(STATES.into()).to_string()),
            E::UnknownKey(_) => Some(Reason::OneOf(Key::ALL.map(Key::name).into()).to_string()),
            _ => None,
        }
    }

    /// The message, with its words as `quoted` gives them.
    fn text_with(&self, quoted: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        // In words of ours there is nothing to keep for scripts.
        let insert_visible = |pattern, word: &[u8]| insert(pattern, visible(word).as_bytes());
        let insert = |pattern, word: &[u8]| insert(pattern, &quoted(word));
        use UsageError as E;
        match self {
            E::NoCommand(program) => {
                insert(b"Try `% -h' or '% --help' for more information.", program)
            }
            E::NoCommandInRule(word) => insert_visible(b"no command in `%'", word),
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
            E::IllegalValue(what, _) => format!("illegal {what} specified").into(),
            E::InvalidTimeout(word) => insert(b"invalid timeout value `%' specified", &word.word),
            E::InvalidInterval(word) => {
                insert_visible(b"invalid interval `%' specified", &word.word)
            }
            E::InvalidMark(word) => insert(b"invalid fwmark value `%' specified", &word.word),
            E::UnknownFlag(word) => insert(b"invalid scheduler flag `%'", word),
            E::ForeignFlag(word) => insert(b"incompatible scheduler flag `%'", word),
            E::InvalidGroup(Family::Inet, word) => {
                insert(b"invalid IPv4 mcast-group `%'", &word.word)
            }
            E::InvalidGroup(Family::Inet6, word) => {
                insert(b"invalid IPv6 mcast-group `%'", &word.word)
            }
            E::TooFewTimeouts => b"--set option requires 3 timeout values".into(),
            E::MissingOption(option, context) => {
                let option = option.name();
                format!("You need to supply the '{option}' option for the {context}").into()
            }
            E::Needs(option, other) => {
                let (option, other) = (option.name(), other.name());
                format!("The option '{option}' needs the '{other}' option").into()
            }
            E::DrainWithWeight => b"The option 'drain' needs the weight 0".into(),
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
            E::NotRemovable(word) => insert_visible(b"--without cannot remove `%'", word),
            E::ZeroPort(..) => b"Zero port specified for non-persistent service".into(),
            E::OnePacketNotUdp => b"One-Packet Scheduling is only for UDP virtual services".into(),
            E::MixedFamilies => {
                b"Different address family is allowed only for tunneling servers".into()
            }
            E::NoTunnel => b"Tunnel options conflict with forward method".into(),
            E::LongPrefix(word) => {
                insert_visible(b"the prefix of `%' is longer than an address", word)
            }
            E::HostBits(word, network) => {
                let network = format!(
                    "`%' has bits behind its length: the network is {}/{}",
                    network.first(),
                    network.prefix().unwrap_or_default()
                );
                insert_visible(network.as_bytes(), word)
            }
            E::UnknownState(word) => insert_visible(b"unknown connection state `%'", word),
            E::UnknownKey(word) => insert_visible(b"--by cannot count by `%'", word),
            E::RepeatedKey(key) => format!("--by has the key '{}' twice", key.name()).into(),
            E::MarkOfConnections => {
                b"the kernel's table of connections does not record firewall marks".into()
            }
            E::UnknownFinding(word) => insert_visible(b"no finding is called `%'", word),
            E::FindingOfDirector(kind) => {
                let id = kind.id();
                format!("the finding {id} is about the director, not about one service").into()
            }
            E::UnknownPlace(word) => insert_visible(
                b"`%' is no service: say tcp:ADDRESS:PORT, udp:, sctp:, fwmark:MARK or fwmark6:MARK",
                word,
            ),
            E::ForeignClient => {
                b"--client and the service are of different address families".into()
            }
        }
    }
}

/// How to write `address`, or what its last group makes look like an address with a
/// port, with a port.
fn with_port(address: Ipv6Addr) -> Reason {
    let text = address.to_string();
    let parts = text.rsplit_once(':').filter(|(host, port)| {
        host.parse::<Ipv6Addr>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let (host, port) = parts.unwrap_or((&text, "80"));
    Reason::Brackets(format!("[{host}]:{port}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_typed_for_scripts_and_escaped_for_people() {
        let foreign = UsageError::UnexpectedWord(b"\x1b[2J\xff".into());
        assert_eq!(foreign.text(), b"unexpected argument \x1b[2J\xff");
        assert_eq!(foreign.visible(), "unexpected argument \\u{1b}[2J\\xff");
        let ours = UsageError::UnknownState("syn\u{a0}".into());
        assert_eq!(ours.text(), b"unknown connection state `syn\\u{a0}'");
        assert_eq!(ours.visible(), "unknown connection state `syn\\u{a0}'");
        let value = UsageError::IllegalValue("weight", Refused::new(b"\t5x", Reason::Number(0, 9)));
        assert_eq!(value.text(), b"illegal weight specified");
        assert_eq!(
            value.explained(),
            "illegal weight specified: \\t5x: not a whole number from 0 to 9"
        );
        assert_eq!(UsageError::Ipv6WithoutMark.text(), b"-6 must follow -f\n");
        assert_eq!(UsageError::Ipv6WithoutMark.explained(), "-6 must follow -f");
    }
}
