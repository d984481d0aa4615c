//! Rules as text: the input of `-R`, read and checked whole.
//!
//! [`read`] turns the text into commands or says everything that is wrong with
//! it; [`plan`] compares rules with a table for `--replace`, [`ensure`] goes through
//! them one by one. Nothing here talks
//! to the kernel, so that a wrong line can never have changed anything.

pub mod ensure;
mod error;
mod lines;
mod loopback;
pub mod plan;

pub use error::{RuleError, WrongLine};
pub use lines::words;
pub use loopback::LoopbackName;

use crate::cli::{self, Action};
use crate::names::Lookup;
use loopback::Noting;

/// One line of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number in the input, from 1.
    pub line: u32,
    /// What it asks for.
    pub action: Action,
}

/// Rules that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Their lines, in order.
    pub lines: Vec<Rule>,
    /// The names in them that a user should know of.
    pub loopback: Vec<LoopbackName>,
}

/// Reads rules. Empty lines and comments are skipped; if any line is wrong,
/// all the wrong ones are reported and there are no rules.
pub fn read(input: &[u8], lookup: &mut dyn Lookup) -> Result<Rules, Vec<WrongLine>> {
    let mut rules = read_lines(input, lookup);
    while lookup.settle() {
        rules = read_lines(input, lookup);
    }
    rules
}

fn read_lines(input: &[u8], lookup: &mut dyn Lookup) -> Result<Rules, Vec<WrongLine>> {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    let mut lookup = Noting {
        lookup,
        line: 0,
        found: Vec::new(),
    };
    let mut buffer = Vec::new();
    for (line, text) in (1..).zip(input.split(|&b| b == b'\n')) {
        words(text, &mut buffer);
        if buffer.is_empty() {
            continue;
        }
        lookup.line = line;
        match cli::parse_line(&buffer, &mut lookup) {
            Ok(action) if wrong.is_empty() => lines.push(Rule { line, action }),
            Ok(_) => {}
            Err(error) => {
                let error = error.into();
                wrong.push(WrongLine { line, error });
            }
        }
    }
    if wrong.is_empty() {
        let loopback = lookup.found;
        Ok(Rules { lines, loopback })
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{NoAddress, NoLookup};
    use ipvs::Protocol;
    use std::net::Ipv4Addr;

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
        let lines: Vec<u32> = rules.lines.iter().map(|rule| rule.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    /// The name of the machine itself, as many resolvers give it back.
    struct Own;
    impl Lookup for Own {
        fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
            match name {
                b"director" => Ok(Ipv4Addr::new(127, 0, 1, 1)),
                b"vip" => Ok(Ipv4Addr::new(10, 0, 0, 1)),
                b"localhost" => Ok(Ipv4Addr::LOCALHOST),
                _ => Err(NoAddress::Unknown),
            }
        }
        fn port(&mut self, _: &[u8], _: Protocol) -> Option<u16> {
            None
        }
    }

    #[test]
    fn names_of_loopback_addresses_are_told_once_each_and_addresses_never() {
        let input = "-A -t 127.0.0.1:80\n-A -t vip:80\n\n-A -t director:80\n\
            -a -t director:80 -r localhost:81 -m\n-a -t director:80 -r 10.0.0.2 -m\n";
        let rules = read(input.as_bytes(), &mut Own).unwrap_or_default();
        assert_eq!(rules.lines.len(), 5);
        let said: Vec<_> = rules
            .loopback
            .iter()
            .map(|n| (n.line, n.to_string()))
            .collect();
        assert_eq!(
            said,
            [
                (
                    4,
                    "warning: `director' stands for the loopback address 127.0.1.1".into()
                ),
                (
                    5,
                    "warning: `localhost' stands for the loopback address 127.0.0.1".into()
                ),
            ]
        );
    }

    #[test]
    fn what_cannot_be_seen_in_a_wrong_line_is_shown() {
        let input = "\u{feff}-A -t 10.0.0.1:80\n\u{a0}-A -t 10.0.0.1:80\n-A\u{a0}-t 10.0.0.1:80\n\
            -A -t 10.0.0.1:80 \x1b[2J\n-A -t v\u{456}p:80\n-A -t 10.0.0.1:80\u{202e} -s rr\n";
        assert_eq!(
            errors(input),
            [
                "line 1: no command in `\\u{feff}-A'",
                "line 2: no command in `\\u{a0}-A'",
                "line 3: -A\\u{a0}-t: unknown option",
                "line 4: unexpected argument \\u{1b}[2J",
                "line 5: illegal virtual server address[:port] specified: v\u{456}p:80: the name has no address",
                "line 6: illegal virtual server address[:port] specified: 10.0.0.1:80\\u{202e}: no service `80\\u{202e}' for tcp",
            ]
        );
        let wrong = read(b"\xff\xfe-A\n", &mut NoLookup)
            .err()
            .unwrap_or_default();
        assert_eq!(wrong[0].error.to_string(), "no command in `\\xff\\xfe-A'");
    }
}
