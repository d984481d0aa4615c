//! Properties that must hold for any input: one function for each target, which
//! panics where they do not hold. The fuzzers of `fuzz/` call them, and so does
//! a unit test, with the same seeds.
//!
//! This is not part of the programs.

use crate::check::routing;
use crate::cli::patch::{Desired, Settings};
use crate::cli::values::{connections, endpoint, interval};
use crate::cli::{self, Action, Command, List, argv, popt::Lexer, popt::Token, values};
use crate::connections::{
    Connection, ConnectionFilter, Endpoint, Key, Layout, Origin, STATES, take_row,
};
use crate::names::NoLookup;
use crate::procfs;
use crate::render::{Buffer, text};
use crate::rules::{self, plan::Wanted};
use crate::selection::{EndpointFilter, Selection};
use ipvs::netlink::messages;
use ipvs::wire::{self, Body, Request};
use ipvs::{
    Change, Family, Forwarding, Name, Netmask, Protocol, ServerConfig, ServiceConfig, ServiceFlags,
    Tunnel, TunnelChecksum,
};
use netlink_packet_core::NLM_F_ACK;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// A target's name, which its seeds have too, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("argv", argv),
    ("rules", rules),
    ("netlink", netlink),
    ("routes", routes),
    ("proc", proc),
    ("rows", rows),
    ("values", values),
];

/// A command line, one word a line: what clap accepts, the reader of popt's
/// rules reads alike; a change, printed as a rule, is read back as itself; what
/// is reached once is not changed again; and what connections are asked for,
/// there may be.
pub fn argv(input: &[u8]) {
    // No word of a command line can hold a NUL.
    let words = input.split(|b| *b == b'\n').take(16);
    let words: Vec<&[u8]> = words
        .map(|word| word.split(|b| *b == 0).next().unwrap_or_default())
        .collect();
    reads_alike(&words);
    let Ok(invocation) = cli::parse(b"ipvsadm", &words, false, &mut NoLookup) else {
        return;
    };
    assert!(invocation.netns.is_none_or(|name| !name.is_empty()));
    match &invocation.command {
        Command::Action(Action::Reach(desired)) => is_reached_once(desired),
        Command::Action(Action::List(list, _)) => {
            if let List::Connections { filter, .. } = &**list {
                lets_some(filter);
            }
        }
        _ => {}
    }
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

/// Popt's rules must make the same of `words` that clap accepts.
fn reads_alike(words: &[&[u8]]) {
    let Some(reading) = argv::read(words, false) else {
        return;
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
}

fn is_read_back(change: &Change) {
    let mut line = Buffer::with_capacity(256);
    text::rule(&mut line, None, change);
    let shown = line.as_bytes().escape_ascii();
    match rules::read(line.as_bytes(), &mut NoLookup) {
        Ok(read) => {
            let actions: Vec<_> = read.lines.into_iter().map(|rule| rule.action).collect();
            assert_eq!(actions, [Action::Change(*change)], "{shown}");
        }
        Err(wrong) => panic!("{shown}: {}", wrong[0].error),
    }
}

/// What `desired` makes of a configuration is left as it is.
fn is_reached_once(desired: &Desired) {
    match desired {
        Desired::Service(key, settings) => {
            let plain = ServiceConfig {
                scheduler: Name::from("rr"),
                flags: ServiceFlags::default(),
                timeout: 0,
                netmask: Netmask::host(key.family()),
                engine: None,
            };
            let rich = ServiceConfig {
                scheduler: Name::from("sh"),
                flags: ServiceFlags::PERSISTENT | ServiceFlags::ONE_PACKET,
                timeout: 360,
                engine: Some(Name::from("sip")),
                ..plain
            };
            holds_once(settings, &[plain, rich]);
        }
        Desired::Server(_, _, settings) => {
            let checksum = TunnelChecksum::Checksum;
            let methods = [
                Forwarding::Masq,
                Forwarding::Route,
                Forwarding::Tunnel(Tunnel::Ipip),
                Forwarding::Tunnel(Tunnel::Gre { checksum }),
                Forwarding::Tunnel(Tunnel::Gue { port: 9, checksum }),
            ];
            let present = methods.map(|forwarding| ServerConfig {
                forwarding,
                weight: 3,
                upper_threshold: 9,
                lower_threshold: 4,
            });
            holds_once(settings, &present);
        }
        Desired::NoService(_) | Desired::NoServer(..) => {}
    }
}

fn holds_once<C, P>(settings: &Settings<C, P>, present: &[C])
where
    C: Copy + PartialEq + std::fmt::Debug,
    P: cli::patch::Over<C>,
{
    for present in present.iter().copied().chain(settings.if_absent()) {
        if let Ok(wanted) = settings.if_present(&present) {
            assert_eq!(
                settings.if_present(&wanted).as_ref(),
                Ok(&wanted),
                "{present:?}"
            );
        }
    }
}

/// A filter lets through the connection that it describes, and none of another
/// protocol, address, port or state.
fn lets_some(filter: &ConnectionFilter) {
    let other = Endpoint {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 9,
    };
    let like = |filter: Option<EndpointFilter>| {
        filter.map_or(other, |filter| Endpoint {
            address: filter.network.first(),
            port: filter.port.unwrap_or(other.port),
        })
    };
    let has = |state: &&str| filter.states.is_none_or(|s| s.contains(state.as_bytes()));
    let state = STATES.iter().find(|s| has(s)).expect("a state");
    let protocol = filter.protocol.unwrap_or(Protocol::Tcp).kernel_name();
    let row = Connection {
        protocol: protocol.as_bytes(),
        client: like(filter.client),
        service: like(filter.service),
        server: like(filter.server),
        state: state.as_bytes(),
        expires: 1,
        engine: None,
        // Where origins are asked for, one of them is.
        origin: filter.origins.map(|origins| match origins.local {
            true => Origin::Local,
            false => Origin::Sync,
        }),
    };
    assert!(filter.matches(&row), "{row:?}");
    let protocol = b"ICMP";
    let wrong = Connection { protocol, ..row };
    assert_eq!(filter.matches(&wrong), filter.protocol.is_none());
    let state = b"?";
    assert_eq!(
        filter.matches(&Connection { state, ..row }),
        filter.states.is_none()
    );
    for (asked, change) in [
        (
            filter.client,
            (|row, at| row.client = at) as fn(&mut Connection, Endpoint),
        ),
        (filter.service, |row, at| row.service = at),
        (filter.server, |row, at| row.server = at),
    ] {
        let at = like(asked);
        let port = at.port.wrapping_add(1);
        let mut wrong = row;
        change(&mut wrong, Endpoint { port, ..at });
        assert_eq!(
            filter.matches(&wrong),
            asked.is_none_or(|f| f.port.is_none())
        );
        let address = match at.address {
            IpAddr::V4(v4) => (v4.to_bits() ^ 1 << 31).to_be_bytes().into(),
            IpAddr::V6(v6) => (v6.to_bits() ^ 1 << 127).to_be_bytes().into(),
        };
        change(&mut wrong, Endpoint { address, ..at });
        let all = asked.is_none_or(|f| f.network.prefix() == Some(0));
        assert_eq!(filter.matches(&wrong), all);
    }
}

/// Rules: read, or refused with the numbers of lines that are there; what makes
/// a table makes none of itself.
pub fn rules(input: &[u8]) {
    let lines = input.split(|b| *b == b'\n').count();
    let is_there = |line: u32| (1..=lines).contains(&(line as usize));
    match rules::read(input, &mut NoLookup) {
        Ok(read) => {
            assert!(read.lines.iter().all(|rule| is_there(rule.line)));
            if let Err(wrong) = Wanted::from_rules(&read.lines, &Selection::default()) {
                assert!(wrong.iter().all(|wrong| is_there(wrong.line)));
            }
        }
        Err(wrong) => {
            assert!(!wrong.is_empty() && wrong.iter().all(|wrong| is_there(wrong.line)));
            assert!(wrong.iter().all(|wrong| !wrong.error.text().is_empty()));
        }
    }
}

/// How long the header of generic netlink is.
const GENL_HDRLEN: usize = 4;

/// A datagram, or the attributes of a reply: what is understood can be sent, and
/// is read back as the same.
pub fn netlink(input: &[u8]) {
    for message in messages(input, GENL_HDRLEN) {
        if let Ok(wire::Message {
            body: Body::Data(attributes),
            ..
        }) = message
        {
            reply(attributes);
        }
    }
    reply(input);
    routing::parse_source_nat(input);
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
        let key = ipvs::ServiceKey::Address {
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
    wire::append(&mut out, Request::Change(change).message(32), NLM_F_ACK, 77);
    // The headers of netlink and generic netlink.
    out.split_off(20)
}

/// A datagram of rtnetlink, or what follows the header of one of its messages:
/// what is read is what a plain reader finds there.
pub fn routes(input: &[u8]) {
    for message in messages(input, 0).flatten() {
        if let Body::Data(data) = message.body {
            route_reply(data);
        }
    }
    route_reply(input);
}

/// Headers and attributes as in linux/rtnetlink.h, if_link.h and if_addr.h.
fn route_reply(data: &[u8]) {
    let (link, address) = (routing::parse_link(data), routing::parse_address(data));
    let route = routing::parse_route(data);
    let number = |at: usize| u32::from_ne_bytes(data[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(link.is_some(), data.len() >= 16);
    if let Some(link) = link {
        assert_eq!(link.index, number(4));
        assert_eq!(link.up, number(8) & 1 != 0);
        let name = plain_attribute(&data[16..], 3).unwrap_or_default();
        assert!(name.starts_with(link.name.as_bytes()));
        assert!(link.name.as_bytes().len() <= Name::CAPACITY && !link.name.as_bytes().contains(&0));
        let mtu = plain_attribute(&data[16..], 4).and_then(|mtu| mtu.first_chunk());
        assert_eq!(link.mtu, mtu.map_or(0, |mtu| u32::from_ne_bytes(*mtu)));
    }
    if let Some(found) = address {
        assert_eq!((found.link, found.prefix_len), (number(4), data[1]));
        let own = |kind| plain_attribute(&data[8..], kind).filter(|value| !value.is_empty());
        assert_eq!(own(2).or(own(1)), Some(&octets(found.address)[..]));
    }
    if let Some(local) = routing::parse_local_route(data) {
        assert_eq!(data[7], 2, "{local:?}");
    }
    assert_eq!(route.is_some(), data.len() >= 12);
    if let Some(route) = route {
        assert_eq!(route.local, data[7] == 2);
        let link = plain_attribute(&data[12..], 4).and_then(|link| link.first_chunk());
        assert_eq!(route.link, link.map_or(0, |link| u32::from_ne_bytes(*link)));
        if let Some(gateway) = route.gateway {
            let gateway = octets(gateway);
            let own = plain_attribute(&data[12..], 5) == Some(&gateway[..]);
            let via = plain_attribute(&data[12..], 18).and_then(|via| via.get(2..));
            assert!(own || via == Some(&gateway[..]));
        }
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// The last attribute of this type before one that does not fit.
fn plain_attribute(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut found = None;
    while rest.len() >= 4 {
        let len = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        if len < 4 || len > rest.len() {
            break;
        }
        // The two highest bits are flags.
        if u16::from_ne_bytes([rest[2], rest[3]]) & 0x3fff == wanted {
            found = Some(&rest[4..len]);
        }
        rest = &rest[len.next_multiple_of(4).min(rest.len())..];
    }
    found
}

/// /proc/net/ip_vs: a table that is understood has a service for each line that is
/// neither a title nor a server.
pub fn proc(input: &[u8]) {
    if let Some(services) = procfs::fuzz_table(input) {
        let lines = input.split(|byte| *byte == b'\n').skip(3);
        let heads = lines.filter(|line| !line.is_empty() && !line.starts_with(b"  -> "));
        assert_eq!(heads.count(), services);
    }
}

/// Rows of the connection table: those that are read by their columns are read
/// alike word by word, as they are with a blank before them.
pub fn rows(input: &[u8]) {
    let mut rest = input;
    for line in input.split_inclusive(|b| *b == b'\n') {
        let read = take_row(&mut rest, Layout::Plain).map(|row| row.connection);
        let shifted = [b" ", line].concat();
        let words = take_row(&mut &shifted[..], Layout::Plain).map(|row| row.connection);
        assert_eq!(read, words, "{}", line.escape_ascii());
        let with_origin = take_row(&mut &line[..], Layout::WithOrigin);
        assert!(with_origin.is_none_or(|row| row.connection.origin.is_some()));
    }
    assert!(rest.is_empty());
}

/// Values of options. The first byte says how to read the rest.
pub fn values(input: &[u8]) {
    let Some((kind, word)) = input.split_first() else {
        return;
    };
    match kind % 10 {
        0 => {
            let read = values::integer::<i64>(word, i64::MIN, i64::MAX);
            let printed = read.map(|value| value.to_string());
            let again = printed.map(|text| values::integer(text.as_bytes(), i64::MIN, i64::MAX));
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
            let Ok((address, port)) = values::address(word, protocol, &mut NoLookup) else {
                return;
            };
            let printed = match (address, port) {
                (IpAddr::V4(address), None) => address.to_string(),
                (IpAddr::V4(address), Some(port)) => format!("{address}:{port}"),
                (IpAddr::V6(address), None) => address.to_string(),
                (IpAddr::V6(address), Some(port)) => format!("[{address}]:{port}"),
            };
            let again = values::address(printed.as_bytes(), protocol, &mut NoLookup);
            assert_eq!(again, Ok((address, port)), "{printed}");
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
        5 => {
            if let Ok(group) = values::multicast(word) {
                assert!(group.is_multicast());
            }
        }
        6 => {
            let Ok(client) = endpoint::client(word) else {
                return;
            };
            let address = match client.network.first() {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            };
            let length = client.network.prefix().map(|n| format!("/{n}"));
            let port = client.port.map(|n| format!(":{n}"));
            let printed = [Some(address), length, port].map(Option::unwrap_or_default);
            let again = endpoint::client(printed.concat().as_bytes());
            assert_eq!(again, Ok(client), "{printed:?}");
        }
        7 => {
            let names: Vec<_> = word.split(|b| *b == b',').collect();
            let named = |state: &str| {
                let is = |name: &&[u8]| name.eq_ignore_ascii_case(state.as_bytes());
                names.iter().filter(|name| is(name)).count()
            };
            match connections::states(word) {
                Ok(set) => {
                    for state in STATES {
                        assert_eq!(set.contains(state.as_bytes()), named(state) > 0);
                    }
                }
                Err(_) => assert!(STATES.iter().map(|s| named(s)).sum::<usize>() < names.len()),
            }
        }
        8 => {
            if let Ok(keys) = connections::keys(word) {
                let printed = keys.iter().map(|key| match key {
                    Key::Client(Some(length)) => format!("client/{length}"),
                    key => key.name().to_owned(),
                });
                let printed: Vec<_> = printed.collect();
                assert_eq!(printed.join(",").as_bytes(), word);
            }
        }
        _ => {
            let Some(interval) = interval::interval(word) else {
                return;
            };
            assert!(interval >= Duration::from_millis(10));
            let seconds = interval.as_secs_f64();
            let again = interval::interval(seconds.to_string().as_bytes());
            let again = again.expect("an interval").as_secs_f64();
            assert!((again - seconds).abs() < 1e-6, "{seconds} {again}");
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
    fn the_seeds_of_every_target_hold() {
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
