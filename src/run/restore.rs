//! `-R` and ipvsadm-restore: carries out rules that were read and checked as a
//! whole, in their order.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::progress::{Progress, carry_out, say_of_line};
use super::session::Session;
use super::signals::Interrupt;
use super::{action, ensure, lock, ready, replace};
use crate::cli::opt::CommandName;
use crate::cli::{Action, Restore};
use crate::names::ManyLookup;
use crate::render::text;
use crate::rules::plan::{Step, Wanted};
use crate::rules::{self, Rule};
use ipvs::Change;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// What is done with the table before the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing: `-R`.
    AsIs,
    /// It is cleared: ipvsadm-restore.
    Cleared,
}

/// What editors of other systems write at the start of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// All of standard input, without a byte order mark. The standard library's own
/// handle is not used: it takes a closed descriptor for an empty file.
pub fn standard_input() -> Result<Vec<u8>> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    let mut input = stdin.and_then(ready::read_to_end).map_err(Failure::Input)?;
    if input.starts_with(BYTE_ORDER_MARK) {
        input.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(input)
}

/// Carries out the rules in `input`, in the network namespace `netns` if one is
/// named.
pub fn restore(
    input: &[u8],
    options: Restore,
    start: Start,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    // More likely the output of a failed command than intended.
    if options.replace && input.is_empty() {
        return Err(Failure::NothingToReplaceWith {
            whole: options.part.is_whole(),
        });
    }
    let rules = rules::read(input, &mut ManyLookup::default()).map_err(Failure::WrongLines)?;
    for name in &rules.loopback {
        say_of_line(Some(name.line), &name.to_string());
    }
    let rules = rules.lines;
    if options.replace {
        let wanted = Wanted::from_rules(&rules, &options.part).map_err(Failure::WrongLines)?;
        return replace::replace(&wanted, options, netns, out);
    }
    if options.ensure {
        return ensure::ensure(&rules, options, netns, out);
    }
    if options.dry_run {
        return dry_run(input, &rules, start, out);
    }
    let mut session = Session::open(netns, out)?;
    session.check_permission(CommandName::Restore)?;
    let mut progress = Progress::new(Interrupt::watch()?);
    carry_out_all(&mut session, &rules, start, &mut progress);
    if let Err(failure) = session.out.finish() {
        progress.unwritten = Some(failure::report(&failure));
    }
    Ok(progress.end("rules", rules.len()))
}

/// Prints the changes that `rules` would make, and makes none. A line
/// whose effect depends on the table is printed as it is.
fn dry_run(input: &[u8], rules: &[Rule], start: Start, mut out: Output) -> Result<Exit> {
    if start == Start::Cleared {
        text::rule(out.buffer(), None, &Change::Flush);
    }
    let mut lines = (1..).zip(input.split(|byte| *byte == b'\n'));
    let mut words = Vec::new();
    for rule in rules {
        let line = lines.find(|(number, _)| *number == rule.line);
        match &rule.action {
            Action::Change(change) => text::rule(out.buffer(), None, change),
            // What draining does in the end.
            Action::Drain(drain) if drain.edit.command() == CommandName::DeleteServer => {
                let delete = Change::DeleteServer(drain.service, drain.server);
                text::rule(out.buffer(), None, &delete);
            }
            Action::Reach(_) | Action::Drain(_) => {
                rules::words(line.map_or(b"", |(_, text)| text), &mut words);
                out.buffer().text(words.join(&b' '));
                out.buffer().push(b'\n');
            }
            Action::List(..) | Action::Save(_) => {}
        }
        out.flush_if_full()?;
    }
    out.finish()?;
    Ok(Exit::Success)
}

/// Carries out `rules` in their order, up to an early end.
fn carry_out_all(session: &mut Session, rules: &[Rule], start: Start, progress: &mut Progress) {
    if start == Start::Cleared {
        change_all(session, [(None, Change::Flush)].into_iter(), progress);
        if progress.refused > 0 {
            return;
        }
        progress.cleared = progress.done > 0;
        progress.done = 0;
    }
    let is_change = |rule: &Rule| matches!(rule.action, Action::Change(_));
    for run in rules.chunk_by(|a, b| is_change(a) && is_change(b)) {
        match run {
            _ if progress.is_over() => break,
            [rule] if !is_change(rule) => run_rule(session, rule, progress),
            changes => change_all(session, steps(changes), progress),
        }
    }
}

fn change_all(session: &mut Session, steps: impl Iterator<Item = Step>, progress: &mut Progress) {
    let _lock = lock::take();
    let ipvs = &mut session.ipvs;
    carry_out(ipvs, steps, progress, |(line, change), error| {
        say_of_line(line, &failure::failed(&change, error));
        true
    });
}

/// Runs a rule that changes nothing, such as a listing. Whatever goes wrong,
/// continue with the remaining rules; a closed pipe is not reported.
fn run_rule(session: &mut Session, rule: &Rule, progress: &mut Progress) {
    progress.done += 1;
    let Err(failure) = action::run(session, &rule.action) else {
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

fn steps(rules: &[Rule]) -> impl Iterator<Item = Step> {
    rules.iter().filter_map(|rule| match rule.action {
        Action::Change(change) => Some((Some(rule.line), change)),
        _ => None,
    })
}
