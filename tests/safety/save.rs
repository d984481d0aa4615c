//! What is saved and restored is the same table.

use crate::Test;
use crate::support::machine::{EVERY_KIND, Machine, ended};
use crate::support::programs::{OURS, REFERENCE, RESTORE, SAVE};
use std::fs::File;
use std::process::Command;

pub const TESTS: &[Test] = &[
    ("save::round_trip", round_trip),
    (
        "save::the_reference_restores_it_too",
        the_reference_restores_it_too,
    ),
    ("save::disk_full", disk_full),
];

const VIEWS: &[&str] = &[
    "-Ln",
    "-L",
    "-Ln --stats",
    "-Ln --rate",
    "-Ln --thresholds",
    "-Ln --persistent-conn",
    "-Ln --tun-info",
    "-L --timeout",
    "-L --daemon",
    "-Sn --all",
];

fn views(machine: &Machine) -> Vec<String> {
    VIEWS.iter().map(|view| machine.ipvsadm(view)).collect()
}

fn round_trip() {
    let machine = Machine::new();
    machine.feed("-R", EVERY_KIND);
    let before = views(&machine);
    let saved = machine.ipvsadm("-Sn --all");
    for part in [
        "--set 901 121 301\n",
        "--sync-maxlen 1400 --mcast-group 224.0.0.99 --mcast-port 8999 --mcast-ttl 3",
        "-m -w 3 -x 900 -y 500",
        "-p 77 -M 255.255.240.0",
        "--tun-type gue --tun-port 6080 --tun-remcsum",
        "-A -f 4294967295 -s ovf",
    ] {
        assert!(saved.contains(part), "{part}:\n{saved}");
    }
    machine.ipvsadm("-C");
    machine.ipvsadm("--set 900 120 300");
    machine.ipvsadm("--stop-daemon master");
    machine.ipvsadm("--stop-daemon backup");
    assert_ne!(views(&machine), before);
    machine.feed("-R", &saved);
    assert_eq!(views(&machine), before);
    // The scripts' way, which clears first; daemons cannot run twice.
    let rules = machine.call(SAVE, "-n", "");
    let rules = String::from_utf8(rules.stdout).expect("text");
    assert_eq!(rules, machine.ipvsadm("-Sn"));
    assert_eq!(
        ended(&machine.call(RESTORE, "", &rules)),
        (Some(0), String::new())
    );
    assert_eq!(views(&machine), before);
}

fn the_reference_restores_it_too() {
    let machine = Machine::new();
    machine.feed("-R", EVERY_KIND);
    let saved = machine.ipvsadm("-Sn --all");
    machine.ipvsadm("-C");
    machine.ipvsadm("--stop-daemon master");
    machine.ipvsadm("--stop-daemon backup");
    let output = machine.call(REFERENCE, "-R", &saved);
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert_eq!(machine.ipvsadm("-Sn --all"), saved);
}

fn disk_full() {
    let machine = Machine::new();
    machine.feed("-R", EVERY_KIND);
    for line in ["-Sn", "-Ln", "-h"] {
        let full = File::options().write(true).open("/dev/full");
        let output = Command::new(OURS)
            .args(line.split(' '))
            .stdout(full.expect("/dev/full"))
            .output()
            .expect("a program");
        let said = "cannot write the output: No space left on device\n";
        assert_eq!(ended(&output), (Some(1), said.into()), "{line}");
    }
}
