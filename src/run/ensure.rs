//! `-R --ensure`: each line as with `--ensure`, over one reading of the table.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::lock;
use super::output::Output;
use super::progress::{Failed, Progress, carry_out, print_difference};
use super::session::Session;
use super::signals::Interrupt;
use super::table::present;
use crate::cli::opt::CommandName;
use crate::cli::patch::Desired;
use crate::cli::{Action, Restore};
use crate::rules::ensure::{Expected, Unreachable, ensured};
use crate::rules::plan::Step;
use crate::rules::{Rule, RuleError, WrongLine};
use crate::selection::Selection;
use ipvs::{Change, Ipvs};
use libc::{ENOENT, ESRCH};
use std::ffi::OsStr;

/// How often the lines are taken again when the kernel refuses something:
/// somebody else may have changed the table meanwhile.
const ROUNDS: usize = 3;

/// What a line asks for.
enum Wanted {
    /// A state, whatever that takes.
    State(Desired),
    /// A change that is made in any case, such as `-Z`.
    Change(Change),
}

/// What the lines take, and the lines that cannot be carried out.
#[derive(Default)]
struct Plan {
    steps: Vec<Step>,
    unreachable: Vec<Failed>,
}

/// Carries out `rules`; with `--dry-run`, prints what they take.
pub fn ensure(
    rules: &[Rule],
    options: Restore,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    let lines = lines(rules).map_err(Failure::WrongLines)?;
    if options.dry_run {
        return print(&lines, options.json, netns, out).map_err(Failure::cannot_tell);
    }
    let Session { mut ipvs, out, .. } = Session::open(netns, out)?;
    let _lock = lock::take();
    let mut progress = Progress::told(Interrupt::watch()?, options.json);
    // What is done in any case is done once.
    let repeatable = lines
        .iter()
        .all(|(_, wanted)| matches!(wanted, Wanted::State(_)));
    let rounds = if repeatable { ROUNDS } else { 1 };
    let (mut failed, mut steps) = (Vec::new(), 0);
    for _ in 0..rounds {
        let plan = plan(&lines, &mut ipvs).map_err(|failure| match progress.done {
            0 => failure,
            _ => failure.cannot_tell(),
        })?;
        failed = plan.unreachable;
        steps = progress.done + plan.steps.len();
        carry_out(
            &mut ipvs,
            plan.steps.into_iter(),
            &mut progress,
            |step, error| {
                failed.push(Failed::of(step, error));
                true
            },
        );
        progress.refused = failed.len();
        if failed.is_empty() || progress.is_over() {
            break;
        }
    }
    failed.sort_by_key(|failed| failed.line);
    failed.iter().for_each(Failed::say);
    Ok(progress.end_and_tell(steps, failed, out))
}

/// Prints what the lines take. Nothing is printed if that cannot be told.
fn print(lines: &[(u32, Wanted)], json: bool, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let Session {
        mut ipvs, mut out, ..
    } = Session::open(netns, out)?;
    let plan = plan(lines, &mut ipvs)?;
    let changes: Vec<Change> = plan.steps.iter().map(|(_, change)| *change).collect();
    let exit = print_difference(&mut out, json, &changes, &plan.unreachable)?;
    plan.unreachable.iter().for_each(Failed::say);
    Ok(match plan.unreachable.is_empty() {
        true => exit,
        false => Exit::Refused,
    })
}

/// What each rule asks for, or the lines that ask for nothing that could be
/// ensured.
fn lines(rules: &[Rule]) -> std::result::Result<Vec<(u32, Wanted)>, Vec<WrongLine>> {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for Rule { line, action } in rules {
        let wanted = match action {
            Action::Change(change) => {
                ensured(change).map_or(Wanted::Change(*change), Wanted::State)
            }
            Action::Reach(desired) => Wanted::State((**desired).clone()),
            Action::Drain(_) | Action::List(..) | Action::Save(_) => {
                let (line, error) = (*line, RuleError::NoChange);
                wrong.push(WrongLine { line, error });
                continue;
            }
        };
        lines.push((*line, wanted));
    }
    if wrong.is_empty() {
        Ok(lines)
    } else {
        Err(wrong)
    }
}

fn plan(lines: &[(u32, Wanted)], ipvs: &mut Ipvs) -> Result<Plan> {
    let present = present(ipvs, &Selection::default(), false);
    let present = present.map_err(|error| Failure::reading(CommandName::Restore, error))?;
    let mut expected = Expected::of(&present.table);
    let mut plan = Plan::default();
    for (line, wanted) in lines {
        let change = match wanted {
            Wanted::State(desired) => expected.reach(desired),
            Wanted::Change(change) => {
                expected.make(change);
                Ok(Some(*change))
            }
        };
        match change {
            Ok(change) => plan
                .steps
                .extend(change.map(|change| (Some(*line), change))),
            Err(why) => plan.unreachable.push(Failed {
                line: Some(*line),
                change: None,
                error: text(&why),
            }),
        }
    }
    Ok(plan)
}

/// What the kernel would say.
fn text(why: &Unreachable) -> String {
    match why {
        Unreachable::Usage(error) => error.to_string(),
        Unreachable::NoService(command) => failure::refusal(*command, ESRCH),
        Unreachable::NoServer(command) => failure::refusal(*command, ENOENT),
    }
}
