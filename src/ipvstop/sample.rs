//! One look at the table with its rates, in the form in which it is shown.

use ipvs::{Forwarding, Server, Service, ServiceKey};
use ipvsadm::rates::{Rates, Reading, Sampler};
use std::borrow::Cow;
use std::time::SystemTime;

/// A look at the table.
pub struct Sample {
    pub time: SystemTime,
    /// Ordered by their keys.
    pub services: Vec<ServiceRow>,
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

impl Sample {
    pub fn new(reading: Reading, sampler: &mut Sampler) -> Sample {
        sampler.begin(reading.at);
        let mut services: Vec<ServiceRow> = reading
            .table
            .services
            .into_iter()
            .map(|(service, servers)| ServiceRow::new(service, servers, sampler))
            .collect();
        sampler.end();
        services.sort_unstable_by_key(|row| row.service.key);
        Sample {
            time: reading.time,
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
