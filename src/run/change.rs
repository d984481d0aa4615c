//! One change of the table: as given, or as `--keep` and `--ensure` need it.
//!
//! The kernel has neither partial nor conditional edits: keeping a value, or
//! leaving alone what is right already, means to read, compare and write. What
//! others do between reading and writing shows only in the kernel's refusal;
//! the change is then tried again if the desired state can still be reached.

use super::failure::{Failure, Result};
use super::{lock, table};
use crate::cli::opt::CommandName;
use crate::cli::patch::{Desired, Over, Settings};
use ipvs::{
    Change, Errno, Ipvs, KernelError, ServerConfig, ServerKey, Service, ServiceConfig, ServiceKey,
};
use libc::{EEXIST, ENOENT, ESRCH};

/// How often a change is tried while others add and delete the same thing.
const TRIES: usize = 5;

/// Asks the kernel for `change`.
pub fn one(ipvs: &mut Ipvs, change: &Change) -> Result<()> {
    ipvs.change(change)
        .map_err(|error| Failure::change(change, error))
}

/// Reaches `desired` by the smallest change, if one is needed.
pub fn reach(ipvs: &mut Ipvs, desired: &Desired) -> Result<()> {
    match desired {
        Desired::Service(key, settings) => service(ipvs, key, settings),
        Desired::Server(service, key, settings) => server(ipvs, service, key, settings),
        Desired::NoService(key) => gone(ipvs, &Change::DeleteService(*key)),
        Desired::NoServer(service, key) => gone(ipvs, &Change::DeleteServer(*service, *key)),
    }
}

/// Deletes something that may be gone already.
fn gone(ipvs: &mut Ipvs, delete: &Change) -> Result<()> {
    match ipvs.change(delete) {
        Err(KernelError::Refused(Errno(ENOENT | ESRCH))) => Ok(()),
        result => result.map_err(|error| Failure::change(delete, error)),
    }
}

fn service(
    ipvs: &mut Ipvs,
    key: &ServiceKey,
    settings: &Settings<ServiceConfig, impl Over<ServiceConfig>>,
) -> Result<()> {
    again(ipvs, settings, |ipvs| {
        let present = match ipvs.service(key) {
            Ok(Service { config, .. }) => Some(config),
            Err(KernelError::Refused(Errno(ESRCH))) => None,
            Err(error) => return Err(Failure::kernel(CommandName::EditService, error)),
        };
        Ok(match (present, settings.if_absent()) {
            (Some(present), _) => {
                let wanted = settings.if_present(&present).map_err(Failure::Usage)?;
                (!wanted.is_same(&present)).then_some(Change::EditService(*key, wanted))
            }
            (None, Some(config)) => Some(Change::AddService(*key, config)),
            (None, None) => return Err(Failure::refused(CommandName::EditService, ESRCH)),
        })
    })
}

fn server(
    ipvs: &mut Ipvs,
    service: &ServiceKey,
    key: &ServerKey,
    settings: &Settings<ServerConfig, impl Over<ServerConfig>>,
) -> Result<()> {
    again(ipvs, settings, |ipvs| {
        let present = table::server(ipvs, service, key)
            .map_err(|error| Failure::reading(CommandName::EditServer, error))?;
        Ok(match (present, settings.if_absent()) {
            (Some(present), _) => {
                let wanted = settings
                    .if_present(&present.config)
                    .map_err(Failure::Usage)?;
                let same = wanted.is_same(&present.config);
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
        })
    })
}

/// Makes the change that `next` finds necessary. If others were faster, looks
/// again, where `settings` allows it.
fn again<C: Copy, P: Over<C>>(
    ipvs: &mut Ipvs,
    settings: &Settings<C, P>,
    next: impl Fn(&mut Ipvs) -> Result<Option<Change>>,
) -> Result<()> {
    let tries = if settings.if_absent().is_some() {
        TRIES
    } else {
        1
    };
    let _lock = lock::take();
    for last in (0..tries).rev().map(|left| left == 0) {
        let Some(change) = next(ipvs)? else {
            return Ok(());
        };
        match ipvs.change(&change) {
            Err(KernelError::Refused(Errno(errno))) if !last && is_late(&change, errno) => {}
            result => return result.map_err(|error| Failure::change(&change, error)),
        }
    }
    Ok(())
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
