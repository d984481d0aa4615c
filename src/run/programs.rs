//! The three programs: from the words they were called with, the program's
//! name first, to the exit status.

use super::failure::{self, Failure};
use super::output::Output;
use super::restore::{self, Start};
use super::{carry_out, print};
use crate::cli::{self, Command, Complaint, Exit, Restore, frontend};
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
    let (mut numeric, mut all) = (false, false);
    for word in words.iter().skip(1) {
        match *word {
            b"-n" => numeric = true,
            b"--all" => all = true,
            [b'-', ..] => {
                failure::say(SAVE_HELP.as_bytes());
                return 1;
            }
            // The original ignores other words.
            _ => {}
        }
    }
    let command = Command::Save { numeric, all };
    ended(carry_out("ipvsadm-save", &command, out))
}

const SAVE_HELP: &str = "\
Usage: ipvsadm-save [-n] [--all]
Print the IPVS table as rules for ipvsadm-restore.
  -n      addresses and ports as numbers
  --all   also the session time-outs and the sync daemons";

/// The program ipvsadm-restore.
pub fn ipvsadm_restore(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    let mut options = Restore::default();
    for word in words.iter().skip(1) {
        match *word {
            b"--replace" => options.replace = true,
            b"--dry-run" => options.dry_run = true,
            b"-h" | b"--help" => return ended(print(out, RESTORE_HELP)),
            [b'-', ..] => {
                failure::say(RESTORE_HELP.trim_end().as_bytes());
                return Exit::Usage as u8;
            }
            // The original ignores other words.
            _ => {}
        }
    }
    ended(restore_from_input(options, out))
}

fn restore_from_input(options: Restore, out: Output) -> anyhow::Result<Exit> {
    restore::restore(&restore::standard_input()?, options, Start::Cleared, out)
}

const RESTORE_HELP: &str = "\
Usage: ipvsadm-restore [--replace] [--dry-run] < RULES
Clear the IPVS table and carry out the rules on standard input.
  --replace   do not clear: make the table equal to the rules by the smallest change
  --dry-run   change nothing, print the commands that would run
";
