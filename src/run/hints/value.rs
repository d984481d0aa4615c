//! What is wrong with the value of an option.

use super::typed::Asked;
use crate::cli::UsageError;
use crate::cli::opt::{CommandName, Opt};
use crate::cli::values::{Reason, inet_aton};
use crate::names::{Lookup, SystemLookup};
use crate::render::visible;
use ipvs::{Protocol, SCHEDULERS};
use std::net::Ipv6Addr;

/// The hint on `error`, the refusal of a value.
pub fn hint(error: &UsageError, asked: &Asked) -> Option<String> {
    use UsageError as E;
    let (E::IllegalValue(_, refused)
    | E::InvalidTimeout(refused)
    | E::InvalidInterval(refused)
    | E::InvalidMark(refused)
    | E::InvalidGroup(_, refused)) = error
    else {
        return error.reason();
    };
    let word = visible(&refused.word);
    let special = match (error, &refused.reason) {
        (E::IllegalValue(what, _), Reason::Option) => {
            // The noun without its article: `real server address[:port]`.
            let what = if what.contains("address") {
                "address"
            } else {
                what
            };
            Some(format!("{word} was taken for the {what}"))
        }
        (_, Reason::Empty) => Some("the value is empty: is a variable unset?".into()),
        (E::IllegalValue(what, _), reason) if what.contains("address") => of_address(&word, reason),
        (E::InvalidTimeout(_), _) => of_seconds(&word, asked),
        (E::InvalidMark(_), _) => of_mark(&word),
        _ => None,
    };
    Some(special.unwrap_or_else(|| format!("{word}: {}", refused.reason)))
}

/// Whether `word` is an address, with a port or without.
pub fn is_address(word: &[u8]) -> bool {
    let text = String::from_utf8_lossy(word);
    let host = text.split(':').next().unwrap_or_default();
    host.contains('.') && inet_aton(host.as_bytes()).is_some()
        || text.starts_with('[')
        || text.parse::<Ipv6Addr>().is_ok()
}

fn of_address(word: &str, reason: &Reason) -> Option<String> {
    if let Some((_, host)) = word.split_once("://") {
        let host = host.trim_end_matches('/');
        return Some(format!("an address, not a URL: write {host}"));
    }
    if word.contains(',') {
        return Some(format!(
            "{word}: one address at a time; -R reads many lines"
        ));
    }
    let (host, port) = word.rsplit_once(':').unwrap_or((word, ""));
    let figures = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if port
        .split_once('-')
        .is_some_and(|(from, to)| figures(from) && figures(to) && !from.is_empty())
    {
        return Some(format!("{word}: one port; a mark (-f) can stand for many"));
    }
    if matches!(port, "*" | "any" | "all") {
        return Some("port 0 with -p stands for all ports".into());
    }
    if host.contains('.')
        && host
            .split('.')
            .all(|part| !part.is_empty() && figures(part))
    {
        let too_large = |part: &&str| part.parse::<u32>().map_or(true, |n| n > 255);
        if let Some(part) = host.split('.').find(too_large) {
            return Some(format!(
                "{part} is too large: the numbers of an IPv4 address go up to 255"
            ));
        }
    }
    match reason {
        Reason::Service(_, protocol) => of_port_name(port, *protocol),
        _ => None,
    }
}

/// The port is the name of a service, but not quite.
fn of_port_name(port: &str, protocol: Protocol) -> Option<String> {
    let mut lookup = SystemLookup::default();
    let mut known = |name: &str, protocol| lookup.port(name.as_bytes(), protocol).is_some();
    let small = port.to_lowercase();
    if small != port && known(&small, protocol) {
        return Some(format!(
            "write {small}: the names of services have no capitals"
        ));
    }
    let others = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let other = others.into_iter().find(|other| known(port, *other))?;
    Some(format!(
        "no service `{port}' for {}, only for {}",
        protocol.name(),
        other.name()
    ))
}

/// A number of seconds.
fn of_seconds(word: &str, asked: &Asked) -> Option<String> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = word.split_at(digits);
    let length = match unit {
        "s" | "sec" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(3600),
        "d" => Some(86400),
        _ => None,
    };
    if let (Ok(number), Some(length)) = (number.parse::<u32>(), length) {
        let seconds = u64::from(number) * length;
        return Some(format!("{word}: whole seconds without a unit: {seconds}"));
    }
    if asked.command() == Some(CommandName::Set) {
        return None;
    }
    if matches!(word, "tcp" | "udp" | "sctp") {
        return Some("-p is for persistence; -t is TCP and -u is UDP".into());
    }
    // -p takes the next word, or what stands behind it in its own.
    let option = asked.option(Opt::Persistent)?;
    let bundle = asked.words.iter().find(|other| {
        let end = format!("p{word}");
        other.starts_with(b"-") && !other.starts_with(b"--") && other.ends_with(end.as_bytes())
    });
    match bundle {
        Some(bundle) => Some(format!(
            "in {}, {word} is the value of -p",
            String::from_utf8_lossy(bundle)
        )),
        None if option.value.is_some_and(is_address) || SCHEDULERS.contains(&word) => Some(
            format!("-p took {word} as its number of seconds: put -p last, or give it a number"),
        ),
        None => None,
    }
}

fn of_mark(word: &str) -> Option<String> {
    if word == "0" {
        return Some("packets without a mark have the mark 0".into());
    }
    word.contains('/')
        .then(|| format!("{word}: -f takes no mask"))
}
