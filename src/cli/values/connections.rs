//! The values of `--client`, `--state` and `--by`: which connections are meant,
//! and what they are counted by.
//!
//! C ipvsadm has none of these, so there is nothing to be lenient for: names
//! are not looked up, and anything after a valid value is an error.

use super::{Reason, illegal, plain};
use crate::cli::error::UsageError;
use crate::connections::{EndpointFilter, Key, Keys, Network, StateSet};
use std::net::{IpAddr, Ipv6Addr};

/// `address[/length][:port]`, in figures; IPv6 addresses may have brackets, and
/// need them where a port follows at once.
pub fn client(input: &[u8]) -> Result<EndpointFilter, UsageError> {
    let (address, length, port) = client_parts(input)
        .ok_or_else(|| illegal("client address[/length][:port]", input, Reason::Client))?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length.map(u8::try_from) {
        None => most,
        Some(Ok(length)) if length <= most => length,
        Some(_) => return Err(UsageError::LongPrefix(input.into())),
    };
    Ok(EndpointFilter {
        network: Network::of(address, length),
        port,
    })
}

fn client_parts(input: &[u8]) -> Option<(IpAddr, Option<u32>, Option<u16>)> {
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

/// Some states, with commas between them.
pub fn states(input: &[u8]) -> Result<StateSet, UsageError> {
    let mut states = StateSet::default();
    for name in input.split(|byte| *byte == b',') {
        if !states.insert(name) {
            return Err(UsageError::UnknownState(name.into()));
        }
    }
    Ok(states)
}

/// Some of what connections are counted by, with commas between them.
pub fn keys(input: &[u8]) -> Result<Keys, UsageError> {
    let mut keys = Keys::default();
    for word in input.split(|byte| *byte == b',') {
        let key = match word.strip_prefix(b"client/") {
            Some(length) => match plain(length) {
                Some((length, [])) => match u8::try_from(length) {
                    Ok(length @ 0..=128) => Key::Client(Some(length)),
                    _ => return Err(UsageError::LongPrefix(word.into())),
                },
                _ => return Err(UsageError::UnknownKey(word.into())),
            },
            None => Key::ALL
                .into_iter()
                .find(|key| key.name().as_bytes() == word)
                .ok_or_else(|| UsageError::UnknownKey(word.into()))?,
        };
        if !keys.insert(key) {
            return Err(UsageError::RepeatedKey(key));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn lists_of_states_and_keys() {
        let error = |text: &str| states(text.as_bytes()).map_err(|e| e.to_string()).err();
        assert_eq!(error("established,SYN_RECV"), None);
        assert_eq!(
            error("udp,estab").unwrap(),
            "unknown connection state `estab'"
        );
        assert_eq!(error("").unwrap(), "unknown connection state `'");
        let parse = |text: &str| {
            let keys = keys(text.as_bytes()).map_err(|e| e.to_string())?;
            Ok::<_, String>(keys.iter().collect::<Vec<_>>())
        };
        assert_eq!(
            parse("state,client/24").unwrap(),
            [Key::State, Key::Client(Some(24))]
        );
        assert_eq!(
            parse("client,service,server,protocol,state").unwrap().len(),
            5
        );
        for (text, said) in [
            ("", "--by cannot count by `'"),
            ("state,", "--by cannot count by `'"),
            ("stat", "--by cannot count by `stat'"),
            ("client/", "--by cannot count by `client/'"),
            ("client/x", "--by cannot count by `client/x'"),
            ("server/24", "--by cannot count by `server/24'"),
            (
                "client/129",
                "the prefix of `client/129' is longer than an address",
            ),
            ("state,state", "--by has the key 'state' twice"),
            ("client,client/24", "--by has the key 'client' twice"),
        ] {
            assert_eq!(parse(text), Err(said.into()), "{text}");
        }
    }
}
