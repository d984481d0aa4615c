//! Addresses and ports, with the names they have.

use crate::names::Names;
use crate::render::address;
use crate::render::buffer::Buffer;
use ipvs::Protocol;
use std::net::IpAddr;

/// Where C ipvsadm cuts `host:port`.
pub(super) const IPV4_LIMIT: usize = 28;
pub(super) const IPV6_LIMIT: usize = 59;

/// Address and port, or their names, cut after `limit` bytes. The limits are
/// such that an address with its port in figures always fits.
pub(super) fn endpoint(
    out: &mut Buffer,
    names: Option<&dyn Names>,
    protocol: Option<Protocol>,
    ip: &IpAddr,
    port: u16,
    limit: usize,
) {
    match names {
        None => address::numeric(out, ip, port, 0),
        Some(names) => named(out, names, protocol, ip, port, limit),
    }
}

/// The same with names.
pub(super) fn named(
    out: &mut Buffer,
    names: &dyn Names,
    protocol: Option<Protocol>,
    ip: &IpAddr,
    port: u16,
    limit: usize,
) {
    let start = out.len();
    match (names.host(ip), ip) {
        (None, _) => address::host_and_colon(out, ip),
        (Some(name), IpAddr::V4(_)) => {
            out.text(name);
            out.push(b':');
        }
        (Some(name), IpAddr::V6(_)) => {
            out.push(b'[');
            out.text(name);
            out.text("]:");
        }
    }
    match protocol.and_then(|protocol| names.service(port, protocol)) {
        Some(name) => out.text(name),
        None => out.number(port),
    }
    out.truncate(start + limit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::written;

    struct Known(Option<&'static str>, Option<&'static str>);

    impl Names for Known {
        fn host(&self, _: &IpAddr) -> Option<&[u8]> {
            self.0.map(str::as_bytes)
        }

        fn service(&self, _: u16, _: Protocol) -> Option<&[u8]> {
            self.1.map(str::as_bytes)
        }
    }

    fn shown(
        host: Option<&'static str>,
        port: Option<&'static str>,
        ip: &str,
        limit: usize,
    ) -> String {
        let (names, ip) = (Known(host, port), ip.parse().unwrap());
        written(|out| endpoint(out, Some(&names), Some(Protocol::Tcp), &ip, 80, limit))
    }

    #[test]
    fn names_are_cut_at_the_limit() {
        let name = "a-rather-long-name.example.test";
        assert_eq!(
            shown(Some(name), Some("http"), "10.0.0.1", 28),
            "a-rather-long-name.example.t"
        );
        assert_eq!(shown(Some("a"), None, "10.0.0.1", 28), "a:80");
        assert_eq!(shown(None, Some("http"), "fe80::1", 59), "[fe80::1]:http");
        assert_eq!(shown(Some("a"), Some("http"), "fe80::1", 5), "[a]:h");
    }
}
