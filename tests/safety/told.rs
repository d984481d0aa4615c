//! What changes say of themselves: `--dry-run` and `--json` with `--ensure`,
//! `--keep`, edits of hosts, `-R --replace` and `-R --ensure`.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use serde_json::{Value, json};

pub const TESTS: &[Test] = &[
    ("told::before_and_after", before_and_after),
    ("told::of_rules_and_hosts", of_rules_and_hosts),
    ("told::what_failed", what_failed),
    ("told::refusals", refusals),
];

const RULES: &str = "\
-A -t 10.0.9.1:80 -s wrr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 4
-A -f 7 -s rr
-a -f 7 -r 10.0.9.2:0 -m -w 3
";

/// Exit status, output and messages.
fn said(machine: &Machine, line: &str, input: &str) -> (Option<i32>, String, String) {
    let output = machine.call(OURS, line, input);
    let (status, stderr) = ended(&output);
    let stdout = String::from_utf8(output.stdout).expect("text");
    (status, stdout, stderr)
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The document of `commands` that were carried out, or would be.
fn changes(commands: &[&str]) -> Value {
    json!({"changed": !commands.is_empty(), "commands": commands})
}

/// A dry run changes nothing and says what the command then does, which says the
/// same; the next one has nothing to do.
fn before_and_after() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    for (line, command) in [
        (
            "-A -t 10.0.9.1:80 -s rr --ensure",
            "-E -t 10.0.9.1:80 -s rr",
        ),
        (
            "-A -t 10.0.9.1:81 -s rr --ensure",
            "-A -t 10.0.9.1:81 -s rr",
        ),
        ("-E -f 7 --keep -p 60", "-E -f 7 -s rr -p 60"),
        (
            "-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 9 --ensure",
            "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 9",
        ),
        (
            "-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m --ensure --keep",
            "-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 1",
        ),
        (
            "-e -t 10.0.9.1:80 -r 10.0.9.3:8080 --keep -w 0",
            "-e -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 0",
        ),
        (
            "-d -t 10.0.9.1:80 -r 10.0.9.3:8080 --ensure",
            "-d -t 10.0.9.1:80 -r 10.0.9.3:8080",
        ),
        ("-D -f 7 --ensure", "-D -f 7"),
    ] {
        let before = machine.ipvsadm("-Sn");
        let dry = said(&machine, &format!("{line} --dry-run"), "");
        assert_eq!(
            dry,
            (Some(1), format!("{command}\n"), String::new()),
            "{line}"
        );
        let (status, told, complaint) = said(&machine, &format!("{line} --dry-run --json"), "");
        assert_eq!((status, complaint.as_str()), (Some(1), ""), "{line}");
        assert_eq!(document(&told), changes(&[command]), "{line}");
        assert_eq!(machine.ipvsadm("-Sn"), before, "{line}");
        let told = machine.ipvsadm(&format!("{line} --json"));
        assert_eq!(document(&told), changes(&[command]), "{line}");
        let after = machine.ipvsadm("-Sn");
        assert_ne!(after, before, "{line}");
        assert_eq!(machine.ipvsadm(&format!("{line} --dry-run")), "", "{line}");
        let told = machine.ipvsadm(&format!("{line} --dry-run --json"));
        assert_eq!(document(&told), changes(&[]), "{line}");
        let told = machine.ipvsadm(&format!("{line} -j"));
        assert_eq!(document(&told), changes(&[]), "{line}");
        assert_eq!(machine.ipvsadm("-Sn"), after, "{line}");
    }
}

fn of_rules_and_hosts() {
    let machine = Machine::new();
    let rules = "-A -t 10.0.9.1:80 -s wrr\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 9\n";
    for (line, input, commands) in [
        (
            "-e --all -r 10.0.9.2 --keep -w 0",
            "",
            &[
                "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 0",
                "-e -f 7 -r 10.0.9.2:0 -m -w 0",
            ][..],
        ),
        (
            "-d --vip 10.0.9.1 -r 10.0.9.2 --ensure",
            "",
            &["-d -t 10.0.9.1:80 -r 10.0.9.2:8080"],
        ),
        (
            "-R --replace",
            rules,
            &[
                "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 9",
                "-d -t 10.0.9.1:80 -r 10.0.9.3:8080",
                "-D -f 7",
            ],
        ),
        (
            "-R --ensure",
            rules,
            &["-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 9"],
        ),
    ] {
        machine.feed("-R", &format!("-C\n{RULES}"));
        let sorted = |text: &str| {
            let mut document = document(text);
            let commands = document["commands"].as_array_mut().expect("commands");
            commands.sort_by_key(Value::to_string);
            document
        };
        let mut wanted = changes(commands);
        let list = wanted["commands"].as_array_mut().expect("commands");
        list.sort_by_key(Value::to_string);
        let (status, told, complaint) = said(&machine, &format!("{line} --dry-run --json"), input);
        assert_eq!((status, complaint.as_str()), (Some(1), ""), "{line}");
        assert_eq!(sorted(&told), wanted, "{line}");
        assert_eq!(machine.ipvsadm("-Sn"), RULES, "{line}");
        assert_eq!(
            sorted(&machine.feed(&format!("{line} --json"), input)),
            wanted
        );
        assert_ne!(machine.ipvsadm("-Sn"), RULES, "{line}");
        let nothing = changes(&[]);
        let told = machine.feed(&format!("{line} --json"), input);
        assert_eq!(document(&told), nothing, "{line}");
        let told = machine.feed(&format!("{line} --dry-run --json"), input);
        assert_eq!(document(&told), nothing, "{line}");
    }
}

/// What took effect and what did not, and the status of the command without
/// --json.
fn what_failed() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let input = "-A -f 8 -s nosuch\n-A -f 9 -s rr\n-d -f 7 -r 10.0.9.2\n";
    let (status, told, complaint) = said(&machine, "-R --ensure --json", input);
    let why = "Scheduler or persistence engine not found";
    assert_eq!((status, complaint), (Some(255), format!("line 1: {why}\n")));
    assert_eq!(
        document(&told),
        json!({
            "changed": true,
            "commands": ["-A -f 9 -s rr", "-d -f 7 -r 10.0.9.2:0"],
            "failed": [{"line": 1, "command": "-A -f 8 -s nosuch", "error": why}],
        })
    );
    // Nothing is sent for a line that cannot be reached.
    let input = "-a -f 5 -r 10.0.9.2 -m\n";
    for line in ["-R --ensure --json", "-R --ensure --json --dry-run"] {
        let (status, told, complaint) = said(&machine, line, input);
        let why = "Service not defined";
        assert_eq!((status, complaint), (Some(255), format!("line 1: {why}\n")));
        assert_eq!(
            document(&told),
            json!({
                "changed": false,
                "commands": [],
                "failed": [{"line": 1, "command": null, "error": why}],
            })
        );
    }
    let replaced = "-A -f 7 -s rr\n-A -f 8 -s nosuch\n";
    let (status, told, complaint) = said(&machine, "-R --replace --json", replaced);
    assert_eq!(status, Some(255), "{complaint}");
    let told = document(&told);
    assert_eq!(told["changed"], true, "{told}");
    assert_eq!(told["failed"][0]["command"], "-A -f 8 -s nosuch", "{told}");
    let gone = json!(["-D -t 10.0.9.1:80", "-D -f 9"]);
    assert_eq!(told["commands"], gone, "{told}");
    // The upper threshold of one of them would be below the lower one.
    machine.feed("-R", &format!("-C\n{RULES}"));
    machine.ipvsadm("-e -f 7 -r 10.0.9.2 --keep -x 9 -y 9");
    let edit = "-e --all -r 10.0.9.2 --keep -x 5 --json";
    let (status, told, _) = said(&machine, edit, "");
    let told = document(&told);
    assert_eq!(status, Some(255), "{told}");
    let made = json!(["-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 5"]);
    assert_eq!(told["commands"], made);
    assert_eq!(told["failed"].as_array().map(Vec::len), Some(1), "{told}");
    assert!(told["failed"][0]["line"].is_null(), "{told}");
}

fn refusals() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    #[rustfmt::skip] // one case a line
    let cases = [
        ("-A -f 9 --json", "", 2, "The option 'json' needs the 'ensure' option"),
        ("-a -f 7 -r 10.0.9.3 -m --dry-run", "", 2, "The option 'dry-run' needs the 'ensure' option"),
        ("-E -f 7 -s rr --dry-run", "", 2, "The option 'dry-run' needs the 'keep' option"),
        ("-e -f 7 -r 10.0.9.2 -m -j", "", 2, "The option 'json' needs the 'keep' option"),
        ("-R --json", "-A -f 9\n", 2, "The option 'json' needs the 'replace' option"),
        ("-R --json --dry-run", "-A -f 9\n", 2, "The option 'json' needs the 'replace' option"),
        ("-C --json", "", 255, "--json: unknown option"),
        ("-C --dry-run", "", 255, "--dry-run: unknown option"),
        ("-d -f 7 -r 10.0.9.2 --drain 1 --ensure --dry-run", "", 2, "The option 'dry-run' conflicts with the 'drain' option in the 'delete-server' command"),
        ("-e --all -r 10.0.9.2 --keep -w 0 --drain 1 --json", "", 2, "The option 'json' conflicts with the 'drain' option in the 'edit-server' command"),
        ("-e -f 7 -r 10.0.9.9 --keep --dry-run", "", 255, "No such destination"),
        ("-e -f 9 -r 10.0.9.9 --keep --dry-run --json", "", 255, "Service not defined"),
        ("-a -f 9 -r 10.0.9.9 -m --ensure --dry-run", "", 255, "Service not defined"),
        ("-a -f 9 -r 10.0.9.9 -m --ensure --json", "", 255, "Service not defined"),
        ("-E -f 9 --keep --json", "", 255, "No such service"),
        ("-d --all -r 10.0.9.9 --json", "", 255, "No such destination"),
        ("-R", "-A -f 9 --ensure --dry-run\n", 2, "line 1: the 'dry-run' option is not allowed in rules"),
        ("-R", "-A -f 9 --ensure --json\n", 2, "line 1: the 'json' option is not allowed in rules"),
    ];
    for (line, input, status, message) in cases {
        let wanted = (Some(status), String::new(), format!("{message}\n"));
        assert_eq!(said(&machine, line, input), wanted, "{line}");
    }
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
}
