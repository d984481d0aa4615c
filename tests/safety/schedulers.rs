//! Schedulers whose modules the kernel must not load itself: it would hang when
//! a network namespace is removed at the same time.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use wait_timeout::ChildExt;

pub const TESTS: &[Test] = &[
    ("schedulers::modules_are_loaded_first", loaded_first),
    ("schedulers::no_modprobe", no_modprobe),
    ("schedulers::namespaces_come_and_go", namespaces_come_and_go),
];

const SERVICE: &str = "-t 10.0.9.1:80";

fn unload() {
    let modules = ["-r", "ip_vs_lblc", "ip_vs_lblcr"];
    let done = Command::new("modprobe").args(modules).status();
    assert!(done.expect("modprobe").success());
    assert!(!Path::new("/sys/module/ip_vs_lblc").exists());
}

/// Which programs and requests `command` needs, in their order.
fn trace(machine: &Machine, command: &str, input: &str) -> String {
    let trace = std::env::temp_dir().join("scheduler.trace");
    let line = format!("-f -e trace=execve,sendto -o {} {command}", trace.display());
    let output = machine.call("strace", &line, input);
    assert_eq!(ended(&output), (Some(0), String::new()), "{command}");
    std::fs::read_to_string(trace).expect("a trace")
}

fn loaded_first() {
    let machine = Machine::new();
    for scheduler in ["lblc", "lblcr"] {
        let add = format!("-A {SERVICE} -s {scheduler}");
        let replace = format!("{OURS} -R --replace");
        let rules = format!("-A {SERVICE}\n-E {SERVICE} -s {scheduler}\n");
        for (there, command, input) in [
            ("", format!("{OURS} {add}"), ""),
            (
                "-A -t 10.0.9.1:80",
                format!("{OURS} -E {SERVICE} -s {scheduler}"),
                "",
            ),
            ("", format!("{OURS} -R"), &*rules),
            ("", replace, &*add),
        ] {
            machine.ipvsadm("-C");
            unload();
            machine.feed("-R", there);
            let calls = trace(&machine, &command, input);
            let module = format!("\"ip_vs_{scheduler}\"]");
            let (before, after) = calls.split_once(&module).expect("a modprobe");
            assert!(before.contains("execve(\"/sbin/modprobe\""), "{calls}");
            assert!(after.contains("sendto("), "{calls}");
            assert!(!after.contains("execve("), "once: {calls}");
            let saved = machine.ipvsadm("-Sn");
            assert_eq!(saved, format!("-A {SERVICE} -s {scheduler}\n"));

            machine.ipvsadm("-C");
            machine.feed("-R", there);
            let calls = trace(&machine, &command, input);
            assert!(!calls.contains("modprobe"), "{calls}");
        }
    }
    machine.ipvsadm("-C");
    unload();
    let calls = trace(&machine, &format!("{OURS} -A {SERVICE} -s rr"), "");
    assert!(!calls.contains("modprobe"), "{calls}");
}

fn no_modprobe() {
    let machine = Machine::new();
    unload();
    let script =
        format!("mount --bind /dev/null /sbin/modprobe && exec {OURS} -A {SERVICE} -s lblc");
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .output();
    assert_eq!(ended(&output.expect("unshare")), (Some(0), String::new()));
    // The kernel has its own way to modprobe.
    assert!(machine.ipvsadm("-Sn").contains("-s lblc"));
}

/// C ipvsadm hangs here, and the machine with it.
fn namespaces_come_and_go() {
    let machine = Machine::new();
    let done = AtomicBool::new(false);
    let namespaces = || {
        while !done.load(Ordering::Relaxed) {
            for change in ["add", "del"] {
                let words = ["netns", change, "short-lived"];
                let _ = Command::new("ip").args(words).status();
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(namespaces);
        for round in 0..20 {
            unload();
            let scheduler = ["lblc", "lblcr"][round % 2];
            let mut add = machine.start(OURS, &format!("-A {SERVICE} -s {scheduler}"));
            let end = add.wait_timeout(Duration::from_secs(60)).expect("a child");
            // Nothing can be cleaned up in a machine that hangs.
            let Some(end) = end else {
                eprintln!("round {round}: -A -s {scheduler} hangs");
                std::process::abort();
            };
            assert!(end.success());
            machine.ipvsadm("-C");
        }
        done.store(true, Ordering::Relaxed);
    });
}
