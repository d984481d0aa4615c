//! The texts of `-h` and `-v`; that of `-h` is made from the option table.
//!
//! Long spellings come first on their line: scripts look for them there.

use super::options::{OPTIONS, OptionSpec, Section, Takes};
use std::fmt::Write;

/// The version of C ipvsadm that this is compatible with: scripts look for
/// it.
pub const COMPATIBLE: &str = "v1.31";

/// The width of the widest spelling.
const SPELLING_WIDTH: usize = 35;

/// The text of `-h`, for a program called `program`.
pub fn help(program: &str) -> String {
    let mut text = usage(program);
    for &section in Section::ALL {
        let _ = writeln!(text, "\n{}:", section.name());
        for row in OPTIONS.iter().filter(|row| row.section == section) {
            if !row.long.is_empty() {
                let spelling = spelling(row);
                let _ = writeln!(text, "  {spelling:<0$} {1}", SPELLING_WIDTH, row.help);
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
    for form in [
        "-A|-E SERVICE [-s SCHEDULER] [-p [SECONDS]] [-M MASK] [--pe ENGINE] [-o] [-b FLAGS] [--ensure] [--keep [--without NAMES]]",
        "-D SERVICE [--ensure]",
        "-a|-e SERVICE -r ADDRESS [-g|-i|-m] [-w WEIGHT] [-x COUNT] [-y COUNT] [tunnel options] [--ensure] [--keep]",
        "-d SERVICE -r ADDRESS [--drain [SECONDS]] [--ensure]",
        "-L [SERVICE|-c|--timeout|--daemon] [options of a listing]",
        "-S [-n] [--all]",
        "-L|-S ... --watch [SECONDS] [--samples COUNT]",
        "-R [--replace] [--dry-run]",
        "-C",
        "--check [SERVICE]",
        "--check-real-server SERVICE [-r ADDRESS] [-g|-i|-m] [tunnel options]",
        "-Z [SERVICE]",
        "--set TCP TCPFIN UDP",
        "--start-daemon master|backup [options of a sync daemon]",
        "--stop-daemon master|backup [--syncid ID]",
        "-h | -v",
    ] {
        let _ = writeln!(text, "  {program} {form}");
    }
    text.push_str(
        "SERVICE is -t|-u|--sctp-service ADDRESS, or -f MARK [-6].\n\
         All but -h and -v take --netns NAMESPACE.\n",
    );
    text
}

/// `--long        -s VALUE`, in the columns of the help.
fn spelling(row: &OptionSpec) -> String {
    let value = match row.takes {
        Takes::Nothing => String::new(),
        Takes::Value(name) => format!(" {name}"),
        Takes::Optional(name) => format!(" [{name}]"),
    };
    let short = match row.short {
        Some(letter) => format!("-{}", char::from(letter)),
        None => "  ".into(),
    };
    format!("--{:<16} {short}{value}", row.long)
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
