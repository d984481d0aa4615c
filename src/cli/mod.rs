//! From words to an [`Invocation`], or to an [`Action`] for a line of rules.
//!
//! In three steps: words become options in the order typed; the option table
//! reads their values into `args`; and these, checked together, become a
//! [`Command`], which can hold only what is legal. Only host and service names
//! are looked up on the way, through [`Lookup`], since errors are reported from
//! left to right.
//!
//! Two readers split words into options: [`argv`] is clap, for command lines;
//! [`popt`] has the grammar of C ipvsadm, for lines of rules and for what clap
//! refuses. From the bottom up:
//!
//! * [`opt`] names commands and options, [`matrix`] says which go together
//! * [`values`] reads single values, [`patch`] applies options to a configuration
//! * [`options`] is the option table, which fills `args`
//! * [`popt`] and [`argv`] read words, [`help`] explains them
//! * `command` says what all of it means
//!
//! This module must not know the kernel, nor how output looks.

mod args;
pub mod argv;
mod command;
mod error;
pub mod help;
pub mod matrix;
pub mod near;
pub mod opt;
pub mod options;
pub mod patch;
pub mod popt;
pub mod save_restore;
pub mod values;

pub use command::{
    Action, Check, Command, Drain, Format, Hosts, Invocation, Limit, List, Restore, Save,
    ServerEdit, Watch, Watched,
};
pub use error::{Context, UsageError};

use crate::names::Lookup;
use args::Args;
use opt::{CommandName, Opt};
use options::Role;
use popt::{Lexer, Occurrence, Token};
use std::ffi::OsString;

/// Reads the command line `words` of a program called `program`. With `posix`,
/// options end at the first word that is not one.
pub fn parse<'a>(
    program: &'a [u8],
    words: &[&[u8]],
    posix: bool,
    lookup: &mut dyn Lookup,
) -> Result<Invocation<'a>, UsageError> {
    let meaning = parse_words(words, posix, lookup).map_err(|wrong| match wrong {
        Wrong::NoCommand(_) => UsageError::NoCommand(program.into()),
        Wrong::Other(error) => error,
    })?;
    Ok(Invocation {
        program,
        netns: meaning.netns,
        server_port: meaning.server_port,
        command: meaning.command,
    })
}

/// What a command line means, whatever program was called with it.
struct Meaning {
    netns: Option<OsString>,
    server_port: Option<u16>,
    command: Command,
}

impl From<Command> for Meaning {
    fn from(command: Command) -> Meaning {
        Meaning {
            netns: None,
            server_port: None,
            command,
        }
    }
}

fn parse_words(words: &[&[u8]], posix: bool, lookup: &mut dyn Lookup) -> Result<Meaning, Wrong> {
    if words.is_empty() {
        return Ok(Args::default().command(lookup)?.into());
    }
    match argv::read(words, posix) {
        Some(reading) => interpret(reading.tokens().map(Ok), lookup),
        None => interpret(Lexer::new(words, posix), lookup),
    }
}

/// Reads the words of one line of rules.
pub fn parse_line(words: &[&[u8]], lookup: &mut dyn Lookup) -> Result<Action, UsageError> {
    let first = words.first().copied().unwrap_or_default();
    let meaning = interpret(Lexer::new(words, false), lookup).map_err(|wrong| match wrong {
        Wrong::NoCommand(None) => UsageError::NoCommandInRule(first.into()),
        Wrong::NoCommand(Some(error)) | Wrong::Other(error) => error,
    })?;
    match meaning.command {
        Command::Action(_) if meaning.netns.is_some() => {
            Err(UsageError::OptionNotInRules(Opt::Netns))
        }
        Command::Action(action) => Ok(action),
        Command::Hosts(Hosts { part, .. }) => Err(UsageError::OptionNotInRules(match part.vip {
            Some(_) => Opt::Vip,
            None => Opt::All,
        })),
        Command::Reach { dry_run, .. } => Err(UsageError::OptionNotInRules(match dry_run {
            true => Opt::DryRun,
            false => Opt::Json,
        })),
        Command::Watch(_) => Err(UsageError::OptionNotInRules(Opt::Watch)),
        Command::Restore(_) => Err(UsageError::NotInRules(CommandName::Restore)),
        Command::Check { check, .. } => Err(UsageError::NotInRules(check.name())),
        Command::Help => Err(UsageError::NotInRules(CommandName::Help)),
        Command::Version => Err(UsageError::NotInRules(CommandName::Version)),
    }
}

/// What is wrong with a command line.
enum Wrong {
    /// Its first option, but for those of ours that the command takes, is not a
    /// command. For a command line the message is how to
    /// get help; for a rule it names the first word, or is the error found there.
    NoCommand(Option<UsageError>),
    /// Anything else.
    Other(UsageError),
}

impl From<UsageError> for Wrong {
    fn from(error: UsageError) -> Wrong {
        Wrong::Other(error)
    }
}

fn interpret<'a>(
    tokens: impl Iterator<Item = Result<Token<'a>, UsageError>>,
    lookup: &mut dyn Lookup,
) -> Result<Meaning, Wrong> {
    let mut args: Option<Args> = None;
    let (mut words_before, mut options_before) = (Vec::new(), Vec::new());
    for token in tokens {
        match (token, &mut args) {
            (Ok(Token::Word(word)), None) => words_before.push(word),
            // C ipvsadm refuses whatever stands there.
            (Ok(Token::Option(option)), None) if option.row.may_come_first() => {
                options_before.push(option);
            }
            (Ok(Token::Option(first)), None) => match first.row.role {
                // Whatever follows is ignored, errors included.
                Role::Command(CommandName::Help) => return Ok(Command::Help.into()),
                Role::Command(CommandName::Version) => return Ok(Command::Version.into()),
                Role::Command(command) => {
                    let args = args.insert(Args::new(command));
                    for option in options_before.drain(..) {
                        if !option.row.is_known_to(command) {
                            return Err(Wrong::NoCommand(None));
                        }
                        take(args, &option, lookup)?;
                    }
                    first.row.read(args, first.value, lookup)?;
                }
                _ => return Err(Wrong::NoCommand(None)),
            },
            (Err(error), None) => return Err(Wrong::NoCommand(Some(error))),
            (Ok(Token::Word(word)), Some(args)) => args.words.push(word),
            (Ok(Token::Option(option)), Some(args)) => {
                let taken = take(args, &option, lookup);
                taken.map_err(|error| args.first_error(error))?;
            }
            (Err(error), Some(args)) => return Err(args.first_error(error).into()),
        }
    }
    let Some(mut args) = args else {
        return Err(Wrong::NoCommand(None));
    };
    args.words.splice(0..0, words_before);
    Ok(Meaning {
        netns: args.netns.take(),
        server_port: args.server_port,
        command: args.command(lookup)?,
    })
}

/// Takes an option after the command.
fn take<'a>(
    args: &mut Args<'a>,
    option: &Occurrence<'a>,
    lookup: &mut dyn Lookup,
) -> Result<(), UsageError> {
    match option.row.role {
        Role::Command(_) => return Err(UsageError::SecondCommand(option.word.into())),
        Role::Option(name) if !args.given.insert(name) && !option.row.repeats => {
            return Err(UsageError::RepeatedOption(name));
        }
        Role::Option(_) | Role::Unchecked => {}
    }
    option.row.read(args, option.value, lookup)
}

#[cfg(test)]
mod tests {
    use super::options::{OPTIONS, Section, Takes};
    use super::*;
    use crate::names::NoLookup;

    fn said(line: &str) -> String {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        match parse(b"ipvsadm", &words, false, &mut NoLookup) {
            Ok(invocation) => format!("{:?}", invocation.command),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn hosts_in_all_services_may_be_in_brackets() {
        let bare = said("-d --all -r 2001:db8::11");
        assert!(bare.contains("Hosts"), "{bare}");
        let illegal = "illegal real server address[:port] specified";
        for (line, wanted) in [
            ("-d --all -r [2001:db8::11]", bare.as_str()),
            ("-d -r [2001:db8::11] --all", &bare),
            ("-d --all -r [2001:db8::11]x", illegal),
            ("-d --all -r [10.0.0.11]", illegal),
            ("-d --all -r [2001:db8::]/32", illegal),
            // C ipvsadm refuses them.
            ("-d -r [2001:db8::11] -Q", illegal),
            ("-d -t [2001:db8::1]:80 -r [2001:db8::11]", illegal),
            ("-a -t [2001:db8::1]:80 -r [2001:db8::11]", illegal),
        ] {
            assert_eq!(said(line), wanted, "{line}");
        }
        let kept = |host| said(&format!("-e --all -r {host} --keep -w 0"));
        assert_eq!(kept("[2001:db8::11]"), kept("2001:db8::11"));
    }

    #[test]
    fn errors_come_in_the_order_of_the_checks() {
        for (line, error) in [
            (
                "-n -L",
                "Try `ipvsadm -h' or 'ipvsadm --help' for more information.",
            ),
            ("-L -w x -Q", "illegal weight specified"),
            ("-L -Q -w x", "-Q: unknown option"),
            ("-AD -t 10.0.0.1:80", "invalid option `-AD'"),
            ("-A --start-daemon master", "invalid option `master'"),
            ("--set 1 2", "--set option requires 3 timeout values"),
            ("--set 1 2 3 4", "unexpected argument 4"),
            ("--set x 2 3 4", "invalid timeout value `x' specified"),
            ("foo -L", "unexpected argument foo"),
            ("-L -b nosuch", "invalid scheduler flag `nosuch'"),
            ("-C -n", "Illegal 'numeric' option with the 'flush' command"),
            (
                "-A -t 10.0.0.1",
                "Zero port specified for non-persistent service",
            ),
            (
                "-A -t 10.0.0.1:80 -o",
                "One-Packet Scheduling is only for UDP virtual services",
            ),
            ("-S --watch 0", "invalid interval `0' specified"),
            (
                "-L --openmetrics --watch",
                "The option 'watch' conflicts with the 'openmetrics' option in the 'list' command",
            ),
            (
                "-S --samples 3",
                "The option 'samples' needs the 'watch' option",
            ),
            ("-L -c --stats", "options conflicts in the list command"),
            ("-L -c --stats -j", "options conflicts in the list command"),
            ("-Lj --json", "multiple 'json' options specified"),
            ("-S --openmetrics", "--openmetrics: unknown option"),
            ("-L --openmetrics=", "illegal metrics style specified"),
            ("-L --openmetrics nodes", "illegal metrics style specified"),
            (
                "-L --openmetrics --openmetrics",
                "multiple 'openmetrics' options specified",
            ),
            (
                "-Lj --openmetrics",
                "The option 'openmetrics' conflicts with the 'json' option in the 'list' command",
            ),
            (
                "-L --openmetrics -c",
                "The option 'openmetrics' conflicts with the 'connection' option in the 'list' command",
            ),
            ("-L -c --origin remote", "illegal origin specified"),
            (
                "-L -c --by origin --persistent-conn",
                "The option 'origin' conflicts with the 'persistent-conn' option in the 'list' command",
            ),
            (
                "-L --origin local",
                "Illegal 'origin' option with the 'list' command",
            ),
            ("--check --ignore", "--ignore: missing argument"),
            (
                "--check --ignore no-weight --ignore weight",
                "no finding is called `weight'",
            ),
            ("-L --ignore no-weight", "--ignore: unknown option"),
            ("-S --json", "--json: unknown option"),
            ("-S --json=1", "--json=1: unknown option"),
            ("-Cj", "-Cj: unknown option"),
            ("-Z -nj -w x", "-nj: unknown option"),
            ("-Z -w x -j", "illegal weight specified"),
            ("-C --watch 5", "--watch: unknown option"),
            ("-L --check", "--check: unknown option"),
            ("-L --all -w x", "--all: unknown option"),
            (
                "-L --timeout -r 10.0.0.2",
                "Illegal 'real-server' option with the 'list' command",
            ),
            (
                "-L --vip 10.0.0.1 -t 10.0.0.1:80",
                "The option 'vip' conflicts with the 'service-address' option in the 'list' command",
            ),
            (
                "-S --vip 10.0.0.1 --all",
                "The option 'vip' conflicts with the 'all' option in the 'save' command",
            ),
            (
                "-L --vip=",
                "illegal virtual IP address[/length][:port] specified",
            ),
            ("-Z --vip 10.0.0.1", "--vip: unknown option"),
            (
                "-L --client ::1",
                "Illegal 'client' option with the 'list' command",
            ),
            (
                "-L -c -w 5 -r 10.0.0.2",
                "Illegal 'real-server' option with the 'list' command",
            ),
            (
                "-L -c -t 10.0.0.1:80 --timeout",
                "The option 'service-address' conflicts with the 'connection' option in the 'list' command",
            ),
            (
                "-L -c -f 1",
                "the kernel's table of connections does not record firewall marks",
            ),
            ("-L -c --by", "--by: missing argument"),
            ("-L -c --top 3", "The option 'top' needs the 'by' option"),
            ("-L -c --by state --top 0", "illegal top specified"),
            ("-L -c --by state --top x", "illegal top specified"),
            (
                "-L -c -t 10.0.0.1:80 --client ::1",
                "--client and the service are of different address families",
            ),
            (
                "-L -c -t 10.0.0.1:80 --by client/64",
                "the prefix of `client/64' is longer than an address",
            ),
            (
                "-A -t 10.0.0.1:80 -u 10.0.0.1:80",
                "multiple 'service-address' options specified",
            ),
            ("-A -6 -f 1", "-6 must follow -f\n"),
            ("--stop-daemon bad", "illegal start_daemon specified"),
            (
                "--start-daemon bad",
                "illegal start-daemon parameter specified",
            ),
            (
                "-a -t 10.0.0.1:80 -r ::1",
                "Different address family is allowed only for tunneling servers",
            ),
            (
                "-a -t 10.0.0.1:80 -r 10.0.0.2 --tun-type gue",
                "Tunnel options conflict with forward method",
            ),
        ] {
            assert_eq!(said(line), error, "{line}");
        }
    }

    #[test]
    fn findings_to_ignore_add_up() {
        let line = "--check --ignore no-weight --ignore all-full@fwmark:7,no-weight";
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let read = parse(b"ipvsadm", &words, false, &mut NoLookup).unwrap();
        let Command::Check { ignore, .. } = read.command else {
            panic!("{:?}", read.command);
        };
        let ignore: Vec<String> = ignore.iter().map(ToString::to_string).collect();
        assert_eq!(ignore, ["no-weight", "all-full@fwmark:7", "no-weight"]);
    }

    #[test]
    fn options_of_ours_may_stand_before_the_command() {
        let said = |line: &str| {
            let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
            [false, true].map(
                |posix| match parse(b"ipvsadm", &words, posix, &mut NoLookup) {
                    Ok(Invocation { netns, command, .. }) => format!("{netns:?} {command:?}"),
                    Err(error) => error.to_string(),
                },
            )
        };
        for (before, behind) in [
            ("--netns a -Ln", "-Ln --netns a"),
            ("--netns=a -L -n", "-L --netns=a -n"),
            (
                "--netns a -A -t 10.0.0.1:80 -s rr",
                "-A -t 10.0.0.1:80 -s rr --netns a",
            ),
            (
                "--netns a --start-daemon master",
                "--start-daemon master --netns a",
            ),
            ("--watch 5 --json -L", "-L --watch 5 --json"),
            ("-jL", "-Lj"),
            ("-j -L", "-L -j"),
            (
                "--drain -d -t 10.0.0.1:80 -r 10.0.0.2",
                "-d -t 10.0.0.1:80 -r 10.0.0.2 --drain",
            ),
            (
                "--drain -1 -d -t 10.0.0.1:80 -r 10.0.0.2",
                "-d -t 10.0.0.1:80 -r 10.0.0.2 --drain -1",
            ),
            ("--replace --netns a -R", "-R --replace --netns a"),
            ("--netns a -L --netns b", "-L --netns a --netns b"),
            ("--netns a -L -C", "-L --netns a -C"),
            ("--netns a -L -w x", "-L --netns a -w x"),
            ("--netns a -h", "-h"),
            ("x --netns a -L", "x -L --netns a"),
        ] {
            assert_eq!(said(before), said(behind), "{before}");
        }
        let no_command = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.";
        for line in [
            "--netns a",
            "--netns",
            "--netns a -n -L",
            "-n --netns a -L",
            "-t 10.0.0.1:80 --netns a -L",
            "--netns -L",
            "--netns a --sort -L",
            "--netns a -6 -L",
            "--netns a -Q -L",
            "--netns a -- -L",
            // They go with other commands.
            "--json -C",
            "--watch 5 -A -t 10.0.0.1:80",
            "-jC",
        ] {
            assert_eq!(said(line), [no_command; 2], "{line}");
        }
        // A line of rules is a command of the run that reads it.
        let rule = |line: &str| {
            let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
            parse_line(&words, &mut NoLookup).map_err(|error| error.to_string())
        };
        assert_eq!(
            rule("--netns a -C"),
            Err("the 'netns' option is not allowed in rules".into())
        );
        // Behind the words of --set it would be one of them with POSIXLY_CORRECT.
        assert!(said("--netns a --set 1 2 3")[1].starts_with("Some(\"a\")"));
        assert_eq!(rule("--json -C"), Err("no command in `--json'".into()));
        assert_eq!(rule("--ensure -A -f 1"), rule("-A -f 1 --ensure"),);
    }

    #[test]
    fn a_mask_counts_wherever_it_stands() {
        for line in [
            "-A -t [2001:db8::1]:80 -p -M 64",
            "-A -M 64 -t [2001:db8::1]:80 -p",
            "-A -p -f 1 -M 64 -6",
        ] {
            assert!(
                said(line).contains("netmask: V6(64)"),
                "{line}: {}",
                said(line)
            );
        }
        for line in [
            "-A -M 255.255.255.0 -t [2001:db8::1]:80 -p",
            "-A -f 1 -6 -p -M x",
        ] {
            assert_eq!(said(line), "illegal ipv6 netmask specified", "{line}");
        }
    }

    #[test]
    fn ports_follow_the_service() {
        for (line, port) in [
            (
                "-a -t 10.0.0.1:80 -r 10.0.0.2 -m",
                "port: 80 }, ServerConfig",
            ),
            (
                "-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m",
                "port: 8080 }, ServerConfig",
            ),
            (
                "-a -t 10.0.0.1:80 -r 10.0.0.2:8080",
                "port: 80 }, ServerConfig",
            ),
            (
                "-a -r 10.0.0.2 -t 10.0.0.1:80 -m",
                "port: 0 }, ServerConfig",
            ),
            ("-a -f 1 -r 10.0.0.2:8080", "port: 8080 }, ServerConfig"),
            ("-d -t 10.0.0.1:80 -r 10.0.0.2:8080", "port: 8080 })"),
        ] {
            assert!(said(line).contains(port), "{line}: {}", said(line));
        }
    }

    /// What an option gets as its value below.
    fn value(name: &str) -> &str {
        match name {
            "ADDRESS" => "10.0.0.9",
            "MASK" => "255.255.0.0",
            "SCHEDULER" => "rr",
            "ENGINE" => "sip",
            "FLAGS" => "flag-1",
            "TYPE" => "gre",
            "INTERFACE" => "eth9",
            "CLIENT" => "10.9.0.0/16",
            "STATES" => "udp",
            "ORIGINS" => "sync",
            "KEYS" => "client",
            "FINDINGS" => "no-weight",
            "NAMES" => "ops",
            "STYLE" => "node",
            "NAMESPACE" => "blue",
            _ => "7",
        }
    }

    /// An option whose field nobody reads would be accepted and ignored.
    #[test]
    fn no_option_is_ignored_by_a_command_that_takes_it() {
        let has_no_effect = |command: CommandName, line: &str, option: &str| match command {
            // As with C ipvsadm.
            CommandName::List if option == "syncid" => true,
            CommandName::List if line.contains("-c") => {
                ["nosort", "exact", "tun-info"].contains(&option)
            }
            // These show numbers anyway.
            CommandName::Check | CommandName::CheckRealServer if option == "numeric" => true,
            CommandName::Save if line.contains("--watch") && option == "numeric" => true,
            // The defaults.
            _ => ["gatewaying", "tun-nocsum"].contains(&option),
        };
        // A line that is refused shows nothing: the option's value may be wrong.
        let (mut tried, mut effective) = (Vec::new(), Vec::new());
        for (line, command) in [
            ("-A -u 10.0.0.1:53", CommandName::AddService),
            ("-E -u 10.0.0.1:53", CommandName::EditService),
            ("-E -u 10.0.0.1:53 --keep", CommandName::EditService),
            ("-D -t 10.0.0.1:80", CommandName::DeleteService),
            ("-C", CommandName::Flush),
            ("-L", CommandName::List),
            ("-L -c", CommandName::List),
            ("-L -c --by state", CommandName::List),
            ("-L --watch", CommandName::List),
            ("-a -t 10.0.0.1:80 -r 10.0.0.2", CommandName::AddServer),
            (
                "-a -f 1 -r 10.0.0.2 -i --tun-type gre",
                CommandName::AddServer,
            ),
            ("-a -f 1 -r 10.0.0.2 -i", CommandName::AddServer),
            (
                "-a -f 1 -r 10.0.0.2 -i --tun-type gue",
                CommandName::AddServer,
            ),
            (
                "-a -f 1 -r 10.0.0.2 -i --tun-type gue --tun-port 5",
                CommandName::AddServer,
            ),
            ("-a -f 1 -r 10.0.0.2 --ensure", CommandName::AddServer),
            ("-A -f 1 --ensure", CommandName::AddService),
            ("-A -f 1 --ensure --keep", CommandName::AddService),
            ("--check-real-server -f 1 -i", CommandName::CheckRealServer),
            (
                "--check-real-server -f 1 -i --tun-type gue",
                CommandName::CheckRealServer,
            ),
            (
                "--check-real-server -f 1 -i --tun-type gue --tun-port 5",
                CommandName::CheckRealServer,
            ),
            ("-e -t 10.0.0.1:80 -r 10.0.0.2", CommandName::EditServer),
            (
                "-e -t 10.0.0.1:80 -r 10.0.0.2 --keep",
                CommandName::EditServer,
            ),
            ("-e -r 10.0.0.2 --keep", CommandName::EditServer),
            ("-e --all -r 10.0.0.2 --keep", CommandName::EditServer),
            ("-e --all -r 10.0.0.2 --keep -w 0", CommandName::EditServer),
            ("-d -t 10.0.0.1:80 -r 10.0.0.2", CommandName::DeleteServer),
            ("-d -r 10.0.0.2", CommandName::DeleteServer),
            ("-d --all -r 10.0.0.2", CommandName::DeleteServer),
            ("--set 1 2 3", CommandName::Set),
            ("--start-daemon master", CommandName::StartDaemon),
            ("--stop-daemon master", CommandName::StopDaemon),
            ("-D -f 1 --ensure", CommandName::DeleteService),
            ("-R", CommandName::Restore),
            ("-R --replace", CommandName::Restore),
            ("-S", CommandName::Save),
            ("-S --watch", CommandName::Save),
            ("--check", CommandName::Check),
            (
                "--check-real-server -t 10.0.0.1:80",
                CommandName::CheckRealServer,
            ),
            ("-Z", CommandName::Zero),
        ] {
            let read = |line: &str| {
                let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
                format!("{:?}", parse(b"ipvsadm", &words, false, &mut NoLookup))
            };
            for row in OPTIONS.iter().filter(|row| row.is_taken_by(command)) {
                if has_no_effect(command, line, row.long) {
                    continue;
                }
                let option = match row.takes {
                    Takes::Value(..) if row.long == "mcast-group" => {
                        "--mcast-group 224.0.0.9".into()
                    }
                    Takes::Value(name, ..) | Takes::Optional(name, ..) => {
                        format!("--{} {}", row.long, value(name))
                    }
                    Takes::Nothing(_) | Takes::Words(_) => format!("--{}", row.long),
                };
                let (without, with) = (read(line), read(&format!("{line} {option}")));
                let ignored = with == without && with.starts_with("Ok");
                assert!(!ignored, "{line} {option}: ignored");
                // These stand on most lines already.
                if row.section != Section::Services && row.long != "real-server" {
                    tried.push((command, row.long));
                }
                if with.starts_with("Ok") {
                    effective.push((command, row.long));
                }
            }
        }
        tried.retain(|tried| !effective.contains(tried));
        assert_eq!(tried, [], "has no effect");
    }
}
