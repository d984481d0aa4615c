//! The completions for bash, zsh and fish, from the option table.
//!
//! The templates next to this file hold what depends on the shell; the rows of
//! the table are inserted into them. The result is in `completions/`
//! at the top; the tests next to this file check that it is up to date, and
//! rewrite it if `UPDATE_DOCS` is set.
//!
//! Services, real servers and their addresses are those that `ipvsadm -Sn` prints at the moment
//! of completion. It is not asked while IPVS is not loaded: pressing a key must
//! not load a kernel module.

mod bash;
mod fish;
mod zsh;

pub use bash::bash;
pub use fish::fish;
pub use zsh::zsh;

use ipvsadm::cli::opt::CommandName;
use ipvsadm::cli::options::{OPTIONS, OptionSpec, Role, Section, Takes, Values};
use ipvstop::command_line::{self, TopOption};

/// What can be offered as the value of an option.
fn values(row: &OptionSpec) -> Values {
    match row.takes {
        Takes::Value(_, values, _) => values,
        _ => Values::Any,
    }
}

/// `-t`: the option that names a service of this kind in rules.
fn kind(row: &OptionSpec) -> String {
    row.spellings().next().unwrap_or_default()
}

/// The rows that name a command.
fn commands() -> impl Iterator<Item = (&'static OptionSpec, CommandName)> {
    OPTIONS.iter().filter_map(|row| match row.role {
        Role::Command(command) => Some((row, command)),
        _ => None,
    })
}

/// The options that `command` takes.
fn options(command: CommandName) -> impl Iterator<Item = &'static OptionSpec> {
    OPTIONS.iter().filter(move |row| row.is_taken_by(command))
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

/// The options of ipvsadm-save or ipvsadm-restore, which is `command` under
/// another name and takes one spelling of each, but selects no part of the table
/// and does not watch.
fn small_program(command: CommandName) -> impl Iterator<Item = (String, &'static OptionSpec)> {
    let rows = options(command).filter(|row| {
        matches!(row.section, Section::SaveOptions | Section::AnyOptions) || row.long == "numeric"
    });
    rows.filter_map(|row| Some((row.spellings().next()?, row)))
}

/// The options of ipvstop, with their spellings and explanations.
fn top_options() -> impl Iterator<Item = (Vec<String>, &'static TopOption)> {
    let options = command_line::OPTIONS.iter();
    options.map(|option| (option.spellings(), option))
}

/// The spellings of `command`'s options.
fn words(command: CommandName) -> String {
    let words: Vec<String> = options(command).flat_map(OptionSpec::spellings).collect();
    words.join(" ")
}

/// For a case of the shell: the first words that name the command of `row`.
/// Other letters may follow a letter.
fn first_words(row: &OptionSpec) -> Vec<String> {
    let mut words: Vec<String> = row.spellings().collect();
    if row.short.is_some() {
        words[0].push('*');
    }
    words
}

/// The letters of the options that take a value: what follows such a letter in
/// its word is the value.
fn letters_with_value() -> String {
    let with_value = OPTIONS.iter().filter(|row| row.takes_value());
    with_value
        .filter_map(|row| row.short)
        .map(char::from)
        .collect()
}
