//! The formats of a listing besides text, judged by others: the JSON by a
//! validator of JSON Schema and by what C ipvsadm prints, the metrics by
//! promtool, which has Prometheus's own parser.
//!
//! All of it on a real kernel, in one network namespace for each test.

mod json;
mod metrics;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use std::env;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::lab::{self, Kernel};
use support::machine::Machine;

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
    let tests = [json::TESTS, metrics::TESTS].concat();
    let trials = tests.iter().map(lab::trial).collect();
    lab::main(Kernel::WithIpvs, trials, || ())
}

/// One of every kind.
const TABLE: &str = "\
--set 901 121 301
--start-daemon master --mcast-interface lo --syncid 7 --sync-maxlen 1400 --mcast-group 224.0.0.99 --mcast-port 8999 --mcast-ttl 3
--start-daemon backup --mcast-interface lo --syncid 8
-A -t 10.0.9.1:80 -s wrr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 3 -x 900 -y 500
-a -t 10.0.9.1:80 -r 192.0.2.3:80 -g -w 0
-a -t 10.0.9.1:80 -r 192.0.2.4:80 -i -w 0
-A -t 10.0.9.1:443 -s sh -b sh-fallback,sh-port
-A -t 10.0.9.1:444 -s mh -b mh-fallback,mh-port
-A -t 10.0.9.1:445 -s rr -b flag-1,flag-2,flag-3
-A -t 10.0.9.1:0 -s wlc -p 77 -M 255.255.240.0
-A -u 10.0.9.1:53 -s rr -o
-a -u 10.0.9.1:53 -r 10.0.9.1:53 -g
-A -u 10.0.9.1:5060 -s rr -p 60 --pe sip
-a -u 10.0.9.1:5060 -r 10.0.9.2:5060 -m
-A --sctp-service 10.0.9.1:9900 -s lblcr
-A -t [2001:db8::1]:80 -s nq -p 360 -M 64
-a -t [2001:db8::1]:80 -r [2001:db8::2]:8080 -m -w 1
-a -t [2001:db8::1]:80 -r [2001:db8::3]:80 -i -w 2147483647 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t [2001:db8::1]:80 -r [2001:db8::4]:80 -i -w 1 --tun-type gue --tun-port 6081
-A -f 1 -s dh
-a -f 1 -r 192.0.2.2:0 -i -w 1 --tun-type gre --tun-csum
-A -f 1 -6 -s fo
-A -f 4294967295 -s ovf
";

/// A Call-ID with all that the kernel takes for one and JSON must escape.
const CALL_ID: &str = "a\"b\\c/{d}@x";

/// A machine with all of [`TABLE`], connections of TCP and a call of SIP, and
/// counters that have seen them.
fn busy_machine() -> (Machine, Vec<TcpStream>) {
    let machine = Machine::new();
    machine.feed("-R", TABLE);
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
