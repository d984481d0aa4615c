//! Finding IPVS and those modules of it that the kernel must not load itself.

use super::channel::Channel;
use super::error::{Errno, KernelError, OpenError};
use crate::model::{Change, Name};
use crate::wire::{Body, FamilyRequest, Request, parse_family};
use netlink_packet_generic::{GenlFamily, GenlMessage};
use std::fs;
use std::process::{Command, Stdio};

/// Absolute, so that root's PATH does not decide which program runs.
const MODPROBE: &str = "/sbin/modprobe";

/// Whether the program modprobe(8) may be run, which says for itself, on
/// stderr, why it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Modprobe {
    /// The modules are those that are loaded and those that the kernel loads.
    ///
    /// A service with the scheduler lblc or lblcr should then only be added where
    /// its module is loaded: while the kernel loads it, the removal of a network
    /// namespace can block IPVS for good.
    #[default]
    Never,
    /// For IPVS where the kernel has none, and for lblc and lblcr.
    IfNeeded,
}

/// The number of the family `IPVS`. Where the kernel does not know it and does
/// not find its module either, modprobe gets one try.
pub(super) fn resolve(channel: &mut Channel, modprobe: Modprobe) -> Result<u16, OpenError> {
    match ask(channel) {
        Err(KernelError::Refused(Errno(libc::ENOENT))) if modprobe == Modprobe::IfNeeded => {
            // A failure alone means nothing: the second attempt decides.
            let _ = command().args(["--", "ip_vs"]).status();
            Ok(ask(channel)?)
        }
        result => Ok(result?),
    }
}

/// The modules of schedulers that the kernel must not load itself.
///
/// The kernel loads schedulers while it holds the IPVS mutex. Those of lblc and
/// lblcr wait for `pernet_ops_rwsem` (register_pernet_subsys), which the removal
/// of a network namespace holds while it waits for that mutex (cleanup_net,
/// ip_vs_dst_event): a deadlock for good.
pub(super) struct Modules {
    modprobe: Modprobe,
    /// The schedulers whose modules need not be loaded (again).
    loaded: Vec<Name>,
}

impl Modules {
    pub fn new(modprobe: Modprobe) -> Modules {
        Modules {
            modprobe,
            loaded: Vec::new(),
        }
    }

    /// Loads the module of the scheduler that `change` asks for.
    pub fn load_for(&mut self, change: &Change) {
        let (Change::AddService(_, config) | Change::EditService(_, config)) = change else {
            return;
        };
        let module = match config.scheduler.as_bytes() {
            b"lblc" => "ip_vs_lblc",
            b"lblcr" => "ip_vs_lblcr",
            _ => return,
        };
        if self.modprobe == Modprobe::Never || self.loaded.contains(&config.scheduler) {
            return;
        }
        self.loaded.push(config.scheduler);
        // One that is still being loaded has to be waited for, and modprobe does.
        let state = fs::read(format!("/sys/module/{module}/initstate"));
        if !state.is_ok_and(|state| state.starts_with(b"live")) {
            // A failure alone means nothing: the scheduler may be built in.
            let mut modprobe = command();
            modprobe.args(["-q", "--", module]).stderr(Stdio::null());
            let _ = modprobe.status();
        }
    }
}

/// modprobe with the environment that the kernel gives it: by `MODPROBE_OPTIONS` a caller
/// could name another configuration.
fn command() -> Command {
    let mut command = Command::new(MODPROBE);
    command
        .env_clear()
        .env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin");
    command
}

fn ask(channel: &mut Channel) -> Result<u16, KernelError> {
    let request = FamilyRequest(Request::family_name());
    channel.ask(GenlMessage::from_payload(request), |body| match body {
        Body::Data(attributes) => parse_family(attributes).ok_or(KernelError::Malformed),
        Body::Answer(errno) | Body::Done(errno) => Err(KernelError::Refused(Errno(errno))),
        Body::Other => Err(KernelError::Malformed),
    })
}
