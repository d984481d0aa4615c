//! What is said about a command line that cannot be carried out.
//!
//! The words are the original's, to the byte, since scripts compare them; what
//! we add for people is the hint, which is shown on terminals only.

use std::fmt;

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// A listing failed, output could not be written, a server was not drained,
    /// or a table is not what the rules say.
    NotDone = 1,
    /// The command line, or a line of rules, is wrong; or there is no IPVS.
    Usage = 2,
    /// Somebody wanted the program to end, which it did when nothing was half
    /// done; as shells have it for SIGINT.
    Interrupted = 130,
    /// Nobody reads the output any more; as shells have it for SIGPIPE.
    ClosedPipe = 141,
    /// The kernel refused, or an option is unknown.
    Refused = 255,
}

/// One line for stderr, and the exit status that goes with it. Words of the
/// command line pass through it byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The line, without its end.
    pub text: Vec<u8>,
    /// The exit status.
    pub exit: Exit,
    /// One more line for a person at a terminal.
    pub hint: Option<String>,
}

impl Complaint {
    /// A complaint of the program's own.
    pub fn usage(text: impl Into<Vec<u8>>) -> Complaint {
        Complaint {
            text: text.into(),
            exit: Exit::Usage,
            hint: None,
        }
    }

    /// A complaint of the program's own about `word`, which takes the place of
    /// the `%` in `pattern`.
    pub fn about(pattern: &str, word: &[u8]) -> Complaint {
        let (before, after) = pattern.split_once('%').unwrap_or((pattern, ""));
        Complaint::usage([before.as_bytes(), word, after.as_bytes()].concat())
    }

    /// The same, with a hint.
    pub fn with_hint(self, hint: impl Into<String>) -> Complaint {
        Complaint {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The first option names no command.
    pub fn no_command(program: &[u8]) -> Complaint {
        let text = [
            b"Try `",
            program,
            b" -h' or '",
            program,
            b" --help' for more information.",
        ];
        Complaint {
            exit: Exit::Refused,
            ..Complaint::usage(text.concat())
        }
    }

    /// No option is spelt like `word`.
    pub fn unknown_option(word: &[u8]) -> Complaint {
        Complaint::spelling(word, "unknown option")
    }

    /// The option in `word` wants a value.
    pub fn missing_value(word: &[u8]) -> Complaint {
        Complaint::spelling(word, "missing argument")
    }

    /// The option in `word` takes no value.
    pub fn unwanted_value(word: &[u8]) -> Complaint {
        Complaint::spelling(word, "option does not take an argument")
    }

    fn spelling(word: &[u8], problem: &str) -> Complaint {
        Complaint {
            exit: Exit::Refused,
            ..Complaint::usage([word, b": ", problem.as_bytes()].concat())
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text))
    }
}

impl std::error::Error for Complaint {}
