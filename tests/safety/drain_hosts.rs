//! `--drain` of a host in all services, with `-d --all` and `-e --all --keep -w 0`,
//! and of a server that stays in one service.

use crate::Test;
use crate::connection::{Connection, listen, wait_for};
use crate::drain::{listed, send};
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use nix::sys::signal::Signal;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("drain::host_stays_in_every_service", stays),
    ("drain::host_is_deleted_where_it_is_quiet", is_deleted),
    ("drain::server_stays_in_one_service", in_one_service),
    ("drain::time_is_up_for_a_host", time_is_up),
    ("drain::others_edit_a_host", others),
    ("drain::table_is_emptied", table_is_emptied),
    ("drain::host_interrupted", interrupted),
    ("drain::looks_that_fail_for_a_host", looks_that_fail),
    ("drain::nothing_can_be_read_of_a_host", nothing_can_be_read),
    ("drain::host_in_thousands_of_services", many_services),
    ("drain::host_dry_run", dry_run),
    ("drain::host_refusals", refusals),
    (
        "drain::host_has_weight_0_everywhere",
        has_weight_0_everywhere,
    ),
];

/// 10.0.9.2 is in four services, in one of them twice and in one with weight 0.
const RULES: &str = "\
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 5 -x 100 -y 50
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 0
-A -t 10.0.9.1:81 -s rr
-a -t 10.0.9.1:81 -r 10.0.9.2:8080 -m -w 4
-A -t 10.0.9.1:82 -s rr
-a -t 10.0.9.1:82 -r 10.0.9.2:8080 -m -w 0
-a -t 10.0.9.1:82 -r 10.0.9.2:8081 -m -w 3
-A -u 10.0.9.1:53 -s rr
-a -u 10.0.9.1:53 -r 10.0.9.2:53 -m -w 2
";
const STAY: &str = "-e --all -r 10.0.9.2 --keep -w 0 --drain";
const DELETE: &str = "-d --all -r 10.0.9.2 --drain";

const AT_80: &str = "-t 10.0.9.1:80 -r 10.0.9.2:8080: ";
const AT_81: &str = "-t 10.0.9.1:81 -r 10.0.9.2:8080: ";
const ZERO: &str = "-t 10.0.9.1:82 -r 10.0.9.2:8080: warning: the weight is 0 already, perhaps \
                    because of another drain: it will stay 0\n";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    machine
}

/// [`RULES`] without the weights of the host.
fn quiet_rules() -> String {
    let lines = RULES
        .lines()
        .map(|line| match line.contains("-r 10.0.9.2:") {
            true => {
                let (front, weight) = line.split_once(" -w ").expect("a weight");
                let (_, rest) = weight.split_once(' ').unwrap_or_default();
                format!("{front} -w 0 {rest}").trim_end().to_owned() + "\n"
            }
            false => format!("{line}\n"),
        });
    lines.collect()
}

/// Starts the drain in `line` and waits until it has begun everywhere.
fn start(machine: &Machine, line: &str) -> Child {
    let drain = machine.start(OURS, line);
    wait_for("weight 0", || {
        let rules = machine.ipvsadm("-Sn");
        let servers = rules.lines().filter(|line| line.contains("-r 10.0.9.2:"));
        servers.into_iter().all(|line| line.contains("-w 0"))
    });
    drain
}

/// Where the host is, by ports.
fn is_at(machine: &Machine) -> Vec<String> {
    let rules = machine.ipvsadm("-Sn");
    let lines = rules.lines().filter_map(|line| {
        let (service, server) = line.split_once(" -r 10.0.9.2:")?;
        let port = server.split(' ').next()?;
        Some(format!("{}>{port}", service.rsplit(':').next()?))
    });
    lines.collect()
}

fn stays() {
    let machine = machine();
    let listeners = [listen(2)];
    let mut open: Vec<_> = [80, 80, 81, 80]
        .map(|port| Connection::open(port, &listeners))
        .into();
    let drain = start(&machine, STAY);
    assert_eq!(machine.ipvsadm("-Sn"), quiet_rules());
    while let Some(last) = open.pop() {
        assert!(open.iter_mut().all(Connection::is_alive));
        sleep(Duration::from_millis(500));
        drop(last);
    }
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert_eq!(machine.ipvsadm("-Sn"), quiet_rules());
    // Once more, there is nothing to wait for.
    assert_eq!(machine.ipvsadm(STAY), "");
    let output = machine.call(
        OURS,
        "-e --vip 10.0.9.9 -r 10.0.9.2 --keep -w 0 --drain",
        "",
    );
    assert_eq!(ended(&output), (Some(255), "No such destination\n".into()));
}

fn has_weight_0_everywhere() {
    let machine = machine();
    machine.ipvsadm("-e --all -r 10.0.9.2 --keep -w 0 --drain");
    let output = machine.call(OURS, DELETE, "");
    let warning = "warning: the weight is 0 already 5 times, perhaps because of another drain: \
                   it will stay 0\n";
    assert_eq!(ended(&output), (Some(0), warning.into()));
    assert!(is_at(&machine).is_empty());
}

fn is_deleted() {
    let machine = machine();
    let listeners = [listen(2)];
    let mut first = Connection::open(80, &listeners);
    let mut second = Connection::open(81, &listeners);
    let drain = start(&machine, DELETE);
    wait_for("an end where it is quiet", || {
        is_at(&machine) == ["80>8080", "81>8080"]
    });
    assert!(first.is_alive() && second.is_alive());
    drop(second);
    wait_for("an end in one more", || is_at(&machine) == ["80>8080"]);
    assert!(first.is_alive());
    drop(first);
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), ZERO.into()));
    assert!(is_at(&machine).is_empty());
    assert!(listed(&machine, "-r 10.0.9.3:8080 -m -w 0"));
    let output = machine.call(OURS, DELETE, "");
    assert_eq!(ended(&output), (Some(255), "No such destination\n".into()));
    assert_eq!(machine.ipvsadm("-d --all -r 10.0.9.2 --ensure --drain"), "");
    // Only at one address.
    machine.ipvsadm("-C");
    machine.feed("-R", RULES);
    machine.feed(
        "-R",
        "-A -t 10.0.9.4:80\n-a -t 10.0.9.4:80 -r 10.0.9.2:80 -m\n",
    );
    machine.ipvsadm("-d --vip 10.0.9.4 -r 10.0.9.2 --drain 60");
    let rules = machine.ipvsadm("-Sn");
    assert_eq!(rules.replace("-A -t 10.0.9.4:80 -s wlc\n", ""), RULES);
}

fn in_one_service() {
    let machine = machine();
    let listeners = [listen(2)];
    let open = Connection::open(80, &listeners);
    let line = "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 0 -x 90 --drain";
    let wanted = RULES.replace("-w 5 -x 100", "-w 0 -x 90");
    let output = machine.call(OURS, &format!("{line} 1"), "");
    let late = "time is up: 1 active connection left; the weight stays 0\n";
    assert_eq!(ended(&output), (Some(1), late.into()));
    assert_eq!(machine.ipvsadm("-Sn"), wanted);
    // As a rule.
    let output = machine.call(OURS, "-R", &format!("-Z\n{line} 1\n-Z\n"));
    assert_eq!(ended(&output), (Some(255), format!("line 2: {late}")));
    let drain = machine.start(OURS, line);
    sleep(Duration::from_secs(1));
    send(Signal::SIGTERM, &drain);
    let output = drain.wait_with_output().expect("an end");
    let said = late.replace("time is up", "interrupted");
    assert_eq!(ended(&output), (Some(143), said));
    let drain = machine.start(OURS, line);
    sleep(Duration::from_secs(1));
    drop(open);
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert_eq!(machine.ipvsadm("-Sn"), wanted);

    for (service, server, said) in [
        ("10.0.9.1:80", "10.0.9.4:8080", "No such destination\n"),
        ("10.0.9.1:84", "10.0.9.2:8080", "Service not defined\n"),
    ] {
        let line = format!("-e -t {service} -r {server} --keep -w 0 --drain");
        let output = machine.call(OURS, &line, "");
        assert_eq!(ended(&output), (Some(255), said.into()));
    }
    assert_eq!(machine.ipvsadm("-Sn"), wanted);
}

fn time_is_up() {
    let machine = machine();
    let listeners = [listen(2)];
    let mut open = [80, 81, 81].map(|port| Connection::open(port, &listeners));
    let output = machine.call(OURS, &format!("{STAY} 2"), "");
    let said = format!(
        "{AT_80}time is up: 1 active connection left; the weight stays 0\n\
         {AT_81}time is up: 2 active connections left; the weight stays 0\n"
    );
    assert_eq!(ended(&output), (Some(1), said));
    assert_eq!(machine.ipvsadm("-Sn"), quiet_rules());
    // The weights are put back where it is not deleted.
    machine.ipvsadm("-e --all -r 10.0.9.2 --keep -w 7");
    let output = machine.call(OURS, &format!("{DELETE} 2"), "");
    let said = format!(
        "{AT_80}time is up: 1 active connection left; not deleted, and the weight is 7 again\n\
         {AT_81}time is up: 2 active connections left; not deleted, and the weight is 7 again\n"
    );
    assert_eq!(ended(&output), (Some(1), said));
    assert_eq!(is_at(&machine), ["80>8080", "81>8080"]);
    assert!(listed(&machine, "-r 10.0.9.2:8080 -m -w 7 -x 100 -y 50"));
    assert!(open.iter_mut().all(Connection::is_alive));
}

/// Others delete the host from one service and give it a weight in another.
fn others() {
    for (line, said, gone, after) in [
        (
            STAY,
            "not drained",
            UNKNOWN,
            ["80>8080", "82>8080", "82>8081", "53>53"].as_slice(),
        ),
        (DELETE, "not deleted", GONE, &["80>8080"]),
    ] {
        let machine = machine();
        let listeners = [listen(2)];
        let _first = Connection::open(80, &listeners);
        let second = Connection::open(81, &listeners);
        let drain = start(&machine, line);
        machine.ipvsadm("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 6");
        machine.ipvsadm("-d -t 10.0.9.1:81 -r 10.0.9.2:8080");
        drop(second);
        let output = drain.wait_with_output().expect("an end");
        let (status, heard) = ended(&output);
        let heard = heard.replace(ZERO, "");
        let mut lines: Vec<_> = heard.lines().collect();
        lines.sort_unstable();
        let reweighted = format!("{AT_80}somebody else set the weight to 6: {said}");
        let gone = format!("{AT_81}{gone}");
        assert_eq!(lines, [reweighted, gone]);
        assert_eq!(status, Some(2));
        assert_eq!(is_at(&machine), after);
        assert!(listed(&machine, "-r 10.0.9.2:8080 -m -w 6 -x 100 -y 50"));
    }
}

/// Of a server that is to go anyway, and of one that was to stay.
const GONE: &str = "somebody else deleted the real server meanwhile";
const UNKNOWN: &str =
    "somebody else deleted the real server: whether anybody is still connected is not known";

fn table_is_emptied() {
    for (line, gone, answer) in [(STAY, UNKNOWN, 2), (DELETE, GONE, 0)] {
        let machine = machine();
        let listeners = [listen(2)];
        let _open = [80, 81].map(|port| Connection::open(port, &listeners));
        let drain = start(&machine, line);
        machine.ipvsadm("-C");
        let output = drain.wait_with_output().expect("an end");
        let (status, said) = ended(&output);
        let told = said.replace(ZERO, "");
        assert!(told.lines().all(|line| line.ends_with(gone)), "{told}");
        assert!(told.contains(AT_80) && told.contains(AT_81), "{told}");
        assert_eq!(status, Some(answer), "{said}");
        assert_eq!(machine.ipvsadm("-Sn"), "");
    }
}

fn interrupted() {
    for (line, then, rules) in [
        (STAY, "the weight stays 0", quiet_rules()),
        (
            DELETE,
            "not deleted, and the weight is N again",
            "-A -t 10.0.9.1:80 -s rr\n\
             -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 5 -x 100 -y 50\n\
             -a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 0\n\
             -A -t 10.0.9.1:81 -s rr\n\
             -a -t 10.0.9.1:81 -r 10.0.9.2:8080 -m -w 4\n\
             -A -t 10.0.9.1:82 -s rr\n\
             -A -u 10.0.9.1:53 -s rr\n"
                .into(),
        ),
    ] {
        let machine = machine();
        let listeners = [listen(2)];
        let _open = [80, 81].map(|port| Connection::open(port, &listeners));
        let drain = start(&machine, line);
        sleep(Duration::from_secs(2));
        send(Signal::SIGINT, &drain);
        let output = drain.wait_with_output().expect("an end");
        let (status, said) = ended(&output);
        let left = "interrupted: 1 active connection left; ";
        let expected = format!(
            "{AT_80}{left}{}\n{AT_81}{left}{}\n",
            then.replace('N', "5"),
            then.replace('N', "4")
        );
        assert_eq!((status, said.replace(ZERO, "")), (Some(130), expected));
        assert_eq!(machine.ipvsadm("-Sn"), rules);
    }
}

/// Looks fail for a time, and then one is right; answers to changes are lost, and a
/// look at the table shows what became of them.
fn looks_that_fail() {
    let machine = Machine::new();
    for faults in [
        // The first are those of the start.
        "-e inject=recvfrom:error=ENOMEM:when=30..60",
        "-e inject=recvfrom:error=ENOBUFS:when=9",
        "-e inject=recvfrom:error=ENOBUFS:when=12",
        "-e inject=sendto:error=ENOBUFS:when=20..40",
        "-P /proc/net/ip_vs_conn -e inject=openat:error=EMFILE:when=2..4",
    ] {
        for line in [STAY, DELETE] {
            machine.ipvsadm("-C");
            machine.feed("-R", RULES);
            let listeners = [listen(2)];
            let open = [80, 81].map(|port| Connection::open(port, &listeners));
            let line = format!("-o /dev/null {faults} {OURS} {line}");
            let drain = machine.start("strace", &line);
            wait_for("weight 0", || !listed(&machine, "-w 4"));
            sleep(Duration::from_secs(2));
            assert!(listed(&machine, "-t 10.0.9.1:81 -r 10.0.9.2:8080"));
            drop(open);
            let output = drain.wait_with_output().expect("an end");
            let (status, said) = ended(&output);
            let said = said.replace(ZERO, "");
            let ours = said.lines().find(|line| !line.starts_with("strace: "));
            assert_eq!((status, ours), (Some(0), None), "{line}");
            let places = if line.contains(STAY) { 5 } else { 0 };
            assert_eq!(is_at(&machine).len(), places, "{line}");
        }
    }
}

/// Nothing can be read any more, after the first look or before it is known what
/// became of the weights: each server is told of, and with `-d` the command that
/// puts its weight back, which works.
fn nothing_can_be_read() {
    let why = "cannot read the kernel's answer: No buffer space available";
    for (line, first) in [(STAY, 21), (DELETE, 21), (STAY, 12), (DELETE, 12)] {
        let machine = machine();
        let listeners = [listen(2)];
        let _open = [80, 81].map(|port| Connection::open(port, &listeners));
        let faults = format!("-e inject=recvfrom:error=ENOBUFS:when={first}+");
        let call = format!("-o /dev/null {faults} {OURS} {line} 1");
        let (status, said) = ended(&machine.call("strace", &call, ""));
        let told = said.replace(ZERO, "");
        assert_eq!(status, Some(2), "{told}");
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines.len(), 5, "{told}");
        assert!(lines.iter().all(|line| line.contains(why)), "{told}");
        let uncertain = lines
            .iter()
            .filter(|line| line.contains("may have been made: -e "));
        assert_eq!(uncertain.count(), if first == 12 { 4 } else { 0 }, "{told}");
        assert_eq!(machine.ipvsadm("-Sn"), quiet_rules());
        if line == STAY {
            let stays = |line: &&&str| line.ends_with("; the weight stays 0");
            let stay = lines.iter().filter(stays).count();
            assert_eq!(stay, if first == 12 { 1 } else { 5 }, "{told}");
            continue;
        }
        for line in lines {
            let command = line.split("to restore it: ipvsadm ").nth(1);
            machine.ipvsadm(command.expect("a command"));
        }
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
    }
}

/// One wait for all, and one who interrupts it is heard.
fn many_services() {
    let machine = Machine::new();
    let service = |n: usize| format!("-t 10.{}.{}.1:80", n / 250, n % 250);
    let rules: String = (0..3_000)
        .flat_map(|n| {
            let service = service(n);
            [
                format!("-A {service} -s rr\n"),
                format!("-a {service} -r 10.0.9.2:80 -m -w 3\n"),
                format!("-a {service} -r 10.0.9.3:80 -m -w 3\n"),
            ]
        })
        .collect();
    machine.feed("-R", &rules);
    machine.ipvsadm(&format!("{STAY} 300"));
    let weights = |weight: &str| {
        let servers = machine.ipvsadm("-Sn");
        let servers = servers
            .lines()
            .filter(|line| line.contains("-r 10.0.9.2:80 "));
        servers.filter(|line| line.ends_with(weight)).count()
    };
    assert_eq!(weights("-w 0"), 3_000);
    machine.ipvsadm("-e --all -r 10.0.9.2 --keep -w 5");
    machine.ipvsadm(&format!("{DELETE} 300"));
    assert_eq!(weights(""), 0);
    assert_eq!(machine.ipvsadm("-Sn -r 10.0.9.3").lines().count(), 3_000);
}

fn dry_run() {
    let machine = machine();
    let stay = machine.call(OURS, &format!("{STAY} 60 --dry-run"), "");
    let plain = machine.call(OURS, "-e --all -r 10.0.9.2 --keep -w 0 --dry-run", "");
    assert_eq!(ended(&stay), (Some(1), String::new()));
    assert_eq!(stay.stdout, plain.stdout);
    let delete = machine.call(OURS, &format!("{DELETE} --dry-run"), "");
    assert_eq!(ended(&delete), (Some(1), String::new()));
    let plain = machine.call(OURS, "-d --all -r 10.0.9.2 --dry-run", "");
    let expected = [stay.stdout, plain.stdout].concat();
    assert_eq!(
        String::from_utf8_lossy(&delete.stdout),
        String::from_utf8_lossy(&expected)
    );
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
    machine.ipvsadm("-e --all -r 10.0.9.2 --keep -w 0");
    let stay = machine.call(OURS, &format!("{STAY} --dry-run"), "");
    assert_eq!(
        (ended(&stay), stay.stdout),
        ((Some(0), String::new()), vec![])
    );
}

fn refusals() {
    let machine = machine();
    let weight = "The option 'drain' needs the weight 0";
    let keep = "You need to supply the 'keep' option for the 'edit-server' command";
    #[rustfmt::skip] // one case a line
    let cases = [
        ("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 5 --drain", 2, weight),
        ("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep --drain", 2, weight),
        ("-e --all -r 10.0.9.2 --keep -w 5 --drain", 2, weight),
        ("-e --all -r 10.0.9.2 --keep -x 5 --drain 60", 2, weight),
        ("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 0 --drain", 2, keep),
        ("-e --all -r 10.0.9.2 -w 0 --drain", 2, keep),
        ("-e --all -r 10.0.9.2 --keep -w 0 --drain x", 2, "invalid timeout value `x' specified"),
        ("-e -r 10.0.9.2 --keep -w 0 --drain", 2, "You need to supply the 'service-address' option for the 'edit-server' command"),
        ("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 0 --drain --dry-run", 2, "The option 'dry-run' conflicts with the 'drain' option in the 'edit-server' command"),
        ("-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -w 0 --drain", 255, "--drain: unknown option"),
        ("-e --all -r 10.0.9.2 --keep -w 0 -y 60 -x 50 --tun-type gre --drain", 2, "-t 10.0.9.1:80 -r 10.0.9.2:8080: Tunnel options conflict with forward method"),
    ];
    for (line, status, said) in cases {
        let (ended, heard) = ended(&machine.call(OURS, line, ""));
        let first = heard.lines().next();
        assert_eq!((ended, first), (Some(status), Some(said)), "{line}");
    }
    let output = machine.call(OURS, "-R", &format!("{STAY}\n"));
    let said = "line 1: the 'all' option is not allowed in rules\n";
    assert_eq!(ended(&output), (Some(2), said.into()));
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
}
