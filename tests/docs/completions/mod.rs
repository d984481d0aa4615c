//! The completions for bash, zsh and fish, from the option table.
//!
//! The templates next to this file hold what depends on the shell; the rows of
//! the table are inserted into them. The result is in `completions/`
//! at the top; the tests next to this file check that it is up to date, and
//! rewrite it if `UPDATE_COMPLETIONS` is set.
//!
//! Services and real servers are those that `ipvsadm -Sn` prints at the moment
//! of completion. It is not asked while IPVS is not loaded: pressing a key must
//! not load a kernel module.

mod bash;
mod fish;
mod zsh;

pub use bash::bash;
pub use fish::fish;
pub use zsh::zsh;

use ipvs::SCHEDULERS;
use ipvsadm::cli::matrix::{CONNECTION_OPTIONS, allowed_with};
use ipvsadm::cli::options::{
    CommandName, OPTIONS, Opt, OptionSpec, Role, Section, Takes, TunnelType,
};
use ipvsadm::connections::{Key, STATES};
use ipvstop::command_line::{self, TopOption};

/// What can be offered as the value of an option.
enum Values {
    /// Only the user knows.
    Unknown,
    /// One of these words.
    Words(String),
    /// Some of these words, with commas between them.
    List(String),
    /// The virtual services that rules name with this option.
    Services(&'static str),
    /// The real servers of the virtual service on the line, or of all.
    Servers,
    /// The network interfaces.
    Interfaces,
    /// The network namespaces that have a name.
    Namespaces,
}

fn values(row: &OptionSpec) -> Values {
    match row.long {
        "start-daemon" | "stop-daemon" => Values::Words("master backup".into()),
        "tcp-service" => Values::Services("-t"),
        "udp-service" => Values::Services("-u"),
        "sctp-service" => Values::Services("--sctp-service"),
        "fwmark-service" => Values::Services("-f"),
        "scheduler" => Values::Words(SCHEDULERS.join(" ")),
        "sched-flags" => {
            Values::List("sh-fallback sh-port mh-fallback mh-port flag-1 flag-2 flag-3".into())
        }
        "without" => Values::List("persistent netmask pe ops sched-flags".into()),
        "pe" => Values::Words("sip".into()),
        "real-server" => Values::Servers,
        "state" => Values::List(STATES.join(" ")),
        "by" => Values::List(Key::ALL.map(Key::name).join(" ")),
        "tun-type" => Values::Words(TunnelType::ALL.map(TunnelType::name).join(" ")),
        "mcast-interface" => Values::Interfaces,
        "netns" => Values::Namespaces,
        _ => Values::Unknown,
    }
}

/// The rows that name a command.
fn commands() -> impl Iterator<Item = (&'static OptionSpec, CommandName)> {
    OPTIONS.iter().filter_map(|row| match row.role {
        Role::Command(command) => Some((row, command)),
        _ => None,
    })
}

/// The rows that `command` takes.
fn options(command: CommandName) -> impl Iterator<Item = &'static OptionSpec> {
    let allowed = allowed_with(command);
    OPTIONS.iter().filter(move |row| match row.role {
        Role::Option(option) => {
            let of_connections = command == CommandName::List;
            allowed.contains(option) || of_connections && CONNECTION_OPTIONS.contains(option)
        }
        Role::Ipv6 => allowed.contains(Opt::ServiceAddress),
        Role::Command(_) | Role::Ignored => false,
    })
}

/// The rows that some command takes, with the names of those commands.
fn options_with_commands() -> impl Iterator<Item = (&'static OptionSpec, Vec<&'static str>)> {
    let takers = |row: &'static OptionSpec| -> Vec<_> {
        let all = CommandName::ALL.iter().copied();
        let takers = all.filter(|command| options(*command).any(|other| other == row));
        takers.map(CommandName::name).collect()
    };
    OPTIONS
        .iter()
        .map(move |row| (row, takers(row)))
        .filter(|(_, commands)| !commands.is_empty())
}

/// `-t` and `--tcp-service`: how a row can be spelt.
fn spellings(row: &OptionSpec) -> Vec<String> {
    let short = row.short.map(|letter| format!("-{}", char::from(letter)));
    let long = (!row.long.is_empty()).then(|| format!("--{}", row.long));
    short.into_iter().chain(long).collect()
}

/// The options of ipvsadm-save or ipvsadm-restore, which is `command` under
/// another name and takes one spelling of each, but does not watch.
fn small_program(command: CommandName) -> impl Iterator<Item = (String, &'static OptionSpec)> {
    let rows = options(command).filter(|row| row.section != Section::WatchOptions);
    rows.filter_map(|row| Some((spellings(row).into_iter().next()?, row)))
}

/// The options of ipvstop, with their spellings and explanations.
fn top_options() -> impl Iterator<Item = ([String; 2], &'static TopOption)> {
    let options = command_line::OPTIONS.iter();
    options.map(|option| {
        let spellings = [format!("-{}", option.short), format!("--{}", option.long)];
        (spellings, option)
    })
}

/// The spellings of `command`'s options.
fn words(command: CommandName) -> String {
    let words: Vec<String> = options(command).flat_map(spellings).collect();
    words.join(" ")
}

/// For a case of the shell: the first words that name the command of `row`.
/// Other letters may follow a letter.
fn first_words(row: &OptionSpec) -> Vec<String> {
    let mut words = spellings(row);
    if row.short.is_some() {
        words[0].push('*');
    }
    words
}

/// The letters of the options that take a value: what follows such a letter in
/// its word is the value.
fn letters_with_value() -> String {
    let with_value = OPTIONS.iter().filter(|row| row.takes != Takes::Nothing);
    with_value
        .filter_map(|row| row.short)
        .map(char::from)
        .collect()
}
