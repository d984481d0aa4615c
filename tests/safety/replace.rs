//! `-R --replace`: the smallest change, while connections go on.

use crate::Test;
use crate::connection::{Connection, listen};
use crate::support::machine::{Machine, ended};
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
