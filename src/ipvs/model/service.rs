//! Virtual services.

use super::{Name, Stats};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

/// The address family of a service or a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `AF_INET`
    Inet,
    /// `AF_INET6`
    Inet6,
}

impl Family {
    /// The family that `address` belongs to.
    pub fn of(address: &IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::Inet,
            IpAddr::V6(_) => Family::Inet6,
        }
    }
}

/// A transport protocol that IPVS balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `IPPROTO_TCP`
    Tcp,
    /// `IPPROTO_UDP`
    Udp,
    /// `IPPROTO_SCTP`
    Sctp,
    /// Another one, by its number.
    Other(u16),
}

impl Protocol {
    /// The protocols that have a name here.
    const KNOWN: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

    /// The protocol with this number in netinet/in.h.
    pub fn from_number(number: u16) -> Protocol {
        let known = Protocol::KNOWN.into_iter().find(|p| p.number() == number);
        known.unwrap_or(Protocol::Other(number))
    }

    /// The known protocol that the kernel calls so.
    pub fn from_kernel_name(title: &[u8]) -> Option<Protocol> {
        Protocol::KNOWN
            .into_iter()
            .find(|p| p.kernel_name().as_bytes() == title)
    }

    /// The known protocol with this name in small letters.
    pub fn from_name(name: &[u8]) -> Option<Protocol> {
        Protocol::KNOWN
            .into_iter()
            .find(|p| p.name().as_bytes() == name)
    }

    /// The number in netinet/in.h.
    pub fn number(self) -> u16 {
        match self {
            Protocol::Tcp => 6,
            Protocol::Udp => 17,
            Protocol::Sctp => 132,
            Protocol::Other(number) => number,
        }
    }

    /// The name that the kernel uses in /proc/net/ip_vs and ip_vs_conn, in
    /// capitals; `IP_` and the number where it has none.
    pub fn kernel_name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
            Protocol::Other(number) => return Cow::Owned(format!("IP_{number}")),
        })
    }

    /// The same in small letters, as /etc/services has it.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
            Protocol::Other(number) => return Cow::Owned(format!("ip_{number}")),
        })
    }
}

/// What makes a virtual service this one and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKey {
    /// Packets to an address; port 0 stands for all ports.
    Address {
        /// The transport protocol.
        protocol: Protocol,
        /// The virtual address.
        address: IpAddr,
        /// The port, in host byte order.
        port: u16,
    },
    /// Packets of one family that carry a firewall mark.
    Fwmark {
        /// The mark.
        mark: NonZeroU32,
        /// The family of the packets.
        family: Family,
    },
}

/// `TCP 192.0.2.1:80`, `FWM 1`, `FWM 1 IPv6`
impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ServiceKey::Address {
                protocol,
                address,
                port,
            } => {
                let at = SocketAddr::new(*address, *port);
                write!(f, "{} {at}", protocol.kernel_name())
            }
            ServiceKey::Fwmark { mark, family } => match family {
                Family::Inet => write!(f, "FWM {mark}"),
                Family::Inet6 => write!(f, "FWM {mark} IPv6"),
            },
        }
    }
}

impl ServiceKey {
    /// A service at an address.
    ///
    /// ```
    /// use ipvs::{Protocol, ServiceKey};
    ///
    /// let web = ServiceKey::new(Protocol::Tcp, "192.0.2.1:80".parse().unwrap());
    /// assert_eq!(web.to_string(), "TCP 192.0.2.1:80");
    /// ```
    pub fn new(protocol: Protocol, at: SocketAddr) -> ServiceKey {
        ServiceKey::Address {
            protocol,
            address: at.ip(),
            port: at.port(),
        }
    }

    /// The family of the packets the service takes.
    pub fn family(&self) -> Family {
        match self {
            ServiceKey::Address { address, .. } => Family::of(address),
            ServiceKey::Fwmark { family, .. } => *family,
        }
    }

    /// The protocol; a mark has none.
    pub fn protocol(&self) -> Option<Protocol> {
        match self {
            ServiceKey::Address { protocol, .. } => Some(*protocol),
            ServiceKey::Fwmark { .. } => None,
        }
    }

    /// The port; 0 for a mark.
    pub fn port(&self) -> u16 {
        match self {
            ServiceKey::Address { port, .. } => *port,
            ServiceKey::Fwmark { .. } => 0,
        }
    }
}

/// How many clients share one persistence template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Netmask {
    /// A dotted mask, which need not be contiguous.
    V4(Ipv4Addr),
    /// A prefix length, 1 to 128; the kernel may report others, which are
    /// kept as they are.
    V6(u32),
}

impl Netmask {
    /// The mask that makes each client address stand alone.
    pub fn host(family: Family) -> Netmask {
        match family {
            Family::Inet => Netmask::V4(Ipv4Addr::BROADCAST),
            Family::Inet6 => Netmask::V6(128),
        }
    }

    /// Whether each client address stands alone.
    pub fn is_host(&self) -> bool {
        matches!(self, Netmask::V4(Ipv4Addr::BROADCAST) | Netmask::V6(128))
    }
}

bitflags::bitflags! {
    /// The flags of a service (`IP_VS_SVC_F_*` in linux/ip_vs.h), also those of a
    /// newer kernel, so that they survive an edit.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct ServiceFlags: u32 {
        /// A client keeps its server.
        const PERSISTENT = 0x0001;
        /// The kernel's own mark, not a setting.
        const HASHED = 0x0002;
        /// Each datagram is scheduled for itself.
        const ONE_PACKET = 0x0004;
        /// Fallback for sh and mh.
        const SCHED1 = 0x0008;
        /// Port for sh and mh.
        const SCHED2 = 0x0010;
        /// Nothing to the kernel's own schedulers.
        const SCHED3 = 0x0020;
        /// All flags that a scheduler gives a meaning to.
        const SCHED = 0x0038;
        const _ = !0;
    }
}

impl ServiceFlags {
    /// Whether clients keep their servers.
    pub fn persistent(self) -> bool {
        self.contains(Self::PERSISTENT)
    }

    /// Whether each datagram is scheduled for itself.
    pub fn one_packet(self) -> bool {
        self.contains(Self::ONE_PACKET)
    }
}

/// The schedulers of Linux. A kernel may have others.
pub const SCHEDULERS: [&str; 13] = [
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh",
];

/// How a virtual service is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceConfig {
    /// The scheduler; `none` or empty where the kernel has none.
    pub scheduler: Name,
    /// Persistence, one-packet scheduling, scheduler flags.
    pub flags: ServiceFlags,
    /// Persistence time-out in seconds; 0 without persistence.
    pub timeout: u32,
    /// Persistence granularity.
    pub netmask: Netmask,
    /// The persistence engine.
    pub engine: Option<Name>,
}

impl ServiceConfig {
    /// With this scheduler, and nothing else.
    pub fn new(scheduler: impl Into<Name>, family: Family) -> ServiceConfig {
        ServiceConfig {
            scheduler: scheduler.into(),
            flags: ServiceFlags::default(),
            timeout: 0,
            netmask: Netmask::host(family),
            engine: None,
        }
    }

    /// Whether the two are the same, whatever the kernel marks for itself.
    pub fn is_same(&self, other: &ServiceConfig) -> bool {
        let set = |config: &ServiceConfig| ServiceConfig {
            flags: config.flags - ServiceFlags::HASHED,
            ..*config
        };
        set(self) == set(other)
    }

    /// The same, where a mask and a time-out count only with persistence, because
    /// without it they have no effect.
    pub fn has_same_effect(&self, other: &ServiceConfig) -> bool {
        if self.flags.persistent() {
            return self.is_same(other);
        }
        self.is_same(&ServiceConfig {
            timeout: self.timeout,
            netmask: self.netmask,
            ..*other
        })
    }
}

/// A virtual service as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// Which service.
    pub key: ServiceKey,
    /// Its set-up.
    pub config: ServiceConfig,
    /// Its counters.
    pub stats: Stats,
}

impl Service {
    /// One that has counted nothing yet.
    pub fn new(key: ServiceKey, config: ServiceConfig) -> Service {
        Service {
            key,
            config,
            stats: Stats::default(),
        }
    }
}
