//! How the values of options are read.
//!
//! This is C ipvsadm's reading, quirks included, because existing scripts rely
//! on it. Names are looked up through [`Lookup`]; nothing else here reaches
//! outside.

pub mod check;
pub mod connections;
pub mod endpoint;
pub mod interval;
mod reason;

pub use reason::{Reason, Refused};

use super::error::UsageError;
use super::matrix::REMOVABLE;
use super::opt::OptSet;
use crate::cli::opt::TunnelType;
use crate::names::{Lookup, NoAddress};
use crate::render::openmetrics::Names;
use crate::render::sched_flags::SCHED_FLAGS;
use crate::render::visible;
use ipvs::{DaemonRole, Family, Name, Netmask, Protocol, ServiceFlags, ServiceKey};
use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_while};
use nom::character::complete::{char, digit0, digit1, hex_digit1, one_of};
use nom::combinator::{all_consuming, map, map_opt, not, opt, recognize, verify};
use nom::multi::separated_list1;
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// Nouns for the values in messages.
const VIRTUAL_SERVER: &str = "virtual server address[:port]";
pub(super) const REAL_SERVER: &str = "real server address[:port]";
const NAMESPACE: &str = "network namespace";

/// The scheduler of a service without `-s`.
pub const DEFAULT_SCHEDULER: &str = "wlc";
/// The length at which C ipvsadm cuts the flags of a scheduler.
const SCHED_FLAGS_LIMIT: usize = 127;
/// Schedulers and interfaces are cut so that a NUL fits into the kernel's 16
/// bytes; persistence engines are not.
const NAME_LIMIT: usize = 15;

/// The longest session or persistence time-out in seconds: 31 days.
pub const MAX_TIMEOUT: i64 = 31 * 24 * 60 * 60;

/// As isspace() in the C locale.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or("")
}

/// Blanks, a sign, digits: what strtol takes in base 10. Out-of-range numbers
/// saturate, as in strtol.
fn strtol(input: &[u8]) -> IResult<&[u8], i64> {
    let sign = opt(one_of("+-"));
    let number = pair(sign, digit1);
    map(preceded(take_while(is_blank), number), |(sign, digits)| {
        let value = text(digits).parse().unwrap_or(i64::MAX);
        if sign == Some('-') { -value } else { value }
    })
    .parse(input)
}

/// The digits that `input` begins with, in their common form: up to
/// five, without a leading zero. `None` means: not in this form; use the full
/// parser.
pub(super) fn plain(input: &[u8]) -> Option<(u32, &[u8])> {
    let few = input.iter().take(6);
    let (digits, rest) = input.split_at(few.take_while(|b| b.is_ascii_digit()).count());
    match digits {
        [] | [b'0', _, ..] | [_, _, _, _, _, _, ..] => None,
        _ => Some((
            digits.iter().fold(0, |n, b| n * 10 + u32::from(b - b'0')),
            rest,
        )),
    }
}

/// `a.b.c.d` or `a.b.c.d:port` in its common form, which is what most rules
/// have; `SocketAddrV4` of std takes twice as long. `None` means: not in this
/// form; use the full parser.
fn plain_address(input: &[u8]) -> Option<(IpAddr, Option<u16>)> {
    let mut octets = [0; 4];
    let (first, mut rest) = plain(input)?;
    octets[0] = u8::try_from(first).ok()?;
    for octet in &mut octets[1..] {
        let (value, after) = plain(rest.strip_prefix(b".")?)?;
        *octet = u8::try_from(value).ok()?;
        rest = after;
    }
    let port = match rest {
        [] => None,
        [b':', port @ ..] => match plain(port)? {
            (port, []) => Some(u16::try_from(port).ok()?),
            _ => return None,
        },
        _ => return None,
    };
    Some((octets.into(), port))
}

/// The whole of `input` as a decimal number between `min` and `max`, if `T` can
/// hold it.
pub fn integer<T: TryFrom<i64>>(input: &[u8], min: i64, max: i64) -> Option<T> {
    let value = match plain(input) {
        Some((value, [])) => value.into(),
        _ => all_consuming(strtol).parse(input).ok()?.1,
    };
    let value = (min..=max).contains(&value).then_some(value)?;
    T::try_from(value).ok()
}

/// The value of the option called `name`, a number between `min` and `max`.
pub fn number<T: TryFrom<i64>>(
    input: &[u8],
    name: &'static str,
    min: i64,
    max: i64,
) -> Result<T, UsageError> {
    integer(input, min, max).ok_or_else(|| illegal(name, input, Reason::Number(min, max)))
}

/// The error for `word`, which should have been a `what`.
#[cold]
pub(super) fn illegal(what: &'static str, word: &[u8], reason: Reason) -> UsageError {
    UsageError::IllegalValue(what, Refused::new(word, reason))
}

/// A time-out in seconds from `min` on.
pub fn timeout(input: &[u8], min: i64) -> Result<u32, UsageError> {
    integer(input, min, MAX_TIMEOUT).ok_or_else(|| {
        let reason = Reason::Seconds(min, MAX_TIMEOUT);
        UsageError::InvalidTimeout(Refused::new(input, reason))
    })
}

/// One number of an address: 0x for hexadecimal, 0 for octal, or decimal.
fn inet_number(input: &[u8]) -> IResult<&[u8], u32> {
    let in_base = |radix| move |digits: &[u8]| u32::from_str_radix(text(digits), radix).ok();
    let hex = map_opt(preceded(tag_no_case("0x"), hex_digit1), in_base(16));
    let octal = map_opt(recognize(preceded(char('0'), digit0)), in_base(8));
    let decimal = map_opt(preceded(not(char('0')), digit1), in_base(10));
    alt((hex, octal, decimal)).parse(input)
}

/// An IPv4 address in any form of inet_aton: one to four numbers, the last of
/// which fills what is left; what follows a blank is ignored.
pub fn inet_aton(input: &[u8]) -> Option<Ipv4Addr> {
    let numbers = verify(separated_list1(char('.'), inet_number), |n: &Vec<u32>| {
        n.len() <= 4
    });
    let (rest, numbers) = { numbers }.parse(input).ok()?;
    if rest.first().is_some_and(|&b| !is_blank(b)) {
        return None;
    }
    let (&last, leading) = numbers.split_last()?;
    let room = 32 - 8 * u32::try_from(leading.len()).ok()?;
    if u64::from(last) >> room != 0 || leading.iter().any(|&n| n > 255) {
        return None;
    }
    let high = leading
        .iter()
        .fold(0_u64, |value, &n| value << 8 | u64::from(n));
    Some(Ipv4Addr::from(u32::try_from(high << room).ok()? | last))
}

/// An IPv6 address as inet_pton takes it.
fn inet6(input: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(input).ok()?.parse().ok()
}

/// An IPv4 host: an address or a name. What has a colon is an IPv6 address in
/// the wrong place, and never a name.
fn host(input: &[u8], lookup: &mut dyn Lookup) -> Result<Ipv4Addr, Reason> {
    match inet_aton(input) {
        Some(address) => Ok(address),
        None if input.contains(&b':') => Err(Reason::Shape),
        None => lookup.host(input).map_err(|why| no_host(input, why)),
    }
}

/// Why the word `input` is not a host.
fn no_host(input: &[u8], why: NoAddress) -> Reason {
    let shown = String::from_utf8_lossy(input);
    let in_no_name = |c: char| {
        !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | char::REPLACEMENT_CHARACTER))
    };
    match (input, why) {
        (b"", _) => Reason::NoHost,
        (_, NoAddress::NoAnswer) => Reason::NoAnswer,
        _ if input.iter().all(|b| b.is_ascii_digit() || *b == b'.') => Reason::NotIpv4,
        _ => match shown
            .find(in_no_name)
            .and_then(|at| shown[at..].chars().next())
        {
            Some(found) => Reason::Character(visible(found.to_string().as_bytes())),
            None => Reason::NoAddress,
        },
    }
}

fn port(input: &[u8], protocol: Option<Protocol>, lookup: &mut dyn Lookup) -> Result<u16, Reason> {
    if let Some(port) = integer(input, 0, 65535) {
        return Ok(port);
    }
    let protocol = protocol.ok_or(Reason::ServiceTooEarly);
    match protocol.map(|protocol| (protocol, lookup.port(input, protocol))) {
        Ok((_, Some(port))) => Ok(port),
        _ if input.is_empty() => Err(Reason::NoPort),
        _ if input.iter().all(u8::is_ascii_digit) => Err(Reason::Port),
        Ok((protocol, None)) => Err(Reason::Service(visible(input), protocol)),
        Err(reason) => Err(reason),
    }
}

/// `[...]` and what follows it.
fn bracketed(input: &[u8]) -> IResult<&[u8], &[u8]> {
    delimited(char('['), take_while(|b| b != b']'), char(']')).parse(input)
}

/// `host[:port]`, `[v6]:port` or a bare IPv6 address; `None` for the port when
/// none was given. Service names belong to `protocol`; without one, there are
/// none.
pub fn address(
    input: &[u8],
    protocol: Option<Protocol>,
    lookup: &mut dyn Lookup,
) -> Result<(IpAddr, Option<u16>), Reason> {
    if let Some(found) = plain_address(input) {
        return Ok(found);
    }
    if input.iter().all(u8::is_ascii_digit) {
        return Err(Reason::OnlyNumber);
    }
    if let Some(address) = inet6(input) {
        return Ok((address.into(), None));
    }
    let Ok((rest, inside)) = bracketed(input) else {
        return host_port(input, protocol, lookup);
    };
    let behind = rest.strip_prefix(b":").ok_or(Reason::BehindBrackets)?;
    match inet6(inside) {
        Some(address) => Ok((address.into(), Some(port(behind, protocol, lookup)?))),
        // C ipvsadm takes the brackets off IPv4 addresses and names, and
        // forgets the port behind them, but the colon must be there.
        None => host_port(inside, protocol, lookup),
    }
}

fn host_port(
    input: &[u8],
    protocol: Option<Protocol>,
    lookup: &mut dyn Lookup,
) -> Result<(IpAddr, Option<u16>), Reason> {
    // The last colon: what follows a blank in the host may have others.
    let (name, word) = match input.iter().rposition(|&b| b == b':') {
        Some(at) => (&input[..at], Some(&input[at + 1..])),
        None => (input, None),
    };
    let port = word.map(|word| port(word, protocol, lookup)).transpose();
    let found = port.and_then(|port| Ok((host(name, lookup)?.into(), port)));
    found.map_err(|reason| misshapen(name, word.unwrap_or_default()).unwrap_or(reason))
}

/// What is wrong with an address whose parts are these by its last colon, if that
/// is its shape.
fn misshapen(name: &[u8], port: &[u8]) -> Option<Reason> {
    let zone = name.contains(&b'%') || port.contains(&b'%');
    match name {
        [b'[', ..] => Some(Reason::Bracket),
        _ if !name.contains(&b':') => None,
        _ if inet6(name).is_some() && !zone => {
            let [name, port] = [name, port].map(visible);
            Some(Reason::Brackets(format!("[{name}]:{port}")))
        }
        _ if zone => Some(Reason::Zone),
        _ => Some(Reason::Shape),
    }
}

/// The service of `protocol` at an address.
pub fn service(
    protocol: Protocol,
    input: &[u8],
    lookup: &mut dyn Lookup,
) -> Result<ServiceKey, UsageError> {
    let (address, port) = address(input, Some(protocol), lookup)
        .map_err(|reason| illegal(VIRTUAL_SERVER, input, reason))?;
    Ok(ServiceKey::Address {
        protocol,
        address,
        port: port.unwrap_or(0),
    })
}

/// The service of a firewall mark on IPv4 packets. iptables, nft and ip rule print
/// marks in hexadecimal, which C ipvsadm refuses.
pub fn mark(input: &[u8]) -> Result<ServiceKey, UsageError> {
    let mark = match input {
        [b'0', b'x' | b'X', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit) => {
            u32::from_str_radix(text(digits), 16).ok()
        }
        _ => integer(input, 1, i64::from(u32::MAX)),
    };
    let mark = mark.and_then(NonZeroU32::new);
    Ok(ServiceKey::Fwmark {
        mark: mark.ok_or_else(|| UsageError::InvalidMark(Refused::new(input, Reason::Mark)))?,
        family: Family::Inet,
    })
}

/// The value of `--start-daemon` and `--stop-daemon`, for which C ipvsadm has
/// different names in messages.
pub fn role(input: &[u8], name: &'static str) -> Result<DaemonRole, UsageError> {
    match input {
        b"master" => Ok(DaemonRole::Master),
        b"backup" => Ok(DaemonRole::Backup),
        _ => Err(illegal(
            name,
            input,
            Reason::OneOf(vec!["master", "backup"]),
        )),
    }
}

/// A scheduler; an empty name is the default one.
pub fn scheduler(input: &[u8]) -> Name {
    match input {
        b"" => Name::from(DEFAULT_SCHEDULER),
        name => Name::cut(name, NAME_LIMIT),
    }
}

/// A persistence engine; an empty name is none.
pub fn engine(input: &[u8]) -> Option<Name> {
    Some(Name::cut(input, Name::CAPACITY)).filter(|name| !name.is_empty())
}

/// A network interface; an empty name is none.
pub fn interface(input: &[u8]) -> Option<Name> {
    (!input.is_empty()).then(|| Name::cut(input, NAME_LIMIT))
}

/// The type of a tunnel.
pub fn tunnel_type(input: &[u8]) -> Result<TunnelType, UsageError> {
    TunnelType::named(input)
        .ok_or_else(|| illegal("tunnel type", input, Reason::OneOf(TunnelType::names())))
}

/// Whose names metrics have.
pub fn metrics_style(input: &[u8]) -> Result<Names, UsageError> {
    Names::named(input)
        .ok_or_else(|| illegal("metrics style", input, Reason::OneOf(vec![Names::NODE])))
}

/// A network namespace, by its name or path.
pub fn namespace(input: &[u8]) -> Result<OsString, UsageError> {
    match input {
        b"" => Err(illegal(NAMESPACE, input, Reason::Empty)),
        name => Ok(OsStr::from_bytes(name).to_owned()),
    }
}

/// The interval of `--watch`.
pub fn watch_interval(input: &[u8]) -> Result<Duration, UsageError> {
    interval::interval(input)
        .ok_or_else(|| UsageError::InvalidInterval(Refused::new(input, Reason::Interval)))
}

/// A number from 1 on in figures and nothing else: options of ours need not take
/// what strtol takes.
pub fn figures(input: &[u8]) -> Option<NonZeroU32> {
    let are_figures = input.iter().all(u8::is_ascii_digit);
    text(input).parse().ok().filter(|_| are_figures)
}

/// The value of the option of ours called `name`.
fn count(input: &[u8], name: &'static str) -> Result<NonZeroU32, UsageError> {
    figures(input).ok_or_else(|| illegal(name, input, Reason::Number(1, u32::MAX.into())))
}

/// The value of `--drain`: the longest wait in seconds.
pub fn drain_limit(input: &[u8]) -> Result<u32, UsageError> {
    match figures(input) {
        Some(_) => timeout(input, 1),
        None => {
            let reason = Reason::Seconds(1, MAX_TIMEOUT);
            Err(UsageError::InvalidTimeout(Refused::new(input, reason)))
        }
    }
}

/// The value of `--samples`.
pub fn samples(input: &[u8]) -> Result<NonZeroU32, UsageError> {
    count(input, "samples")
}

/// The value of `--top`.
pub fn top(input: &[u8]) -> Result<NonZeroU32, UsageError> {
    count(input, "top")
}

/// The options that `--without` names, with commas between them.
pub fn without(input: &[u8]) -> Result<OptSet, UsageError> {
    let mut options = OptSet::default();
    for name in input.split(|byte| *byte == b',').filter(|n| !n.is_empty()) {
        let option = REMOVABLE.iter().find(|o| o.name().as_bytes() == name);
        options.insert(*option.ok_or_else(|| UsageError::NotRemovable(name.into()))?);
    }
    if options == OptSet::default() {
        return Err(UsageError::NotRemovable(input.into()));
    }
    Ok(options)
}

/// A persistence mask for a service of `family`.
pub fn netmask(
    input: &[u8],
    family: Family,
    lookup: &mut dyn Lookup,
) -> Result<Netmask, UsageError> {
    match family {
        Family::Inet => host(input, lookup).map(Netmask::V4).map_err(|reason| {
            let reason = match reason {
                Reason::NoAnswer => reason,
                _ => Reason::Mask,
            };
            illegal("virtual server persistent mask", input, reason)
        }),
        Family::Inet6 => prefix(input)
            .map(Netmask::V6)
            .ok_or_else(|| illegal("ipv6 netmask", input, Reason::Number(1, 128))),
    }
}

/// A prefix length from 1 to 128, read as atoi does: up to the first byte that
/// is not a digit, cut to 32 bits.
fn prefix(input: &[u8]) -> Option<u32> {
    let (_, value) = strtol(input).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "as atoi does")]
    let value = value as i32;
    u32::try_from(value).ok().filter(|v| (1..=128).contains(v))
}

/// The value of `-b` as typed, as much of it as C ipvsadm keeps. What it means
/// depends on the scheduler; see [`sched_flags`].
pub fn cut_sched_flags(input: &[u8]) -> Box<[u8]> {
    input[..input.len().min(SCHED_FLAGS_LIMIT)].into()
}

/// The flags in the comma list `input`, for `scheduler`.
pub fn sched_flags(input: &[u8], scheduler: &Name) -> Result<ServiceFlags, UsageError> {
    let mut flags = ServiceFlags::default();
    let items = || input.split(|&b| b == b',').filter(|item| !item.is_empty());
    if !input.is_empty() && items().next().is_none() {
        return Err(UsageError::UnknownFlag(input.into()));
    }
    for item in items() {
        let known = SCHED_FLAGS
            .iter()
            .find(|(name, ..)| name.as_bytes() == item);
        let (_, flag, owner) = known.ok_or_else(|| UsageError::UnknownFlag(item.into()))?;
        if owner.is_some_and(|owner| owner.as_bytes() != scheduler.as_bytes()) {
            return Err(UsageError::ForeignFlag(item.into()));
        }
        flags |= *flag;
    }
    Ok(flags)
}

/// A multicast group; addresses with a colon are IPv6.
pub fn multicast(input: &[u8]) -> Result<IpAddr, UsageError> {
    let no_group = |family| UsageError::InvalidGroup(family, Refused::new(input, Reason::Group));
    if input.contains(&b':') {
        inet6(input)
            .filter(Ipv6Addr::is_multicast)
            .map(IpAddr::V6)
            .ok_or_else(|| no_group(Family::Inet6))
    } else {
        let strict = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
        strict(input)
            .filter(Ipv4Addr::is_multicast)
            .map(IpAddr::V4)
            .ok_or_else(|| no_group(Family::Inet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct TwoNames;
    impl Lookup for TwoNames {
        fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
            // A resolver may take addresses for names.
            let known = [&b"vip"[..], b"::ffff:10.0.0.9"];
            match known.contains(&name) {
                true => Ok(Ipv4Addr::new(10, 0, 0, 9)),
                false if name == b"slow" => Err(NoAddress::NoAnswer),
                false => Err(NoAddress::Unknown),
            }
        }
        fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16> {
            (name == b"http" && protocol == Protocol::Tcp).then_some(80)
        }
    }

    #[test]
    fn numbers_are_strtol_on_the_whole_word() {
        for good in [" 5", "+5", "005", "\t5"] {
            assert_eq!(integer(good.as_bytes(), 0, 9), Some(5), "{good:?}");
        }
        for bad in [
            "",
            "5 ",
            "0x5",
            "5x",
            "-1",
            "10",
            "99999999999999999999",
            "--5",
        ] {
            assert_eq!(integer::<i64>(bad.as_bytes(), 0, 9), None, "{bad:?}");
        }
        assert_eq!(integer(b"-0", 0, 9), Some(0));
    }

    #[test]
    fn marks_are_decimal_as_in_c_or_hexadecimal() {
        let read = |text: &str| match mark(text.as_bytes()) {
            Ok(ServiceKey::Fwmark { mark, .. }) => Some(mark.get()),
            _ => None,
        };
        for (text, number) in [
            ("258", 258),
            ("0x102", 258),
            ("0X102", 258),
            ("0x00000102", 258),
            ("0xAbCd", 0xabcd),
            ("0xffffffff", u32::MAX),
            ("4294967295", u32::MAX),
            // What C ipvsadm takes keeps its meaning: no octal numbers.
            ("010", 10),
            ("+5", 5),
            (" 5", 5),
        ] {
            assert_eq!(read(text), Some(number), "{text:?}");
        }
        for text in [
            "",
            "0",
            "0x",
            "0x0",
            "0x100000000",
            "0x1g",
            "0x+1",
            "0x 1",
            "+0x1",
            "-0x1",
            " 0x1",
            "0x1 ",
            "0x1/0xff",
            "102h",
            "x102",
            "ff",
            "4294967296",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// Every number of an option of ours, in every way in which it can be wrong.
    #[test]
    fn numbers_of_our_options_are_figures_within_their_range() {
        const DRAIN: &str = "-d -t 10.0.0.1:80 -r 10.0.0.2 --drain=";
        let wrong = [
            "99999999999999999999",
            "4294967296",
            "-1",
            "",
            "0",
            "1e3",
            "5x",
            " 5",
            "5 ",
            "+5",
            "0x5",
        ];
        for (option, said, best) in [
            (
                "-L --watch --samples=",
                "illegal samples specified",
                "4294967295",
            ),
            (
                "-S --watch --samples=",
                "illegal samples specified",
                "4294967295",
            ),
            (
                "-L -c --by state --top=",
                "illegal top specified",
                "4294967295",
            ),
            (DRAIN, "invalid timeout value `%' specified", "2678400"),
            ("-L --watch=", "invalid interval `%' specified", "864000000"),
            ("-S --watch=", "invalid interval `%' specified", "0.01"),
        ] {
            let parsed = |value: &str| {
                let line = format!("{option}{value}");
                let (options, last) = line.rsplit_once(" --").unwrap();
                let last = format!("--{last}");
                let mut words: Vec<&[u8]> = options.split(' ').map(str::as_bytes).collect();
                words.push(last.as_bytes());
                crate::cli::parse(b"ipvsadm", &words, false, &mut TwoNames)
            };
            for value in wrong {
                let error = parsed(value).map(|_| ()).map_err(|error| error.to_string());
                assert_eq!(error, Err(said.replace('%', value)), "{option}{value}");
            }
            assert!(parsed(best).is_ok(), "{option}{best}");
        }
        for value in ["2678401", "4294967295"] {
            assert!(drain_limit(value.as_bytes()).is_err(), "{value}");
        }
    }

    #[test]
    fn inet_aton_takes_all_short_forms() {
        let parse = |text: &str| inet_aton(text.as_bytes()).map(|a| a.to_string());
        for (text, address) in [
            ("10.1", "10.0.0.1"),
            ("0x0a000001", "10.0.0.1"),
            ("0X0A000001", "10.0.0.1"),
            ("012.0.0.1", "10.0.0.1"),
            ("010.000.000.001", "8.0.0.1"),
            ("167772161", "10.0.0.1"),
            ("10", "0.0.0.10"),
            ("1.2.3.4 foo", "1.2.3.4"),
            ("255.255.255.255", "255.255.255.255"),
            ("1.65535", "1.0.255.255"),
            ("1.2.65535", "1.2.255.255"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(address), "{text}");
        }
        for bad in [
            "",
            "1.2.3.256",
            "1.2.3.4.5",
            "256.1",
            "08",
            "1.",
            "1..2",
            "0x",
            "4294967296",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_in_all_their_forms() {
        let parse = |text: &str| {
            address(text.as_bytes(), Some(Protocol::Tcp), &mut TwoNames)
                .map(|(a, p)| format!("{a} {p:?}"))
                .ok()
        };
        for (text, meaning) in [
            ("10.0.0.1:80", "10.0.0.1 Some(80)"),
            ("10.0.0.1", "10.0.0.1 None"),
            ("vip:http", "10.0.0.9 Some(80)"),
            ("[2001:db8::1]:80", "2001:db8::1 Some(80)"),
            ("2001:db8::1", "2001:db8::1 None"),
            ("2001:db8::1:80", "2001:db8::1:80 None"),
            ("[10.0.0.1]:80", "10.0.0.1 None"),
            ("[10.0.0.1:81]:80", "10.0.0.1 Some(81)"),
            ("10:80", "0.0.0.10 Some(80)"),
            ("10.0.0.1: 80", "10.0.0.1 Some(80)"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(meaning), "{text}");
        }
        for bad in [
            "",
            "80",
            "10.0.0.1:",
            "10.0.0.1::",
            "10.0.0.1:80:90",
            "[2001:db8::1]",
            "fe80::1%eth0",
            "::ffff:10.0.0.9:80",
            "[::ffff:10.0.0.9:80]:80",
            "10.0.0.1:65536",
            "10.0.0.1:HTTP",
            "nosuch:80",
            "[::1",
            "[10.0.0.1]",
            "[10.0.0.1]x",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn masks_follow_the_family() {
        let mask = |text: &str, family| netmask(text.as_bytes(), family, &mut TwoNames).ok();
        let v4 = |a, b, c, d| Some(Netmask::V4(Ipv4Addr::new(a, b, c, d)));
        assert_eq!(mask("255.255.255.0", Family::Inet), v4(255, 255, 255, 0));
        assert_eq!(mask("64", Family::Inet), v4(0, 0, 0, 64));
        for text in ["64", "64abc", "4294967360"] {
            assert_eq!(mask(text, Family::Inet6), Some(Netmask::V6(64)), "{text}");
        }
        for text in ["0", "129", "-1", "x", ""] {
            assert_eq!(mask(text, Family::Inet6), None, "{text}");
        }
    }

    #[test]
    fn flags_belong_to_schedulers() {
        let flags = |text: &str, scheduler: &str| {
            sched_flags(text.as_bytes(), &Name::from(scheduler)).map_err(|c| c.to_string())
        };
        assert_eq!(
            flags("sh-fallback,,sh-port,", "sh"),
            Ok(ServiceFlags::from_bits_retain(0x18))
        );
        assert_eq!(
            flags("flag-3", "sh"),
            Ok(ServiceFlags::from_bits_retain(0x20))
        );
        assert_eq!(flags("", "rr"), Ok(ServiceFlags::from_bits_retain(0)));
        assert_eq!(
            flags("sh-port", "mh"),
            Err("incompatible scheduler flag `sh-port'".into())
        );
        assert_eq!(flags("x", "mh"), Err("invalid scheduler flag `x'".into()));
        assert_eq!(flags(",", "mh"), Err("invalid scheduler flag `,'".into()));
    }
}
