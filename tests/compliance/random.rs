//! Random command lines: made from the option table, mostly correct, then
//! spoilt as people spoil them. The same seed makes the same lines, and every run
//! has the same seed unless it is given another: a failure is then due to a change.
//!
//! `IPVSADM_SEED=clock` takes the time for a seed, and prints it;
//! `IPVSADM_SEED=NUMBER` repeats that run. More lines than usual need a machine
//! that lives longer than half an hour:
//!
//!     IPVSADM_SEED=clock IPVSADM_RANDOM_CASES=20000 IPVSADM_LAB_TIMEOUT=7200 \
//!         cargo test --test compliance random

use crate::differences;
use crate::suite::{Cases, Group};
use crate::support::bench::{Seen, Which};
use crate::support::programs::{Call, End, Outcome};
use ipvsadm::cli;
use ipvsadm::cli::opt::{CommandName, Opt};
use ipvsadm::cli::options::{OPTIONS, OptionSpec, Role, Since, Takes, allowed_with};
use ipvsadm::names::SystemLookup;
use ipvsadm::render::visible;
use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("random::1", |cases| random(cases, 1)),
        Group::new("random::2", |cases| random(cases, 2)),
        Group::new("random::3", |cases| random(cases, 3)),
        Group::new("random::4", |cases| random(cases, 4)),
    ]
}

/// So many lines see the same table.
const LINES_A_TABLE: usize = 100;

fn random(cases: &mut Cases, part: u64) {
    let variable = |name: &str| env::var(name).ok();
    let count =
        variable("IPVSADM_RANDOM_CASES").map_or(2000, |text| text.parse().expect("lines")) / 4;
    let seed = match variable("IPVSADM_SEED").as_deref() {
        None => 0,
        Some("clock") => {
            let time = SystemTime::now().duration_since(UNIX_EPOCH);
            time.map_or(0, |time| time.as_nanos() as u64)
        }
        Some(text) => text.parse().expect("a seed is a number, or clock"),
    };
    println!("{count} lines, IPVSADM_SEED={seed}");
    let mut random = Random(seed.wrapping_add(part));
    for n in 0..count {
        if n % LINES_A_TABLE == 0 {
            cases.given(&random.table());
        }
        if n > 0 && n % 1000 == 0 {
            println!("{n} lines so far");
        }
        match random.below(25) {
            0 => restore(cases, &mut random),
            _ => {
                let words = random.line();
                let call = Call::of_words(words);
                match random.below(50) {
                    0 => cases.call(&call.env("POSIXLY_CORRECT", "1")),
                    1 | 2 => nobody(cases, call),
                    _ => cases.call(&call),
                }
            }
        }
    }
}

/// A call of a user who may do nothing: what is wrong with the line itself, and
/// help, is said to anybody.
fn nobody(cases: &mut Cases, call: Call) {
    let (kind, root) = alone(cases, &call);
    let call = call.nobody();
    match kind {
        Kind::Doubtful => {}
        Kind::Usage | Kind::NoCommand | Kind::Text => {
            cases.differs("usage-without-root", &call, |_| root)
        }
        Kind::Other => cases.call(&call),
    }
}

/// What a line is, by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The program itself complains about the line, and not the kernel.
    Usage,
    /// It begins with no command.
    NoCommand,
    /// Help or version.
    Text,
    /// It has a mask that the reference may take for another, or a mark that it
    /// refuses: see `early-mask` and `hexadecimal-marks`.
    Doubtful,
    /// A command that is carried out, well or not.
    Other,
}

/// What ours is to do at `call`, as far as the reference and the list of
/// differences tell.
fn alone(cases: &mut Cases, call: &Call) -> (Kind, Seen) {
    let before = cases.table();
    let reference = cases.see(Which::Reference, call);
    let is_hexadecimal = differences::decimal_mark(call, &reference).is_some();
    let listed = differences::expected(call, &reference, &before, || cases.see(Which::Ours, call));
    let (id, ours) = listed.map_or((None, reference), |(id, ours)| (Some(id), ours));
    let kind = match &ours.outcome {
        _ if id == Some("texts") => Kind::Text,
        // Whether there is such a part is for the kernel to say.
        _ if id == Some("table-parts") => Kind::Other,
        said if said.stderr.starts_with(b"Try `") => Kind::NoCommand,
        _ if is_hexadecimal => Kind::Doubtful,
        _ if differences::late_mask(call).is_some_and(|late| late.words != call.words) => {
            Kind::Doubtful
        }
        said if is_usage_error(said) => Kind::Usage,
        _ => Kind::Other,
    };
    (kind, ours)
}

/// A few random lines for -R. Where one is wrong, ours must say what the
/// reference says to that line alone, then why, and change nothing.
fn restore(cases: &mut Cases, random: &mut Random) {
    let (mut number, mut input, mut wrong) = (0, Vec::new(), Vec::new());
    for _ in 0..=random.below(4) {
        let words = random.rule();
        let (kind, alone) = alone(cases, &Call::of_words(words.clone()));
        if matches!(kind, Kind::NoCommand | Kind::Doubtful) {
            continue; // what is said of the command line says nothing of a file
        }
        number += 1;
        let blanks = random.pick(&[" ", " ", "  \t", " ipvsadm ", "\r "]);
        input.extend(words.join(blanks.as_bytes()));
        input.push(b'\n');
        if kind == Kind::Usage {
            let refused = match cli::parse_line(
                &words.iter().map(Vec::as_slice).collect::<Vec<_>>(),
                &mut SystemLookup::default(),
            ) {
                Err(error) => error.explained(),
                Ok(action) => panic!("{words:?} were refused alone, and are {action:?}"),
            };
            let said = visible(alone.outcome.stderr.trim_ascii_end());
            assert!(refused.starts_with(&said), "{refused}, not {said}");
            wrong.extend(format!("line {number}: {refused}\n").into_bytes());
        }
        if random.percent(10) {
            number += 1;
            input.extend(b" \r\n");
        }
    }
    let call = Call::new("-R").stdin(input);
    if !wrong.is_empty() {
        let before = cases.table();
        return cases.differs("restore-checks-first", &call, |_| Seen {
            outcome: Outcome::new(2, "", wrong),
            table: before,
        });
    }
    cases.restore(&call);
}

/// Whether the program itself complains, and not the kernel.
fn is_usage_error(outcome: &Outcome) -> bool {
    let popt: [&[u8]; 3] = [
        b": unknown option\n",
        b": missing argument\n",
        b": option does not take an argument\n",
    ];
    match outcome.end {
        End::Exit(2) => true,
        End::Exit(255) => popt.iter().any(|text| outcome.stderr.ends_with(text)),
        _ => false,
    }
}

/// A generator of numbers (splitmix64), and of command lines.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    /// A few services with a few servers, as rules.
    fn table(&mut self) -> String {
        // The kernel has no sync daemon where families are mixed.
        let daemon = self.percent(30);
        let is_ipv6 = |text: &str| text.contains("db8") || text.contains("-6");
        let mut rules = String::new();
        for service in SERVICES {
            if self.percent(50) {
                continue;
            }
            let scheduler = self.pick(&["rr", "wlc", "sh -b sh-port", "mh"]);
            let persistent = self.pick(&["", " -p 60", " -p 300"]);
            rules += &format!("-A {service} -s {scheduler}{persistent}\n");
            for server in SERVERS {
                let mixed = is_ipv6(service) != is_ipv6(server);
                if self.percent(40) && !(daemon && mixed) {
                    let weight = self.below(5);
                    rules += &format!("-a {service} -r {server} -i -w {weight}\n");
                }
            }
        }
        if daemon {
            rules += "--start-daemon master --mcast-interface eth0 --syncid 5\n";
        }
        rules
    }

    /// The words of a command line.
    fn line(&mut self) -> Vec<Vec<u8>> {
        let command = self.command();
        let mut words = self.options(command);
        if self.percent(35) {
            self.spoil(&mut words);
        }
        words
    }

    /// The words of a line for -R: the command is one that may stand there,
    /// and words have no blanks.
    fn rule(&mut self) -> Vec<Vec<u8>> {
        use CommandName as C;
        loop {
            let words = self.line();
            let text = String::from_utf8_lossy(&words[0]).into_owned();
            let spelt =
                |row: &&OptionSpec| text == format!("--{}", row.long) || text == spelling(row);
            let starts = OPTIONS.iter().find(spelt).map(|row| row.role);
            let Some(Role::Command(command)) = starts else {
                continue;
            };
            let ends_the_run = matches!(command, C::Help | C::Version | C::Restore | C::List);
            let odd = |word: &Vec<u8>| {
                word.is_empty()
                    || word.iter().any(|b| b" \t\n\r#,".contains(b))
                    || word == b"-6"
                    || word == b"ipvsadm"
            };
            if !ends_the_run && !words.iter().any(odd) {
                return words;
            }
        }
    }

    fn command(&mut self) -> &'static OptionSpec {
        let rows: Vec<&OptionSpec> = OPTIONS
            .iter()
            .filter(|row| matches!(row.role, Role::Command(_)) && row.since == Since::C)
            .collect();
        self.pick(&rows)
    }

    /// The command with what it needs, and some of what it may have.
    fn options(&mut self, row: &'static OptionSpec) -> Vec<Vec<u8>> {
        let Role::Command(command) = row.role else {
            return Vec::new();
        };
        let allowed = allowed_with(command);
        let mut groups = Vec::new();
        for row in OPTIONS {
            let chance = match row.role {
                Role::Command(_) => 0,
                _ if row.since == Since::Ours => 0,
                Role::Option(option) if allowed.needs.contains(option) => 30,
                Role::Option(option)
                    if allowed.may.contains(option) || allowed.one_of.contains(option) =>
                {
                    20
                }
                Role::Option(_) | Role::Unchecked => 1,
            };
            if self.percent(chance) {
                groups.push(self.option(row));
                if row.short == Some(b'f') && self.percent(30) {
                    groups.push(vec![b"-6".to_vec()]);
                }
            }
        }
        if allowed.needs.contains(Opt::ServiceAddress) && self.percent(60) {
            let service = self
                .pick(SERVICES)
                .split(' ')
                .map(|w| w.as_bytes().to_vec());
            groups.insert(0, service.collect());
        }
        if allowed.needs.contains(Opt::RealServer) && self.percent(60) {
            let server = self.pick(SERVERS).as_bytes().to_vec();
            groups.push(vec![b"-r".to_vec(), server]);
        }
        if command == CommandName::Set {
            for _ in 0..3 {
                groups.push(vec![self.value(&["1", "900", "0", "100"])]);
            }
        }
        if self.percent(50) {
            for i in (1..groups.len()).rev() {
                groups.swap(i, self.below(i + 1));
            }
        }
        groups.insert(0, self.option(row));
        groups.concat()
    }

    /// An option with a value, in one of its spellings.
    fn option(&mut self, row: &OptionSpec) -> Vec<Vec<u8>> {
        let long = row.short.is_none() || !row.long.is_empty() && self.percent(25);
        let name = match long {
            true => format!("--{}", row.long),
            false => spelling(row),
        };
        let value = match row.takes {
            Takes::Nothing(_) | Takes::Words(_) => return vec![name.into_bytes()],
            Takes::Optional(..) if self.percent(50) => return vec![name.into_bytes()],
            Takes::Optional(..) | Takes::Value(..) => self.value(good_values(row.long)),
        };
        match self.below(8) {
            0 => vec![[name.as_bytes(), b"=", &value].concat()],
            1 if !long => vec![[name.as_bytes(), &value].concat()],
            _ => vec![name.into_bytes(), value],
        }
    }

    fn value(&mut self, good: &[&str]) -> Vec<u8> {
        let value = match self.percent(85) {
            true => self.pick(good),
            false => self.pick(ODD_VALUES),
        };
        value.as_bytes().to_vec()
    }

    /// One to three slips.
    fn spoil(&mut self, words: &mut Vec<Vec<u8>>) {
        for _ in 0..=self.below(3) {
            let at = self.below(words.len());
            let other = self.below(words.len());
            match self.below(8) {
                0 => words.insert(at, words[other].clone()),
                1 if words.len() > 1 => drop(words.remove(at)),
                2 => words.swap(at, other),
                3 => words.insert(at, self.pick(ODD_VALUES).as_bytes().to_vec()),
                4 => {
                    let row = &OPTIONS[self.below(OPTIONS.len())];
                    if row.since == Since::C {
                        let option = self.option(row);
                        words.splice(at..at, option);
                    }
                }
                5 if !words[at].is_empty() => {
                    let byte = self.below(words[at].len());
                    words[at][byte] =
                        self.pick(&[b"-", b"=", b"0", b"x", b":", b",", b".", b" "])[0];
                }
                6 if words[at].starts_with(b"-") && at + 1 < words.len() => {
                    let next = words.remove(at + 1);
                    words[at].extend(next.strip_prefix(b"-").unwrap_or(&next));
                }
                _ => {
                    words[at].pop();
                }
            }
        }
    }
}

fn spelling(row: &OptionSpec) -> String {
    crate::matrix::spelling(row)
}

#[rustfmt::skip] // several cases a line
const SERVICES: &[&str] = &[
    "-t 10.0.0.1:80", "-t 10.0.0.2:443", "-u 10.0.0.1:53", "--sctp-service 10.0.0.1:9900",
    "-t [2001:db8::11]:80", "-u [2001:db8::11]:5060", "-f 1", "-f 2 -6",
];
#[rustfmt::skip] // several cases a line
const SERVERS: &[&str] = &[
    "10.0.0.2:80", "10.0.0.13:80", "10.0.0.4:443", "10.0.0.5:53", "[2001:db8::12]:80", "[2001:db8::3]:5060",
];
#[rustfmt::skip] // several cases a line
const ODD_VALUES: &[&str] = &[
    "", "0", "-1", "1", "99999999999", "x", "-", "--", "-n", "ipvsadm", "10.0.0.9", "10.9:80", "a b", " 5", "5 ", "::1",
    "[::1]:80", "vip", "vip:http", "nosuch.example.test", "65536", "65535", "2147483648", "256", "=", "=5", "#", "\u{e4}",
    "0x10", "+7", "127.0.0.1:80", "224.0.0.1", "ff02::1", "10.0.0.1:nosuch", "[10.0.0.1]:80", "master", "rr", "sh-port",
];

#[rustfmt::skip] // several cases a line
fn good_values(option: &str) -> &'static [&'static str] {
    match option {
        "tcp-service" | "udp-service" | "sctp-service" => &[
            "10.0.0.1:80", "10.0.0.2:443", "10.0.0.1:53", "10.0.0.7:9", "10.0.0.9", "[2001:db8::11]:80", "[2001:db8::11]:5060",
            "vip:http", "2001:db8::9",
        ],
        "fwmark-service" => &["1", "2", "3", "2147483647", "0x2", "0X7fffffff"],
        "scheduler" => &["rr", "wrr", "wlc", "sh", "mh", "fo", "nosuch", ""],
        "persistent" => &["1", "360", "2678400"],
        "netmask" => &["255.255.255.0", "255.255.255.255", "64", "128", "255.0.255.0"],
        "pe" => &["sip", "sip", "nosuch", ""],
        "sched-flags" => &["flag-1", "flag-2", "sh-port", "mh-port", "sh-fallback,sh-port", "flag-1,flag-3", ",", ""],
        "real-server" => &[
            "10.0.0.2:80", "10.0.0.13:80", "10.0.0.4", "10.0.0.9:8080", "[2001:db8::12]:80", "2001:db8::9", "real", "real:http",
        ],
        "tun-type" => &["ipip", "gue", "gre"],
        "mcast-interface" => &["eth0", "eth0", "nosuch0", ""],
        "mcast-group" => &["224.0.0.81", "239.1.2.3", "ff02::81", "10.0.0.1"],
        "start-daemon" | "stop-daemon" => &["master", "backup"],
        _ => &["0", "1", "5", "100", "255", "1400", "65535"],
    }
}
