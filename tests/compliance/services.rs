//! Services and servers with every option, over IPv4, IPv6 and firewall marks,
//! added, edited and deleted.

use crate::suite::{Cases, Group};
use crate::support::programs::{Call, Outcome};

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("services::schedulers", schedulers),
        Group::new("services::flags", flags),
        Group::new("services::options", options),
        Group::new("services::servers", servers),
        Group::new("services::marks", marks),
        Group::new("services::zero", zero),
        Group::new("services::daemons", daemons),
    ]
}

#[rustfmt::skip] // several cases a line
const SCHEDULERS: &[&str] = &[
    "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos", "none",
];
const SERVICES: &[&str] = &[
    "-t 10.0.0.9:80",
    "-u 10.0.0.9:80",
    "--sctp-service 10.0.0.9:80",
    "-t [2001:db8::9]:80",
    "-u [2001:db8::9]:80",
    "--sctp-service [2001:db8::9]:80",
    "-f 9",
    "-f 9 -6",
];

/// One of each family, with and without a port: enough where a table of
/// options is multiplied by services.
const FOUR_SERVICES: &[&str] = &["-t 10.0.0.9:80", "-u [2001:db8::9]:80", "-f 9", "-f 9 -6"];

/// The rules that add all of them.
fn all_services(options: &str) -> String {
    let line = |service: &&str| format!("-A {service} {options}\n");
    SERVICES.iter().map(line).collect()
}

fn schedulers(cases: &mut Cases) {
    for scheduler in SCHEDULERS {
        for service in SERVICES {
            cases.same(format!("-A {service} -s {scheduler}"));
        }
    }
    cases.given(&all_services("-s rr"));
    for scheduler in SCHEDULERS {
        cases.same(format!("-E -t 10.0.0.9:80 -s {scheduler}"));
    }
    for scheduler in &SCHEDULERS[..13] {
        cases.given(&format!(
            "-A -t 10.0.0.9:80 -s {scheduler}\n-a -t 10.0.0.9:80 -r 10.0.0.2:80\n"
        ));
        cases.same("-Ln");
        cases.same("-Sn");
        cases.same("-E -t 10.0.0.9:80");
    }
}

#[rustfmt::skip] // several cases a line
const FLAGS: &[&str] = &[
    "flag-1", "flag-2", "flag-3", "sh-fallback", "sh-port", "mh-fallback", "mh-port", "flag-1,flag-2",
    "flag-1,flag-2,flag-3", "sh-fallback,sh-port", "mh-port,mh-fallback", "flag-1,sh-port", "flag-1,flag-1",
    "flag-1,", ",flag-1", "flag-1,,flag-2", "''", ",", ",,", "' '", "flag-4", "flag-0", "flag", "FLAG-1",
    "sh-fallback,mh-port", "flag-1,x", "x,flag-1", "'flag-1 '", "flag-1;flag-2", "'flag-1, flag-2'", "rr-port", "-", "-x",
];

#[rustfmt::skip] // several cases a line
fn flags(cases: &mut Cases) {
    for scheduler in ["", "-s sh", "-s mh", "-s rr"] {
        for flags in FLAGS {
            cases.same(format!("-A -t 10.0.0.9:80 {scheduler} -b {flags}"));
        }
    }
    for flags in FLAGS {
        cases.same(format!("-C -b {flags}"));
        cases.same(format!("-L -b {flags} -t 10.0.0.1:80"));
    }
    // Longer than what is read of it.
    let long = "flag-1,".repeat(40);
    for cut in [119, 120, 125, 126, 127, 128, 129, 130, 133, 200] {
        cases.same(format!("-A -t 10.0.0.9:80 -s sh -b {}", &long[..cut]));
    }
    for (scheduler, flags) in [
        ("sh", "sh-fallback"), ("sh", "sh-port"), ("sh", "sh-fallback,sh-port"), ("mh", "mh-fallback,mh-port"),
        ("mh", "flag-2"), ("rr", "flag-1"), ("rr", "flag-1,flag-2,flag-3"), ("wlc", "flag-3"),
    ] {
        cases.given(&format!("-A -t 10.0.0.9:80 -s {scheduler} -b {flags}\n-A -f 9 -s {scheduler} -b {flags} -p 60\n"));
        cases.same("-Ln");
        cases.same("-Sn");
        cases.same("-Ln --stats");
        cases.same("-E -t 10.0.0.9:80 -s rr");
    }
}

fn options(cases: &mut Cases) {
    #[rustfmt::skip] // several cases a line
    let options = [
        "", "-s rr", "-p", "-p 1", "-p 2678400", "-p -M 255.255.0.0", "-p -M 64", "-M 255.255.0.0", "-M 64", "-o", "-p -o",
        "--pe sip", "-p --pe sip", "-p 60 --pe sip -o", "-p --pe nosuch", "-p --pe ''", "-s sh -b sh-port -p 5 -o", "-s nosuch",
        "-s nosuch --pe nosuch", "-s mh -b mh-port,mh-fallback",
    ];
    for service in SERVICES {
        for option in options {
            cases.same(format!("-A {service} {option}"));
        }
    }
    cases.given(&all_services("-s wrr -p 60 --pe sip"));
    for service in FOUR_SERVICES {
        for option in options {
            cases.same(format!("-E {service} {option}"));
        }
    }
    for service in SERVICES {
        cases.same(format!("-D {service}"));
        cases.same(format!("-A {service}"));
        cases.same(format!("-Ln {service}"));
        cases.same(format!("-L {service}"));
    }
    cases.same("-C");
    cases.same("-Ln");
    cases.same("-Sn");
    cases.same("-S");
    for service in [
        "-t 10.0.0.9",
        "-t 10.0.0.9:0",
        "-t 0.0.0.0:80",
        "-t [::]:80",
        "-u 0.0.0.0",
        "-t ::",
    ] {
        cases.same(format!("-A {service} -s rr"));
        cases.same(format!("-A {service} -s rr -p"));
        cases.same(format!("-E {service} -s rr -p"));
        cases.same(format!("-D {service}"));
        cases.same(format!("-Ln {service}"));
    }
}

fn servers(cases: &mut Cases) {
    #[rustfmt::skip] // several cases a line
    let options = [
        "", "-g", "-i", "-m", "-w 0", "-w 100", "-m -w 65536", "-x 100", "-x 100 -y 50", "-y 50", "-m -x 2147483647 -y 2147483647",
        "-i --tun-type ipip", "-i --tun-type gue --tun-port 6080", "-i --tun-type gue --tun-port 6080 --tun-nocsum",
        "-i --tun-type gue --tun-port 6080 --tun-csum", "-i --tun-type gue --tun-port 6080 --tun-remcsum", "-i --tun-type gre",
        "-i --tun-type gre --tun-nocsum", "-i --tun-type gre --tun-csum -w 7",
    ];
    let mut rules = all_services("-s wrr");
    for service in SERVICES {
        rules += &format!("-a {service} -r 10.0.0.2:80 -i\n-a {service} -r [2001:db8::2]:80 -i\n");
    }
    cases.given(&rules);
    for service in FOUR_SERVICES {
        for option in options {
            cases.same(format!("-a {service} -r 10.0.0.3 {option}"));
            cases.same(format!("-a {service} -r 2001:db8::3 {option}"));
            cases.same(format!("-e {service} -r 10.0.0.2:80 {option}"));
            cases.same(format!("-e {service} -r [2001:db8::2]:80 {option}"));
        }
        cases.same(format!("-a {service} -r 10.0.0.2:80 -i"));
        cases.same(format!("-e {service} -r 10.0.0.3:80 -i"));
        cases.same(format!("-d {service} -r 10.0.0.2:80"));
        cases.same(format!("-d {service} -r [2001:db8::2]:80"));
        cases.same(format!("-d {service} -r 10.0.0.3:80"));
        cases.same(format!("-d {service} -r 10.0.0.2"));
    }
    for view in ["", "--tun-info", "--stats", "--thresholds"] {
        cases.same(format!("-Ln {view}"));
    }
}

#[rustfmt::skip] // several cases a line
fn marks(cases: &mut Cases) {
    cases.given("-A -f 1 -s rr\n-a -f 1 -r 10.0.0.2:80 -m\n-A -f 1 -6 -s rr\n-a -f 1 -6 -r [2001:db8::2]:80 -m\n");
    for line in [
        "-Ln -f 1", "-Ln -f 1 -6", "-L -f 1", "-D -f 1", "-D -f 1 -6", "-D -f 2", "-E -f 1 -s wrr", "-E -f 1 -6 -s wrr",
        "-a -f 1 -r 10.0.0.3", "-a -f 1 -r 10.0.0.3:0", "-a -f 1 -r 2001:db8::3", "-a -f 1 -r 2001:db8::3 -i",
        "-a -f 1 -6 -r 10.0.0.3 -i", "-a -f 1 -6 -r 10.0.0.3", "-e -f 1 -r 10.0.0.2:80 -i", "-d -f 1 -r 10.0.0.2:80",
        "-d -f 1 -6 -r 10.0.0.2:80", "-A -f 1", "-A -f 1 -6", "-A -f 2 -p -M 255.0.0.0", "-A -f 2 -6 -p -M 96", "-Z -f 1", "-Z -f 2",
        "-A -f 2147483647 -s rr", "-A -f 2147483648 -s rr", "-A -f 4294967295 -s rr", "-D -f 4294967295", "-Ln -f 4294967295",
    ] {
        cases.same(line);
    }
    for line in [
        "-Ln -f 0x1", "-Ln -f 0X01 -6", "-D -f 0x1", "-D -f=0x1 -6", "-D -f 0x2", "-E -f0x1 -s wrr", "-a -f 0x1 -r 10.0.0.3",
        "-e --fwmark-service=0x1 -r 10.0.0.2:80 -i", "-d --fwmark-service 0x1 -6 -r [2001:db8::2]:80", "-Af 0x00000102", "-A -f 0xABCDEF -6",
        "-Z -f 0x1", "-A -f 0x0", "-A -f 0x", "-A -f 0x100000000", "-A -f 0x1g", "-A -f -0x1", "-A -f +0x1", "-A -f ' 0x1'", "-A -f '0x1 '",
        "-A -f 0x10/0xff", "-A -f 1h", "-A -f 010", "-A -f 0b1", "-A -f 0x2 -p -M 255.0.0.0", "-A -f 0x2 -6 -p -M 96", "-A -f 0x7fffffff -w 5",
    ] {
        cases.same(line);
    }
    cases.given("-A -f 2147483647 -s rr\n-a -f 2147483647 -r 10.0.0.2:80 -m\n");
    for line in ["-Ln", "-Sn", "-S", "-L", "-Ln --stats", "-Ln -f 2147483647", "-D -f 2147483647"] {
        cases.same(line);
    }
}

#[rustfmt::skip] // several cases a line
fn zero(cases: &mut Cases) {
    cases.given("-A -t 10.0.0.1:80 -s rr\n-A -t 0.0.0.0:80 -s rr\n-A -f 1 -s rr\n");
    for line in [
        "-Z", "-Z -t 10.0.0.1:80", "-Z -t 10.0.0.9:80", "-Z -t 0.0.0.0:80", "-Z -f 1", "-Z -f 1 -6", "-Z -u 10.0.0.1:80",
        "-Z -t 10.0.0.1", "-Z -n",
    ] {
        cases.same(line);
    }
    for line in ["-Z -t 0.0.0.0", "-Z -t ::", "-Z -t [::]:0"] {
        cases.differs("zero-one", &Call::new(line), |mut reference| {
            reference.outcome = Outcome::new(255, "", "No such service\n");
            reference
        });
    }
}

#[rustfmt::skip] // several cases a line
fn daemons(cases: &mut Cases) {
    const BOTH: &str = "--start-daemon master --mcast-interface eth0 --mcast-port 9000\n\
        --start-daemon backup --mcast-interface eth0 --syncid 7 --mcast-group 224.0.0.99\n";
    let options = [
        "", "--mcast-interface eth0", "--mcast-interface nosuch0", "--mcast-interface lo", "--mcast-interface ''", "--syncid 0",
        "--syncid 255", "--sync-maxlen 1", "--sync-maxlen 999", "--sync-maxlen 1000", "--sync-maxlen 65507", "--mcast-group 224.0.0.99",
        "--mcast-group ff05::99", "--mcast-port 9999", "--mcast-ttl 7", "--syncid 7 --sync-maxlen 1400 --mcast-group 239.1.1.1 --mcast-port 1 --mcast-ttl 255",
    ];
    const MASTER: &str = "--start-daemon master --mcast-interface eth0 --syncid 7\n";
    const BACKUP: &str = "--start-daemon backup --mcast-interface eth0 --syncid 7\n";
    for rules in ["", MASTER, BACKUP, BOTH] {
        cases.given(rules);
        for role in ["master", "backup"] {
            for option in options {
                cases.same(format!("--start-daemon {role} {option}"));
            }
            for option in ["", "--syncid 0", "--syncid 7", "--syncid 8", "--mcast-interface eth0"] {
                cases.same(format!("--stop-daemon {role} {option}"));
            }
        }
        cases.same("-L --daemon");
        cases.same("-Ln --daemon");
        cases.same("-Sn");
        cases.same("-C");
        cases.same("-L --timeout");
    }
}
