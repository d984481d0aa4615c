//! The three programs: from the words they were called with, the program's
//! name first, to the exit status.

use super::action;
use super::check;
use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::hints::{self, Asked};
use super::output::Output;
use super::restore::{self, Start};
use super::{change, hosts, watch};
use crate::cli::{self, Action, Command, Invocation, Restore, help, save_restore};
use crate::names::{Several, SystemLookup};
use crate::render::visible;
use std::env;
use std::ffi::OsStr;

/// Reports how a program ended that was `asked` for something; its status.
fn ended(result: Result<Exit>, asked: &Asked) -> u8 {
    let exit = result.unwrap_or_else(|failure| {
        let exit = failure::report(&failure);
        hints::after(&failure, asked);
        exit
    });
    exit as u8
}

/// The program ipvsadm.
pub fn ipvsadm(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    let (program, words) = match words.split_first() {
        Some((program, words)) => (*program, words),
        None => (&b"ipvsadm"[..], words),
    };
    // popt knows both names.
    let is_set = |name| env::var_os(name).is_some();
    let posix = is_set("POSIXLY_CORRECT") || is_set("POSIX_ME_HARDER");
    let mut lookup = SystemLookup::default();
    match cli::parse(program, words, posix, &mut lookup) {
        Ok(invocation) => {
            if invocation.command.selects_hosts() {
                say_of_names(&lookup.several);
            }
            let meaning = Some(&invocation);
            let result = carry_out(&invocation, out);
            if result.is_ok() {
                hints::doubt(&invocation, words);
            }
            ended(result, &Asked { words, meaning })
        }
        Err(error) => {
            let meaning = None;
            ended(Err(Failure::Usage(error)), &Asked { words, meaning })
        }
    }
}

/// Says which address is meant by names that have several.
#[cold]
pub fn say_of_names(names: &[Several]) {
    for Several { name, first, count } in names {
        let name = visible(name);
        let said = format!("{name} has {count} addresses; only the first is meant: {first}");
        failure::say(said.as_bytes());
    }
}

/// Does what the user asked for.
fn carry_out(invocation: &Invocation, out: Output) -> Result<Exit> {
    let netns = invocation.netns.as_deref();
    match &invocation.command {
        Command::Help => {
            let program = String::from_utf8_lossy(invocation.program);
            print(out, &help::help(&program))
        }
        Command::Version => print(out, &help::version()),
        Command::Restore(options) => {
            let input = restore::standard_input()?;
            restore::restore(&input, *options, Start::AsIs, netns, out)
        }
        Command::Watch(watch) => watch::watch(watch, netns, out),
        Command::Check {
            check,
            ignore,
            json,
        } => check::check(check, ignore, *json, netns, out),
        Command::Hosts(hosts) => hosts::edit(hosts, netns, out),
        Command::Reach {
            desired,
            dry_run,
            json,
        } => change::reach_and_tell(desired, *dry_run, *json, netns, out),
        Command::Action(action) => action::run_alone(action, netns, out),
    }
}

/// Prints a text of the program's own.
fn print(mut out: Output, text: &str) -> Result<Exit> {
    out.buffer().text(text);
    out.finish()?;
    Ok(Exit::Success)
}

/// The program ipvsadm-save.
pub fn ipvsadm_save(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    match save_restore::save(arguments(words)) {
        Ok(Some((options, netns))) => {
            let action = Action::Save(options);
            let result = action::run_alone(&action, netns.as_deref(), out);
            ended(result, &Asked::default())
        }
        Err(error) => ended(Err(Failure::Usage(error)), &Asked::default()),
        // On stderr even if asked for, as C ipvsadm prints it.
        Ok(None) => {
            failure::say(help::SAVE.trim_end().as_bytes());
            Exit::Failure as u8
        }
    }
}

/// The program ipvsadm-restore.
pub fn ipvsadm_restore(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    let result = match save_restore::restore(arguments(words)) {
        Ok(Some((options, netns))) => restore_from_input(options, netns.as_deref(), out),
        Ok(None) => print(out, help::RESTORE),
        Err(error) => Err(Failure::Usage(error)),
    };
    ended(result, &Asked::default())
}

fn restore_from_input(options: Restore, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let input = restore::standard_input()?;
    restore::restore(&input, options, Start::Cleared, netns, out)
}

/// All words but the program's name.
fn arguments<'a, 'w>(words: &'w [&'a [u8]]) -> &'w [&'a [u8]] {
    words.get(1..).unwrap_or_default()
}
