//! clap's side of the command line: its definition, made from the option
//! table, and the reading of argv by it.
//!
//! clap reads what is well formed. What it refuses is read again by the
//! [`lexer`](super::lexer), which reports errors from left to right in the
//! original's words, or accepts the rare spelling that only popt knows. Lines
//! of `-R` go to the lexer at once: fifty thousand of them must not each pay
//! for clap. A test holds the two together: what clap accepts, the lexer reads
//! alike.
//!
//! clap spends most of its time on its definition, which has to be made anew in
//! each run: it gets only the options that can occur in the words at hand.

use super::lexer::{Occurrence, Token};
use super::options::{ROWS, Role, Row, Takes};
use clap::builder::OsStringValueParser;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const WORDS: &str = "words";
const COMMANDS: &str = "commands";
/// Stands for the value that an option could have had; no argument can hold it.
const NO_VALUE: &str = "\0";

/// The clap definition of the command line.
pub fn definition() -> Command {
    definition_of(ROWS.iter())
}

fn definition_of(rows: impl Iterator<Item = &'static Row> + Clone) -> Command {
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

fn is_command(row: &Row) -> bool {
    matches!(row.role, Role::Command(_))
}

/// What clap knows a row by: its long spelling, or the short one where that is
/// the only one.
fn id(row: &Row) -> &'static str {
    match row.long {
        "" => "l",
        long => long,
    }
}

fn argument(row: &Row) -> Arg {
    let arg = Arg::new(id(row)).help(row.help);
    let arg = match row.short {
        Some(letter) => arg.short(char::from(letter)),
        None => arg,
    };
    let arg = match row.long {
        "" => arg,
        long => arg.long(long),
    };
    let value = |arg: Arg, name: &'static str| {
        arg.action(ArgAction::Set)
            .value_name(name)
            .value_parser(OsStringValueParser::new())
    };
    match row.takes {
        Takes::Nothing => arg.action(ArgAction::SetTrue),
        Takes::Value(name) => value(arg, name).allow_hyphen_values(true),
        Takes::Optional(name) => value(arg, name)
            .num_args(0..=1)
            .default_missing_value(NO_VALUE),
    }
}

/// What clap has read.
pub struct Reading {
    matches: ArgMatches,
    /// The rows that clap knew.
    rows: Vec<&'static Row>,
}

/// Reads `words` (without the program's name) as clap does; `None` where clap
/// refuses them, or would read them otherwise than popt.
pub fn read(words: &[&[u8]]) -> Option<Reading> {
    // A lone dash is a word of its own for popt, never the value of -p.
    if words.contains(&b"-".as_slice()) {
        return None;
    }
    let rows: Vec<_> = ROWS.iter().filter(|row| may_occur(row, words)).collect();
    // Without a command there is nothing for clap to read.
    rows.iter().any(|row| is_command(row)).then_some(())?;
    let definition = definition_of(rows.iter().copied());
    let matches = definition.try_get_matches_from(owned(words)).ok()?;
    Some(Reading { matches, rows })
}

/// Whether one of `words` may spell the option `row`.
fn may_occur(row: &Row, words: &[&[u8]]) -> bool {
    words.iter().any(|word| match word {
        [b'-', b'-', name @ ..] => {
            name.split(|byte| *byte == b'=').next() == Some(row.long.as_bytes())
        }
        [b'-', letters @ ..] => row.short.is_some_and(|short| letters.contains(&short)),
        _ => false,
    })
}

/// The options in `reading`, in the order in which they were typed, then the
/// other words; `None` where the first option is no command.
pub fn tokens(reading: &Reading) -> Option<Vec<Token<'_>>> {
    let matches = &reading.matches;
    let typed = |row: &&&Row| matches.value_source(id(row)) == Some(ValueSource::CommandLine);
    let mut options: Vec<(usize, &'static Row)> = reading
        .rows
        .iter()
        .filter(typed)
        .filter_map(|row| Some((matches.indices_of(id(row))?.next()?, *row)))
        .collect();
    options.sort_unstable_by_key(|(index, _)| *index);
    is_command(options.first()?.1).then_some(())?;
    let options = options.into_iter().map(|(_, row)| occurrence(row, matches));
    let words = matches.get_raw(WORDS).into_iter().flatten();
    let words = words.map(|word| Token::Word(word.as_bytes()));
    Some(options.chain(words).collect())
}

fn occurrence<'m>(row: &'static Row, matches: &'m ArgMatches) -> Token<'m> {
    let value = match row.takes {
        Takes::Nothing => None,
        _ => matches.get_raw(id(row)).and_then(|mut raw| raw.next()),
    };
    Token::Option(Occurrence {
        row,
        value: value
            .map(OsStr::as_bytes)
            .filter(|value| *value != NO_VALUE.as_bytes()),
        word: id(row).as_bytes(),
    })
}

fn owned(words: &[&[u8]]) -> Vec<OsString> {
    let own = |word: &&[u8]| OsString::from_vec(word.to_vec());
    words.iter().map(own).collect()
}

/// The option that somebody who typed the unknown `word` may have meant.
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
    use super::super::UsageError;
    use super::super::lexer::Lexer;
    use super::*;
    use crate::random::Random;

    #[test]
    fn clap_accepts_the_definition() {
        definition().debug_assert();
    }

    #[test]
    fn a_near_miss_is_named() {
        assert_eq!(near_miss(b"--wieght").as_deref(), Some("--weight"));
        assert_eq!(near_miss(b"--xyzzyfoobar"), None);
    }

    /// Options and words apart, without the word that only messages name.
    type Typed<'a> = (Vec<(&'static Row, Option<&'a [u8]>)>, Vec<&'a [u8]>);

    fn reading<'a>(tokens: impl Iterator<Item = Token<'a>>) -> Typed<'a> {
        let mut reading = (Vec::new(), Vec::new());
        for token in tokens {
            match token {
                Token::Option(o) => reading.0.push((o.row, o.value)),
                Token::Word(word) => reading.1.push(word),
            }
        }
        reading
    }

    /// What lines are made of; a word of nothing is one more.
    const PIECES: &str = "\
        -A -E -L -l -Ln -lcn -a -d -Z -S -C -R --set -h --start-daemon master \
        --stop-daemon=backup -t 10.0.0.1:80 -At -u=10.0.0.1:53 -f 1 -f7 -6 -p -p300 \
        -p= -pt -p=5 -s rr -srr -s= --scheduler=wrr -M -o -r -mw5 -gw -w -w=5 -w-1 \
        --weight -5 -n --numeric --numeric=5 -- --stats --rate --exact -X --sort \
        --sort --nosort -c --pe sip word = -t= -b --persistent --persistent=9 --drain \
        --drain=3 -LQ --nosuch";

    #[test]
    fn what_clap_accepts_the_lexer_reads_alike() {
        let pieces: Vec<&[u8]> = PIECES.split(' ').chain([""]).map(str::as_bytes).collect();
        let mut random = Random::new(1);
        let mut accepted = 0;
        for _ in 0..3_000 {
            let words: Vec<&[u8]> = (0..=random.below(5))
                .map(|_| pieces[random.below(pieces.len())])
                .collect();
            let refused = words.contains(&b"-".as_slice())
                || definition().try_get_matches_from(owned(&words)).is_err();
            let shown: Vec<_> = words.iter().map(|w| String::from_utf8_lossy(w)).collect();
            let read = read(&words);
            assert_eq!(
                read.is_none(),
                refused,
                "{shown:?}: the rest of the options matters"
            );
            let Some(read) = read else {
                continue;
            };
            let Some(clap) = tokens(&read) else {
                continue;
            };
            let popt: Result<Vec<Token>, UsageError> = Lexer::new(&words, false).collect();
            let popt = popt.unwrap_or_else(|c| panic!("popt refuses {shown:?}: {c}"));
            assert_eq!(
                reading(clap.into_iter()),
                reading(popt.into_iter()),
                "{shown:?}"
            );
            accepted += 1;
        }
        assert!(accepted > 100, "only {accepted} lines were accepted");
    }
}
