//! Words to options, by the grammar of popt, which C ipvsadm uses.
//!
//! It reads one option at a time, because errors are reported from left to
//! right, those of values included: an unknown option at the end must not hide
//! a bad value before it. It knows how options are spelt, not what they mean.
//!
//! An option that C ipvsadm does not have, with a command that never takes it, is
//! as unknown here as it is there.

use super::error::UsageError;
use super::opt::CommandName;
use super::options::{OptionSpec, Role, Takes, find_long, find_short};

/// An option where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence<'a> {
    /// Which option.
    pub row: &'static OptionSpec,
    /// Its value.
    pub value: Option<&'a [u8]>,
    /// The word to quote if this turns out to be a second command; its value,
    /// where it has one. Not meaningful when clap did the parsing.
    pub word: &'a [u8],
}

/// What comes next on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// An option.
    Option(Occurrence<'a>),
    /// A word that belongs to no option.
    Word(&'a [u8]),
}

/// Reads the options in a list of words, without the program's name.
pub struct Lexer<'a, 'w> {
    words: &'w [&'a [u8]],
    next: usize,
    /// The rest of a bundle of short options, and the word it is from.
    bundle: Option<(&'a [u8], &'a [u8])>,
    only_words: bool,
    posix: bool,
    /// The command, once an option has named it.
    command: Option<CommandName>,
}

impl<'a, 'w> Lexer<'a, 'w> {
    /// A lexer of `words`. With `posix` (`POSIXLY_CORRECT` in the environment)
    /// options end at the first word that is not one.
    pub fn new(words: &'w [&'a [u8]], posix: bool) -> Lexer<'a, 'w> {
        Lexer {
            words,
            next: 0,
            bundle: None,
            only_words: false,
            posix,
            command: None,
        }
    }

    fn take_word(&mut self) -> Option<&'a [u8]> {
        let word = self.words.get(self.next)?;
        self.next += 1;
        Some(word)
    }

    fn long(&mut self, word: &'a [u8]) -> Result<Token<'a>, UsageError> {
        let text = &word[2..];
        let (name, attached) = match text.iter().position(|&b| b == b'=') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let row = self.known(find_long(name), word)?;
        self.finish(row, word, attached)
    }

    fn short(&mut self, word: &'a [u8], rest: &'a [u8]) -> Result<Token<'a>, UsageError> {
        let (&letter, rest) = rest.split_first().unwrap_or((&0, rest));
        let row = self.known(find_short(letter), word)?;
        let value = rest.strip_prefix(b"=");
        match row.takes {
            Takes::Nothing(_) | Takes::Words(_) if value.is_none() => {
                self.bundle = (!rest.is_empty()).then_some((word, rest));
                self.finish(row, word, None)
            }
            _ => {
                let attached = value.or((!rest.is_empty()).then_some(rest));
                self.finish(row, word, attached)
            }
        }
    }

    /// `row`, if the command may know it. The first option names the command.
    fn known(
        &mut self,
        row: Option<&'static OptionSpec>,
        word: &[u8],
    ) -> Result<&'static OptionSpec, UsageError> {
        let row = row.filter(|row| self.command.is_none_or(|command| row.is_known_to(command)));
        let row = row.ok_or_else(|| UsageError::UnknownOption(word.into()))?;
        if let (None, Role::Command(command)) = (self.command, row.role) {
            self.command = Some(command);
        }
        Ok(row)
    }

    /// Gives `row` its value: `attached`, or the next word where one is wanted.
    fn finish(
        &mut self,
        row: &'static OptionSpec,
        word: &'a [u8],
        attached: Option<&'a [u8]>,
    ) -> Result<Token<'a>, UsageError> {
        let found = |value, word| Ok(Token::Option(Occurrence { row, value, word }));
        match (row.takes, attached) {
            (Takes::Nothing(_) | Takes::Words(_), Some(_)) => {
                Err(UsageError::UnwantedValue(word.into()))
            }
            (_, Some(_)) | (Takes::Nothing(_) | Takes::Words(_), None) => found(attached, word),
            (Takes::Value(..), None) => match self.take_word() {
                Some(value) => found(Some(value), value),
                None => Err(UsageError::MissingValue(word.into())),
            },
            (Takes::Optional(..), None) => match self.words.get(self.next) {
                Some(value) if is_value(row, value) => {
                    self.next += 1;
                    found(Some(value), value)
                }
                _ => found(None, word),
            },
        }
    }
}

impl<'a> Iterator for Lexer<'a, '_> {
    type Item = Result<Token<'a>, UsageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((word, rest)) = self.bundle.take() {
            return Some(self.short(word, rest));
        }
        let word = self.take_word()?;
        if self.only_words || word.len() < 2 || word[0] != b'-' {
            self.only_words |= self.posix;
            return Some(Ok(Token::Word(word)));
        }
        if word == b"--" {
            self.only_words = true;
            return self.next();
        }
        Some(match word[1] {
            b'-' => self.long(word),
            _ => self.short(word, &word[1..]),
        })
    }
}

/// Whether the option `row`, whose value may be missing, takes `word` for it. A
/// negative number is a wrong value and no option, except to popt, after `-p`.
fn is_value(row: &OptionSpec, word: &[u8]) -> bool {
    match word {
        [b'-', digit, ..] if row.short.is_none() => {
            digit.is_ascii_digit() && find_short(*digit).is_none()
        }
        [b'-', ..] => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::OPTIONS;
    use super::*;

    fn read(line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let mut out = Vec::new();
        for token in Lexer::new(&words, false) {
            match token {
                Ok(Token::Word(word)) => out.push(text(word)),
                Ok(Token::Option(o)) => out.push(match o.value {
                    Some(value) => format!("[{}={}]", o.row.long, text(value)),
                    None => format!("[{}]", o.row.long),
                }),
                Err(error) => {
                    out.push(format!("<{error}>"));
                    break;
                }
            }
        }
        out.join(" ")
    }

    #[test]
    fn values_stand_where_popt_finds_them() {
        for line in ["-w 5", "-w5", "-w=5", "--weight=5", "--weight 5"] {
            assert_eq!(read(line), "[weight=5]", "{line}");
        }
        assert_eq!(read("-mw5"), "[masquerading] [weight=5]");
        assert_eq!(read("-w -1"), "[weight=-1]");
        assert_eq!(read("-p -s rr"), "[persistent] [scheduler=rr]");
        assert_eq!(read("-p rr"), "[persistent=rr]");
        assert_eq!(read("-p -"), "[persistent] -");
        assert_eq!(read("-p -5"), "[persistent] <-5: unknown option>");
        assert_eq!(read("--watch -5"), "[watch=-5]");
        assert_eq!(read("--watch -n"), "[watch] [numeric]");
        assert_eq!(read("--drain -6"), "[drain] [ipv6]");
        assert_eq!(read("-p="), "[persistent=]");
        assert_eq!(read("-L -- -n"), "[list] -n");
    }

    #[test]
    fn errors_name_the_whole_word() {
        assert_eq!(read("-LQ"), "[list] <-LQ: unknown option>");
        assert_eq!(
            read("-L -Lnx"),
            "[list] [list] [numeric] <-Lnx: missing argument>"
        );
        assert_eq!(
            read("-L --numeric=5"),
            "[list] <--numeric=5: option does not take an argument>"
        );
        assert_eq!(read("-n=5"), "<-n=5: option does not take an argument>");
        assert_eq!(read("--nosuch=5"), "<--nosuch=5: unknown option>");
        assert_eq!(read("--num"), "<--num: unknown option>");
    }

    #[test]
    fn options_of_ours_are_unknown_to_commands_that_never_take_them() {
        assert_eq!(read("-L -j"), "[list] [json]");
        assert_eq!(read("-C -j"), "[clear] <-j: unknown option>");
        assert_eq!(read("-Z -nj"), "[zero] [numeric] <-nj: unknown option>");
        assert_eq!(read("-S --watch=3"), "[save] [watch=3]");
        assert_eq!(
            read("-R --watch=3"),
            "[restore] <--watch=3: unknown option>"
        );
        assert_eq!(read("-L --check"), "[list] <--check: unknown option>");
        assert_eq!(read("-L -C"), "[list] [clear]");
    }

    #[test]
    fn every_spelling_is_found_and_none_twice() {
        for row in OPTIONS {
            if let Some(letter) = row.short {
                assert_eq!(find_short(letter), Some(row));
            }
            if !row.long.is_empty() {
                assert_eq!(find_long(row.long.as_bytes()), Some(row));
            }
        }
    }
}
