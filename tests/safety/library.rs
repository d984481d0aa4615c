//! The package `ipvs` alone: its example lists what ipvsadm has set up.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::LIST;

pub const TESTS: &[Test] = &[("library::its_example_lists_all", lists_all)];

fn lists_all() {
    let machine = Machine::new();
    machine.feed(
        "-R",
        "-A -t 10.0.9.1:80 -s wrr
         -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3
         -a -t 10.0.9.1:80 -r 10.0.9.3:80 -i -w 0
         -A -u [2001:db8::1]:53 -s rr
         -A -f 7 -6 -s sh\n",
    );
    let output = machine.call(&LIST, "", "");
    assert_eq!(ended(&output), (Some(0), String::new()));
    let text = String::from_utf8(output.stdout).expect("text");
    for lines in [
        "FWM 7 IPv6 sh\n",
        "UDP [2001:db8::1]:53 rr\n",
        "TCP 10.0.9.1:80 wrr\n",
        "  10.0.9.2:8080 weight 3, 0 active\n",
        "  10.0.9.3:80 weight 0, 0 active\n",
    ] {
        assert!(text.contains(lines), "{text}");
    }
    assert_eq!(text.lines().count(), 5, "{text}");

    let output = machine.call(&LIST, "nosuch", "");
    let (status, error) = ended(&output);
    assert_eq!(status, Some(1));
    assert!(
        error.starts_with("cannot open the network namespace: "),
        "{error}"
    );
}
