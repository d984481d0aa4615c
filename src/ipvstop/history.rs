//! What was counted in the last minutes, for the graphs.
//!
//! Every service and every host has a history; real servers have one while their
//! service or their host is open. What has never seen traffic has none, and needs
//! no memory.

use crate::sample::Sample;
use crate::state::Id;
use ipvs::{ServerKey, ServiceKey};
use ipvsadm::rates::Rates;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;

/// How many looks are remembered: eight minutes of them.
pub const LENGTH: usize = 240;

/// Connections, packets and bytes a second.
pub type Point = [f32; 3];

type Line = VecDeque<Point>;

#[derive(Default)]
pub struct History {
    services: HashMap<ServiceKey, Line>,
    hosts: HashMap<IpAddr, Line>,
    servers: HashMap<(ServiceKey, ServerKey), Line>,
}

impl History {
    /// Adds a look. The servers are those of the `open` service and `host`.
    pub fn add(&mut self, sample: &Sample, open: Option<&ServiceKey>, host: Option<&IpAddr>) {
        let rows = &sample.services;
        add(
            &mut self.services,
            rows.iter().map(|row| (row.service.key, row.rates)),
        );
        let rows = &sample.hosts;
        add(
            &mut self.hosts,
            rows.iter().map(|row| (row.address, row.rates)),
        );
        let open = open.and_then(|key| sample.service(key));
        let of_service = open.iter().flat_map(|row| {
            let servers = row.servers.iter();
            servers.map(|server| ((row.service.key, server.server.key), server.rates))
        });
        let host = host.and_then(|address| sample.host(address));
        let of_host = host.iter().flat_map(|host| sample.members(host));
        // What is in both has been added.
        let of_host =
            of_host.filter(|(row, _)| open.is_none_or(|open| open.service.key != row.service.key));
        let of_host =
            of_host.map(|(row, server)| ((row.service.key, server.server.key), server.rates));
        add(&mut self.servers, of_service.chain(of_host));
    }

    /// The points of what a row is about, the latest last.
    pub fn points(&self, id: &Id) -> impl Iterator<Item = Point> + '_ {
        let line = match id {
            Id::Service(service) => self.services.get(service),
            Id::Host(address) => self.hosts.get(address),
            Id::Server(service, server) => self.servers.get(&(*service, *server)),
        };
        line.into_iter().flatten().copied()
    }
}

fn add<K: Eq + Hash>(lines: &mut HashMap<K, Line>, rows: impl Iterator<Item = (K, Option<Rates>)>) {
    let mut present = HashMap::with_capacity(lines.len());
    for (key, rates) in rows {
        let point = point(rates);
        let line = lines.remove(&key);
        if line.is_none() && point == Point::default() {
            continue;
        }
        let mut line = line.unwrap_or_default();
        if line.len() == LENGTH {
            line.pop_front();
        }
        line.push_back(point);
        present.insert(key, line);
    }
    *lines = present;
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a graph needs no more than the digits that f32 keeps"
)]
fn point(rates: Option<Rates>) -> Point {
    let rates = rates.unwrap_or_default();
    [
        rates.conns as f32,
        (rates.in_packets + rates.out_packets) as f32,
        (rates.in_bytes + rates.out_bytes) as f32,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invented::{sample, server_key, service_key};

    #[test]
    fn a_history_does_not_grow_without_end() {
        let mut history = History::default();
        let open = service_key(1);
        for look in 0..3 * LENGTH {
            history.add(&sample(3, 2, look as f64), Some(&open), None);
        }
        let points: Vec<Point> = history.points(&Id::Service(open)).collect();
        assert_eq!(points.len(), LENGTH);
        assert_eq!(points[LENGTH - 1][0], (3 * LENGTH - 1) as f32);
        let server = server_key(1);
        let count =
            |history: &History, service| history.points(&Id::Server(service, server)).count();
        assert_eq!(count(&history, open), LENGTH);
        assert_eq!(count(&history, service_key(2)), 0);
        let host = server.address;
        assert_eq!(history.points(&Id::Host(host)).count(), LENGTH);
        // Of a host in all services, and once where one of them is open too.
        history.add(&sample(3, 2, 1.0), Some(&open), Some(&host));
        history.add(&sample(3, 2, 1.0), Some(&open), Some(&host));
        assert_eq!(count(&history, service_key(2)), 2);
        assert_eq!(history.servers.len(), 2 + 2);
        history.add(&sample(3, 2, 1.0), None, None);
        assert_eq!(history.servers.len(), 0);
    }

    #[test]
    fn gone_and_idle_rows_have_no_history() {
        let mut history = History::default();
        history.add(&sample(3, 1, 0.0), None, None);
        assert_eq!(history.services.len(), 0);
        history.add(&sample(3, 1, 5.0), None, None);
        assert_eq!(history.services.len(), 3);
        history.add(&sample(1, 1, 5.0), None, None);
        assert_eq!(history.services.len(), 1);
        assert_eq!(history.points(&Id::Service(service_key(1))).count(), 2);
    }
}
