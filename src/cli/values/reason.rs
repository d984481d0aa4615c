//! Why a value is refused. C ipvsadm's messages do not say it, and mostly not even
//! which word they mean; the messages about lines of rules and the hints do.

use ipvs::Protocol;
use std::fmt;

/// A value that its option does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The value, as typed.
    pub word: Box<[u8]>,
    /// What is wrong with it.
    pub reason: Reason,
}

impl Refused {
    /// `word`, refused for this `reason` unless there is a simpler one.
    pub fn new(word: &[u8], reason: Reason) -> Refused {
        let reason = match word {
            [] => Reason::Empty,
            [b'-', b'-', ..] => Reason::Option,
            [b'-', letter, ..] if letter.is_ascii_alphabetic() => Reason::Option,
            _ => reason,
        };
        Refused {
            word: word.into(),
            reason,
        }
    }
}

/// What is wrong with a value. The words are read behind the value and a colon, as
/// in `balancer:80: the name has no address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is there.
    Empty,
    /// It looks like an option.
    Option,
    /// It is not a whole number from the first to the second.
    Number(i64, i64),
    /// The same, in seconds.
    Seconds(i64, i64),
    /// It is not the time between two looks.
    Interval,
    /// It is not a firewall mark.
    Mark,
    /// It is none of these words.
    OneOf(Vec<&'static str>),
    /// It is neither `host:port` nor `[address]:port`.
    Shape,
    /// It is a number and nothing else.
    OnlyNumber,
    /// There is no host before the port.
    NoHost,
    /// The name stands for no address.
    NoAddress,
    /// The name could not be looked up in time.
    NoAnswer,
    /// It has the figures and dots of an IPv4 address.
    NotIpv4,
    /// No host name has this character, here as it is shown.
    Character(String),
    /// The closing bracket is missing.
    Bracket,
    /// No port follows the brackets.
    BehindBrackets,
    /// An IPv6 address with a port, but without brackets: how to write it.
    Brackets(String),
    /// It has a zone.
    Zone,
    /// Nothing follows the last colon.
    NoPort,
    /// The port is too large.
    Port,
    /// The protocol has no service of this name.
    Service(String, Protocol),
    /// The service of a server named its port before its protocol was known.
    ServiceTooEarly,
    /// It is not a mask for IPv4.
    Mask,
    /// It is not a multicast group of its family.
    Group,
    /// Not `address[/length][:port]`.
    Client,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = match self {
            Reason::Empty => "the value is empty",
            Reason::Option => "an option was taken for the value",
            Reason::Number(min, max) => {
                return write!(f, "not a whole number from {min} to {max}");
            }
            Reason::Seconds(min, max) => {
                return write!(f, "not a number of whole seconds from {min} to {max}");
            }
            Reason::Interval => "not a number of seconds from 0.01 to 864000000",
            Reason::Mark => "not a number from 1 to 4294967295, decimal or 0x and hexadecimal",
            Reason::OneOf(words) => return write!(f, "not one of {}", words.join(", ")),
            Reason::Shape => "neither host:port nor [IPv6 address]:port",
            Reason::OnlyNumber => "a number alone is no address",
            Reason::NoHost => "the address is missing",
            Reason::NoAddress => "the name has no address",
            Reason::NoAnswer => "the name could not be looked up in time",
            Reason::NotIpv4 => "not an IPv4 address",
            Reason::Character(shown) => return write!(f, "a host name cannot contain `{shown}'"),
            Reason::Bracket => "a bracket is missing",
            Reason::BehindBrackets => "a colon and a port must follow the brackets",
            Reason::Brackets(right) => {
                return write!(f, "an IPv6 address with a port needs brackets: {right}");
            }
            Reason::Zone => "an address with a zone (%) cannot be used",
            Reason::NoPort => "the port is missing",
            Reason::Port => "a port is at most 65535",
            Reason::Service(name, protocol) => {
                return write!(f, "no service `{name}' for {}", protocol.name());
            }
            Reason::ServiceTooEarly => {
                "the port of a real server can be a name only behind the service"
            }
            Reason::Mask => "a mask is written like 255.255.255.0",
            Reason::Group => "not a multicast address",
            Reason::Client => "not an address[/length][:port] in figures",
        };
        f.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::parse_line;
    use crate::names::{Lookup, NoAddress};
    use ipvs::Protocol;
    use std::net::Ipv4Addr;

    struct Names;
    impl Lookup for Names {
        fn host(&mut self, name: &[u8]) -> Result<Ipv4Addr, NoAddress> {
            match name {
                b"vip" => Ok(Ipv4Addr::new(10, 0, 0, 9)),
                b"slow" => Err(NoAddress::NoAnswer),
                _ => Err(NoAddress::Unknown),
            }
        }
        fn port(&mut self, name: &[u8], protocol: Protocol) -> Option<u16> {
            (name == b"http" && protocol == Protocol::Tcp).then_some(80)
        }
    }

    fn explained(words: &[&str]) -> String {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        match parse_line(&words, &mut Names) {
            Err(error) => error.explained(),
            Ok(action) => panic!("{words:?}: {action:?}"),
        }
    }

    #[test]
    fn a_refused_address_says_which_part_is_wrong() {
        for (word, reason) in [
            ("10.0.0.9:http8", "no service `http8' for tcp"),
            ("10.0.0.9:HTTP", "no service `HTTP' for tcp"),
            ("10.0.0.9:-1", "no service `-1' for tcp"),
            ("10.0.0.9:99999", "a port is at most 65535"),
            ("10.0.0.9:99999999999999999999", "a port is at most 65535"),
            ("10.0.0.9:", "the port is missing"),
            (":80", "the address is missing"),
            ("80", "a number alone is no address"),
            ("10.0.0.300:80", "not an IPv4 address"),
            ("10.0.0.08:80", "not an IPv4 address"),
            ("balancer:80", "the name has no address"),
            ("balancer", "the name has no address"),
            ("[balancer]:80", "the name has no address"),
            ("slow:80", "the name could not be looked up in time"),
            ("10.0.0.0/24:80", "a host name cannot contain `/'"),
            (
                "10.0.0.1\u{200b}:80",
                "a host name cannot contain `\\u{200b}'",
            ),
            (
                "10.0.0.9:80:90",
                "neither host:port nor [IPv6 address]:port",
            ),
            ("http://vip:80", "neither host:port nor [IPv6 address]:port"),
            (
                "2001:db8::12345",
                "neither host:port nor [IPv6 address]:port",
            ),
            (
                "2001:db8::9:http",
                "an IPv6 address with a port needs brackets: [2001:db8::9]:http",
            ),
            (
                "2001:db8::9:99999",
                "an IPv6 address with a port needs brackets: [2001:db8::9]:99999",
            ),
            ("[2001:db8::9:80", "a bracket is missing"),
            ("[10.0.0.9:80", "a bracket is missing"),
            ("[vip", "a bracket is missing"),
            (
                "[2001:db8::9]",
                "a colon and a port must follow the brackets",
            ),
            (
                "[2001:db8::9]80",
                "a colon and a port must follow the brackets",
            ),
            ("[2001:db8::9]:", "the port is missing"),
            (
                "[2001:db8:9]:80",
                "neither host:port nor [IPv6 address]:port",
            ),
            ("fe80::1%eth0", "an address with a zone (%) cannot be used"),
            (
                "[fe80::1%eth0]:80",
                "an address with a zone (%) cannot be used",
            ),
            ("-p", "an option was taken for the value"),
            ("--persistent", "an option was taken for the value"),
        ] {
            let shown = word.replace('\u{200b}', "\\u{200b}");
            let said =
                |kind| format!("illegal {kind} server address[:port] specified: {shown}: {reason}");
            assert_eq!(explained(&["-A", "-t", word]), said("virtual"), "{word}");
            let server = ["-a", "-t", "10.0.0.1:80", "-r", word];
            assert_eq!(explained(&server), said("real"), "{word}");
        }
        assert_eq!(
            explained(&["-A", "-t="]),
            "illegal virtual server address[:port] specified: the value is empty"
        );
        assert_eq!(
            explained(&["-a", "-r", "vip:http", "-t", "vip:http"]),
            "illegal real server address[:port] specified: vip:http: \
             the port of a real server can be a name only behind the service"
        );
    }

    #[test]
    fn a_refused_value_says_what_is_wanted() {
        const SERVICE: [&str; 3] = ["-A", "-t", "vip:80"];
        for (options, said) in [
            (
                &["-p", "300s"][..],
                "invalid timeout value `300s' specified: not a number of whole seconds from 1 to 2678400",
            ),
            (
                &["-w", "1.5"],
                "illegal weight specified: 1.5: not a whole number from 0 to 2147483647",
            ),
            (
                &["-w", "-1"],
                "illegal weight specified: -1: not a whole number from 0 to 2147483647",
            ),
            (
                "-w -m".split(' ').collect::<Vec<_>>().as_slice(),
                "illegal weight specified: -m: an option was taken for the value",
            ),
            (
                &["-x", "many"],
                "illegal u_threshold specified: many: not a whole number from 0 to 2147483647",
            ),
            (
                &["--tun-type", "vxlan"],
                "illegal tunnel type specified: vxlan: not one of ipip, gue, gre",
            ),
            (
                &["-M", "/24"],
                "illegal virtual server persistent mask specified: /24: a mask is written like 255.255.255.0",
            ),
            (
                &["-b", "sh-prot"],
                "invalid scheduler flag `sh-prot': not one of sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3",
            ),
            (
                &["-b", "sh-port"],
                "incompatible scheduler flag `sh-port': a flag of the scheduler sh",
            ),
        ] {
            assert_eq!(explained(&[&SERVICE, options].concat()), said);
        }
        for (line, said) in [
            (
                "-A -f 0",
                "invalid fwmark value `0' specified: not a number from 1 to 4294967295, decimal or 0x and hexadecimal",
            ),
            (
                "-A -t [2001:db8::1]:80 -p -M 255.255.255.0",
                "illegal ipv6 netmask specified: 255.255.255.0: not a whole number from 1 to 128",
            ),
            (
                "--set 1 2 3m",
                "invalid timeout value `3m' specified: not a number of whole seconds from 0 to 2678400",
            ),
            (
                "--start-daemon primary",
                "illegal start-daemon parameter specified: primary: not one of master, backup",
            ),
            (
                "--start-daemon master --mcast-group 10.0.0.1",
                "invalid IPv4 mcast-group `10.0.0.1': not a multicast address",
            ),
            (
                "-A -t 10.0.0.1",
                "Zero port specified for non-persistent service: 10.0.0.1: name a port, or add -p for a service on all ports",
            ),
            (
                "-A -t 2001:db8::9:80",
                "Zero port specified for non-persistent service: 2001:db8::9:80: an IPv6 address with a port needs brackets: [2001:db8::9]:80",
            ),
            (
                "-A -t 2001:db8::9",
                "Zero port specified for non-persistent service: 2001:db8::9: an IPv6 address with a port needs brackets: [2001:db8::9]:80",
            ),
            (
                "-A -t [2001:db8::9]:0",
                "Zero port specified for non-persistent service: 2001:db8::9: name a port, or add -p for a service on all ports",
            ),
            (
                "-E -f 1 --keep --without mask",
                "--without cannot remove `mask': not one of persistent, netmask, ops, pe, sched-flags",
            ),
            (
                "-L -c --state estab",
                "unknown connection state `estab': not one of",
            ),
            ("-L -c --by rs", "--by cannot count by `rs': not one of"),
            (
                "-L -c --client host",
                "illegal client address[/length][:port] specified: host: not an address[/length][:port] in figures",
            ),
            (
                "-L -c --by state --top 0",
                "illegal top specified: 0: not a whole number from 1 to 4294967295",
            ),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let text = explained(&words);
            assert!(text.starts_with(said), "{line}: {text}");
        }
    }
}
