//! Finding IPVS in the kernel.

use super::channel::Channel;
use super::error::{KernelError, OpenError};
use crate::wire::{Body, FamilyRequest, Request, parse_family};
use netlink_packet_core::NLM_F_REQUEST;
use netlink_packet_generic::GenlFamily;
use rustix::process::geteuid;
use std::process::Command;

/// By its absolute path: root's PATH is not to decide which program runs.
const MODPROBE: &str = "/sbin/modprobe";

/// The number of the family `IPVS`. Where the kernel does not know it and does
/// not find its module either, modprobe gets one try; it says for itself, on
/// stderr, why it failed.
pub(super) fn resolve(channel: &mut Channel) -> Result<u16, OpenError> {
    match ask(channel) {
        Err(KernelError::Refused(libc::ENOENT)) => {
            // Its failure alone means nothing: the second question decides.
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

fn ask(channel: &mut Channel) -> Result<u16, KernelError> {
    let request = FamilyRequest(Request::family_name());
    let sequence = channel.request(&request, request.family_id(), NLM_F_REQUEST)?;
    channel.answer(sequence, |body| match body {
        Body::Data(attributes) => parse_family(attributes).ok_or(KernelError::Malformed),
        Body::Answer(errno) | Body::Done(errno) => Err(KernelError::Refused(errno)),
        Body::Other => Err(KernelError::Malformed),
    })?
}
