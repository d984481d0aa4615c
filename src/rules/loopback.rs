//! Names in rules that stand for a loopback address. Rules that were saved with
//! names have one where the machine's own name was looked up from its virtual
//! address: they mean another address than before, and nothing fails.

use crate::names::{Lookup, NoAddress};
use crate::render::visible;
use ipvs::Protocol;
use std::fmt;
use std::net::Ipv4Addr;

/// A name that stands for a loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopbackName {
    /// The number of the first line that has it.
    pub line: u32,
    name: Box<[u8]>,
    address: Ipv4Addr,
}

impl fmt::Display for LoopbackName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (name, address) = (visible(&self.name), self.address);
        write!(
            f,
            "warning: `{name}' stands for the loopback address {address}"
        )
    }
}

/// Looks names up and takes down which ones are found to be loopback addresses.
pub struct Noting<'a> {
    pub lookup: &'a mut dyn Lookup,
    /// The line that is being read.
    pub line: u32,
    pub found: Vec<LoopbackName>,
}

impl Lookup for Noting<'_> {
    fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
        let address = self.lookup.host(name)?;
        if address.is_loopback() && !self.found.iter().any(|other| *other.name == *name) {
            self.found.push(LoopbackName {
                line: self.line,
                name: name.into(),
                address,
            });
        }
        Ok(address)
    }

    fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16> {
        self.lookup.port(name, protocol)
    }
}
