//! `-R --replace`: the smallest change, while connections go on.

use crate::Test;
use crate::connection::{Connection, listen};
use crate::support::machine::{Machine, ended, run};
use crate::support::programs::{OURS, RESTORE};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub const TESTS: &[Test] = &[
    ("replace::connections_go_on", connections_go_on),
    (
        "replace::the_difference_is_printed",
        the_difference_is_printed,
    ),
    ("replace::somebody_else_changes_the_table", somebody_else),
    ("replace::a_part", a_part),
    ("replace::a_part_never_widens", never_widens),
    ("replace::two_managers", two_managers),
];

const BEFORE: &str = "\
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1
-A -t 10.0.9.1:81 -s rr
-A -f 1 -s wlc
";

/// One server's weight, one server more, one service less, one more.
const AFTER: &str = "\
-A -t 10.0.9.1:80 -s wrr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 5
-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 1
-A -t 10.0.9.1:82 -s rr
-A -f 1 -s wlc
";

const DIFFERENCE: &str = "\
-E -t 10.0.9.1:80 -s wrr
-e -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 5
-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 1
-A -t 10.0.9.1:82 -s rr
-D -t 10.0.9.1:81
";

fn connections_go_on() {
    let machine = Machine::new();
    machine.feed("-R", BEFORE);
    let listeners = [listen(2), listen(3), listen(4)];
    let mut open: Vec<Connection> = (0..40).map(|_| Connection::open(80, &listeners)).collect();
    let weights = |machine: &Machine| machine.ipvsadm("-Ln -t 10.0.9.1:80");
    assert!(weights(&machine).contains("10.0.9.2:8080                Masq    1      20"));
    let (mut made, mut broken) = (0, 0);
    for round in 0..20 {
        let (program, line) = [(OURS, "-R --replace"), (RESTORE, "--replace")][round % 2];
        let rules = [AFTER, BEFORE][round % 2];
        let output = machine.call(program, line, rules);
        assert_eq!(ended(&output), (Some(0), String::new()));
        assert_eq!(machine.ipvsadm("-Sn"), rules);
        // Those to the servers that were in both tables all the time.
        broken += open
            .iter_mut()
            .filter_map(|c| (!c.is_alive()).then_some(()))
            .count();
        // New ones, at any time; those to 10.0.9.4 end with its removal.
        let mut new = Connection::open(80, &listeners);
        broken += usize::from(!new.is_alive());
        made += 1;
        if new.server().ip() != listeners[2].local_addr().expect("an address").ip() {
            open.push(new);
        }
    }
    println!("{broken} connections broken of {}", made + 40);
    assert_eq!(broken, 0);
}

fn the_difference_is_printed() {
    let machine = Machine::new();
    machine.feed("-R", BEFORE);
    let output = machine.call(OURS, "-R --replace --dry-run", AFTER);
    assert_eq!(ended(&output), (Some(1), String::new()));
    assert_eq!(String::from_utf8_lossy(&output.stdout), DIFFERENCE);
    assert_eq!(machine.ipvsadm("-Sn"), BEFORE);
    // What is printed does it.
    machine.feed("-R", DIFFERENCE);
    assert_eq!(machine.feed("-R --replace --dry-run", AFTER), "");
    assert_eq!(machine.ipvsadm("-Sn"), AFTER);
}

/// Another ipvsadm adds and deletes one of the services all the time: in the
/// end the table is what the rules say, or the exit status is not 0.
fn somebody_else() {
    let machine = Machine::new();
    machine.feed("-R", BEFORE);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for line in ["-A -t 10.0.9.1:82 -s rr", "-D -t 10.0.9.1:82"] {
                    let _ = machine.call(OURS, line, "");
                }
            }
        });
        for round in 0..20 {
            let rules = [AFTER, BEFORE][round % 2];
            let output = machine.call(OURS, "-R --replace", rules);
            let (status, said) = ended(&output);
            assert_eq!(status == Some(0), said.is_empty(), "{status:?} {said}");
        }
        done.store(true, Ordering::Relaxed);
    });
    machine.feed("-R --replace", AFTER);
    assert_eq!(machine.ipvsadm("-Sn"), AFTER);
}

/// Services at two addresses, with a mark, and of both families.
const PARTS: &str = "\
--start-daemon backup --mcast-interface lo --syncid 7
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1
-A -t 10.0.9.1:81 -s rr
-A -u 10.0.9.1:53 -s rr
-A -t 10.0.9.11:80 -s rr
-a -t 10.0.9.11:80 -r 10.0.9.2:8080 -m -w 1
-A -t [2001:db8::1]:80 -s rr
-A -f 1 -s rr
-A -f 1 -6 -s rr
";

/// Whatever `-S` prints with a selector is made equal to the rules, and nothing else
/// is touched.
fn a_part() {
    for (selector, rules) in [
        (
            "--vip 10.0.9.1",
            "-A -t 10.0.9.1:80 -s wrr\n-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 1\n-A -t 10.0.9.1:443 -s rr\n",
        ),
        ("--vip 10.0.9.1:81", "-A -t 10.0.9.1:81 -s sh\n"),
        ("--vip 10.0.9.0/24", "-A -t 10.0.9.77:80 -s sh\n"),
        ("--vip 2001:db8::/32", "# nothing\n"),
        (
            "-t 10.0.9.1:80",
            "-A -t 10.0.9.1:80 -s rr\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 7\n",
        ),
        ("-u 10.0.9.1:53", "\n"),
        ("-t 10.0.9.99:80", "-A -t 10.0.9.99:80 -s rr\n"),
        (
            "--sctp-service 10.0.9.1:9",
            "-A --sctp-service 10.0.9.1:9 -s rr\n",
        ),
        ("-f 1", "-A -f 1 -s wlc\n"),
        ("-f 1 -6", "# nothing\n"),
    ] {
        let machine = Machine::new();
        machine.feed("-R", PARTS);
        let all = machine.ipvsadm("-Sn --all");
        let part = machine.call(OURS, &format!("-S -n {selector}"), "");
        let part = String::from_utf8(part.stdout).expect("text");
        let is_of_part = |line: &&str| part.lines().any(|other| other == *line);
        let rest: Vec<_> = all.lines().filter(|line| !is_of_part(line)).collect();
        let line = format!("-R --replace {selector}");
        let dry = machine.call(OURS, &format!("{line} --dry-run"), rules);
        assert_eq!(ended(&dry), (Some(1), String::new()), "{selector}");
        assert_eq!(machine.ipvsadm("-Sn --all"), all, "{selector}");
        assert_eq!(machine.feed(&line, rules), "");
        // Everything else is as it was, and in its place are the rules.
        let after = machine.ipvsadm("-Sn --all");
        let wanted = rules.lines().filter(|line| line.starts_with('-'));
        let mut wanted: Vec<_> = rest.into_iter().chain(wanted).collect();
        let mut after: Vec<_> = after.lines().collect();
        wanted.sort();
        after.sort();
        assert_eq!(after, wanted, "{selector}");
        assert_eq!(machine.feed(&format!("{line} --dry-run"), rules), "");
    }
}

/// A selector that is empty or wrong, or a rule outside the part, is an error before
/// anything changes.
fn never_widens() {
    let machine = Machine::new();
    machine.feed("-R", PARTS);
    let before = machine.ipvsadm("-Sn --all");
    let rules = "-A -t 10.0.9.1:80 -s rr\n";
    let vip = "illegal virtual IP address[/length][:port] specified\n";
    let tcp = "illegal virtual server address[:port] specified\n";
    let outside = "line 2: not in the part of the table that is replaced\n";
    for (words, input, said) in [
        (&["--replace", "--vip", ""][..], rules, vip),
        (&["--replace", "--vip="], rules, vip),
        (&["--replace", "--vip", " "], rules, vip),
        (&["--replace", "--vip", "--dry-run"], rules, vip),
        (&["--replace", "-t", ""], rules, tcp),
        (&["--replace", "-t", ":80"], rules, tcp),
        (
            &["--replace", "-f", ""],
            rules,
            "invalid fwmark value `' specified\n",
        ),
        (
            &["--replace", "--vip", "10.0.9.1", "-t", "10.0.9.1:80"],
            rules,
            "The option 'vip' conflicts with the 'service-address' option in the 'restore' command\n",
        ),
        (
            &["--replace", "--vip", "10.0.9.1", "-r", "10.0.9.2"],
            rules,
            "Illegal 'real-server' option with the 'restore' command\n",
        ),
        (
            &["--vip", "10.0.9.1"],
            rules,
            "The option 'vip' needs the 'replace' option\n",
        ),
        (
            &["--ensure", "--vip", "10.0.9.1"],
            rules,
            "The option 'vip' needs the 'replace' option\n",
        ),
        (
            &["-t", "10.0.9.1:80"],
            rules,
            "Illegal 'service-address' option with the 'restore' command\n",
        ),
        (
            &["--replace", "--vip", "10.0.9.1"],
            "-A -t 10.0.9.1:80\n-A -t 10.0.9.11:80\n",
            outside,
        ),
        (
            &["--replace", "--vip", "10.0.9.1"],
            "-A -t 10.0.9.1:80\n-a -t 10.0.9.11:80 -r 10.0.9.2 -m\n",
            outside,
        ),
        (
            &["--replace", "--vip", "10.0.9.1"],
            "-A -t 10.0.9.1:80\n--set 9 9 9\n",
            outside,
        ),
        (
            &["--replace", "--vip", "10.0.9.1"],
            "-A -t 10.0.9.1:80\n--start-daemon backup\n",
            outside,
        ),
        (&["--replace", "-f", "1"], "-A -f 1\n-A -f 1 -6\n", outside),
        (
            &["--replace", "--vip", "10.0.9.1"],
            "",
            "the input is empty, and --replace would delete this part of the table: \
             an empty line says that this is meant\n",
        ),
    ] {
        let words: Vec<_> = [&["-R"], words].concat();
        let output = run(OURS, &words, input).expect("a program");
        assert_eq!(ended(&output), (Some(2), said.into()), "{words:?}");
        assert_eq!(machine.ipvsadm("-Sn --all"), before, "{words:?}");
    }
    let output = machine.call(OURS, "-R --replace --vip", rules);
    let said = "--vip: missing argument\n";
    assert_eq!(ended(&output), (Some(255), said.into()));
    assert_eq!(machine.ipvsadm("-Sn --all"), before);
}

/// Two programs, each with an address of its own, and at the same time: neither
/// touches, or waits for, what the other does.
fn two_managers() {
    let machine = Machine::new();
    let rules = |vip: u8, round: usize| {
        let services = (0..20).map(|n| {
            let (service, weight) = (format!("-t 10.0.9.{vip}:{}", 100 + n), round + n);
            format!("-A {service} -s rr\n-a {service} -r 10.0.9.2:80 -m -w {weight}\n")
        });
        // Every other round without the second half.
        let count = if round % 2 == 0 { 20 } else { 10 };
        services.take(count).collect::<String>()
    };
    let others = "-A -f 7 -s rr\n";
    machine.feed("-R", others);
    thread::scope(|scope| {
        for vip in [1, 11] {
            let machine = &machine;
            scope.spawn(move || {
                for round in 0..30 {
                    let (part, rules) = (format!("--vip 10.0.9.{vip}"), rules(vip, round));
                    assert_eq!(machine.feed(&format!("-R --replace {part}"), &rules), "");
                    assert_eq!(machine.ipvsadm(&format!("-Sn {part}")), rules);
                }
            });
        }
    });
    let last = rules(1, 29) + &rules(11, 29) + others;
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&machine.ipvsadm("-Sn")), sorted(&last));
}
