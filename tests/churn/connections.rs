//! The table of connections while clients come: no connection is listed twice.
//! The same test shows that the reference does repeat some.

use crate::Test;
use crate::support::machine::Machine;
use crate::support::programs::{OURS, REFERENCE};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub const TESTS: &[Test] = &[("connections::none_twice", none_twice)];

const AT_FIRST: usize = 4_000;
const AT_LAST: usize = 40_000;
/// So many chances has the reference to list one twice.
const CHANCES: usize = 10;

/// Clients that come, many at first and then some all the time.
struct Flood(Child);

impl Flood {
    fn start() -> Flood {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/churn/flood.py");
        let mut child = Command::new(script)
            .args([AT_FIRST, AT_LAST].map(|count| count.to_string()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let mut said = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut said).expect("a line");
        assert_eq!(said, "open\n");
        Flood(child)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn none_twice() {
    let machine = Machine::with(
        "link add flood type dummy\n\
         link set flood up\n\
         addr add 10.251.0.1/16 dev flood\n\
         addr add 10.250.0.1/32 dev lo\n\
         route add local 10.240.0.0/13 dev lo\n",
    );
    machine.feed(
        "-R",
        "--set 0 0 86400\n\
         -A -u 10.250.0.1:5000 -s rr\n\
         -a -u 10.250.0.1:5000 -r 10.251.0.2:5000 -m\n",
    );
    let flood = Flood::start();
    for _ in 0..3 {
        let [rows, twice] = listed(&machine, OURS);
        assert!(rows >= AT_FIRST, "{rows}");
        assert_eq!(twice, 0, "of {rows} rows");
    }
    // Newer kernels continue where they were, and hardly repeat any.
    let by_position = std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .is_ok_and(|release| release.starts_with("5.") || release.starts_with("6.1."));
    if by_position {
        let found = (0..CHANCES).any(|_| listed(&machine, REFERENCE)[1] > 0);
        assert!(found, "the reference listed none twice in {CHANCES} tries");
    }
    drop(flood);
}

/// How many rows there are in the listing, and how many of them a second time.
fn listed(machine: &Machine, program: &str) -> [usize; 2] {
    let output = machine.call(program, "-Lcn", "");
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut seen = HashSet::new();
    let rows = text.lines().skip(2);
    let clients = rows.map(|row| row.split_whitespace().nth(3).expect("a client"));
    clients.fold([0, 0], |[rows, twice], client| {
        [rows + 1, twice + usize::from(!seen.insert(client))]
    })
}
