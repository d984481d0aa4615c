//! The words of a command line once more, as options: what stood where.

use crate::cli::matrix::Allowed;
use crate::cli::opt::{CommandName, Opt, OptSet};
use crate::cli::options::{OptionSpec, Role, allowed_with};
use crate::cli::patch::Desired;
use crate::cli::popt::{Lexer, Occurrence, Token};
use crate::cli::{Action, Command, Invocation, List};
use crate::render::shell;
use ipvs::{Change, ServerKey, ServiceKey};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The words, without the program's name.
    pub words: &'a [&'a [u8]],
    /// What they mean, where they mean something.
    pub meaning: Option<&'a Invocation<'a>>,
}

impl<'a> Asked<'a> {
    /// The options, in their order. What follows one that is unknown may belong to
    /// it.
    pub fn options(&self) -> impl Iterator<Item = Occurrence<'a>> {
        Lexer::new(self.words, false).filter_map(|token| match token {
            Ok(Token::Option(option)) => Some(option),
            _ => None,
        })
    }

    /// The command.
    pub fn command(&self) -> Option<CommandName> {
        match self.command_option()?.row.role {
            Role::Command(command) => Some(command),
            _ => None,
        }
    }

    /// The option that names the command. Those of ours may stand before it.
    pub fn command_option(&self) -> Option<Occurrence<'a>> {
        self.options()
            .find(|option| matches!(option.row.role, Role::Command(_)))
    }

    /// The option `name`, as it was given.
    pub fn option(&self, name: Opt) -> Option<Occurrence<'a>> {
        self.options()
            .find(|option| option.row.role == Role::Option(name))
    }

    /// How the option `name` was spelt.
    pub fn spelling(&self, name: Opt) -> String {
        match self.option(name) {
            Some(option) => self.spelling_of(option.row),
            None => name.name().to_owned(),
        }
    }

    /// How the option `row`, which was given, was spelt.
    pub fn spelling_of(&self, row: &OptionSpec) -> String {
        let long = format!("--{}", row.long);
        let before_value =
            |word: &&[u8]| word.split(|byte| *byte == b'=').next() == Some(long.as_bytes());
        match self.words.iter().any(before_value) {
            true => long,
            false => spelling(row),
        }
    }

    /// The value of the option `name`.
    pub fn value(&self, name: Opt) -> Option<Cow<'a, str>> {
        Some(String::from_utf8_lossy(self.option(name)?.value?))
    }

    /// The options that were given, by their names.
    pub fn given(&self) -> OptSet {
        self.options()
            .fold(OptSet::default(), |given, option| match option.row.role {
                Role::Option(name) => given.with(name),
                _ => given,
            })
    }

    /// Whether `command` takes all that was given.
    pub fn suits(&self, command: CommandName) -> bool {
        let Allowed { needs, may, one_of } = *allowed_with(command);
        let given = self.given();
        needs.is_subset(given) && given.is_subset(needs.union(may).union(one_of))
    }

    /// The service.
    pub fn service_key(&self) -> Option<ServiceKey> {
        if let Some(desired) = self.desired() {
            return Some(match *desired {
                Desired::Service(key, _)
                | Desired::Server(key, ..)
                | Desired::NoService(key)
                | Desired::NoServer(key, _) => key,
            });
        }
        Some(match self.action()? {
            Action::Change(change) => match change {
                Change::AddService(key, _)
                | Change::EditService(key, _)
                | Change::DeleteService(key)
                | Change::AddServer(key, ..)
                | Change::EditServer(key, ..)
                | Change::DeleteServer(key, _) => *key,
                Change::Zero(key) => (*key)?,
                _ => return None,
            },
            Action::Reach(_) => return None,
            Action::Drain(drain) => drain.service,
            Action::List(list, _) => match **list {
                List::Table { part, .. } => part.service?,
                _ => return None,
            },
            Action::Save(options) => options.part.service?,
        })
    }

    /// The real server, as the kernel was asked for it.
    pub fn server_key(&self) -> Option<ServerKey> {
        if let Some(desired) = self.desired() {
            return match *desired {
                Desired::Server(_, key, _) | Desired::NoServer(_, key) => Some(key),
                Desired::Service(..) | Desired::NoService(_) => None,
            };
        }
        Some(match self.action()? {
            Action::Change(
                Change::AddServer(_, key, _)
                | Change::EditServer(_, key, _)
                | Change::DeleteServer(_, key),
            ) => *key,
            Action::Drain(drain) => drain.server,
            _ => return None,
        })
    }

    /// What `--ensure` and `--keep` ask for.
    fn desired(&self) -> Option<&'a Desired> {
        match &self.meaning?.command {
            Command::Reach { desired, .. } | Command::Action(Action::Reach(desired)) => {
                Some(desired)
            }
            _ => None,
        }
    }

    fn action(&self) -> Option<&'a Action> {
        match &self.meaning?.command {
            Command::Action(action) => Some(action),
            _ => None,
        }
    }

    /// The port that was typed with the real server.
    pub fn server_port(&self) -> Option<u16> {
        self.meaning?.server_port
    }

    /// The network namespace that was named.
    pub fn netns(&self) -> Option<&'a OsStr> {
        let named = self.option(Opt::Netns).and_then(|option| option.value);
        named.map(OsStr::from_bytes)
    }

    /// What a command that is to be typed needs behind it to work in the same
    /// network namespace.
    pub fn in_netns(&self) -> String {
        match self.netns() {
            Some(netns) => format!(" --netns {}", shell::quoted(netns.as_bytes())),
            None => String::new(),
        }
    }
}

/// The host in an address as it was typed, ready for a port: in brackets where it
/// needs them.
pub fn host(typed: &str) -> Cow<'_, str> {
    match typed.rsplit_once(':') {
        Some((host, _)) if host.ends_with(']') || !host.contains(':') => host.into(),
        Some(_) => format!("[{typed}]").into(),
        None => typed.into(),
    }
}

/// The shorter spelling of `row`.
pub fn spelling(row: &OptionSpec) -> String {
    row.spellings().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_may_stand_behind_an_option_of_ours() {
        let words = ["--netns", "blue", "--start-daemon", "master"].map(str::as_bytes);
        let asked = Asked {
            words: &words,
            meaning: None,
        };
        assert_eq!(asked.command(), Some(CommandName::StartDaemon));
        let role = asked.command_option().and_then(|option| option.value);
        assert_eq!(role, Some(&b"master"[..]));
        assert_eq!(asked.in_netns(), " --netns blue");
    }
}
