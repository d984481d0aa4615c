//! The kernel's table: read whole, shown as text, and put back.
//!
//! Every attribute is kept as the kernel's bytes except counters and numbers of
//! connections, so that two tables are the same if nobody could tell them
//! apart. Attributes this module has no name for are shown by number.

use super::netlink::{Family, attribute, attributes};
use std::fmt::{self, Display, Formatter};
use std::io;

const CMD_NEW_SERVICE: u8 = 1;
const CMD_GET_SERVICE: u8 = 4;
const CMD_NEW_DEST: u8 = 5;
const CMD_GET_DEST: u8 = 8;
const CMD_NEW_DAEMON: u8 = 9;
const CMD_DEL_DAEMON: u8 = 10;
const CMD_GET_DAEMON: u8 = 11;
const CMD_SET_CONFIG: u8 = 12;
const CMD_GET_CONFIG: u8 = 13;
const CMD_FLUSH: u8 = 17;
const ATTR_SERVICE: u16 = 1;
const ATTR_DEST: u16 = 2;
const ATTR_DAEMON: u16 = 3;

/// Names of attributes by number; those without a name are left out.
type Names = &'static [&'static str];
const SERVICE: Names = &[
    "", "af", "protocol", "addr", "port", "fwmark", "sched", "flags", "timeout", "netmask",
    "", // stats
    "pe", "", // stats64
];
const DEST: Names = &[
    "",
    "addr",
    "port",
    "fwd",
    "weight",
    "upper",
    "lower",
    "",
    "",
    "", // connections
    "", // stats
    "family",
    "", // stats64
    "tun-type",
    "tun-port",
    "tun-flags",
];
const DAEMON: Names = &[
    "", "state", "ifn", "id", "maxlen", "group", "group6", "port", "ttl",
];
const CONFIG: Names = &["", "", "", "", "tcp", "tcpfin", "udp"];
const SERVICE_FLAGS: u16 = 7;
const FLAG_HASHED: u8 = 2;

/// The attributes of one thing, as the kernel gave them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Thing(Vec<(u16, Vec<u8>)>);

impl Thing {
    fn new(bytes: &[u8], names: Names) -> Thing {
        let kept = |kind: u16| names.get(kind as usize).is_none_or(|name| !name.is_empty());
        let all = attributes(bytes).into_iter();
        Thing(
            all.filter(|(kind, _)| kept(*kind))
                .map(|(kind, value)| (kind, value.to_vec()))
                .collect(),
        )
    }

    /// The thing as one attribute of a request.
    fn nested(&self, kind: u16) -> Vec<u8> {
        attribute(kind, &self.flat())
    }

    fn flat(&self) -> Vec<u8> {
        let all = self.0.iter().map(|(kind, value)| attribute(*kind, value));
        all.collect::<Vec<_>>().concat()
    }

    fn show(&self, f: &mut Formatter, what: &str, names: Names) -> fmt::Result {
        f.write_str(what)?;
        for (kind, value) in &self.0 {
            match names.get(*kind as usize) {
                Some(name) => write!(f, " {name}=")?,
                None => write!(f, " {kind}=")?,
            }
            for byte in value {
                write!(f, "{byte:02x}")?;
            }
        }
        writeln!(f)
    }
}

/// The table at one moment: services with their servers in the kernel's order,
/// daemons, time-outs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    services: Vec<(Thing, Vec<Thing>)>,
    daemons: Vec<Thing>,
    config: Thing,
}

/// Sorted, since the order in the kernel depends on the history.
impl Display for State {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let mut services = self.services.clone();
        services.sort();
        for (service, mut servers) in services {
            service.show(f, "service", SERVICE)?;
            servers.sort();
            for server in &servers {
                server.show(f, "  server", DEST)?;
            }
        }
        for daemon in &self.daemons {
            daemon.show(f, "daemon", DAEMON)?;
        }
        self.config.show(f, "timeouts", CONFIG)
    }
}

/// The table of the network namespace in which it was opened.
pub struct Table(Family);

impl Table {
    pub fn open() -> io::Result<Table> {
        Family::open("IPVS").map(Table)
    }

    /// The number of the family `IPVS`.
    pub fn family(&self) -> u16 {
        self.0.id()
    }

    /// Reads everything.
    pub fn state(&self) -> io::Result<State> {
        let mut services = Vec::new();
        for service in self.things(CMD_GET_SERVICE, &[], ATTR_SERVICE, SERVICE)? {
            let key = service.nested(ATTR_SERVICE);
            let servers = self.things(CMD_GET_DEST, &key, ATTR_DEST, DEST)?;
            services.push((service, servers));
        }
        let config = self.0.ask(CMD_GET_CONFIG, &[])?.concat();
        Ok(State {
            services,
            daemons: self.things(CMD_GET_DAEMON, &[], ATTR_DAEMON, DAEMON)?,
            config: Thing::new(&config, CONFIG),
        })
    }

    fn things(&self, cmd: u8, request: &[u8], outer: u16, names: Names) -> io::Result<Vec<Thing>> {
        let answers = self.0.dump(cmd, request)?;
        let things = answers.iter().flat_map(|answer| {
            let nests = attributes(answer).into_iter();
            nests
                .filter(move |(kind, _)| *kind == outer)
                .map(|(_, inner)| Thing::new(inner, names))
        });
        Ok(things.collect())
    }

    /// Makes the table equal to `state`, which was read from it before, down
    /// to the kernel's order: that is the reverse of the order of adding.
    pub fn put_back(&self, state: &State) -> io::Result<()> {
        self.0.ask(CMD_FLUSH, &[])?;
        for daemon in self.things(CMD_GET_DAEMON, &[], ATTR_DAEMON, DAEMON)? {
            match self.0.ask(CMD_DEL_DAEMON, &daemon.nested(ATTR_DAEMON)) {
                // The kernel says nothing of one that had not run yet.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => drop(done?),
            }
        }
        for (service, servers) in state.services.iter().rev() {
            let service = not_hashed(service).nested(ATTR_SERVICE);
            self.0.ask(CMD_NEW_SERVICE, &service)?;
            for server in servers.iter().rev() {
                let server = [&service[..], &server.nested(ATTR_DEST)].concat();
                self.0.ask(CMD_NEW_DEST, &server)?;
            }
        }
        for daemon in &state.daemons {
            self.0.ask(CMD_NEW_DAEMON, &daemon.nested(ATTR_DAEMON))?;
        }
        self.0.ask(CMD_SET_CONFIG, &state.config.flat())?;
        Ok(())
    }
}

/// The kernel sets this flag on what is in its table, and takes a service that
/// comes with it to be there already.
fn not_hashed(service: &Thing) -> Thing {
    let mut service = service.clone();
    for (kind, value) in &mut service.0 {
        if *kind == SERVICE_FLAGS && cfg!(target_endian = "little") {
            value[0] &= !FLAG_HASHED;
        }
    }
    service
}
