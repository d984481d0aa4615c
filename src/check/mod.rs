//! Why a virtual service does not answer: `--check` and `--check-real-server`.
//!
//! In three rooms. [`facts`] reads once what the machine says of itself: the
//! table, links, addresses, routes, settings, listening sockets. [`director`] and
//! [`real_server`] are functions from these to [`Finding`]s, which read nothing
//! themselves. [`report`] says what they look like.
//!
//! A new finding is a row of [`Kind`], the code that finds it, an entry of the
//! manual's section TROUBLESHOOTING, and a case in `tests/traffic/check.rs`
//! that brings it about. A finding must mean something: clusters that work have
//! none. What could not be read is said, and never passes for sound.

pub mod director;
pub mod facts;
pub mod real_server;
pub mod report;
pub mod routing;

use facts::Network;
use ipvs::{Change, ServerKey, ServiceKey};
use routing::Link;
use std::net::IpAddr;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Connections fail.
    Error,
    /// It works, but not as it looks.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// The table of findings: id, severity, title. The id is what scripts and the
/// manual know a finding by.
macro_rules! kinds {
    ($($kind:ident: $severity:ident $id:literal, $title:literal;)*) => {
        /// What can be found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs)] // the titles say what they are
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// Its name for scripts and the manual.
            pub fn id(self) -> &'static str {
                match self {
                    $(Kind::$kind => $id,)*
                }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self {
                    $(Kind::$kind => Severity::$severity,)*
                }
            }

            /// What is wrong, in a line.
            pub fn title(self) -> &'static str {
                match self {
                    $(Kind::$kind => $title,)*
                }
            }
        }
    };
}

kinds! {
    NoServers: Error "no-servers", "the virtual service has no real server";
    NoWeight: Error "no-weight", "all real servers have weight 0";
    AllFull: Error "all-full", "every real server is at its upper threshold";
    AddressMissing: Error "address-missing", "the virtual address is not one of this machine";
    AddressDown: Warning "address-down", "the virtual address is on an interface that is down";
    NetworkOnLoopback: Error "network-on-loopback", "the loopback interface takes all neighbours for this machine";
    AddressUnusable: Error "address-unusable", "another machine may have the virtual address: IPv6 does not use it";
    ForwardingOff: Error "forwarding-off", "the kernel does not forward the answers of masqueraded servers";
    ServerUnreachable: Error "server-unreachable", "no route to the real server";
    ServerNotOnLink: Error "server-not-on-link", "direct routing to a server behind a router";
    ServerLoopback: Error "server-loopback", "masquerading to a loopback address";
    SyncInterface: Error "sync-interface", "the interface of the sync daemon is not usable";
    ConnectionsFull: Error "connections-full", "the table of connections is full";
    FlagsIgnored: Warning "flags-ignored", "the scheduler does not know its flags";
    WeightsIgnored: Warning "weights-ignored", "the scheduler does not look at the weights";
    PortIgnored: Warning "port-ignored", "direct routing and tunnels cannot change the port";
    ServerPastDirector: Warning "server-past-director", "a masqueraded server is behind the director's own default router";
    Redirects: Warning "redirects", "the director tells masqueraded servers to answer past it";
    TunnelFragments: Warning "tunnel-fragments", "tunnels break long packets into fragments";
    QuiescentClients: Warning "quiescent-clients", "persistent clients keep coming to a server of weight 0";
    GoneServers: Warning "gone-servers", "connections of removed servers get no answer";
    NatUnseen: Warning "nat-unseen", "rules of NAT for IPVS do not see its packets";
    DropEntry: Warning "drop-entry", "the kernel is dropping half-open connections";
    DropPacket: Warning "drop-packet", "the kernel is dropping packets";
    SecureTcp: Warning "secure-tcp", "TCP connections have short time-outs";
    SloppyTcp: Warning "sloppy-tcp", "any TCP packet begins a connection";
    CountersOff: Warning "counters-off", "counters and rates stand still";
    TableSmall: Warning "table-small", "the table of connections has far too few buckets";
    SyncSameId: Warning "sync-same-id", "the backup daemon takes what the master daemon's id sends";
    SyncVersion: Warning "sync-version", "the sync daemon speaks the old protocol";
    SyncMissing: Warning "sync-missing", "synchronisation is set up and no sync daemon runs";
    NoAddress: Error "no-address", "the real server does not have the virtual address";
    AnswersArp: Error "answers-arp", "the real server answers ARP for the virtual address";
    AnnouncesArp: Error "announces-arp", "the real server announces the virtual address by ARP";
    NoTunnel: Error "no-tunnel", "nothing unpacks the tunnel's packets";
    TunnelDown: Error "tunnel-down", "the tunnel device is down";
    TunnelFiltered: Error "tunnel-filtered", "rp_filter drops what the tunnel unpacks";
    NoWayBack: Error "no-way-back", "there is no way back to the clients";
    NotListening: Error "not-listening", "nothing listens on the port";
}

/// What would mend a finding. Words in capitals are for the user to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// `ipvsadm`, with the options that make this change.
    Change(Change),
    /// `ipvsadm -a` for this service, with a server of the user's.
    AddServer(ServiceKey),
    /// Any other command.
    Command(String),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The service that it is about; `None` if it is about more than one.
    pub service: Option<ServiceKey>,
    /// The real server that it is about.
    pub server: Option<ServerKey>,
    /// What was seen.
    pub seen: String,
    /// What would mend it, one command after the other.
    pub mend: Vec<Mend>,
}

impl Finding {
    fn new(kind: Kind, seen: String) -> Finding {
        Finding {
            kind,
            service: None,
            server: None,
            seen,
            mend: Vec::new(),
        }
    }

    fn of(mut self, service: &ServiceKey) -> Finding {
        self.service = Some(*service);
        self
    }

    fn at(mut self, service: &ServiceKey, server: &ServerKey) -> Finding {
        self.service = Some(*service);
        self.server = Some(*server);
        self
    }

    fn change(mut self, change: Change) -> Finding {
        self.mend.push(Mend::Change(change));
        self
    }

    fn command(mut self, command: impl Into<String>) -> Finding {
        self.mend.push(Mend::Command(command.into()));
        self
    }

    /// Sets a setting, given by its path below /proc/sys.
    fn sysctl(self, path: &str, value: impl std::fmt::Display) -> Finding {
        self.command(format!("sysctl -w {}={value}", setting_name(path)))
    }
}

/// What was found, and what could not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The worst first.
    pub found: Vec<Finding>,
    /// What could not be read although it should have been, and why.
    pub unread: Vec<String>,
    /// What this program cannot look at.
    pub unchecked: Vec<String>,
}

impl Findings {
    fn new(mut found: Vec<Finding>, unread: Vec<String>, unchecked: Vec<String>) -> Findings {
        found.sort_by_key(|finding| finding.kind.severity());
        Findings {
            found,
            unread,
            unchecked,
        }
    }

    /// How many there are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        let found = self.found.iter();
        found.filter(|f| f.kind.severity() == severity).count()
    }
}

/// An IPv4 address on `lo` stands for all of its network: with the netmask that the
/// address has elsewhere, packets to the neighbours never leave.
fn on_loopback(network: &Network, address: IpAddr) -> Option<Finding> {
    let mut own = network.with_address(address);
    let (loopback, own) =
        own.find(|(link, own)| link.loopback && address.is_ipv4() && own.prefix_len < 32)?;
    let outside: Vec<&Link> = network.outside().collect();
    let mut others = network.addresses.iter();
    let near = others.find_map(|other| {
        let link = outside.iter().find(|link| link.index == other.link)?;
        own.network_contains(&other.address).then_some(link)
    })?;
    let length = own.prefix_len;
    let (loopback, near) = (loopback.name, near.name);
    let seen = format!("{address}/{length} is on {loopback}, and its network on {near} too");
    let finding = Finding::new(Kind::NetworkOnLoopback, seen);
    let finding = finding.command(format!(
        "ip address delete {address}/{length} dev {loopback}"
    ));
    Some(finding.command(format!("ip address add {address}/32 dev {loopback}")))
}

/// The words for an errno (positive).
fn errno_text(errno: i32) -> String {
    plain(&std::io::Error::from_raw_os_error(errno))
}

/// The words of an error without the number that std adds.
fn plain(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_owned()
}

/// A setting as sysctl names it, by its path below /proc/sys. Where an interface
/// has a dot in its name, that is the path.
fn setting_name(path: &str) -> String {
    match path.contains('.') {
        true => path.to_owned(),
        false => path.replace('/', "."),
    }
}
