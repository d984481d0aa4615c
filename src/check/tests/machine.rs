//! Invented machines, set up with the commands that an administrator would use.

use crate::check::facts::{self, Facts, LocalFacts, NetworkState, Sysctls};
use crate::check::real_server::{self, Membership};
use crate::check::routing::{Link, LinkAddress, Route, RouteAnswer, SourceNat};
use crate::check::{Findings, Ignore, director};
use crate::cli::Action;
use crate::names::NoLookup;
use crate::rules;
use crate::selection::Network;
use ipvs::{Change, Daemon, Info, Name, Server, ServerKey, Service, ServiceKey, Table};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

/// A director, or a real server if `member` is set.
#[derive(Clone)]
pub struct Machine {
    pub member: Option<Membership>,
    pub table: Table,
    pub buckets: u32,
    pub daemons: Option<Vec<Daemon>>,
    pub open: BTreeMap<(ServiceKey, ServerKey), u64>,
    pub nat: Vec<SourceNat>,
    pub legacy_nat: bool,
    pub links: Vec<Link>,
    pub addresses: Vec<LinkAddress>,
    pub listening: Option<Vec<(IpAddr, u16)>>,
    pub udp_ports: Option<BTreeSet<u16>>,
    pub ignore: Vec<Ignore>,
    /// Destinations, and what `ip route get` would say.
    routes: Vec<(IpAddr, u8, RouteAnswer)>,
    /// Local networks in routing tables for some packets only.
    local: Vec<Network>,
    settings: HashMap<String, String>,
}

/// The kernel's defaults.
const SETTINGS: [(&str, &str); 21] = [
    ("net.ipv4.vs.conn_max", "0"),
    ("net.ipv4.vs.conntrack", "0"),
    ("net.ipv4.vs.drop_entry", "0"),
    ("net.ipv4.vs.drop_packet", "0"),
    ("net.ipv4.vs.expire_nodest_conn", "0"),
    ("net.ipv4.vs.expire_quiescent_template", "0"),
    ("net.ipv4.vs.pmtu_disc", "1"),
    ("net.ipv4.vs.run_estimation", "1"),
    ("net.ipv4.vs.secure_tcp", "0"),
    ("net.ipv4.vs.sloppy_tcp", "0"),
    ("net.ipv4.vs.sync_persist_mode", "0"),
    ("net.ipv4.vs.sync_ports", "1"),
    ("net.ipv4.vs.sync_refresh_period", "0"),
    ("net.ipv4.vs.sync_threshold", "3\t50"),
    ("net.ipv4.vs.sync_version", "1"),
    ("net.ipv4.ip_forward", "0"),
    ("net.ipv4.conf.all.send_redirects", "1"),
    ("net.ipv4.conf.all.arp_ignore", "0"),
    ("net.ipv4.conf.all.arp_announce", "0"),
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv6.conf.all.forwarding", "0"),
];

/// The kernel's defaults for an interface.
const OF_LINK: [(&str, &str); 6] = [
    ("net.ipv4.conf.*.forwarding", "0"),
    ("net.ipv4.conf.*.send_redirects", "1"),
    ("net.ipv4.conf.*.arp_ignore", "0"),
    ("net.ipv4.conf.*.arp_announce", "0"),
    ("net.ipv4.conf.*.rp_filter", "0"),
    ("net.ipv6.conf.*.force_forwarding", "0"),
];

/// Modules, the device that each brings along, its type, and the only protocol that
/// it decapsulates at first.
const MODULES: [(&str, &str, &str, u8); 5] = [
    ("ipip", "tunl0", "ipip", 4),
    ("sit", "sit0", "sit", 41),
    ("ip6_tunnel", "ip6tnl0", "ip6tnl", 41),
    ("ip_gre", "gre0", "gre", 0),
    ("ip6_gre", "ip6gre0", "ip6gre", 0),
];

/// The words in capitals in fixes, and what a user would fill in.
const WORDS: [(&str, &str); 7] = [
    ("-r ADDRESS", "-r 10.0.0.11"),
    ("add ADDRESS", "add 198.51.100.1/24"),
    ("ROUTER", "10.0.0.254"),
    ("DIRECTOR", "10.0.0.1"),
    ("INTERFACE", "eth0"),
    ("ID", "7"),
    ("SERVICE", "0.0.0.0:80"),
];

impl Machine {
    /// One that has only `lo` and the kernel's defaults.
    pub fn new() -> Machine {
        let mut machine = Machine {
            member: None,
            table: Table::default(),
            buckets: 4096,
            daemons: Some(Vec::new()),
            open: BTreeMap::new(),
            nat: Vec::new(),
            legacy_nat: false,
            links: Vec::new(),
            addresses: Vec::new(),
            listening: Some(Vec::new()),
            udp_ports: Some(BTreeSet::new()),
            ignore: Vec::new(),
            routes: Vec::new(),
            local: Vec::new(),
            settings: HashMap::new(),
        };
        for (name, value) in SETTINGS {
            machine.set(name, value);
        }
        machine.add_link("lo", "");
        machine.links[0].loopback = true;
        machine.run(
            "ip link set dev lo up
             ip address add 127.0.0.1/8 dev lo
             ip address add ::1/128 dev lo",
        )
    }

    /// A real server as `ipvsadm -a` with these options would add it.
    pub fn serving(mut self, options: &str) -> Machine {
        let Change::AddServer(service, server, config) = change(&format!("-a {options}")) else {
            panic!("{options}");
        };
        self.member = Some(Membership {
            service,
            server: Some(server),
            forwarding: config.forwarding,
        });
        self
    }

    /// What no command brings about.
    pub fn with(mut self, set: impl FnOnce(&mut Machine)) -> Machine {
        set(&mut self);
        self
    }

    /// Runs commands, one a line.
    pub fn run(mut self, script: &str) -> Machine {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let words: Vec<&str> = line.split_whitespace().collect();
            self.command(&words);
        }
        self
    }

    fn command(&mut self, words: &[&str]) {
        match words {
            ["ipvsadm", options @ ..] => self.change(change(&options.join(" "))),
            ["sysctl", "-w", setting] => {
                let (name, value) = setting.split_once('=').unwrap();
                self.set(name, value);
            }
            ["ip", "link", "add", name] => self.add_link(name, ""),
            ["ip", "link", "add", name, "type", kind] => self.add_link(name, kind),
            ["ip", "link", "set", "dev", name, state] => self.link(name).up = *state == "up",
            ["ip", "link", "set", "dev", name, "mtu", mtu] => {
                self.link(name).mtu = mtu.parse().unwrap();
            }
            ["ip", "address", "add", address, "dev", name, flags @ ..] => {
                let (address, prefix_len) = prefix(address);
                let own = LinkAddress {
                    link: self.link(name).index,
                    address,
                    prefix_len,
                    unusable: flags == ["tentative"],
                };
                self.addresses.push(own);
            }
            ["ip", "address", "delete", address, "dev", name] => {
                let (index, address) = (self.link(name).index, prefix(address));
                let before = self.addresses.len();
                self.addresses
                    .retain(|own| (own.link, (own.address, own.prefix_len)) != (index, address));
                assert_eq!(self.addresses.len(), before - 1, "{words:?}");
            }
            ["ip", "route", "add", to, "via", gateway] => self.add_route(to, gateway),
            ["ip", "route", "add", "unreachable", to] => {
                let (to, length) = prefix(to);
                self.routes.push((to, length, Err(libc::EHOSTUNREACH)));
            }
            ["ip", "route", "add", "local", to, "table", _] => {
                let (to, length) = prefix(to);
                self.local.push(Network::of(to, length));
            }
            ["ip", "-6", "tunnel", "change", name, "mode", "any"] => self.link(name).inner = 0,
            ["ip", "fou", "add", "port", port, "gue", ..] => {
                let port = port.parse().unwrap();
                self.udp_ports.get_or_insert_default().insert(port);
            }
            ["modprobe", module] => self.load(module),
            ["systemctl", "start", at] => {
                let at: SocketAddr = at.parse().unwrap();
                let listening = self.listening.get_or_insert_default();
                listening.push((at.ip(), at.port()));
            }
            ["echo", "options", "ip_vs", option, ..] => {
                let bits = option.strip_prefix("conn_tab_bits=").unwrap();
                let bits: u32 = bits.parse().unwrap();
                self.buckets = 1 << bits;
            }
            _ => panic!("{words:?}"),
        }
    }

    /// A service and its servers.
    fn service(&mut self, key: ServiceKey) -> &mut (Service, Vec<Server>) {
        let mut services = self.table.services.iter_mut();
        let service = services.find(|(service, _)| service.key == key);
        service.expect("a service")
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::AddService(key, config) => {
                self.table
                    .services
                    .push((Service::new(key, config), Vec::new()));
            }
            Change::EditService(key, config) => self.service(key).0.config = config,
            Change::AddServer(service, key, config) => {
                self.service(service).1.push(Server::new(key, config));
            }
            Change::EditServer(service, key, config) => {
                let mut servers = self.service(service).1.iter_mut();
                let server = servers.find(|server| server.key == key);
                server.expect("a server").config = config;
            }
            Change::DeleteServer(service, key) => {
                self.service(service).1.retain(|server| server.key != key);
            }
            Change::StartDaemon(daemon) => self.daemons.get_or_insert_default().push(daemon),
            Change::StopDaemon(daemon) => {
                let daemons = self.daemons.get_or_insert_default();
                daemons.retain(|other| other.role != daemon.role);
            }
            other => panic!("{other:?}"),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.into(), value.into());
        if name == "net.ipv4.ip_forward" {
            for link in self.links.clone() {
                self.set(&format!("net.ipv4.conf.{}.forwarding", link.name), value);
            }
        }
    }

    fn add_link(&mut self, name: &str, kind: &str) {
        let inner = MODULES.iter().find(|module| module.1 == name);
        self.links.push(Link {
            index: u32::try_from(self.links.len()).unwrap() + 1,
            name: Name::from(name),
            kind: Name::from(kind),
            up: false,
            loopback: false,
            noarp: !kind.is_empty(),
            mtu: 1500,
            remote: None,
            inner: inner.map_or(0, |module| module.3),
        });
        for (setting, value) in OF_LINK {
            self.set(&setting.replace('*', name), value);
        }
    }

    /// Loads a module, unless it is there.
    fn load(&mut self, module: &str) {
        let known = MODULES.iter().find(|known| known.0 == module);
        let Some((_, device, kind, _)) = known else {
            assert!(["fou", "fou6"].contains(&module), "{module}");
            return;
        };
        if self
            .links
            .iter()
            .all(|link| link.name != Name::from(*device))
        {
            self.add_link(device, kind);
        }
    }

    /// The interface with this name.
    pub fn link(&mut self, name: &str) -> &mut Link {
        let mut links = self.links.iter_mut();
        let link = links.find(|link| link.name == Name::from(name));
        link.expect("a link")
    }

    fn add_route(&mut self, to: &str, gateway: &str) {
        let gateway: IpAddr = gateway.parse().unwrap();
        let (to, length) = match (to, gateway) {
            ("default", IpAddr::V4(_)) => prefix("0.0.0.0/0"),
            ("default", IpAddr::V6(_)) => prefix("::/0"),
            _ => prefix(to),
        };
        let mut own = self.addresses.iter();
        let near = own.find(|own| own.network_contains(&gateway));
        let route = Route {
            local: false,
            link: near.expect("a router on an interface").link,
            gateway: Some(gateway),
            mtu: None,
        };
        self.routes.push((to, length, Ok(route)));
    }

    /// The most specific route, as the kernel would find it.
    fn route(&self, to: &IpAddr) -> RouteAnswer {
        let lo = &self.links[0];
        let own = self.addresses.iter().map(|own| {
            let is_local = own.link == lo.index || own.address == *to;
            let route = Route {
                local: is_local,
                link: if is_local { lo.index } else { own.link },
                gateway: None,
                mtu: None,
            };
            let length = if own.address == *to {
                128
            } else {
                own.prefix_len
            };
            (own.address, own.prefix_len, length, Ok(route))
        });
        let others = self.routes.iter();
        let others = others.map(|(first, length, route)| (*first, *length, *length, *route));
        own.chain(others)
            .filter(|(first, length, ..)| Network::of(*first, *length).contains(to))
            .max_by_key(|(_, _, length, _)| *length)
            .map_or(Err(libc::ENETUNREACH), |(.., route)| route)
    }

    /// As if interfaces, addresses and routes could not be read.
    pub fn forget_network(&mut self) {
        self.links.clear();
    }

    fn network(&self, wanted: &[IpAddr]) -> NetworkState {
        if self.links.is_empty() {
            return NetworkState::default();
        }
        let mut addresses = self.addresses.clone();
        addresses.sort_by_key(|own| own.address);
        NetworkState {
            links: self.links.clone(),
            addresses,
            routes: wanted.iter().map(|to| (*to, self.route(to))).collect(),
            local: self.local.clone(),
        }
    }

    fn settings(&self) -> Sysctls {
        let mut settings = Sysctls::default();
        for (name, value) in &self.settings {
            settings.set(&name.replace('.', "/"), value);
        }
        settings
    }

    /// What `--check` or `--check-real-server` finds.
    pub fn check(&self) -> Findings {
        let mut report = Findings::new(None, &self.ignore);
        if let Some(member) = &self.member {
            let facts = LocalFacts {
                network: self.network(&member.addresses()),
                settings: self.settings(),
                listening: self.listening.clone(),
                udp_ports: self.udp_ports.clone(),
            };
            real_server::check(member, &facts, &mut report);
        } else {
            let facts = Facts {
                network: self.network(&facts::addresses(&self.table).0),
                settings: self.settings(),
                table: self.table.clone(),
                info: Info::new(0, self.buckets),
                daemons: self.daemons.clone(),
                open: self.open.clone(),
                nat: self.nat.clone(),
                legacy_nat: self.legacy_nat,
            };
            director::check(&facts, &mut report);
        }
        report
    }

    /// After the commands that fix `findings`.
    pub fn fixed(mut self, findings: &Findings) -> Machine {
        for fix in findings.found.iter().flat_map(|finding| &finding.fix) {
            let command = fix.command_line(None).replace('\'', "");
            let command = WORDS.iter().fold(command, |command, (word, value)| {
                command.replace(word, value)
            });
            self = self.run(&command);
        }
        self
    }
}

/// `10.0.0.1/24`, or without a length a single host.
fn prefix(text: &str) -> (IpAddr, u8) {
    match text.split_once('/') {
        Some((address, length)) => (address.parse().unwrap(), length.parse().unwrap()),
        None => {
            let address: IpAddr = text.parse().unwrap();
            (address, if address.is_ipv4() { 32 } else { 128 })
        }
    }
}

fn change(rule: &str) -> Change {
    let rules = rules::read(rule.as_bytes(), &mut NoLookup);
    match rules.as_ref().map(|rules| rules.lines.as_slice()) {
        Ok([rule]) => match rule.action {
            Action::Change(change) => change,
            _ => panic!("{rule:?}"),
        },
        _ => panic!("{rule}: {rules:?}"),
    }
}
