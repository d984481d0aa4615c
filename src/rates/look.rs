//! Looks at the table, at the right moment.

use crate::procfs;
use ipvs::{Ipvs, ListError, Namespace, Server, Service};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How often the kernel publishes its counters, if all goes well.
const SOON: Duration = Duration::from_millis(1900);

/// By how much it may be late: its timers are not precise.
const LATE: Duration = Duration::from_millis(100);

/// The table at one moment.
#[derive(Debug)]
pub struct Look {
    /// When it was read, by the clock that never jumps.
    pub at: Instant,
    /// The same by the clock on the wall.
    pub time: SystemTime,
    /// The services with their servers, in the kernel's order.
    pub services: Vec<(Service, Vec<Server>)>,
    /// Whether the kernel does not publish what it counts.
    pub frozen: bool,
}

/// Reads the table again and again.
#[derive(Debug, Default)]
pub struct Looker {
    sum: u64,
    /// When a counter was last seen to have moved.
    moved: Option<Instant>,
}

impl Looker {
    /// Reads the table.
    pub fn look(&mut self, ipvs: &mut Ipvs) -> Result<Look, ListError> {
        let (at, time, services) = self.services(|| ipvs.services())?;
        let mut table = Vec::with_capacity(services.len());
        for service in services {
            match ipvs.servers(&service.key) {
                Ok(servers) => table.push((service, servers)),
                Err(ListError::Kernel(error)) if error.errno() == libc::ESRCH => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Look {
            at,
            time,
            services: table,
            frozen: counters_are_frozen(ipvs.namespace()),
        })
    }

    /// Reads services with `read`, and notes when.
    ///
    /// Where nothing at all has moved for as long as the kernel takes to
    /// publish, and something moved before, it may only be late: the table is
    /// then read a little later, lest one look see no traffic.
    pub fn services<E>(
        &mut self,
        mut read: impl FnMut() -> Result<Vec<Service>, E>,
    ) -> Result<(Instant, SystemTime, Vec<Service>), E> {
        let (mut at, mut time) = (Instant::now(), SystemTime::now());
        let mut services = read()?;
        if self.waits(&services, at) {
            thread::sleep(LATE);
            (at, time) = (Instant::now(), SystemTime::now());
            services = read()?;
        }
        self.note(&services, at);
        Ok((at, time, services))
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
pub fn counters_are_frozen(namespace: &Namespace) -> bool {
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
        let mut looker = Looker::default();
        // Nothing has ever moved.
        assert!(!looker.waits(&services(0), at(0.0)));
        looker.note(&services(0), at(0.0));
        assert!(!looker.waits(&services(0), at(2.0)));
        looker.note(&services(5), at(2.0));
        // Still moving; too early to say.
        assert!(!looker.waits(&services(6), at(4.0)));
        assert!(!looker.waits(&services(5), at(3.0)));
        // Moved until now.
        assert!(looker.waits(&services(5), at(4.0)));
        looker.note(&services(5), at(4.1));
        // It has stopped indeed.
        assert!(!looker.waits(&services(5), at(6.1)));
    }
}
