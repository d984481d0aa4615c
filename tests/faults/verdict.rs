//! Whether a command that was failed has told the truth.

use crate::calls::Kind;
use crate::commands::{Case, Program, Steps};
use crate::place::Files;
use crate::support::programs::{End, Outcome};
use crate::tracer::{Fault, Made};
use nix::errno::Errno;
use nix::libc::{SIGABRT, SIGKILL, STDERR_FILENO, SYS_write};
use std::collections::BTreeSet;
use std::io;

/// What is to be seen after a run.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    pub outcome: Outcome,
    pub table: String,
    pub files: Files,
}

/// What a run is compared with.
pub struct Expected {
    /// Before it.
    pub table: String,
    pub files: Files,
    /// After one without a fault.
    pub clean: Seen,
    /// The output with numbers instead of names.
    pub numeric: Option<Vec<u8>>,
}

/// What is wrong with a run that met `fault` in the call `hit`.
pub fn judge(
    case: &Case,
    expected: &Expected,
    seen: &Seen,
    fault: &Fault,
    hit: &Made,
) -> Result<(), String> {
    let stdout = String::from_utf8_lossy(&seen.outcome.stdout);
    let stderr = String::from_utf8_lossy(&seen.outcome.stderr);
    if stderr.contains("panicked at") {
        return Err("it panicked".into());
    }
    if seen.outcome.end == End::Hang {
        return Err("it hangs".into());
    }
    if fault.kind == Kind::Kill && seen.outcome.end == End::Signal(SIGKILL) {
        return killed(case, expected, seen);
    }
    let unwritable = hit.first == STDERR_FILENO as u64 && hit.number == SYS_write;
    if is_clean(case, expected, seen, unwritable) {
        return Ok(());
    }
    if case.with_loader {
        // It has words, and signals, of its own.
        return match seen.outcome.end != End::Exit(0) && seen.table == expected.table {
            true => Ok(()),
            false => Err("a program that did not start has done something".into()),
        };
    }
    if fault.is_harmless() && is_ours(&hit.program) {
        return Err("it must go on as if nothing had been".into());
    }
    match seen.outcome.end {
        // Rust ends a process that has no memory.
        End::Signal(SIGABRT) if stderr.contains("memory allocation of") => {
            return killed(case, expected, seen);
        }
        End::Signal(signal) => return Err(format!("it is killed by the signal {signal}")),
        End::Exit(0) => return Err(difference(case, expected, seen)),
        End::Exit(status) => {
            // One that says so is right to say no.
            let says_why = says_what_is_unread(&stdout) || stderr.contains("time is up");
            let answers: &[i32] = match case.question && !says_why {
                true => &[1, 3],
                false => &[],
            };
            if answers.contains(&status) {
                return Err(format!("{status} is an answer, and it cannot know"));
            }
        }
        End::Hang => unreachable!("seen above"),
    }
    if !unwritable {
        names_what_failed(&stdout, &stderr, fault.kind.errno())?;
    }
    // The service says what it has done as it goes.
    let told = match case.program {
        Program::Service => format!("{stdout}{stderr}"),
        _ => stderr.into_owned(),
    };
    table_as_told(case, expected, seen, &told)?;
    files_of_before_or_after(expected, seen, false)
}

/// Whether this is the name of a program of ours, or that of C ipvsadm.
pub fn is_ours(program: &str) -> bool {
    [
        Program::Ipvsadm,
        Program::Save,
        Program::Restore,
        Program::Top,
    ]
    .iter()
    .any(|ours| ours.name() == program)
}

/// Whether nobody could tell the run from one without a fault, but for its words on
/// stderr, if that was `unwritable`.
fn is_clean(case: &Case, expected: &Expected, seen: &Seen, unwritable: bool) -> bool {
    let clean = &expected.clean;
    seen.table == clean.table
        && seen.files == clean.files
        && seen.outcome.end == clean.outcome.end
        && same_output(case, expected, &seen.outcome.stdout)
        // What is said besides, of a thing that was tried again, is no harm.
        && (seen.outcome.end == End::Exit(0)
            || unwritable
            || masked(case, &seen.outcome.stderr) == masked(case, &clean.outcome.stderr))
}

fn same_output(case: &Case, expected: &Expected, stdout: &[u8]) -> bool {
    // What the service says of what it did is no answer; whether anyone hears it
    // changes nothing.
    if case.program == Program::Service {
        return true;
    }
    let clean = masked(case, &expected.clean.outcome.stdout);
    let stdout = masked(case, stdout);
    let Some(numeric) = &expected.numeric else {
        return stdout == clean;
    };
    // Each line with its names, or with any of them as a number.
    let numeric = masked(case, numeric);
    let lines = stdout.lines().count() == clean.lines().count();
    lines
        && stdout
            .lines()
            .zip(clean.lines().zip(numeric.lines()))
            .all(|(line, (named, numeric))| {
                let parts = |text: &str| -> BTreeSet<String> {
                    text.split([' ', ':']).map(str::to_owned).collect()
                };
                let known = &parts(named) | &parts(numeric);
                parts(line).is_subset(&known)
            })
}

/// Without what depends on the time.
fn masked(case: &Case, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !case.timed {
        return text.into_owned();
    }
    let mut masked = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_digit() { '#' } else { c };
        if !(matches!(c, '#' | ' ') && masked.ends_with(c)) {
            masked.push(c);
        }
    }
    masked
}

fn difference(case: &Case, expected: &Expected, seen: &Seen) -> String {
    let clean = &expected.clean;
    let mut what = Vec::new();
    if seen.table != clean.table {
        what.push("the table is not what it should be");
    }
    if seen.files != clean.files {
        what.push("the files are not what they should be");
    }
    if !same_output(case, expected, &seen.outcome.stdout) {
        what.push("the output is not what it should be");
    }
    if what.is_empty() {
        what.push("so is not the end of a run without a fault");
    }
    format!("status 0, but {}", what.join(", and "))
}

/// A process that was killed can say nothing, or not how far it was: what it leaves is the table at some
/// moment, and the rules of before or of after. A file on its way to take their
/// place may be left.
fn killed(case: &Case, expected: &Expected, seen: &Seen) -> Result<(), String> {
    let before_or_after = seen.table == expected.table || seen.table == expected.clean.table;
    if !before_or_after && !is_on_the_way(case, expected, seen) {
        return Err("the table is neither that of before nor of any time later".into());
    }
    files_of_before_or_after(expected, seen, true)
}

fn lines(table: &str) -> BTreeSet<&str> {
    table.lines().collect()
}

/// Whether the table is one between before and after.
fn is_on_the_way(case: &Case, expected: &Expected, seen: &Seen) -> bool {
    match case.steps {
        Steps::One => false,
        Steps::Many => {
            let known = &lines(&expected.table) | &lines(&expected.clean.table);
            lines(&seen.table).is_subset(&known)
        }
        Steps::Drain => {
            let before = without_weights(&expected.table);
            let now = without_weights(&seen.table);
            lines(&now).is_subset(&lines(&before))
        }
    }
}

fn without_weights(table: &str) -> String {
    let words = table.split(' ').map(|word| match word.split_once('=') {
        Some(("weight", _)) => "weight",
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// --check goes on without what it cannot read, and its answer says so.
fn says_what_is_unread(stdout: &str) -> bool {
    stdout.lines().any(|line| line.starts_with("not read: "))
}

/// At least one line says more than an error's name.
fn names_what_failed(stdout: &str, stderr: &str, errno: Option<Errno>) -> Result<(), String> {
    if says_what_is_unread(stdout) {
        return Ok(());
    }
    if stderr.trim().is_empty() {
        return Err("it fails and says nothing".into());
    }
    let mut bare = vec!["Memory allocation problem".to_owned()];
    if let Some(errno) = errno {
        let text = io::Error::from(errno).to_string();
        bare.extend(text.split(" (os error").next().map(str::to_owned));
    }
    let says_more = |line: &str| {
        let said = match line.split_once(": ") {
            Some((number, said)) if number.starts_with("line ") => said,
            _ => line,
        };
        !bare.iter().any(|bare| bare == said)
    };
    match stderr.lines().any(says_more) {
        true => Ok(()),
        false => Err("it does not say what failed".into()),
    }
}

/// The table as before, or as far as is said. Of what was not done it may be said that
/// it may have been.
fn table_as_told(case: &Case, expected: &Expected, seen: &Seen, told: &str) -> Result<(), String> {
    if seen.table == expected.table {
        return Ok(());
    }
    let on_the_way = is_on_the_way(case, expected, seen);
    if seen.table != expected.clean.table && !on_the_way {
        return Err("the table is neither that of before nor of after".into());
    }
    let says = |words: &[&str]| words.iter().any(|word| told.contains(word));
    let is_told = match case.steps {
        Steps::One => says(&["may have been made", "changes were made"]),
        Steps::Drain => says(&[
            "may have been made",
            "weight may still be 0",
            "the weight stays 0",
            "not deleted, and the weight is ",
        ]),
        Steps::Many => {
            says(&[
                "may have been made",
                "changes were made",
                "were applied",
                "were tried",
                "not all rules of",
                "nothing is stopped",
                "done, but ",
                "rules loaded from",
                "are in force",
                "table cleared",
                "whether the table is cleared",
            ]) || missing_are_told(expected, seen, told)
        }
    };
    match is_told {
        true => Ok(()),
        false => Err("the table has changed, and it does not say so".into()),
    }
}

/// Whether there is a line on stderr for every rule that is not in force.
fn missing_are_told(expected: &Expected, seen: &Seen, stderr: &str) -> bool {
    let told = stderr.lines().filter(|line| line.starts_with("line "));
    let told = told.count();
    let (wanted, there) = (lines(&expected.clean.table), lines(&seen.table));
    let (missing, left) = (&wanted - &there, &there - &wanted);
    told > 0 && missing.len().max(left.len()) <= told
}

/// Files of before or of after; `new` allows for a temporary one.
fn files_of_before_or_after(expected: &Expected, seen: &Seen, new: bool) -> Result<(), String> {
    for (name, text) in &seen.files {
        let of = |files: &Files| files.get(name) == Some(text);
        let is_temporary = new && name.contains("/ipvsadm.rules.");
        let is_mark = name.ends_with("/ipvsadm.unsaved");
        if !of(&expected.files) && !of(&expected.clean.files) && !is_temporary && !is_mark {
            return Err(format!("it leaves {name} with:\n{text}"));
        }
    }
    let gone = |name: &&String| !seen.files.contains_key(*name);
    match expected.files.keys().find(gone) {
        Some(name) => Err(format!("{name} is gone")),
        None => Ok(()),
    }
}
