//! `-R` and ipvsadm-restore: rules that were read and checked whole, carried
//! out in their order.

use super::exit::Exit;
use super::failure::{self, Failure};
use super::output::Output;
use super::signals::Interrupt;
use super::{Session, replace};
use crate::cli::{Action, Restore};
use crate::kernel::Ipvs;
use crate::model::Change;
use crate::names::{ManyLookup, Numeric};
use crate::render;
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
pub fn standard_input() -> anyhow::Result<Vec<u8>> {
    let mut input = Vec::new();
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin
        .and_then(|mut stdin| stdin.read_to_end(&mut input))
        .map_err(Failure::Input)?;
    Ok(input)
}

/// Carries out the rules in `input`.
pub fn restore(input: &[u8], options: Restore, start: Start, out: Output) -> anyhow::Result<Exit> {
    // More likely a command before this one that failed than a wish.
    if options.replace && input.is_empty() {
        return Err(Failure::NothingToReplaceWith.into());
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
    let interrupt = Interrupt::watch()?;
    let failed = session.carry_out_all(&rules, start)?;
    session.out.finish()?;
    Ok(ended(&interrupt, failed == 0))
}

/// The exit status after all rules were carried out, well or not.
pub fn ended(interrupt: &Interrupt, well: bool) -> Exit {
    if interrupt.came() {
        failure::say(b"interrupted, but not before all rules were carried out");
        return Exit::Interrupted;
    }
    if well { Exit::Success } else { Exit::Refused }
}

/// Prints the changes that `rules` would make, and makes none.
fn dry_run(rules: &[Rule], start: Start, mut out: Output) -> anyhow::Result<Exit> {
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
pub fn print_changes(
    out: &mut Output,
    changes: impl Iterator<Item = Change>,
) -> anyhow::Result<()> {
    for change in changes {
        render::change_line(out, &Numeric, &change).map_err(Failure::Output)?;
    }
    out.finish()
}

impl Session {
    /// Carries out `rules` in their order; how many failed.
    fn carry_out_all(&mut self, rules: &[Rule], start: Start) -> anyhow::Result<usize> {
        let mut failed = 0;
        if start == Start::Cleared {
            failed += self.change_all([(None, Change::Flush)].into_iter())?;
        }
        let is_change = |rule: &Rule| matches!(rule.action, Action::Change(_));
        for run in rules.chunk_by(|a, b| is_change(a) && is_change(b)) {
            match run {
                [rule] if !is_change(rule) => failed += self.run_rule(rule),
                changes => failed += self.change_all(steps(changes))?,
            }
        }
        Ok(failed)
    }

    fn change_all(&mut self, steps: impl Iterator<Item = Step>) -> anyhow::Result<usize> {
        carry_out(&mut self.ipvs, steps, |line, text| say_of_line(line, &text))
    }

    /// Runs a rule that is no change, a listing say; 1 if it failed, 0 if not.
    /// Whatever was wrong with it, the rules after it are still to be done.
    fn run_rule(&mut self, rule: &Rule) -> usize {
        let Err(error) = self.run(&rule.action) else {
            return 0;
        };
        if !matches!(error.downcast_ref(), Some(Failure::Said(_))) {
            say_of_line(Some(rule.line), &format!("{error:#}"));
        }
        1
    }
}

fn steps(rules: &[Rule]) -> impl Iterator<Item = Step> {
    rules.iter().filter_map(|rule| match rule.action {
        Action::Change(change) => Some((Some(rule.line), change)),
        _ => None,
    })
}

/// Carries out `steps` in their order and tells `refused` in which words the
/// kernel refused which; how many it refused.
pub fn carry_out(
    ipvs: &mut Ipvs,
    steps: impl Iterator<Item = Step>,
    mut refused: impl FnMut(Option<u32>, String),
) -> anyhow::Result<usize> {
    let mut count = 0;
    let tagged = steps.map(|(line, change)| ((line, change.verb()), change));
    ipvs.batch(tagged, |(line, verb), error| {
        count += 1;
        refused(line, failure::refusal(verb, error.errno()));
    })
    .context("cannot talk to the kernel")?;
    Ok(count)
}

/// Reports what is wrong with a line, or with what no line asked for.
pub fn say_of_line(line: Option<u32>, text: &str) {
    match line {
        Some(line) => failure::say(format!("line {line}: {text}").as_bytes()),
        None => failure::say(text.as_bytes()),
    }
}
