//! From words to addresses and ports, for the command line and for rules.

use super::pool;
use super::services::Services;
use gethostbyname::{NoAddress, addresses};
use ipvs::Protocol;
use std::collections::{HashMap, HashSet};
use std::ffi::CString;
use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Where services have their names.
pub(super) const SERVICES_FILE: &str = "/etc/services";

/// All look-ups of one input together. The C library asks three name servers
/// one after the other within 14 seconds.
const DEADLINE: Duration = Duration::from_secs(15);

/// Looks words up.
pub trait Lookup {
    /// The first IPv4 address of a host. There are no others: C ipvsadm has
    /// always taken a name for an IPv4 host.
    fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress>;

    /// The port of a service.
    fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16>;

    /// Looks up all names that got a stand-in for an address so far. `true` if
    /// there were any: then what was read with the stand-ins is to be read
    /// again.
    fn settle(&mut self) -> bool {
        false
    }
}

/// Looks up each word when it is asked for, and waits for as long as the C
/// library does: for a command line, which has few.
#[derive(Debug, Default)]
pub struct SystemLookup {
    services: Option<Services>,
    /// The names of several addresses, of which the first was taken.
    pub several: Vec<Several>,
}

/// A name with several addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Several {
    /// The name.
    pub name: Box<[u8]>,
    /// The first address.
    pub first: Ipv4Addr,
    /// How many there are.
    pub count: usize,
}

impl Lookup for SystemLookup {
    fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
        let all = host_addresses(name)?;
        let first = all[0];
        let is_known = self.several.iter().any(|known| *known.name == *name);
        if !is_known && all.iter().any(|other| *other != first) {
            self.several.push(Several {
                name: name.into(),
                first,
                count: all.len(),
            });
        }
        Ok(first)
    }

    fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16> {
        self.services
            .get_or_insert_with(system_services)
            .port(name, protocol)
    }
}

type HostName = Box<[u8]>;
type Ask = fn(&HostName) -> Result<Ipv4Addr, NoAddress>;

/// Looks up the names of many lines side by side, each once: the lines are read
/// twice, first with stand-ins for the addresses.
#[derive(Debug)]
pub struct ManyLookup {
    system: SystemLookup,
    wanted: HashSet<HostName>,
    hosts: HashMap<HostName, Result<Ipv4Addr, NoAddress>>,
    left: Duration,
    ask: Ask,
}

impl Default for ManyLookup {
    fn default() -> Self {
        ManyLookup::with(DEADLINE, |name| host_address(name))
    }
}

impl ManyLookup {
    fn with(deadline: Duration, ask: Ask) -> ManyLookup {
        ManyLookup {
            system: SystemLookup::default(),
            wanted: HashSet::new(),
            hosts: HashMap::new(),
            left: deadline,
            ask,
        }
    }
}

impl Lookup for ManyLookup {
    fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
        if let Some(answer) = self.hosts.get(name) {
            return *answer;
        }
        if !self.wanted.contains(name) {
            self.wanted.insert(name.into());
        }
        Ok(Ipv4Addr::UNSPECIFIED)
    }

    fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16> {
        self.system.port(name, protocol)
    }

    fn settle(&mut self) -> bool {
        if self.wanted.is_empty() {
            return false;
        }
        let hosts = &mut self.hosts;
        // Until there is an answer, there is none.
        let late = |name: &HostName| (name.clone(), Err(NoAddress::NoAnswer));
        hosts.extend(self.wanted.iter().map(late));
        let questions = self.wanted.drain().collect();
        pool::ask_all(questions, self.ask, &mut self.left, |name, answer| {
            hosts.insert(name, answer);
        });
        true
    }
}

/// Knows no names. For tests.
#[derive(Debug)]
pub struct NoLookup;

impl Lookup for NoLookup {
    fn host(&mut self, _: &[u8]) -> Result<Ipv4Addr, NoAddress> {
        Err(NoAddress::Unknown)
    }

    fn port(&mut self, _: &[u8], _: Protocol) -> Option<u16> {
        None
    }
}

/// The address of a host for C ipvsadm: the first that gethostbyname gives.
pub(super) fn host_address(name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
    host_addresses(name).map(|addresses| addresses[0])
}

/// All of them; at least one.
fn host_addresses(name: &[u8]) -> Result<Vec<Ipv4Addr>, NoAddress> {
    let name = CString::new(name).map_err(|_| NoAddress::Unknown)?;
    addresses(&name)
}

/// The services of this machine. Where the file cannot be read there are none, as
/// for the C library.
pub(super) fn system_services() -> Services {
    Services::parse(&fs::read(SERVICES_FILE).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn localhost_is_known_and_nonsense_is_not() {
        let mut lookup = SystemLookup::default();
        assert_eq!(lookup.host(b"localhost"), Ok(Ipv4Addr::LOCALHOST));
        assert_eq!(lookup.host(b"local\0host"), Err(NoAddress::Unknown));
        assert_eq!(lookup.host(b"\xff"), Err(NoAddress::Unknown));
        assert_eq!(lookup.port(b"no such service", Protocol::Tcp), None);
    }

    #[test]
    fn each_name_is_asked_for_once() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let mut lookup = ManyLookup::with(DEADLINE, |name| {
            ASKED.fetch_add(1, Ordering::Relaxed);
            match &name[..] {
                b"none" => Err(NoAddress::Unknown),
                b"late" => Err(NoAddress::NoAnswer),
                name => Ok(Ipv4Addr::new(10, 0, 0, name[0])),
            }
        });
        for _ in 0..100 {
            for name in [&b"a"[..], b"b", b"none", b"late"] {
                assert_eq!(lookup.host(name), Ok(Ipv4Addr::UNSPECIFIED));
            }
        }
        assert!(lookup.settle());
        assert!(!lookup.settle());
        assert_eq!(ASKED.load(Ordering::Relaxed), 4);
        assert_eq!(lookup.host(b"b"), Ok(Ipv4Addr::new(10, 0, 0, b'b')));
        assert_eq!(lookup.host(b"none"), Err(NoAddress::Unknown));
        assert_eq!(lookup.host(b"late"), Err(NoAddress::NoAnswer));
    }

    #[test]
    fn a_dead_name_server_costs_one_deadline() {
        let mut lookup = ManyLookup::with(Duration::from_millis(50), |_| {
            thread::sleep(Duration::from_secs(60));
            Err(NoAddress::Unknown)
        });
        for n in 0..1000 {
            let _ = lookup.host(format!("host{n}").as_bytes());
        }
        assert!(lookup.settle());
        assert_eq!(lookup.host(b"host999"), Err(NoAddress::NoAnswer));
    }
}
