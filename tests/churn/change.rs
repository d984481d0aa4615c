//! Listings and saves while another process changes the table as fast as it
//! can. What is untouched must be there, once; the same tests show that the
//! reference loses or repeats some of it.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::{OURS, REFERENCE};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

pub const TESTS: &[Test] = &[
    ("change::services", || services().hold_for(OURS)),
    ("change::servers", || servers().hold_for(OURS)),
    ("change::the_reference_loses_services", || {
        services().break_for(REFERENCE)
    }),
    ("change::the_reference_loses_servers", || {
        servers().break_for(REFERENCE)
    }),
];

/// Listings, and as many saves; `IPVSADM_LISTINGS` for more of them.
fn listings() -> usize {
    let asked = std::env::var("IPVSADM_LISTINGS").ok();
    asked.map_or(20, |number| number.parse().expect("IPVSADM_LISTINGS"))
}

/// So many chances has the reference to get a listing wrong.
const CHANCES: usize = 200;

const UNTOUCHED: usize = 1500;
const OTHERS: usize = 300;
/// Tells their lines, in listings and saves, from all that is untouched.
const NET_OF_OTHERS: &str = "10.9.";

/// A table of which a part comes and goes.
struct Table {
    untouched: String,
    /// Rules that bring and remove the rest, all of them once.
    churn: String,
}

/// Services, every fifth with two servers. The kernel orders them by a hash, so
/// that the others come and go everywhere between them.
fn services() -> Table {
    let mut untouched = String::new();
    for i in 0..UNTOUCHED {
        let service = format!("-t 10.1.{}.{}:80", i / 250, i % 250);
        let _ = writeln!(untouched, "-A {service} -s rr");
        for server in 1..=if i % 5 == 0 { 2 } else { 0 } {
            let _ = writeln!(
                untouched,
                "-a {service} -r 10.2.{}.{server}:80 -m -w {i}",
                i % 250
            );
        }
    }
    let other = |i: usize| format!("-u 10.9.{}.{}:53", i / 250, i % 250);
    Table {
        untouched,
        churn: churn(other, ["-A", "-D"], "-s rr"),
    }
}

/// One service with more servers than any message holds.
fn servers() -> Table {
    let mut untouched = String::from("-A -t 10.1.0.1:80 -s rr\n");
    for i in 0..UNTOUCHED / 2 {
        let _ = writeln!(
            untouched,
            "-a -t 10.1.0.1:80 -r 10.2.{}.{}:80 -m -w 1",
            i / 250,
            i % 250
        );
    }
    let other = |i: usize| format!("-t 10.1.0.1:80 -r 10.9.{}.{}:80", i / 250, i % 250);
    Table {
        untouched,
        churn: churn(other, ["-a", "-d"], "-m"),
    }
}

/// They come in one order and go in another, some of them at a time.
fn churn(other: impl Fn(usize) -> String, [add, delete]: [&str; 2], options: &str) -> String {
    let mut rules = String::new();
    for part in 0..6 {
        for i in (part..OTHERS).step_by(6) {
            let _ = writeln!(rules, "{add} {} {options}", other(i));
        }
        for i in (part..OTHERS).step_by(6).rev().filter(|i| i % 4 != 0) {
            let _ = writeln!(rules, "{delete} {}", other(i));
        }
    }
    for i in (0..OTHERS).step_by(4) {
        let _ = writeln!(rules, "{delete} {}", other(i));
    }
    rules
}

impl Table {
    /// Listings in every format and saves are right.
    fn hold_for(&self, program: &str) {
        let machine = self.on_a_machine();
        let lines = ["-Ln", "-Sn", "-L --json", "-L --openmetrics"];
        let mut right = lines.map(|words| (words, counted(&machine.feed(words, ""))));
        let _churner = Churner::start(&self.churn.repeat(20));
        for round in 0..listings() {
            for (words, right) in &mut right {
                let output = machine.call(program, words, "");
                let text = String::from_utf8_lossy(&output.stdout);
                assert_eq!(
                    ended(&output),
                    (Some(0), String::new()),
                    "{words}, round {round}"
                );
                if words.ends_with("json") {
                    let document = serde_json::from_str::<serde_json::Value>(&text);
                    assert!(document.is_ok(), "{document:?}, round {round}");
                }
                let now = counted(&text);
                assert!(
                    now == *right,
                    "{words}, round {round}: {}",
                    difference(right, &now)
                );
            }
        }
    }

    /// Sooner or later one listing is wrong.
    fn break_for(&self, program: &str) {
        let machine = self.on_a_machine();
        let right = counted(&machine.feed("-Ln", ""));
        let _churner = Churner::start(&self.churn.repeat(20));
        let wrong = (0..CHANCES).any(|_| {
            let output = machine.call(program, "-Ln", "");
            output.status.success() && {
                let now = counted(&String::from_utf8_lossy(&output.stdout));
                now != right
            }
        });
        assert!(
            wrong,
            "the reference was right all the time: these tests prove nothing"
        );
    }

    /// A machine with what is untouched.
    fn on_a_machine(&self) -> Machine {
        let machine = Machine::with("");
        machine.feed("-R", &self.untouched);
        machine
    }
}

/// How often each line that is not of the others is in `text`, whatever row of a
/// document is the last.
fn counted(text: &str) -> HashMap<String, usize> {
    let mut counted = HashMap::new();
    for line in text.lines().filter(|line| !line.contains(NET_OF_OTHERS)) {
        let line = line.trim_end_matches(',').to_owned();
        *counted.entry(line).or_default() += 1;
    }
    counted
}

fn difference(right: &HashMap<String, usize>, now: &HashMap<String, usize>) -> String {
    let lines = right.keys().chain(now.keys());
    let differs = |line: &&String| right.get(*line) != now.get(*line);
    let (mut lost, mut doubled) = (0, 0);
    for line in lines.filter(differs) {
        let (right, now) = (right.get(line).unwrap_or(&0), now.get(line).unwrap_or(&0));
        lost += right.saturating_sub(*now);
        doubled += now.saturating_sub(*right);
    }
    format!("{lost} lines lost, {doubled} doubled")
}

/// A process that changes the table until this is dropped.
struct Churner(Child);

impl Churner {
    fn start(rules: &str) -> Churner {
        let path = std::env::temp_dir().join("ipvsadm-churn");
        fs::write(&path, rules).expect("a file");
        let script = "while \"$0\" -R <\"$1\"; do :; done";
        let child = Command::new("sh")
            .args(["-c", script, OURS])
            .arg(&path)
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell");
        Churner(child)
    }
}

impl Drop for Churner {
    fn drop(&mut self) {
        // Only a process that was changing the table all the time proves anything.
        let ended = self.0.try_wait().expect("a child");
        // The shell and what it runs.
        let _ = killpg(Pid::from_raw(self.0.id() as i32), Signal::SIGKILL);
        let _ = self.0.wait();
        if !std::thread::panicking() {
            assert_eq!(ended, None, "the rules of the churn were refused");
        }
    }
}
