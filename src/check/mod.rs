//! Why a virtual service does not answer: `--check` and `--check-real-server`.
//!
//! Three parts: [`facts`] reads once what the checks need to know about this
//! machine (the table, interfaces, addresses, routes, settings, listening
//! sockets). [`director`] and [`real_server`] are pure functions from these facts
//! to [`Findings`], and are tested with invented ones. [`report`] prints
//! them.
//!
//! A new finding needs a row of [`Kind`], the code that finds it, an entry in the
//! manual's section TROUBLESHOOTING, a pair of set-ups in `tests`, one that has it
//! and one that works, and a row in tests/traffic/check/remedies.rs. Clusters that
//! work must have no findings, and what could not be read is reported: it must not
//! look as if all were well.

pub mod director;
pub mod facts;
mod fix;
mod ignore;
pub mod real_server;
pub mod report;
pub mod routing;
#[cfg(test)]
mod tests;

pub use fix::Fix;
pub use ignore::Ignore;

use facts::NetworkState;
use ipvs::{Change, ServerKey, ServiceKey};
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
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

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One virtual service.
    Service,
    /// The director as a whole.
    Director,
}

/// The table of findings: severity, scope, id, title. Scripts and the manual use
/// the id.
macro_rules! kinds {
    ($($kind:ident: $severity:ident $scope:ident $id:literal, $title:literal;)*) => {
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

            /// What it is about.
            pub fn scope(self) -> Scope {
                match self {
                    $(Kind::$kind => Scope::$scope,)*
                }
            }

            /// The one with this name.
            pub fn named(id: &[u8]) -> Option<Kind> {
                Kind::ALL.iter().copied().find(|kind| kind.id().as_bytes() == id)
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
    NoServers: Error Service "no-servers", "the virtual service has no real servers";
    NoWeight: Error Service "no-weight", "all real servers have weight 0";
    AllFull: Error Service "all-full", "all real servers have reached their upper threshold";
    AddressMissing: Error Service "address-missing", "the virtual address is not local to this machine";
    AddressDown: Warning Service "address-down", "the virtual address is on an interface that is down";
    NetworkOnLoopback: Error Service "network-on-loopback", "a whole subnet is assigned to loopback, so its other hosts are unreachable";
    AddressUnusable: Error Service "address-unusable", "the virtual address has not passed IPv6 duplicate address detection";
    ForwardingOff: Error Director "forwarding-off", "IP forwarding is off, so replies from masqueraded servers are dropped";
    ServerUnreachable: Error Service "server-unreachable", "there is no route to the real server";
    ServerNotOnLink: Error Service "server-not-on-link", "direct routing cannot reach a server behind a router";
    ServerLoopback: Error Service "server-loopback", "a masqueraded server has a loopback address";
    SyncInterface: Error Director "sync-interface", "the sync daemon cannot use its interface";
    ConnectionsFull: Error Director "connections-full", "the connection table is full";
    FlagsIgnored: Warning Service "flags-ignored", "the scheduler ignores these flags";
    WeightsIgnored: Warning Service "weights-ignored", "the scheduler ignores the weights";
    PortIgnored: Warning Service "port-ignored", "direct routing and tunnels cannot change the port";
    ServerPastDirector: Warning Service "server-past-director", "replies from a masqueraded server may bypass the director";
    Redirects: Warning Director "redirects", "ICMP redirects tell masqueraded servers to bypass the director";
    TunnelFragments: Warning Service "tunnel-fragments", "full-size packets are fragmented in the tunnel";
    QuiescentClients: Warning Service "quiescent-clients", "persistent clients still go to a server with weight 0";
    GoneServers: Warning Director "gone-servers", "connections to removed servers hang";
    NatUnseen: Warning Director "nat-unseen", "NAT rules meant for IPVS packets have no effect";
    DropEntry: Warning Director "drop-entry", "the kernel is dropping half-open connections";
    DropPacket: Warning Director "drop-packet", "the kernel is dropping packets";
    SecureTcp: Warning Director "secure-tcp", "the secure_tcp defence shortens TCP time-outs";
    SloppyTcp: Warning Director "sloppy-tcp", "any TCP packet can start a connection";
    CountersOff: Warning Director "counters-off", "counters are not updated";
    TableSmall: Warning Director "table-small", "the connection table has far too few buckets";
    SyncSameId: Warning Director "sync-same-id", "the master and backup daemons use the same syncid";
    SyncVersion: Warning Director "sync-version", "the sync daemon uses the old protocol";
    SyncMissing: Warning Director "sync-missing", "synchronisation is configured, but no sync daemon is running";
    NoAddress: Error Service "no-address", "the real server does not have the virtual address";
    AnswersArp: Error Service "answers-arp", "the real server answers ARP requests for the virtual address";
    AnnouncesArp: Error Service "announces-arp", "the real server announces the virtual address by ARP";
    NoTunnel: Error Service "no-tunnel", "no device decapsulates the tunnel's packets";
    TunnelDown: Error Service "tunnel-down", "the tunnel device is down";
    TunnelFiltered: Error Service "tunnel-filtered", "rp_filter drops the decapsulated packets";
    NoWayBack: Error Service "no-way-back", "there is no route back to the clients";
    NotListening: Error Service "not-listening", "nothing is listening on the port";
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The service concerned; `None` if there is more than one.
    pub service: Option<ServiceKey>,
    /// The real server concerned.
    pub server: Option<ServerKey>,
    /// What was seen.
    pub seen: String,
    /// The commands that fix it, to be run in this order.
    pub fix: Vec<Fix>,
}

impl Finding {
    fn new(kind: Kind, seen: impl Into<String>) -> Finding {
        Finding {
            kind,
            service: None,
            server: None,
            seen: seen.into(),
            fix: Vec::new(),
        }
    }

    fn of_service(mut self, service: &ServiceKey) -> Finding {
        self.service = Some(*service);
        self
    }

    fn of_server(mut self, service: &ServiceKey, server: &ServerKey) -> Finding {
        self.service = Some(*service);
        self.server = Some(*server);
        self
    }

    fn fix(mut self, fix: Fix) -> Finding {
        self.fix.push(fix);
        self
    }

    fn change(self, change: Change) -> Finding {
        self.fix(Fix::Change(change))
    }

    fn command(self, command: impl Into<String>) -> Finding {
        self.fix(Fix::Command(command.into()))
    }

    /// Sets a setting, given by its path below /proc/sys.
    fn sysctl(self, path: &str, value: impl Display) -> Finding {
        self.command(format!("sysctl -w {}={value}", setting_name(path)))
    }
}

/// What was found, and what is not known.
#[derive(Debug, Default)]
pub struct Findings {
    /// The worst first, once they are sorted.
    pub found: Vec<Finding>,
    /// What could not be read although it should have been, and why.
    pub unread: Vec<anyhow::Error>,
    /// What this program cannot check.
    pub unchecked: Vec<String>,
    /// The network namespace that was checked, if one was named.
    pub netns: Option<OsString>,
    /// What is not to be reported.
    pub ignore: Vec<Ignore>,
    /// How many findings were not reported for that.
    pub ignored: usize,
    /// The service of all findings, where only one is checked.
    about: Option<ServiceKey>,
}

impl Findings {
    /// Nothing yet, in the network namespace `netns` if one was named.
    pub fn new(netns: Option<&OsStr>, ignore: &[Ignore]) -> Findings {
        Findings {
            netns: netns.map(OsStr::to_owned),
            ignore: ignore.to_vec(),
            ..Findings::default()
        }
    }

    fn find(&mut self, finding: Finding) {
        self.settles(finding);
    }

    /// Reports `finding`, unless it is to be ignored. Whether that settles it: what
    /// is ignored for one service may still concern the next.
    fn settles(&mut self, mut finding: Finding) -> bool {
        finding.service = finding.service.or(self.about);
        let ignore = self.ignore.iter();
        let mut ignore = ignore.filter(|ignore| ignore.covers(&finding)).peekable();
        if ignore.peek().is_some() {
            self.ignored += 1;
            return ignore.any(|ignore| ignore.service.is_none());
        }
        // What no option expresses, no command fixes.
        let is_possible = |fix: &Fix| !matches!(fix, Fix::Change(change) if !change.is_known());
        finding.fix.retain(is_possible);
        self.found.push(finding);
        true
    }

    /// Puts the worst first.
    fn sort(&mut self) {
        self.found.sort_by_key(|finding| finding.kind.severity());
    }

    fn unsure(&mut self, what: impl Into<String>) {
        self.unchecked.push(what.into());
    }

    /// What was read; on failure nothing, which is then reported as not read.
    fn read<T: Default>(&mut self, result: anyhow::Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.unread.push(error);
            T::default()
        })
    }

    /// How many there are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        let found = self.found.iter();
        found.filter(|f| f.kind.severity() == severity).count()
    }
}

/// An IPv4 address on `lo` makes its whole subnet local: with the netmask that the
/// address has elsewhere, packets to the other hosts never leave.
fn on_loopback(network: &NetworkState, address: IpAddr) -> Option<Finding> {
    let (loopback, own) = network
        .with_address(address)
        .find(|(link, own)| link.loopback && address.is_ipv4() && own.prefix_len < 32)?;
    let near = network.addresses.iter().find_map(|other| {
        let link = network.outside().find(|link| link.index == other.link)?;
        own.network_contains(&other.address).then_some(link)
    })?;
    let (length, loopback, near) = (own.prefix_len, loopback.name, near.name);
    let seen = format!("{address}/{length} is on {loopback}, and the same subnet is on {near}");
    let finding = Finding::new(Kind::NetworkOnLoopback, seen)
        .command(format!(
            "ip address delete {address}/{length} dev {loopback}"
        ))
        .command(format!("ip address add {address}/32 dev {loopback}"));
    Some(finding)
}

/// `address` with the prefix length of a single host.
fn host(address: IpAddr) -> String {
    let length = if address.is_ipv4() { 32 } else { 128 };
    format!("{address}/{length}")
}

/// A setting as sysctl names it, by its path below /proc/sys. Where an interface
/// has a dot in its name, that is the path.
fn setting_name(path: &str) -> String {
    match path.contains('.') {
        true => path.to_owned(),
        false => path.replace('/', "."),
    }
}
