//! Big tables, and tables that never hold still: listings and saves that are
//! complete and have nothing twice while rules come and go, refusals and lost
//! answers among ten thousand rules, a name server that says nothing.
//!
//! The tests of change take many minutes on an emulated machine and run when
//! they are asked for: `cargo test --test churn -- --include-ignored`.

mod big;
mod change;
#[path = "../support/mod.rs"]
mod support;

use libtest_mimic::Trial;
use std::io::Write;
use std::process::{Command, ExitCode, Output, Stdio};
use support::lab::{self, Kernel};
use support::programs::OURS;

fn main() -> ExitCode {
    let trial = |slow| {
        move |&(name, test): &(&str, fn())| {
            let run = move || {
                test();
                Ok(())
            };
            Trial::test(name, run).with_ignored_flag(slow)
        }
    };
    let change = change::TESTS.iter().map(trial(true));
    let trials = change.chain(big::TESTS.iter().map(trial(false))).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}

/// Runs a program to its end.
fn run(program: &str, words: &str, input: &str) -> Output {
    let mut child = Command::new(program)
        .args(words.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // A program that does not read its input is not the writer's business.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).is_ok());
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output
}

/// Runs our program, which must succeed without a complaint; its output.
fn ours(words: &str, input: &str) -> String {
    let output = run(OURS, words, input);
    assert_eq!(ended(&output), (Some(0), String::new()), "ipvsadm {words}");
    String::from_utf8(output.stdout).expect("text")
}

/// Exit status and complaints.
fn ended(output: &Output) -> (Option<i32>, String) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}

/// A network namespace that is emptied when it is left: on Linux 6.1 one table
/// holds the services of all.
struct Network;

impl Network {
    fn new(links: &str) -> Network {
        support::netns::new_network(links);
        ours("-C", "");
        Network
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = run(OURS, "-C", "");
    }
}
