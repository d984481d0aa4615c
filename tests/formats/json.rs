//! `--json`.

use crate::support::machine::{Machine, ended, run};
use crate::support::programs::{OURS, REFERENCE, unread_pipe};
use crate::{CALL_ID, Test, VALIDATORS, busy_machine, parsed};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

pub const TESTS: &[Test] = &[
    ("json::every_document_follows_the_schema", schema),
    ("json::checks_follow_the_schema", checks),
    ("json::changes_follow_the_schema", changes),
    ("json::the_reference_tells_the_same", reference),
    ("json::connections_are_those_of_the_reference", connections),
    ("json::views_and_names_change_nothing", views),
    ("json::an_interface_that_is_no_text", interface),
    ("json::rules_may_list", rules),
    ("json::what_cannot_be_written", unwritten),
];

const LISTINGS: [&str; 10] = [
    "-L --json",
    "-Lj -t 10.0.9.1:80",
    "-Lj -t [2001:db8::1]:80",
    "-Lj -f 4294967295",
    "-Lj --nosort",
    "-Lcj",
    "-Lcj --origin local,sync",
    "-Lcj --by origin,state",
    "-Lj --timeout",
    "-Lj --daemon",
];

/// Reads documents as an array of strings, and prints what is wrong with each.
const VALIDATE: &str = "
import json, sys
from jsonschema.validators import validator_for
schema = json.load(open(sys.argv[1]))
kind = validator_for(schema)
kind.check_schema(schema)
errors = lambda document: kind(schema).iter_errors(json.loads(document))
complaints = lambda document: [error.message for error in errors(document)]
json.dump([complaints(document) for document in json.load(sys.stdin)], sys.stdout)
";

/// What the validator says of each document; nothing if it is good. All at once:
/// starting it takes seconds.
fn complaints(documents: &[String]) -> Vec<Vec<String>> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ipvsadm.schema.json");
    let packages = format!("PYTHONPATH={VALIDATORS}/usr/lib/python3/dist-packages");
    let words = [&packages, "python3", "-W", "ignore", "-c", VALIDATE, schema];
    let input = serde_json::to_string(documents).expect("text");
    let output = run("env", &words, &input).expect("a validator");
    assert_eq!(ended(&output), (Some(0), String::new()));
    serde_json::from_slice(&output.stdout).expect("an array")
}

/// All documents follow the schema.
pub fn assert_good(documents: &[String]) {
    for (complaints, document) in complaints(documents).iter().zip(documents) {
        assert!(complaints.is_empty(), "{complaints:?}: {document}");
    }
}

fn schema() {
    let (machine, _streams) = busy_machine();
    let mut documents = Vec::new();
    for line in LISTINGS {
        documents.push(machine.ipvsadm(line));
        documents.push(machine.ipvsadm(&format!("{line} --watch 1 --samples 1")));
    }
    let everything = machine.ipvsadm("-Lj");
    // Each kind is there.
    for part in [
        "\"protocol\":\"sctp\"",
        "\"fwmark\":4294967295,\"fwmark_hex\":\"0xffffffff\",\"family\":\"inet\"",
        "\"fwmark\":1,\"fwmark_hex\":\"0x1\",\"family\":\"inet6\"",
        "[\"persistent\",\"hashed\"],\"flag_bits\":3,\"persistence_timeout_seconds\":77,\"persistence_netmask\":\"255.255.240.0\"",
        "[\"hashed\",\"one-packet\"]",
        "[\"hashed\",\"sh-fallback\",\"sh-port\"]",
        "[\"hashed\",\"mh-fallback\",\"mh-port\"]",
        "[\"hashed\",\"flag-1\",\"flag-2\",\"flag-3\"],\"flag_bits\":58",
        "\"persistence_prefix_length\":64",
        "\"persistence_engine\":\"sip\"",
        "\"forwarding\":\"gatewaying\",\"tunnel\":null,\"weight\":0",
        "{\"type\":\"ipip\",\"port\":null,\"checksum\":null}",
        "{\"type\":\"gue\",\"port\":6080,\"checksum\":\"remote\"},\"weight\":2147483647",
        "{\"type\":\"gue\",\"port\":6081,\"checksum\":\"none\"}",
        "{\"type\":\"gre\",\"port\":null,\"checksum\":\"checksum\"}",
        "\"upper_threshold\":900,\"lower_threshold\":500",
    ] {
        assert!(everything.contains(part), "{part}: {everything}");
    }
    assert_eq!(
        machine.ipvsadm("-Lj --timeout"),
        "{\"timeouts\":{\"tcp_seconds\":901,\"tcp_fin_seconds\":121,\"udp_seconds\":301}}\n"
    );
    let daemons = parsed(&machine.ipvsadm("-Lj --daemon"));
    let (master, backup) = (&daemons["daemons"][0], &daemons["daemons"][1]);
    assert_eq!(master["multicast_group"], "224.0.0.99");
    assert_eq!(master["maximum_message_bytes"], 1400);
    assert_eq!(backup["sync_id"], 8);
    // The kernel has no daemon where families are mixed.
    machine.ipvsadm("--stop-daemon master");
    machine.ipvsadm("--stop-daemon backup");
    machine.ipvsadm("-a -t [2001:db8::1]:80 -r 192.0.2.9:80 -i");
    let mixed = machine.ipvsadm("-Lj -t [2001:db8::1]:80");
    let v4 = "\"address\":\"192.0.2.9\",\"port\":80,\"family\":\"inet\"";
    assert!(mixed.contains(v4), "{mixed}");
    documents.extend([mixed, machine.ipvsadm("-Lj --daemon")]);
    assert_good(&documents);
    // The validator does find what is wrong.
    let wrong = [
        ("\"weight\":3", "\"weight\":\"3\""),
        ("\"weight\":3", "\"wait\":3"),
        ("\"type\":\"gre\"", "\"type\":\"gra\""),
        ("\"fwmark\":1,", "\"fwmark\":null,"),
        ("\"fwmark_hex\":\"0x1\"", "\"fwmark_hex\":\"1\""),
    ];
    let wrong = wrong.map(|(right, wrong)| everything.replace(right, wrong));
    for (complaints, document) in complaints(&wrong).iter().zip(&wrong) {
        assert!(!complaints.is_empty(), "{document}");
    }
}

/// Changes that were made, would be, or failed, and none.
fn changes() {
    let machine = Machine::new();
    let change = |line: &str, input: &str, status: i32| {
        let output = machine.call(OURS, line, input);
        assert_eq!(output.status.code(), Some(status), "{line}");
        String::from_utf8(output.stdout).expect("text")
    };
    let rules = "-A -f 7 -s rr\n-a -f 7 -r 10.0.9.2 -m\n";
    let wrong = "-A -f 8 -s nosuch\n-a -f 9 -r 10.0.9.2 -m\n-A -f 10\n";
    let documents = [
        change("-A -t 10.0.9.1:80 --ensure --dry-run --json", "", 1),
        change("-A -t 10.0.9.1:80 --ensure --json", "", 0),
        change("-E -t 10.0.9.1:80 --keep --json", "", 0),
        change("-R --replace --json", rules, 0),
        change("-e --all -r 10.0.9.2 --keep -w 0 -j --dry-run", "", 1),
        change("-R --ensure --json", wrong, 255),
    ];
    let found: Vec<_> = documents.iter().map(|text| parsed(text)).collect();
    let changed = found.iter().map(|document| document["changed"].as_bool());
    let wanted = [true, true, false, true, true, true].map(Some);
    assert_eq!(changed.collect::<Vec<_>>(), wanted, "{found:?}");
    assert_eq!(found[5]["failed"].as_array().map(Vec::len), Some(2));
    assert_good(&documents);
    let bad = [
        documents[0].replace("true", "1"),
        documents[5].replace("\"line\"", "\"number\""),
    ];
    for complaints in complaints(&bad) {
        assert!(!complaints.is_empty(), "{bad:?}");
    }
}

/// Checks, with findings of every shape and without any.
fn checks() {
    let machine = Machine::new();
    let check = |line: &str, status: i32| {
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output), (Some(status), String::new()), "{line}");
        String::from_utf8(output.stdout).expect("text")
    };
    let nothing = check("--check --json", 0);
    machine.feed(
        "-R",
        "-A -t 10.0.9.1:80\n-A --sctp-service [2001:db8::1]:9900\n-A -u 10.0.9.1:53 -s rr\n\
         -A -f 666\n-A -f 4294967295 -6\n-a -u 10.0.9.1:53 -r 192.0.2.3 -m -w 0\n\
         -a -u 10.0.9.1:53 -r 10.0.9.2:54 -m\n",
    );
    let everything = check("--check --json", 3);
    let some = check(
        "--check -j --ignore server-unreachable,address-missing \
         --ignore no-servers@fwmark:666,no-servers@sctp:[2001:db8::1]:9900",
        3,
    );
    let one = check("--check -j -f 666 --ignore no-servers", 0);
    let server = check("--check-real-server -j -t 192.0.2.9:80 -r 10.0.9.2 -i", 3);
    let ignored = |document: &str| {
        let document = parsed(document);
        let found = document["findings"].as_array().expect("findings");
        let ignore = found
            .iter()
            .map(|found| found["ignore"].as_str().expect("text"));
        let ignore: Vec<String> = ignore.map(str::to_owned).collect();
        (ignore, document["ignored"].as_u64().expect("a number"))
    };
    let (found, none) = ignored(&everything);
    assert_eq!(
        found,
        [
            "no-servers@tcp:10.0.9.1:80",
            "no-servers@sctp:[2001:db8::1]:9900",
            "no-servers@fwmark:666",
            "no-servers@fwmark6:4294967295",
            "address-missing@sctp:[2001:db8::1]:9900",
            "server-unreachable@udp:10.0.9.1:53",
        ]
    );
    assert_eq!(none, 0);
    let left = [
        "no-servers@tcp:10.0.9.1:80",
        "no-servers@fwmark6:4294967295",
    ];
    assert_eq!(ignored(&some), (left.map(String::from).to_vec(), 4));
    assert_eq!(ignored(&one), (Vec::new(), 1));
    // What a document says to leave out is left out.
    let all = found.join(",");
    assert_eq!(
        ignored(&check(&format!("--check -j --ignore {all}"), 0)).1,
        6
    );
    assert_good(&[nothing, everything.clone(), some, one, server]);
    let wrong = [
        ("\"ignored\":0", "\"ignored\":null"),
        ("@fwmark:666", "@fwmark:x"),
        ("\"error\"", "\"trouble\""),
        ("\"server\":null,\"seen\"", "\"seen\""),
    ];
    let wrong = wrong.map(|(right, wrong)| everything.replace(right, wrong));
    for (complaints, document) in complaints(&wrong).iter().zip(&wrong) {
        assert!(!complaints.is_empty(), "{document}");
    }
}

/// The numbers of each row of a view of the reference, by its address.
fn rows(machine: &Machine, line: &str) -> Vec<(String, Vec<String>)> {
    let output = machine.call(REFERENCE, line, "");
    assert_eq!(ended(&output), (Some(0), String::new()));
    let text = String::from_utf8(output.stdout).expect("text");
    let rows = text.lines().skip(3).map(|row| {
        // Two words or three name it: `-> ADDRESS`, `FWM 1 IPv6`.
        let row = row
            .replace(" IPv6", "/IPv6")
            .replace("FWM  -1", "FWM 4294967295");
        let mut words = row.split_whitespace().map(str::to_owned);
        let name = [words.next().expect("a word"), words.next().expect("a word")];
        (name.join(" "), words.collect())
    });
    // It has an order of its own.
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

/// The numbers under `keys` of each service and server in `table`, named as the
/// reference names them.
fn told(table: &Value, what: &str, keys: &[&str], services: bool) -> Vec<(String, Vec<String>)> {
    let host = |row: &Value| match row["address"].as_str() {
        Some(v6) if v6.contains(':') => format!("[{v6}]:{}", row["port"]),
        Some(v4) => format!("{v4}:{}", row["port"]),
        None if row["family"] == "inet6" => format!("{}/IPv6", row["fwmark"]),
        None => row["fwmark"].to_string(),
    };
    let numbers = |row: &Value| {
        let inside = if what.is_empty() { row } else { &row[what] };
        let number = |key: &&str| match &inside[*key] {
            Value::Number(number) => number.to_string(),
            other => panic!("{key}: {other}"),
        };
        keys.iter().map(number).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    for service in table["services"].as_array().expect("services") {
        let protocol = service["protocol"].as_str().unwrap_or("FWM").to_uppercase();
        let columns = if services {
            numbers(service)
        } else {
            Vec::new()
        };
        rows.push((format!("{protocol} {}", host(service)), columns));
        for server in service["servers"].as_array().expect("servers") {
            rows.push((format!("-> {}", host(server)), numbers(server)));
        }
    }
    rows.sort();
    rows
}

fn without_service_columns(mut rows: Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
    for (name, columns) in &mut rows {
        if !name.starts_with("->") {
            columns.clear();
        }
    }
    rows
}

fn reference() {
    const COUNTED: [&str; 5] = [
        "connections",
        "incoming_packets",
        "outgoing_packets",
        "incoming_bytes",
        "outgoing_bytes",
    ];
    let (machine, _streams) = busy_machine();
    let (table, counters) = loop {
        // Counters may be published between two calls.
        let before = machine.ipvsadm("-Lj");
        let counters = rows(&machine, "-Ln --stats --exact");
        if machine.ipvsadm("-Lj") == before {
            break (parsed(&before), counters);
        }
    };
    assert_eq!(told(&table, "counters", &COUNTED, true), counters);
    assert!(
        counters.iter().any(|(_, columns)| columns[0] == "5"),
        "{counters:?}"
    );
    let thresholds = [
        "upper_threshold",
        "lower_threshold",
        "active_connections",
        "inactive_connections",
    ];
    let view = without_service_columns(rows(&machine, "-Ln --thresholds"));
    assert_eq!(told(&table, "", &thresholds, false), view);
    let persistent = [
        "weight",
        "persistent_connections",
        "active_connections",
        "inactive_connections",
    ];
    let view = without_service_columns(rows(&machine, "-Ln --persistent-conn"));
    assert_eq!(told(&table, "", &persistent, false), view);
    let title = machine.call(REFERENCE, "-Ln", "").stdout;
    let title = String::from_utf8_lossy(&title)
        .lines()
        .next()
        .map(str::to_owned);
    let version = table["version"].as_str().expect("a text");
    let size = &table["connection_table_size"];
    assert_eq!(
        title,
        Some(format!("IP Virtual Server version {version} (size={size})"))
    );
}

fn connections() {
    let (machine, _streams) = busy_machine();
    let output = machine.call(REFERENCE, "-Lcn --persistent-conn", "");
    let text = String::from_utf8(output.stdout).expect("text");
    let wanted: BTreeSet<Vec<String>> = text
        .lines()
        .skip(2)
        .map(|row| {
            let words = row.split_whitespace().map(str::to_owned).enumerate();
            words
                .filter(|(i, _)| *i != 1)
                .map(|(_, word)| word)
                .collect()
        })
        .collect();
    let document = parsed(&machine.ipvsadm("-L -c --json"));
    let rows = document["connections"].as_array().expect("rows");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let told: BTreeSet<Vec<String>> = rows
        .iter()
        .map(|row| {
            let end = |name: &str| {
                let address = row[format!("{name}_address")].as_str().expect("an address");
                Some(format!("{address}:{}", row[format!("{name}_port")]))
            };
            let words = [
                text(&row["protocol"]).map(|name| name.to_uppercase()),
                text(&row["state"]),
                end("client"),
                end("virtual"),
                end("server"),
                text(&row["persistence_engine"]),
                text(&row["persistence_engine_data"]),
            ];
            words.into_iter().flatten().collect()
        })
        .collect();
    assert_eq!(told, wanted);
    assert!(rows.len() >= 7, "{document}");
    let call = rows.iter().find(|row| row["persistence_engine"] == "sip");
    let data = &call.expect("the template of a call")["persistence_engine_data"];
    assert_eq!(*data, CALL_ID);
}

/// Names there are, but none is shown; nor does any column count.
fn views() {
    let (machine, _streams) = busy_machine();
    let strip = |text: String| {
        let table = parsed(&text);
        let mut services = table["services"].as_array().expect("services").clone();
        for service in &mut services {
            for key in ["counters", "rates"] {
                service[key].take();
            }
            for server in service["servers"].as_array_mut().expect("servers") {
                for key in ["counters", "rates"] {
                    server[key].take();
                }
            }
        }
        services
    };
    let plain = strip(machine.ipvsadm("-Lj"));
    for view in [
        "-n",
        "--stats",
        "--rate --exact",
        "--thresholds",
        "--persistent-conn",
        "--tun-info",
    ] {
        assert_eq!(
            strip(machine.ipvsadm(&format!("-Lj {view}"))),
            plain,
            "{view}"
        );
    }
    let trace = machine.call(
        "strace",
        &format!("-f -e trace=openat,connect {OURS} -Lj"),
        "",
    );
    let calls = String::from_utf8_lossy(&trace.stderr);
    assert!(calls.contains("exited with 0"), "{calls}");
    for file in [
        "/etc/hosts",
        "/etc/services",
        "nsswitch",
        "AF_INET",
        "resolv.conf",
    ] {
        assert!(!calls.contains(file), "{file}: {calls}");
    }
}

fn interface() {
    let machine = Machine::new();
    // Any byte but a blank, a slash and a colon may be in the name of one.
    let name = OsStr::from_bytes(b"e\xff\"\\\x01\xc3\xa9");
    let added = Command::new("ip")
        .args(["link", "add", "dev"])
        .arg(name)
        .args(["type", "dummy"])
        .status();
    assert!(added.expect("ip").success());
    let up = Command::new("ip")
        .args(["link", "set", "up", "dev"])
        .arg(name)
        .status();
    assert!(up.expect("ip").success());
    let started = Command::new(OURS)
        .args(["--start-daemon", "backup", "--mcast-interface"])
        .arg(name)
        .output();
    assert_eq!(
        ended(&started.expect("a program")),
        (Some(0), String::new())
    );
    let document = machine.ipvsadm("-L --daemon --json");
    assert_eq!(
        parsed(&document)["daemons"][0]["interface"],
        "e\u{fffd}\"\\\u{1}\u{e9}"
    );
    assert_good(&[document]);
}

/// Each line of rules that lists prints a document.
fn rules() {
    let machine = Machine::new();
    let rules = "-A -t 10.0.9.1:80\n-L --json\n-D -t 10.0.9.1:80\n-Lj --timeout\n-Lj\n";
    let output = machine.feed("-R", rules);
    let documents = serde_json::Deserializer::from_str(&output).into_iter::<Value>();
    let documents: Vec<Value> = documents.map(|d| d.expect("JSON")).collect();
    let services = |index: usize| documents[index]["services"].as_array().map(Vec::len);
    assert_eq!(documents.len(), 3);
    assert_eq!(
        (services(0), services(1), services(2)),
        (Some(1), None, Some(0))
    );
}

fn unwritten() {
    let (machine, _streams) = busy_machine();
    for line in ["-L --json", "-Lcj", "-Lj --timeout", "-L --openmetrics"] {
        let full = File::options().write(true).open("/dev/full");
        let output = Command::new(OURS)
            .args(line.split(' '))
            .stdout(full.expect("/dev/full"))
            .output();
        let said = "cannot write the output: No space left on device\n";
        assert_eq!(
            ended(&output.expect("a program")),
            (Some(1), said.into()),
            "{line}"
        );
        let output = Command::new(OURS)
            .args(line.split(' '))
            .stdout(unread_pipe())
            .output();
        let output = output.expect("a program");
        let text = Command::new(OURS).arg("-Ln").stdout(unread_pipe()).output();
        let text = text.expect("a program");
        assert_eq!(output.stderr, b"", "{line}");
        let end = |status: std::process::ExitStatus| (status.code(), status.signal());
        assert_eq!(end(output.status), end(text.status), "{line}");
        assert!(!output.status.success(), "{line}");
    }
    // What is refused prints nothing that could be read.
    let refused = machine.call(OURS, "-L --json -t 192.0.2.1:80", "");
    assert_eq!(ended(&refused), (Some(1), "No such service\n".into()));
    assert_eq!(refused.stdout, b"");
}
