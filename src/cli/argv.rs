//! clap's side of the command line: its definition, made from the option table,
//! and how it reads argv.
//!
//! clap reads argv. What it refuses goes to [`popt`](super::popt), which reports
//! errors from left to right in C ipvsadm's words, and accepts the rare spellings
//! that only popt knows. Lines of `-R` go straight there: fifty thousand of them
//! must not each pay for clap. So popt alone would do; clap is here because its
//! definition is checked by `debug_assert`, and because two independent readers
//! that must agree (a test and a fuzz target compare them) catch each other's
//! mistakes.
//!
//! clap spends most of its time on building its definition, in each run: it is
//! given only the options that can occur in the words at hand.

use super::opt::CommandName;
use super::options::{OPTIONS, OptionSpec, Role, Takes};
use super::popt::{Lexer, Occurrence, Token};
use clap::builder::OsStringValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const WORDS: &str = "words";
const COMMANDS: &str = "commands";

/// Stands for a value that was left out, so that its option has a place among the
/// others. No word of a command line can hold a NUL.
const ABSENT: &str = "\0";

fn definition_of(rows: impl Iterator<Item = &'static OptionSpec> + Clone) -> Command {
    let commands = rows.clone().filter(|row| is_command(row)).map(id);
    Command::new("ipvsadm")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(rows.map(argument))
        .arg(
            Arg::new(WORDS)
                .num_args(0..)
                .value_parser(OsStringValueParser::new()),
        )
        .group(ArgGroup::new(COMMANDS).args(commands).required(true))
}

fn is_command(row: &OptionSpec) -> bool {
    matches!(row.role, Role::Command(_))
}

/// What clap knows a row by: its long spelling, or the short one where that is
/// the only one.
fn id(row: &OptionSpec) -> &'static str {
    match row.long {
        "" => "l",
        long => long,
    }
}

fn argument(row: &OptionSpec) -> Arg {
    let arg = Arg::new(id(row));
    let arg = match row.short {
        Some(letter) => arg.short(char::from(letter)),
        None => arg,
    };
    let arg = match row.long {
        "" => arg,
        long => arg.long(long),
    };
    let with_value = |arg: Arg| {
        arg.action(ArgAction::Set)
            .value_parser(OsStringValueParser::new())
    };
    match row.takes {
        Takes::Nothing(_) | Takes::Words(_) => arg.action(ArgAction::SetTrue),
        Takes::Value(..) => with_value(arg).allow_hyphen_values(true),
        Takes::Optional(..) => with_value(arg)
            .num_args(0..=1)
            .default_missing_value(ABSENT),
    }
}

/// What clap has read.
pub struct Matches {
    matches: ArgMatches,
    /// The rows that clap knew.
    rows: Vec<&'static OptionSpec>,
}

/// Reads `words` (without the program's name) with clap; `None` leaves them to
/// popt: what clap refuses, and the few lines that the two would read differently.
/// `posix` as for [`parse`](super::parse).
pub fn read(words: &[&[u8]], posix: bool) -> Option<Matches> {
    // For popt, a lone dash is never the value of -p.
    if words.contains(&b"-".as_slice()) {
        return None;
    }
    let command = first_command(words)?;
    let possible = |row: &&OptionSpec| may_occur(row, words) && row.is_known_to(command);
    let rows: Vec<_> = OPTIONS.iter().filter(possible).collect();
    let definition = definition_of(rows.iter().copied());
    let matches = definition.try_get_matches_from(owned(words)).ok()?;
    // popt and clap differ only after a positional word under POSIXLY_CORRECT.
    let as_popt = !matches.contains_id(WORDS) || !posix;
    as_popt.then_some(Matches { matches, rows })
}

/// The command that the first option names, but for those that may come before it.
fn first_command(words: &[&[u8]]) -> Option<CommandName> {
    let may_come_first =
        |token: &Result<Token, _>| matches!(token, Ok(Token::Option(o)) if o.row.may_come_first());
    match Lexer::new(words, false).find(|token| !may_come_first(token)) {
        Some(Ok(Token::Option(option))) => match option.row.role {
            Role::Command(command) => Some(command),
            _ => None,
        },
        _ => None,
    }
}

/// Whether one of `words` may spell the option `row`.
fn may_occur(row: &OptionSpec, words: &[&[u8]]) -> bool {
    words.iter().any(|word| match word {
        [b'-', b'-', name @ ..] => {
            name.split(|byte| *byte == b'=').next() == Some(row.long.as_bytes())
        }
        [b'-', letters @ ..] => row.short.is_some_and(|short| letters.contains(&short)),
        _ => false,
    })
}

impl Matches {
    /// The options in the order in which they were typed, then the other words.
    pub fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        let typed = |row: &&OptionSpec| {
            self.matches.value_source(id(row)) == Some(ValueSource::CommandLine)
        };
        let mut rows: Vec<_> = self.rows.iter().copied().filter(typed).collect();
        // clap refuses what is given twice: each row has one index.
        rows.sort_by_key(|row| {
            self.matches
                .indices_of(id(row))
                .and_then(|mut at| at.next())
        });
        let options = rows.into_iter().map(|row| self.option(row));
        let words = self.matches.get_raw(WORDS).into_iter().flatten();
        options.chain(words.map(|word| Token::Word(word.as_bytes())))
    }

    fn option(&self, row: &'static OptionSpec) -> Token<'_> {
        let value = match row.takes_value() {
            false => None,
            true => self.matches.get_raw(id(row)).and_then(|mut raw| raw.next()),
        };
        Token::Option(Occurrence {
            row,
            value: value.filter(|value| *value != ABSENT).map(OsStr::as_bytes),
            word: id(row).as_bytes(),
        })
    }
}

fn owned(words: &[&[u8]]) -> Vec<OsString> {
    let own = |word: &&[u8]| OsString::from_vec(word.to_vec());
    words.iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_accepts_the_definition() {
        definition_of(OPTIONS.iter()).debug_assert();
    }
}
