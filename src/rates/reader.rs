//! Reads the table at the right moment.

use crate::procfs;
use crate::selection::Selection;
use ipvs::{Ipvs, ListError, Namespace, Service, Table};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How often the kernel updates its counters, if all goes well.
const SOON: Duration = Duration::from_millis(1900);

/// By how much it may be late: its timers are not precise.
const LATE: Duration = Duration::from_millis(100);

/// The table at one moment.
#[derive(Debug)]
pub struct Reading {
    /// When it was read, by the clock that never jumps.
    pub at: Instant,
    /// The same by the clock on the wall.
    pub time: SystemTime,
    /// The table, in the kernel's order.
    pub table: Table,
    /// Whether the kernel does not update its counters.
    pub frozen: bool,
}

/// Reads the table again and again.
#[derive(Debug, Default)]
pub struct TableReader {
    sum: u64,
    /// When a counter was last seen to have moved.
    moved: Option<Instant>,
}

impl TableReader {
    /// Reads this `part` of the table.
    ///
    /// Where nothing at all has moved for as long as the kernel takes to update
    /// its counters, and something moved before, it may only be late: the table
    /// is then read a little later, so that no reading is without the traffic of
    /// its time.
    pub fn read(&mut self, ipvs: &mut Ipvs, part: &Selection) -> Result<Reading, ListError> {
        let (mut at, mut time) = (Instant::now(), SystemTime::now());
        let mut services = ipvs.all_or_one(part.service.as_ref())?;
        if self.waits(&services, at) {
            thread::sleep(LATE);
            (at, time) = (Instant::now(), SystemTime::now());
            services = ipvs.all_or_one(part.service.as_ref())?;
        }
        self.note(&services, at);
        services.retain(|service| part.has_service(&service.key));
        let mut table = ipvs.table_of(&services)?;
        part.reduce(&mut table);
        Ok(Reading {
            at,
            time,
            table,
            frozen: counters_are_frozen(ipvs.namespace()),
        })
    }

    fn waits(&self, services: &[Service], now: Instant) -> bool {
        let before = self.moved.map(|moved| now.saturating_duration_since(moved));
        before.is_some_and(|before| before >= SOON && before < 2 * SOON)
            && sum(services) == self.sum
    }

    fn note(&mut self, services: &[Service], now: Instant) {
        let sum = sum(services);
        if sum != self.sum {
            self.sum = sum;
            self.moved = Some(now);
        }
    }
}

/// A number that changes when a counter does.
fn sum(services: &[Service]) -> u64 {
    services.iter().fold(0, |sum: u64, service| {
        let stats = &service.stats;
        sum.wrapping_add(stats.conns)
            .wrapping_add(stats.in_packets)
            .wrapping_add(stats.out_packets)
    })
}

/// Whether net.ipv4.vs.run_estimation is 0.
fn counters_are_frozen(namespace: &Namespace) -> bool {
    procfs::setting(namespace, "run_estimation").is_ok_and(|value| value == "0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipvs::{Family, Protocol, ServiceConfig, ServiceKey};

    fn services(conns: u64) -> [Service; 1] {
        let key = ServiceKey::new(Protocol::Tcp, ([192, 0, 2, 1], 80).into());
        let mut service = Service::new(key, ServiceConfig::new("rr", Family::Inet));
        service.stats.conns = conns;
        [service]
    }

    #[test]
    fn only_traffic_that_stops_is_waited_for() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs_f64(seconds);
        let mut reader = TableReader::default();
        // Nothing has ever moved.
        assert!(!reader.waits(&services(0), at(0.0)));
        reader.note(&services(0), at(0.0));
        assert!(!reader.waits(&services(0), at(2.0)));
        reader.note(&services(5), at(2.0));
        // Still moving; too early to say.
        assert!(!reader.waits(&services(6), at(4.0)));
        assert!(!reader.waits(&services(5), at(3.0)));
        // Moved until now.
        assert!(reader.waits(&services(5), at(4.0)));
        reader.note(&services(5), at(4.1));
        // It has stopped indeed.
        assert!(!reader.waits(&services(5), at(6.1)));
    }
}
