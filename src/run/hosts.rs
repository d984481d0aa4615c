//! `-e` and `-d` with `--all` or `--vip`: the same edit of real servers in every
//! service that has them. With `--drain`, see there.
//!
//! The table is read once, and says what there is to edit; others may edit it
//! meanwhile. Each change is the kernel's to refuse, and the others are made.

use super::exit::Exit;
use super::failure::{self, Failure, Result};
use super::output::Output;
use super::progress::{Failed, Progress, carry_out, print_difference};
use super::session::Session;
use super::signals::Interrupt;
use super::table;
use super::{drain, lock};
use crate::cli::patch::{Over, ServerOptions};
use crate::cli::{Hosts, ServerEdit};
use crate::render::text;
use ipvs::{Change, Ipvs, KernelError, Server, ServerConfig, ServiceKey, Table};
use libc::{ENOENT, ESRCH};
use std::ffi::OsStr;

/// Edits the servers; with `--dry-run`, prints how.
// Kept away from what every command runs, see build.rs.
#[cold]
pub fn edit(hosts: &Hosts, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    if hosts.dry_run {
        return print(hosts, netns, out).map_err(Failure::cannot_tell);
    }
    let mut session = Session::open(netns, out)?;
    if let Some(limit) = hosts.drain {
        return drain::drain(&mut session, &hosts.part, &hosts.edit, limit);
    }
    let Session { mut ipvs, out, .. } = session;
    let _lock = lock::take();
    let changes = changes(hosts, &mut ipvs)?;
    let mut progress = Progress::told(Interrupt::watch()?, hosts.json);
    let count = changes.len();
    let steps = changes.into_iter().map(|change| (None, change));
    let mut failures = Vec::new();
    carry_out(&mut ipvs, steps, &mut progress, |step, error| {
        let vanished = is_absence(&error);
        if !vanished {
            let failed = Failed::of(step, error);
            let command = text::command(&step.1);
            failure::say(format!("{command}: {}", failed.error).as_bytes());
            failures.push(failed);
        }
        !vanished
    });
    Ok(progress.end_and_tell(count, failures, out))
}

fn print(hosts: &Hosts, netns: Option<&OsStr>, out: Output) -> Result<Exit> {
    let Session {
        mut ipvs, mut out, ..
    } = Session::open(netns, out)?;
    let changes = changes(hosts, &mut ipvs)?;
    print_difference(&mut out, hosts.json, &changes, &[])
}

/// What has to be changed.
fn changes(hosts: &Hosts, ipvs: &mut Ipvs) -> Result<Vec<Change>> {
    let table = match table::to_edit(ipvs, &hosts.part, hosts.edit.command()) {
        Err(failure) if is_done(&hosts.edit, &failure) => return Ok(Vec::new()),
        table => table?,
    };
    let changes = match &hosts.edit {
        ServerEdit::Keep(options) => kept(options, &table)?
            .into_iter()
            .filter(|(_, server, config)| !config.is_same(&server.config))
            .map(|(service, server, config)| Change::EditServer(service, server.key, config))
            .collect(),
        ServerEdit::Delete { .. } => {
            let weights = match hosts.drain {
                Some(_) => drain::weights_of_0(&table),
                None => Vec::new(),
            };
            let deleted = servers(&table);
            let deleted =
                deleted.map(|(service, server)| Change::DeleteServer(service, server.key));
            weights.into_iter().chain(deleted).collect()
        }
    };
    Ok(changes)
}

/// All real servers, with their services.
pub fn servers(table: &Table) -> impl Iterator<Item = (ServiceKey, &Server)> {
    let services = table.services.iter();
    services.flat_map(|(service, servers)| servers.iter().map(|server| (service.key, server)))
}

/// The servers in `table`, and what `options` make of each.
pub fn kept<'a>(
    options: &ServerOptions,
    table: &'a Table,
) -> Result<Vec<(ServiceKey, &'a Server, ServerConfig)>> {
    let (mut kept, mut wrong) = (Vec::new(), Vec::new());
    for (service, server) in servers(table) {
        match options.over(&server.config) {
            Ok(config) => kept.push((service, server, config)),
            Err(error) => wrong.push((service, server.key, error)),
        }
    }
    match wrong.is_empty() {
        true => Ok(kept),
        false => Err(Failure::WrongServers(wrong)),
    }
}

/// Whether it is as `edit` wants it that there is no such server.
pub fn is_done(edit: &ServerEdit, failure: &Failure) -> bool {
    *edit == ServerEdit::Delete { ensure: true } && failure.is_absence()
}

/// Whether what was to be changed is not there any more.
fn is_absence(error: &KernelError) -> bool {
    matches!(error, KernelError::Refused(errno) if [ENOENT, ESRCH].contains(&errno.0))
}
