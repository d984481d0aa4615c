//! `--ensure`: the same line again and again, whatever the table has. The
//! compliance suite shows for each of its lines that the second one sends no
//! edit.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub const TESTS: &[Test] = &[
    ("ensure::whatever_is_there", whatever_is_there),
    ("ensure::real_errors_stay", real_errors_stay),
    ("ensure::lines_of_rules", lines_of_rules),
    ("ensure::somebody_else", somebody_else),
];

const RULES: &str = "-A -t 10.0.9.1:80 -s wrr -p 60\n\
    -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 9\n";

fn whatever_is_there() {
    let machine = Machine::new();
    #[rustfmt::skip] // one case a line
    let cases = [
        ("-A -t 10.0.9.1:80 -s rr", "-A -t 10.0.9.1:80 -s rr\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 9\n"),
        ("-A -t 10.0.9.1:80 -s rr --keep", "-A -t 10.0.9.1:80 -s rr -p 60\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 9\n"),
        ("-A -t 10.0.9.1:80 --keep --without persistent", "-A -t 10.0.9.1:80 -s wrr\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 9\n"),
        ("-A -f 7 --keep -s rr", "-A -t 10.0.9.1:80 -s wrr -p 60\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 9\n-A -f 7 -s rr\n"),
        ("-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m", "-A -t 10.0.9.1:80 -s wrr -p 60\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1\n"),
        ("-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 4 --keep", "-A -t 10.0.9.1:80 -s wrr -p 60\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 4 -x 9\n"),
        ("-a -t 10.0.9.1:80 -r 10.0.9.3:80 -w 4 --keep", "-A -t 10.0.9.1:80 -s wrr -p 60\n-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 9\n-a -t 10.0.9.1:80 -r 10.0.9.3:80 -g -w 4\n"),
        ("-d -t 10.0.9.1:80 -r 10.0.9.2:8080", "-A -t 10.0.9.1:80 -s wrr -p 60\n"),
        ("-d -t 10.0.9.1:80 -r 10.0.9.2:8080 --drain 9", "-A -t 10.0.9.1:80 -s wrr -p 60\n"),
        ("-d -t 10.0.9.9:80 -r 10.0.9.2:8080", RULES),
        ("-d -t 10.0.9.9:80 -r 10.0.9.2:8080 --drain", RULES),
        ("-D -t 10.0.9.1:80", ""),
        ("-D -t 10.0.9.9:80", RULES),
    ];
    for (line, wanted) in cases {
        machine.ipvsadm("-C");
        machine.feed("-R", RULES);
        for time in ["first", "second"] {
            let output = machine.call(OURS, &format!("{line} --ensure"), "");
            let (status, said) = ended(&output);
            assert_eq!(status, Some(0), "{line}, the {time} time: {said}");
            assert_eq!(machine.ipvsadm("-Sn"), wanted, "{line}, the {time} time");
        }
    }
}

fn real_errors_stay() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    for (line, status, said) in [
        (
            "-a -t 10.0.9.9:80 -r 10.0.9.2 --ensure",
            255,
            "Service not defined\n",
        ),
        (
            "-A -f 7 -s nosuch --ensure",
            255,
            "Scheduler or persistence engine not found\n",
        ),
        (
            "-A -t 10.0.9.1:80 -s nosuch --ensure",
            255,
            "Scheduler or persistence engine not found\n",
        ),
        (
            "-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -y 5 --ensure",
            255,
            "Numerical result out of range\n",
        ),
        (
            "-E -t 10.0.9.1:80 --ensure",
            255,
            "--ensure: unknown option\n",
        ),
        ("-C --ensure", 255, "--ensure: unknown option\n"),
        ("-Z --ensure", 255, "--ensure: unknown option\n"),
        ("-L --ensure", 255, "--ensure: unknown option\n"),
    ] {
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output), (Some(status), said.to_owned()), "{line}");
        assert_eq!(machine.ipvsadm("-Sn"), RULES, "{line}");
    }
}

fn lines_of_rules() {
    let machine = Machine::new();
    let ensured = RULES.replace('\n', " --ensure\n");
    let tail = "-d -t 10.0.9.1:80 -r 10.0.9.4:80 --ensure\n-D -f 9 --ensure\n";
    for _ in 0..2 {
        machine.feed("-R", &format!("{ensured}{tail}"));
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
    }
    assert_eq!(machine.feed("-R --dry-run", &ensured), ensured);
    machine.ipvsadm("-A -f 9");
    machine.feed("-R --replace", &ensured);
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
    let output = machine.call(OURS, "-R --replace", &format!("{ensured}{tail}"));
    let (status, said) = ended(&output);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.starts_with("line 3: only -A, -a"), "{said}");
}

/// Another program adds and deletes what is ensured, all the time; a change at a
/// time, since what changes faster than anybody can read need not be caught.
fn somebody_else() {
    let machine = Machine::new();
    let done = AtomicBool::new(false);
    let service = "-t 10.0.9.1:80";
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            let add = format!("-A {service} -s rr");
            let server = format!("-a {service} -r 10.0.9.2 -w 9");
            let delete = format!("-D {service}");
            while !done.load(Ordering::Relaxed) {
                for line in [&add, &server, &delete] {
                    let _ = machine.call(OURS, line, "");
                }
            }
        });
        let lines = [
            format!("-A {service} -s wlc --ensure"),
            format!("-D {service} --ensure"),
            format!("-d {service} -r 10.0.9.2 --ensure"),
        ];
        let lines = lines.iter().cycle().take(120);
        let ended: Vec<_> = lines
            .map(|line| (line.clone(), ended(&machine.call(OURS, line, ""))))
            .collect();
        done.store(true, Ordering::Relaxed);
        ended
    });
    for (line, ended) in ended {
        assert_eq!(ended, (Some(0), String::new()), "{line}");
    }
}
