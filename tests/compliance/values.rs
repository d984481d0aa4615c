//! Values: at their bounds, inside, outside, malformed.

use crate::suite::{Cases, Group};

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("values::numbers", numbers),
        Group::new("values::timeouts", timeouts),
        Group::new("values::addresses", addresses),
        Group::new("values::servers", servers),
        Group::new("values::masks", masks),
        Group::new("values::multicast", multicast),
        Group::new("values::names", names),
    ]
}

const TABLE: &str = "-A -t 10.0.0.1:80 -s rr\n\
    -A -t [2001:db8::1]:80 -s rr\n\
    -A -f 1 -s rr\n";

/// What is no number, or hardly one, whatever the bounds are.
#[rustfmt::skip] // several cases a line
const ODD_NUMBERS: &[&str] = &[
    "''", "' '", "x", "5x", "'5 '", "' 5'", "+5", "++5", "-5", "-0", "05", "0x10", "5.0", "5,0", "1e2",
    "99999999999999999999", "-99999999999999999999", "4294967296", "18446744073709551616", "'\t5'",
    "'\n5'", "'5\n'", "\u{663}", "5-", "--5", "000000000000000000000000000000000005",
];

/// A command line with `{}` for the value, and the bounds of the value.
const NUMBERS: &[(&str, i64, i64)] = &[
    ("-a -t 10.0.0.1:80 -r 10.0.0.9 -w {}", 0, 2_147_483_647),
    ("-a -t 10.0.0.1:80 -r 10.0.0.9 -x {}", 0, 2_147_483_647),
    (
        "-a -t 10.0.0.1:80 -r 10.0.0.9 -x 2147483647 -y {}",
        0,
        2_147_483_647,
    ),
    (
        "-a -t 10.0.0.1:80 -r 10.0.0.9 -i --tun-type gue --tun-port {}",
        1,
        65_535,
    ),
    ("-A -f {} -s rr", 1, 4_294_967_295),
    ("-A -t 10.0.0.9:80 -p {}", 1, 2_678_400),
    ("--set {} 100 100", 0, 2_678_400),
    ("--set 100 {} 100", 0, 2_678_400),
    ("--set 100 100 {}", 0, 2_678_400),
    ("--start-daemon backup --syncid {}", 0, 255),
    ("--start-daemon backup --mcast-port {}", 1, 65_535),
    ("--start-daemon backup --mcast-ttl {}", 1, 255),
    ("--start-daemon backup --sync-maxlen {}", 1, 65_507),
    ("-A -t 10.0.0.9:{} -p", 0, 65_535),
];

fn numbers(cases: &mut Cases) {
    cases.given(TABLE);
    for (line, min, max) in NUMBERS {
        for value in [
            min - 1,
            *min,
            min + 1,
            (min + max) / 2,
            max - 1,
            *max,
            max + 1,
        ] {
            cases.same(line.replace("{}", &value.to_string()));
        }
        for value in ODD_NUMBERS {
            cases.same(line.replace("{}", value));
        }
    }
    for bound in ["65535", "65536", "2147483648", "4294967295"] {
        cases.same(format!("-a -t 10.0.0.1:80 -r 10.0.0.9 -w {bound}"));
        cases.same(format!("-a -t 10.0.0.1:80 -r 10.0.0.9 -x {bound}"));
    }
    for (upper, lower) in [(5, 5), (5, 6), (0, 6), (6, 5), (5, 0)] {
        cases.same(format!(
            "-a -t 10.0.0.1:80 -r 10.0.0.9 -x {upper} -y {lower}"
        ));
    }
}

#[rustfmt::skip] // several cases a line
fn timeouts(cases: &mut Cases) {
    for line in [
        "--set", "--set 1", "--set 1 2", "--set 1 2 3", "--set 1 2 3 4", "--set 0 0 0",
        "--set 0 5 0", "--set x", "--set x y", "--set x y z", "--set 1 x", "--set 1 2 3 x",
        "--set '' '' ''", "1 2 3 --set", "1 --set 2 3", "1 2 --set 3 4", "--set -- 1 2 3",
        "--set -- -1 2 3", "--set 1 -2 3", "--set 1 2 3 -n", "--set 1 2 -n", "--set x 2 3 -n",
        "--set 2678400 2678400 2678400", "--set 2678401 1 1", "--set 10,000 1 1", "--set=5 1 1",
    ] {
        cases.same(line);
    }
}

/// Service addresses: all of them with -p, so that port 0 may stand.
#[rustfmt::skip] // several cases a line
const ADDRESSES: &[&str] = &[
    "10.0.0.9:80", "10.0.0.9", "10.0.0.9:0", "10.0.0.9:", "10.0.0.9::", "10.0.0.9:80:", "10.0.0.9:80:90",
    "10.0.0.9:65535", "10.0.0.9:65536", "10.0.0.9:-1", "10.0.0.9:+80", "'10.0.0.9: 80'", "'10.0.0.9:80 '",
    "10.0.0.9:0x50", "10.0.0.9:080", "10.0.0.9:80x", "10.0.0.9:99999999999", ":80", ":", "''", "' '",
    "80", "0", "167772169", "167772169:80", "10.9", "10.9:80", "10.0.9:80", "0x0a000009:80", "0X0A000009:80",
    "012.0.0.9:80", "010.000.000.001:80", "10:80", "0xa.0.0.9:80", "10.0.0.09:80", "10.0.0.256:80",
    "10.0.256:80", "10.65536:80", "10.0.65536:80", "256.0.0.1:80", "4294967295:80", "4294967296:80",
    "10.0.0.9.1:80", "10..0.9:80", ".10.0.0.9:80", "10.0.0.9.:80", "-10.0.0.9:80", "'10.0.0.9 foo:80'",
    "'9 x:y:80'", "'9 ::80'", "'9 1:db8::11'", "'[9 x:y:80]:81'", "'10.0.0.9\tx:80'", "' 10.0.0.9:80'", "'10.0.0.9\n:80'", "0.0.0.0:80", "0.0.0.0", "255.255.255.255:80",
    "224.0.0.1:80", "127.0.0.1:80", "1:2:3", "1:2", "a:b", "0x:80", "0xg:80", "1.2.3.4/24:80",
    // IPv6
    "[2001:db8::9]:80", "[2001:db8::9]:", "[2001:db8::9]", "2001:db8::9", "2001:db8::9:80", "::", "[::]:80",
    "[::]:0", "::1", "[::1]:80", "[fe80::1]:80", "[fe80::1%eth0]:80", "fe80::1%lo", "[ff02::1]:80",
    "[2001:DB8::9]:80", "[2001:0db8:0000::0009]:80", "2001:db8::9::1", "[2001:db8::9", "2001:db8::9]",
    "2001:db8::9]:80", "[]:80", "[", "]", "[]", "[[::1]]:80", "[::1]:80:90", "[::1]80", "[::1]x:80",
    "[::1]:http", "[::1]:x", "[::1]:65536", "[::1]: 80", "[::ffff:10.0.0.9]:80", "::ffff:10.0.0.9",
    "::ffff:10.0.0.9:80", "[::ffff:10.0.0.9:80]:80", "::ffff:10.0.0.9:http", "two.example.test:80",
    "[::10.0.0.9]:80", "::10.0.0.9", "[1:2:3:4:5:6:7:8]:80", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7", "12345::1", "[::12345]:80", ":::80", "::g", "[10.0.0.9]:80", "[10.0.0.9:81]:80",
    "[10.0.0.9]", "[10.0.0.9]x", "[10.0.0.9:81", "[vip]:80", "[vip:81]:80", "[vip6]:80",
    // names
    "vip:80", "vip.example.test:http", "VIP:80", "vip:HTTP", "vip:www", "vip:https", "vip:domain", "vip:tftp",
    "vip:signal", "vip:nosuch", "vip", "vip:", "vip6:80", "both.example.test:80", "nosuch.example.test:80",
    "nosuch", "vip.:80", "'vip :80'", "'vip http'", "localhost:80", "-", "-x", "--", "ipvsadm", "vip:-",
    "a-host-with-a-rather-long-name-for-a-table.in-a-long.subdomain.example.test:80",
    "10.0.0.9:http", "10.0.0.9:www", "10.0.0.9:domain", "10.0.0.9:tftp", "10.0.0.9:signal",
    "10.0.0.9:a-rather-long-service-name", "10.0.0.9:nosuch", "10.0.0.9:8 0",
];

#[rustfmt::skip] // several cases a line
fn addresses(cases: &mut Cases) {
    for address in ADDRESSES {
        cases.same(format!("-A -p -s rr -t {address}"));
    }
    for address in [
        "10.0.0.9:80", "10.0.0.9:domain", "10.0.0.9:tftp", "10.0.0.9:http", "10.0.0.9:signal", "10.0.0.9",
        "[::1]:domain", "vip:https", "",
    ] {
        cases.same(format!("-A -p -s rr -u {address}"));
        cases.same(format!("-A -p -s rr --sctp-service {address}"));
        cases.same(format!("-A -s rr -u {address}"));
        cases.same(format!("-A -s rr --sctp-service {address}"));
    }
    let long = "x".repeat(5000);
    for address in [format!("{long}:80"), format!("10.0.0.9:{long}"), format!("[{long}]:80"), format!("[::1]:{long}")] {
        cases.same(format!("-A -p -s rr -t {address}"));
    }
    // Bytes that are no text.
    for address in [&b"\xff:80"[..], b"10.0.0.9:\xff", b"\xc3\xa4:80", b"[\xff]:80", b"10.0.0.9\xff:80"] {
        cases.same([b"-A -p -s rr -t ", address].concat());
    }
}

#[rustfmt::skip] // several cases a line
fn servers(cases: &mut Cases) {
    cases.given(TABLE);
    for address in ADDRESSES {
        cases.same(format!("-a -t 10.0.0.1:80 -m -r {address}"));
    }
    for service in ["-t 10.0.0.1:80", "-t [2001:db8::1]:80", "-f 1"] {
        for method in ["-g", "-i", "-m", ""] {
            for server in [
                "10.0.0.9", "10.0.0.9:8080", "10.0.0.9:0", "2001:db8::9", "[2001:db8::9]:8080", "[2001:db8::9]:80",
                "0.0.0.0", "::", "127.0.0.1", "::1", "fe80::1", "224.0.0.1", "ff02::1", "255.255.255.255",
            ] {
                cases.same(format!("-a {service} -r {server} {method}"));
                cases.same(format!("-a -r {server} {service} {method}"));
            }
        }
    }
}

#[rustfmt::skip] // several cases a line
fn masks(cases: &mut Cases) {
    let masks = [
        "255.255.255.0", "255.255.255.255", "0.0.0.0", "255.0.255.0", "24", "64", "0", "1", "128", "129", "-1",
        "''", "' '", "x", "64x", "' 64'", "+64", "0x40", "4294967360", "99999999999999999999", "ffff::", "/24",
        "255.255.255.0:80", "255.255.256.0", "vip", "nosuch.example.test", "255.255", "128.", "64 ", "::ffff:10.0.0.9", "'64 x'",
    ];
    for mask in masks {
        for service in ["-t 10.0.0.9:80", "-t [2001:db8::9]:80", "-f 9", "-f 9 -6"] {
            cases.same(format!("-A {service} -s rr -p -M {mask}"));
        }
        cases.same(format!("-A -s rr -p -M {mask} -t 10.0.0.9:80"));
        cases.same(format!("-A -M {mask} -f 9"));
    }
    cases.same("-A -t 10.0.0.9:80 -M 255.255.0.0");
    cases.same("-A -t [2001:db8::9]:80 -M 64");
    cases.same("-C -M 255.255.255.0");
    cases.same("-C -M x");
}

#[rustfmt::skip] // several cases a line
fn multicast(cases: &mut Cases) {
    for group in [
        "224.0.0.81", "224.0.0.0", "223.255.255.255", "239.255.255.255", "240.0.0.0", "10.0.0.1", "0.0.0.0",
        "255.255.255.255", "224.1", "0xe0.0.0.1", "224.0.0.081", "' 224.0.0.1'", "'224.0.0.1 '", "224.0.0.1:80",
        "''", "x", "vip", "ff02::1", "ff05::99", "FF02::1", "fe80::1", "::1", "::", "[ff02::1]", "ff02::1%eth0",
        "ff02:::1", ":", "::ffff:224.0.0.1", "ff02::224.0.0.1",
    ] {
        cases.same(format!("--start-daemon master --mcast-group {group}"));
    }
    cases.same("-L --mcast-group x");
}

/// Schedulers, engines, interfaces, tunnel types, daemons.
#[rustfmt::skip] // several cases a line
fn names(cases: &mut Cases) {
    cases.given("-A -t 10.0.0.1:80 -s rr\n");
    let long = "x".repeat(300);
    for name in ["rr", "RR", "''", "none", "nosuch", "' rr'", "'rr '", "rr,wrr", "ip_vs_rr", "-", "-s", "123456789012345", "1234567890123456", &long] {
        cases.same(format!("-A -t 10.0.0.9:80 -s {name}"));
        cases.same(format!("-A -t 10.0.0.9:80 -p --pe {name}"));
        cases.same(format!("--start-daemon master --mcast-interface {name}"));
        cases.same(format!("-a -t 10.0.0.1:80 -r 10.0.0.9 -i --tun-type {name}"));
        cases.same(format!("-A -t 10.0.0.9:80 -s sh -b {name}"));
        cases.same(format!("--start-daemon {name}"));
        cases.same(format!("--stop-daemon {name}"));
    }
    for role in ["master", "backup", "Master", "master,backup", "both", "m", "''"] {
        cases.same(format!("--start-daemon {role}"));
        cases.same(format!("--start-daemon={role}"));
        cases.same(format!("--stop-daemon {role}"));
        cases.same(format!("--stop-daemon={role}"));
    }
    for kind in ["ipip", "gue", "gre", "IPIP", "fou", "''"] {
        cases.same(format!("-a -t 10.0.0.1:80 -r 10.0.0.9 -i --tun-port 7 --tun-type {kind}"));
        cases.same(format!("-L --tun-type {kind}"));
    }
}
