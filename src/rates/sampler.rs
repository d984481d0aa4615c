//! Rates, counted from the kernel's 64-bit counters.
//!
//! The kernel's own rates are smoothed, and stand still at their last value
//! where net.ipv4.vs.run_estimation is 0. These are what was counted between
//! two looks, divided by the time between them. This module must not know where
//! tables and times come from.

use foldhash::fast::RandomState;
use ipvs::{ServerKey, ServiceKey, Stats, Table};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

/// The kernel publishes its counters every two seconds. Within less there may
/// be nothing new or all of two seconds, so that rates are counted over no less.
/// A look that comes a little early counts as one after two seconds.
const SHORTEST: Duration = Duration::from_millis(1900);

/// What happens a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Connections.
    pub conns: f64,
    /// Packets from clients.
    pub in_packets: f64,
    /// Packets to clients.
    pub out_packets: f64,
    /// Bytes from clients.
    pub in_bytes: f64,
    /// Bytes to clients.
    pub out_bytes: f64,
}

impl Rates {
    /// The sum of both.
    pub fn plus(self, other: Rates) -> Rates {
        Rates {
            conns: self.conns + other.conns,
            in_packets: self.in_packets + other.in_packets,
            out_packets: self.out_packets + other.out_packets,
            in_bytes: self.in_bytes + other.in_bytes,
            out_bytes: self.out_bytes + other.out_bytes,
        }
    }

    /// The counters of `stats` with these rates in place of the kernel's.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are not negative, and what is too much for u64 becomes its largest"
    )]
    pub fn in_place_of(self, mut stats: Stats) -> Stats {
        stats.cps = self.conns.round() as u64;
        stats.in_pps = self.in_packets.round() as u64;
        stats.out_pps = self.out_packets.round() as u64;
        stats.in_bps = self.in_bytes.round() as u64;
        stats.out_bps = self.out_bytes.round() as u64;
        stats
    }
}

type Counters = [u64; 5];

fn counters(stats: &Stats) -> Counters {
    [
        stats.conns,
        stats.in_packets,
        stats.out_packets,
        stats.in_bytes,
        stats.out_bytes,
    ]
}

/// A service, or one of its servers.
type Counted = (ServiceKey, Option<ServerKey>);

/// What is known of one of them.
struct Past {
    counters: Counters,
    /// When they had these values.
    at: Instant,
    /// The rates up to then, if there was anything to count from.
    rates: Option<Rates>,
    /// The number of the last look that saw it.
    look: u64,
}

/// Counts from one look at the table to the next. A look is [`Sampler::begin`],
/// [`Sampler::count`] for each service and server, [`Sampler::end`].
#[derive(Default)]
pub struct Sampler {
    past: HashMap<Counted, Past, RandomState>,
    now: Option<Instant>,
    look: u64,
    seen: usize,
}

impl Sampler {
    /// Puts what is counted in place of the kernel's rates of a table that was
    /// read `now`: 0 for what was not there before.
    pub fn rate(&mut self, now: Instant, table: &mut Table) {
        self.begin(now);
        for (service, servers) in &mut table.services {
            let rates = self.count(&service.key, None, &service.stats);
            service.stats = rates.unwrap_or_default().in_place_of(service.stats);
            for server in servers {
                let rates = self.count(&service.key, Some(&server.key), &server.stats);
                server.stats = rates.unwrap_or_default().in_place_of(server.stats);
            }
        }
        self.end();
    }

    /// Begins a look at the table as it is `now`.
    pub fn begin(&mut self, now: Instant) {
        self.now = Some(now);
        self.look += 1;
        self.seen = 0;
    }

    /// Takes the counters of a service, or of its server `server`; its rates
    /// since the look before. There are none for what was not there then, nor
    /// where a counter went back: it was zeroed, or deleted and added again.
    pub fn count(
        &mut self,
        service: &ServiceKey,
        server: Option<&ServerKey>,
        stats: &Stats,
    ) -> Option<Rates> {
        let now = self.now?;
        self.seen += 1;
        let fresh = Past {
            counters: counters(stats),
            at: now,
            rates: None,
            look: self.look,
        };
        let past = match self.past.entry((*service, server.copied())) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                return entry.insert(fresh).rates;
            }
        };
        past.look = self.look;
        let time = now.saturating_duration_since(past.at);
        match differences(&past.counters, &fresh.counters) {
            None => *past = fresh,
            Some(counted) if time >= SHORTEST => {
                let rates = Some(rates(counted, time));
                *past = Past { rates, ..fresh };
            }
            Some(_) => {}
        }
        past.rates
    }

    /// Ends a look: what it did not see is gone.
    pub fn end(&mut self) {
        if self.past.len() > self.seen {
            self.past.retain(|_, past| past.look == self.look);
        }
    }

    /// How many services and servers are known.
    pub fn len(&self) -> usize {
        self.past.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.past.is_empty()
    }
}

/// What was counted, unless one of the counters went back.
fn differences(before: &Counters, after: &Counters) -> Option<Counters> {
    let mut counted = Counters::default();
    for (counted, (before, after)) in counted.iter_mut().zip(before.iter().zip(after)) {
        *counted = after.checked_sub(*before)?;
    }
    Some(counted)
}

fn rates(counted: Counters, time: Duration) -> Rates {
    let seconds = time.as_secs_f64();
    let [conns, in_packets, out_packets, in_bytes, out_bytes] =
        counted.map(|count| count as f64 / seconds);
    Rates {
        conns,
        in_packets,
        out_packets,
        in_bytes,
        out_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipvs::Protocol;

    const START: u64 = 1 << 63;

    fn service(number: u8) -> ServiceKey {
        ServiceKey::Address {
            protocol: Protocol::Tcp,
            address: [192, 0, 2, number].into(),
            port: 80,
        }
    }

    fn server(number: u8) -> ServerKey {
        ServerKey {
            address: [10, 0, 0, number].into(),
            port: 80,
        }
    }

    fn stats(conns: u64) -> Stats {
        let mut stats = Stats::default();
        stats.conns = conns;
        stats.in_packets = conns * 3;
        stats
    }

    fn conns(rates: Option<Rates>) -> Option<f64> {
        rates.map(|rates| rates.conns)
    }

    /// Looks of one service at seconds with numbers of connections; the rates.
    fn looks(looks: &[(f64, u64)]) -> Vec<Option<f64>> {
        let start = Instant::now();
        let mut sampler = Sampler::default();
        let mut found = Vec::new();
        for (second, count) in looks {
            sampler.begin(start + Duration::from_secs_f64(*second));
            found.push(conns(sampler.count(&service(1), None, &stats(*count))));
            sampler.end();
        }
        found
    }

    #[test]
    fn rates_are_what_was_counted_in_the_time_that_passed() {
        assert_eq!(
            looks(&[(0.0, 7), (2.0, 7), (4.0, 107), (14.0, 112), (16.5, 122)]),
            [None, Some(0.0), Some(50.0), Some(0.5), Some(4.0)]
        );
    }

    #[test]
    fn large_counters_lose_nothing() {
        let start = Instant::now();
        let mut sampler = Sampler::default();
        let at = |conns| {
            let mut stats = Stats::default();
            stats.conns = conns;
            stats.out_bytes = conns;
            stats
        };
        sampler.begin(start);
        sampler.count(&service(1), None, &at(START));
        sampler.begin(start + Duration::from_secs(2));
        let rates = sampler.count(&service(1), None, &at(START + 3)).unwrap();
        assert_eq!((rates.conns, rates.out_bytes), (1.5, 1.5));
        assert_eq!(rates.in_place_of(at(START)).cps, 2);
        assert_eq!(rates.in_place_of(at(START)).conns, START);
    }

    #[test]
    fn a_counter_that_went_back_is_a_fresh_start() {
        assert_eq!(
            looks(&[(0.0, 1000), (2.0, 10), (4.0, 30), (4.5, 5), (6.5, 7)]),
            [None, None, Some(10.0), None, Some(1.0)]
        );
        // One of them is enough.
        let (before, after) = ([9, 9, 9, 9, 9], [99, 99, 99, 99, 8]);
        assert_eq!(differences(&before, &after), None);
    }

    #[test]
    fn less_than_two_seconds_are_no_interval() {
        assert_eq!(
            looks(&[(0.0, 0), (0.5, 0), (1.0, 8), (1.9, 8), (2.4, 16), (3.9, 16)]),
            [
                None,
                None,
                None,
                Some(8.0 / 1.9),
                Some(8.0 / 1.9),
                Some(8.0 / 2.0)
            ]
        );
    }

    #[test]
    fn time_that_stands_still_divides_by_nothing() {
        assert_eq!(looks(&[(5.0, 0), (5.0, 9), (4.0, 10)]), [None, None, None]);
    }

    #[test]
    fn entries_that_come_back_start_without_rates() {
        let start = Instant::now();
        let mut sampler = Sampler::default();
        let mut look = |second, rows: &[(u8, Option<u8>, u64)]| -> Vec<Option<f64>> {
            sampler.begin(start + Duration::from_secs(second));
            let found = rows.iter().map(|(vip, rip, count)| {
                let rip = rip.map(server);
                conns(sampler.count(&service(*vip), rip.as_ref(), &stats(*count)))
            });
            let found = found.collect();
            sampler.end();
            assert_eq!(sampler.len(), rows.len());
            found
        };
        let all = [(1, None, 50), (1, Some(2), 20), (1, Some(3), 30)];
        assert_eq!(look(0, &all), [None; 3]);
        // A server under another service is another server; the order is no
        // matter.
        assert_eq!(
            look(2, &[(2, Some(2), 900), (1, Some(3), 40), (1, None, 60)]),
            [None, Some(5.0), Some(5.0)]
        );
        // Taken back from the kernel's trash, with its counters.
        assert_eq!(
            look(4, &[(1, None, 60), (1, Some(2), 20), (2, Some(2), 902)]),
            [Some(0.0), None, Some(1.0)]
        );
        assert_eq!(look(6, &[]), []);
        assert_eq!(look(8, &all), [None; 3]);
    }
}
