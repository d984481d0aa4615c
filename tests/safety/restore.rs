//! Rules that are wrong, rules that the kernel refuses, and an interrupt.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::{OURS, RESTORE, unread_pipe};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub const TESTS: &[Test] = &[
    (
        "restore::wrong_lines_change_nothing",
        wrong_lines_change_nothing,
    ),
    (
        "restore::refusals_are_named_and_the_rest_goes_on",
        refusals_are_named,
    ),
    (
        "restore::a_closed_input_changes_nothing",
        a_closed_input_changes_nothing,
    ),
    (
        "restore::an_empty_input_replaces_nothing",
        an_empty_input_replaces_nothing,
    ),
    (
        "restore::a_dry_run_changes_nothing",
        a_dry_run_changes_nothing,
    ),
    ("restore::an_interrupt_ends_after_the_batch", an_interrupt),
    ("restore::a_closed_pipe_is_no_news", a_closed_pipe),
];

const RULES: &str = "-A -t 10.0.9.1:80 -s rr\n-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 1\n";

fn wrong_lines_change_nothing() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let input = "-C\n-A -t 10.0.9.1:81\n-A -t 10.0.9.256:80\n# fine\n-a -t 10.0.9.1:81\n";
    let said = "line 3: illegal virtual server address[:port] specified: 10.0.9.256:80: not an IPv4 address\n\
        line 5: You need to supply the 'real-server' option for the 'add-server' command\n";
    for (program, line) in [
        (OURS, "-R"),
        (OURS, "-R --dry-run"),
        (OURS, "-R --replace"),
        (RESTORE, ""),
        (RESTORE, "--replace"),
    ] {
        let output = machine.call(program, line, input);
        assert_eq!(ended(&output), (Some(2), said.into()), "{program} {line}");
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
    }
    // --replace takes a description, and nothing else.
    for (input, said) in [
        (
            "-C\n",
            "line 1: only -A, -a, --set and --start-daemon describe a table to replace\n",
        ),
        (
            "-A -f 1\n-A -f 1\n",
            "line 2: the same service as in line 1\n",
        ),
        (
            "-a -f 1 -r 10.0.9.2 -m\n",
            "line 1: no line before this one adds its service\n",
        ),
    ] {
        let output = machine.call(OURS, "-R --replace", input);
        assert_eq!(ended(&output), (Some(2), said.into()));
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
    }
}

/// Every way to read rules.
const READERS: &[&str] = &[
    "ipvsadm -R",
    "ipvsadm -R --dry-run",
    "ipvsadm -R --replace",
    "ipvsadm -R --replace --dry-run",
    "ipvsadm-restore",
    "ipvsadm-restore --dry-run",
    "ipvsadm-restore --replace",
    "ipvsadm-restore --replace --dry-run",
];

/// Runs `line` in a shell, with our programs first in the path.
fn in_shell(line: &str) -> Output {
    let programs = Path::new(OURS).parent().expect("a directory").display();
    let line = format!("PATH={programs}:$PATH; {line}");
    let output = Command::new("/bin/sh").args(["-c", &line]).output();
    output.expect("a shell")
}

fn a_closed_input_changes_nothing() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let closed = "cannot read the rules: standard input is not open for reading\n";
    for reader in READERS {
        for (input, said) in [
            ("<&-", closed),
            ("0>/dev/null", closed),
            ("<&- >&-", closed),
            ("</tmp", "cannot read the rules: Is a directory\n"),
        ] {
            let output = in_shell(&format!("{reader} {input}"));
            assert_eq!(ended(&output), (Some(2), said.into()), "{reader} {input}");
            assert!(output.stdout.is_empty(), "{reader} {input}");
            assert_eq!(machine.ipvsadm("-Sn"), RULES);
        }
        // Nor is standard output read where nothing can take the place of it.
        let rules = "echo '-A -f 9' >/tmp/output && exec";
        let bare = format!("mount -t tmpfs none /dev && {rules} {reader} <&- 1<>/tmp/output");
        let output = in_shell(&format!("unshare --mount sh -c \"{bare}\""));
        assert_eq!(ended(&output), (Some(2), closed.into()), "{reader}");
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
    }
}

/// An empty input is a failed command more often than a wish, but units start
/// with empty files of rules, and a comment is meant.
fn an_empty_input_replaces_nothing() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let said = "the input is empty, and --replace would delete everything: use -C to do that\n";
    for reader in READERS.iter().filter(|reader| reader.contains("--replace")) {
        let output = in_shell(&format!("{reader} </dev/null"));
        assert_eq!(ended(&output), (Some(2), said.into()), "{reader}");
        assert!(output.stdout.is_empty(), "{reader}");
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
    }
    assert_eq!(machine.feed("-R", ""), "");
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
    for line in ["ipvsadm -R --replace", "ipvsadm-restore --replace"] {
        let output = in_shell(&format!("echo '# nothing' | {line}"));
        assert_eq!(ended(&output), (Some(0), String::new()), "{line}");
        assert_eq!(machine.ipvsadm("-Sn"), "");
        machine.feed("-R", RULES);
    }
    let output = in_shell("ipvsadm-restore </dev/null");
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert_eq!(machine.ipvsadm("-Sn"), "");
}

fn refusals_are_named() {
    let machine = Machine::new();
    let mut input: String = (1..=2000)
        .map(|n| format!("-A -t 10.{}.{}.1:80 -s rr\n", n / 250, n % 250))
        .collect();
    input.push_str("-A -t 10.0.1.1:80 -s rr\n-A -t 10.9.9.9:80 -s nosuch\n-A -f 5\n");
    let output = machine.call(OURS, "-R", &input);
    let said = "line 2001: Service already exists\n\
        line 2002: Scheduler or persistence engine not found\n";
    assert_eq!(ended(&output), (Some(255), said.into()));
    assert_eq!(machine.ipvsadm("-Sn").lines().count(), 2001);
}

fn a_dry_run_changes_nothing() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let more = "-D -t 10.0.9.1:80\n-A -u 10.0.9.1:53 -s rr\n";
    assert_eq!(machine.feed("-R --dry-run", more), more);
    let output = machine.call(RESTORE, "--dry-run", RULES);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("-C\n{RULES}")
    );
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
}

/// An interrupt ends the work between two batches, and what was done is said.
fn an_interrupt() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    // Before all of the input was read, nothing is done.
    let mut restore = machine.start(RESTORE, "");
    let mut stdin = restore.stdin.take().expect("a pipe");
    stdin.write_all(b"-A -f 9\n").expect("a reader");
    kill(Pid::from_raw(restore.id() as i32), Signal::SIGINT).expect("a process");
    assert!(!restore.wait().expect("an end").success());
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
    for (program, line, signal, before, what) in [
        (OURS, "-R", Signal::SIGINT, "", "rules"),
        (OURS, "-R", Signal::SIGTERM, "", "rules"),
        (OURS, "-R --replace", Signal::SIGTERM, "", "changes"),
        (
            RESTORE,
            "",
            Signal::SIGINT,
            "the table was cleared, and ",
            "rules",
        ),
    ] {
        machine.ipvsadm("-C");
        let restore = machine.start(program, line);
        let output = interrupted(restore, signal);
        let there = machine.ipvsadm("-Sn").lines().count();
        let said = format!("interrupted: {before}{there} of {MANY} {what} were applied\n");
        let status = 128 + signal as i32;
        assert_eq!(ended(&output), (Some(status), said), "{program} {line}");
        assert!(0 < there && there < MANY, "{there} of {MANY}");
    }
}

/// More rules than are carried out before a signal arrives.
const MANY: usize = 20_000;

/// Gives `restore` many rules, and the signal when the first is in the table.
fn interrupted(mut restore: Child, signal: Signal) -> Output {
    let rules: String = (0..MANY)
        .map(|n| format!("-A -t 10.{}.{}.1:80 -s rr\n", n / 250, n % 250))
        .collect();
    let mut stdin = restore.stdin.take().expect("a pipe");
    stdin.write_all(rules.as_bytes()).expect("a reader");
    drop(stdin);
    let empty = || {
        let table = std::fs::read_to_string("/proc/thread-self/net/ip_vs");
        !table.is_ok_and(|table| table.contains("TCP"))
    };
    while restore.try_wait().expect("a child").is_none() && empty() {}
    let _ = kill(Pid::from_raw(restore.id() as i32), signal);
    restore.wait_with_output().expect("an end")
}

/// Nobody reads the listings among the rules: nothing is said, and the rules
/// are carried out.
fn a_closed_pipe() {
    let machine = Machine::new();
    // More than fits a buffer.
    let listings = "-Ln\n".repeat(1000);
    let rules = format!("{RULES}{listings}-A -f 9 -s rr\n");
    let mut restore = Command::new(OURS)
        .arg("-R")
        .stdin(Stdio::piped())
        .stdout(unread_pipe())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a program");
    let mut stdin = restore.stdin.take().expect("a pipe");
    stdin.write_all(rules.as_bytes()).expect("a reader");
    drop(stdin);
    let output = restore.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(141), String::new()));
    assert_eq!(machine.ipvsadm("-Sn"), format!("{RULES}-A -f 9 -s rr\n"));
}
