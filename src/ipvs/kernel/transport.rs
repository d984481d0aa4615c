//! What every request needs: the family's number, and a socket.

use super::channel::Channel;
use super::error::{Errno, KernelError, OpenError};
use super::namespace::Namespace;
use super::open::{self, Modprobe};
use crate::wire::{Body, Request};
use netlink_sys::protocols::NETLINK_GENERIC;

/// The client's main socket, and what further ones are opened with.
pub(super) struct Transport {
    pub namespace: Namespace,
    pub family: u16,
    /// For everything but long dumps; received from with small sizes only.
    pub main: Channel,
}

impl Transport {
    /// Opens the socket and resolves the family.
    pub fn open(namespace: Namespace, modprobe: Modprobe) -> Result<Transport, OpenError> {
        let mut main = namespace.enter()??;
        let family = open::resolve(&mut main, modprobe)?;
        Ok(Transport {
            namespace,
            family,
            main,
        })
    }

    /// A request that one message answers.
    pub fn ask<T>(
        &mut self,
        request: Request,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, KernelError> {
        let request = request.message(self.family);
        self.main.ask(request, |body| match body {
            Body::Data(attributes) => parse(attributes).ok_or(KernelError::Malformed),
            Body::Answer(errno) if errno != 0 => Err(KernelError::Refused(Errno(errno))),
            _ => Err(KernelError::Malformed),
        })
    }

    /// Leaves whatever is still to come on the socket.
    pub fn renew(&mut self) -> Result<(), KernelError> {
        self.main = self.namespace.channel(NETLINK_GENERIC)?;
        Ok(())
    }
}
