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
    /// How many seconds after the start what is so: the latest counts.
    moments: Vec<(u64, Moment)>,
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

impl Fake {
    fn moment(&self) -> &Moment {
        let now = self.now.as_secs();
        let past = self.moments.iter().rfind(|(since, _)| *since <= now);
        &past.expect("a first moment").1
    }

    fn fail(&self, at: &Range<u64>) -> Result<()> {
        match at.contains(&self.now.as_secs()) {
            true => Err(Failure::Connections(io::ErrorKind::OutOfMemory.into())),
            false => Ok(()),
        }
    }

    fn wait(&mut self, limit: Option<u64>) -> Ended {
        self.try_wait(limit).unwrap()
    }

    fn try_wait(&mut self, limit: Option<u64>) -> Result<Ended> {
        let key = ServiceKey::Address {
            protocol: Protocol::Tcp,
            address: VIP,
            port: 80,
        };
        let service = Service::new(key, ServiceConfig::new("rr", key.family()));
        self.start = self.now;
        self.looks.clear();
        self.looked = Duration::ZERO;
        let target = Target::new(&service, server(0, 0, 0).key);
        wait(self, &target, limit.map(Duration::from_secs))
    }
}

fn server(weight: i32, active: u32, inactive: u32) -> Server {
    let key = ServerKey {
        address: SERVER,
        port: 80,
    };
    let mut server = Server::new(key, ServerConfig::new(Forwarding::Masq));
    server.config.weight = weight;
    (server.active, server.inactive) = (active, inactive);
    server
}

impl World for Fake {
    fn server(&mut self) -> Result<Option<Server>> {
        self.fail(&self.blind)?;
        self.counted += 1;
        assert!(self.counted < 1_000_000, "waits for ever");
        let moment = self.moment();
        let server = server(moment.weight, moment.active, moment.inactive);
        Ok((!moment.gone).then_some(server))
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
            for (port, state, expires) in &self.moment().rows {
                let end = |address, port| Endpoint { address, port };
                each(&Connection {
                    protocol: b"TCP",
                    client: end(CLIENT, *port),
                    service: end(VIP, 80),
                    server: end(SERVER, 80),
                    state: state.as_bytes(),
                    expires: *expires,
                    engine: None,
                });
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
        moments,
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
    assert_eq!(fake.wait(None), Ended::Empty);
    assert_eq!(fake.looks, []);
    // Twice nothing, and not at once.
    assert_eq!(fake.now, Duration::from_secs(1000) + POLL);
    fake.moments[0].1.inactive = 7;
    fake.now = Duration::ZERO;
    assert_eq!(fake.wait(None), Ended::Empty);
    assert_eq!(fake.looks, []);
}

#[test]
fn waits_for_inactive_connections_that_are_open() {
    let open = inactive(&[(1, "CLOSE_WAIT", 59), (2, "TIME_WAIT", 9)]);
    let closed = inactive(&[(1, "TIME_WAIT", 100), (2, "TIME_WAIT", 1)]);
    let mut fake = fake(vec![(0, open), (20, closed)]);
    assert_eq!(fake.wait(Some(10)), Ended::TimedOut(Left::Open(1)));
    fake.now = Duration::ZERO;
    assert_eq!(fake.wait(None), Ended::Empty);
    assert!(fake.now >= Duration::from_secs(20));
    assert!(fake.now < Duration::from_secs(21));
}

#[test]
fn rows_that_were_missed_are_open() {
    let mut missed = inactive(&[(1, "TIME_WAIT", 9)]);
    missed.inactive = 2;
    let mut fake = fake(vec![(0, missed)]);
    assert_eq!(fake.wait(Some(10)), Ended::TimedOut(Left::Open(1)));
    // A row that comes twice does not stand for another.
    fake.moments[0].1.rows = vec![(1, "TIME_WAIT", 9); 2];
    assert_eq!(fake.wait(Some(10)), Ended::TimedOut(Left::Open(1)));
    fake.moments[0].1.rows = vec![(1, "TIME_WAIT", 9), (2, "TIME_WAIT", 9)];
    assert_eq!(fake.wait(Some(10)), Ended::Empty);
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
        assert_eq!(fake.wait(None), Ended::Empty);
        assert!(fake.now >= Duration::from_secs(60));
    }
    // Nor is one count of nothing: a connection that changes its state is in
    // neither counter for a moment.
    let mut fake = fake(vec![(0, Moment::default()), (1, active(1))]);
    fake.now = Duration::from_millis(900);
    assert_eq!(fake.wait(Some(30)), Ended::TimedOut(Left::Active(1)));
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
            let Ended::TimedOut(_) = fake.wait(Some(3000)) else {
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
    assert_eq!(fake.wait(None), Ended::Empty);
    assert!(fake.now < Duration::from_secs(4));

    fake.moments.truncate(1);
    assert_eq!(fake.wait(Some(5)), Ended::TimedOut(Left::Inactive(2)));
    fake.interrupted_at = Some(fake.now + Duration::from_secs(2));
    assert_eq!(fake.wait(None), Ended::Interrupted(Left::Inactive(2)));
}

#[test]
fn a_table_too_long_to_be_read_is_not_read_all_the_time() {
    let mut fake = fake(vec![(0, open_again()), (1500, Moment::default())]);
    (fake.block, fake.blocks) = (Duration::from_millis(100), 1_000_000);
    assert_eq!(fake.wait(None), Ended::Empty);
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
        Ended::Gone
    );
    assert_eq!(
        fake(vec![(0, active(1)), (9, weight)]).wait(None),
        Ended::Reweighted(7)
    );
}

#[test]
fn what_cannot_be_read_is_looked_at_again() {
    let closed = inactive(&[(1, "TIME_WAIT", 9)]);
    for limit in [None, Some(100)] {
        let mut fake = fake(vec![(0, active(1)), (50, closed.clone())]);
        (fake.blind, fake.no_rows) = (20..40, 50..60);
        assert_eq!(fake.wait(limit), Ended::Empty);
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
    assert_eq!(fake.wait(Some(100)), Ended::TimedOut(Left::Active(1)));
}
