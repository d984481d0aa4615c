//! Hints: one more line for a person, from what went wrong, the words typed and,
//! where it says more, what the kernel's table has. Where nothing is known,
//! nothing is said.
//!
//! This is the one place that decides what a hint says; where errors are raised,
//! nothing is known of hints. None of it runs before a command has failed, but for
//! the two things that succeed and can hardly be meant: see [`doubt`].

mod command_line;
mod doubt;
mod present;
mod refusal;
mod spelling;
mod typed;
mod value;

pub use doubt::doubt;
pub use typed::Asked;

use super::failure::{Failure, say};
use std::env;
use std::io::{self, IsTerminal};

/// The variable of the environment that says whether there are hints.
const VARIABLE: &str = "IPVSADM_HINTS";

/// Prints a hint on `failure`, if there is one and somebody to read it.
#[cold]
pub fn after(failure: &Failure, asked: &Asked) {
    if are_wanted() {
        if let Some(hint) = of(failure, asked) {
            print(&hint);
        }
    }
}

/// Scripts read stderr too: hints are for people.
fn are_wanted() -> bool {
    match env::var(VARIABLE).as_deref() {
        Ok("always") => true,
        Ok("never") => false,
        _ => io::stderr().is_terminal(),
    }
}

fn print(hint: &str) {
    say(format!("hint: {hint}").as_bytes());
}

fn of(failure: &Failure, asked: &Asked) -> Option<String> {
    match failure {
        Failure::Usage(error) => command_line::hint(error, asked),
        Failure::Refused { command, errno } => refusal::refused(*command, *errno, asked),
        Failure::Unavailable(errno) => refusal::unavailable(*errno, asked),
        Failure::Namespace(name, error) => refusal::namespace(name, error),
        Failure::CannotTell(failure) => of(failure, asked),
        _ => None,
    }
}
