//! How far a list of rules or changes has got, and what became of each.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::signals::Interrupt;
use crate::cli::opt::CommandName;
use crate::render::text;
use crate::rules::plan::Step;
use anyhow::Context;
use ipvs::{Change, Ipvs};

/// How far rules or changes were applied.
#[derive(Debug)]
pub struct Progress {
    interrupt: Interrupt,
    /// Whether the table was cleared before.
    pub cleared: bool,
    /// How many were applied, successfully or not.
    pub done: usize,
    /// How many of them the kernel refused.
    pub refused: usize,
    /// The exit status of output that could not be written.
    pub unwritten: Option<Exit>,
}

impl Progress {
    /// Nothing was done so far.
    pub fn new(interrupt: Interrupt) -> Progress {
        Progress {
            interrupt,
            cleared: false,
            done: 0,
            refused: 0,
            unwritten: None,
        }
    }

    /// Whether no more is to be done.
    pub fn interrupted(&self) -> bool {
        self.interrupt.came()
    }

    /// The exit status; after an interrupt it says how much of `of`, the rules or
    /// whatever they are called here, was done.
    pub fn end(&self, what: &str, of: usize) -> Exit {
        if let Some(exit) = self.interrupt.exit() {
            let cleared = if self.cleared {
                "the table was cleared, and "
            } else {
                ""
            };
            let done = self.done;
            let said = format!("interrupted: {cleared}{done} of {of} {what} were applied");
            failure::say(said.as_bytes());
            return exit;
        }
        match self.refused {
            0 => self.unwritten.unwrap_or(Exit::Success),
            _ => Exit::Refused,
        }
    }
}

/// Prints `changes` as the commands that make them.
pub fn print_changes(out: &mut Output, changes: impl Iterator<Item = Change>) -> Result<()> {
    for change in changes {
        text::rule(out.buffer(), None, &change);
        out.flush_if_full()?;
    }
    out.finish()
}

/// Carries out `steps` in their order, up to an interrupt, and tells `refused`
/// in which words the kernel refused which.
pub fn carry_out(
    ipvs: &mut Ipvs,
    steps: impl Iterator<Item = Step>,
    progress: &mut Progress,
    mut refused: impl FnMut(Option<u32>, String),
) -> Result<()> {
    let Progress {
        interrupt,
        done,
        refused: count,
        ..
    } = progress;
    let wanted = steps.take_while(|_| !interrupt.came());
    let tagged = wanted.map(|(line, change)| {
        *done += 1;
        ((line, CommandName::of(&change)), change)
    });
    ipvs.batch(tagged, |(line, command), error| {
        *count += 1;
        refused(line, failure::refusal(command, error.errno()));
    })
    .context("cannot talk to the kernel")
    .map_err(Failure::Other)
}

/// Reports what is wrong with a line, or with what no line asked for.
pub fn say_of_line(line: Option<u32>, text: &str) {
    match line {
        Some(line) => failure::say(format!("line {line}: {text}").as_bytes()),
        None => failure::say(text.as_bytes()),
    }
}
