//! What every request needs: the family's number, and a socket.

use super::channel::Channel;
use super::error::{Errno, KernelError, OpenError};
use super::namespace::Namespace;
use super::open::{self, Modprobe};
use crate::wire::{Body, Request};

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
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T, KernelError> {
        let sequence = self.main.request(request.message(self.family), 0)?;
        self.main.answer(sequence, |body| match body {
            Body::Data(attributes) => parse(attributes).ok_or(KernelError::Malformed),
            Body::Answer(errno) if errno != 0 => Err(KernelError::Refused(Errno(errno))),
            _ => Err(KernelError::Malformed),
        })?
    }
}
