//! clap's side of the command line: its definition, made from the option table,
//! and how it reads argv.
//!
//! clap reads argv. What it refuses goes to the [`lexer`](super::lexer), which
//! reports errors from left to right in C ipvsadm's words, and accepts the rare
//! spellings that only popt knows. Lines of `-R` go straight to the lexer:
//! fifty thousand of them must not each pay for clap. A test checks that the
//! lexer reads whatever clap accepts in the same way.
//!
//! clap spends most of its time on building its definition, in each run: it is
//! given only the options that can occur in the words at hand.

use super::lexer::{Lexer, Occurrence, Token};
use super::options::{OPTIONS, OptionSpec, Role, Takes};
use clap::builder::OsStringValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, Id};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const WORDS: &str = "words";
const COMMANDS: &str = "commands";

/// The clap definition of the command line.
pub fn definition() -> Command {
    definition_of(OPTIONS.iter())
}

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
        Takes::Nothing => arg.action(ArgAction::SetTrue),
        Takes::Value(_) => with_value(arg).allow_hyphen_values(true),
        Takes::Optional(_) => with_value(arg).num_args(0..=1),
    }
}

/// What clap has read.
pub struct Reading {
    matches: ArgMatches,
    /// The rows that clap knew.
    rows: Vec<&'static OptionSpec>,
}

/// Reads `words` (without the program's name) with clap; `None` leaves them to
/// the lexer: what clap refuses, and the few lines that it would read otherwise
/// than popt. `posix` as for [`parse`](super::parse).
pub fn read(words: &[&[u8]], posix: impl Fn() -> bool) -> Option<Reading> {
    // For popt, a lone dash is never the value of -p.
    if words.contains(&b"-".as_slice()) || !begins_with_command(words) {
        return None;
    }
    let rows: Vec<_> = OPTIONS.iter().filter(|row| may_occur(row, words)).collect();
    let definition = definition_of(rows.iter().copied());
    let matches = definition.try_get_matches_from(owned(words)).ok()?;
    // Only after a word of no option does popt read the rest otherwise.
    let as_popt = !matches.contains_id(WORDS) || !posix();
    as_popt.then_some(Reading { matches, rows })
}

fn begins_with_command(words: &[&[u8]]) -> bool {
    let first = Lexer::new(words, false).next();
    matches!(first, Some(Ok(Token::Option(option))) if is_command(option.row))
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

impl Reading {
    /// The options in the order in which they were typed, then the other words.
    pub fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        // clap keeps what it finds in the order in which it finds it, and puts
        // what has a default behind that.
        let typed =
            |id: &&Id| self.matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let ids = self.matches.ids().filter(typed);
        let row = |wanted: &Id| self.rows.iter().find(|row| id(row) == wanted.as_str());
        let options = ids.filter_map(row).map(|row| self.option(row));
        let words = self.matches.get_raw(WORDS).into_iter().flatten();
        options.chain(words.map(|word| Token::Word(word.as_bytes())))
    }

    fn option(&self, row: &'static OptionSpec) -> Token<'_> {
        let value = match row.takes {
            Takes::Nothing => None,
            _ => self.matches.get_raw(id(row)).and_then(|mut raw| raw.next()),
        };
        Token::Option(Occurrence {
            row,
            value: value.map(OsStr::as_bytes),
            word: id(row).as_bytes(),
        })
    }
}

fn owned(words: &[&[u8]]) -> Vec<OsString> {
    let own = |word: &&[u8]| OsString::from_vec(word.to_vec());
    words.iter().map(own).collect()
}

/// The known option most like the unknown `word`.
pub fn near_miss(word: &[u8]) -> Option<String> {
    let words = [b"-L".as_slice(), word];
    let error = definition().try_get_matches_from(owned(&words)).err()?;
    match error.get(ContextKind::SuggestedArg)? {
        ContextValue::String(option) => Some(option.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_accepts_the_definition() {
        definition().debug_assert();
    }

    #[test]
    fn a_near_miss_is_named() {
        assert_eq!(near_miss(b"--wieght").as_deref(), Some("--weight"));
        assert_eq!(near_miss(b"--xyzzyfoobar"), None);
    }
}
