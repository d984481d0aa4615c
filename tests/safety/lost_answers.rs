//! System calls that fail: what is said, and what the table is then, as C ipvsadm
//! lists it. strace fails the calls; the first answer that a program reads tells it
//! the number of the family, the second one is that to a single change.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::{OURS, REFERENCE, RESTORE};
use std::process::Output;

pub const TESTS: &[Test] = &[
    ("lost_answers::one_is_no_failure", one),
    ("lost_answers::a_look_tells", a_look_tells),
    ("lost_answers::not_made", not_made),
    ("lost_answers::nothing_can_be_read_any_more", nothing_read),
    ("lost_answers::among_rules", among_rules),
    ("lost_answers::replace_looks_again", replace),
    ("lost_answers::listings_read_again", listings),
    ("lost_answers::requests_that_are_not_sent", unsent),
    ("lost_answers::no_answer_is_not_a_no", questions),
    ("lost_answers::the_start_fails", start),
    ("lost_answers::descriptors_that_do_not_wait", no_waiting),
];

const LINKS: &str = "link add eth0 type dummy\nlink set eth0 up\n";

/// Runs `program` with `line` while the calls in `faults` fail.
fn call(machine: &Machine, faults: &str, program: &str, line: &str, input: &str) -> Output {
    let traced = format!("-o /dev/null -e inject={faults} {program} {line}");
    machine.call("strace", &traced, input)
}

/// How ours ended.
fn ours(machine: &Machine, faults: &str, line: &str, input: &str) -> (Option<i32>, String) {
    ended(&call(machine, faults, OURS, line, input))
}

/// The table, as C ipvsadm says it.
fn table(machine: &Machine) -> String {
    let lines = ["-Sn", "-L --timeout", "-L --daemon"];
    let said = lines.map(|line| machine.call(REFERENCE, line, "").stdout);
    String::from_utf8(said.concat()).expect("text")
}

/// Changes that the kernel makes, one after the other.
const CHANGES: [&str; 13] = [
    "-A -t 10.0.9.1:80 -s rr",
    "-A -t 10.0.9.1:81 -s rr --ensure",
    "-E -t 10.0.9.1:80 -s wrr",
    "-E -t 10.0.9.1:80 --keep -p 77",
    "-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m",
    "-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 5 -x 9 -y 3 --ensure",
    "-e -t 10.0.9.1:80 -r 10.0.9.3:8080 --keep -w 6",
    "-d -t 10.0.9.1:80 -r 10.0.9.2:8080",
    "-D -t 10.0.9.1:81",
    "--set 901 121 301",
    "--start-daemon master --syncid 7",
    "--stop-daemon master --syncid 7",
    "-C",
];

/// Each change of a first machine, and the table after it.
fn right() -> Vec<(&'static str, String)> {
    let machine = Machine::with(LINKS);
    let made = CHANGES.map(|line| {
        machine.ipvsadm(line);
        (line, table(&machine))
    });
    machine.ipvsadm("--set 900 120 300");
    made.into()
}

/// Each other call fails, and is tried again. ENOBUFS while a listing is read says
/// that a part of it is lost: where each other part is, there is no listing.
fn one() {
    let right = right();
    for (error, reads) in [
        ("ENOBUFS", "3"),
        ("ENOMEM", "1+2"),
        ("EAGAIN", "1+2"),
        ("EINTR", "1+2"),
    ] {
        let machine = Machine::with(LINKS);
        for (line, right) in &right {
            let faults = format!(
                "recvfrom:error={error}:when={reads} -e inject=sendto:error={error}:when=1+2"
            );
            let ended = ours(&machine, &faults, line, "");
            assert_eq!(ended, (Some(0), String::new()), "{faults} {line}");
            assert_eq!(table(&machine), *right, "{error} {line}");
        }
        machine.ipvsadm("--set 900 120 300");
    }
}

/// The answer to a change is read in vain, and then the table says that the change
/// was made.
fn a_look_tells() {
    let right = right();
    for error in ["ENOBUFS", "EAGAIN"] {
        let machine = Machine::with(LINKS);
        for (line, right) in &right {
            // After the look that comes first.
            let looks = line.contains("--keep") || line.contains("--ensure");
            let first = if looks { 3 } else { 2 };
            let faults = format!("recvfrom:error={error}:when={first}..{}", first + 2);
            let ended = ours(&machine, &faults, line, "");
            assert_eq!(ended, (Some(0), String::new()), "{faults} {line}");
            assert_eq!(table(&machine), *right, "{error} {line}");
        }
        machine.ipvsadm("--set 900 120 300");
    }
}

const RULES: &str = "\
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1
";

/// What the kernel refused cannot be heard, and the table says that it was not
/// made.
fn not_made() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let before = table(&machine);
    for line in [
        "-A -t 10.0.9.1:80 -s wrr",
        "-E -t 10.0.9.1:81",
        "-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 2",
        "-a -t 10.0.9.1:81 -r 10.0.9.2:8080 -m",
        "-e -t 10.0.9.1:80 -r 10.0.9.3:8080 -m",
        "--start-daemon master --mcast-interface nosuch",
    ] {
        for (error, why) in [
            (
                "ENOBUFS",
                "cannot read the kernel's answer: No buffer space available",
            ),
            ("EAGAIN", "the kernel's answer was lost"),
        ] {
            let faults = format!("recvfrom:error={error}:when=2..4");
            let said = format!("{why}; the change was not made\n");
            assert_eq!(ours(&machine, &faults, line, ""), (Some(255), said));
            assert_eq!(table(&machine), before, "{line}");
        }
    }
}

fn nothing_read() {
    let faults = "recvfrom:error=ENOBUFS:when=2+";
    let why = "cannot read the kernel's answer: No buffer space available";
    for (line, right) in right() {
        if line.contains("--keep") || line.contains("--ensure") {
            continue;
        }
        let machine = Machine::with(LINKS);
        let before: Vec<_> = CHANGES.iter().take_while(|other| **other != line).collect();
        before.iter().for_each(|line| drop(machine.ipvsadm(line)));
        let (status, said) = ours(&machine, faults, line, "");
        // With what else it takes for a default.
        let named: Vec<&str> = line.split(' ').take(2).collect();
        let may = format!("{why}; this change may have been made: {}", named.join(" "));
        assert_eq!(
            (status, said.starts_with(&may)),
            (Some(255), true),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(table(&machine), right, "{line}");
        machine.ipvsadm("--set 900 120 300");
    }
    // Nothing can be kept, or ensured, that is not known.
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let before = table(&machine);
    for line in [
        "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 5",
        "-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m --ensure",
        "-E -t 10.0.9.1:80 --keep -p 5",
    ] {
        let said = format!("{why}\n");
        assert_eq!(
            ours(&machine, faults, line, ""),
            (Some(255), said),
            "{line}"
        );
        assert_eq!(table(&machine), before, "{line}");
    }
}

/// The first answer is that of the family, the second that of the permission.
fn among_rules() {
    let rules = format!("{RULES}-a -t 10.0.9.1:81 -r 10.0.9.2 -m\n-A -t 10.0.9.1:82 -s rr\n");
    let machine = Machine::new();
    machine.feed("-R", &format!("{RULES}-A -t 10.0.9.1:82 -s rr\n"));
    let right = table(&machine);
    for (faults, program, options, status, said) in [
        (
            "recvfrom:error=ENOBUFS:when=3",
            OURS,
            "-R",
            255,
            "line 3: Service not defined\n",
        ),
        (
            "recvfrom:error=ENOBUFS:when=3..5",
            OURS,
            "-R",
            255,
            "line 3: cannot read the kernel's answer: No buffer space available; the change was \
             not made\n",
        ),
        (
            "recvfrom:error=EAGAIN:when=4..6",
            RESTORE,
            "",
            255,
            "line 3: the kernel's answer was lost; the change was not made\n",
        ),
    ] {
        machine.ipvsadm("-C");
        if program == RESTORE {
            machine.feed("-R", RULES);
        }
        // ipvsadm-restore reads one more for the clearing.
        let ended = ended(&call(&machine, faults, program, options, &rules));
        assert_eq!(ended, (Some(status), said.into()), "{faults}");
        assert_eq!(table(&machine), right, "{faults}");
    }
    // What a later line may have made or undone cannot be seen.
    machine.ipvsadm("-C");
    let undone = format!("{RULES}-d -t 10.0.9.1:80 -r 10.0.9.2:8080\n-Z\n");
    let said = "line 2: the kernel's answer was lost; this change may have been made: -a -t \
                10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1\n\
                line 4: the kernel's answer was lost; this change may have been made: -Z\n";
    let ended = ours(&machine, "recvfrom:error=EAGAIN:when=3..5", "-R", &undone);
    assert_eq!(ended, (Some(255), said.into()));
    assert_eq!(table(&machine).lines().next(), RULES.lines().next());
    // Two hundred lines are more than are sent at once.
    machine.ipvsadm("-C");
    let many: String = (1..=200)
        .map(|port| format!("-A -t 10.0.9.1:{port} -s rr\n"))
        .collect();
    for (faults, tried, lines) in [
        ("recvfrom:error=ENOBUFS:when=4+", 128, 64),
        ("sendto:error=ENOBUFS:when=4+", 64, 0),
    ] {
        machine.ipvsadm("-C");
        let (status, said) = ours(&machine, faults, "-R", &many);
        let end = format!(": No buffer space available: {tried} of 200 rules were tried\n");
        assert!(said.ends_with(&end), "{said}");
        assert_eq!(
            (status, said.lines().count()),
            (Some(255), lines + 1),
            "{said}"
        );
        assert_eq!(machine.ipvsadm("-Sn").lines().count(), tried);
    }
}

fn replace() {
    let machine = Machine::new();
    for faults in [
        "recvfrom:error=ENOBUFS:when=8..10",
        "recvfrom:error=EIO:when=9..11",
        "recvfrom:error=ENOMEM:when=2",
        "sendto:error=ENOBUFS:when=7",
    ] {
        machine.ipvsadm("-C");
        machine.ipvsadm("-A -t 10.0.9.1:81 -s rr");
        let ended = ours(&machine, faults, "-R --replace", RULES);
        assert_eq!(ended, (Some(0), String::new()), "{faults}");
        assert_eq!(machine.ipvsadm("-Sn"), RULES, "{faults}");
    }
}

fn listings() {
    let machine = Machine::new();
    let many: String = (1..=30)
        .map(|port| format!("-A -t 10.0.9.1:{port} -s rr\n-a -t 10.0.9.1:{port} -r 10.0.9.2 -m\n"))
        .collect();
    machine.feed("-R", &many);
    for line in ["-Ln", "-L --json"] {
        let right = machine.ipvsadm(line);
        for (error, when) in [("ENOBUFS", "3"), ("ENOMEM", "3..5"), ("EAGAIN", "20..22")] {
            let faults = format!("recvfrom:error={error}:when={when}");
            let output = call(&machine, &faults, OURS, line, "");
            assert_eq!(ended(&output), (Some(0), String::new()), "{faults} {line}");
            assert!(output.stdout == right.as_bytes(), "{faults} {line}");
        }
        let faults = "recvfrom:error=ENOBUFS:when=20+";
        let said = "cannot read the kernel's answer: No buffer space available\n";
        assert_eq!(ours(&machine, faults, line, ""), (Some(1), said.into()));
    }
}

fn unsent() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let before = table(&machine);
    let why = "cannot send the request to the kernel: Cannot allocate memory\n";
    for line in [
        "-C",
        "-D -t 10.0.9.1:80",
        "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 5",
    ] {
        let ended = ours(&machine, "sendto:error=ENOMEM:when=2+", line, "");
        assert_eq!(ended, (Some(255), why.into()), "{line}");
        assert_eq!(table(&machine), before, "{line}");
    }
    let ended = ours(&machine, "sendto:error=ENOMEM:when=2+", "-Ln", "");
    assert_eq!(ended, (Some(1), why.into()));
}

/// What is asked by the exit status: 1 would be an answer.
fn questions() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let other = RULES.replace("-w 1", "-w 2");
    for (line, faults) in [
        ("-R --replace --dry-run", "sendto:error=ENOBUFS:when=2+"),
        ("-R --replace --dry-run", "recvfrom:error=ENOMEM:when=3+"),
        ("-R --replace --dry-run", "recvfrom:error=EIO:when=6+"),
        ("--check", "recvfrom:error=ENOBUFS:when=2+"),
        ("--check -t 10.0.9.1:80", "recvfrom:error=ENOBUFS:when=2+"),
        ("--check -t 10.0.9.1:80", "recvfrom:error=ENOBUFS:when=3+"),
        ("--check", "sendto:error=ENOBUFS:when=3+"),
        (
            "-d -t 10.0.9.1:80 -r 10.0.9.2:8080 --drain 1",
            "recvfrom:error=EIO:when=2+",
        ),
        (
            "-d -t 10.0.9.1:80 -r 10.0.9.2:8080 --drain 1",
            "recvfrom:error=EIO:when=4+",
        ),
    ] {
        let output = call(&machine, faults, OURS, line, &other);
        let (status, said) = ended(&output);
        assert_eq!(status, Some(2), "{line} {faults}: {said}");
        assert!(
            said.starts_with("cannot ") && said.lines().count() == 1,
            "{said}"
        );
        assert!(output.stdout.is_empty(), "{line} {faults}: {output:?}");
    }
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
}

fn start() {
    let machine = Machine::new();
    for (faults, why) in [
        (
            "socket:error=EMFILE",
            "cannot open a netlink socket: Too many open files",
        ),
        (
            "sendto:error=ENOBUFS",
            "cannot send the request to the kernel: No buffer space available",
        ),
        (
            "recvfrom:error=ENOMEM",
            "cannot read the kernel's answer: Cannot allocate memory",
        ),
    ] {
        let said = format!("Can't initialize ipvs: {why}\n");
        for line in ["-C", "-Ln"] {
            assert_eq!(ours(&machine, faults, line, ""), (Some(2), said.clone()));
        }
    }
}

/// A descriptor may be set not to wait by whoever has it too.
fn no_waiting() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let right = machine.ipvsadm("-Sn");
    for faults in ["write:error=EAGAIN:when=1", "write:retval=1:when=1..9"] {
        let output = call(&machine, faults, OURS, "-Sn", "");
        assert_eq!(ended(&output), (Some(0), String::new()), "{faults}");
        // What strace says was written was not.
        assert!(faults.contains("retval") || output.stdout == right.as_bytes());
    }
    let script = "import os, subprocess, sys, time
many = ''.join(f'-A -t 10.0.9.1:{port} -s rr\\n' for port in range(100, 9000)).encode()
reader, writer = os.pipe()
os.set_blocking(reader, False)
child = subprocess.Popen([sys.argv[1], '-R'], stdin=reader)
for at in range(0, len(many), 10000):
    time.sleep(0.02)
    os.write(writer, many[at:at + 10000])
os.close(writer)
assert child.wait() == 0
reader, writer = os.pipe()
os.set_blocking(writer, False)
child = subprocess.Popen([sys.argv[1], '-Sn'], stdout=writer)
os.close(writer)
said = b''
while piece := os.read(reader, 5000):
    time.sleep(0.002)
    said += piece
assert child.wait() == 0
assert said.count(b'-s rr\\n') == 8901, said.count(b'\\n')";
    let script_file = std::env::temp_dir().join("no-waiting.py");
    std::fs::write(&script_file, script).expect("a file");
    let line = format!("{} {OURS}", script_file.display());
    let output = machine.call("python3", &line, "");
    assert_eq!(ended(&output), (Some(0), String::new()));
}
