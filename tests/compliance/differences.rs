//! Where ours differs from the reference on purpose. Any difference that is not
//! in this list is a bug, and fails the suite.
//!
//! A case that differs names its difference and says what ours does instead.
//! For differences that any command line can show, [`expected`] says it.

use crate::support::bench::Seen;
use crate::support::programs::{Call, End, Outcome};
use ipvsadm::cli::{self, Action, Command, Invocation, List, UsageError, help};
use ipvsadm::names::SystemLookup;
use std::num::NonZeroU32;

/// A difference.
pub struct Difference {
    /// How the cases call it.
    pub id: &'static str,
    /// Why it is there.
    pub why: &'static str,
    /// Where it is tested, if that is not this suite.
    pub test: Option<&'static str>,
}

const fn here(id: &'static str, why: &'static str) -> Difference {
    Difference {
        id,
        why,
        test: None,
    }
}

const fn elsewhere(id: &'static str, why: &'static str, test: &'static str) -> Difference {
    Difference {
        id,
        why,
        test: Some(test),
    }
}

#[rustfmt::skip] // one line a difference
pub const LIST: &[Difference] = &[
    here("save-thresholds", "-S also writes -x and -y: the reference loses them"),
    here("save-whole-names", "-S never cuts names, so that every saved line can be restored"),
    here("save-ipv6-addresses", "-S writes addresses for hosts that have only an IPv6 name: -R could not read the name"),
    here("save-general-flags", "-S writes a scheduler flag that has no name for this scheduler as flag-N, the reference as nothing"),
    here("unsigned-marks", "firewall marks above 2^31 are printed unsigned: the reference prints negative ones, and refuses to read them"),
    here("unsigned-order", "addresses and marks are sorted as unsigned numbers: the reference's comparison overflows"),
    here("restore-checks-first", "-R checks all lines before it changes anything, and reports each wrong one with its number"),
    here("restore-goes-on", "-R reports each refusal of the kernel with its line, goes on, and exits with 255 if there was one"),
    here("restore-comments", "-R takes comments"),
    elsewhere("closed-input", "a closed standard input is an error and changes nothing: to the reference it is empty", "tests/safety/restore.rs"),
    here("restore-options", "ipvsadm-restore has options, help among them, and refuses a misspelt one: the reference ignores all words, and clears the table"),
    here("output-errors", "output that cannot be written is an error"),
    here("early-mask", "-M counts wherever it stands: the reference forgets an IPv6 mask before the address"),
    here("hexadecimal-marks", "firewall marks may be hexadecimal, as other programs print them: the reference refuses them"),
    here("options-first", "options of ours may stand before the command: the reference refuses whatever stands there"),
    here("lone-comma", "-b with nothing but commas is an error: the reference crashes"),
    here("zero-one", "-Z of a service at 0.0.0.0 or :: without a port is about that service: the reference zeroes all"),
    here("usage-without-root", "help, version and usage errors need neither root nor IPVS"),
    here("texts", "help and version are in our words"),
    here("six-must-follow", "the text that upstream has for -6 before -f; Debian's build has an older one"),
    elsewhere("64-bit-counters", "counters of real servers are shown whole: the reference cuts them to 32 bits", "src/render"),
    elsewhere("whole-listings", "listings are complete while others change the table", "src/ipvs/kernel"),
    here("table-parts", "-L takes -r, -S a service and -r: the reference refuses them; what is listed is held against it in tests/safety/hosts.rs"),
    here("connection-filters", "-L -c takes services other than marks, and -r: the reference refuses them"),
    elsewhere("connections-once", "a connection is listed once: the reference lists some twice while others come", "tests/churn"),
    elsewhere("stop-at-once", "a sync daemon may be stopped before it has run: the reference waits for ever for an answer", "tests/churn"),
    elsewhere("name-deadline", "names are looked up in parallel, once each, with a deadline", "tests/safety/names.rs"),
    elsewhere("save-names-back", "-S writes only names that lead back to the same address or port", "tests/safety/names.rs"),
    elsewhere("services-file", "names of services are those of /etc/services, whatever nsswitch.conf says", "tests/safety/names.rs"),
];

/// Whether there is the difference `id`.
pub fn is_listed(id: &str) -> bool {
    LIST.iter().any(|difference| difference.id == id)
}

/// What ours does at `call` where the reference shows a difference that does
/// not depend on the case: its name, and the expectation. `before` is the
/// table before the call, `ours` looks what ours does.
pub fn expected(
    call: &Call,
    reference: &Seen,
    before: &str,
    ours: impl FnOnce() -> Seen,
) -> Option<(&'static str, Seen)> {
    let outcome = &reference.outcome;
    let instead = |outcome| Seen {
        outcome,
        table: before.to_string(),
    };
    if outcome.stdout.starts_with(b"ipvsadm v1.31 ") {
        let is_help = contains(&outcome.stdout, b"Usage:");
        let name = call.name.as_deref().unwrap_or("ipvsadm");
        let text = if is_help {
            help::help(name)
        } else {
            help::version()
        };
        return Some(("texts", instead(Outcome::new(0, text, ""))));
    }
    if outcome.stderr == b"-6 used before -f\n\n" {
        let text = "-6 must follow -f\n\n";
        return Some(("six-must-follow", instead(Outcome::new(2, "", text))));
    }
    if PARTS_REFUSED.contains(&&outcome.stderr[..]) && lists_part(call) {
        return Some(("table-parts", instead(of_part(&ours().outcome))));
    }
    if let Some(outcome) = of_connections(call, &outcome.stderr) {
        return Some(("connection-filters", instead(outcome)));
    }
    const SIGSEGV: i32 = 11;
    if outcome.end == End::Signal(SIGSEGV) {
        let commas = lone_commas(call)?;
        let text = format!("invalid scheduler flag `{commas}'\n");
        return Some(("lone-comma", instead(Outcome::new(2, "", text))));
    }
    None
}

/// What the reference says of the port `http` before any service: ours takes it for
/// that of TCP where `-r` selects a part of the table.
const NO_PROTOCOL: &[u8] = b"illegal real server address[:port] specified\n";

/// What the reference says of options that select a part of the table.
const PARTS_REFUSED: [&[u8]; 4] = [
    NO_PROTOCOL,
    b"Illegal 'real-server' option with the 'list' command\n",
    b"Illegal 'real-server' option with the 'save' command\n",
    b"Illegal 'service-address' option with the 'save' command\n",
];

/// Whether ours lists or saves a part of the table at `call`.
fn lists_part(call: &Call) -> bool {
    match parsed(call).map(|line| line.command) {
        Ok(Command::Action(Action::List(list, _))) => matches!(*list, List::Table { .. }),
        Ok(Command::Action(Action::Save(_))) => true,
        _ => false,
    }
}

fn parsed(call: &Call) -> Result<Invocation<'static>, UsageError> {
    let words: Vec<&[u8]> = call.words.iter().map(Vec::as_slice).collect();
    let posix = call.env.iter().any(|(name, _)| name == "POSIXLY_CORRECT");
    cli::parse(b"ipvsadm", &words, posix, &mut SystemLookup::default())
}

/// What ours may do then: list something, or say that there is nothing.
fn of_part(ours: &Outcome) -> Outcome {
    let nothing: [&[u8]; 2] = [b"No such destination\n", b"No such service\n"];
    match nothing.iter().find(|text| ***text == ours.stderr) {
        Some(text) => Outcome::new(1, "", *text),
        None => Outcome::new(0, &*ours.stdout, ""),
    }
}

/// What ours does where the reference has no service or server with `-L -c`.
/// There are no connections in the tables of this suite.
fn of_connections(call: &Call, stderr: &[u8]) -> Option<Outcome> {
    let refusals: [&[u8]; 3] = [
        NO_PROTOCOL,
        b"The option 'service-address' conflicts with the 'connection' option in the 'list' command\n",
        b"Illegal 'real-server' option with the 'list' command\n",
    ];
    if !refusals.contains(&stderr) {
        return None;
    }
    match parsed(call) {
        Ok(line) => {
            let engines = match line.command {
                Command::Action(Action::List(list, _)) => match *list {
                    List::Connections { engines, .. } => engines,
                    _ => return None,
                },
                _ => return None,
            };
            let titles = "IPVS connection entries\n\
                pro expire state       source             virtual            destination";
            let more = if engines {
                "        pe name          pe_data"
            } else {
                ""
            };
            Some(Outcome::new(0, format!("{titles}{more}\n"), ""))
        }
        Err(error) => {
            let text = [error.text(), b"\n".to_vec()].concat();
            (text != stderr).then(|| Outcome::new(2, "", text))
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The flags that are nothing but commas.
fn lone_commas(call: &Call) -> Option<String> {
    let mut words = call.words.iter().map(|w| String::from_utf8_lossy(w));
    words.find_map(|word| {
        let commas = word.trim_start_matches(|c| c != ',');
        let only = !commas.is_empty() && commas.chars().all(|c| c == ',');
        only.then(|| commas.to_string())
    })
}

/// The call with its mask at the end, if it has one.
pub fn late_mask(call: &Call) -> Option<Call> {
    let mut late = call.clone();
    let spelt = |word: &Vec<u8>| word.starts_with(b"-M") || word.starts_with(b"--netmask");
    let at = late.words.iter().position(spelt)?;
    let alone = matches!(&late.words[at][..], b"-M" | b"--netmask");
    let end = late.words.len().min(at + 1 + usize::from(alone));
    let mask: Vec<_> = late.words.drain(at..end).collect();
    late.words.extend(mask);
    Some(late)
}

/// The call with its mark in decimal, if the reference refused that because it is
/// hexadecimal.
pub fn decimal_mark(call: &Call, reference: &Seen) -> Option<Call> {
    let said = reference.outcome.stderr.as_slice();
    let word = said.strip_prefix(b"invalid fwmark value `")?;
    let word = std::str::from_utf8(word.strip_suffix(b"' specified\n")?).ok()?;
    let digits = word
        .strip_prefix("0x")
        .or_else(|| word.strip_prefix("0X"))?;
    let digits = digits
        .starts_with(|c: char| c.is_ascii_hexdigit())
        .then_some(digits)?;
    let number: NonZeroU32 = u32::from_str_radix(digits, 16).ok()?.try_into().ok()?;
    let number = number.to_string();
    let mut decimal = call.clone();
    let takes_mark = |option: &[u8]| option == b"--fwmark-service" || option.ends_with(b"f");
    let at =
        (0..call.words.len()).find(|&at| match call.words[at].strip_suffix(word.as_bytes()) {
            Some(b"") => at > 0 && takes_mark(&call.words[at - 1]),
            Some(before) => before.starts_with(b"-"),
            None => false,
        })?;
    let before = call.words[at].strip_suffix(word.as_bytes())?;
    decimal.words[at] = [before, number.as_bytes()].concat();
    Some(decimal)
}

/// Messages of -R without the numbers of their lines.
pub fn without_line_numbers(stderr: &[u8]) -> Vec<u8> {
    let lines = stderr.split_inclusive(|&b| b == b'\n');
    let bare = lines.map(|line| {
        let number = line.strip_prefix(b"line ").and_then(|rest| {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            rest[digits..].strip_prefix(b": ")
        });
        number.unwrap_or(line)
    });
    bare.collect::<Vec<_>>().concat()
}
