//! Hosts and networks with their ports: the values of `--client` and `--vip`, and
//! of `-r` where it says what is listed.
//!
//! C ipvsadm has none of these, so there is nothing to be lenient for: anything
//! after a valid value is an error.

use super::{REAL_SERVER, Reason, address, illegal, plain};
use crate::cli::error::UsageError;
use crate::names::Lookup;
use crate::selection::{EndpointFilter, Network};
use ipvs::Protocol;
use std::net::{IpAddr, Ipv6Addr};

/// `address[/length][:port]`, in figures; IPv6 addresses may have brackets, and
/// need them where a port follows at once.
pub fn client(input: &[u8]) -> Result<EndpointFilter, UsageError> {
    in_figures(input)?
        .ok_or_else(|| illegal("client address[/length][:port]", input, Reason::Client))
}

/// The same, or a host by its name, with a port by its name or number. The bits
/// behind a network's length must not be set: as likely as not, a host was meant.
/// `what` it is, in the words of messages.
fn endpoint(
    what: &'static str,
    input: &[u8],
    protocol: Option<Protocol>,
    lookup: &mut dyn Lookup,
) -> Result<EndpointFilter, UsageError> {
    if let Some(filter) = in_figures(input)? {
        return match host_bits(input, &filter.network) {
            true => Err(UsageError::HostBits(input.into(), filter.network)),
            false => Ok(filter),
        };
    }
    // What C ipvsadm reads in brackets or drops behind them is too much here: a
    // port that is dropped would select more than was asked for.
    if input.starts_with(b"[") || input.contains(&b'/') {
        return Err(illegal(what, input, Reason::Shape));
    }
    let (address, port) = address(input, protocol.or(Some(Protocol::Tcp)), lookup)
        .map_err(|reason| illegal(what, input, reason))?;
    Ok(EndpointFilter {
        network: Network::host(address),
        port,
    })
}

fn host_bits(input: &[u8], network: &Network) -> bool {
    let typed = parts(input).map(|(address, ..)| address);
    typed.is_some_and(|address| address != network.first())
}

/// The value of `--vip`.
pub fn vip(input: &[u8], lookup: &mut dyn Lookup) -> Result<EndpointFilter, UsageError> {
    endpoint("virtual IP address[/length][:port]", input, None, lookup)
}

/// The value of `-r` where it stands for servers of any service, whose port may be
/// a name of `protocol`.
pub fn real_server(
    input: &[u8],
    protocol: Option<Protocol>,
    lookup: &mut dyn Lookup,
) -> Result<EndpointFilter, UsageError> {
    endpoint(REAL_SERVER, input, protocol, lookup)
}

/// `None` if it is not in figures.
fn in_figures(input: &[u8]) -> Result<Option<EndpointFilter>, UsageError> {
    let Some((address, length, port)) = parts(input) else {
        return Ok(None);
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length.map(u8::try_from) {
        None => most,
        Some(Ok(length)) if length <= most => length,
        Some(_) => return Err(UsageError::LongPrefix(input.into())),
    };
    Ok(Some(EndpointFilter {
        network: Network::of(address, length),
        port,
    }))
}

/// Address, length and port as typed.
fn parts(input: &[u8]) -> Option<(IpAddr, Option<u32>, Option<u16>)> {
    let text = std::str::from_utf8(input).ok()?;
    let (address, rest): (IpAddr, _) = match text.strip_prefix('[') {
        Some(text) => {
            let (address, rest) = text.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.into(), rest)
        }
        None => {
            let of_ipv6 = text.matches(':').count() > 1;
            let ends = |c| c == '/' || c == ':' && !of_ipv6;
            let (address, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
            (address.parse().ok()?, rest)
        }
    };
    let figures = |text: &str| match plain(text.as_bytes()) {
        Some((value, [])) => Some(value),
        _ => None,
    };
    let (length, port) = match rest.split_once(':') {
        Some((length, port)) => (length, Some(u16::try_from(figures(port)?).ok()?)),
        None => (rest, None),
    };
    let length = match length {
        "" => None,
        length => Some(figures(length.strip_prefix('/')?)?),
    };
    Some((address, length, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NoLookup;

    #[test]
    fn clients_are_addresses_networks_and_ports() {
        let parse = |text: &str| {
            client(text.as_bytes())
                .map(|f| {
                    format!(
                        "{} {:?} {:?}",
                        f.network.first(),
                        f.network.prefix(),
                        f.port
                    )
                })
                .map_err(|error| error.to_string())
        };
        for (text, meaning) in [
            ("10.0.0.9", "10.0.0.9 None None"),
            ("10.0.0.9:0", "10.0.0.9 None Some(0)"),
            ("10.0.0.9/8", "10.0.0.0 Some(8) None"),
            ("10.0.0.9/32:80", "10.0.0.9 None Some(80)"),
            ("0.0.0.0/0", "0.0.0.0 Some(0) None"),
            ("2001:db8::9", "2001:db8::9 None None"),
            ("2001:db8::9/32", "2001:db8:: Some(32) None"),
            ("2001:db8::9/32:80", "2001:db8:: Some(32) Some(80)"),
            ("[2001:db8::9]", "2001:db8::9 None None"),
            ("[2001:db8::9]:80", "2001:db8::9 None Some(80)"),
            ("[2001:db8::9]/128:80", "2001:db8::9 None Some(80)"),
            ("::/0", ":: Some(0) None"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(meaning), "{text}");
        }
        for bad in [
            "",
            "/8",
            ":80",
            "10.0.0",
            "10.0.0.9/",
            "10.0.0.9:",
            "10.0.0.9/8/8",
            "10.0.0.9:80/8",
            "10.0.0.9:65536",
            "10.0.0.9/x",
            "10.0.0.9/-1",
            "[10.0.0.9]:80",
            "[::1",
            "[::1]x",
            "[::1]80",
            "::1]",
            "host",
            "10.0.0.9 ",
            "fe80::1%eth0",
            "\u{e4}",
        ] {
            let illegal = "illegal client address[/length][:port] specified";
            assert_eq!(parse(bad), Err(illegal.into()), "{bad}");
        }
        for long in ["10.0.0.9/33", "::/129", "10.0.0.9/255", "10.0.0.9/256:80"] {
            let error = format!("the prefix of `{long}' is longer than an address");
            assert_eq!(parse(long), Err(error), "{long}");
        }
    }

    #[test]
    fn hosts_may_have_names_and_networks_no_host_bits() {
        let parse = |text: &str| {
            vip(text.as_bytes(), &mut NoLookup)
                .map(|f| {
                    format!(
                        "{} {:?} {:?}",
                        f.network.first(),
                        f.network.prefix(),
                        f.port
                    )
                })
                .map_err(|error| error.to_string())
        };
        for (text, meaning) in [
            ("10.0.0.9", "10.0.0.9 None None"),
            ("10.0.0.9:80", "10.0.0.9 None Some(80)"),
            ("10.0.0.0/24", "10.0.0.0 Some(24) None"),
            ("10.0.0.9/32", "10.0.0.9 None None"),
            ("2001:db8::/32", "2001:db8:: Some(32) None"),
            ("[2001:db8::9]:80", "2001:db8::9 None Some(80)"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(meaning), "{text}");
        }
        for (text, error) in [
            (
                "10.0.0.9/24",
                "`10.0.0.9/24' has bits behind its length: the network is 10.0.0.0/24",
            ),
            (
                "2001:db8::9/32:80",
                "`2001:db8::9/32:80' has bits behind its length: the network is 2001:db8::/32",
            ),
            (
                "10.0.0.9/33",
                "the prefix of `10.0.0.9/33' is longer than an address",
            ),
            ("", "illegal virtual IP address[/length][:port] specified"),
            ("80", "illegal virtual IP address[/length][:port] specified"),
            (
                "[10.0.0.9]:80",
                "illegal virtual IP address[/length][:port] specified",
            ),
            (
                "10.0.0.9:99999",
                "illegal virtual IP address[/length][:port] specified",
            ),
            (
                "nosuchhost",
                "illegal virtual IP address[/length][:port] specified",
            ),
        ] {
            assert_eq!(parse(text), Err(error.into()), "{text}");
        }
    }
}
