//! What the kernel refuses, and who may ask it.

use crate::suite::{Cases, Group};
use crate::support::programs::Call;

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("refusals::kernel", kernel),
        Group::new("refusals::nobody", nobody),
    ]
}

const TABLE: &str = "-A -t 10.0.0.1:80 -s rr\n\
    -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m\n\
    -A -t [2001:db8::1]:80 -s rr\n\
    --start-daemon master --mcast-interface eth0\n";

#[rustfmt::skip] // several cases a line
fn kernel(cases: &mut Cases) {
    cases.given(TABLE);
    for line in [
        // EEXIST
        "-A -t 10.0.0.1:80", "-a -t 10.0.0.1:80 -r 10.0.0.2", "--start-daemon master",
        // ENOENT
        "-A -t 10.0.0.9:80 -s nosuch", "-A -t 10.0.0.9:80 -p --pe nosuch", "-E -t 10.0.0.1:80 -s nosuch", "-E -t 10.0.0.1:80 -p --pe nosuch",
        "-e -t 10.0.0.1:80 -r 10.0.0.9 -m", "-d -t 10.0.0.1:80 -r 10.0.0.9", "-e -t 10.0.0.1:80 -r 10.0.0.2:81 -m",
        // ESRCH
        "-E -t 10.0.0.9:80", "-D -t 10.0.0.9:80", "-Z -t 10.0.0.9:80", "-L -t 10.0.0.9:80", "-L -u 10.0.0.1:80", "-L -f 1",
        "-a -t 10.0.0.9:80 -r 10.0.0.2", "-e -t 10.0.0.9:80 -r 10.0.0.2", "-d -t 10.0.0.9:80 -r 10.0.0.2", "--stop-daemon backup",
        "-L --stats -t 10.0.0.9:80", "-E -t 10.0.0.9:80 -s nosuch", "-A -t 10.0.0.1:80 -s nosuch",
        // EINVAL
        "-a -t 10.0.0.1:80 -r 224.0.0.1", "-a -t 10.0.0.1:80 -r 0.0.0.0", "-a -t 10.0.0.1:80 -r 255.255.255.255", "-a -t [2001:db8::1]:80 -r ff02::1",
        "-a -t [2001:db8::1]:80 -r fe80::1", "-A -f 9 -6 -s rr -M 129", "-A -f 9 -s lblc -6", "-E -t 10.0.0.1:80 -p -M 0.0.0.0",
        "-a -t [2001:db8::1]:80 -r 10.0.0.9 -i", "-a -t 10.0.0.1:80 -r 2001:db8::9 -i",
        "--start-daemon backup --syncid 1", "--start-daemon backup --mcast-interface nosuch0", "--stop-daemon master --syncid 9",
        // ERANGE
        "-a -t 10.0.0.1:80 -r 10.0.0.9 -y 5", "-e -t 10.0.0.1:80 -r 10.0.0.2 -m -x 4 -y 5",
        // port 0 of servers
        "-a -t 10.0.0.1:80 -r 10.0.0.9:0 -m", "-a -f 1 -r 10.0.0.9",
    ] {
        cases.same(line);
    }
}

/// The reference asks the kernel before it looks at the command line; ours
/// says what is wrong with the line.
#[rustfmt::skip] // several cases a line
fn nobody(cases: &mut Cases) {
    cases.given(TABLE);
    for line in [
        "", "-L", "-Ln", "-L -t 10.0.0.1:80", "-L --timeout", "-L --daemon", "-Lc", "-Lcn --persistent-conn", "-S", "-Sn", "-A -t 10.0.0.9:80", "-C", "-Z", "-D -t 10.0.0.1:80",
        "-a -t 10.0.0.1:80 -r 10.0.0.9", "--set 1 2 3", "--start-daemon backup", "--stop-daemon master", "-R", "-L -t 10.0.0.9:80",
    ] {
        cases.call(&Call::new(line).nobody());
    }
    for line in [
        "-Q", "-L -Q", "-C -n", "-A", "-A -t bad", "-n -L", "foo", "-L foo", "--set 1 2", "-A -t 10.0.0.9", "-A -t 10.0.0.9:80 -o",
        "-h", "--help", "-v", "--version", "-L -w x", "-L -L",
    ] {
        let as_root = cases.ours_as_root(line);
        cases.differs("usage-without-root", &Call::new(line).nobody(), |_| as_root);
    }
}
