//! From addresses and ports to names, for output.
//!
//! Each address is looked up once, many at a time, and all of them together
//! may take no longer than one deadline: a name server that is down costs that
//! and not a time-out for each line. Look-ups cannot be called off, so those
//! that are late are left to threads that nobody waits for; they end with the
//! process.

use super::Names;
use super::lookup::system_services;
use super::services::Services;
use crate::model::Protocol;
use dns_lookup::getnameinfo;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// All look-ups together. The C library asks the second name server after five
/// seconds, so that one dead server of two does not yet cost the names.
const DEADLINE: Duration = Duration::from_secs(6);

/// Look-ups at a time.
const THREADS: usize = 32;

/// The C library wants little; modules of nsswitch.conf some more.
const STACK: usize = 512 * 1024;

/// So many names are kept; a table of connections may have more, and is
/// printed in constant memory.
const KEPT: usize = 16 * 1024;

/// `NI_NAMEREQD` (netdb.h): no name is an error, not the address as a text.
const NAME_REQUIRED: i32 = 8;
/// `NI_NUMERICSERV` (netdb.h): the port is not to be looked up.
const NUMERIC_SERVICE: i32 = 2;

type Answer = (IpAddr, Option<Box<[u8]>>);
type Queue = Arc<Mutex<VecDeque<IpAddr>>>;
type Ask = fn(IpAddr) -> Option<Box<[u8]>>;

/// The names of this machine and its name servers.
#[derive(Debug)]
pub struct Resolver {
    services: Services,
    hosts: HashMap<IpAddr, Option<Box<[u8]>>>,
    left: Duration,
    timed_out: bool,
    ask: Ask,
}

impl Default for Resolver {
    fn default() -> Self {
        Resolver::new()
    }
}

impl Resolver {
    /// A resolver that knows no host yet.
    pub fn new() -> Resolver {
        Resolver::with(DEADLINE, system_services(), host_name)
    }

    fn with(deadline: Duration, services: Services, ask: Ask) -> Resolver {
        Resolver {
            services,
            hosts: HashMap::new(),
            left: deadline,
            timed_out: false,
            ask,
        }
    }

    /// Whether names are missing because an answer did not come in time.
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }

    /// Those of `addresses` that have not been looked up, each once.
    fn unknown(&self, addresses: &mut dyn Iterator<Item = IpAddr>) -> VecDeque<IpAddr> {
        let mut seen = HashSet::new();
        addresses
            .filter(|address| !self.hosts.contains_key(address) && seen.insert(*address))
            .collect()
    }

    /// Waits for `count` answers, or until the time is used up.
    fn collect(&mut self, answers: &Receiver<Answer>, count: usize) {
        let start = Instant::now();
        for _ in 0..count {
            let left = self.left.saturating_sub(start.elapsed());
            match answers.recv_timeout(left) {
                Ok((address, name)) => self.hosts.insert(address, name),
                Err(_) => {
                    self.timed_out = true;
                    break;
                }
            };
        }
        self.left = self.left.saturating_sub(start.elapsed());
    }
}

impl Names for Resolver {
    fn host(&self, address: &IpAddr) -> Option<&[u8]> {
        self.hosts.get(address)?.as_deref()
    }

    fn service(&self, port: u16, protocol: Protocol) -> Option<&[u8]> {
        self.services.name(port, protocol)
    }

    fn prefetch(&mut self, addresses: &mut dyn Iterator<Item = IpAddr>) {
        if self.hosts.len() > KEPT {
            self.hosts.clear();
        }
        let wanted = self.unknown(addresses);
        if wanted.is_empty() || self.timed_out {
            return;
        }
        let count = wanted.len();
        let queue = Arc::new(Mutex::new(wanted));
        let (sender, answers) = mpsc::channel();
        for _ in 0..count.min(THREADS) {
            start(&queue, &sender, self.ask);
        }
        drop(sender);
        self.collect(&answers, count);
        lock(&queue).clear();
    }
}

/// Starts a thread that works at the queue. Without any (the machine allows no
/// more) the channel is closed at once and there are no names.
fn start(queue: &Queue, answers: &Sender<Answer>, ask: Ask) {
    let (queue, answers) = (Arc::clone(queue), answers.clone());
    let work = move || {
        while let Some(address) = next(&queue) {
            if answers.send((address, ask(address))).is_err() {
                break;
            }
        }
    };
    // The handle is dropped: nobody waits for the thread.
    let _ = thread::Builder::new().stack_size(STACK).spawn(work);
}

fn next(queue: &Queue) -> Option<IpAddr> {
    lock(queue).pop_front()
}

/// A queue is whole even where a thread has died with it.
fn lock(queue: &Queue) -> std::sync::MutexGuard<'_, VecDeque<IpAddr>> {
    queue
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn host_name(address: IpAddr) -> Option<Box<[u8]>> {
    let socket = SocketAddr::new(address, 0);
    let (name, _) = getnameinfo(&socket, NAME_REQUIRED | NUMERIC_SERVICE).ok()?;
    Some(name.into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn address(last: u16) -> IpAddr {
        let [high, low] = last.to_be_bytes();
        IpAddr::from([10, 0, high, low])
    }

    fn resolver(deadline: Duration, ask: Ask) -> Resolver {
        Resolver::with(deadline, Services::parse(b"http 80/tcp"), ask)
    }

    #[test]
    fn each_address_is_asked_for_once() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let mut names = resolver(DEADLINE, |address| {
            ASKED.fetch_add(1, Ordering::Relaxed);
            (address != self::address(7)).then(|| address.to_string().into_bytes().into())
        });
        for _ in 0..3 {
            names.prefetch(&mut (0..300).map(|n| address(n % 100)));
        }
        assert_eq!(ASKED.load(Ordering::Relaxed), 100);
        assert_eq!(names.host(&address(99)), Some(&b"10.0.0.99"[..]));
        assert_eq!(names.host(&address(7)), None);
        assert!(!names.timed_out());
    }

    #[test]
    fn a_dead_name_server_costs_one_deadline() {
        let mut names = resolver(Duration::from_millis(50), |ask| {
            if ask == address(0) {
                return Some(b"alive"[..].into());
            }
            thread::sleep(Duration::from_secs(60));
            None
        });
        let start = Instant::now();
        names.prefetch(&mut (0..1000).map(address));
        names.prefetch(&mut (2000..3000).map(address));
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(names.timed_out());
        assert_eq!(names.host(&address(0)), Some(&b"alive"[..]));
        assert_eq!(names.host(&address(1)), None);
    }

    #[test]
    fn ports_have_names() {
        let names = resolver(DEADLINE, |_| None);
        assert_eq!(names.service(80, Protocol::Tcp), Some(&b"http"[..]));
        assert_eq!(names.service(80, Protocol::Udp), None);
    }

    #[test]
    fn localhost_has_a_name() {
        let mut names = Resolver::new();
        let localhost = IpAddr::from([127, 0, 0, 1]);
        names.prefetch(&mut std::iter::once(localhost));
        assert!(names.host(&localhost).is_some());
    }
}
