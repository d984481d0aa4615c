//! The three programs: from the words they were called with, the program's
//! name first, to the exit status.

use super::failure::{self, Failure};
use super::output::Output;
use super::restore::{self, Start};
use super::{carry_out, print};
use crate::cli::{self, Complaint, Exit, Restore, frontend, help, scripts};
use crate::names::SystemLookup;
use std::env;

fn ended(result: anyhow::Result<Exit>) -> u8 {
    let exit = result.unwrap_or_else(|error| failure::report(&error));
    exit as u8
}

/// The program ipvsadm.
pub fn ipvsadm(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    ended(match words.split_first() {
        Some((program, words)) => run(program, words, out),
        None => run(b"ipvsadm", &[], out),
    })
}

fn run(program: &[u8], words: &[&[u8]], out: Output) -> anyhow::Result<Exit> {
    // popt knows both names.
    let posix = ["POSIXLY_CORRECT", "POSIX_ME_HARDER"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    let command = cli::parse(program, words, posix, &mut SystemLookup::default())
        .map_err(|complaint| Failure::Complaint(with_near_miss(complaint)))?;
    carry_out(&String::from_utf8_lossy(program), &command, out)
}

/// Adds what may have been meant by an unknown option.
fn with_near_miss(complaint: Complaint) -> Complaint {
    let Some(word) = complaint.text.strip_suffix(b": unknown option") else {
        return complaint;
    };
    match frontend::near_miss(word) {
        Some(option) => complaint.with_hint(format!("did you mean {option}?")),
        None => complaint,
    }
}

/// The program ipvsadm-save.
pub fn ipvsadm_save(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    match scripts::save(arguments(words)) {
        Some(command) => ended(carry_out("ipvsadm-save", &command, out)),
        // As the original: to stderr, whoever asked.
        None => {
            failure::say(help::SAVE.trim_end().as_bytes());
            1
        }
    }
}

/// The program ipvsadm-restore.
pub fn ipvsadm_restore(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    ended(match scripts::restore(arguments(words)) {
        Ok(Some(options)) => restore_from_input(options, out),
        Ok(None) => print(out, help::RESTORE),
        Err(complaint) => Err(Failure::Complaint(complaint).into()),
    })
}

fn restore_from_input(options: Restore, out: Output) -> anyhow::Result<Exit> {
    restore::restore(&restore::standard_input()?, options, Start::Cleared, out)
}

/// All words but the program's name.
fn arguments<'a, 'w>(words: &'w [&'a [u8]]) -> &'w [&'a [u8]] {
    words.get(1..).unwrap_or_default()
}
