//! Names of hosts and services: the address that C ipvsadm takes, saves that
//! can be restored, and name servers that do not answer.

use crate::Test;
use crate::name_server::{RESOLV, Zone, private_files, serve};
use crate::support::machine::{Machine, ended};
use crate::support::netns;
use crate::support::programs::{OURS, REFERENCE, RESTORE, TOP};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("names::the_first_address_of_gethostbyname", || {
        apart(first_address)
    }),
    ("names::several_addresses_of_a_host_are_told", || {
        apart(several_addresses)
    }),
    ("names::a_save_with_names_can_be_restored", || {
        apart(saved_names)
    }),
    ("names::looked_up_once_each_in_rules", || apart(once_each)),
    ("names::a_dead_name_server_in_rules", || apart(dead_server)),
    ("names::of_loopback_addresses_in_rules", || {
        apart(loopback_names)
    }),
    ("names::without_threads", || apart(without_threads)),
    ("names::services_are_those_of_the_file", || {
        apart(services_file)
    }),
];

/// In a thread of its own, whose /etc is nobody else's.
fn apart(test: fn()) {
    let done = thread::scope(|scope| scope.spawn(test).join());
    if let Err(panic) = done {
        std::panic::resume_unwind(panic);
    }
}

/// Addresses that getaddrinfo sorts: there is no route to the first.
const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 9, 77);

/// 10.0.9.0/24 is near, everything else has no route.
const NEAR_NETWORK: &str = "link add eth0 type dummy\n\
    addr add 10.0.9.1/24 dev eth0\n\
    link set eth0 up\n";

fn first_address() {
    let machine = Machine::with(NEAR_NETWORK);
    private_files(&format!("{FAR} both\n{NEAR} both\n"), RESOLV);
    serve(Zone {
        hosts: HashMap::from([
            ("many.test", vec![FAR, NEAR]),
            ("three.test", vec![NEAR, FAR, Ipv4Addr::new(10, 0, 9, 78)]),
        ]),
        ..Zone::default()
    });
    for (name, first) in [("both", FAR), ("many.test", FAR), ("three.test", NEAR)] {
        let line = format!("-A -t {name}:80 -s rr");
        let added = format!("-A -t {first}:80 -s rr\n");
        for (program, line, input) in [
            (REFERENCE, &line[..], ""),
            (OURS, &line, ""),
            (OURS, "-R", &line),
        ] {
            let output = machine.call(program, line, input);
            assert_eq!(ended(&output), (Some(0), String::new()), "{program} {line}");
            assert_eq!(machine.ipvsadm("-Sn"), added, "{program} {line}");
            machine.ipvsadm("-C");
        }
    }
}

/// Where only we take a name, it is said which of its addresses is meant.
fn several_addresses() {
    let machine = Machine::new();
    private_files("10.0.9.2 both\n10.0.9.3 both\n10.0.9.2 one\n", RESOLV);
    let rules = "-A -t 10.0.9.2:80 -s rr\n-a -t 10.0.9.2:80 -r 10.0.9.2:80 -m -w 1\n";
    machine.feed("-R", rules);
    let told = "both has 2 addresses; only the first is meant: 10.0.9.2\n";
    for (program, line, input, told) in [
        (OURS, "-Ln -r both", "", told),
        (OURS, "-L -n --vip both", "", told),
        (OURS, "-Lcn -r both", "", told),
        (OURS, "-Sn -r both", "", told),
        (OURS, "-e --all -r both --keep -w 0", "", told),
        (OURS, "-d --vip 10.0.9.2 -r both", "", told),
        (OURS, "-R --replace --vip both", rules, told),
        (&TOP, "-b -n 1 -d 0.1 --vip both", "", told),
        (OURS, "-Ln -r one", "", ""),
        // As C ipvsadm has it.
        (OURS, "-Ln -t both:80", "", ""),
        (OURS, "-e -t 10.0.9.2:80 -r both:80 -m", "", ""),
        (OURS, "-Z -t both:80", "", ""),
    ] {
        let output = machine.call(program, line, input);
        assert_eq!(ended(&output), (Some(0), told.to_owned()), "{line}");
    }
}

fn saved_names() {
    let machine = Machine::new();
    let dir = private_files("", RESOLV);
    netns::replace_file(
        &dir,
        "/etc/services",
        "http 80/tcp\nacr-nema 104/tcp dicom\ndicom 11112/tcp\n",
    );
    let address = |last| Ipv4Addr::new(10, 0, 9, last);
    serve(Zone {
        hosts: HashMap::from([
            ("vip.test", vec![address(1)]),
            ("elsewhere.test", vec![Ipv4Addr::new(192, 0, 2, 66)]),
            ("shared.test", vec![address(5), address(4)]),
        ]),
        names: HashMap::from([
            (address(1), "vip.test"),
            (address(2), "nowhere.test"),
            (address(3), "elsewhere.test"),
            (address(4), "shared.test"),
            (address(5), "shared.test"),
        ]),
    });
    let table = "-A -t 10.0.9.1:80 -s rr\n\
        -a -t 10.0.9.1:80 -r 10.0.9.2:11112 -m -w 1\n\
        -a -t 10.0.9.1:80 -r 10.0.9.3:80 -m -w 1\n\
        -a -t 10.0.9.1:80 -r 10.0.9.4:104 -m -w 1\n\
        -a -t 10.0.9.1:80 -r 10.0.9.5:8080 -m -w 1\n\
        -A -t 10.0.9.1:11112 -s rr\n";
    machine.feed("-R", table);
    let saved = machine.ipvsadm("-S");
    let named = "-A -t vip.test:http -s rr\n\
        -a -t vip.test:http -r 10.0.9.2:11112 -m -w 1\n\
        -a -t vip.test:http -r 10.0.9.3:http -m -w 1\n\
        -a -t vip.test:http -r 10.0.9.4:acr-nema -m -w 1\n\
        -a -t vip.test:http -r shared.test:8080 -m -w 1\n\
        -A -t vip.test:11112 -s rr\n";
    assert_eq!(saved, named);
    let output = machine.call(RESTORE, "", &saved);
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert_eq!(machine.ipvsadm("-Sn"), table);
    // A listing shows the names that there are.
    let listed = machine.ipvsadm("-L");
    for name in [
        "nowhere.test:dicom",
        "elsewhere.test:http",
        "vip.test:dicom",
    ] {
        assert!(listed.contains(name), "{name}:\n{listed}");
    }
}

fn once_each() {
    let machine = Machine::new();
    private_files("", RESOLV);
    let names: Vec<&'static str> = (0..50).map(|n| &*format!("s{n}.test").leak()).collect();
    let mut hosts: HashMap<&str, Vec<Ipv4Addr>> = (1..)
        .zip(&names)
        .map(|(n, name)| (*name, vec![Ipv4Addr::new(10, 0, 8, n)]))
        .collect();
    hosts.insert("vip.test", vec![Ipv4Addr::new(10, 0, 9, 1)]);
    let asked = serve(Zone {
        hosts,
        ..Zone::default()
    });
    let mut rules = String::new();
    for port in 1..=20 {
        rules.push_str(&format!("-A -t vip.test:{port} -s rr\n"));
        for name in &names {
            rules.push_str(&format!("-a -t vip.test:{port} -r {name} -g\n"));
        }
    }
    machine.feed("-R", &rules);
    let saved = machine.ipvsadm("-Sn");
    assert_eq!(saved.lines().count(), 20 * 51);
    assert_eq!(saved.matches("10.0.8.50:").count(), 20);
    assert_eq!(asked.load(Ordering::Relaxed), 51);
}

fn dead_server() {
    let machine = Machine::new();
    // A server that is never given up.
    private_files("10.0.9.1 vip\n", &format!("{RESOLV}options timeout:25\n"));
    serve(Zone::default());
    machine.feed("-R", "-A -f 1 -s rr\n");
    let table = machine.ipvsadm("-Sn");
    let mut rules: String = (0..30)
        .map(|n| format!("-A -t s{n}.silent:80 -s rr\n-A -t vip:{} -s rr\n", n + 1))
        .collect();
    rules.push_str("-A -t vip:x\n");
    let silent = (0..30).map(|n| {
        format!(
            "line {}: illegal virtual server address[:port] specified: \
             s{n}.silent:80: the name could not be looked up in time\n",
            n * 2 + 1
        )
    });
    let said = silent.collect::<String>()
        + "line 61: illegal virtual server address[:port] specified: vip:x: no service `x' for tcp\n";
    for (program, line) in [(OURS, "-R"), (RESTORE, "")] {
        let start = Instant::now();
        let output = machine.call(program, line, &rules);
        let time = start.elapsed();
        assert_eq!(ended(&output), (Some(2), said.clone()), "{program}");
        // The C library asks twice for each name, and waits 25 seconds each time.
        assert!(time < Duration::from_secs(45), "{program}: {time:?}");
        println!("30 names and a dead name server: {time:.1?}");
        assert_eq!(machine.ipvsadm("-Sn"), table);
    }
}

/// What C ipvsadm saves where the name of a virtual address is the machine's own.
fn loopback_names() {
    let machine = Machine::new();
    private_files(
        "127.0.0.1 localhost localhost.localdomain\n10.0.9.1 vip.test\n",
        "",
    );
    let named = "-A -t vip.test:80 -s rr\n-A -t localhost.localdomain:http -s rr\n\
        -a -t localhost.localdomain:http -r localhost:8080 -m -w 1\n\
        -a -t localhost.localdomain:http -r 127.0.0.1:8081 -m -w 1\n";
    let said = "line 2: warning: `localhost.localdomain' stands for the loopback address 127.0.0.1\n\
        line 3: warning: `localhost' stands for the loopback address 127.0.0.1\n";
    let there = "-A -t 10.0.9.1:80 -s rr\n-A -t 127.0.0.1:80 -s rr\n\
        -a -t 127.0.0.1:80 -r 127.0.0.1:8080 -m -w 1\n\
        -a -t 127.0.0.1:80 -r 127.0.0.1:8081 -m -w 1\n";
    for (program, line) in [
        (OURS, "-R --dry-run"),
        (RESTORE, "--replace --dry-run"),
        (OURS, "-R"),
        (RESTORE, ""),
        (OURS, "-R --replace"),
        (RESTORE, "--replace"),
    ] {
        let output = machine.call(program, line, named);
        let status = i32::from(line == "--replace --dry-run");
        assert_eq!(
            ended(&output),
            (Some(status), said.into()),
            "{program} {line}"
        );
        if !line.contains("--dry-run") {
            assert_eq!(machine.ipvsadm("-Sn"), there, "{program} {line}");
        }
    }
    // On a command line it is what was typed.
    machine.ipvsadm("-D -t localhost:http");
    machine.ipvsadm("-A -t localhost:http -s rr");
}

/// With less and less memory there comes a limit at which no thread can start,
/// and one at which the program cannot. In a few KiB between, a thread starts and
/// has no memory left to look anything up: the C library may then never return,
/// the time-out ends that, and addresses are saved as numbers.
fn without_threads() {
    let machine = Machine::new();
    private_files("10.0.9.1 vip.test\n10.0.9.2 real.test\n", "");
    let named = "-A -t vip.test:99 -s rr\n-a -t vip.test:99 -r real.test:99 -m -w 1\n";
    machine.feed("-R", named);
    let (mut whole, mut timed_out) = (0, Vec::new());
    for limit in (4000..8000).step_by(20) {
        let save = format!("ulimit -v {limit}; exec {OURS} -S");
        let output = Command::new("/bin/bash").args(["-c", &save]).output();
        let output = output.expect("a shell");
        let stderr = String::from_utf8_lossy(&output.stderr);
        if stderr.contains("timed out") {
            timed_out.push(limit);
        }
        whole += usize::from(output.stdout == named.as_bytes());
    }
    assert!(whole > 50, "{whole} whole saves");
    assert!(timed_out.len() <= 2, "timed out with KiB {timed_out:?}");
}

/// The difference `services-file`.
fn services_file() {
    let machine = Machine::new();
    let dir = private_files("", "");
    netns::replace_file(&dir, "/etc/services", "web 80/tcp\n");
    netns::replace_file(&dir, "/etc/nsswitch.conf", "hosts: files\nservices: db\n");
    let line = "-A -t 10.0.9.1:web -s rr";
    let said = "illegal virtual server address[:port] specified\n";
    let output = machine.call(REFERENCE, line, "");
    assert_eq!(ended(&output), (Some(2), said.into()));
    assert_eq!(machine.ipvsadm(line), "");
    assert_eq!(machine.ipvsadm("-S"), "-A -t 10.0.9.1:web -s rr\n");
}
