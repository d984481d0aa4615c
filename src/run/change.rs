//! One change of the table: as given, or as `--keep` and `--ensure` need it.
//!
//! The kernel has neither partial nor conditional edits: keeping a value, or
//! leaving alone what is right already, means to read, compare and write. What
//! others do between reading and writing shows only in the kernel's refusal;
//! the change is then tried again if the desired state can still be reached.

use super::exit::Exit;
use super::failure::{Failure, Result};
use super::output::Output;
use super::progress::print_changes;
use super::session::Session;
use super::{lock, table};
use crate::cli::opt::CommandName;
use crate::cli::patch::Desired;
use ipvs::{Change, Errno, Ipvs, KernelError, ServerKey, Service, ServiceKey};
use libc::{EEXIST, ENOENT, ESRCH};
use std::ffi::OsStr;

/// How often a change is tried while others add and delete the same thing.
const TRIES: usize = 5;

/// Asks the kernel for `change`.
pub fn one(ipvs: &mut Ipvs, change: &Change) -> Result<()> {
    ipvs.change(change)
        .map_err(|error| Failure::change(change, error))
}

/// Reaches `desired`, and says what was changed; with `dry_run`, only what would
/// be.
// Kept away from what every command runs, see build.rs.
#[cold]
pub fn reach_and_tell(
    desired: &Desired,
    dry_run: bool,
    json: bool,
    netns: Option<&OsStr>,
    out: Output,
) -> Result<Exit> {
    let Session {
        mut ipvs, mut out, ..
    } = Session::open(netns, out).map_err(|failure| match dry_run {
        true => failure.cannot_tell(),
        false => failure,
    })?;
    let change = match dry_run {
        true => would_change(&mut ipvs, desired).map_err(Failure::cannot_tell)?,
        false => reach(&mut ipvs, desired)?,
    };
    let told = print_changes(&mut out, json, change.as_slice(), &[]);
    told.map_err(|failure| match dry_run {
        true => failure.cannot_tell(),
        false => failure.after_changes(change.is_some()),
    })?;
    Ok(match change {
        Some(_) if dry_run => Exit::Failure,
        _ => Exit::Success,
    })
}

/// The change that [`reach`] would make, as far as the table tells.
fn would_change(ipvs: &mut Ipvs, desired: &Desired) -> Result<Option<Change>> {
    let change = next(ipvs, desired)?;
    if let Some(change @ Change::AddServer(service, ..)) = &change {
        // The kernel lists no servers for a service that is not there.
        ipvs.service(service)
            .map_err(|error| Failure::change(change, error))?;
    }
    Ok(change)
}

/// Reaches `desired` by the smallest change; which one that was, if one was
/// needed. If others were faster, looks again, where `desired` allows it.
pub fn reach(ipvs: &mut Ipvs, desired: &Desired) -> Result<Option<Change>> {
    let tries = match desired {
        Desired::NoService(key) => return gone(ipvs, Change::DeleteService(*key)),
        Desired::NoServer(service, key) => {
            return gone(ipvs, Change::DeleteServer(*service, *key));
        }
        Desired::Service(_, settings) if settings.if_absent().is_some() => TRIES,
        Desired::Server(_, _, settings) if settings.if_absent().is_some() => TRIES,
        Desired::Service(..) | Desired::Server(..) => 1,
    };
    let _lock = lock::take();
    for last in (0..tries).rev().map(|left| left == 0) {
        let Some(change) = next(ipvs, desired)? else {
            return Ok(None);
        };
        match ipvs.change(&change) {
            Err(KernelError::Refused(Errno(errno))) if !last && is_late(&change, errno) => {}
            Err(error) => return Err(Failure::change(&change, error)),
            Ok(()) => return Ok(Some(change)),
        }
    }
    Ok(None)
}

/// Deletes something that may be gone already.
fn gone(ipvs: &mut Ipvs, delete: Change) -> Result<Option<Change>> {
    match ipvs.change(&delete) {
        Ok(()) => Ok(Some(delete)),
        Err(KernelError::Refused(Errno(ENOENT | ESRCH))) => Ok(None),
        Err(error) => Err(Failure::change(&delete, error)),
    }
}

/// The change that leads to `desired`, if one is needed.
fn next(ipvs: &mut Ipvs, desired: &Desired) -> Result<Option<Change>> {
    let present = |ipvs: &mut Ipvs, key: &ServiceKey, command| match ipvs.service(key) {
        Ok(Service { config, .. }) => Ok(Some(config)),
        Err(KernelError::Refused(Errno(ESRCH))) => Ok(None),
        Err(error) => Err(Failure::kernel(command, error)),
    };
    let server = |ipvs: &mut Ipvs, service: &ServiceKey, key: &ServerKey, command| {
        table::server(ipvs, service, key).map_err(|error| Failure::reading(command, error))
    };
    Ok(match desired {
        Desired::Service(key, settings) => {
            let present = present(ipvs, key, CommandName::EditService)?;
            match (present, settings.if_absent()) {
                (Some(present), _) => {
                    let wanted = settings.if_present(&present).map_err(Failure::Usage)?;
                    (!wanted.is_same(&present)).then_some(Change::EditService(*key, wanted))
                }
                (None, Some(config)) => Some(Change::AddService(*key, config)),
                (None, None) => return Err(Failure::refused(CommandName::EditService, ESRCH)),
            }
        }
        Desired::Server(service, key, settings) => {
            let found = server(ipvs, service, key, CommandName::EditServer)?;
            match (found, settings.if_absent()) {
                (Some(found), _) => {
                    let wanted = settings.if_present(&found.config).map_err(Failure::Usage)?;
                    let same = wanted.is_same(&found.config);
                    (!same).then_some(Change::EditServer(*service, *key, wanted))
                }
                (None, Some(config)) => Some(Change::AddServer(*service, *key, config)),
                (None, None) => {
                    // The kernel lists no servers for a service that is not there.
                    let errno = match ipvs.service(service) {
                        Err(KernelError::Refused(Errno(ESRCH))) => ESRCH,
                        _ => ENOENT,
                    };
                    return Err(Failure::refused(CommandName::EditServer, errno));
                }
            }
        }
        Desired::NoService(key) => {
            present(ipvs, key, CommandName::DeleteService)?.map(|_| Change::DeleteService(*key))
        }
        Desired::NoServer(service, key) => server(ipvs, service, key, CommandName::DeleteServer)?
            .map(|_| Change::DeleteServer(*service, *key)),
    })
}

/// Whether others were faster: what was to be added is there, or what was to be
/// edited is gone.
fn is_late(change: &Change, errno: i32) -> bool {
    match change {
        Change::AddService(..) | Change::AddServer(..) => errno == EEXIST,
        Change::EditService(..) => errno == ESRCH,
        Change::EditServer(..) => errno == ENOENT || errno == ESRCH,
        _ => false,
    }
}
