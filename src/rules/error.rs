//! What is wrong with a line of rules, and the words for it.

use crate::cli::UsageError;
use std::fmt;

/// What is wrong with one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongLine {
    /// Its number in the input, from 1.
    pub line: u32,
    /// What is wrong.
    pub error: RuleError,
}

/// Why a line is not a rule, or not one that `--replace` or `--ensure` can use. The numbers are
/// those of the earlier lines that say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// It is not a command line.
    Usage(UsageError),
    /// It adds a service that is there.
    SameService(u32),
    /// It adds a real server that is there.
    SameServer(u32),
    /// It sets the session time-outs again.
    SameTimeouts(u32),
    /// It starts a sync daemon again.
    SameDaemon(u32),
    /// It adds a real server to a service that no line adds.
    NoService,
    /// It is about something outside the part of the table that is replaced.
    Outside,
    /// It is a command that describes no table.
    NoDescription,
    /// It keeps what is there, whatever that is.
    Keeps,
    /// It changes nothing, or not at once.
    NoChange,
}

impl RuleError {
    /// The message, without the end of its line.
    pub fn text(&self) -> String {
        match self {
            RuleError::Usage(error) => error.explained(),
            RuleError::SameService(first) => format!("the same service as in line {first}"),
            RuleError::SameServer(first) => format!("the same real server as in line {first}"),
            RuleError::SameTimeouts(first) => format!("time-outs were set in line {first}"),
            RuleError::SameDaemon(first) => format!("the same sync daemon as in line {first}"),
            RuleError::Outside => "not in the part of the table that is replaced".into(),
            RuleError::NoService => "no line before this one adds its service".into(),
            RuleError::NoChange => "--ensure takes no listing and no --drain".into(),
            RuleError::Keeps => "a line with --keep describes no table to replace".into(),
            RuleError::NoDescription => {
                "only -A, -a, --set and --start-daemon describe a table to replace".into()
            }
        }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl From<UsageError> for RuleError {
    fn from(error: UsageError) -> RuleError {
        RuleError::Usage(error)
    }
}
