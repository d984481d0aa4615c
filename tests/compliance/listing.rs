//! Listings and saves: every view with every way to show it, names, order.

use crate::suite::{Cases, Group};
use crate::support::bench::Seen;
use crate::support::programs::{Call, Outcome, Stdout};

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("listing::views", views),
        Group::new("listing::names", names),
        Group::new("listing::large", large),
        Group::new("listing::order", order),
        Group::new("listing::marks", marks),
        Group::new("listing::save", save),
        Group::new("listing::outputs", outputs),
    ]
}

/// A little of everything. No two addresses, and no two marks, are 2^31 apart:
/// see the difference `unsigned-order`.
const TABLE: &str = "\
    -A -t 10.0.0.1:80 -s wrr -p 60 -M 255.255.255.0\n\
    -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 5\n\
    -a -t 10.0.0.1:80 -r 10.0.0.3:8080 -m -w 0\n\
    -a -t 10.0.0.1:80 -r 10.0.0.4:80 -g -w 2147483647\n\
    -a -t 10.0.0.1:80 -r 10.0.0.5:80 -i --tun-type gue --tun-port 6080 --tun-csum\n\
    -a -t 10.0.0.1:80 -r 10.0.0.6:80 -i --tun-type gre\n\
    -a -t 10.0.0.1:80 -r 10.0.0.7:80 -i\n\
    -a -t 10.0.0.1:80 -r 10.0.9.1:80 -m\n\
    -a -t 10.0.0.1:80 -r 127.0.0.1:80 -g\n\
    -a -t 10.0.0.1:80 -r [2001:db8::7]:80 -i\n\
    -A -t 10.0.0.1:443 -s sh -b sh-port,sh-fallback\n\
    -A -u 10.0.0.1:53 -s rr -o\n\
    -a -u 10.0.0.1:53 -r 10.0.0.2:53 -m\n\
    -A -u 10.0.0.1:5060 -s rr -p 3600 --pe sip\n\
    -A --sctp-service 10.0.0.1:9900 -s lc\n\
    -A -t [2001:db8::1]:80 -s mh -b mh-port -p 360 -M 64\n\
    -a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m\n\
    -a -t [2001:db8::1]:80 -r [2001:db8:1111:2222:3333:4444:5555:6666]:80 -g\n\
    -a -t [2001:db8::1]:80 -r 10.0.0.2:80 -i --tun-type gue --tun-port 65535 --tun-remcsum\n\
    -A -u [2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535 -s wlc\n\
    -A -t 10.0.0.99:0 -s rr -p 10\n\
    -a -t 10.0.0.99:0 -r 10.0.0.2:0 -m\n\
    -A -f 1 -s rr\n\
    -a -f 1 -r 10.0.0.2:80 -m\n\
    -a -f 1 -r 10.0.0.2:0 -i --tun-type gre --tun-csum\n\
    -A -f 1 -6 -s rr -p 5 --pe sip\n\
    -a -f 1 -6 -r [2001:db8::2]:0 -m\n\
    -A -f 1000000 -s fo -o\n";

#[rustfmt::skip] // several cases a line
const VIEWS: &[&str] = &["", "--stats", "--rate", "--thresholds", "--persistent-conn", "--tun-info"];
#[rustfmt::skip] // several cases a line
const SHOWN: &[&str] = &["", "-n", "--exact", "-n --exact", "--nosort", "-n --nosort", "-n -X --nosort"];

fn views(cases: &mut Cases) {
    cases.given(TABLE);
    let mut services = vec!["".to_string()];
    services.extend(
        TABLE
            .lines()
            .filter(|rule| rule.starts_with("-A"))
            .map(|rule| rule["-A ".len()..rule.find(" -s").unwrap_or(0)].to_string()),
    );
    for view in VIEWS {
        for shown in SHOWN {
            cases.same(format!("-L {view} {shown}"));
        }
        for service in &services[1..] {
            cases.same(format!("-L -n {view} {service}"));
        }
        cases.same(format!("-L {view} -t 10.0.0.1:80 --exact"));
        cases.same(format!("-L {view} -t vip:http --nosort"));
        cases.same(format!("-L {view} -t [2001:db8::1]:http"));
        cases.same(format!("-l {view} --sort"));
        cases.same(format!("-L {view} -t 10.0.0.250:80"));
        cases.same(format!("-L {view} --stats --rate -n"));
    }
    cases.same("");
    for empty in [
        "-L",
        "-Ln",
        "-Lcn",
        "-Lc",
        "-Lcn --persistent-conn",
        "-Sn",
        "-L --timeout",
        "-L --daemon",
        "-L --timeout -n -X",
    ] {
        cases.same(empty);
    }
    cases.given("");
    for view in VIEWS {
        cases.same(format!("-L {view}"));
        cases.same(format!("-L {view} -t 10.0.0.1:80"));
    }
    cases.same("");
    cases.same("-S");
    cases.given("--set 1 2678400 12345\n");
    cases.same("-L --timeout");
    cases.same("--set 0 0 7");
}

/// Names of every length around the columns where the reference cuts them.
fn names(cases: &mut Cases) {
    let mut rules = String::new();
    for host in 1..=5 {
        for (option, ports) in [
            ("-t", &[80, 443, 53, 7777, 8080, 65535, 69][..]),
            ("-u", &[53, 69, 443, 80]),
            ("--sctp-service", &[9900, 80]),
        ] {
            for port in ports {
                rules += &format!("-A {option} 10.0.0.{host}:{port} -s rr\n");
                for server in 1..=5 {
                    rules +=
                        &format!("-a {option} 10.0.0.{host}:{port} -r 10.0.0.{server}:{port} -m\n");
                }
            }
        }
    }
    for host in ["1", "2", "5", "6"] {
        rules += &format!(
            "-A -t [2001:db8::{host}]:80 -s rr\n-a -t [2001:db8::{host}]:80 -r [2001:db8::2]:80 -m\n"
        );
        rules += &format!("-A -t [2001:db8::{host}]:7777 -s rr\n");
    }
    rules += "-A -f 7 -s rr\n-a -f 7 -r 10.0.0.2:80 -m\n-a -f 7 -r 10.0.0.3:7777 -m\n";
    cases.given(&rules);
    for view in VIEWS {
        cases.same(format!("-L {view}"));
        cases.same(format!("-Ln {view}"));
    }
    cases.same("-L -t vip:http");
    cases.same("-L -t 10.0.0.3:7777");
    cases.same("-L -f 7");
    cases.same("-Sn");
}

/// Many services with many servers, added in no order.
fn large(cases: &mut Cases) {
    let mut rules = String::new();
    let shuffled = |n: u32, of: u32, step: u32| n * step % of;
    for n in 0..211 {
        let n = shuffled(n, 211, 97);
        let option = ["-t", "-u", "--sctp-service"][n as usize % 3];
        let service = format!(
            "{option} 10.{}.{}.{}:{}",
            n % 3,
            n % 5,
            n % 7,
            1 + n * 31 % 500
        );
        rules += &format!("-A {service} -s rr\n");
        for s in 0..n % 23 {
            let s = shuffled(s, 23, 7);
            rules += &format!("-a {service} -r 10.1.{}.{}:{} -m\n", s % 4, s % 6, 80 + s);
        }
        if n % 4 == 0 {
            rules += &format!(
                "-A -t [2001:db8:{:x}::{:x}]:{} -s rr\n",
                n % 9,
                n % 11,
                1 + n
            );
            rules += &format!("-A -f {} -s rr\n", 1 + n * 7_919);
        }
    }
    cases.given(&rules);
    for view in VIEWS {
        cases.same(format!("-Ln {view}"));
        cases.same(format!("-Ln --nosort {view}"));
    }
    cases.same("-L");
    cases.same("-Sn");
    let many: String = (0..1500)
        .map(|n| format!("-a -t 10.0.0.1:80 -r 10.2.{}.{}:80 -m\n", n % 7, n / 7 + 1))
        .collect();
    cases.given(&format!("-A -t 10.0.0.1:80 -s rr\n{many}"));
    cases.same("-Ln");
    cases.same("-Sn");
    cases.same("-Ln -t 10.0.0.1:80 --stats");
}

const APART: &str = "-A -t 192.168.0.1:80 -s rr\n\
    -a -t 192.168.0.1:80 -r 192.168.0.2:80 -m\n\
    -a -t 192.168.0.1:80 -r 10.0.0.2:80 -m\n\
    -A -t 10.0.0.1:80 -s rr\n";

/// Addresses and marks that are further apart than the reference can compare.
fn order(cases: &mut Cases) {
    cases.given(APART);
    cases.differs("unsigned-order", &Call::new("-Sn"), |reference| {
        let text = "-A -t 10.0.0.1:80 -s rr\n\
            -A -t 192.168.0.1:80 -s rr\n\
            -a -t 192.168.0.1:80 -r 10.0.0.2:80 -m -w 1\n\
            -a -t 192.168.0.1:80 -r 192.168.0.2:80 -m -w 1\n";
        prints(reference, text)
    });
    cases.same("-Ln -t 10.0.0.1:80");
}

fn marks(cases: &mut Cases) {
    cases.given("-A -f 2147483648 -s rr\n");
    cases.differs("unsigned-marks", &Call::new("-Sn"), |reference| {
        assert_eq!(reference.outcome.stdout, b"-A -f -2147483648 -s rr\n");
        prints(reference, "-A -f 2147483648 -s rr\n")
    });
    cases.given("-A -f 4294967295 -6 -s rr\n");
    for line in [
        "-Ln",
        "-L -f 4294967295 -6",
        "-Ln --stats",
        "-Ln --rate",
        "-Sn",
        "-S",
    ] {
        cases.differs("unsigned-marks", &Call::new(line), |reference| {
            let text = String::from_utf8_lossy(&reference.outcome.stdout).into_owned();
            let unsigned = match line.contains("--") {
                // The number is longer by eight, and the column is not.
                true => text.replace(
                    "-1 IPv6                     ",
                    "4294967295 IPv6             ",
                ),
                false => text.replace("-1 ", "4294967295 "),
            };
            prints(reference, &unsigned)
        });
    }
}

fn prints(reference: Seen, text: &str) -> Seen {
    let mut seen = reference;
    seen.outcome.stdout = text.into();
    seen
}

/// What is saved can be restored, all of it.
fn save(cases: &mut Cases) {
    cases.given(TABLE);
    cases.same("-Sn");
    cases.given("-A -t 10.0.0.31:8080 -s rr\n-a -t 10.0.0.31:8080 -r 10.0.0.32:8080 -m -w 1 -x 20 -y 10\n\
        -a -t 10.0.0.31:8080 -r 10.0.0.33:8080 -m -w 1 -x 30\n\
        -a -t 10.0.0.31:8080 -r 10.0.0.34:8080 -i -w 1 -x 30 --tun-type gue --tun-port 7 --tun-nocsum\n");
    for line in ["-Sn", "-S"] {
        cases.differs("save-thresholds", &Call::new(line), |reference| {
            prints(reference, "-A -t 10.0.0.31:8080 -s rr\n\
                -a -t 10.0.0.31:8080 -r 10.0.0.32:8080 -m -w 1 -x 20 -y 10\n\
                -a -t 10.0.0.31:8080 -r 10.0.0.33:8080 -m -w 1 -x 30\n\
                -a -t 10.0.0.31:8080 -r 10.0.0.34:8080 -i -w 1 --tun-type gue --tun-port 7 --tun-nocsum -x 30\n")
        });
    }
    cases.given("-A -t 10.0.0.3:7777 -s rr\n");
    cases.differs("save-whole-names", &Call::new("-S"), |reference| {
        prints(reference, "-A -t a-host-with-a-rather-long-name-for-a-table.in-a-long.subdomain.example.test:a-rather-long-service-name -s rr\n")
    });
    cases.given("-A -t [2001:db8::1]:80 -s rr\n-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m\n");
    cases.differs("save-ipv6-addresses", &Call::new("-S"), |reference| {
        prints(reference, "-A -t [2001:db8::1]:http -s rr\n-a -t [2001:db8::1]:http -r [2001:db8::2]:http -m -w 1\n")
    });
    cases.given("-A -t 10.0.0.31:8080 -s sh -b flag-3\n");
    cases.differs("save-general-flags", &Call::new("-Sn"), |reference| {
        prints(reference, "-A -t 10.0.0.31:8080 -s sh -b flag-3\n")
    });
    cases.given("-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m\n");
    cases.same("-S");
}

/// What cannot be written is an error; where nobody reads, both end alike.
fn outputs(cases: &mut Cases) {
    cases.given("-A -t 10.0.0.1:80 -s rr\n");
    for line in ["-Ln", "-Sn", "-L --timeout", "-Lcn"] {
        for (stdout, problem) in [
            (Stdout::FullDisk, "No space left on device"),
            (Stdout::Closed, "Bad file descriptor"),
        ] {
            let call = Call::new(line).stdout(stdout);
            let said = format!("cannot write the output: {problem}\n");
            cases.differs("output-errors", &call, |mut reference| {
                assert_eq!(reference.outcome, Outcome::new(0, "", ""));
                reference.outcome = Outcome::new(1, "", said);
                reference
            });
        }
        cases.call(&Call::new(line).stdout(Stdout::ClosedPipe));
    }
    // Who has nothing to write does not care.
    for line in ["-A -t 10.0.0.9:80", "-C", "-Z", "-D -t 10.0.0.9:80", "-Q"] {
        for stdout in [Stdout::FullDisk, Stdout::Closed, Stdout::ClosedPipe] {
            cases.call(&Call::new(line).stdout(stdout));
        }
    }
}
