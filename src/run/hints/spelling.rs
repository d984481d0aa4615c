//! Words that were spelt for another program, or by a word processor.

use super::typed::Asked;
use crate::cli::options::{Takes, find_long, find_short};

/// A character that no command line has on purpose, in any of the words.
pub fn odd_character(words: &[&[u8]]) -> Option<String> {
    let words = words
        .iter()
        .filter_map(|word| std::str::from_utf8(word).ok());
    words
        .filter(|word| word.chars().any(is_odd))
        .find_map(odd_word)
}

fn is_odd(c: char) -> bool {
    !c.is_ascii() || c == '\r'
}

fn odd_word(word: &str) -> Option<String> {
    let c = word.chars().find(|c| is_odd(*c))?;
    let code = u32::from(c);
    Some(match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => {
            // Where a word processor made one of two, the word behind it is long.
            let name = word.trim_start_matches(is_dash);
            let right = match name.chars().count() {
                _ if name.len() == word.len() => "-".to_owned(),
                1 => format!("-{name}"),
                _ if find_long(name.split('=').next()?.as_bytes()).is_some() => {
                    format!("--{name}")
                }
                _ => "-".to_owned(),
            };
            format!("`{c}' is U+{code:04X}, a dash of a word processor; write {right}")
        }
        '\u{2018}'..='\u{201f}' => {
            format!("`{c}' is U+{code:04X}, a quotation mark of a word processor")
        }
        '\u{a0}' | '\u{2007}' | '\u{202f}' => {
            format!(
                "U+{code:04X} in `{}' is a no-break space; write a blank",
                shown(word)
            )
        }
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {
            format!(
                "`{}' contains U+{code:04X}, which is invisible",
                shown(word)
            )
        }
        '\r' => format!(
            "`{}' ends in a carriage return: a script with DOS line ends?",
            shown(word)
        ),
        _ => return None,
    })
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// `word`, with escapes for what cannot be seen.
fn shown(word: &str) -> String {
    let seen = |c: char| !is_odd(c) || c.is_alphanumeric();
    let show = |c: char| match seen(c) {
        true => c.to_string(),
        false => c.escape_default().to_string(),
    };
    word.chars().map(show).collect()
}

/// A long option with one dash, in any of the words.
pub fn single_dash(asked: &Asked) -> Option<String> {
    asked.words.iter().find_map(|word| {
        let letters = word.strip_prefix(b"-")?;
        let name = letters.split(|byte| *byte == b'=').next()?;
        find_long(name).filter(|_| name.len() > 1)?;
        let letters = std::str::from_utf8(letters).ok()?;
        let read = match apart(letters) {
            Some(read) => format!("is `{read}': "),
            None => "needs two dashes: ".to_owned(),
        };
        Some(format!("`-{letters}' {read}write --{letters}"))
    })
}

/// What a bundle of `letters` stands for, if each is an option.
fn apart(letters: &str) -> Option<String> {
    let mut parts = Vec::new();
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let row = find_short(u8::try_from(letter).ok()?)?;
        parts.push(format!("-{letter}"));
        if !matches!(row.takes, Takes::Nothing(_)) {
            parts.extend((!rest.as_str().is_empty()).then(|| rest.as_str().to_owned()));
            break;
        }
    }
    Some(parts.join(" "))
}

/// The commands of other tools, and what does the same here.
const VERBS: [(&[&str], &str); 11] = [
    (
        &["list", "show", "ls", "status", "get", "print"],
        "-L lists the table",
    ),
    (
        &["add", "create", "new"],
        "-A adds a virtual service, -a a real server",
    ),
    (
        &["del", "delete", "rm", "remove"],
        "-D deletes a virtual service, -d a real server",
    ),
    (
        &["edit", "change", "modify", "update", "replace"],
        "-E changes a virtual service, -e a real server",
    ),
    (&["flush", "clear", "clean"], "-C deletes everything"),
    (&["save", "dump", "export"], "-S prints the table as rules"),
    (
        &["restore", "load", "import"],
        "-R applies rules from standard input",
    ),
    (&["zero", "reset"], "-Z sets the counters to zero"),
    (&["stats"], "-L --stats lists the counters"),
    (&["help"], "-h prints help"),
    (&["version"], "-v prints the version"),
];

/// What the command `verb` of other tools is here.
pub fn verb(verb: &[u8]) -> Option<&'static str> {
    let known = |names: &[&str]| names.iter().any(|name| name.as_bytes() == verb);
    VERBS
        .iter()
        .find(|(names, _)| known(names))
        .map(|(_, said)| *said)
}

/// The commands of iptables, ip and others that are spelt as options.
const COMMANDS: [(&str, &str); 7] = [
    ("-F", "-C deletes everything"),
    ("--flush", "-C deletes everything"),
    ("-V", "-v prints the version"),
    ("-?", "-h prints help"),
    ("-H", "-h prints help"),
    ("--usage", "-h prints help"),
    ("--show", "-L lists the table"),
];

/// What the command `word` of other tools is here.
pub fn command(word: &[u8]) -> Option<&'static str> {
    COMMANDS
        .iter()
        .find(|(name, _)| name.as_bytes() == word)
        .map(|(_, said)| *said)
}

/// The options that Alibaba's LVS and DPVS have, and IPVS has not.
const FULLNAT: [&str; 23] = [
    "-P",
    "-Q",
    "-G",
    "-U",
    "-B",
    "-O",
    "-Y",
    "-W",
    "-z",
    "-k",
    "-q",
    "-K",
    "--add-laddr",
    "--del-laddr",
    "--get-laddr",
    "--laddr",
    "--local-address",
    "--fullnat",
    "--snat",
    "--syn-proxy",
    "--synproxy",
    "--ifname",
    "--proxy-protocol",
];

/// Whether `word` is an option of Alibaba's LVS or DPVS, and nothing else.
pub fn is_fullnat(word: &[u8], asked: &Asked) -> bool {
    let given = |other: &[u8]| asked.words.contains(&other);
    match word {
        b"-j" => given(b"enable") || given(b"disable"),
        b"-V" | b"-F" | b"-H" => given(b"-z") || given(b"-k") || word == b"-V" && given(b"-t"),
        // Some letters are options of ours in small: -w, -p, -u, -o, -g.
        b"-P" | b"-U" | b"-O" | b"-W" | b"-G" => asked.command().is_none(),
        _ => {
            let name = word.split(|byte| *byte == b'=').next().unwrap_or(word);
            let lists = [&b"-blklst"[..], b"-whtlst"];
            FULLNAT.iter().any(|known| known.as_bytes() == name)
                || name.starts_with(b"--") && lists.iter().any(|end| name.ends_with(end))
        }
    }
}

/// The hint on `option` of theirs.
pub fn fullnat(option: &str) -> String {
    format!("{option} is an option of Alibaba's LVS and DPVS; the kernel's IPVS has no FullNAT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_processors_are_recognized() {
        let said = |word: &str| odd_character(&[b"-A", word.as_bytes()]);
        for (word, hint) in [
            ("–t", "`–' is U+2013, a dash of a word processor; write -t"),
            (
                "‐‐scheduler",
                "`‐' is U+2010, a dash of a word processor; write --scheduler",
            ),
            (
                "—add-service",
                "`—' is U+2014, a dash of a word processor; write --add-service",
            ),
            ("−Ln", "`−' is U+2212, a dash of a word processor; write -"),
            (
                "10.0.0.1–10.0.0.9",
                "`–' is U+2013, a dash of a word processor; write -",
            ),
            (
                "“10.0.0.1:80”",
                "`“' is U+201C, a quotation mark of a word processor",
            ),
            (
                "-A\u{a0}-t",
                "U+00A0 in `-A\\u{a0}-t' is a no-break space; write a blank",
            ),
            (
                "10.0.0.1\u{200b}:80",
                "`10.0.0.1\\u{200b}:80' contains U+200B, which is invisible",
            ),
            (
                "rr\r",
                "`rr\\r' ends in a carriage return: a script with DOS line ends?",
            ),
        ] {
            assert_eq!(said(word).as_deref(), Some(hint), "{word}");
        }
        for word in ["-t", "dünn", "日本", ""] {
            assert_eq!(said(word), None, "{word}");
        }
    }

    #[test]
    fn a_bundle_is_taken_apart() {
        assert_eq!(apart("scheduler").as_deref(), Some("-s cheduler"));
        assert_eq!(apart("list").as_deref(), Some("-l -i -s t"));
        assert_eq!(apart("numeric").as_deref(), Some("-n -u meric"));
        assert_eq!(apart("clear").as_deref(), Some("-c -l -e -a -r"));
        assert_eq!(apart("openmetrics"), Some("-o -p enmetrics".into()));
        assert_eq!(apart("zero"), None);
    }
}
