//! The command line of ipvstop: one small table of options, read by clap.

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use ipvsadm::cli::UsageError;
use ipvsadm::cli::values::interval::{DEFAULT_INTERVAL, interval};
use ipvsadm::cli::values::{endpoint, figures};
use ipvsadm::names::Lookup;
use ipvsadm::render::visible;
use ipvsadm::selection::Selection;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// An option of ipvstop.
#[derive(Debug)]
pub struct TopOption {
    /// The short spelling, without its dash, if it has one.
    pub short: Option<char>,
    /// The long spelling, without its dashes.
    pub long: &'static str,
    /// The name of its value, if it takes one.
    pub value: Option<&'static str>,
    /// What it is for, in half a line.
    pub help: &'static str,
}

impl TopOption {
    /// How it can be spelt: `-b` and `--batch`.
    pub fn spellings(&self) -> Vec<String> {
        let short = self.short.map(|letter| format!("-{letter}"));
        let long = format!("--{}", self.long);
        short.into_iter().chain([long]).collect()
    }
}

const fn option(
    short: char,
    long: &'static str,
    value: Option<&'static str>,
    help: &'static str,
) -> TopOption {
    TopOption {
        short: if short == ' ' { None } else { Some(short) },
        long,
        value,
        help,
    }
}

/// All of them.
#[rustfmt::skip] // one line an option
pub const OPTIONS: [TopOption; 9] = [
    option('b', "batch", None, "print plain text instead of filling the screen"),
    option(' ', "hosts", None, "begin with hosts: real servers by address, over all services"),
    option(' ', "vip", Some("ADDRESS"), "only services at this address or network"),
    option('r', "real-server", Some("ADDRESS"), "only these real servers, and the services that have them"),
    option('d', "delay", Some("SECONDS"), "the time between two looks, fractions allowed; default 2"),
    option('n', "samples", Some("COUNT"), "exit after this many updates"),
    option('N', "netns", Some("NAMESPACE"), "a network namespace: a name as in ip netns, or a path"),
    option('h', "help", None, "print this"),
    option('V', "version", None, "print the version"),
];

/// What ipvstop is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Print a text.
    Print(String),
    /// Watch the table.
    Watch(Watch),
}

/// How to watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// As plain text.
    pub batch: bool,
    /// By host instead of by service.
    pub hosts: bool,
    /// This part of the table.
    pub part: Selection,
    /// The options that say so, as typed.
    pub selectors: String,
    /// The time between two looks.
    pub delay: Duration,
    /// How many looks, if not for ever.
    pub samples: Option<NonZeroU32>,
    /// In which network namespace, if not in its own.
    pub netns: Option<OsString>,
}

/// Reads the command line without the program's name; or a line about what is
/// wrong with it.
pub fn parse(words: &[&[u8]], lookup: &mut dyn Lookup) -> Result<Invocation, String> {
    let os_words = words.iter().map(|word| OsStr::from_bytes(word));
    let matches = definition().try_get_matches_from(os_words);
    let matches = matches.map_err(|error| wrong(&error, words))?;
    if matches.get_flag("help") {
        return Ok(Invocation::Print(help()));
    }
    if matches.get_flag("version") {
        let version = env!("CARGO_PKG_VERSION");
        return Ok(Invocation::Print(format!("ipvstop {version}\n")));
    }
    let typed = |name| {
        matches
            .get_one::<OsString>(name)
            .map(|word| word.as_bytes())
    };
    let part = part(typed("vip"), typed("real-server"), lookup);
    let selectors = [("--vip", typed("vip")), ("-r", typed("real-server"))];
    let selectors = selectors
        .into_iter()
        .filter_map(|(option, word)| Some(format!("{option} {}", visible(word?))));
    Ok(Invocation::Watch(Watch {
        part: part.map_err(|error| error.explained())?,
        selectors: selectors.collect::<Vec<_>>().join("  "),
        batch: matches.get_flag("batch"),
        hosts: matches.get_flag("hosts"),
        delay: *matches.get_one("delay").unwrap_or(&DEFAULT_INTERVAL),
        samples: matches.get_one("samples").copied(),
        netns: matches.get_one("netns").cloned(),
    }))
}

/// What `--vip` and `-r` select.
fn part(
    vip: Option<&[u8]>,
    server: Option<&[u8]>,
    lookup: &mut dyn Lookup,
) -> Result<Selection, UsageError> {
    Ok(Selection {
        vip: vip.map(|word| endpoint::vip(word, lookup)).transpose()?,
        server: server
            .map(|word| endpoint::real_server(word, None, lookup))
            .transpose()?,
        service: None,
    })
}

fn definition() -> Command {
    // Any bytes: clap does not say which words are not UTF-8.
    let any = OsStringValueParser::new;
    let arguments = OPTIONS.iter().map(|option| {
        let argument = Arg::new(option.long).short(option.short).long(option.long);
        match option.long {
            "delay" => argument
                .value_parser(any().try_map(delay))
                .allow_hyphen_values(true),
            "samples" => argument
                .value_parser(any().try_map(samples))
                .allow_hyphen_values(true),
            "netns" => argument
                .value_parser(any().try_map(namespace))
                .allow_hyphen_values(true),
            // Read later, with names.
            "vip" | "real-server" => argument.value_parser(any()).allow_hyphen_values(true),
            "version" => argument.action(ArgAction::SetTrue).short_alias('v'),
            _ => argument.action(ArgAction::SetTrue),
        }
    });
    Command::new("ipvstop")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(arguments)
}

/// A value that is refused, as it is shown.
#[derive(Debug)]
struct Refused(String);

impl Refused {
    fn value(word: &OsStr) -> Refused {
        Refused(visible(word.as_bytes()))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refused {}

fn delay(word: OsString) -> Result<Duration, Refused> {
    interval(word.as_bytes()).ok_or_else(|| Refused::value(&word))
}

fn samples(word: OsString) -> Result<NonZeroU32, Refused> {
    figures(word.as_bytes()).ok_or_else(|| Refused::value(&word))
}

fn namespace(word: OsString) -> Result<OsString, Refused> {
    if word.is_empty() {
        return Err(Refused::value(&word));
    }
    Ok(word)
}

/// What clap finds wrong with `words`.
fn wrong(error: &clap::Error, words: &[&[u8]]) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    // clap has lost the bytes that are not UTF-8.
    let argument = context(ContextKind::InvalidArg);
    let typed = words
        .iter()
        .find(|w| String::from_utf8_lossy(w) == argument);
    let shown = visible(typed.map_or(argument.as_bytes(), |word| word));
    let name = argument.split([' ', '=']).next().unwrap_or_default();
    match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(value)) => {
            format!("illegal value `{value}' for {name}")
        }
        (ErrorKind::InvalidValue, _) => format!("{name}: missing argument"),
        (ErrorKind::TooManyValues, _) => format!("{name}: option does not take an argument"),
        (ErrorKind::ArgumentConflict, _) => format!("{name}: given more than once"),
        _ if argument.is_empty() => "wrong command line".into(),
        _ if argument.starts_with('-') => format!("{shown}: unknown option"),
        _ => format!("unexpected argument {shown}"),
    }
}

/// The text of `-h`.
fn help() -> String {
    let mut text = String::from(
        "Show who is busy in the Linux Virtual Server, as top does for processes.\n\n\
         Usage: ipvstop [-b] [--hosts] [--vip ADDRESS] [-r ADDRESS]\n               [-d SECONDS] [-n COUNT] [-N NAMESPACE]\n\n",
    );
    for option in &OPTIONS {
        let value = option.value.map(|value| format!(" {value}"));
        let value = value.unwrap_or_default();
        let spelling = option.spellings().join(", ") + &value;
        text.push_str(&format!("  {spelling:<29} {}\n", option.help));
    }
    text.push_str("\nWhile it runs, ? explains the keys. See ipvstop(8).\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipvsadm::names::NoLookup;

    fn read(line: &str) -> Result<Invocation, String> {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        parse(&words, &mut NoLookup)
    }

    fn watch(batch: bool, millis: u64, samples: u32) -> Result<Invocation, String> {
        Ok(Invocation::Watch(Watch {
            batch,
            hosts: false,
            part: Selection::default(),
            selectors: String::new(),
            delay: Duration::from_millis(millis),
            samples: NonZeroU32::new(samples),
            netns: None,
        }))
    }

    #[test]
    fn options_as_elsewhere() {
        assert_eq!(read(""), watch(false, 2000, 0));
        assert_eq!(read("-bn3"), watch(true, 2000, 3));
        assert_eq!(read("-b -n 3 -d .5"), watch(true, 500, 3));
        assert_eq!(
            read("--delay=1.25 --samples 1 --batch"),
            watch(true, 1250, 1)
        );
        let Ok(Invocation::Watch(watch)) = read("-bN /proc/1/ns/net --hosts") else {
            panic!("-N takes a path");
        };
        assert_eq!(watch.netns, Some("/proc/1/ns/net".into()));
        assert!(watch.hosts);
        let Ok(Invocation::Watch(watch)) = read("--vip 10.0.0.1:80 -r10.0.0.0/8") else {
            panic!("--vip takes an address, -r a network");
        };
        assert!(watch.part.vip.is_some() && watch.part.server.is_some());
        assert_eq!(watch.selectors, "--vip 10.0.0.1:80  -r 10.0.0.0/8");
        for line in ["-h", "--help", "-V", "-v", "--version", "-b -h"] {
            assert!(matches!(read(line), Ok(Invocation::Print(_))), "{line}");
        }
    }

    #[test]
    fn one_line_says_what_is_wrong() {
        for (line, said) in [
            ("-d 0", "illegal value `0' for --delay"),
            ("-d -1", "illegal value `-1' for --delay"),
            ("--delay=NaN", "illegal value `NaN' for --delay"),
            ("-n x", "illegal value `x' for --samples"),
            ("-n 0", "illegal value `0' for --samples"),
            ("-n -1", "illegal value `-1' for --samples"),
            ("-N", "--netns: missing argument"),
            ("-d", "--delay: missing argument"),
            ("--batch=1", "--batch: option does not take an argument"),
            ("-b -b", "--batch: given more than once"),
            ("-Q", "-Q: unknown option"),
            ("--nosuch", "--nosuch: unknown option"),
            ("foo", "unexpected argument foo"),
            ("--vip", "--vip: missing argument"),
            (
                "--vip=",
                "illegal virtual IP address[/length][:port] specified: the value is empty",
            ),
            (
                "-r nosuchhost",
                "illegal real server address[:port] specified: nosuchhost: the name has no address",
            ),
            (
                "-r 10.0.0.9/33",
                "the prefix of `10.0.0.9/33' is longer than an address",
            ),
            (
                "--vip 10.0.0.9/8",
                "`10.0.0.9/8' has bits behind its length: the network is 10.0.0.0/8",
            ),
            (
                "-r 10.0.0.1 -r 10.0.0.2",
                "--real-server: given more than once",
            ),
        ] {
            assert_eq!(read(line), Err(said.to_owned()), "{line}");
        }
        let said = "illegal value `\\xff' for --delay";
        assert_eq!(
            parse(&[b"-d", b"\xff"], &mut NoLookup),
            Err(said.to_owned())
        );
        let said = "unexpected argument \\xff\\u{1b}[2J";
        assert_eq!(
            parse(&[b"\xff\x1b[2J"], &mut NoLookup),
            Err(said.to_owned())
        );
        let said = "--n\\u{a0}: unknown option";
        assert_eq!(
            parse(&["--n\u{a0}".as_bytes()], &mut NoLookup),
            Err(said.to_owned())
        );
    }

    #[test]
    fn numbers_beyond_their_range_are_refused() {
        for value in [
            "99999999999999999999",
            "4294967296",
            "-1",
            "",
            "0",
            "1e3",
            "5x",
            " 5",
            "5 ",
            "+5",
            "0x5",
            "\u{663}",
        ] {
            let said = format!("illegal value `{value}' for --samples");
            assert_eq!(
                parse(&[b"-n", value.as_bytes()], &mut NoLookup),
                Err(said),
                "{value:?}"
            );
        }
        for value in [
            "99999999999999999999",
            "-1",
            "",
            "0",
            "1e3",
            "5x",
            " 5",
            "+5",
            "inf",
        ] {
            let said = format!("illegal value `{value}' for --delay");
            assert_eq!(
                parse(&[b"-d", value.as_bytes()], &mut NoLookup),
                Err(said),
                "{value:?}"
            );
        }
        assert_eq!(read("-n 4294967295"), watch(false, 2000, u32::MAX));
    }
}
