//! `--openmetrics`.

use crate::support::machine::{Machine, run};
use crate::{Test, VALIDATORS, busy_machine, parsed};
use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("metrics::promtool_accepts_them", promtool),
    ("metrics::prometheus_reads_every_sample", prometheus),
    ("metrics::a_strict_reader_needs_other_names", strict),
    ("metrics::they_are_those_of_the_json", same_numbers),
    ("metrics::totals_remember_services_that_are_gone", totals),
    (
        "metrics::services_servers_and_daemons_are_described",
        descriptions,
    ),
    (
        "metrics::the_connection_table_is_told_where_the_kernel_does",
        connection_table,
    ),
    ("metrics::a_network_namespace_is_a_label", namespace),
    ("metrics::node_exporter_prints_the_same", node_exporter),
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
        "-L --openmetrics=node",
        "-L --openmetrics --netns /proc/thread-self/ns/net",
        "-L --openmetrics=node --netns /proc/thread-self/ns/net",
    ] {
        let text = machine.ipvsadm(line);
        assert_eq!(
            ask_promtool(&["check", "metrics"], &text),
            (true, String::new()),
            "{text}"
        );
    }
    machine.ipvsadm("-C");
    for line in ["-L --openmetrics", "-L --openmetrics=node"] {
        let empty = machine.ipvsadm(line);
        assert_eq!(
            ask_promtool(&["check", "metrics"], &empty),
            (true, String::new()),
            "{empty}"
        );
    }
    // It does find what is wrong.
    let (content, said) = ask_promtool(&["check", "metrics"], "# TYPE x counter\nx 1\n");
    assert!(!content, "{said}");
}

/// The samples: a name with its labels in order, and a value.
pub fn samples(text: &str) -> BTreeMap<String, String> {
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
    let of_table = if has_status() { 3 } else { 0 };
    assert_eq!(
        (of_type("counter"), of_type("gauge")),
        (15, 11 + of_table),
        "{said}"
    );
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
    // Totals, the size of the table and how full it is; a state and a set-up of
    // both daemons.
    let of_director = 5 + 1 + if has_status() { 10 } else { 0 } + 4;
    assert_eq!(samples.len(), of_director + 6 * services + 12 * servers);
}

/// Whether the kernel says how full its table of connections is, as since 7.2.
fn has_status() -> bool {
    fs::exists("/proc/thread-self/net/ip_vs_status").expect("/proc")
}

/// The five totals that the kernel has, in decimal.
fn kernels_totals() -> Vec<u64> {
    let text = fs::read_to_string("/proc/thread-self/net/ip_vs_stats").expect("a file");
    let counters = text.lines().nth(2).expect("counters").split_whitespace();
    let decimal = |word| u64::from_str_radix(word, 16).expect("a number");
    counters.map(decimal).collect()
}

fn totals() {
    const NAMES: [&str; 5] = [
        "connections",
        "incoming_packets",
        "outgoing_packets",
        "incoming_bytes",
        "outgoing_bytes",
    ];
    let (machine, _streams) = busy_machine();
    let told = |line: &str| {
        let before = kernels_totals();
        let text = machine.ipvsadm(line);
        let samples = samples(&text);
        let total = |name| samples.get(&format!("ipvs_{name}_total ")).cloned();
        let total = |name| total(name).and_then(|total| total.parse().ok());
        let told: Vec<u64> = NAMES.map(|name| total(name).expect("a total")).into();
        (told == before || told == kernels_totals()).then_some(told)
    };
    let whole = told("-L --openmetrics").expect("the kernel's totals");
    assert!(whole.iter().all(|total| *total > 0), "{whole:?}");
    machine.ipvsadm("-D -t 10.0.9.1:80");
    for line in ["-L --openmetrics", "-L --openmetrics -f 1"] {
        let gone = told(line).expect("the kernel's totals");
        assert!(gone[0] >= whole[0], "{line}: {gone:?} after {whole:?}");
    }
}

fn descriptions() {
    let (machine, _streams) = busy_machine();
    let samples = samples(&machine.ipvsadm("-L --openmetrics"));
    let address = "local_address=\"10.0.9.1\",local_port";
    for (name, labels) in [
        (
            "service",
            format!(
                "flags=\"persistent\",{address}=\"0\",persistence_timeout=\"77\",proto=\"TCP\",scheduler=\"wlc\""
            ),
        ),
        (
            "service",
            format!(
                "flags=\"one-packet\",{address}=\"53\",persistence_timeout=\"0\",proto=\"UDP\",scheduler=\"rr\""
            ),
        ),
        (
            "server",
            format!(
                "forwarding=\"gatewaying\",{address}=\"80\",proto=\"TCP\",remote_address=\"192.0.2.3\",remote_port=\"80\""
            ),
        ),
    ] {
        let name = format!("ipvs_{name}_info {labels}");
        assert_eq!(
            samples.get(&name).map(String::as_str),
            Some("1"),
            "{name}: {samples:#?}"
        );
    }
    let daemon = |what: &str| samples.get(&format!("ipvs_sync_daemon_{what}")).cloned();
    assert_eq!(daemon("running role=\"master\""), Some("1".into()));
    let master = "info interface=\"lo\",role=\"master\",sync_id=\"7\"";
    assert_eq!(daemon(master), Some("1".into()));
    machine.ipvsadm("--stop-daemon backup");
    let text = machine.ipvsadm("-L --openmetrics");
    assert!(
        text.contains("\nipvs_sync_daemon_running{role=\"backup\"} 0\n"),
        "{text}"
    );
    assert!(
        !text.contains("ipvs_sync_daemon_info{role=\"backup\""),
        "{text}"
    );
}

fn connection_table() {
    let (machine, _streams) = busy_machine();
    let samples = samples(&machine.ipvsadm("-L --openmetrics"));
    let told = |what: &str| {
        let value = samples.get(&format!("ipvs_connection_table_{what}"));
        value.map(|value| value.parse::<u64>().expect("a number"))
    };
    let lengths = ["0", "1", "2", "3", "4", "5", "6", "7+"];
    let buckets = lengths.map(|length| told(&format!("buckets entries=\"{length}\"")));
    if !has_status() {
        assert_eq!(
            (told("connections "), told("limit "), buckets),
            (None, None, [None; 8])
        );
        return;
    }
    let listed = machine.ipvsadm("-Lcn").lines().count() - 2;
    assert_eq!(told("connections "), Some(listed as u64));
    let limit = fs::read_to_string("/proc/sys/net/ipv4/vs/conn_max").expect("a setting");
    assert_eq!(told("limit "), limit.trim().parse().ok());
    let buckets: u64 = buckets.map(|count| count.expect("a count")).iter().sum();
    assert_eq!(told("size "), Some(buckets));
}

/// All samples, and nothing else about them, say the network namespace.
fn namespace() {
    let (machine, _streams) = busy_machine();
    let path = "/proc/thread-self/ns/net";
    for style in ["--openmetrics", "--openmetrics=node"] {
        let (plain, named) = loop {
            let plain = machine.ipvsadm(&format!("-L {style}"));
            let named = machine.ipvsadm(&format!("-L {style} --netns {path}"));
            if machine.ipvsadm(&format!("-L {style}")) == plain {
                break (samples(&plain), samples(&named));
            }
        };
        let label = format!("netns=\"{path}\"");
        let without = named.into_iter().map(|(series, value)| {
            let (name, labels) = series.split_once(' ').expect("labels");
            let (with, without): (Vec<_>, Vec<_>) = labels.split(',').partition(|it| *it == label);
            assert_eq!(with.len(), 1, "{series}");
            (format!("{name} {}", without.join(",")), value)
        });
        assert_eq!(without.collect::<BTreeMap<_, _>>(), plain);
    }
}

/// The collector that is imitated, beside ours: every byte is the same.
fn node_exporter() {
    let (machine, _streams) = busy_machine();
    // It takes these for servers of the service above.
    machine.ipvsadm("-D --sctp-service 10.0.9.1:9900");
    let exporter = format!("{VALIDATORS}/usr/bin/prometheus-node-exporter");
    let listen = "--web.listen-address=127.0.0.1:9100";
    let words = format!("{listen} --collector.disable-defaults --collector.ipvs");
    let mut exporter = machine.start(&exporter, &words);
    let scrape = || {
        let script = "import sys, urllib.request as u\n\
            sys.stdout.write(u.urlopen('http://127.0.0.1:9100/metrics').read().decode())";
        let output = run("python3", &["-c", script], "").expect("python3");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_ours = |line: &&str| line.contains("node_ipvs_");
        let lines = text.lines().filter(is_ours);
        (output.status.success()).then(|| lines.map(|line| format!("{line}\n")).collect::<String>())
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let theirs = scrape();
        let ours = machine.ipvsadm("-L --openmetrics=node");
        let ours = ours.strip_suffix("# EOF\n").expect("an end").to_owned();
        assert!(ours.lines().count() > 30, "{ours}");
        if theirs.as_ref() == Some(&ours) {
            break;
        }
        let theirs = theirs.unwrap_or_default();
        assert!(
            Instant::now() < deadline,
            "ours:\n{ours}\ntheirs:\n{theirs}"
        );
        sleep(Duration::from_millis(200));
    }
    exporter.kill().expect("a process");
    exporter.wait().expect("a process");
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
