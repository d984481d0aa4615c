//! How far a list of rules or changes has got, and what became of each.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::signals::Interrupt;
use crate::cli::opt::CommandName;
use crate::render::text;
use crate::rules::plan::Step;
use ipvs::{BatchError, Change, Ipvs, KernelError};

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
    /// Why it did not go on.
    pub stopped: Option<String>,
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
            stopped: None,
            unwritten: None,
        }
    }

    /// Whether a signal asked the program to end.
    pub fn interrupted(&self) -> bool {
        self.interrupt.came()
    }

    /// Whether no more is to be done.
    pub fn is_over(&self) -> bool {
        self.interrupted() || self.stopped.is_some()
    }

    /// The exit status; after an early end it says how much of `of`, the rules or
    /// whatever they are called here, was done.
    pub fn end(&self, what: &str, of: usize) -> Exit {
        let early = match (&self.stopped, self.interrupt.exit()) {
            (Some(why), _) => Some((why.as_str(), "tried", Exit::Refused)),
            (None, Some(exit)) => Some(("interrupted", "applied", exit)),
            (None, None) => None,
        };
        if let Some((why, how, exit)) = early {
            let cleared = if self.cleared {
                "the table was cleared, and "
            } else {
                ""
            };
            let done = self.done;
            let said = format!("{why}: {cleared}{done} of {of} {what} were {how}");
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

/// Carries out `steps` in their order, up to an interrupt, and hands to `failed`
/// those that were not done, or may not have been; it says whether that counts.
pub fn carry_out(
    ipvs: &mut Ipvs,
    steps: impl Iterator<Item = Step>,
    progress: &mut Progress,
    mut failed: impl FnMut(Step, KernelError) -> bool,
) {
    let Progress {
        interrupt,
        done,
        refused: count,
        stopped,
        ..
    } = progress;
    let wanted = steps.take_while(|_| !interrupt.came());
    let tagged = wanted.map(|(line, change)| {
        *done += 1;
        ((line, change), change)
    });
    let result = ipvs.batch(tagged, |step, error| {
        *count += usize::from(failed(step, error));
    });
    if let Err(BatchError { unsent, error, .. }) = result {
        *done -= unsent;
        *stopped = Some(Failure::kernel(CommandName::Restore, error).to_string());
    }
}

/// Reports what is wrong with a line, or with what no line asked for.
pub fn say_of_line(line: Option<u32>, text: &str) {
    match line {
        Some(line) => failure::say(format!("line {line}: {text}").as_bytes()),
        None => failure::say(text.as_bytes()),
    }
}
