//! The table of IPVS.

use super::server::Server;
use super::service::{Service, ServiceKey};
use std::net::IpAddr;

/// Services, each with its real servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// In the order in which they were read or sorted.
    pub services: Vec<(Service, Vec<Server>)>,
}

impl Table {
    /// The real servers of all services.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.services.iter().flat_map(|(_, servers)| servers)
    }

    /// All addresses, those of the services first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let services = self
            .services
            .iter()
            .filter_map(|(service, _)| match service.key {
                ServiceKey::Address { address, .. } => Some(address),
                ServiceKey::Fwmark { .. } => None,
            });
        services.chain(self.servers().map(|server| server.key.address))
    }
}
