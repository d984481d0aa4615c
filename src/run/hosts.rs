//! `-e` and `-d` with `--all` or `--vip`: the same edit of real servers in every
//! service that has them.
//!
//! The table is read once, and says what there is to edit; others may edit it
//! meanwhile. Each change is the kernel's to refuse, and the others are made.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::lock;
use super::output::Output;
use super::progress::{Progress, carry_out, print_changes};
use super::session::Session;
use super::signals::Interrupt;
use super::table;
use crate::cli::opt::CommandName;
use crate::cli::patch::Over;
use crate::cli::{HostEdit, Hosts};
use crate::render::text;
use ipvs::{Change, Ipvs, KernelError, Table};
use libc::{ENOENT, ESRCH};
use std::ffi::OsStr;

/// Edits the servers; with `--dry-run`, prints how.
// Kept away from what every command runs, see build.rs.
#[cold]
pub fn edit(hosts: &Hosts, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    if hosts.dry_run {
        return print(hosts, netns, out).map_err(Failure::cannot_tell);
    }
    let Session { mut ipvs, .. } = Session::open(netns, out)?;
    let _lock = lock::take();
    let changes = changes(hosts, &mut ipvs)?;
    let mut progress = Progress::new(Interrupt::watch()?);
    let count = changes.len();
    let steps = changes.into_iter().map(|change| (None, change));
    carry_out(&mut ipvs, steps, &mut progress, |(_, change), error| {
        let vanished = is_absence(&error);
        if !vanished {
            let command = text::command(&change);
            let why = failure::failed(&change, error);
            failure::say(format!("{command}: {why}").as_bytes());
        }
        !vanished
    });
    Ok(progress.end("changes", count))
}

fn print(hosts: &Hosts, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let Session {
        mut ipvs, mut out, ..
    } = Session::open(netns, out)?;
    let changes = changes(hosts, &mut ipvs)?;
    print_changes(&mut out, changes.iter().copied())?;
    Ok(match changes.is_empty() {
        true => Exit::Success,
        false => Exit::Failure,
    })
}

/// What has to be changed.
fn changes(hosts: &Hosts, ipvs: &mut Ipvs) -> Result<Vec<Change>> {
    let services = table::services(ipvs, &hosts.part);
    let table = services.and_then(|services| table::read(ipvs, services, &hosts.part, true));
    match (table, &hosts.edit) {
        (Err(Failure::NothingSelected(_)), HostEdit::Delete { ensure: true }) => Ok(Vec::new()),
        (Err(Failure::NothingSelected(_)), _) => {
            Err(Failure::refused(CommandName::DeleteServer, ENOENT))
        }
        (table, edit) => edits(edit, &table?),
    }
}

/// `edit` of all servers in `table`, as far as it changes them.
fn edits(edit: &HostEdit, table: &Table) -> Result<Vec<Change>> {
    let (mut changes, mut wrong) = (Vec::new(), Vec::new());
    let servers = table
        .services
        .iter()
        .flat_map(|(service, servers)| servers.iter().map(|server| (service.key, server)));
    for (service, server) in servers {
        match edit {
            HostEdit::Delete { .. } => changes.push(Change::DeleteServer(service, server.key)),
            HostEdit::Keep(options) => match options.over(&server.config) {
                Ok(config) if config.is_same(&server.config) => {}
                Ok(config) => changes.push(Change::EditServer(service, server.key, config)),
                Err(error) => wrong.push((service, server.key, error)),
            },
        }
    }
    match wrong.is_empty() {
        true => Ok(changes),
        false => Err(Failure::WrongServers(wrong)),
    }
}

/// Whether what was to be changed is not there any more.
fn is_absence(error: &KernelError) -> bool {
    matches!(error, KernelError::Refused(errno) if [ENOENT, ESRCH].contains(&errno.0))
}
