//! `-L -c` with filters and counts, compared with an independent count of the
//! kernel's own file: by `who.py`, which also plays the clients.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use std::thread;
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("connections::who_is_connected", who_is_connected),
    (
        "connections::the_table_goes_meanwhile",
        the_table_goes_meanwhile,
    ),
    ("connections::bad_input", bad_input),
];

fn machine() -> Machine {
    Machine::with(
        "link add clients type dummy\n\
         link set clients up\n\
         addr add 10.251.0.1/16 dev clients\n\
         addr add 2001:db8:2::1/64 dev clients nodad\n\
         addr add 2001:db8::1/128 dev lo nodad\n\
         addr add 10.0.9.1/32 dev lo\n\
         addr add 10.0.9.2/32 dev lo\n\
         addr add 10.0.9.3/32 dev lo\n\
         route add local 10.240.0.0/13 dev lo\n\
         route add local 2001:db8:1::/48 dev lo\n",
    )
}

fn who_is_connected() {
    let machine = machine();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/safety/who.py");
    // Hundreds of answers take minutes on a busy host: the lab ends what is silent.
    let output = thread::scope(|scope| {
        let asked = scope.spawn(|| machine.call(script, OURS, ""));
        while !asked.is_finished() {
            eprint!(".");
            thread::sleep(Duration::from_secs(1));
        }
        asked.join().expect("no panic")
    });
    let (status, stderr) = ended(&output);
    assert_eq!((status, &*stderr), (Some(0), ""));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers = said.split_whitespace().next().and_then(|n| n.parse().ok());
    assert!(answers.unwrap_or(0) > 500, "{said}");
}

fn the_table_goes_meanwhile() {
    let machine = machine();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/safety/who.py");
    // Its connections stay when it ends.
    let quietly = format!("{OURS} --quietly");
    assert_eq!(ended(&machine.call(script, &quietly, "")).0, Some(0));
    let all = machine.ipvsadm("-Lcn").lines().count();
    assert!(all > 300, "{all}");
    thread::scope(|scope| {
        let done = scope.spawn(|| machine.ipvsadm("-C"));
        while !done.is_finished() {
            for line in [
                "-Lcn",
                "-Lcn --by client,state --top 3",
                "-L -c --json --by server",
            ] {
                machine.ipvsadm(line);
            }
        }
    });
}

/// What makes no sense is said, and nothing printed.
fn bad_input() {
    let machine = Machine::new();
    for (line, said) in [
        ("--by ,", "--by cannot count by `'"),
        ("--by port", "--by cannot count by `port'"),
        (
            "--by client,state,client/8",
            "--by has the key 'client' twice",
        ),
        (
            "--by client/129",
            "the prefix of `client/129' is longer than an address",
        ),
        (
            "-t 10.0.9.1:80 --by client/33",
            "the prefix of `client/33' is longer than an address",
        ),
        ("--by state --top 0", "illegal top specified"),
        ("--by state --top -1", "illegal top specified"),
        ("--top 3", "The option 'top' needs the 'by' option"),
        (
            "--client 10.0.0.0/33",
            "the prefix of `10.0.0.0/33' is longer than an address",
        ),
        (
            "-t 10.0.9.1:80 --client 2001:db8::/32",
            "--client and the service are of different address families",
        ),
        ("--state ESTABLISH", "unknown connection state `ESTABLISH'"),
        (
            "-f 7",
            "the kernel's table of connections does not record firewall marks",
        ),
    ] {
        for line in [format!("-Lcn {line}"), format!("-L -c -j {line}")] {
            let output = machine.call(OURS, &line, "");
            let (status, stderr) = ended(&output);
            assert!(stderr.starts_with(said), "{line}: {stderr}");
            assert_eq!((status, &*output.stdout), (Some(2), &b""[..]), "{line}");
        }
    }
}
