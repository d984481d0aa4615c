//! The formats of a listing besides text, judged by others: the JSON by a
//! validator of JSON Schema and by what C ipvsadm prints, the metrics by
//! promtool, which has Prometheus's own parser, and by that of OpenMetrics in
//! its client for Python; then Prometheus and node_exporter themselves.
//!
//! All of it on a real kernel, in one network namespace for each test.

mod json;
mod metrics;
mod proc;
mod prometheus;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use std::env;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::lab::{self, Kernel};
use support::machine::{EVERY_KIND, Machine};

/// A test's name and body.
type Test = lab::Test<()>;

/// Where the validators are unpacked, on the host.
const VALIDATORS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/validators");

fn main() -> ExitCode {
    let listed = env::args().any(|word| word == "--list");
    if env::var_os("IPVSADM_LAB").is_none() && !listed {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/validators");
        let status = Command::new(script).arg(VALIDATORS).status();
        if !status.is_ok_and(|status| status.success()) {
            eprintln!("These tests need what {script} gets.");
            return ExitCode::FAILURE;
        }
    }
    let tests = [json::TESTS, metrics::TESTS, proc::TESTS, prometheus::TESTS].concat();
    let trials = tests.iter().map(lab::trial).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}

/// A Call-ID with all that the kernel takes for one and JSON must escape.
const CALL_ID: &str = "a\"b\\c/{d}@x";

/// A machine with all of [`EVERY_KIND`], connections of TCP and a call of SIP, and
/// counters that have seen them.
fn busy_machine() -> (Machine, Vec<TcpStream>) {
    let machine = Machine::new();
    machine.feed("-R", EVERY_KIND);
    let listener = TcpListener::bind("10.0.9.2:8080").expect("a listener");
    let limit = Duration::from_secs(10);
    let vip = "10.0.9.1:80".parse().expect("an address");
    let open = |_| TcpStream::connect_timeout(&vip, limit).expect("a server");
    let mut streams: Vec<_> = (0..5).map(open).collect();
    for _ in 0..5 {
        streams.push(listener.accept().expect("a connection").0);
    }
    let server = UdpSocket::bind("10.0.9.2:5060").expect("a server");
    let client = UdpSocket::bind("10.0.9.4:5060").expect("a client");
    server.set_read_timeout(Some(limit)).expect("a limit");
    let call = format!(
        "INVITE sip:x@10.0.9.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.9.4:5060\r\n\
         Call-ID: {CALL_ID}\r\nContent-Length: 0\r\n\r\n"
    );
    let sent = client.send_to(call.as_bytes(), "10.0.9.1:5060");
    sent.expect("the director");
    server.recv(&mut [0; 2000]).expect("the call");
    // The kernel publishes them every two seconds.
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let table = parsed(&machine.ipvsadm("-L --json"));
        let service = |name: &str| {
            let services = table["services"].as_array().expect("services");
            let found = services
                .iter()
                .find(|s| s["protocol"] == name && s["counters"]["connections"] != 0);
            found.is_some()
        };
        if service("tcp") && service("udp") {
            return (machine, streams);
        }
        assert!(Instant::now() < deadline, "nothing was counted: {table}");
        sleep(Duration::from_millis(100));
    }
}

fn parsed(document: &str) -> Value {
    serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}: {document}"))
}
