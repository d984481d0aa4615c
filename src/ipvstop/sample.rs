//! One look at the table with its rates, in the form in which it is shown.

use ipvs::{Forwarding, Server, Service, ServiceKey};
use ipvsadm::rates::{Rates, Reading, Sampler};
use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

/// A look at the table.
pub struct Sample {
    pub time: SystemTime,
    /// Ordered by their keys.
    pub services: Vec<ServiceRow>,
    /// Ordered by their addresses.
    pub hosts: Vec<HostRow>,
    /// Whether the kernel does not update its counters.
    pub frozen: bool,
}

/// A service.
pub struct ServiceRow {
    pub service: Service,
    /// Unknown for what has just appeared.
    pub rates: Option<Rates>,
    /// The sums over its servers.
    pub active: u64,
    pub inactive: u64,
    /// Ordered by their keys.
    pub servers: Vec<ServerRow>,
}

/// A real server.
pub struct ServerRow {
    pub server: Server,
    pub rates: Option<Rates>,
}

/// All real servers with the same address, whatever their services and ports.
pub struct HostRow {
    pub address: IpAddr,
    /// The sums over its servers.
    pub rates: Option<Rates>,
    pub active: u64,
    pub inactive: u64,
    /// In how many services it is.
    pub services: usize,
    /// In how many of them it gets no new connections: all its weights are 0.
    pub idle: usize,
    /// The places of its servers: that of the service, and that in the service.
    pub members: Vec<(usize, usize)>,
}

impl Sample {
    /// With `of_servers`, the rates of a service are the sums over those of its
    /// servers that were read.
    pub fn new(reading: Reading, sampler: &mut Sampler, of_servers: bool) -> Sample {
        sampler.begin(reading.at);
        let mut services: Vec<ServiceRow> = reading
            .table
            .services
            .into_iter()
            .map(|(service, servers)| ServiceRow::new(service, servers, sampler))
            .collect();
        if of_servers {
            for row in &mut services {
                row.rates = sum(row.servers.iter().map(|server| server.rates));
            }
        }
        sampler.end();
        services.sort_unstable_by_key(|row| row.service.key);
        Sample {
            time: reading.time,
            hosts: hosts(&services),
            services,
            frozen: reading.frozen,
        }
    }

    pub fn service(&self, key: &ServiceKey) -> Option<&ServiceRow> {
        let place = self
            .services
            .binary_search_by_key(key, |row| row.service.key);
        self.services.get(place.ok()?)
    }

    pub fn host(&self, address: &IpAddr) -> Option<&HostRow> {
        let place = self.hosts.binary_search_by_key(address, |row| row.address);
        self.hosts.get(place.ok()?)
    }

    /// The servers of a host with their services.
    pub fn members<'a>(
        &'a self,
        host: &'a HostRow,
    ) -> impl Iterator<Item = (&'a ServiceRow, &'a ServerRow)> {
        members(&self.services, &host.members)
    }
}

/// The real servers of `services` by their addresses.
pub fn hosts(services: &[ServiceRow]) -> Vec<HostRow> {
    let mut places: Vec<(IpAddr, usize, usize)> = Vec::new();
    for (at, service) in services.iter().enumerate() {
        let servers = service.servers.iter().enumerate();
        places.extend(servers.map(|(place, row)| (row.server.key.address, at, place)));
    }
    places.sort_unstable();
    let hosts = places.chunk_by(|a, b| a.0 == b.0);
    hosts
        .map(|places| {
            let address = places[0].0;
            let places = places.iter().map(|(_, at, place)| (*at, *place));
            HostRow::new(address, places.collect(), services)
        })
        .collect()
}

fn members<'a>(
    services: &'a [ServiceRow],
    places: &'a [(usize, usize)],
) -> impl Iterator<Item = (&'a ServiceRow, &'a ServerRow)> {
    places.iter().filter_map(|(at, place)| {
        let service = services.get(*at)?;
        Some((service, service.servers.get(*place)?))
    })
}

/// The sum of those that are known, if any is.
fn sum(rates: impl Iterator<Item = Option<Rates>>) -> Option<Rates> {
    rates.flatten().reduce(Rates::plus)
}

impl HostRow {
    fn new(address: IpAddr, places: Vec<(usize, usize)>, services: &[ServiceRow]) -> HostRow {
        let rows = || members(services, &places).map(|(_, row)| row);
        let total = |of: fn(&Server) -> u32| rows().map(|row| u64::from(of(&row.server))).sum();
        let by_service = || places.chunk_by(|a, b| a.0 == b.0);
        let is_idle = |places: &&[(usize, usize)]| {
            members(services, places).all(|(_, row)| row.server.config.weight == 0)
        };
        HostRow {
            address,
            rates: sum(rows().map(|row| row.rates)),
            active: total(|server| server.active),
            inactive: total(|server| server.inactive),
            services: by_service().count(),
            idle: by_service().filter(is_idle).count(),
            members: places,
        }
    }
}

impl ServiceRow {
    fn new(service: Service, servers: Vec<Server>, sampler: &mut Sampler) -> ServiceRow {
        let rates = sampler.count(&service.key, None, &service.stats);
        let mut servers: Vec<ServerRow> = servers
            .into_iter()
            .map(|server| ServerRow {
                rates: sampler.count(&service.key, Some(&server.key), &server.stats),
                server,
            })
            .collect();
        servers.sort_unstable_by_key(|row| row.server.key);
        let sum =
            |of: fn(&Server) -> u32| servers.iter().map(|row| u64::from(of(&row.server))).sum();
        ServiceRow {
            active: sum(|server| server.active),
            inactive: sum(|server| server.inactive),
            service,
            rates,
            servers,
        }
    }
}

/// As listings have it.
pub fn forwarding(forwarding: Forwarding) -> Cow<'static, str> {
    Cow::Borrowed(match forwarding {
        Forwarding::Masq => "Masq",
        Forwarding::Local => "Local",
        Forwarding::Tunnel(_) => "Tunnel",
        Forwarding::Route | Forwarding::Bypass => "Route",
        Forwarding::Other { method, .. } => return Cow::Owned(method.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invented::{sample, server_key};

    #[test]
    fn a_host_has_the_sums_of_its_servers_in_all_services() {
        let mut sample = sample(3, 2, 1.0);
        // Two ports in the first service, one of which has no weight.
        let servers = &mut sample.services[0].servers;
        servers[1].server.key.address = server_key(1).address;
        servers[1].server.key.port = 8081;
        servers[1].server.config.weight = 0;
        // None in the last, and not counted yet.
        let server = &mut sample.services[2].servers[0];
        server.server.config.weight = 0;
        server.rates = None;
        let hosts = hosts(&sample.services);
        let found = hosts.iter().map(|host| {
            let rates = host.rates.map(|rates| rates.conns);
            let addresses = (host.address, host.services, host.idle, host.members.len());
            (addresses, rates, host.active)
        });
        let (first, second) = (server_key(1).address, server_key(2).address);
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ((first, 3, 1, 4), Some(0.5 + 0.5 + 1.0), 10 + 20 + 10 + 10),
                ((second, 2, 0, 2), Some(1.0 + 1.5), 20 + 20),
            ]
        );
    }
}
