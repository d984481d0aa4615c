//! What was counted in the last minutes, for the graphs.
//!
//! Every service has a history; the servers have one while their service is
//! open. What has never seen traffic has none, and needs no memory.

use crate::sample::Sample;
use ipvs::{ServerKey, ServiceKey};
use ipvsadm::rates::Rates;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// How many looks are remembered: eight minutes of them.
pub const LENGTH: usize = 240;

/// Connections, packets and bytes a second.
pub type Point = [f32; 3];

type Line = VecDeque<Point>;

#[derive(Default)]
pub struct History {
    services: HashMap<ServiceKey, Line>,
    open: Option<ServiceKey>,
    servers: HashMap<ServerKey, Line>,
}

impl History {
    /// Adds a look. The servers are those of `open`.
    pub fn add(&mut self, sample: &Sample, open: Option<&ServiceKey>) {
        let rows = &sample.services;
        add(
            &mut self.services,
            rows.iter().map(|row| (row.service.key, row.rates)),
        );
        if self.open.as_ref() != open {
            self.open = open.copied();
            self.servers.clear();
        }
        let servers = open.and_then(|key| sample.service(key));
        let servers = servers.iter().flat_map(|row| &row.servers);
        add(
            &mut self.servers,
            servers.map(|row| (row.server.key, row.rates)),
        );
    }

    /// The points of a service or, with `server`, of a server of the open one,
    /// the latest last.
    pub fn points(
        &self,
        service: &ServiceKey,
        server: Option<&ServerKey>,
    ) -> impl Iterator<Item = Point> + '_ {
        let line = match server {
            None => self.services.get(service),
            Some(server) if self.open.as_ref() == Some(service) => self.servers.get(server),
            Some(_) => None,
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
            history.add(&sample(3, 2, look as f64), Some(&open));
        }
        let points: Vec<Point> = history.points(&open, None).collect();
        assert_eq!(points.len(), LENGTH);
        assert_eq!(points[LENGTH - 1][0], (3 * LENGTH - 1) as f32);
        let server = server_key(1);
        assert_eq!(history.points(&open, Some(&server)).count(), LENGTH);
        assert_eq!(history.points(&service_key(2), Some(&server)).count(), 0);
    }

    #[test]
    fn gone_and_idle_rows_have_no_history() {
        let mut history = History::default();
        history.add(&sample(3, 1, 0.0), None);
        assert_eq!(history.services.len(), 0);
        history.add(&sample(3, 1, 5.0), None);
        assert_eq!(history.services.len(), 3);
        history.add(&sample(1, 1, 5.0), None);
        assert_eq!(history.services.len(), 1);
        assert_eq!(history.points(&service_key(1), None).count(), 2);
    }
}
