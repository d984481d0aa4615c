//! Machines and addresses instead of services: `-r` and `--vip` with `-L` and
//! `-S`, edits with `--all`, and the way back with `-R --ensure`.
//!
//! What is found is held against the reference's own listing, through which a
//! script would have to look.

use crate::Test;
use crate::support::machine::{Machine, ended};
use crate::support::programs::{OURS, REFERENCE, TOP};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub const TESTS: &[Test] = &[
    ("hosts::listed_as_a_loop_would_find_them", listed),
    ("hosts::nothing_found", nothing_found),
    ("hosts::saved", saved),
    ("hosts::every_format_and_view", formats),
    ("hosts::checked", checked),
    ("hosts::watched_by_ipvstop", watched_by_ipvstop),
    ("hosts::edited_in_every_service", edited),
    ("hosts::refusals", refusals),
    ("hosts::contradictions", contradictions),
    ("hosts::there_and_back", there_and_back),
    ("hosts::edited_while_others_do", edited_while_others_do),
    ("hosts::in_ten_thousand_services", in_ten_thousand_services),
];

/// 10.0.9.2 is in five services, 10.0.9.22 and 10.0.9.1 look like others.
const RULES: &str = "\
-A -t 10.0.9.1:80 -s wrr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 9 -y 4
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 4
-A -t 10.0.9.1:443 -s sh -b sh-port
-a -t 10.0.9.1:443 -r 10.0.9.2:443 -g -w 1
-a -t 10.0.9.1:443 -r 10.0.9.2:444 -m -w 1
-A -t [2001:db8::1]:80 -s rr
-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -i -w 1
-a -t [2001:db8::1]:80 -r 10.0.9.2:80 -i -w 7
-A -u 10.0.9.11:53 -s rr
-a -u 10.0.9.11:53 -r 10.0.9.22:53 -m -w 1
-a -u 10.0.9.11:53 -r 10.0.9.1:53 -m -w 1
-A --sctp-service 10.0.9.1:9 -s rr
-a --sctp-service 10.0.9.1:9 -r 10.0.9.2:9 -m -w 0
-A -f 7 -s rr
-a -f 7 -r 10.0.9.2:0 -i --tun-type gue --tun-port 6 -w 2
-a -f 7 -r 10.0.9.3:0 -g -w 2
-A -t 10.0.9.1:81 -s rr
";

fn machine() -> Machine {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    machine
}

/// The service of a line of rules or of a listing, and its server.
struct Line<'a> {
    service: &'a str,
    server: Option<&'a str>,
    text: &'a str,
}

/// The lines of the reference's `-Ln`, without its title.
fn lines(listing: &str) -> Vec<Line<'_>> {
    let mut service = "";
    let rows = listing.lines().skip(3).map(|text| {
        let words: Vec<_> = text.split_whitespace().collect();
        let server = (words[0] == "->").then(|| words[1]);
        if server.is_none() {
            service = words[1];
        }
        Line {
            service,
            server,
            text,
        }
    });
    rows.collect()
}

/// What the reference's listing has of services and servers that are meant: a
/// service only with such servers, where `server` says which.
fn found(
    listing: &str,
    service: impl Fn(&str) -> bool,
    server: Option<&dyn Fn(&str) -> bool>,
) -> String {
    let (mut found, mut head) = (String::new(), None);
    for line in lines(listing) {
        match line.server {
            _ if !service(line.service) => {}
            None if server.is_none() => found += &format!("{}\n", line.text),
            None => head = Some(line.text),
            Some(at) if server.is_none_or(|server| server(at)) => {
                for text in head.take().into_iter().chain([line.text]) {
                    found += &format!("{text}\n");
                }
            }
            Some(_) => {}
        }
    }
    found
}

fn is_host(at: &str, host: &str) -> bool {
    at.rsplit_once(':')
        .is_some_and(|(address, _)| address == host)
}

fn listed() {
    let machine = machine();
    let theirs = machine.call(REFERENCE, "-Ln", "");
    let theirs = String::from_utf8(theirs.stdout).expect("text");
    let head: String = theirs
        .lines()
        .skip(1)
        .take(2)
        .map(|l| format!("{l}\n"))
        .collect();
    let any = |_: &str| true;
    let of_vip = |at: &str| is_host(at, "10.0.9.1");
    let is_2 = |at: &str| is_host(at, "10.0.9.2");
    let is_2_6 = |at: &str| is_host(at, "[2001:db8::2]");
    let net = |at: &str| at.starts_with("10.0.9.2") || at.starts_with("10.0.9.3");
    let port = |at: &str| at == "10.0.9.2:443";
    #[rustfmt::skip] // one case a line
    let cases: &[(&str, String)] = &[
        ("-r 10.0.9.2", found(&theirs, any, Some(&is_2))),
        ("-r 10.0.9.2/32", found(&theirs, any, Some(&is_2))),
        ("-r 10.0.9.2/31", found(&theirs, any, Some(&|at: &str| net(at) && !at.contains("22")))),
        ("-r 10.0.9.2:443", found(&theirs, any, Some(&port))),
        ("-r 10.0.9.2:0", found(&theirs, any, Some(&|at: &str| at == "10.0.9.2:0"))),
        ("-r 2001:db8::2", found(&theirs, any, Some(&is_2_6))),
        ("-r [2001:db8::2]:80", found(&theirs, any, Some(&is_2_6))),
        ("-r 2001:db8::/32", found(&theirs, any, Some(&is_2_6))),
        ("-r 0.0.0.0/0", found(&theirs, any, Some(&|at: &str| !at.starts_with('[')))),
        ("-r 10.0.9.1", found(&theirs, any, Some(&of_vip))),
        ("--vip 10.0.9.1", found(&theirs, of_vip, None)),
        ("--vip 10.0.9.1:80", found(&theirs, |at| at == "10.0.9.1:80", None)),
        ("--vip 10.0.9.0/28", found(&theirs, |at| at.starts_with("10.0.9."), None)),
        ("--vip 2001:db8::1", found(&theirs, |at| at.starts_with("[2001"), None)),
        ("--vip 10.0.9.1 -r 10.0.9.2", found(&theirs, of_vip, Some(&is_2))),
        ("-t 10.0.9.1:80 -r 10.0.9.2", found(&theirs, |at| at == "10.0.9.1:80", Some(&is_2))),
        ("-f 7 -r 10.0.9.2", found(&theirs, |at| at == "7", Some(&is_2))),
        ("--sctp-service 10.0.9.1:9 -r 10.0.9.2", found(&theirs, |at| at == "10.0.9.1:9", Some(&is_2))),
    ];
    for (selector, wanted) in cases {
        if wanted.is_empty() {
            continue;
        }
        let ours = machine.ipvsadm(&format!("-L -n {selector}"));
        assert_eq!(ours, format!("{head}{wanted}"), "{selector}");
        let with_names = machine.ipvsadm(&format!("-L {selector}"));
        assert_eq!(
            with_names.lines().count(),
            ours.lines().count(),
            "{selector}"
        );
    }
}

fn nothing_found() {
    let machine = machine();
    #[rustfmt::skip] // one case a line
    let cases = [
        ("-Ln -r 10.0.9.9", 1, "No such destination\n"),
        ("-Ln -r 10.0.9.2:9999", 1, "No such destination\n"),
        ("-L -r 10.0.9.2 -t 10.0.9.1:81", 1, "No such destination\n"),
        ("-L --json -r 10.0.9.9", 1, "No such destination\n"),
        ("-L --openmetrics -r 10.0.9.9", 1, "No such destination\n"),
        ("-L -n --rate --watch 1 --samples 1 -r 10.0.9.9", 1, "No such destination\n"),
        ("-Sn -r 10.0.9.9", 1, "No such destination\n"),
        ("-L -r 10.0.9.2 -t 10.0.9.1:82", 1, "No such service\n"),
        ("-L --vip 10.0.9.2", 1, "No such service\n"),
        ("-L --vip 10.0.9.1:82", 1, "No such service\n"),
        ("-S --vip 10.0.9.2", 1, "No such service\n"),
        ("-S -t 10.0.9.1:82", 1, "No such service\n"),
        ("-L --vip 10.0.9.2 -r 10.0.9.2", 1, "No such service\n"),
        ("-L -r 10.0.9.2/33", 2, "the prefix of `10.0.9.2/33' is longer than an address\n"),
        ("-L -r 10.0.9.2/24", 2, "`10.0.9.2/24' has bits behind its length: the network is 10.0.9.0/24\n"),
        ("-L -r [10.0.9.2]:80", 2, "illegal real server address[:port] specified\n"),
        ("-L -r nosuchhost.invalid", 2, "illegal real server address[:port] specified\n"),
        ("-L --vip=", 2, "illegal virtual IP address[/length][:port] specified\n"),
        ("-L -f 7 --vip 10.0.9.1", 2, "The option 'vip' conflicts with the 'service-address' option in the 'list' command\n"),
        ("-S --vip 10.0.9.1 --all", 2, "The option 'vip' conflicts with the 'all' option in the 'save' command\n"),
        ("-L --daemon --vip 10.0.9.1", 2, "Illegal 'vip' option with the 'list' command\n"),
    ];
    for (line, status, said) in cases {
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output), (Some(status), said.into()), "{line}");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.stdout.is_empty(), "{line}: {printed}");
    }
}

fn saved() {
    let machine = machine();
    let all = machine.ipvsadm("-Sn");
    let of = |wanted: &dyn Fn(&str) -> bool| -> String {
        all.lines()
            .filter(|line| wanted(line))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    let of_2 = |line: &str| line.contains("-r 10.0.9.2:");
    #[rustfmt::skip] // one case a line
    let cases: &[(&str, String)] = &[
        ("-r 10.0.9.2", of(&of_2)),
        ("-r 10.0.9.2 -t 10.0.9.1:443", of(&|line| of_2(line) && line.contains(":443 -r"))),
        ("--vip 10.0.9.1", of(&|line| line.contains(" 10.0.9.1:") && !line.contains("-r 10.0.9.1:"))),
        ("--vip 10.0.9.1 -r 10.0.9.2", of(&|line| of_2(line) && line.contains(" 10.0.9.1:"))),
        ("-f 7", of(&|line| line.contains("-f 7"))),
        ("-u 10.0.9.11:53", of(&|line| line.contains("-u "))),
    ];
    for (selector, wanted) in cases {
        assert!(!wanted.is_empty(), "{selector}");
        assert_eq!(
            machine.ipvsadm(&format!("-S -n {selector}")),
            *wanted,
            "{selector}"
        );
    }
}

fn formats() {
    let machine = machine();
    for view in [
        "--stats",
        "--rate",
        "--thresholds",
        "--persistent-conn",
        "--tun-info",
    ] {
        let listing = machine.ipvsadm(&format!("-L -n {view} -r 10.0.9.3"));
        let rows: Vec<_> = listing.lines().skip(2).collect();
        assert_eq!(rows.len(), 4, "{view}: {listing}");
        assert_eq!(listing.matches("10.0.9.3:").count(), 2, "{view}: {listing}");
    }
    let document: serde_json::Value =
        serde_json::from_str(&machine.ipvsadm("-L --json --vip 10.0.9.1 -r 10.0.9.3"))
            .expect("JSON");
    let services = document["services"].as_array().expect("services");
    assert_eq!(services.len(), 1, "{document}");
    assert_eq!(
        services[0]["servers"].as_array().map(Vec::len),
        Some(1),
        "{document}"
    );
    let metrics = machine.ipvsadm("-L --openmetrics -r 10.0.9.3");
    assert!(
        metrics.ends_with("# EOF\n") && !metrics.contains("10.0.9.2\""),
        "{metrics}"
    );
    assert!(metrics.contains("remote_address=\"10.0.9.3\""), "{metrics}");
    let watched = machine.ipvsadm("-L -n --watch 1 --samples 2 -r 10.0.9.3");
    assert_eq!(watched.matches("10.0.9.3:8080").count(), 2, "{watched}");
    assert!(!watched.contains("10.0.9.2"), "{watched}");
}

/// The findings of a part are those that all of the table has about its services.
fn checked() {
    let machine = machine();
    let findings = |selector: &str| -> Vec<(String, String)> {
        let output = machine.call(OURS, &format!("--check --json {selector}"), "");
        let text = String::from_utf8(output.stdout).expect("text");
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let found = report["findings"].as_array().expect("findings").iter();
        let of_services = found.filter(|finding| !finding["service"].is_null());
        of_services
            .map(|finding| (finding["id"].to_string(), finding["service"].to_string()))
            .collect()
    };
    let all = findings("");
    let of = |part: &[&str]| -> Vec<_> {
        let is_of = |service: &str| {
            let service: serde_json::Value = serde_json::from_str(service).expect("JSON");
            let address = service["address"].as_str().unwrap_or_default();
            part.contains(&format!("{address}:{}", service["port"]).as_str())
        };
        let found = all.iter().filter(|(_, service)| is_of(service));
        found.cloned().collect()
    };
    let at_vip = of(&["10.0.9.1:80", "10.0.9.1:443", "10.0.9.1:9", "10.0.9.1:81"]);
    assert!(!at_vip.is_empty() && at_vip.len() < all.len(), "{all:?}");
    assert_eq!(findings("--vip 10.0.9.1"), at_vip);
    assert_eq!(findings("--vip 10.0.9.1:81"), of(&["10.0.9.1:81"]));
    assert_eq!(findings("-r 10.0.9.22"), of(&["10.0.9.11:53"]));
    assert_eq!(findings("-r 10.0.9.3 --vip 10.0.9.1"), of(&["10.0.9.1:80"]));
    for (line, status, said) in [
        ("--check --vip 10.0.9.99", 255, "No such service\n"),
        ("--check -t 10.0.9.99:80", 255, "No such service\n"),
        ("--check -r 10.0.9.99", 255, "No such destination\n"),
        (
            "--check -t 10.0.9.1:81 -r 10.0.9.2",
            255,
            "No such destination\n",
        ),
        (
            "--check -t 10.0.9.1:81 --vip 10.0.9.1",
            2,
            "The option 'vip' conflicts with the 'service-address' option in the 'check' command\n",
        ),
        (
            "--check -r 10.0.9.2/33",
            2,
            "the prefix of `10.0.9.2/33' is longer than an address\n",
        ),
    ] {
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output), (Some(status), said.into()), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
    }
}

fn watched_by_ipvstop() {
    let machine = machine();
    let rows = |selector: &str| -> Vec<String> {
        let output = machine.call(&TOP, &format!("-b -n 1 -d 0.1 {selector}"), "");
        assert_eq!(ended(&output), (Some(0), String::new()), "{selector}");
        let text = String::from_utf8(output.stdout).expect("text");
        let rows = text.lines().skip(2).filter(|line| !line.is_empty());
        let mut rows: Vec<_> = rows
            .map(|row| row.split("  ").next().unwrap_or_default().to_owned())
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(
        rows("--vip 10.0.9.1"),
        [
            "SCTP 10.0.9.1:9",
            "TCP 10.0.9.1:443",
            "TCP 10.0.9.1:80",
            "TCP 10.0.9.1:81"
        ]
    );
    assert_eq!(rows("-r 10.0.9.22"), ["UDP 10.0.9.11:53"]);
    assert_eq!(rows("-r 10.0.9.2 --vip 10.0.9.1:80"), ["TCP 10.0.9.1:80"]);
    assert_eq!(rows("-r 10.0.9.3 --hosts"), ["10.0.9.3"]);
    assert_eq!(
        rows("--vip 2001:db8::/32 --hosts"),
        ["10.0.9.2", "2001:db8::2"]
    );
    for (line, status, said) in [
        ("--vip 10.0.9.99", 1, "No such service\n"),
        ("-r 10.0.9.99 --hosts", 1, "No such destination\n"),
        (
            "--vip=",
            2,
            "ipvstop: illegal virtual IP address[/length][:port] specified: the value is empty\n",
        ),
    ] {
        let output = machine.call(&TOP, &format!("-b -n 1 -d 0.1 {line}"), "");
        assert_eq!(ended(&output), (Some(status), said.into()), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
    }
}

/// `RULES` as `-S` has them, with each line about 10.0.9.2 changed by `edit`.
fn rules_with(all: &str, edit: impl Fn(&str) -> String) -> String {
    let edited = all.lines().map(|line| match line.contains("-r 10.0.9.2:") {
        true => edit(line),
        false => format!("{line}\n"),
    });
    edited.collect()
}

fn edited() {
    let machine = machine();
    let before = machine.ipvsadm("-Sn");
    let quiet = rules_with(&before, |line| {
        let (front, weight) = line.split_once(" -w ").expect("a weight");
        let rest = weight
            .split_once(' ')
            .map_or(String::new(), |(_, rest)| format!(" {rest}"));
        format!("{front} -w 0{rest}\n")
    });
    let edit = "-e --all -r 10.0.9.2 --keep -w 0";
    let dry = machine.call(OURS, &format!("{edit} --dry-run"), "");
    assert_eq!(ended(&dry), (Some(1), String::new()));
    let commands = String::from_utf8(dry.stdout).expect("text");
    // One of the six has weight 0 already.
    assert_eq!(commands.lines().count(), 5, "{commands}");
    assert_eq!(machine.ipvsadm("-Sn"), before, "a dry run changes nothing");
    assert_eq!(machine.ipvsadm(edit), "");
    assert_eq!(machine.ipvsadm("-Sn"), quiet);
    // The dry run's commands do the same.
    machine.ipvsadm("-C");
    machine.feed("-R", RULES);
    machine.feed("-R", &commands);
    assert_eq!(machine.ipvsadm("-Sn"), quiet);
    let again = machine.call(OURS, &format!("{edit} --dry-run"), "");
    assert_eq!(
        (ended(&again), again.stdout),
        ((Some(0), String::new()), vec![])
    );

    machine.ipvsadm("-C");
    machine.feed("-R", RULES);
    machine.ipvsadm("-e --vip 10.0.9.1:443 -r 10.0.9.2:444 --keep -w 8");
    assert_eq!(
        machine.ipvsadm("-Sn"),
        before.replace("-r 10.0.9.2:444 -m -w 1", "-r 10.0.9.2:444 -m -w 8")
    );
    machine.ipvsadm("-d --vip 10.0.9.1 -r 10.0.9.2");
    let gone = machine.ipvsadm("-Sn");
    assert_eq!(gone.matches("-r 10.0.9.2:").count(), 2, "{gone}");
    machine.ipvsadm("-d --all -r 10.0.9.2");
    assert_eq!(
        machine.ipvsadm("-Sn"),
        rules_with(&before, |_| String::new())
    );
    machine.ipvsadm("-d --all -r 10.0.9.2 --ensure");
}

fn refusals() {
    let machine = machine();
    let before = machine.ipvsadm("-Sn");
    #[rustfmt::skip] // one case a line
    let cases = [
        ("-d -r 10.0.9.2", 2, "You need to supply the 'service-address' option for the 'delete-server' command"),
        ("-e -r 10.0.9.2 --keep -w 0", 2, "You need to supply the 'service-address' option for the 'edit-server' command"),
        ("-e --all -r 10.0.9.2 -w 0", 2, "You need to supply the 'keep' option for the 'edit-server' command"),
        ("-e --all --keep -w 0", 2, "You need to supply the 'real-server' option for the 'edit-server' command"),
        ("-d --all -t 10.0.9.1:80 -r 10.0.9.2", 2, "The option 'all' conflicts with the 'service-address' option in the 'delete-server' command"),
        ("-d --vip 10.0.9.1 -f 7 -r 10.0.9.2", 2, "The option 'vip' conflicts with the 'service-address' option in the 'delete-server' command"),
        ("-d --all --vip 10.0.9.1 -r 10.0.9.2", 2, "The option 'vip' conflicts with the 'all' option in the 'delete-server' command"),
        ("-d --all -r 10.0.9.0/24", 2, "illegal real server address[:port] specified"),
        ("-d -t 10.0.9.1:80 -r 10.0.9.2 --dry-run", 2, "The option 'dry-run' needs the 'ensure' option"),
        ("-e -t 10.0.9.1:80 -r 10.0.9.0/24 -w x", 2, "illegal real server address[:port] specified"),
        ("-e --all -r 10.0.9.2/24 --keep -w 0", 2, "`10.0.9.2/24' has bits behind its length: the network is 10.0.9.0/24"),
        ("-a --all -r 10.0.9.2", 255, "--all: unknown option"),
        ("-D --all", 255, "--all: unknown option"),
        ("-A --vip 10.0.9.1", 255, "--vip: unknown option"),
        ("-d --all -r 10.0.9.9", 255, "No such destination"),
        ("-d --vip 10.0.9.99 -r 10.0.9.2", 255, "No such destination"),
        ("-e --all -r 10.0.9.9 --keep -w 0", 255, "No such destination"),
    ];
    for (line, status, said) in cases {
        let output = machine.call(OURS, line, "");
        assert_eq!(
            ended(&output),
            (Some(status), format!("{said}\n")),
            "{line}"
        );
    }
    let output = machine.call(OURS, "-R", "-d --all -r 10.0.9.2\n");
    let said = "line 1: the 'all' option is not allowed in rules\n";
    assert_eq!(ended(&output), (Some(2), said.into()));
    assert_eq!(machine.ipvsadm("-Sn"), before);
}

/// Options that one of the servers cannot have change none of them.
fn contradictions() {
    let machine = machine();
    let before = machine.ipvsadm("-Sn");
    let output = machine.call(OURS, "-e --all -r 10.0.9.2 --keep --tun-type gre", "");
    let (status, said) = ended(&output);
    assert_eq!(status, Some(2), "{said}");
    let wanted = "-t 10.0.9.1:80 -r 10.0.9.2:8080: Tunnel options conflict with forward method\n";
    assert!(said.starts_with(wanted), "{said}");
    assert_eq!(said.lines().count(), 4, "{said}");
    assert_eq!(machine.ipvsadm("-Sn"), before);
}

fn there_and_back() {
    let machine = machine();
    let before = machine.ipvsadm("-Sn");
    let host = machine.ipvsadm("-Sn -r 10.0.9.2");
    for away in ["-e --all -r 10.0.9.2 --keep -w 0", "-d --all -r 10.0.9.2"] {
        machine.ipvsadm(away);
        assert_ne!(machine.ipvsadm("-Sn"), before);
        let dry = machine.call(OURS, "-R --ensure --dry-run", &host);
        assert_eq!(ended(&dry), (Some(1), String::new()));
        assert_eq!(machine.feed("-R --ensure", &host), "");
        let sorted = |rules: &str| {
            let mut lines: Vec<_> = rules.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&machine.ipvsadm("-Sn")), sorted(&before), "{away}");
        let dry = machine.call(OURS, "-R --ensure --dry-run", &host);
        assert_eq!(
            (ended(&dry), dry.stdout),
            ((Some(0), String::new()), vec![])
        );
    }
}

/// Others remove and add the same servers: what has vanished is no error, and
/// what is there in the end has been edited.
fn edited_while_others_do() {
    let machine = machine();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let server = "-t 10.0.9.1:443 -r 10.0.9.2:443";
            while !done.load(Ordering::Relaxed) {
                for line in [format!("-d {server}"), format!("-a {server} -g -w 0")] {
                    machine.call(OURS, &line, "");
                }
            }
        });
        for weight in 1..=20 {
            let edit = format!("-e --all -r 10.0.9.2 --keep -w {weight}");
            assert_eq!(machine.ipvsadm(&edit), "");
            let rules = machine.ipvsadm("-Sn -r 10.0.9.2");
            let others = rules
                .lines()
                .filter(|line| !line.contains(" 10.0.9.2:443 "));
            let edited = others.filter(|line| line.contains(&format!(" -w {weight}")));
            assert_eq!(edited.count(), 5, "{rules}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// Far more requests than fit one batch; each service has another server, too.
fn in_ten_thousand_services() {
    const SERVICES: u32 = 10_000;
    let machine = Machine::new();
    let mut rules = String::new();
    for n in 0..SERVICES {
        let service = format!("-t 198.18.{}.{}:80", n >> 8, n & 255);
        rules += &format!(
            "-A {service} -s rr\n-a {service} -r 10.0.9.2:80 -m -w 5\n\
             -a {service} -r 10.0.9.22:80 -m -w 5\n"
        );
    }
    machine.feed("-R", &rules);
    let count = |text: &str, part: &str| text.lines().filter(|line| line.contains(part)).count();
    let edit = "-e --all -r 10.0.9.2 --keep -w 0";
    let dry = machine.call(OURS, &format!("{edit} --dry-run"), "");
    assert_eq!(ended(&dry), (Some(1), String::new()));
    let commands = String::from_utf8(dry.stdout).expect("text");
    assert_eq!(count(&commands, "-w 0"), SERVICES as usize);
    assert_eq!(machine.ipvsadm(edit), "");
    let saved = machine.ipvsadm("-Sn");
    assert_eq!(
        saved,
        rules.replace("-r 10.0.9.2:80 -m -w 5", "-r 10.0.9.2:80 -m -w 0")
    );
    let told = machine.ipvsadm("-d --all -r 10.0.9.2 --json");
    assert_eq!(count(&told, "-r 10.0.9.2:80"), SERVICES as usize);
    let left = machine.ipvsadm("-Sn -r 10.0.9.0/24");
    assert_eq!(count(&left, "-r 10.0.9.22:80"), SERVICES as usize);
    assert_eq!(count(&left, "-r 10.0.9.2:80"), 0);
}
