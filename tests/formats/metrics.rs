//! `--openmetrics`.

use crate::support::machine::{Machine, run};
use crate::{Test, VALIDATORS, busy_machine, parsed};
use std::collections::BTreeMap;
use std::fs;

pub const TESTS: &[Test] = &[
    ("metrics::promtool_accepts_them", promtool),
    ("metrics::prometheus_reads_every_sample", prometheus),
    ("metrics::a_strict_reader_needs_other_names", strict),
    ("metrics::they_are_those_of_the_json", same_numbers),
];

/// Runs promtool: what it says, and whether it is content.
fn ask_promtool(words: &[&str], input: &str) -> (bool, String) {
    let promtool = format!("{VALIDATORS}/usr/bin/promtool");
    // That of Debian 13 dumps only where it is beside a directory of this name.
    let place = std::env::temp_dir().join("promtool");
    fs::create_dir_all(place.join("data")).expect("a directory");
    let there = ["-C", place.to_str().expect("text"), &promtool];
    let output = run("env", &[&there, words].concat(), input).expect("promtool");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}

fn promtool() {
    let (machine, _streams) = busy_machine();
    for line in [
        "-L --openmetrics",
        "-L --openmetrics -t 10.0.9.1:80",
        "-Ln --stats --openmetrics",
    ] {
        let text = machine.ipvsadm(line);
        assert_eq!(
            ask_promtool(&["check", "metrics"], &text),
            (true, String::new()),
            "{text}"
        );
    }
    machine.ipvsadm("-C");
    let empty = machine.ipvsadm("-L --openmetrics");
    assert_eq!(
        ask_promtool(&["check", "metrics"], &empty),
        (true, String::new()),
        "{empty}"
    );
    // It does find what is wrong.
    let (content, said) = ask_promtool(&["check", "metrics"], "# TYPE x counter\nx 1\n");
    assert!(!content, "{said}");
}

/// The samples: a name with its labels in order, and a value.
fn samples(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        // A label that is empty is none to Prometheus.
        let mut labels: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
        labels.retain(|label| !label.is_empty() && !label.ends_with("=\"\""));
        labels.sort();
        (format!("{name} {}", labels.join(",")), value.to_owned())
    };
    lines.map(sample).collect()
}

/// Prometheus's parser of OpenMetrics takes all of it, and finds in it what
/// stands there.
fn prometheus() {
    let (machine, _streams) = busy_machine();
    let text = machine.ipvsadm("-L --openmetrics");
    // It reads files whose samples have a time.
    let line = |line: &str| match line.starts_with('#') {
        true => format!("{line}\n"),
        false => format!("{line} 1700000000\n"),
    };
    let timed: String = text.lines().map(line).collect();
    let top = env!("CARGO_MANIFEST_DIR");
    let dir = format!("{top}/target/lab-out/metrics-{}", std::process::id());
    fs::create_dir_all(&dir).expect("a directory");
    let (file, cut) = (format!("{dir}/metrics"), format!("{dir}/cut"));
    fs::write(&file, &timed).expect("a file");
    fs::write(&cut, timed.replace("# EOF\n", "")).expect("a file");
    let import = |file: &str| {
        let words = ["tsdb", "create-blocks-from", "openmetrics", file, &dir];
        ask_promtool(&words, "")
    };
    let (content, said) = import(&cut);
    assert!(!content && said.contains("EOF"), "{said}");
    let (content, said) = import(&file);
    assert!(content, "{said}");
    fs::create_dir_all(format!("{dir}/wal")).expect("a directory");
    let (content, dump) = ask_promtool(&["tsdb", "dump", &dir], "");
    assert!(content, "{dump}");
    fs::remove_dir_all(&dir).expect("a directory");
    let dumped = dump.lines().filter_map(|line| {
        // {__name__="x", a="b"} 1 1700000000000
        let line = line.strip_suffix(" 1700000000000")?;
        let (labels, value) = line.strip_prefix("{__name__=\"")?.split_once("} ")?;
        let (name, labels) = labels.split_once('"')?;
        let labels = labels.trim_start_matches(", ").replace(", ", ",");
        Some(format!("{name}{{{labels}}} {value}\n"))
    });
    let dumped: String = dumped.collect();
    // It writes numbers in another way.
    let numbers = |text: &str| {
        let numbers = samples(text).into_iter();
        let number = numbers.map(|(name, value)| (name, value.parse::<f64>().expect("a number")));
        number.collect::<BTreeMap<_, _>>()
    };
    let (read, printed) = (numbers(&dumped), numbers(&text));
    let differing: Vec<_> = printed
        .iter()
        .filter(|(name, value)| read.get(*name) != Some(value))
        .collect();
    assert_eq!(differing, []);
    assert_eq!(read.len(), printed.len());
}

/// The parser of Prometheus's client for Python knows OpenMetrics 1.0 and nothing
/// else. It refuses what promtool wants, as the manual says, and with the manual's
/// remedy takes all of it.
fn strict() {
    const SCRIPT: &str = "import sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families\n\
        for family in text_string_to_metric_families(sys.stdin.read()):\n\
        \x20   print(family.type, len(family.samples))\n";
    let (machine, _streams) = busy_machine();
    let text = machine.ipvsadm("-L --openmetrics");
    let packages = format!("PYTHONPATH={VALIDATORS}/usr/lib/python3/dist-packages");
    let read = |text: &str| {
        let words = [&*packages, "python3", "-c", SCRIPT];
        let output = run("env", &words, text).expect("python3");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let said = read(&text);
    assert!(said.contains("ValueError: Clashing name"), "{said}");
    let remedy = ["-E", "/^# (HELP|TYPE) /s/_total / /"];
    let changed = run("sed", &remedy, &text).expect("sed");
    let said = read(&String::from_utf8_lossy(&changed.stdout));
    let families: Vec<_> = said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let of_type = |kind| families.iter().filter(|(it, _)| *it == kind).count();
    assert_eq!((of_type("counter"), of_type("gauge")), (10, 7), "{said}");
    let counts = families.iter().map(|(_, count)| count.parse::<usize>());
    let read: usize = counts.map(|count| count.expect("a number")).sum();
    assert_eq!(read, samples(&text).len());
}

fn same_numbers() {
    let (machine, _streams) = busy_machine();
    let (table, text) = unchanging(&machine);
    let samples = samples(&text);
    let table = parsed(&table);
    let web = table["services"].as_array().expect("services").iter();
    let mut web = web.filter(|service| service["port"] == 80 && service["family"] == "inet");
    let web = web.next().expect("a service");
    let server = &web["servers"][0];
    let service = "local_address=\"10.0.9.1\",local_port=\"80\",proto=\"TCP\"";
    let address = "remote_address=\"10.0.9.2\",remote_port=\"8080\"";
    let of_server = format!("local_address=\"10.0.9.1\",local_port=\"80\",proto=\"TCP\",{address}");
    for counter in [
        "connections",
        "incoming_packets",
        "outgoing_packets",
        "incoming_bytes",
        "outgoing_bytes",
    ] {
        for (what, labels, row) in [("service", service, web), ("server", &of_server, server)] {
            let name = format!("ipvs_{what}_{counter}_total {labels}");
            let value = row["counters"][counter].to_string();
            assert_eq!(samples.get(&name), Some(&value), "{name}");
            assert_ne!(value, "0", "{name}");
        }
    }
    for (gauge, key) in [
        ("connections_active", "active_connections"),
        ("connections_inactive", "inactive_connections"),
        ("connections_persistent", "persistent_connections"),
        ("weight", "weight"),
        ("upper_threshold", "upper_threshold"),
        ("lower_threshold", "lower_threshold"),
    ] {
        let name = format!("ipvs_server_{gauge} {of_server}");
        assert_eq!(samples.get(&name), Some(&server[key].to_string()), "{name}");
    }
    let servers = table["services"].as_array().expect("services").iter();
    let servers: usize = servers
        .map(|s| s["servers"].as_array().map_or(0, Vec::len))
        .sum();
    let services = table["services"].as_array().map_or(0, Vec::len);
    assert_eq!(samples.len(), 1 + 5 * services + 11 * servers);
}

/// Both formats of a table whose counters were not published in between.
fn unchanging(machine: &Machine) -> (String, String) {
    loop {
        let table = machine.ipvsadm("-Lj");
        let text = machine.ipvsadm("-L --openmetrics");
        if machine.ipvsadm("-Lj") == table {
            return (table, text);
        }
    }
}
