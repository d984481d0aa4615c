//! Finding IPVS and those modules of it that the kernel must not load itself.

use super::channel::Channel;
use super::error::{KernelError, OpenError};
use crate::model::{Change, Name};
use crate::wire::{Body, FamilyRequest, Request, parse_family};
use netlink_packet_generic::{GenlFamily, GenlMessage};
use rustix::process::geteuid;
use std::fs;
use std::process::{Command, Stdio};

/// Absolute, so that root's PATH does not decide which program runs.
const MODPROBE: &str = "/sbin/modprobe";

/// The number of the family `IPVS`. Where the kernel does not know it and does
/// not find its module either, modprobe gets one try; it says for itself, on
/// stderr, why it failed.
pub(super) fn resolve(channel: &mut Channel) -> Result<u16, OpenError> {
    match ask(channel) {
        Err(KernelError::Refused(libc::ENOENT)) => {
            // A failure alone means nothing: the second attempt decides.
            let _ = Command::new(MODPROBE).args(["--", "ip_vs"]).status();
            match ask(channel) {
                // EPERM before 'no IPVS', as C ipvsadm reports it.
                Err(KernelError::Refused(libc::ENOENT)) if !geteuid().is_root() => {
                    Err(KernelError::Refused(libc::EPERM).into())
                }
                result => Ok(result?),
            }
        }
        result => Ok(result?),
    }
}

/// Loads the module of the scheduler that `change` asks for, once, where the
/// kernel's loading it could hang the machine.
///
/// The kernel loads schedulers while it holds the IPVS mutex. Those of lblc and
/// lblcr wait for `pernet_ops_rwsem` (register_pernet_subsys), which the removal
/// of a network namespace holds while it waits for that mutex (cleanup_net,
/// ip_vs_dst_event): a deadlock for good.
pub(super) fn load_scheduler(change: &Change, loaded: &mut Vec<Name>) {
    let (Change::AddService(_, config) | Change::EditService(_, config)) = change else {
        return;
    };
    let module = match config.scheduler.as_bytes() {
        b"lblc" => "ip_vs_lblc",
        b"lblcr" => "ip_vs_lblcr",
        _ => return,
    };
    if loaded.contains(&config.scheduler) {
        return;
    }
    loaded.push(config.scheduler);
    // One that is still being loaded has to be waited for, and modprobe does.
    let state = fs::read(format!("/sys/module/{module}/initstate"));
    if !state.is_ok_and(|state| state.starts_with(b"live")) {
        // A failure alone means nothing: the scheduler may be built in.
        let mut modprobe = Command::new(MODPROBE);
        modprobe.args(["-q", "--", module]).stderr(Stdio::null());
        let _ = modprobe.status();
    }
}

fn ask(channel: &mut Channel) -> Result<u16, KernelError> {
    let request = FamilyRequest(Request::family_name());
    let sequence = channel.request(GenlMessage::from_payload(request), 0)?;
    channel.answer(sequence, |body| match body {
        Body::Data(attributes) => parse_family(attributes).ok_or(KernelError::Malformed),
        Body::Answer(errno) | Body::Done(errno) => Err(KernelError::Refused(errno)),
        Body::Other => Err(KernelError::Malformed),
    })?
}
