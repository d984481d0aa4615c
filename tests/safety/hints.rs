//! At a terminal, a hint if the cause is known; elsewhere, none.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use nix::pty::openpty;
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

pub const TESTS: &[Test] = &[("hints::only_for_people", only_for_people)];

/// What ipvsadm prints to a terminal.
fn at_a_terminal(line: &str) -> String {
    let pty = openpty(None, None).expect("a terminal");
    let mut child = Command::new(OURS)
        .args(line.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::from(pty.slave))
        .spawn()
        .expect("a program");
    child.wait().expect("an end");
    let mut said = Vec::new();
    // Reading on fails when nobody has the terminal open any more.
    let _ = File::from(pty.master).read_to_end(&mut said);
    String::from_utf8_lossy(&said).replace("\r\n", "\n")
}

fn only_for_people() {
    let machine = Machine::new();
    for (line, contract, hint) in [
        (
            "-A -t 10.0.9.1:80 -s wllc",
            "Scheduler or persistence engine not found\n",
            "hint: there is no scheduler wllc; did you mean wlc?\n",
        ),
        (
            "-A -u 10.0.9.1:5060 -s rr -p --pe sipp",
            "Scheduler or persistence engine not found\n",
            "hint: the kernel module ip_vs_rr or ip_vs_pe_sipp is missing or cannot be loaded \
             (modprobe)\n",
        ),
        (
            "-A -t 10.0.9.1:80 --shceduler rr",
            "--shceduler: unknown option\n",
            "hint: did you mean --scheduler?\n",
        ),
        (
            "-A -t 10.0.9.1",
            "Zero port specified for non-persistent service\n",
            "hint: name a port, or add -p for a service on all ports\n",
        ),
        (
            "-D -t 10.0.9.1:80 -j",
            "-j: unknown option\n",
            "hint: --json goes with -L, --check and --check-real-server\n",
        ),
        (
            "-a -t 10.0.9.1:80 -r 10.0.9.2 --watch 5",
            "--watch: unknown option\n",
            "hint: --watch goes with -S and -L\n",
        ),
        ("-D -t 10.0.9.1:80", "No such service\n", ""),
    ] {
        assert_eq!(at_a_terminal(line), format!("{contract}{hint}"), "{line}");
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output).1, contract, "{line}");
    }
}
