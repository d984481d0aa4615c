//! Rules as text: the input of `-R`, read and checked whole.
//!
//! [`read`] turns the text into commands or says everything that is wrong with
//! it; [`plan`] compares rules with a table for `--replace`, [`ensure`] goes through
//! them one by one. Nothing here talks
//! to the kernel, so that a wrong line can never have changed anything.

pub mod ensure;
mod error;
mod lines;
pub mod plan;

pub use error::{RuleError, WrongLine};
pub use lines::words;

use crate::cli::{self, Action};
use crate::names::Lookup;

/// One line of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number in the input, from 1.
    pub line: u32,
    /// What it asks for.
    pub action: Action,
}

/// Reads rules. Empty lines and comments are skipped; if any line is wrong,
/// all the wrong ones are reported and there are no rules.
pub fn read(input: &[u8], lookup: &mut dyn Lookup) -> Result<Vec<Rule>, Vec<WrongLine>> {
    let mut rules = read_lines(input, lookup);
    while lookup.settle() {
        rules = read_lines(input, lookup);
    }
    rules
}

fn read_lines(input: &[u8], lookup: &mut dyn Lookup) -> Result<Vec<Rule>, Vec<WrongLine>> {
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    let mut buffer = Vec::new();
    for (line, text) in (1..).zip(input.split(|&b| b == b'\n')) {
        words(text, &mut buffer);
        if buffer.is_empty() {
            continue;
        }
        match cli::parse_line(&buffer, lookup) {
            Ok(action) if wrong.is_empty() => rules.push(Rule { line, action }),
            Ok(_) => {}
            Err(error) => {
                let error = error.into();
                wrong.push(WrongLine { line, error });
            }
        }
    }
    if wrong.is_empty() {
        Ok(rules)
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NoLookup;

    fn errors(input: &str) -> Vec<String> {
        let wrong = read(input.as_bytes(), &mut NoLookup)
            .err()
            .unwrap_or_default();
        wrong
            .iter()
            .map(|w| format!("line {}: {}", w.line, w.error))
            .collect()
    }

    #[test]
    fn every_wrong_line_is_reported() {
        let input = "-A -t 10.0.0.1:80 -s rr\n# a comment\n\n-A -t bad\n-C -n\nfoo\n-R\n-Q\n-w 5\n";
        assert_eq!(
            errors(input),
            [
                "line 4: illegal virtual server address[:port] specified: bad: the name has no address",
                "line 5: Illegal 'numeric' option with the 'flush' command",
                "line 6: no command in `foo'",
                "line 7: the 'restore' command is not allowed in rules",
                "line 8: -Q: unknown option",
                "line 9: no command in `-w'",
            ]
        );
    }

    #[test]
    fn line_ends_and_comments_do_not_matter() {
        let input =
            "ipvsadm -A -t 10.0.0.1:80\r\n\t -a -t 10.0.0.1:80 -r 10.0.0.2 # why\r\n#-Q\n-C";
        let rules = read(input.as_bytes(), &mut NoLookup).unwrap_or_default();
        let lines: Vec<u32> = rules.iter().map(|rule| rule.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
