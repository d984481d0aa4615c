//! Debian's Prometheus and node_exporter, fed by what the metrics' timer runs: each
//! query of the dashboard and each rule of docs/prometheus tells what is known here.
//!
//! docs/prometheus/test tries the rules on invented series, which have the time that an
//! alert of a day takes.

use crate::support::machine::{Machine, run};
use crate::support::programs::OURS;
use crate::{Test, VALIDATORS, parsed};
use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime};

pub const TESTS: &[Test] = &[("prometheus::dashboard_and_rules_tell_the_truth", dashboard)];

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/prometheus");

/// Answers the queries on stdin, a list, with a list of what Prometheus says.
const ASK: &str = "
import json, sys, urllib.parse, urllib.request
def ask(path):
    with urllib.request.urlopen('http://127.0.0.1:9090/api/v1/' + path, timeout=30) as answer:
        return json.load(answer)['data']
def query(text):
    return ask('query?' + urllib.parse.urlencode({'query': text}))['result']
wanted = json.load(sys.stdin)
print(json.dumps(ask('rules') if wanted == 'rules' else [query(text) for text in wanted]))
";

/// New connections to each service while it is watched.
const CONNECTIONS: usize = 400;

const TABLE: &str = "\
-A -t 10.0.9.1:80 -s wrr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3
-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1
-A -t 10.0.9.1:81 -s rr
-a -t 10.0.9.1:81 -r 10.0.9.2:8080 -m -w 1
-a -t 10.0.9.1:81 -r 10.0.9.3:8080 -m -w 1 -x 1
-A -u 10.0.9.1:53 -s wlc -p 300
-A -f 43981 -s rr
-a -f 43981 -r 10.0.9.3:0 -m -w 0
--start-daemon master --mcast-interface lo --syncid 7
";

/// A program that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(place: &Path, program: &str, words: &[&str]) -> Running {
    let log = File::create(place.join(format!("{program}.log"))).expect("a file");
    let child = Command::new(format!("{VALIDATORS}/usr/bin/{program}"))
        .args(words)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file"))
        .stderr(log)
        .spawn();
    Running(child.unwrap_or_else(|error| panic!("{program}: {error}")))
}

/// What Prometheus answers, and nothing as long as it is not up.
fn ask(wanted: &Value) -> Option<Value> {
    let output = run("python3", &["-c", ASK], &wanted.to_string()).expect("python3");
    let answer = output.status.success().then_some(output.stdout)?;
    Some(parsed(&String::from_utf8(answer).expect("text")))
}

fn answers(queries: &[String]) -> Vec<Vec<Value>> {
    let answer = ask(&json!(queries)).expect("Prometheus");
    let each = answer.as_array().expect("answers").iter();
    each.map(|result| result.as_array().expect("series").clone())
        .collect()
}

/// Waits until the query has as many series as this, and the first this value.
fn wait_for(place: &Path, query: &str, series: usize, first: Option<f64>) {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let found = ask(&json!([query])).map(|answer| answer[0].clone());
        let count = found.as_ref().and_then(Value::as_array).map(Vec::len);
        let meets = |wanted| found.as_ref().is_some_and(|all| value(&all[0]) == wanted);
        if count == Some(series) && first.is_none_or(meets) {
            return;
        }
        if Instant::now() > deadline {
            let logs = ["prometheus.log", "prometheus-node-exporter.log"];
            let logs = logs.map(|name| fs::read_to_string(place.join(name)).unwrap_or_default());
            panic!("{query}: {found:?}\n{}", logs.join("\n"));
        }
        sleep(Duration::from_millis(500));
    }
}

fn value(series: &Value) -> f64 {
    let value = series["value"][1].as_str().expect("a value");
    value.parse().expect("a number")
}

/// The labels that tell series apart here.
fn name(series: &Value) -> String {
    let labels = [
        "local_port",
        "local_mark",
        "remote_address",
        "role",
        "file",
        "scheduler",
    ];
    let values = labels
        .iter()
        .filter_map(|label| series["metric"][label].as_str());
    values.collect::<Vec<_>>().join(" ")
}

/// What the timer's service runs, installed.
fn writer(place: &Path) -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/ipvsadm-metrics");
    let script = fs::read_to_string(script).expect("the script");
    let programs = Path::new(OURS).parent().expect("a directory");
    let path = place.join("ipvsadm-metrics");
    fs::write(
        &path,
        script.replace("@SBINDIR@", &programs.to_string_lossy()),
    )
    .expect("a file");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("a file");
    path
}

fn dashboard() {
    let machine = Machine::new();
    machine.feed("-R", TABLE);
    let place = std::env::temp_dir().join("prometheus");
    let textfiles = place.join("textfiles");
    fs::create_dir_all(&textfiles).expect("a directory");
    let (writer, file) = (writer(&place), textfiles.join("ipvs.prom"));
    let write = || {
        let output = Command::new(&writer).arg(&file).output().expect("a script");
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
    };
    // Both servers take all that comes; the second one of port 81 has as many
    // connections as it may.
    let servers = ["10.0.9.2:8080", "10.0.9.3:8080"];
    let servers = servers.map(|address| TcpListener::bind(address).expect("a listener"));
    let held = [connect(81), connect(81)];
    let accepted: Vec<_> = servers.iter().map(|server| server.accept()).collect();
    for server in servers {
        thread::spawn(move || server.incoming().for_each(drop));
    }
    // The kernel publishes them every two seconds; those before the first scrape are no
    // increase.
    let counted = "ipvs_server_connections_total{local_address=\"10.0.9.1\",local_port=\"81\",\
        local_mark=\"\",proto=\"TCP\",remote_address=\"10.0.9.3\",remote_port=\"8080\"} 1\n";
    let deadline = Instant::now() + Duration::from_secs(30);
    while !machine.ipvsadm("-L --openmetrics").contains(counted) {
        assert!(Instant::now() < deadline, "nothing is counted");
        sleep(Duration::from_millis(200));
    }
    write();
    let _exporter = start(
        &place,
        "prometheus-node-exporter",
        &[
            "--web.listen-address=127.0.0.1:9100",
            "--collector.disable-defaults",
            "--collector.textfile",
            &format!("--collector.textfile.directory={}", textfiles.display()),
        ],
    );
    let config = place.join("prometheus.yml");
    let text = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: [{DOCS}/ipvs.rules.yml]\n\
         scrape_configs:\n\
         - job_name: node\n  static_configs: [{{targets: ['127.0.0.1:9100']}}]\n"
    );
    fs::write(&config, text).expect("a file");
    let _prometheus = start(
        &place,
        "prometheus",
        &[
            "--web.listen-address=127.0.0.1:9090",
            &format!("--config.file={}", config.display()),
            &format!("--storage.tsdb.path={}", place.join("data").display()),
        ],
    );
    wait_for(&place, "ipvs_service_info", 4, None);
    wait_for(
        &place,
        "server:ipvs_server_connections:expected_share",
        4,
        None,
    );

    // A timer of its own, and connections meanwhile.
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                write();
                sleep(Duration::from_secs(1));
            }
        });
        for round in 0..CONNECTIONS {
            for port in [80, 81] {
                drop(connect(port));
            }
            if round % 20 == 0 {
                sleep(Duration::from_millis(500));
            }
        }
        let all = CONNECTIONS as f64;
        wait_for(
            &place,
            "ipvs_service_connections_total{local_port=\"80\"}",
            1,
            Some(all),
        );
        let all = all + 2.0;
        wait_for(
            &place,
            "ipvs_service_connections_total{local_port=\"81\"}",
            1,
            Some(all),
        );
        over.store(true, Ordering::Relaxed);
    });
    panels_are_right();
    rules_are_right(&machine, &place, &write, &file);
    drop((held, accepted));
}

fn connect(port: u16) -> TcpStream {
    let vip = SocketAddr::from(([10, 0, 9, 1], port));
    TcpStream::connect_timeout(&vip, Duration::from_secs(10)).expect("a server")
}

/// The queries of the dashboard, each with its panel's title and its place there.
fn queries() -> Vec<(String, String)> {
    let text = fs::read_to_string(format!("{DOCS}/ipvs-dashboard.json")).expect("the dashboard");
    let dashboard = parsed(&text);
    let panels = dashboard["panels"].as_array().expect("panels");
    let titles = panels.iter().filter(|panel| panel["type"] != "row");
    let queries = titles.flat_map(|panel| {
        let targets = panel["targets"].as_array().expect("queries").iter();
        targets.map(|target| {
            let name = format!("{} {}", panel["title"], target["refId"]).replace('"', "");
            let query = target["expr"].as_str().expect("a query");
            // As Grafana does it.
            let query = query.replace("$__rate_interval", "5m");
            let query = query.replace("$instance", ".*").replace("$netns", ".*");
            (name, query)
        })
    });
    queries.collect()
}

/// All within the 5 minutes of a rate.
const RATE: f64 = CONNECTIONS as f64 / 300.0;

/// What each query answers: series, by what tells them apart, and their values.
#[rustfmt::skip] // a line for each
fn known() -> Vec<(&'static str, Vec<(&'static str, f64)>)> {
    let all = CONNECTIONS as f64;
    let any = f64::NAN;
    vec![
        ("Services A", vec![("", 4.0)]),
        ("Services without servers A", vec![("", 2.0)]),
        ("Real servers' machines A", vec![("", 2.0)]),
        ("Servers at weight 0 A", vec![("", 1.0)]),
        ("Sync daemons A", vec![("", 1.0)]),
        ("Age of the metrics A", vec![("", any)]),
        ("New connections a second A", vec![("", 2.0 * RATE)]),
        ("Packets a second A", vec![("", any)]),
        ("Packets a second B", vec![("", any)]),
        ("Bits a second A", vec![("", any)]),
        ("Bits a second B", vec![("", any)]),
        ("Connections A", vec![("", 2.0)]),
        ("Connections B", vec![("", 2.0 * all)]),
        ("Connections C", vec![("", 0.0)]),
        ("Connections a bucket A", vec![("", (2.0 * all + 2.0) / 4096.0)]),
        ("New connections a second, by service A", vec![("80", RATE), ("81", RATE), ("53", 0.0), ("0 0000ABCD", 0.0)]),
        ("Connections, by service A", vec![("80", 0.0), ("81", 2.0), ("0 0000ABCD", 0.0)]),
        ("Bits a second from clients, by service A", vec![("80", any), ("81", any), ("53", 0.0), ("0 0000ABCD", 0.0)]),
        ("Bits a second to clients, by service A", vec![("80", any), ("81", any), ("53", 0.0), ("0 0000ABCD", 0.0)]),
        ("Services A", vec![("80 wrr", 1.0), ("81 rr", 1.0), ("53 wlc", 1.0), ("0 0000ABCD rr", 1.0)]),
        ("New connections a second, by server A", vec![("80 10.0.9.2", 0.75 * RATE), ("80 10.0.9.3", 0.25 * RATE), ("81 10.0.9.2", RATE), ("81 10.0.9.3", 0.0), ("0 0000ABCD 10.0.9.3", 0.0)]),
        ("Connections, by server A", vec![("80 10.0.9.2", 0.0), ("80 10.0.9.3", 0.0), ("81 10.0.9.2", 1.0), ("81 10.0.9.3", 1.0), ("0 0000ABCD 10.0.9.3", 0.0)]),
        ("Part of the service's new connections A", vec![("80 10.0.9.2", 0.75), ("80 10.0.9.3", 0.25), ("81 10.0.9.2", 1.0), ("81 10.0.9.3", 0.0)]),
        ("Part of the service's new connections B", vec![("80 10.0.9.2", 0.75), ("80 10.0.9.3", 0.25), ("81 10.0.9.2", 0.5), ("81 10.0.9.3", 0.5)]),
        ("Weights A", vec![("80 10.0.9.2", 3.0), ("80 10.0.9.3", 1.0), ("81 10.0.9.2", 1.0), ("81 10.0.9.3", 1.0), ("0 0000ABCD 10.0.9.3", 0.0)]),
        ("New connections a second, by machine A", vec![("10.0.9.2", 1.75 * RATE), ("10.0.9.3", 0.25 * RATE)]),
        ("Connections, by machine A", vec![("10.0.9.2", 1.0), ("10.0.9.3", 1.0)]),
        ("In how many services, by machine A", vec![("10.0.9.2", 2.0), ("10.0.9.3", 3.0)]),
        ("In how many of them at weight 0, by machine A", vec![("10.0.9.3", 1.0)]),
    ]
}

fn panels_are_right() {
    let (queries, known) = (queries(), known());
    let titles: Vec<_> = queries.iter().map(|(title, _)| title.as_str()).collect();
    let wanted: Vec<_> = known.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, wanted);
    let texts: Vec<_> = queries.into_iter().map(|(_, query)| query).collect();
    for (((title, wanted), series), query) in known.iter().zip(answers(&texts)).zip(&texts) {
        println!("{title}: {}", told(&series));
        is_right(title, query, &series, wanted);
    }
}

fn told(series: &[Value]) -> String {
    let each = series
        .iter()
        .map(|one| format!("{} = {:.4}", name(one), value(one)));
    each.collect::<Vec<_>>().join(", ")
}

fn is_right(title: &str, query: &str, series: &[Value], wanted: &[(&str, f64)]) {
    let wrong = |why: &str| {
        panic!(
            "{title}: {why}: {query}\n{}\nand not {wanted:?}",
            told(series)
        )
    };
    if series.len() != wanted.len() {
        wrong("another number of series");
    }
    for (which, number) in wanted {
        let Some(found) = series.iter().find(|one| name(one) == *which) else {
            wrong(which);
            return;
        };
        let found = value(found);
        // A rate is extrapolated to the ends of its interval.
        let right = match number.is_nan() {
            true => found > 0.0,
            false => (found - number).abs() <= 0.1 * number,
        };
        if !right {
            wrong(which);
        }
    }
}

/// What each rule's expression gives, whether it would already alert or not: the
/// series' names. Those of records are the panels', too.
const KNOWN: [(&str, &[&str]); 8] = [
    ("IPVSServiceWithoutServers", &["0 0000ABCD rr", "53 wlc"]),
    ("IPVSServerGetsNothing", &["81 10.0.9.3"]),
    ("IPVSConnectionTableFull", &[]),
    ("IPVSConnectionTableCrowded", &[]),
    ("IPVSSyncDaemonGone", &["master"]),
    ("IPVSServerAtWeightZeroForADay", &["0 0000ABCD 10.0.9.3"]),
    ("IPVSServerOutOfBalance", &["81 10.0.9.3"]),
    (
        "IPVSMetricsStale",
        &["/tmp/prometheus/textfiles/ipvs-old.prom"],
    ),
];

fn rules_are_right(machine: &Machine, place: &Path, write: &dyn Fn(), file: &Path) {
    machine.ipvsadm("--stop-daemon master");
    write();
    let old = file.with_file_name("ipvs-old.prom");
    fs::write(&old, "# nothing\n").expect("a file");
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let old = File::options().write(true).open(&old).expect("a file");
    old.set_modified(hour_ago).expect("a file");
    wait_for(place, "ipvs_sync_daemon_running == 1", 0, None);
    wait_for(place, "node_textfile_mtime_seconds", 2, None);
    let answer = ask(&json!("rules")).expect("Prometheus");
    let groups = answer["groups"].as_array().expect("groups").iter();
    let rules: Vec<_> = groups
        .flat_map(|group| group["rules"].as_array().expect("rules").clone())
        .collect();
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    let text = |rule: &Value, key: &str| rule[key].as_str().expect("text").to_owned();
    let (alerts, records): (Vec<_>, Vec<_>) =
        rules.iter().partition(|rule| rule["type"] == "alerting");
    let names: Vec<_> = alerts.iter().map(|rule| text(rule, "name")).collect();
    assert_eq!(names, KNOWN.map(|(name, _)| name));
    let queries: Vec<_> = alerts.iter().map(|rule| text(rule, "query")).collect();
    for ((alert, wanted), series) in KNOWN.iter().zip(answers(&queries)) {
        println!("{alert}: {}", told(&series));
        let mut found: Vec<_> = series.iter().map(name).collect();
        found.sort();
        assert_eq!(&found, wanted, "{alert}");
    }
    let names: Vec<_> = records.iter().map(|rule| text(rule, "name")).collect();
    let queries: Vec<_> = records.iter().map(|rule| text(rule, "query")).collect();
    for ((name, recorded), anew) in names.iter().zip(answers(&names)).zip(answers(&queries)) {
        println!("{name}: {}", told(&recorded));
        assert!(!recorded.is_empty(), "{name}");
        assert_eq!(recorded.len(), anew.len(), "{name}");
    }
}
