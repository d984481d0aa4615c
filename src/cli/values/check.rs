//! The values of `--ignore`: findings, and the services where they do not matter.

use super::{mark, service};
use crate::check::{Ignore, Kind, Scope};
use crate::cli::error::UsageError;
use crate::names::Lookup;
use ipvs::{Family, Protocol, ServiceKey};

/// `ID` or `ID@SERVICE`, several with commas between them.
pub fn ignore(input: &[u8], lookup: &mut dyn Lookup) -> Result<Vec<Ignore>, UsageError> {
    let words = input.split(|byte| *byte == b',');
    words.map(|word| one(word, lookup)).collect()
}

fn one(word: &[u8], lookup: &mut dyn Lookup) -> Result<Ignore, UsageError> {
    let mut parts = word.splitn(2, |byte| *byte == b'@');
    let id = parts.next().unwrap_or_default();
    let kind = Kind::named(id).ok_or_else(|| UsageError::UnknownFinding(id.into()))?;
    let service = match parts.next() {
        None => None,
        Some(_) if kind.scope() == Scope::Director => {
            return Err(UsageError::FindingOfDirector(kind));
        }
        Some(name) => {
            let wrong = || UsageError::UnknownPlace(name.into());
            Some(place(name, lookup).ok_or_else(wrong)?)
        }
    };
    Ok(Ignore { kind, service })
}

/// `tcp:ADDRESS:PORT`, `fwmark:MARK`: a service in one word.
fn place(name: &[u8], lookup: &mut dyn Lookup) -> Option<ServiceKey> {
    let colon = name.iter().position(|byte| *byte == b':')?;
    let value = &name[colon + 1..];
    let protocol = match &name[..colon] {
        b"tcp" => Protocol::Tcp,
        b"udp" => Protocol::Udp,
        b"sctp" => Protocol::Sctp,
        b"fwmark" => return mark(value).ok(),
        b"fwmark6" => {
            return match mark(value).ok()? {
                ServiceKey::Fwmark { mark, .. } => Some(ServiceKey::Fwmark {
                    mark,
                    family: Family::Inet6,
                }),
                other => Some(other),
            };
        }
        _ => return None,
    };
    service(protocol, value, lookup).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NoLookup;

    fn read(text: &str) -> Result<String, String> {
        let ignored = ignore(text.as_bytes(), &mut NoLookup).map_err(|error| error.to_string())?;
        let words: Vec<_> = ignored.iter().map(ToString::to_string).collect();
        Ok(words.join(","))
    }

    #[test]
    fn findings_and_services_are_written_as_they_are_read() {
        for text in [
            "no-servers",
            "no-servers@tcp:192.0.2.1:80",
            "no-servers@tcp:192.0.2.1:0,drop-entry",
            "answers-arp@udp:[2001:db8::1]:53",
            "no-weight@sctp:192.0.2.1:9900",
            "no-servers@fwmark:4294967295,no-servers@fwmark6:666",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        let all_ports = read("all-full@tcp:192.0.2.1");
        assert_eq!(all_ports.as_deref(), Ok("all-full@tcp:192.0.2.1:0"));
    }

    #[test]
    fn what_is_never_found_cannot_be_ignored() {
        for (text, error) in [
            ("", "no finding is called `'"),
            ("no-server", "no finding is called `no-server'"),
            ("no-servers,", "no finding is called `'"),
            ("No-Servers", "no finding is called `No-Servers'"),
            (
                "sloppy-tcp@tcp:192.0.2.1:80",
                "the finding sloppy-tcp is about the director, not about one service",
            ),
            (
                "no-servers@192.0.2.1:80",
                "`192.0.2.1:80' is no service: say tcp:ADDRESS:PORT, udp:, sctp:, fwmark:MARK or fwmark6:MARK",
            ),
        ] {
            assert_eq!(read(text), Err(error.into()), "{text}");
        }
        for place in [
            "",
            "tcp",
            "tcp:",
            "tcp:192.0.2.1:99999",
            "TCP:192.0.2.1:80",
            "ip:192.0.2.1",
            "fwmark:0",
            "fwmark6:x",
            "tcp:192.0.2.1:80@x",
        ] {
            assert!(read(&format!("no-servers@{place}")).is_err(), "{place}");
        }
    }
}
