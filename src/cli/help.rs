//! The texts of `-h` and `-v`; that of `-h` is made from the option table.
//!
//! Long spellings come first on their line: scripts look for them there.

use super::matrix::Allowed;
use super::opt::{CommandName, Opt, OptSet};
use super::options::{CONNECTION_OPTIONS, OPTIONS, OptionSpec, Role, Section, Takes, allowed_with};
use std::fmt::Write;

/// The version of C ipvsadm that this is compatible with: scripts look for
/// it.
pub const COMPATIBLE: &str = "v1.31";

/// The width of the widest spelling.
const SPELLING_WIDTH: usize = 36;

/// The text of `-h`, for a program called `program`.
pub fn help(program: &str) -> String {
    let mut text = usage(program);
    for &section in Section::ALL {
        let _ = writeln!(text, "\n{}:", section.name());
        for row in OPTIONS.iter().filter(|row| row.section == section) {
            if !row.long.is_empty() {
                let spelling = spelling(row);
                let _ = writeln!(text, "  {spelling:<0$} {1}", SPELLING_WIDTH, row.help());
            }
        }
    }
    text.push_str("\nThe manual page ipvsadm(8) explains all of it.\n");
    text
}

fn usage(program: &str) -> String {
    let mut text = String::from(
        "Administer the Linux Virtual Server, the load balancer in the kernel.\n\nUsage:\n",
    );
    let program = format!("  {program} ");
    for row in OPTIONS.iter().filter(|row| !row.long.is_empty()) {
        if let Role::Command(command) = row.role {
            wrap(
                &mut text,
                &program,
                &form(vec![spelt(row)], allowed_with(command)),
            );
            if command == CommandName::List {
                let connections = vec![spelt(row), "-c".into()];
                wrap(&mut text, &program, &form(connections, &CONNECTION_OPTIONS));
            }
        }
    }
    text.push_str(
        "SERVICE is -t|-u|--sctp-service ADDRESS, or -f MARK [-6].\n\
         All but -h and -v take --netns NAMESPACE.\n",
    );
    text
}

/// The words of a command line that begins with `words`: what it needs, the
/// options that exclude each other, and what else it may have.
fn form(mut words: Vec<String>, allowed: &Allowed) -> Vec<String> {
    let in_order = |set: OptSet| Opt::ALL.iter().copied().filter(move |o| set.contains(*o));
    words.extend(in_order(allowed.needs).map(kinds));
    let choice: Vec<String> = in_order(allowed.one_of).map(kinds).collect();
    if !choice.is_empty() {
        words.push(format!("[{}]", choice.join("|")));
    }
    for &section in Section::ALL.iter().filter(|s| **s != Section::AnyOptions) {
        let of_section = |option: &Opt| rows_of(*option).any(|row| row.section == section);
        let options = in_order(allowed.may).filter(of_section);
        // The word itself stands there already.
        let options = options.filter(|option| !words.contains(&kinds(*option)));
        let options: Vec<String> = options.map(|o| format!("[{}]", kinds(o))).collect();
        words.extend(options);
    }
    words
}

fn rows_of(option: Opt) -> impl Iterator<Item = &'static OptionSpec> {
    OPTIONS
        .iter()
        .filter(move |row| row.role == Role::Option(option))
}

/// `-g|-i|-m`: the option in all its kinds, each in its shortest spelling.
fn kinds(option: Opt) -> String {
    if option == Opt::ServiceAddress {
        return "SERVICE".into();
    }
    rows_of(option).map(spelt).collect::<Vec<_>>().join("|")
}

/// An option in its shortest spelling, with its value.
fn spelt(row: &OptionSpec) -> String {
    row.spellings().next().unwrap_or_default() + &value(row)
}

/// Adds `words` behind `start`, in lines of at most 80 characters.
fn wrap(text: &mut String, start: &str, words: &[String]) {
    let mut line = start.trim_end().to_owned();
    for word in words {
        if line.len() + 1 + word.len() > 80 {
            let _ = writeln!(text, "{line}");
            line = " ".repeat(start.len() + 2);
            line.push_str(word);
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    let _ = writeln!(text, "{line}");
}

/// The value of an option: ` VALUE`, ` [VALUE]` or nothing.
fn value(row: &OptionSpec) -> String {
    match row.takes {
        Takes::Nothing(_) => String::new(),
        Takes::Words(name) | Takes::Value(name, ..) => format!(" {name}"),
        Takes::Optional(name, ..) => format!(" [{name}]"),
    }
}

/// `--long        -s VALUE`, in the columns of the help.
fn spelling(row: &OptionSpec) -> String {
    let short = match row.short {
        Some(letter) => format!("-{}", char::from(letter)),
        None => "  ".into(),
    };
    format!("--{:<16} {short}{}", row.long, value(row))
}

/// The text of `-v`; the IPVS version is that of the kernel's interface.
pub fn version() -> String {
    format!(
        "ipvsadm {COMPATIBLE} rust {} (compiled with netlink and IPVS v1.2.1)\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// The help of ipvsadm-save.
pub const SAVE: &str = "\
Print the IPVS table as rules, for ipvsadm-restore.

Usage: ipvsadm-save [-n] [--all] [--netns NAMESPACE]
  -n        addresses and ports as numbers
  --all     also the session time-outs and the sync daemons
  --netns   a network namespace: a name as in ip netns, or a path
";

/// The help of ipvsadm-restore.
pub const RESTORE: &str = "\
Clear the IPVS table and apply rules from standard input.

Usage: ipvsadm-restore [--replace] [--dry-run] [--netns NAMESPACE] < RULES
  --replace   do not clear: make the table equal to the rules by the smallest change
  --dry-run   change nothing, print the commands that would run
  --netns     a network namespace: a name as in ip netns, or a path
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_begins_a_line() {
        let help = help("ipvsadm");
        for row in OPTIONS.iter().filter(|row| !row.long.is_empty()) {
            let start = format!("--{} ", row.long);
            assert!(
                help.lines().any(|l| l.trim_start().starts_with(&start)),
                "{start}"
            );
        }
    }

    #[test]
    fn explanations_stand_in_one_column() {
        assert_eq!(
            OPTIONS.iter().map(|row| spelling(row).len()).max(),
            Some(SPELLING_WIDTH)
        );
    }

    #[test]
    fn the_version_is_found_by_scripts() {
        assert!(version().starts_with("ipvsadm v1.31"));
        assert!(version().ends_with("and IPVS v1.2.1)\n"));
    }
}
