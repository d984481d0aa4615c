//! What all commands share.

use super::failure::{Failure, Result};
use super::output::Output;
use crate::cli::opt::CommandName;
use ipvs::{Errno, Ipvs, KernelError, Modprobe, Namespace, OpenError};
use libc::{ENOPROTOOPT, EPERM};
use rustix::process::geteuid;
use std::ffi::{OsStr, OsString};

/// The connection to the kernel, and the output.
pub struct Session {
    /// The client.
    pub ipvs: Ipvs,
    /// Standard output.
    pub out: Output,
    /// The network namespace, if one was named.
    pub netns: Option<OsString>,
    /// Whether it was said that only a part is known.
    pub said_partial: bool,
}

impl Session {
    /// Opens the connection, in the network namespace `netns` if one is named.
    pub fn open(netns: Option<&OsStr>, out: Output) -> Result<Session> {
        let ipvs = open(netns)?;
        let netns = netns.map(OsStr::to_owned);
        Ok(Session {
            ipvs,
            out,
            netns,
            said_partial: false,
        })
    }

    /// Fails if the user may not administer IPVS, before `command` is tried.
    pub fn check_permission(&mut self, command: CommandName) -> Result<()> {
        let info = self.ipvs.info();
        info.map(drop)
            .map_err(|error| Failure::kernel(command, error))
    }
}

/// The kernel's IPVS in the network namespace `netns`, or in that of the
/// process.
pub fn open(netns: Option<&OsStr>) -> Result<Ipvs> {
    let namespace = netns.map_or_else(|| Ok(Namespace::current()), Namespace::named);
    let ipvs = namespace
        .map_err(OpenError::from)
        .and_then(|namespace| Ipvs::open(namespace, Modprobe::IfNeeded));
    ipvs.map_err(|error| match error {
        OpenError::Namespace(error) => Failure::Namespace(netns.unwrap_or_default().into(), error),
        OpenError::Kernel(KernelError::Refused(Errno(errno))) => Failure::Unavailable(errno),
        OpenError::Kernel(error) => Failure::Unreachable(error),
        // As C ipvsadm, which reports first that the module could not be loaded.
        _ if !geteuid().is_root() => Failure::Unavailable(EPERM),
        _ => Failure::Unavailable(ENOPROTOOPT),
    })
}

/// The network namespace `netns`, which can be entered, or that of the process.
pub fn namespace(netns: Option<&OsStr>) -> Result<Namespace> {
    let Some(name) = netns else {
        return Ok(Namespace::current());
    };
    let namespace = Namespace::named(name);
    let entered = namespace.and_then(|namespace| namespace.try_enter().map(|()| namespace));
    entered.map_err(|error| Failure::Namespace(name.into(), error))
}
