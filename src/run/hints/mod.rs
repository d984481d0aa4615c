//! Hints: one more line for a person at a terminal, from what went wrong, the
//! words typed and what they mean. Where nothing is known, nothing is said.
//!
//! This is the one place that decides what a hint says; where errors are raised,
//! nothing is known of hints. None of it runs before a command has failed.

mod command_line;
mod refusal;

use super::failure::{Failure, say};
use crate::cli::{Action, Command, Invocation};
use ipvs::Change;
use std::io::{self, IsTerminal};

/// What was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// What it means, where it means something.
    pub meaning: Option<&'a Invocation<'a>>,
}

impl<'a> Asked<'a> {
    fn change(&self) -> Option<&'a Change> {
        match &self.meaning?.command {
            Command::Action(Action::Change(change)) => Some(change),
            _ => None,
        }
    }
}

/// Prints a hint on `failure`, if there is one and somebody to read it.
#[cold]
pub fn after(failure: &Failure, asked: &Asked) {
    if !are_wanted() {
        return;
    }
    if let Some(hint) = hint(failure, asked) {
        say(format!("hint: {hint}").as_bytes());
    }
}

/// Scripts read stderr too: hints are for people.
fn are_wanted() -> bool {
    io::stderr().is_terminal()
}

fn hint(failure: &Failure, asked: &Asked) -> Option<String> {
    match failure {
        Failure::Usage(error) => command_line::hint(error),
        Failure::Refused { errno, .. } => refusal::hint(asked.change()?, *errno),
        _ => None,
    }
}
