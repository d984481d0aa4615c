//! What those get to whom the kernel tells nothing: /proc/net/ip_vs against netlink.

use crate::json::assert_good;
use crate::metrics::samples;
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use crate::{Test, busy_machine, parsed};
use serde_json::Value;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("proc::every_field_is_that_of_netlink_or_null", fields),
    ("proc::metrics_are_those_of_netlink_or_left_out", metrics),
    ("proc::a_mark_of_unknown_family_is_not_guessed", marks),
    (
        "proc::root_of_a_user_namespace_sees_its_table",
        user_namespace,
    ),
    ("proc::columns_and_everything_else_stay_refused", refused),
    (
        "proc::a_table_that_changes_is_complete_or_an_error",
        changing,
    ),
    (
        "proc::services_of_other_namespaces_leave_none_out",
        other_namespaces,
    ),
];

/// Runs ours as a user without any capability.
const NOBODY: &str = "--reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --";

const NOTE: &str = "only root may ask the kernel for everything: \
                    this is what /proc/net/ip_vs tells\n";

const UNSTABLE: &str = "the table kept changing while it was read: the listing may be incomplete\n";

/// The status, the output and what was said.
fn as_nobody(machine: &Machine, line: &str) -> (Option<i32>, String, String) {
    let output = machine.call("setpriv", &format!("{NOBODY} {OURS} {line}"), "");
    let (status, said) = ended(&output);
    let text = String::from_utf8(output.stdout).expect("text");
    (status, text, said)
}

/// The output, which must be there and be told to be of /proc.
fn from_proc(machine: &Machine, line: &str) -> String {
    let (status, text, said) = as_nobody(machine, line);
    assert_eq!((status, &*said), (Some(0), NOTE), "{line}");
    text
}

/// What makes a service or a server this one: two marks of one number differ in
/// their scheduler here.
fn identity(row: &Value) -> String {
    let keys = ["protocol", "address", "port", "fwmark", "scheduler"];
    keys.map(|key| row[key].to_string()).join(" ")
}

/// Fails unless `proc` has what `netlink` has, but for nulls; their names.
fn compare(netlink: &Value, proc: &Value, nulls: &mut Vec<String>) {
    let (netlink, proc) = (netlink.as_object(), proc.as_object());
    let (netlink, proc) = netlink.zip(proc).expect("objects");
    assert!(netlink.keys().eq(proc.keys()), "{netlink:?}\n{proc:?}");
    for (key, value) in netlink {
        let other = &proc[key];
        match (&**key, value) {
            ("source", _) => assert_eq!((value, other), (&"netlink".into(), &"proc".into())),
            ("services" | "servers", Value::Array(rows)) => {
                let others = other.as_array().expect("rows");
                assert_eq!(rows.len(), others.len(), "{key}");
                for row in rows {
                    let same = others.iter().find(|it| identity(it) == identity(row));
                    compare(row, same.unwrap_or_else(|| panic!("no {row}")), nulls);
                }
            }
            _ if other.is_null() && !value.is_null() => nulls.push(key.clone()),
            _ => assert_eq!(value, other, "{key}"),
        }
    }
}

fn fields() {
    let (machine, _streams) = busy_machine();
    let mut documents = Vec::new();
    for line in [
        "-L --json",
        "-L --json --nosort",
        "-Lj -t 10.0.9.1:80",
        "-Lj -t [2001:db8::1]:80",
        "-Lj --vip 10.0.9.1",
        "-Lj -r 10.0.9.2",
        "-Lj -r 192.0.2.0/24",
    ] {
        let netlink = machine.ipvsadm(line);
        let proc = from_proc(&machine, line);
        let mut nulls = Vec::new();
        compare(&parsed(&netlink), &parsed(&proc), &mut nulls);
        nulls.sort();
        nulls.dedup();
        let all = [
            "counters",
            "family",
            "flag_bits",
            "flags",
            "lower_threshold",
            "persistence_engine",
            "persistence_netmask",
            "persistence_prefix_length",
            "persistent_connections",
            "rates",
            "tunnel",
            "upper_threshold",
        ];
        match line {
            "-L --json" => {
                // That of IPv6 is only with a persistent service, where it is told.
                let all = all
                    .into_iter()
                    .filter(|key| !key.ends_with("prefix_length"));
                let found = nulls.iter().filter(|key| !key.ends_with("prefix_length"));
                assert!(found.eq(all), "{nulls:?}");
                let order = |text: &str| {
                    let services = parsed(text)["services"].as_array().cloned();
                    let services = services.expect("services").into_iter();
                    let addresses = services.filter(|it| it["fwmark"].is_null());
                    addresses.map(|it| identity(&it)).collect::<Vec<_>>()
                };
                assert_eq!(order(&netlink), order(&proc));
            }
            _ => assert!(
                nulls.iter().all(|null| all.contains(&&**null)),
                "{line}: {nulls:?}"
            ),
        }
        documents.push(proc);
    }
    let persistent = &documents[0];
    for part in [
        "\"persistence_timeout_seconds\":77,\"persistence_netmask\":\"255.255.240.0\"",
        "\"persistence_timeout_seconds\":360,\"persistence_netmask\":null,\"persistence_prefix_length\":64",
        "\"active_connections\":5",
        "\"protocol\":\"sctp\"",
    ] {
        assert!(persistent.contains(part), "{part}: {persistent}");
    }
    let (status, lines, said) = as_nobody(&machine, "-Lj --watch 0.1 --samples 3");
    assert_eq!((status, &*said), (Some(0), NOTE));
    let lines: Vec<_> = lines.lines().map(|line| format!("{line}\n")).collect();
    assert_eq!(lines.len(), 3);
    documents.extend(lines);
    assert_good(&documents);
    for (line, status, message) in [
        ("-Lj -t 192.0.2.1:80", 1, "No such service\n"),
        ("-Lj --vip 192.0.2.1", 1, "No such service\n"),
        ("-Lj -r 10.0.9.9", 1, "No such destination\n"),
        ("-Lj -f 7", 1, "No such service\n"),
    ] {
        let (found, text, said) = as_nobody(&machine, line);
        assert_eq!(
            (found, &*text, &*said),
            (Some(status), "", message),
            "{line}"
        );
    }
    machine.ipvsadm("-C");
    let empty = parsed(&from_proc(&machine, "-Lj"));
    assert_eq!(empty["services"], Value::Array(Vec::new()));
}

fn metrics() {
    let (machine, _streams) = busy_machine();
    machine.ipvsadm("-D -f 1 -6");
    let (netlink, proc) = loop {
        let netlink = machine.ipvsadm("-L --openmetrics");
        let proc = from_proc(&machine, "-L --openmetrics");
        if machine.ipvsadm("-L --openmetrics") == netlink {
            break (netlink, proc);
        }
    };
    // Those of a service may have commas between them.
    let without_flags = |line: &str| match line.split_once("flags=\"") {
        Some((before, rest)) => {
            let (_, rest) = rest.split_once("\",").expect("more labels");
            format!("{before}{rest}\n")
        }
        None => format!("{line}\n"),
    };
    let plain = |text: &str| {
        let text = text.replace(",family=\"unknown\"", "");
        samples(&text.lines().map(without_flags).collect::<String>())
    };
    let (netlink, proc) = (plain(&netlink), plain(&proc));
    for (series, value) in &proc {
        assert_eq!(netlink.get(series), Some(value), "{series}");
    }
    let count = |samples: &std::collections::BTreeMap<String, String>, name: &str| {
        samples
            .keys()
            .filter(|series| series.starts_with(name))
            .count()
    };
    for name in [
        "ipvs_connections_total ",
        "ipvs_outgoing_bytes_total ",
        "ipvs_connection_table_size ",
        "ipvs_service_info ",
        "ipvs_server_info ",
        "ipvs_server_connections_active ",
        "ipvs_server_connections_inactive ",
        "ipvs_server_weight ",
    ] {
        let told = count(&proc, name);
        assert!(told > 0 && told == count(&netlink, name), "{name}: {told}");
    }
    for name in ["ipvs_service_connections", "ipvs_server_upper", "ipvs_sync"] {
        assert_eq!(count(&proc, name), 0, "{name}");
    }
    // What node_exporter has is in /proc.
    loop {
        let netlink = machine.ipvsadm("-L --openmetrics=node");
        let proc = from_proc(&machine, "-L --openmetrics=node");
        if machine.ipvsadm("-L --openmetrics=node") == netlink {
            assert_eq!(proc, netlink);
            break;
        }
    }
}

fn marks() {
    let machine = Machine::new();
    machine.feed(
        "-R",
        "-A -f 5 -s rr\n-A -f 5 -6 -s rr\n-A -f 6 -s rr\n-a -f 6 -r 10.0.9.2 -m\n-A -f 6 -6 -s wlc\n",
    );
    let table = parsed(&from_proc(&machine, "-Lj"));
    let family = |mark: u32, scheduler: &str| {
        let services = table["services"].as_array().expect("services");
        let mut same = services
            .iter()
            .filter(|it| it["fwmark"] == mark && it["scheduler"] == scheduler);
        same.next().expect("a service")["family"].clone()
    };
    assert_eq!(family(5, "rr"), Value::Null);
    assert_eq!(
        (family(6, "rr"), family(6, "wlc")),
        ("inet".into(), "inet6".into())
    );
    let message =
        "/proc/net/ip_vs: it does not tell whether the mark 5 is on IPv4 or IPv6 packets\n";
    for line in ["-Lj -f 5", "-Lj -f 5 -6", "-L --openmetrics"] {
        let (status, text, said) = as_nobody(&machine, line);
        let wanted = if line.ends_with("metrics") { 1 } else { 2 };
        assert_eq!(
            (status, &*text, &*said.replace(NOTE, "")),
            (Some(wanted), "", message)
        );
    }
    let known = parsed(&from_proc(&machine, "-Lj -f 6 -6"));
    assert_eq!(known["services"][0]["scheduler"], "wlc");
    from_proc(&machine, "-L --openmetrics -r 10.0.9.2");
}

fn user_namespace() {
    let machine = Machine::new();
    let words = "--user --map-root-user --net -- sleep 600";
    let mut inside = machine.start("unshare", words);
    let own = fs::read_link("/proc/thread-self/ns/net").expect("a namespace");
    let place = format!("/proc/{}/ns", inside.id());
    while fs::read_link(format!("{place}/net")).expect("a namespace") == own {
        sleep(Duration::from_millis(10));
    }
    let root = |line: &str, input: &str| {
        let output = machine.call("nsenter", &format!("--net={place}/net {line}"), input);
        assert_eq!(ended(&output), (Some(0), String::new()), "{line}");
        String::from_utf8(output.stdout).expect("text")
    };
    root("ip link set lo up", "");
    let rules = "-A -t 192.0.2.1:80 -s wrr -p 50\n-a -t 192.0.2.1:80 -r 192.0.2.2:80 -m -w 9\n";
    root(&format!("{OURS} -R"), rules);
    let netlink = root(&format!("{OURS} -Lj"), "");
    let enter = format!("--user={place}/user --net={place}/net");
    let output = machine.call("nsenter", &format!("{enter} {OURS} -Lj"), "");
    let said = ended(&output);
    assert_eq!(said, (Some(0), NOTE.into()));
    let proc = String::from_utf8(output.stdout).expect("text");
    compare(&parsed(&netlink), &parsed(&proc), &mut Vec::new());
    assert_eq!(
        parsed(&proc)["services"][0]["persistence_timeout_seconds"],
        50
    );
    assert_good(&[proc]);
    root(&format!("{OURS} -C"), "");
    inside.kill().expect("a process");
    inside.wait().expect("a process");
}

fn refused() {
    let (machine, _streams) = busy_machine();
    for line in [
        "-Ln",
        "-L --json -c",
        "-L --json --timeout",
        "-Sn",
        "-Ln --stats",
    ] {
        let (status, text, said) = as_nobody(&machine, line);
        assert!(
            said.contains("Permission denied (you must be root)"),
            "{line}: {said}"
        );
        assert!(text.is_empty() && status != Some(0), "{line}: {text}");
    }
}

/// Services before and behind those that stay come and go.
fn changing() {
    const STAYING: usize = 150;
    let machine = Machine::new();
    let rules = |verb: &str, from: usize, to: usize| {
        let line = |port| match verb {
            "-A" => format!("-A -t 10.0.9.1:{port} -s rr\n"),
            _ => format!("{verb} -t 10.0.9.1:{port}\n"),
        };
        (from..to).map(line).collect::<String>()
    };
    machine.feed("-R", &rules("-A", 1000, 1000 + STAYING));
    let come_and_go = [rules("-A", 2000, 2200), rules("-D", 2000, 2200)].concat();
    let dir = std::env::temp_dir().join("come-and-go");
    fs::write(&dir, come_and_go).expect("a file");
    let script = format!("while {OURS} -R < {}; do :; done", dir.display());
    let words = ["-c", &*script];
    let mut changing = std::process::Command::new("bash")
        .args(words)
        .spawn()
        .expect("bash");
    let (mut complete, mut errors) = (0, 0);
    for _ in 0..60 {
        let (status, text, said) = as_nobody(&machine, "-Lj");
        if status == Some(0) {
            let table = parsed(&text);
            let services = table["services"].as_array().expect("services");
            let ports = services.iter().filter_map(|it| it["port"].as_u64());
            let staying: Vec<_> = ports.filter(|port| *port < 2000).collect();
            let wanted: Vec<u64> = (1000..1000 + STAYING as u64).collect();
            assert_eq!(staying, wanted);
            complete += 1;
        } else {
            assert_eq!((status, &*text, &*said), (Some(1), "", UNSTABLE));
            errors += 1;
        }
    }
    println!("{complete} complete, {errors} errors");
    changing.kill().expect("a process");
    changing.wait().expect("a process");
    // What bash had started may still run.
    machine.feed("-R --replace", &rules("-A", 1000, 1000 + STAYING));
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while as_nobody(&machine, "-Lj").0 != Some(0) {
        assert!(std::time::Instant::now() < deadline, "nothing changes");
    }
}

/// Up to Linux 6.12 one table holds the services of all namespaces, and the file
/// lacks some behind each page: then it is an error.
fn other_namespaces() {
    let machine = Machine::new();
    let rules = |count: usize| {
        let line = |port| format!("-A -t 10.0.9.1:{port} -s rr\n");
        (1000..1000 + count).map(line).collect::<String>()
    };
    let name = "others";
    for line in ["netns add others", "-n others link set lo up"] {
        assert_eq!(ended(&machine.call("ip", line, "")).0, Some(0), "{line}");
    }
    machine.feed(&format!("--netns {name} -R"), &rules(400));
    for count in [20, 100, 200, 400] {
        machine.feed("-R --replace", &rules(count));
        let (status, text, said) = as_nobody(&machine, "-Lj");
        if status == Some(0) {
            let services = parsed(&text)["services"].as_array().map(Vec::len);
            assert_eq!((services, &*said), (Some(count), NOTE));
        } else {
            assert_eq!((status, &*text, &*said), (Some(1), "", UNSTABLE));
            assert!(count >= 200, "{count} services are one page");
        }
    }
    machine.ipvsadm(&format!("--netns {name} -C"));
    let alone = parsed(&from_proc(&machine, "-Lj"));
    assert_eq!(alone["services"].as_array().map(Vec::len), Some(400));
    assert_eq!(
        ended(&machine.call("ip", "netns delete others", "")).0,
        Some(0)
    );
}
