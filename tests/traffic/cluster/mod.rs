//! A client, a director and real servers on one switch, every one of them a
//! network namespace. All have IPv4 and IPv6:
//!
//! | who | addresses |
//! |---|---|
//! | client | 192.0.2.10, 2001:db8::10, and all of 198.51.100.0/24, 2001:db8:2::/64 |
//! | director, towards the client | 192.0.2.1, 2001:db8::1 |
//! | virtual services | all of 203.0.113.0/24, 2001:db8:3::/64 |
//! | director, towards the servers | 10.0.0.1, fd00::1 |
//! | servers s1, s2 ... | 10.0.0.11, fd00::11 and so on |

pub mod calls;
pub mod host;
pub mod servers;
pub mod table;

use anyhow::Result;
use host::Host;
use servers::{Endpoint, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// The virtual web service.
    pub fn web(self) -> SocketAddr {
        SocketAddr::new(self.vip(), 80)
    }

    /// The virtual service's address: 203.0.113.128, 2001:db8:3::80.
    pub fn vip(self) -> IpAddr {
        self.vip_number(0x80)
    }

    /// One of the virtual addresses.
    pub fn vip_number(self, number: u8) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::new(203, 0, 113, number).into(),
            Self::V6 => Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, number.into()).into(),
        }
    }

    /// One of the client's many addresses.
    pub fn client_number(self, number: u8) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::new(198, 51, 100, number).into(),
            Self::V6 => Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, number.into()).into(),
        }
    }

    /// The address of server `number`, from 1.
    pub fn server(self, number: u8) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::new(10, 0, 0, 10 + number).into(),
            Self::V6 => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 0x10 + u16::from(number)).into(),
        }
    }
}

/// The way of the servers' answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Through the director, as masquerading needs it.
    ThroughDirector,
    /// Straight to the client, from the virtual address, which the servers
    /// have without telling.
    Directly,
}

pub struct Cluster {
    pub client: Host,
    pub director: Host,
    pub servers: Vec<Host>,
    switch: Host,
}

const SWITCH: &str = "switch";
/// No second's wait before an address may be used, and binding to any address
/// of a local route. All are on one link, so that a director tells the servers
/// to answer the client directly, and for IPv6 it cannot be kept from that:
/// they must not listen.
const HOST_SETTINGS: [&str; 3] = [
    "net/ipv6/conf/eth0/accept_dad=0",
    "net/ipv6/conf/eth0/accept_redirects=0",
    "net/ipv6/ip_nonlocal_bind=1",
];
const ROUTER_SETTINGS: [&str; 4] = [
    "net/ipv4/ip_forward=1",
    "net/ipv6/conf/all/forwarding=1",
    "net/ipv4/conf/all/send_redirects=0",
    "net/ipv4/conf/default/send_redirects=0",
];

impl Cluster {
    pub fn new(servers: u8, answers: Answers) -> Result<Self> {
        let names: Vec<String> = (1..=servers).map(|number| format!("s{number}")).collect();
        let hosts = ["client", "director"]
            .into_iter()
            .chain(names.iter().map(String::as_str));
        let hosts: Vec<&str> = hosts.collect();
        create_namespaces(&hosts)?;
        let cluster = Self {
            client: Host::open("client")?,
            director: Host::open("director")?,
            servers: names
                .iter()
                .map(|name| Host::open(name))
                .collect::<Result<_>>()?,
            switch: Host::open(SWITCH)?,
        };
        cluster.switch.ip(&switch_with(&hosts))?;
        for host in [&cluster.client, &cluster.director]
            .into_iter()
            .chain(&cluster.servers)
        {
            host.sysctl(&HOST_SETTINGS)?;
        }
        cluster.client.ip(CLIENT)?;
        cluster.director.sysctl(&ROUTER_SETTINGS)?;
        cluster.director.ip(DIRECTOR)?;
        for (host, number) in cluster.servers.iter().zip(1..) {
            host.ip(&server_setup(number, answers))?;
        }
        Ok(cluster)
    }

    /// A cluster whose servers answer through the director.
    pub fn masquerading(servers: u8) -> Result<Self> {
        Self::new(servers, Answers::ThroughDirector)
    }

    /// A cluster whose servers answer straight to the client.
    pub fn direct(servers: u8) -> Result<Self> {
        Self::new(servers, Answers::Directly)
    }

    /// A direct cluster and a second director, which waits with addresses that
    /// end in 2 for those of the first.
    pub fn with_standby(servers: u8) -> Result<(Self, Host)> {
        let cluster = Self::direct(servers)?;
        cluster.switch.ip("netns add standby\n")?;
        let standby = Host::open("standby")?;
        cluster.switch.ip(&plugged_in("standby"))?;
        standby.sysctl(&HOST_SETTINGS)?;
        standby.sysctl(&ROUTER_SETTINGS)?;
        standby.ip(&DIRECTOR
            .replace(".1/24", ".2/24")
            .replace("::1/64", "::2/64"))?;
        Ok((cluster, standby))
    }

    /// Gives the director's addresses to `standby`.
    pub fn take_over(&self, standby: &Host) -> Result<()> {
        let addresses = "192.0.2.1/24 10.0.0.1/24 2001:db8::1/64 fd00::1/64";
        let each = |command: &str| -> String {
            addresses
                .split(' ')
                .map(|address| format!("addr {command} {address} dev eth0\n"))
                .collect()
        };
        self.director.ip(&each("del"))?;
        standby.ip(&each("add"))?;
        // What an announcement would do.
        self.client.ip("neigh flush dev eth0")
    }

    /// Every server answers on `port` of its own address.
    pub fn serve(&self, family: Family, transport: Transport, port: u16) -> Result<()> {
        self.servers.iter().zip(1..).try_for_each(|(host, number)| {
            host.serve(&[(transport, SocketAddr::new(family.server(number), port))])
        })
    }

    /// Every server answers on the same addresses, those of the services.
    pub fn serve_virtual(&self, endpoints: &[Endpoint]) -> Result<()> {
        self.servers
            .iter()
            .try_for_each(|host| host.serve(endpoints))
    }
}

fn create_namespaces(hosts: &[&str]) -> Result<()> {
    host::prepare();
    let creation = hosts
        .iter()
        .fold(format!("netns add {SWITCH}\n"), |text, host| {
            text + "netns add " + host + "\n"
        });
    host::run_here("ip", &["-batch", "-"], &creation)?;
    Ok(())
}

/// The commands that join the hosts' eth0 in the switch.
fn switch_with(hosts: &[&str]) -> String {
    let mut text = "link add lan type bridge mcast_snooping 0\nlink set lan up\n".to_owned();
    text.extend(hosts.iter().map(|host| plugged_in(host)));
    text
}

fn plugged_in(host: &str) -> String {
    format!(
        "link add {host} type veth peer name eth0 netns {host}\n\
         link set {host} master lan addrgenmode none up\n"
    )
}

const CLIENT: &str = "\
link set lo up
link set eth0 up
addr add 192.0.2.10/24 dev eth0
addr add 2001:db8::10/64 dev eth0 nodad
route add local 198.51.100.0/24 dev lo
route add local 2001:db8:2::/64 dev lo
route add 10.0.0.0/24 dev eth0
route add fd00::/64 dev eth0
route add 203.0.113.0/24 via 192.0.2.1
route add 2001:db8:3::/64 via 2001:db8::1
";

const DIRECTOR: &str = "\
link set lo up
link set eth0 up
addr add 192.0.2.1/24 dev eth0
addr add 2001:db8::1/64 dev eth0 nodad
addr add 10.0.0.1/24 dev eth0
addr add fd00::1/64 dev eth0 nodad
route add local 203.0.113.0/24 dev lo
route add local 2001:db8:3::/64 dev lo
route add 198.51.100.0/24 via 192.0.2.10
route add 2001:db8:2::/64 via 2001:db8::10
";

fn server_setup(number: u8, answers: Answers) -> String {
    let (v4, v6) = (Family::V4.server(number), Family::V6.server(number));
    let basis = format!(
        "link set lo up\nlink set eth0 up\n\
         addr add {v4}/24 dev eth0\naddr add {v6}/64 dev eth0 nodad\n"
    );
    basis
        + match answers {
            Answers::ThroughDirector => {
                "route add default via 10.0.0.1\nroute add default via fd00::1\n"
            }
            Answers::Directly => {
                "route add local 203.0.113.0/24 dev lo\n\
             route add local 2001:db8:3::/64 dev lo\n\
             route add 192.0.2.0/24 dev eth0\n\
             route add 2001:db8::/64 dev eth0\n\
             route add 198.51.100.0/24 via 192.0.2.10\n\
             route add 2001:db8:2::/64 via 2001:db8::10\n"
            }
        }
}
