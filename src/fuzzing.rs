//! What must hold for any input whatever: one function a target, which panics
//! where it does not. The fuzzers of `fuzz/` call them, and so does a loop of
//! unit tests, with the same seeds.
//!
//! No part of the programs.

use crate::cli::{self, Action, Command, frontend, lexer::Lexer, lexer::Token, values};
use crate::model::{Change, Connection, Endpoint, Family, Name, Protocol};
use crate::names::NoLookup;
use crate::render::{Buffer, text};
use crate::rules::{self, plan::Wanted};
use crate::wire::{self, Body, Request};
use std::net::{IpAddr, Ipv4Addr};

/// A target's name, which its seeds have too, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("argv", argv),
    ("rules", rules),
    ("netlink", netlink),
    ("rows", rows),
    ("values", values),
];

/// A command line, one word a line: what clap accepts, the reader of popt's
/// rules reads alike; a change, printed as a rule, is read back as itself.
pub fn argv(input: &[u8]) {
    let words: Vec<&[u8]> = input.split(|b| *b == b'\n').take(16).collect();
    reads_alike(&words);
    let Ok(invocation) = cli::parse(b"ipvsadm", &words, false, &mut NoLookup) else {
        return;
    };
    // Rules have no quotes: other words cannot be printed as rules.
    let plain = |word: &&[u8]| word.iter().all(|b| b.is_ascii_graphic() && *b != b'#');
    if let (Command::Action(Action::Change(change)), true) =
        (invocation.command, words.iter().all(plain))
    {
        let can_be_said = match change {
            Change::AddService(_, config) | Change::EditService(_, config) => {
                // No rule has a mask without persistence, as in C ipvsadm.
                let engine = config.engine.as_ref();
                (config.flags.persistent() || config.netmask.is_host())
                    && !config.scheduler.as_bytes().is_empty()
                    && engine.is_none_or(|engine| !engine.as_bytes().is_empty())
            }
            Change::StartDaemon(daemon) => daemon
                .config
                .interface
                .is_none_or(|name| !name.as_bytes().is_empty()),
            _ => true,
        };
        if can_be_said {
            is_read_back(&change);
        }
    }
}

/// Whether clap accepts `words`; then popt's rules must make the same of them.
pub(crate) fn reads_alike(words: &[&[u8]]) -> bool {
    let Some(reading) = frontend::read(words, false) else {
        return false;
    };
    // The word as typed is for messages only.
    let typed = |token| match token {
        Token::Option(option) => (Some(option.row), option.value),
        Token::Word(word) => (None, Some(word)),
    };
    let by_popt: Result<Vec<_>, _> = Lexer::new(words, false).collect();
    let by_popt = by_popt.unwrap_or_else(|error| panic!("popt refuses: {error}"));
    let by_popt: Vec<_> = by_popt.into_iter().map(typed).collect();
    let by_clap: Vec<_> = reading.tokens().map(typed).collect();
    let parts = |tokens: &[(Option<_>, Option<_>)]| -> (Vec<_>, Vec<_>) {
        tokens.iter().copied().partition(|(row, _)| row.is_some())
    };
    assert_eq!(parts(&by_clap), parts(&by_popt));
    true
}

fn is_read_back(change: &Change) {
    let mut line = Buffer::with_capacity(256);
    text::rule(&mut line, None, change);
    let shown = line.as_bytes().escape_ascii();
    match rules::read(line.as_bytes(), &mut NoLookup) {
        Ok(read) => {
            let actions: Vec<_> = read.into_iter().map(|rule| rule.action).collect();
            assert_eq!(actions, [Action::Change(*change)], "{shown}");
        }
        Err(wrong) => panic!("{shown}: {}", wrong[0].error.text().escape_ascii()),
    }
}

/// Rules: read, or refused with the numbers of lines that are there; what makes
/// a table makes none of itself.
pub fn rules(input: &[u8]) {
    let lines = input.split(|b| *b == b'\n').count();
    let is_there = |line: u32| (1..=lines).contains(&(line as usize));
    match rules::read(input, &mut NoLookup) {
        Ok(read) => {
            assert!(read.iter().all(|rule| is_there(rule.line)));
            if let Err(wrong) = Wanted::from_rules(&read) {
                assert!(wrong.iter().all(|wrong| is_there(wrong.line)));
            }
        }
        Err(wrong) => {
            assert!(!wrong.is_empty() && wrong.iter().all(|wrong| is_there(wrong.line)));
            assert!(wrong.iter().all(|wrong| !wrong.error.text().is_empty()));
        }
    }
}

/// A datagram, or the attributes of a reply: what is understood can be sent, and
/// is read back as the same.
pub fn netlink(input: &[u8]) {
    for message in wire::messages(input) {
        if let Ok(wire::Message {
            body: Body::Data(attributes),
            ..
        }) = message
        {
            reply(attributes);
        }
    }
    reply(input);
}

fn reply(attributes: &[u8]) {
    wire::parse_info(attributes);
    wire::parse_timeouts(attributes);
    wire::parse_family(attributes);
    wire::parse_daemon(attributes);
    let service = wire::parse_service(attributes);
    if let Some(service) = &service {
        let change = Change::AddService(service.key, service.config);
        let again = wire::parse_service(&sent(change)).expect("a service");
        assert_eq!((again.key, again.config), (service.key, service.config));
    }
    for family in [Family::Inet, Family::Inet6] {
        let key = crate::model::ServiceKey::Address {
            protocol: Protocol::Tcp,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 80,
        };
        if let Some(server) = wire::parse_server(attributes, family) {
            let change = Change::AddServer(key, server.key, server.config);
            let again = wire::parse_server(&sent(change), family).expect("a server");
            assert_eq!((again.key, again.config), (server.key, server.config));
        }
    }
}

/// The attributes of a request.
fn sent(change: Change) -> Vec<u8> {
    let mut out = Vec::new();
    wire::append(&mut out, &Request::Change(change), 32, 5, 77);
    // The headers of netlink and generic netlink.
    out.split_off(20)
}

/// Rows of the connection table: they are what a plain reader makes of them.
pub fn rows(input: &[u8]) {
    let mut rest = input;
    for line in input.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let shown = line.escape_ascii();
        assert_eq!(wire::take_row(&mut rest), plain_row(line), "{shown}");
    }
    assert!(rest.is_empty());
}

/// A row word by word, without any haste.
fn plain_row(line: &[u8]) -> Option<Connection<'_>> {
    let mut words = line
        .split(|b| matches!(b, b' ' | b'\t' | b'\r' | 0x0b | 0x0c))
        .filter(|word| !word.is_empty());
    let protocol = words.next()?;
    let mut endpoint = || {
        let (address, port) = (words.next()?, words.next()?);
        let hex = |word: &[u8], len: usize| {
            let all = word.len() == len && word.iter().all(u8::is_ascii_hexdigit);
            let text = std::str::from_utf8(word).ok().filter(|_| all)?;
            u32::from_str_radix(text, 16).ok()
        };
        let address = match hex(address, 8) {
            Some(bits) => Ipv4Addr::from_bits(bits).into(),
            None => std::str::from_utf8(address).ok()?.parse().ok()?,
        };
        let port = u16::try_from(hex(port, 4)?).ok()?;
        Some(Endpoint { address, port })
    };
    let (client, service, server) = (endpoint()?, endpoint()?, endpoint()?);
    let state = words.next()?;
    let expires = words.next()?;
    let is_number = expires.len() < 20 && expires.iter().all(u8::is_ascii_digit);
    let expires = std::str::from_utf8(expires).ok().filter(|_| is_number)?;
    Some(Connection {
        protocol,
        client,
        service,
        server,
        state,
        expires: expires.parse().ok()?,
        engine: words.next().zip(words.next()),
    })
}

/// Values of options. The first byte says how to read the rest.
pub fn values(input: &[u8]) {
    let Some((kind, word)) = input.split_first() else {
        return;
    };
    match kind % 6 {
        0 => {
            let read = values::number::<i64>(word, i64::MIN, i64::MAX);
            let printed = read.map(|value| value.to_string());
            let again = printed.map(|text| values::number(text.as_bytes(), i64::MIN, i64::MAX));
            assert_eq!(again.flatten(), read);
        }
        1 => {
            let Some(address) = values::inet_aton(word) else {
                return;
            };
            let again = values::inet_aton(address.to_string().as_bytes());
            assert_eq!(again, Some(address));
        }
        2 => {
            let protocol = Some(Protocol::Tcp);
            let Some((address, port)) = values::address(word, protocol, &mut NoLookup) else {
                return;
            };
            let printed = match (address, port) {
                (IpAddr::V4(address), None) => address.to_string(),
                (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
                (IpAddr::V6(address), None) => address.to_string(),
                (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
            };
            let again = values::address(printed.as_bytes(), protocol, &mut NoLookup);
            assert_eq!(again, Some((address, port)), "{printed}");
        }
        3 => {
            for family in [Family::Inet, Family::Inet6] {
                let _ = values::netmask(word, family, &mut NoLookup);
            }
        }
        4 => {
            for scheduler in ["sh", "mh", "rr"] {
                let _ = values::sched_flags(word, &Name::from(scheduler));
            }
        }
        _ => {
            if let Ok(group) = values::multicast(word) {
                assert!(group.is_multicast());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::time::{Duration, Instant};
    use std::{env, fs};

    /// Bytes that are worth more than others.
    const LIKELY: &[u8] = b" \n\t\r-=:.,[]#0159afAtsrwpn\0\xff";

    /// Says which input it was.
    struct Trying<'a>(&'static str, &'a [u8]);

    impl Drop for Trying<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("target {}, input: {}", self.0, self.1.escape_ascii());
            }
        }
    }

    fn seeds(name: &str) -> Vec<Vec<u8>> {
        let folder = format!("{}/fuzz/seeds/{name}", env!("CARGO_MANIFEST_DIR"));
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder}: {e}"));
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }

    fn mutate(random: &mut Random, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        for _ in 0..=random.below(6) {
            let at = random.below(input.len() + 1);
            let end = at + random.below((input.len() - at).min(32) + 1);
            let byte = match random.below(2) {
                0 => LIKELY[random.below(LIKELY.len())],
                _ => random.below(256) as u8,
            };
            match random.below(6) {
                0 => input.insert(at, byte),
                1 => drop(input.drain(at..end)),
                2 => {
                    let other = &seeds[random.below(seeds.len())];
                    let from = random.below(other.len() + 1);
                    let to = from + random.below((other.len() - from).min(64) + 1);
                    drop(input.splice(at..at, other[from..to].iter().copied()));
                }
                3 => {
                    let part = input[at..end].to_vec();
                    let to = random.below(input.len() + 1);
                    drop(input.splice(to..to, part));
                }
                4 => input.truncate(at.max(1)),
                _ => {
                    if let Some(place) = input.get_mut(at) {
                        *place = byte;
                    }
                }
            }
        }
        input.truncate(4096);
    }

    /// Some inputs a target, always the same ones; or as many as the seconds of
    /// `IPVSADM_FUZZ_SECONDS` have room for, from `IPVSADM_FUZZ_SEED` on.
    #[test]
    fn what_must_hold_holds() {
        let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let seconds = number("IPVSADM_FUZZ_SECONDS").map(Duration::from_secs);
        let seed = number("IPVSADM_FUZZ_SEED").unwrap_or(1);
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            assert!(!seeds.is_empty(), "no seeds for {name}");
            let (mut random, mut count, start) = (Random::new(seed), 0, Instant::now());
            loop {
                let mut input = seeds[count % seeds.len()].clone();
                if count >= seeds.len() {
                    mutate(&mut random, &mut input, &seeds);
                }
                let trying = Trying(name, &input);
                target(&input);
                drop(trying);
                count += 1;
                let enough = seconds.map_or(count >= 2_000, |limit| {
                    count % 256 == 0 && start.elapsed() >= limit
                });
                if enough {
                    break;
                }
            }
            println!("fuzz {name}: {count} inputs");
        }
    }
}
