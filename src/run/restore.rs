//! `-R` and ipvsadm-restore: rules that were read and checked whole, carried
//! out in their order.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::signals::Interrupt;
use super::{Session, replace};
use crate::cli::options::CommandName;
use crate::cli::{Action, Restore};
use crate::kernel::Ipvs;
use crate::model::Change;
use crate::names::ManyLookup;
use crate::render::text;
use crate::rules::plan::{Step, Wanted};
use crate::rules::{self, Rule};
use anyhow::Context;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

/// What is done with the table before the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing: `-R`.
    AsIs,
    /// It is cleared: ipvsadm-restore.
    Cleared,
}

/// All of standard input. The standard library's own handle is not used: it
/// takes a closed descriptor for an empty file.
pub fn standard_input() -> Result<Vec<u8>> {
    let mut input = Vec::new();
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin
        .and_then(|mut stdin| stdin.read_to_end(&mut input))
        .map_err(Failure::Input)?;
    Ok(input)
}

/// Carries out the rules in `input`.
pub fn restore(input: &[u8], options: Restore, start: Start, out: Output) -> Result<Exit> {
    // More likely a command before this one that failed than a wish.
    if options.replace && input.is_empty() {
        return Err(Failure::NothingToReplaceWith);
    }
    let rules = rules::read(input, &mut ManyLookup::default()).map_err(Failure::WrongLines)?;
    if options.replace {
        let wanted = Wanted::from_rules(&rules).map_err(Failure::WrongLines)?;
        return replace::replace(&wanted, options.dry_run, out);
    }
    if options.dry_run {
        return dry_run(&rules, start, out);
    }
    let mut session = Session::open(out)?;
    session.check_permission()?;
    let mut progress = Progress::new(Interrupt::watch()?);
    session.carry_out_all(&rules, start, &mut progress)?;
    if let Err(failure) = session.out.finish() {
        progress.unwritten = Some(failure::report(&failure));
    }
    Ok(progress.end("rules", rules.len()))
}

/// How far rules or changes were carried out.
#[derive(Debug)]
pub struct Progress {
    interrupt: Interrupt,
    cleared: bool,
    done: usize,
    refused: usize,
    /// The exit status of output that could not be written.
    unwritten: Option<Exit>,
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

    /// How many were carried out, well or not.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Whether no more is to be done.
    pub fn interrupted(&self) -> bool {
        self.interrupt.came()
    }

    /// What was refused is done in another way.
    pub fn forget_refusals(&mut self) {
        self.refused = 0;
    }

    /// The exit status, after an interrupt with a word on what was done of `of`
    /// rules, or of what they are called here.
    pub fn end(&self, what: &str, of: usize) -> Exit {
        if let Some(exit) = self.interrupt.exit() {
            let cleared = if self.cleared {
                "the table was cleared, and "
            } else {
                ""
            };
            let done = self.done;
            let said = format!("interrupted: {cleared}{done} of {of} {what} were carried out");
            failure::say(said.as_bytes());
            return exit;
        }
        match self.refused {
            0 => self.unwritten.unwrap_or(Exit::Success),
            _ => Exit::Refused,
        }
    }
}

/// Prints the changes that `rules` would make, and makes none.
fn dry_run(rules: &[Rule], start: Start, mut out: Output) -> Result<Exit> {
    let cleared = (start == Start::Cleared).then_some(Change::Flush);
    let changes = rules.iter().filter_map(|rule| match rule.action {
        Action::Change(change) => Some(change),
        // What draining comes to in the end.
        Action::Drain {
            service, server, ..
        } => Some(Change::DeleteServer(service, server)),
        _ => None,
    });
    print_changes(&mut out, cleared.into_iter().chain(changes))?;
    Ok(Exit::Success)
}

/// Prints `changes` as the commands that make them.
pub fn print_changes(out: &mut Output, changes: impl Iterator<Item = Change>) -> Result<()> {
    for change in changes {
        text::rule(out.buffer(), None, &change);
        out.flush_if_full()?;
    }
    out.finish()
}

impl Session {
    /// Carries out `rules` in their order, up to an interrupt.
    fn carry_out_all(
        &mut self,
        rules: &[Rule],
        start: Start,
        progress: &mut Progress,
    ) -> Result<()> {
        if start == Start::Cleared {
            self.change_all([(None, Change::Flush)].into_iter(), progress)?;
            progress.cleared = progress.done > 0;
            progress.done = 0;
        }
        let is_change = |rule: &Rule| matches!(rule.action, Action::Change(_));
        for run in rules.chunk_by(|a, b| is_change(a) && is_change(b)) {
            match run {
                _ if progress.interrupted() => break,
                [rule] if !is_change(rule) => self.run_rule(rule, progress),
                changes => self.change_all(steps(changes), progress)?,
            }
        }
        Ok(())
    }

    fn change_all(
        &mut self,
        steps: impl Iterator<Item = Step>,
        progress: &mut Progress,
    ) -> Result<()> {
        carry_out(&mut self.ipvs, steps, progress, |line, text| {
            say_of_line(line, &text);
        })
    }

    /// Runs a rule that is no change, a listing say. Whatever was wrong with
    /// it, the rules after it are still to be done; a closed pipe is no news.
    fn run_rule(&mut self, rule: &Rule, progress: &mut Progress) {
        progress.done += 1;
        let Err(failure) = self.run(&rule.action) else {
            return;
        };
        let text = failure.to_string();
        if !text.is_empty() {
            say_of_line(Some(rule.line), &text);
        }
        match failure {
            Failure::Output(_) => progress.unwritten = Some(failure.exit()),
            _ => progress.refused += 1,
        }
    }
}

fn steps(rules: &[Rule]) -> impl Iterator<Item = Step> {
    rules.iter().filter_map(|rule| match rule.action {
        Action::Change(change) => Some((Some(rule.line), change)),
        _ => None,
    })
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
