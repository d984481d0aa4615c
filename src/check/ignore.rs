//! Findings that are known and accepted: `--ignore ID` everywhere, and
//! `--ignore ID@SERVICE` for one service.

use super::{Finding, Kind};
use ipvs::{Family, ServiceKey};
use std::fmt;
use std::net::SocketAddr;

/// What is not to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The finding.
    pub kind: Kind,
    /// For this service only.
    pub service: Option<ServiceKey>,
}

impl Ignore {
    /// The narrowest one for `finding`.
    pub fn narrowest(finding: &Finding) -> Ignore {
        Ignore {
            kind: finding.kind,
            service: finding.service,
        }
    }

    /// Whether `finding` is not to be reported.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.kind == finding.kind && (self.service.is_none() || self.service == finding.service)
    }
}

/// As it is typed.
impl fmt::Display for Ignore {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.kind.id())?;
        match self.service {
            None => Ok(()),
            Some(ServiceKey::Address {
                protocol,
                address,
                port,
            }) => {
                let at = SocketAddr::new(address, port);
                write!(f, "@{}:{at}", protocol.name())
            }
            Some(ServiceKey::Fwmark { mark, family }) => match family {
                Family::Inet => write!(f, "@fwmark:{mark}"),
                Family::Inet6 => write!(f, "@fwmark6:{mark}"),
            },
        }
    }
}
