//! How far a list of rules or changes has got, and what became of each.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::signals::Interrupt;
use crate::cli::opt::CommandName;
use crate::render::{json, text};
use crate::rules::plan::Step;
use ipvs::{BatchError, Change, Ipvs, KernelError};
use std::collections::HashSet;

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
    /// The changes that were made, where they are to be told.
    made: Option<Vec<Change>>,
}

/// A change that was not made, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The line that asks for it.
    pub line: Option<u32>,
    /// Which one, if that is known.
    pub change: Option<Change>,
    /// What went wrong.
    pub error: String,
}

impl Failed {
    /// The kernel did not answer the request for a step as it should.
    pub fn of((line, change): Step, error: KernelError) -> Failed {
        Failed {
            line,
            change: Some(change),
            error: failure::failed(&change, error),
        }
    }

    /// Reports it.
    pub fn say(&self) {
        say_of_line(self.line, &self.error);
    }
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
            made: None,
        }
    }

    /// The same; with `json`, what is made is to be told.
    pub fn told(interrupt: Interrupt, json: bool) -> Progress {
        Progress {
            made: json.then(Vec::new),
            ..Progress::new(interrupt)
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
        if let Some((said, exit)) = self.early_end(what, of) {
            failure::say(said.as_bytes());
            return exit;
        }
        match self.refused {
            0 => self.unwritten.unwrap_or(Exit::Success),
            _ => Exit::Refused,
        }
    }

    /// The same, after what became of the changes was told, where that is wanted.
    pub fn end_and_tell(&self, of: usize, mut failed: Vec<Failed>, mut out: Output) -> Exit {
        const WHAT: &str = "changes";
        let exit = self.end(WHAT, of);
        let Some(made) = &self.made else {
            return exit;
        };
        failed.extend(self.early_end(WHAT, of).map(|(error, _)| Failed {
            line: None,
            change: None,
            error,
        }));
        let told = tell(&mut out, made.iter(), &failed);
        let told = told.map_err(|failure| failure.after_changes(!made.is_empty()));
        match (told, exit) {
            (Ok(()), exit) => exit,
            (Err(failure), Exit::Success) => failure::report(&failure),
            (Err(failure), exit) => {
                failure::report(&failure);
                exit
            }
        }
    }

    /// What is said after an early end, and the exit status.
    fn early_end(&self, what: &str, of: usize) -> Option<(String, Exit)> {
        let (why, how, exit) = match (&self.stopped, self.interrupt.exit()) {
            (Some(why), _) => (why.as_str(), "tried", Exit::Refused),
            (None, Some(exit)) => ("interrupted", "applied", exit),
            (None, None) => return None,
        };
        let cleared = if self.cleared {
            "the table was cleared, and "
        } else {
            ""
        };
        let done = self.done;
        let said = format!("{why}: {cleared}{done} of {of} {what} were {how}");
        Some((said, exit))
    }
}

/// Prints the document of `--json`: the changes `made`, or those to be made, and
/// what `failed`.
fn tell<'a>(
    out: &mut Output,
    made: impl Iterator<Item = &'a Change>,
    failed: &[Failed],
) -> Result<()> {
    let mut document = json::Changes::begin(out.buffer(), made.map(text::command));
    for failed in failed {
        let command = failed.change.as_ref().map(text::command);
        document.failed(out.buffer(), failed.line, command.as_deref(), &failed.error);
    }
    document.end(out.buffer());
    out.finish()
}

/// Prints `changes` as the commands that make them; with `json` as its document, in
/// which stands what `failed`, too.
pub fn print_changes(
    out: &mut Output,
    json: bool,
    changes: &[Change],
    failed: &[Failed],
) -> Result<()> {
    if json {
        return tell(out, changes.iter(), failed);
    }
    for change in changes {
        text::rule(out.buffer(), None, change);
        out.flush_if_full()?;
    }
    out.finish()
}

/// What `--dry-run` answers: prints the `changes` that would be made, and says whether
/// there are any.
pub fn print_difference(
    out: &mut Output,
    json: bool,
    changes: &[Change],
    failed: &[Failed],
) -> Result<Exit> {
    print_changes(out, json, changes, failed)?;
    Ok(match changes.is_empty() {
        true => Exit::Success,
        false => Exit::Failure,
    })
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
        made,
        ..
    } = progress;
    let wanted = steps.take_while(|_| !interrupt.came());
    let is_told = made.is_some();
    let (mut tried, mut unmade) = (Vec::new(), HashSet::new());
    let tagged = wanted.enumerate().map(|(at, (line, change))| {
        *done += 1;
        if is_told {
            tried.push(change);
        }
        ((at, (line, change)), change)
    });
    let result = ipvs.batch(tagged, |(at, step), error| {
        if is_told {
            unmade.insert(at);
        }
        *count += usize::from(failed(step, error));
    });
    let unsent = result.as_ref().map_or_else(|error| error.unsent, |()| 0);
    if let Some(made) = made {
        tried.truncate(tried.len() - unsent);
        let tried = tried.into_iter().enumerate();
        made.extend(tried.filter_map(|(at, change)| (!unmade.contains(&at)).then_some(change)));
    }
    if let Err(BatchError { error, .. }) = result {
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
