use super::*;
use crate::connections::Endpoint;
use ipvs::{Forwarding, Protocol, ServerConfig, ServerKey, Service, ServiceConfig, ServiceKey};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));
const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

/// A kernel and a clock, as some moments have them.
#[derive(Default)]
struct Fake {
    /// Of the server of each service, how many seconds after the start what is so:
    /// the latest counts.
    services: Vec<Vec<(u64, Moment)>>,
    /// How long it takes to count.
    count: Duration,
    /// How long it takes to read a block of rows, and how many blocks there
    /// are.
    block: Duration,
    blocks: u32,
    interrupted_at: Option<Duration>,
    /// When the server, or the rows, cannot be read.
    blind: Range<u64>,
    no_rows: Range<u64>,
    start: Duration,
    now: Duration,
    next_block: u32,
    /// When looks began.
    looks: Vec<Duration>,
    /// How long rows were read.
    looked: Duration,
    counted: u32,
}

#[derive(Clone, Default)]
struct Moment {
    gone: bool,
    weight: i32,
    active: u32,
    inactive: u32,
    /// The states of the server's rows, by the clients' ports.
    rows: Vec<(u16, &'static str, u64)>,
}

/// How waiting for one server ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Ended(Ended),
    TimedOut(Left),
    Interrupted(Left),
}

impl Fake {
    /// What is so of the server of a service.
    fn moment(&self, service: usize) -> &Moment {
        let now = self.now.as_secs();
        let past = self.services[service]
            .iter()
            .rfind(|(since, _)| *since <= now);
        &past.expect("a first moment").1
    }

    fn fail(&self, at: &Range<u64>) -> Result<()> {
        match at.contains(&self.now.as_secs()) {
            true => Err(Failure::Connections(io::ErrorKind::OutOfMemory.into())),
            false => Ok(()),
        }
    }

    /// Begins to wait for all servers.
    fn waiting(&mut self, together: bool, limit: Option<u64>) -> Waiting {
        let mut patterns = Patterns::default();
        let places: Vec<usize> = (0..self.services.len())
            .map(|service| {
                let key = ServiceKey::Address {
                    protocol: Protocol::Tcp,
                    address: VIP,
                    port: port(service),
                };
                let service = Service::new(key, ServiceConfig::new("rr", key.family()));
                patterns.insert(&service, server(&Moment::default()).key)
            })
            .collect();
        self.start = self.now;
        self.looks.clear();
        self.looked = Duration::ZERO;
        let limit = limit.map(Duration::from_secs);
        Waiting::new(
            patterns.into(),
            places.into_iter(),
            together,
            limit,
            self.now,
        )
    }

    fn wait(&mut self, limit: Option<u64>) -> End {
        self.try_wait(limit).unwrap()
    }

    /// Waits for one server.
    fn try_wait(&mut self, limit: Option<u64>) -> Result<End> {
        assert_eq!(self.services.len(), 1);
        let mut waiting = self.waiting(false, limit);
        let event = waiting.next(self)?;
        let left = waiting.left();
        Ok(match (event, &left[..]) {
            (Event::Ended(ended), []) => {
                let [(0, why)] = ended[..] else {
                    panic!("{ended:?}");
                };
                End::Ended(why)
            }
            (Event::TimedOut, [(0, left)]) => End::TimedOut(*left),
            (Event::Interrupted, [(0, left)]) => End::Interrupted(*left),
            (event, left) => panic!("{event:?} {left:?}"),
        })
    }

    /// Waits for many servers to the end; what ended when, in tenths of a second.
    fn wait_for_all(&mut self, together: bool, limit: Option<u64>) -> Vec<(u128, Event)> {
        let mut waiting = self.waiting(together, limit);
        let mut events = Vec::new();
        while !waiting.is_over() {
            let event = waiting.next(self).unwrap();
            let at_end = !matches!(event, Event::Ended(_));
            events.push((self.now.as_millis() / 100, event));
            if at_end {
                break;
            }
        }
        events
    }
}

/// The port of a service.
fn port(service: usize) -> u16 {
    80 + service as u16
}

fn server(moment: &Moment) -> Server {
    let key = ServerKey {
        address: SERVER,
        port: 80,
    };
    let mut server = Server::new(key, ServerConfig::new(Forwarding::Masq));
    server.config.weight = moment.weight;
    (server.active, server.inactive) = (moment.active, moment.inactive);
    server
}

impl World for Fake {
    fn servers(&mut self, each: &mut dyn FnMut(usize, &Server)) -> Result<()> {
        self.fail(&self.blind)?;
        self.counted += 1;
        assert!(self.counted < 1_000_000, "waits for ever");
        self.now += self.count;
        for service in 0..self.services.len() {
            let moment = self.moment(service);
            if !moment.gone {
                each(service, &server(moment));
            }
        }
        Ok(())
    }

    fn rewind(&mut self) -> Result<()> {
        self.fail(&self.no_rows)?;
        self.looks.push(self.now);
        assert!(
            self.looked * 10 <= self.now - self.start,
            "{:?} of {:?} spent with rows",
            self.looked,
            self.now - self.start
        );
        self.next_block = 0;
        Ok(())
    }

    fn next_rows(&mut self, each: &mut dyn FnMut(&Connection)) -> Result<bool> {
        self.now += self.block;
        self.looked += self.block;
        if self.next_block == self.blocks {
            return Ok(false);
        }
        self.next_block += 1;
        if self.next_block == 1 {
            for service in 0..self.services.len() {
                for (client, state, expires) in &self.moment(service).rows {
                    let end = |address, port| Endpoint { address, port };
                    each(&Connection {
                        protocol: b"TCP",
                        client: end(CLIENT, *client),
                        service: end(VIP, port(service)),
                        server: end(SERVER, 80),
                        state: state.as_bytes(),
                        expires: *expires,
                        engine: None,
                        origin: None,
                    });
                }
            }
        }
        Ok(true)
    }

    fn interrupted(&self) -> bool {
        self.interrupted_at.is_some_and(|at| self.now >= at)
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn sleep(&mut self, time: Duration) {
        self.now += time;
    }
}

/// One block of rows, read in no time.
fn fake(moments: Vec<(u64, Moment)>) -> Fake {
    Fake {
        services: vec![moments],
        blocks: 1,
        ..Fake::default()
    }
}

fn active(active: u32) -> Moment {
    Moment {
        active,
        ..Moment::default()
    }
}

fn inactive(rows: &[(u16, &'static str, u64)]) -> Moment {
    Moment {
        inactive: rows.len() as u32,
        rows: rows.to_vec(),
        ..Moment::default()
    }
}

#[test]
fn rows_are_read_only_while_none_is_active_and_some_are_inactive() {
    let mut fake = fake(vec![(0, active(3)), (1000, Moment::default())]);
    assert_eq!(fake.wait(None), End::Ended(Ended::Quiet));
    assert_eq!(fake.looks, []);
    // Twice nothing, and not at once.
    assert_eq!(fake.now, Duration::from_secs(1000) + POLL);
    fake.services[0][0].1.inactive = 7;
    fake.now = Duration::ZERO;
    assert_eq!(fake.wait(None), End::Ended(Ended::Quiet));
    assert_eq!(fake.looks, []);
}

#[test]
fn waits_for_inactive_connections_that_are_open() {
    let open = inactive(&[(1, "CLOSE_WAIT", 59), (2, "TIME_WAIT", 9)]);
    let closed = inactive(&[(1, "TIME_WAIT", 100), (2, "TIME_WAIT", 1)]);
    let mut fake = fake(vec![(0, open), (20, closed)]);
    assert_eq!(fake.wait(Some(10)), End::TimedOut(Left::Open(1)));
    fake.now = Duration::ZERO;
    assert_eq!(fake.wait(None), End::Ended(Ended::Quiet));
    assert!(fake.now >= Duration::from_secs(20));
    assert!(fake.now < Duration::from_secs(21));
}

#[test]
fn rows_that_were_missed_are_open() {
    let mut missed = inactive(&[(1, "TIME_WAIT", 9)]);
    missed.inactive = 2;
    let mut fake = fake(vec![(0, missed)]);
    assert_eq!(fake.wait(Some(10)), End::TimedOut(Left::Open(1)));
    // A row that comes twice does not stand for another.
    fake.services[0][0].1.rows = vec![(1, "TIME_WAIT", 9); 2];
    assert_eq!(fake.wait(Some(10)), End::TimedOut(Left::Open(1)));
    fake.services[0][0].1.rows = vec![(1, "TIME_WAIT", 9), (2, "TIME_WAIT", 9)];
    assert_eq!(fake.wait(Some(10)), End::Ended(Ended::Quiet));
}

#[test]
fn one_look_that_finds_nothing_open_is_not_enough() {
    for between in [
        active(1),
        inactive(&[(1, "FIN_WAIT", 9)]),
        inactive(&[(2, "LISTEN", 9)]),
    ] {
        // A look takes a second, and the next comes after ten.
        let closed = inactive(&[(1, "TIME_WAIT", 9)]);
        let mut fake = fake(vec![(0, closed.clone()), (5, between), (60, closed)]);
        fake.block = Duration::from_millis(500);
        assert_eq!(fake.wait(None), End::Ended(Ended::Quiet));
        assert!(fake.now >= Duration::from_secs(60));
    }
    // Nor is one count of nothing: a connection that changes its state is in
    // neither counter for a moment.
    let mut fake = fake(vec![(0, Moment::default()), (1, active(1))]);
    fake.now = Duration::from_millis(900);
    assert_eq!(fake.wait(Some(30)), End::TimedOut(Left::Active(1)));
}

#[test]
fn a_tenth_of_the_time_at_most_is_spent_with_rows() {
    // [`Fake::rewind`] asserts it for each look.
    for block in [0, 1, 10, 50, 199, 201, 1000, 5000] {
        for blocks in [1, 2, 20] {
            let open = inactive(&[(1, "CLOSE_WAIT", 59)]);
            let mut fake = fake(vec![(0, open), (100, active(1)), (101, open_again())]);
            fake.block = Duration::from_millis(block);
            fake.blocks = blocks;
            let End::TimedOut(_) = fake.wait(Some(3000)) else {
                panic!("it is open all the time");
            };
            assert!(fake.looks.len() > 1);
            assert!(fake.looks.len() < 16_000);
        }
    }
}

fn open_again() -> Moment {
    inactive(&[(1, "FIN_WAIT", 59), (2, "CLOSE_WAIT", 9)])
}

#[test]
fn the_larger_the_table_the_fewer_looks() {
    let looks = |millis| {
        let mut fake = fake(vec![(0, open_again())]);
        fake.block = Duration::from_millis(millis) / 2;
        fake.wait(Some(1000));
        fake.looks.len()
    };
    assert_eq!(
        [0, 10, 100, 1000, 10_000].map(looks),
        [5001, 4763, 910, 101, 11]
    );
}

#[test]
fn a_long_look_ends_when_it_is_not_needed_any_more() {
    let mut fake = fake(vec![(0, open_again()), (3, Moment::default())]);
    (fake.block, fake.blocks) = (Duration::from_millis(100), 1_000_000);
    assert_eq!(fake.wait(None), End::Ended(Ended::Quiet));
    assert!(fake.now < Duration::from_secs(4));

    fake.services[0].truncate(1);
    assert_eq!(fake.wait(Some(5)), End::TimedOut(Left::Inactive(2)));
    fake.interrupted_at = Some(fake.now + Duration::from_secs(2));
    assert_eq!(fake.wait(None), End::Interrupted(Left::Inactive(2)));
}

#[test]
fn a_table_too_long_to_be_read_is_not_read_all_the_time() {
    let mut fake = fake(vec![(0, open_again()), (1500, Moment::default())]);
    (fake.block, fake.blocks) = (Duration::from_millis(100), 1_000_000);
    assert_eq!(fake.wait(None), End::Ended(Ended::Quiet));
    assert!(fake.looked <= Duration::from_secs(155), "{:?}", fake.looked);
}

#[test]
fn drain_stops_when_others_change_the_server() {
    let gone = Moment {
        gone: true,
        ..Moment::default()
    };
    let weight = Moment {
        weight: 7,
        ..active(1)
    };
    assert_eq!(
        fake(vec![(0, active(1)), (9, gone)]).wait(None),
        End::Ended(Ended::Gone)
    );
    assert_eq!(
        fake(vec![(0, active(1)), (9, weight)]).wait(None),
        End::Ended(Ended::Reweighted(7))
    );
}

#[test]
fn what_cannot_be_read_is_looked_at_again() {
    let closed = inactive(&[(1, "TIME_WAIT", 9)]);
    for limit in [None, Some(100)] {
        let mut fake = fake(vec![(0, active(1)), (50, closed.clone())]);
        (fake.blind, fake.no_rows) = (20..40, 50..60);
        assert_eq!(fake.wait(limit), End::Ended(Ended::Quiet));
        assert_eq!(fake.now.as_secs(), 60);
    }
}

#[test]
fn waiting_for_what_cannot_be_read_has_an_end() {
    let mut fake = fake(vec![(0, active(1))]);
    fake.blind = 5..10_000;
    assert!(fake.try_wait(Some(100)).is_err());
    assert_eq!(fake.now.as_secs(), 100);
    fake.now = Duration::ZERO;
    assert!(fake.try_wait(None).is_err());
    assert_eq!(fake.now.as_secs(), 5 + PATIENCE.as_secs());
    // A connection that was seen when the time was up is not forgotten.
    fake.blind = 5..90;
    fake.now = Duration::ZERO;
    assert_eq!(fake.wait(Some(100)), End::TimedOut(Left::Active(1)));
}

/// One block of rows, read in no time, of the servers in several services.
fn many<const N: usize>(services: [Vec<(u64, Moment)>; N]) -> Fake {
    Fake {
        services: services.into(),
        blocks: 1,
        ..Fake::default()
    }
}

#[test]
fn each_server_ends_as_soon_as_it_is_quiet() {
    let gone = Moment {
        gone: true,
        ..Moment::default()
    };
    let weight = Moment {
        weight: 5,
        ..active(1)
    };
    let open = inactive(&[(1, "CLOSE_WAIT", 59), (2, "TIME_WAIT", 9)]);
    let closed = inactive(&[(1, "TIME_WAIT", 9)]);
    let mut fake = many([
        vec![(0, open.clone()), (20, closed.clone())],
        vec![(0, Moment::default())],
        vec![(0, active(2)), (10, Moment::default())],
        vec![(0, active(2)), (30, gone)],
        vec![(0, open.clone()), (40, weight)],
        vec![(0, open)],
    ]);
    let ended = |place, why| Event::Ended(vec![(place, why)]);
    assert_eq!(
        fake.wait_for_all(false, Some(50)),
        [
            (2, ended(1, Ended::Quiet)),
            (102, ended(2, Ended::Quiet)),
            (202, ended(0, Ended::Quiet)),
            (300, ended(3, Ended::Gone)),
            (400, ended(4, Ended::Reweighted(5))),
            (500, Event::TimedOut),
        ]
    );
}

#[test]
fn servers_that_stay_are_quiet_at_the_same_time() {
    let closed = inactive(&[(1, "TIME_WAIT", 9)]);
    // A client that persists comes back to the first when the second is quiet.
    let mut fake = many([
        vec![(0, closed.clone()), (8, active(1)), (20, Moment::default())],
        vec![(0, active(1)), (10, closed)],
    ]);
    let all = Event::Ended(vec![(0, Ended::Quiet), (1, Ended::Quiet)]);
    assert_eq!(fake.wait_for_all(true, None), [(202, all)]);
    // Only what is left is told when the time is up.
    fake.now = Duration::ZERO;
    let mut waiting = fake.waiting(true, Some(5));
    assert_eq!(waiting.next(&mut fake).unwrap(), Event::TimedOut);
    assert_eq!(waiting.left(), [(1, Left::Active(1))]);
    assert_eq!(waiting.rest().len(), 2);
    // One that is deleted by others meanwhile does not hold the others up.
    let gone = Moment {
        gone: true,
        ..Moment::default()
    };
    fake.services[1].push((15, gone));
    fake.now = Duration::ZERO;
    let events = fake.wait_for_all(true, None);
    let ended = |place, why| Event::Ended(vec![(place, why)]);
    assert_eq!(
        events,
        [(150, ended(1, Ended::Gone)), (202, ended(0, Ended::Quiet))]
    );
}

#[test]
fn servers_share_a_look() {
    let services = [(); 50].map(|()| vec![(0, open_again())]);
    let mut fake = many(services);
    (fake.count, fake.block) = (Duration::from_millis(100), Duration::from_millis(50));
    assert_eq!(fake.wait_for_all(true, Some(600)).len(), 1);
    // Each look is over all of them, and takes one reading of the table of services
    // and one of that of connections, which rest for nine times as long.
    let looks = fake.looks.len();
    assert!((500..=610).contains(&looks), "{looks}");
    assert!(fake.counted as usize <= looks + 120, "{}", fake.counted);
}

#[test]
fn large_tables_of_services_are_not_counted_all_the_time() {
    let mut fake = many([vec![(0, active(1)), (300, Moment::default())]]);
    fake.count = Duration::from_secs(2);
    assert_eq!(fake.wait_for_all(false, None).len(), 1);
    assert!(fake.counted <= 18, "{}", fake.counted);
    // Before the time is up it is counted all the same, and an interrupt is heeded.
    fake.now = Duration::from_secs(290);
    let quiet = Event::Ended(vec![(0, Ended::Quiet)]);
    fake.services[0].remove(0);
    fake.services[0][0].0 = 0;
    assert_eq!(fake.wait_for_all(false, Some(5)), [(2970, quiet)]);
    fake.services[0][0].1 = active(1);
    fake.now = Duration::ZERO;
    fake.interrupted_at = Some(Duration::from_secs(5));
    assert_eq!(fake.wait(None), End::Interrupted(Left::Active(1)));
    assert!(fake.now <= Duration::from_secs(5) + POLL);
}

#[test]
fn a_count_of_none_needs_no_rows() {
    let closed = inactive(&[(1, "TIME_WAIT", 9)]);
    let mut fake = many([vec![(0, Moment::default())], vec![(0, closed)]]);
    fake.no_rows = 0..10;
    let events = fake.wait_for_all(false, Some(20));
    let ended = |place| Event::Ended(vec![(place, Ended::Quiet)]);
    assert_eq!(events[0], (2, ended(0)));
    assert_eq!(events[1].1, ended(1));
    assert!(events[1].0 >= 100, "{events:?}");
}
