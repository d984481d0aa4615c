//! Ten thousand rules, with little room for answers, with answers that never
//! come, and with names that nobody knows.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::netns;
use crate::support::programs::OURS;
use std::process::Command;
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("big::one_refused_in_ten_thousand", one_refused),
    ("big::no_room_for_answers", no_room),
    ("big::a_dead_name_server", dead_name_server),
    ("big::a_daemon_that_never_ran", daemon_that_never_ran),
];

const SERVICES: usize = 2_000;

/// Ten thousand rules: services with four servers each.
fn rules() -> Vec<String> {
    let service = |i: usize| format!("-t 10.1.{}.{}:8000", i / 250, i % 250);
    let block = |i| {
        let servers =
            (1..5).map(move |n| format!("-a {} -r 10.2.{n}.9:8000 -m -w {n}", service(i)));
        std::iter::once(format!("-A {} -s rr", service(i))).chain(servers)
    };
    (0..SERVICES).flat_map(block).collect()
}

fn text(rules: &[String]) -> String {
    rules.iter().map(|rule| format!("{rule}\n")).collect()
}

fn one_refused() {
    let machine = Machine::with("");
    let right = rules();
    let mut wrong = right.clone();
    // Twice the same service, and a scheduler that no kernel has.
    wrong.insert(5_000, right[0].clone());
    wrong.insert(7_001, "-A -t 10.7.7.7:80 -s nosuch".into());
    let output = machine.call(OURS, "-R", &text(&wrong));
    let said = "line 5001: Service already exists\n\
        line 7002: Scheduler or persistence engine not found\n";
    assert_eq!(ended(&output), (Some(255), said.into()));
    assert!(
        machine.feed("-Sn", "") == text(&right),
        "the rest is not all there"
    );
}

/// The smallest receive buffer that there is: answers to rules that are all
/// refused overflow it many times over.
fn no_room() {
    let _small = SmallBuffers::new();
    let machine = Machine::with("");
    let right = rules();
    machine.feed("-R", &text(&right));
    assert!(
        machine.feed("-Sn", "") == text(&right),
        "something was lost"
    );
    let output = machine.call(OURS, "-R", &text(&right));
    let (status, said) = ended(&output);
    assert_eq!(status, Some(255));
    let expected: String = (0..right.len())
        .map(|i| {
            let what = if i % 5 == 0 { "Service" } else { "Destination" };
            format!("line {}: {what} already exists\n", i + 1)
        })
        .collect();
    assert!(said == expected, "{}", first_difference(&said, &expected));
}

fn first_difference(said: &str, expected: &str) -> String {
    let mut lines = said.lines().zip(expected.lines());
    match lines.find(|(said, expected)| said != expected) {
        Some((said, expected)) => format!("{said:?} and not {expected:?}"),
        None => format!(
            "{} lines and not {}",
            said.lines().count(),
            expected.lines().count()
        ),
    }
}

/// The kernel says nothing when a daemon is stopped whose thread has not run
/// yet, which is now and then so where one line starts it and the next one
/// stops it.
fn daemon_that_never_ran() {
    let machine = Machine::with("link add eth0 type dummy\nlink set eth0 up\n");
    let rules = "--start-daemon backup --mcast-interface eth0\n--stop-daemon backup\n";
    for _ in 0..50 {
        assert_eq!(machine.feed("-R", rules), "");
        assert_eq!(machine.ipvsadm("-L --daemon"), "");
    }
}

/// Sockets of this machine start with the smallest receive buffer.
struct SmallBuffers(String);

const RMEM_DEFAULT: &str = "/proc/sys/net/core/rmem_default";

impl SmallBuffers {
    fn new() -> SmallBuffers {
        let before = in_first_network(&format!("cat {RMEM_DEFAULT}"));
        in_first_network(&format!("echo 2304 >{RMEM_DEFAULT}"));
        SmallBuffers(before)
    }
}

impl Drop for SmallBuffers {
    fn drop(&mut self) {
        in_first_network(&format!("echo {} >{RMEM_DEFAULT}", self.0.trim()));
    }
}

/// The setting is for all networks, and stands in the first one.
fn in_first_network(script: &str) -> String {
    let output = Command::new("nsenter")
        .args(["--net=/proc/1/ns/net", "sh", "-c", script])
        .output()
        .expect("nsenter");
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// All look-ups together cost one deadline; then there are numbers.
fn dead_name_server() {
    let dir = netns::private_mounts();
    netns::replace_file(&dir, "/etc/resolv.conf", "nameserver 10.0.9.53\n");
    netns::replace_file(
        &dir,
        "/etc/nsswitch.conf",
        "hosts: files dns\nservices: files\n",
    );
    let machine = Machine::with(
        "link add drop type dummy\naddr add 10.0.9.1/24 dev drop\nlink set drop up\n",
    );
    machine.feed("-R", &text(&rules()[..1_000]));
    let start = Instant::now();
    let output = machine.call(OURS, "-L", "");
    let took = start.elapsed();
    assert_eq!(output.status.code(), Some(0));
    let (_, said) = ended(&output);
    assert_eq!(
        said,
        "name look-up timed out: some addresses are shown as numbers\n"
    );
    assert!(
        output.stdout == machine.feed("-Ln", "").into_bytes(),
        "other numbers than -Ln's"
    );
    // Each of them alone would take that long.
    let seconds = Duration::from_secs(4)..Duration::from_secs(60);
    assert!(seconds.contains(&took), "it took {took:?}");
}
