//! /proc/net/ip_vs: services and servers, for those to whom the kernel says
//! nothing else. Everybody may read it.
//!
//! A service and its servers are written at once, but the kernel continues after a
//! page at a place that it counts from the start: while services come and go, some
//! are left out, or written twice. So the file is read until two passes agree whose
//! pages ended at different places.
//!
//! Up to Linux 6.12 the kernel also counts the services of other network
//! namespaces, and leaves out as many after each page. Where it is asked for a byte
//! within a service, it walks all that stand before it, and does not count: that
//! shows what comes after a page.

use super::text::{blanks, hexadecimal, line};
use super::{malformed, net_file};
use crate::render::Source;
use ipvs::{
    Family, Forwarding, Info, Name, Namespace, Netmask, Protocol, Server, ServerConfig, ServerKey,
    Service, ServiceConfig, ServiceFlags, ServiceKey, Table, Tunnel,
};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char, i32 as integer, i64 as count, line_ending, u8 as byte};
use nom::character::complete::{u32 as number, u64 as ticks};
use nom::combinator::{all_consuming, map_opt, opt};
use nom::multi::many0;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use rustix::time::{ClockId, clock_getres};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::os::unix::fs::FileExt;

/// Where the kernel has it.
pub const TABLE: &str = "/proc/net/ip_vs";

/// How many bytes are read at once; the kernel hands out a page.
const READ: usize = 64 * 1024;

/// How many bytes the first read of a pass asks for, so that its pages end
/// elsewhere.
const FIRST_READS: [usize; 4] = [2048, READ, 1024, 3072];

/// So much of a service is compared: its own line is not longer.
const LINE: usize = 128;

/// After so many passes of which no two in a row agreed, it is given up.
const PASSES: usize = 32;

/// What the file says.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The version, and the size of the connection table.
    pub info: Info,
    /// Services with their servers, in the kernel's order. What the file does not
    /// say of them, which [`Source`] knows, has no meaning.
    pub table: Table,
    /// What it does not say of these in particular.
    pub source: Source,
}

/// The table of `namespace`; `None` if it kept changing while it was read.
pub fn table(namespace: &Namespace) -> io::Result<Option<Seen>> {
    let mut first_reads = FIRST_READS.into_iter().cycle();
    let mut first = READ;
    let mut before: Option<Vec<Entry>> = None;
    for _ in 0..PASSES {
        let (text, ends) = pass(net_file(namespace, "ip_vs")?, first)?;
        let (_, (info, entries)) = file(&text).map_err(|_| malformed())?;
        // What came at once need not be cut elsewhere.
        if ends.len() > 1 {
            first = first_reads.next().unwrap_or(READ);
        }
        let is_whole = is_whole(&text, &ends, |place, line| {
            // A file that was read before may go on where that ended.
            let file = net_file(namespace, "ip_vs")?;
            loop {
                match file.read_at(line, place) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    count => return count,
                }
            }
        })?;
        let keys = |entries: &[Entry]| entries.iter().map(|it| it.key).collect::<Vec<_>>();
        let agree = before.is_some_and(|before| keys(&before) == keys(&entries));
        if agree && is_whole {
            if let Some(seen) = Seen::of(info, &entries, ticks_per_second()) {
                return Ok(Some(seen));
            }
        }
        before = is_whole.then_some(entries);
    }
    Ok(None)
}

/// Reads the file once; where each of its pieces ended.
fn pass(mut file: impl Read, first: usize) -> io::Result<(Vec<u8>, Vec<usize>)> {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; READ];
    loop {
        let size = if ends.is_empty() { first } else { READ };
        match file.read(&mut buffer[..size]) {
            Ok(0) => return Ok((text, ends)),
            Ok(count) => {
                text.extend_from_slice(&buffer[..count]);
                ends.push(text.len());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether behind each piece of `text` comes what `read_at` finds there, and behind
/// the last one nothing.
fn is_whole(
    text: &[u8],
    ends: &[usize],
    mut read_at: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
) -> io::Result<bool> {
    for end in ends {
        // What was asked for may have ended within a service, but a page does not.
        let mut start = *end;
        while start < text.len() && !(text[start - 1] == b'\n' && text[start] != b' ') {
            start += 1;
        }
        let line = text[start..].split_inclusive(|byte| *byte == b'\n').next();
        let rest = line.and_then(|line| line.get(1..)).unwrap_or_default();
        let mut buffer = [0; LINE];
        let place = u64::try_from(start + 1).unwrap_or(u64::MAX);
        let count = read_at(place, &mut buffer)?;
        let known = rest.len().min(LINE);
        let same = match known {
            0 => count == 0,
            _ => count >= known && buffer[..known] == rest[..known],
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The kernel's HZ, in which the file counts time: a coarse clock moves at its
/// ticks.
fn ticks_per_second() -> Option<u64> {
    let tick = clock_getres(ClockId::MonotonicCoarse);
    let nanoseconds = u64::try_from(tick.tv_nsec).ok().filter(|ns| *ns > 0)?;
    Some((1_000_000_000 + nanoseconds / 2) / nanoseconds)
}

/// How the file names a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Address(Protocol, IpAddr, u16),
    /// A mark, of either family.
    Mark(NonZeroU32),
}

/// A service with its servers.
#[derive(Clone, Debug)]
struct Entry {
    key: Key,
    scheduler: Name,
    /// The time-out in ticks, and the mask.
    persistence: Option<(u64, u32)>,
    servers: Vec<Server>,
}

impl Entry {
    /// The family of the packets, where the file says it. A server of the other
    /// family has to be reached through a tunnel, and a mask that is no length of a
    /// prefix is one of IPv4.
    fn family(&self) -> Option<Family> {
        if let Key::Address(_, address, _) = self.key {
            return Some(Family::of(&address));
        }
        let is_tunnel =
            |server: &&Server| matches!(server.config.forwarding, Forwarding::Tunnel(_));
        let near = self.servers.iter().find(|server| !is_tunnel(server));
        near.map(|server| Family::of(&server.key.address))
            .or_else(|| match self.persistence {
                Some((_, mask)) if prefix(mask) > 128 => Some(Family::Inet),
                _ => None,
            })
    }
}

/// The length of a prefix, a number that is written as if it were an address.
fn prefix(mask: u32) -> u32 {
    u32::from_be(mask)
}

/// The keys of the services, and whether that of a mark is sure: of two services
/// with one mark, each is of another family. `None` if there cannot be such
/// services at once.
fn keys(entries: &[Entry]) -> Option<Vec<(ServiceKey, bool)>> {
    let mut families: Vec<_> = entries.iter().map(Entry::family).collect();
    let mut marks: HashMap<NonZeroU32, Vec<usize>> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Key::Mark(mark) = entry.key {
            marks.entry(mark).or_default().push(at);
        }
    }
    for same in marks.values() {
        match same[..] {
            [_] => {}
            [a, b] => match (families[a], families[b]) {
                (Some(one), None) => families[b] = Some(other(one)),
                (None, Some(one)) => families[a] = Some(other(one)),
                _ => {}
            },
            _ => return None,
        }
    }
    let mut keys = Vec::with_capacity(entries.len());
    let mut seen = HashSet::new();
    for (entry, family) in entries.iter().zip(families) {
        let key = match entry.key {
            Key::Address(protocol, address, port) => ServiceKey::Address {
                protocol,
                address,
                port,
            },
            Key::Mark(mark) => {
                // Where it is not known, it takes what is left.
                let first = family.unwrap_or(Family::Inet);
                let key = ServiceKey::Fwmark {
                    mark,
                    family: first,
                };
                match family.is_none() && seen.contains(&key) {
                    true => ServiceKey::Fwmark {
                        mark,
                        family: other(first),
                    },
                    false => key,
                }
            }
        };
        if !seen.insert(key) {
            return None;
        }
        keys.push((key, family.is_some()));
    }
    Some(keys)
}

fn other(family: Family) -> Family {
    match family {
        Family::Inet => Family::Inet6,
        Family::Inet6 => Family::Inet,
    }
}

impl Seen {
    /// What `entries` mean, with so many ticks in a second; `None` if there cannot
    /// be such services at once.
    fn of(info: Info, entries: &[Entry], ticks_per_second: Option<u64>) -> Option<Seen> {
        let seconds = |ticks: u64| {
            let per_second = ticks_per_second?;
            let whole = (ticks % per_second == 0).then_some(ticks / per_second);
            u32::try_from(whole?).ok()
        };
        let persistences = entries.iter().filter_map(|entry| entry.persistence);
        let timeouts = persistences
            .map(|(ticks, _)| seconds(ticks))
            .all(|it| it.is_some());
        let mut table = Table::default();
        let mut doubtful = Vec::new();
        for (entry, (key, is_sure)) in entries.iter().zip(keys(entries)?) {
            if !is_sure {
                doubtful.push(key);
            }
            let mut config = ServiceConfig::new(entry.scheduler, key.family());
            if let Some((ticks, mask)) = entry.persistence {
                config.flags |= ServiceFlags::PERSISTENT;
                config.timeout = seconds(ticks).unwrap_or_default();
                config.netmask = match key.family() {
                    Family::Inet => Netmask::V4(Ipv4Addr::from_bits(mask)),
                    Family::Inet6 => Netmask::V6(prefix(mask)),
                };
            }
            let service = Service::new(key, config);
            table.services.push((service, entry.servers.clone()));
        }
        Some(Seen {
            info,
            table,
            source: Source::Proc { doubtful, timeouts },
        })
    }
}

/// Three lines of titles, and the services.
fn file(input: &[u8]) -> IResult<&[u8], (Info, Vec<Entry>)> {
    let titles = terminated(info, (line, line));
    all_consuming((titles, many0(entry))).parse(input)
}

/// `IP Virtual Server version 1.2.1 (size=4096)`
fn info(input: &[u8]) -> IResult<&[u8], Info> {
    let version = (byte, preceded(char('.'), byte), preceded(char('.'), byte));
    let version = preceded(tag("IP Virtual Server version "), version);
    let size = delimited(tag(" (size="), number, tag(")"));
    let (rest, ((major, minor, patch), size, _)) = (version, size, line_ending).parse(input)?;
    let version = u32::from_be_bytes([0, major, minor, patch]);
    Ok((rest, Info::new(version, size)))
}

/// A service and its servers.
fn entry(input: &[u8]) -> IResult<&[u8], Entry> {
    let persistence = preceded(
        tag("persistent "),
        (ticks, preceded(char(' '), hexadecimal(8, 8))),
    );
    // One-packet scheduling, which is not said of all services.
    let flags = (opt((tag("ops"), blanks)), opt(persistence));
    let head = (key, blanks, word, blanks, flags, blanks, line_ending);
    let (rest, ((key, _, scheduler, _, (_, persistence), ..), servers)) =
        (head, many0(server)).parse(input)?;
    let entry = Entry {
        key,
        scheduler: Name::cut(scheduler, Name::CAPACITY),
        persistence: persistence.and_then(|(ticks, mask)| Some((ticks, u32::try_from(mask).ok()?))),
        servers,
    };
    Ok((rest, entry))
}

/// `FWM  00000001` or `TCP  0A000001:0050`
fn key(input: &[u8]) -> IResult<&[u8], Key> {
    let mark = map_opt(hexadecimal(8, 8), |mark| {
        NonZeroU32::new(u32::try_from(mark).ok()?)
    });
    let mark = preceded((tag("FWM"), blanks), mark).map(Key::Mark);
    let protocol = map_opt(terminated(word, blanks), protocol);
    let address = (protocol, endpoint)
        .map(|(protocol, (address, port))| Key::Address(protocol, address, port));
    alt((mark, address)).parse(input)
}

/// A protocol by the kernel's name for it.
fn protocol(name: &[u8]) -> Option<Protocol> {
    Protocol::from_kernel_name(name).or_else(|| {
        let number = match name {
            b"ESP" => 50,
            b"AH" => 51,
            name => std::str::from_utf8(name.strip_prefix(b"IP_")?)
                .ok()?
                .parse()
                .ok()?,
        };
        Some(Protocol::from_number(number))
    })
}

/// `  -> 0A000002:1F90      Masq    1      0          0         `
fn server(input: &[u8]) -> IResult<&[u8], Server> {
    let place = preceded(tag("  -> "), terminated(endpoint, blanks));
    let forwarding = map_opt(terminated(word, blanks), forwarding);
    let weight = terminated(integer, blanks);
    let connections = || map_opt(terminated(count, blanks), |count| u32::try_from(count).ok());
    let columns = (place, forwarding, weight, connections(), connections());
    let (rest, ((address, port), forwarding, weight, active, inactive)) =
        terminated(columns, line_ending).parse(input)?;
    let mut config = ServerConfig::new(forwarding);
    config.weight = weight;
    let mut server = Server::new(ServerKey { address, port }, config);
    (server.active, server.inactive) = (active, inactive);
    Ok((rest, server))
}

/// A forwarding method by the kernel's name for it; nothing is known of a tunnel.
fn forwarding(name: &[u8]) -> Option<Forwarding> {
    Some(match name {
        b"Masq" => Forwarding::Masq,
        b"Local" => Forwarding::Local,
        b"Tunnel" => Forwarding::Tunnel(Tunnel::Ipip),
        b"Route" => Forwarding::Route,
        _ => return None,
    })
}

/// `0A000002:1F90` or `[2001:0db8:0000:0000:0000:0000:0000:0002]:1F90`
fn endpoint(input: &[u8]) -> IResult<&[u8], (IpAddr, u16)> {
    let v4 = map_opt(hexadecimal(8, 8), |bits| u32::try_from(bits).ok());
    let v4 = v4.map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits)));
    let digits = take_while_m_n(39, 39, |byte: u8| byte == b':' || byte.is_ascii_hexdigit());
    let v6 = map_opt(delimited(char('['), digits, char(']')), |digits| {
        std::str::from_utf8(digits).ok()?.parse::<Ipv6Addr>().ok()
    });
    let port = map_opt(hexadecimal(4, 4), |port| u16::try_from(port).ok());
    (alt((v4, v6.map(IpAddr::from))), preceded(char(':'), port)).parse(input)
}

fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while1(|byte: u8| byte.is_ascii_graphic()).parse(input)
}

/// Reads a file as the kernel might write it: how many services, if it is one.
#[cfg(any(test, fuzzing))]
pub fn fuzz(input: &[u8]) -> Option<usize> {
    let (_, (info, entries)) = file(input).ok()?;
    if let Some(seen) = Seen::of(info, &entries, Some(250)) {
        assert_eq!(seen.table.services.len(), entries.len());
        let Source::Proc { doubtful, .. } = &seen.source else {
            panic!("it is read from /proc");
        };
        assert!(doubtful.iter().all(|key| key.protocol().is_none()));
    }
    Some(entries.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &str = "IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
";

    const SERVICES: &str = "\
TCP  0A000901:0000 wlc  persistent 19250 FFFFF000
TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0050 nq persistent 90000 40000000
  -> [2001:0db8:0000:0000:0000:0000:0000:0002]:1F90      Masq    2147483647 12         345       \x20
  -> C0000203:0050      Tunnel  -1     0          0         \x20
SCTP  0A000901:26AC lblcr \x20
UDP  0A000901:0035 rr ops \x20
  -> 0A000901:0035      Local   1      0          0         \x20
FWM  FFFFFFFF ovf ops persistent 12500 FFFFFFFF
";

    fn seen(services: &str) -> Option<Seen> {
        let text = [TITLES, services].concat();
        let (_, (info, entries)) = file(text.as_bytes()).ok()?;
        Seen::of(info, &entries, Some(250))
    }

    /// The services as text, and which of them are doubtful.
    fn told(services: &str) -> Option<(Vec<String>, Vec<String>)> {
        let seen = seen(services)?;
        let Source::Proc { doubtful, .. } = seen.source else {
            panic!("it is read from /proc");
        };
        let services = seen.table.services.iter();
        let services = services.map(|(service, _)| service.key.to_string());
        let doubtful = doubtful.iter().map(ServiceKey::to_string);
        Some((services.collect(), doubtful.collect()))
    }

    #[test]
    fn services_and_servers_are_read() {
        let seen = seen(SERVICES).unwrap();
        assert_eq!(seen.info, Info::new(0x010201, 4096));
        let Source::Proc { doubtful, timeouts } = &seen.source else {
            panic!("it is read from /proc");
        };
        assert!(doubtful.is_empty() && *timeouts);
        let services: Vec<_> = seen.table.services.iter().collect();
        let keys = services.iter().map(|(service, _)| service.key.to_string());
        assert_eq!(
            keys.collect::<Vec<_>>(),
            [
                "TCP 10.0.9.1:0",
                "TCP [2001:db8::1]:80",
                "SCTP 10.0.9.1:9900",
                "UDP 10.0.9.1:53",
                "FWM 4294967295"
            ]
        );
        let (persistent, _) = services[0];
        assert_eq!(persistent.config.scheduler, Name::from("wlc"));
        assert_eq!(persistent.config.timeout, 77);
        let mask = Netmask::V4([255, 255, 240, 0].into());
        assert_eq!(persistent.config.netmask, mask);
        let (v6, servers) = services[1];
        if cfg!(target_endian = "little") {
            assert_eq!(v6.config.netmask, Netmask::V6(64));
        }
        let [first, second] = &servers[..] else {
            panic!("{servers:?}");
        };
        assert_eq!(first.key.to_string(), "[2001:db8::2]:8080");
        assert_eq!(first.config.forwarding, Forwarding::Masq);
        let counts = (first.config.weight, first.active, first.inactive);
        assert_eq!(counts, (i32::MAX, 12, 345));
        assert_eq!(second.key.to_string(), "192.0.2.3:80");
        assert_eq!(second.config.forwarding, Forwarding::Tunnel(Tunnel::Ipip));
        assert_eq!(second.config.weight, -1);
        assert_eq!(services[3].1[0].config.forwarding, Forwarding::Local);
    }

    #[test]
    fn the_family_of_a_mark_is_told_where_it_must_be_so() {
        const V6: &str = "[2001:0db8:0000:0000:0000:0000:0000:0002]";
        let service = |mark: u32, servers: &[(&str, &str)]| {
            let servers = servers.iter().map(|(address, method)| {
                format!("  -> {address}:0000      {method:<7} 1      0          0         \n")
            });
            format!("FWM  {mark:08X} rr \n{}", servers.collect::<String>())
        };
        let near = service(1, &[(V6, "Tunnel"), ("0A000001", "Masq")]);
        let other = service(1, &[("0A000001", "Tunnel")]);
        let alone = service(2, &[]);
        let masked = "FWM  00000003 rr persistent 250 FFFFFF00\n".to_owned();
        let cases: [(&[&String], &[&str], &[&str]); 5] = [
            (&[&near], &["FWM 1"], &[]),
            (&[&other, &near], &["FWM 1 IPv6", "FWM 1"], &[]),
            (&[&alone], &["FWM 2"], &["FWM 2"]),
            (&[&masked], &["FWM 3"], &[]),
            (
                &[&other, &other],
                &["FWM 1", "FWM 1 IPv6"],
                &["FWM 1", "FWM 1 IPv6"],
            ),
        ];
        for (services, keys, doubtful) in cases {
            let text: String = services.iter().map(|text| text.as_str()).collect();
            let (found, unsure) = told(&text).unwrap();
            assert_eq!(found, keys, "{text}");
            assert_eq!(unsure, doubtful, "{text}");
        }
        // These cannot be there at once.
        for services in [
            [&near, &near].map(String::as_str).concat(),
            [&other, &other, &other].map(String::as_str).concat(),
        ] {
            assert_eq!(told(&services), None, "{services}");
        }
    }

    #[test]
    fn pieces_are_known_by_their_ends() {
        let text = TITLES.as_bytes();
        assert_eq!(pass(text, READ).unwrap(), (text.to_vec(), vec![text.len()]));
        assert_eq!(pass(text, 7).unwrap(), (text.to_vec(), vec![7, text.len()]));
        assert_eq!(pass(&b""[..], READ).unwrap(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_service_left_out_behind_a_piece_is_missed() {
        let whole = [TITLES, SERVICES].concat();
        let read_at = |place: u64, line: &mut [u8]| {
            let rest = whole.as_bytes().get(place as usize..).unwrap_or_default();
            let count = rest.len().min(line.len());
            line[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        };
        let holds = |text: &str, end: usize| {
            is_whole(text.as_bytes(), &[end, text.len()], read_at).unwrap()
        };
        let heads = SERVICES
            .match_indices('\n')
            .map(|(at, _)| TITLES.len() + at + 1);
        let is_head = |at: &usize| whole.as_bytes().get(*at).is_none_or(|byte| *byte != b' ');
        let heads: Vec<usize> = heads.filter(is_head).collect();
        for end in TITLES.len()..whole.len() {
            assert!(holds(&whole, end), "{end}");
        }
        for pair in heads.windows(2) {
            let [end, next] = [pair[0], pair[1]];
            let text = [&whole[..end], &whole[next..]].concat();
            assert!(!holds(&text, end), "{text}");
            // The end is missing, which looks like an end.
            assert!(!holds(&whole[..end], end), "{end}");
        }
    }

    #[test]
    fn a_service_that_stands_there_twice_is_refused() {
        let first = SERVICES.lines().next().unwrap();
        assert_eq!(told(&format!("{SERVICES}{first}\n")), None);
    }

    #[test]
    fn ticks_that_are_no_seconds_are_not_told() {
        let text = [TITLES, &SERVICES.replace("19250", "19251")].concat();
        let (_, (info, entries)) = file(text.as_bytes()).unwrap();
        for (ticks, told) in [(Some(250), false), (None, false), (Some(1), true)] {
            let seen = Seen::of(info, &entries, ticks).unwrap();
            let Source::Proc { timeouts, .. } = seen.source else {
                panic!("it is read from /proc");
            };
            assert_eq!(timeouts, told, "{ticks:?}");
        }
        assert!(ticks_per_second().is_some_and(|ticks| (24..=10_000).contains(&ticks)));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (right, wrong) in [
            ("version 1.2.1", "version 1.2"),
            ("(size=4096)", "(size=-1)"),
            ("TCP  0A00", "XYZ  0A00"),
            ("0A000901:0000", "0A00901:0000"),
            ("wlc  persistent 19250", "wlc  persistent"),
            ("persistent 19250 FFFFF000", "persistent 19250"),
            ("FWM  FFFFFFFF", "FWM  00000000"),
            ("Masq ", "Mask "),
            ("2147483647", "2147483648"),
            (" 345", " -345"),
            ("2001:0db8:0000", "2001:0db8:000g"),
            ("  -> C0000203", " -> C0000203"),
            ("ops persistent", "sop persistent"),
        ] {
            let text = [TITLES, SERVICES].concat().replacen(right, wrong, 1);
            assert_ne!(text, [TITLES, SERVICES].concat(), "{right}");
            assert!(file(text.as_bytes()).is_err(), "{wrong}");
        }
        let text = [TITLES, SERVICES].concat();
        let lines: Vec<_> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for end in 0..text.len() {
            let whole = end >= TITLES.len() && lines.contains(&end);
            assert_eq!(file(&text.as_bytes()[..end]).is_ok(), whole, "{end}");
        }
    }
}
