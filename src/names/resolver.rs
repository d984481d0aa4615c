//! From addresses and ports to names, for output.
//!
//! Each address is looked up once, many at a time, with one deadline for all of
//! them: a name server that is down costs that much, and not a time-out for
//! each line.

use super::lookup::{host_address, system_services};
use super::services::Services;
use super::{Names, pool};
use dns_lookup::getnameinfo;
use ipvs::Protocol;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// All look-ups together. The C library asks the second name server after five
/// seconds, so that one dead server of two does not yet cost the names.
const DEADLINE: Duration = Duration::from_secs(6);

/// How many names are kept; a table of connections may have more, and is
/// printed in constant memory.
const KEPT: usize = 16 * 1024;

/// `NI_NAMEREQD` (netdb.h): no name is an error, not the address as a text.
const NAME_REQUIRED: i32 = 8;
/// `NI_NUMERICSERV` (netdb.h): the port is not to be looked up.
const NUMERIC_SERVICE: i32 = 2;

type HostName = Box<[u8]>;
type Ask = fn(&IpAddr) -> Option<HostName>;
/// The address of a name; `None` where it has none.
type AskBack = fn(&HostName) -> Option<Ipv4Addr>;

/// The names of this machine and its name servers.
#[derive(Debug)]
pub struct Resolver {
    services: Services,
    hosts: HashMap<IpAddr, Option<HostName>>,
    left: Duration,
    timed_out: bool,
    ask: Ask,
    /// For rules: a name counts only if it stands for its address.
    ask_back: Option<AskBack>,
}

impl Resolver {
    /// The names to list.
    pub fn for_listing() -> Resolver {
        Resolver::with(DEADLINE, system_services(), host_name)
    }

    /// The names to save: those that are read back as the same address or port.
    pub fn for_rules() -> Resolver {
        Resolver {
            ask_back: Some(|name| host_address(name).ok()),
            ..Resolver::with(DEADLINE, system_services().read_back(), host_name)
        }
    }

    fn with(deadline: Duration, services: Services, ask: Ask) -> Resolver {
        Resolver {
            services,
            hosts: HashMap::new(),
            left: deadline,
            timed_out: false,
            ask,
            ask_back: None,
        }
    }

    /// Gives the look-ups that follow a deadline of their own.
    pub fn renew(&mut self) {
        self.left = DEADLINE;
    }

    /// Whether names are missing because an answer did not come in time.
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }

    /// Those of `addresses` that have not been looked up, each once.
    fn unknown(&self, addresses: &mut dyn Iterator<Item = IpAddr>) -> VecDeque<IpAddr> {
        let mut seen = HashSet::new();
        // -R takes a name for an IPv4 host.
        let may_have = |address: &IpAddr| self.ask_back.is_none() || address.is_ipv4();
        addresses
            .filter(may_have)
            .filter(|address| !self.hosts.contains_key(address) && seen.insert(*address))
            .collect()
    }

    /// Looks up the names of `addresses` the other way, and forgets those that
    /// do not stand for their address.
    fn confirm(&mut self, addresses: &[IpAddr], ask_back: AskBack) {
        let names = addresses.iter().filter_map(|a| self.hosts.get(a)?.clone());
        let names: HashSet<HostName> = names.collect();
        let mut back = HashMap::new();
        let questions = names.into_iter().collect();
        self.timed_out |= !pool::ask_all(questions, ask_back, &mut self.left, |name, answer| {
            back.insert(name, answer);
        });
        for address in addresses {
            let Some(name) = self.hosts.get_mut(address) else {
                continue;
            };
            name.take_if(|name| {
                back.get(name).copied().flatten().map(IpAddr::V4) != Some(*address)
            });
        }
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
        let asked: Vec<IpAddr> = wanted.iter().copied().collect();
        let hosts = &mut self.hosts;
        self.timed_out = !pool::ask_all(wanted, self.ask, &mut self.left, |address, name| {
            hosts.insert(address, name);
        });
        if let Some(ask_back) = self.ask_back {
            self.confirm(&asked, ask_back);
        }
    }
}

fn host_name(address: &IpAddr) -> Option<HostName> {
    let socket = SocketAddr::new(*address, 0);
    let (name, _) = getnameinfo(&socket, NAME_REQUIRED | NUMERIC_SERVICE).ok()?;
    Some(name.into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Instant;

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
            (*address != self::address(7)).then(|| address.to_string().into_bytes().into())
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
        let mut names = resolver(Duration::from_secs(1), |ask| {
            if *ask == address(0) {
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
        let mut names = Resolver::for_listing();
        let localhost = IpAddr::from([127, 0, 0, 1]);
        names.prefetch(&mut std::iter::once(localhost));
        assert!(names.host(&localhost).is_some());
    }

    #[test]
    fn rules_have_only_names_that_lead_back() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let name = |address: &IpAddr| {
            let name = match address.to_string().as_str() {
                "10.0.0.1" => "one",
                "10.0.0.2" => "elsewhere",
                "10.0.0.3" => "nowhere",
                "10.0.0.4" | "10.0.0.5" => "shared",
                _ => return None,
            };
            Some(name.as_bytes().into())
        };
        let mut names = Resolver {
            ask_back: Some(|name| {
                ASKED.fetch_add(1, Ordering::Relaxed);
                let last = match &name[..] {
                    b"one" => 1,
                    b"elsewhere" => 66,
                    b"shared" => 5,
                    _ => return None,
                };
                Some(Ipv4Addr::new(10, 0, 0, last))
            }),
            ..resolver(DEADLINE, name)
        };
        names.prefetch(&mut (0..10).map(address));
        let kept = (0..10).filter_map(|n| Some((n, names.host(&address(n))?)));
        assert_eq!(kept.collect::<Vec<_>>(), [(1, &b"one"[..]), (5, b"shared")]);
        assert_eq!(ASKED.load(Ordering::Relaxed), 4);
        assert!(!names.timed_out());
    }
}
