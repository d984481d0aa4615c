//! `-d --drain`: servers taken out of service without breaking a connection.

use crate::Test;
use crate::connection::{Connection, VIP, listen, wait_for};
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, Protocol, Socket, Type};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Child;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("drain::waits_for_the_last_connection", waits),
    ("drain::time_is_up", time_is_up),
    ("drain::interrupted", interrupted),
    ("drain::half_closed_connection", half_closed),
    ("drain::direct_routing", direct_routing),
    ("drain::last_packets_of_a_closed_connection", last_packets),
    ("drain::unanswered_syn", unanswered_syn),
    ("drain::udp_flow", || udp_flow(UDP, None)),
    ("drain::udp_flow_of_a_mark", || udp_flow(MARK, Some(7))),
    ("drain::persistence_template", persistence_template),
    ("drain::edits_by_others_stay", edits_by_others),
    ("drain::weight_of_0_stays", weight_of_0),
    ("drain::two_of_the_same_server", two_drains),
    ("drain::looks_that_fail", looks_that_fail),
    ("drain::nothing_can_be_read", nothing_can_be_read),
    ("drain::on_a_terminal", on_a_terminal),
    ("drain::large_table", large_table),
    ("drain::settings_of_the_kernel", settings),
    ("drain::nothing_to_drain", nothing_to_drain),
];

const RULES: &str = "\
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 5 -x 100 -y 50
";
const DRAIN: &str = "-d -t 10.0.9.1:80 -r 10.0.9.2:8080 --drain";

pub fn listed(machine: &Machine, what: &str) -> bool {
    machine.ipvsadm("-Sn").contains(what)
}

fn waits() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let listeners = [listen(2)];
    let mut open: Vec<_> = (0..3).map(|_| Connection::open(80, &listeners)).collect();
    let drain = machine.start(OURS, DRAIN);
    wait_for("weight 0", || listed(&machine, "-w 0 -x 100 -y 50"));
    assert!(open.iter_mut().all(Connection::is_alive));
    drop(open.pop());
    assert!(open.iter_mut().all(Connection::is_alive));
    assert!(listed(&machine, "-r 10.0.9.2:8080"));
    drop(open);
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert!(!listed(&machine, "-r"));
}

fn time_is_up() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let listeners = [listen(2)];
    let mut open = Connection::open(80, &listeners);
    let output = machine.call(OURS, &format!("{DRAIN} 1"), "");
    let said = "time is up: 1 active connection left; not deleted, and the weight is 5 again\n";
    assert_eq!(ended(&output), (Some(1), said.into()));
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
    assert!(open.is_alive());
}

fn interrupted() {
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        let machine = Machine::new();
        machine.feed("-R", RULES);
        let listeners = [listen(2)];
        let open = [
            Connection::open(80, &listeners),
            Connection::open(80, &listeners),
        ];
        let drain = machine.start(OURS, DRAIN);
        wait_for("weight 0", || listed(&machine, "-w 0 "));
        send(signal, &drain);
        let output = drain.wait_with_output().expect("an end");
        let said =
            "interrupted: 2 active connections left; not deleted, and the weight is 5 again\n";
        assert_eq!(ended(&output), (Some(128 + signal as i32), said.into()));
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
        drop(open);
    }
}

pub fn send(signal: Signal, drain: &Child) {
    kill(Pid::from_raw(drain.id() as i32), signal).expect("a process");
}

/// Starts the drain in `line` and waits until it has begun.
fn start(machine: &Machine, line: &str) -> Child {
    let drain = machine.start(OURS, line);
    wait_for("weight 0", || listed(machine, "-w 0"));
    drain
}

/// The rows of the kernel's table of connections that have `word`.
fn rows(word: &str) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/net/ip_vs_conn").expect("connections");
    let rows = table.lines().skip(1).filter(|row| row.contains(word));
    rows.map(str::to_owned).collect()
}

const ANSWER: usize = 655_360;

fn half_closed() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let listener = TcpListener::bind("10.0.9.2:8080").expect("a listener");
    let mut client = TcpStream::connect((VIP, 80)).expect("a server");
    let (mut server, _) = listener.accept().expect("a client");
    client.write_all(b"request").expect("a server");
    client.shutdown(std::net::Shutdown::Write).expect("an end");
    let mut request = Vec::new();
    server.read_to_end(&mut request).expect("a request");
    assert_eq!(rows("CLOSE_WAIT").len(), 1);
    let drain = start(&machine, DRAIN);
    let answer = thread::spawn(move || {
        for _ in 0..20 {
            sleep(Duration::from_millis(100));
            if server.write_all(&[b'x'; ANSWER / 20]).is_err() {
                return;
            }
        }
    });
    let limit = Some(Duration::from_secs(10));
    client.set_read_timeout(limit).expect("a limit");
    let mut heard = Vec::new();
    let end = client.read_to_end(&mut heard);
    assert_eq!((heard.len(), end.ok()), (ANSWER, Some(ANSWER)));
    answer.join().expect("a server");
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert!(!listed(&machine, "-r"));
}

/// The virtual address, and a network whose machines never answer.
const NO_ANSWER: &str = "addr add 10.0.9.1/32 dev lo\nlink add drop type dummy\n\
                         addr add 10.0.8.1/24 dev drop\nlink set drop up\n";

/// Of a connection by direct routing, the director sees what the client sends:
/// here its words, while the answer goes another way.
fn direct_routing() {
    const FIN: u8 = 1;
    const SYN: u8 = 2;
    const ACK: u8 = 16;
    const FIN_WAIT: Duration = Duration::from_secs(4);
    let machine = Machine::with(NO_ANSWER);
    machine.feed(
        "-R",
        "--set 0 4 0\n-A -t 10.0.9.1:80\n-a -t 10.0.9.1:80 -r 10.0.8.2 -g -w 5\n",
    );
    let client = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).expect("a socket");
    let vip = SocketAddr::new(VIP.parse().expect("an address"), 0);
    let send = |flags| {
        // From port 40000 to port 80; nobody looks at numbers and checksum.
        let mut packet = [0; 20];
        packet[..4].copy_from_slice(&[0x9c, 0x40, 0, 80]);
        packet[12..14].copy_from_slice(&[0x50, flags]);
        client.send_to(&packet, &vip.into()).expect("a route");
    };
    let mut last = Instant::now();
    for (flags, state) in [
        (SYN, "SYN_RECV"),
        (ACK, "ESTABLISHED"),
        (FIN | ACK, "FIN_WAIT"),
    ] {
        last = Instant::now();
        send(flags);
        wait_for(state, || rows(state).len() == 1);
    }
    let drain = start(&machine, "-d -t 10.0.9.1:80 -r 10.0.8.2 --drain");
    for _ in 0..8 {
        sleep(Duration::from_millis(500));
        send(ACK);
        // A busy machine may be silent for too long.
        let silence = last.elapsed();
        last = Instant::now();
        assert!(listed(&machine, "-r 10.0.8.2:80") || silence > FIN_WAIT);
    }
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert!(rows("FIN_WAIT").is_empty());
}

/// Both sides have sent their FIN, and the client has not yet heard all.
fn last_packets() {
    /// So long the last packets of a connection may take.
    const LINGER: Duration = Duration::from_secs(5);
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let listener = TcpListener::bind("10.0.9.2:8080").expect("a listener");
    let mut client = TcpStream::connect((VIP, 80)).expect("a server");
    let (mut server, _) = listener.accept().expect("a client");
    client.shutdown(std::net::Shutdown::Write).expect("an end");
    server.write_all(b"answer").expect("a client");
    let closed = Instant::now();
    drop(server);
    wait_for("TIME_WAIT", || rows("TIME_WAIT").len() == 1);
    let drain = start(&machine, DRAIN);
    sleep(Duration::from_secs(2));
    assert!(listed(&machine, "-r 10.0.9.2:8080") || closed.elapsed() > LINGER);
    let mut heard = String::new();
    client.read_to_string(&mut heard).expect("an answer");
    assert_eq!(heard, "answer");
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), String::new()));
    // The entry lives for two minutes; draining does not wait for that.
    assert_eq!(rows("TIME_WAIT").len(), 1);
}

fn unanswered_syn() {
    let machine = Machine::with(NO_ANSWER);
    machine.feed("-R", &RULES.replace("10.0.9.2", "10.0.8.2"));
    let vip = SocketAddr::new(VIP.parse().expect("an address"), 80);
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    client.set_nonblocking(true).expect("a socket");
    let _ = client.connect(&vip.into());
    wait_for("SYN_RECV", || rows("SYN_RECV").len() == 1);
    let drain = DRAIN.replace("10.0.9.2", "10.0.8.2");
    let output = machine.call(OURS, &format!("{drain} 2"), "");
    let said = "time is up: 1 active connection left; not deleted, and the weight is 5 again\n";
    assert_eq!(ended(&output), (Some(1), said.into()));
}

const UDP: (&str, &str) = (
    "-A -u 10.0.9.1:80\n-a -u 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 5\n",
    "-d -u 10.0.9.1:80 -r 10.0.9.2:8080 --drain",
);
const MARK: (&str, &str) = (
    "-A -f 7\n-a -f 7 -r 10.0.9.2:8080 -m -w 5\n",
    "-d -f 7 -r 10.0.9.2:8080 --drain",
);

fn udp_flow((rules, drain): (&str, &str), mark: Option<u32>) {
    let machine = Machine::new();
    machine.feed("-R", &format!("--set 0 0 5\n{rules}"));
    let server = UdpSocket::bind("10.0.9.2:8080").expect("a server");
    let client = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
    if let Some(mark) = mark {
        client.set_mark(mark).expect("a mark");
    }
    let client = UdpSocket::from(client);
    client.connect((VIP, 80)).expect("a route");
    let pass = || {
        let mut heard = [0; 9];
        for socket in [&client, &server] {
            let limit = Some(Duration::from_secs(5));
            socket.set_read_timeout(limit).expect("a limit");
        }
        client.send(b"question").expect("a route");
        let (_, from) = server.recv_from(&mut heard).expect("a question");
        server.send_to(b"answer", from).expect("a route");
        assert_eq!(client.recv(&mut heard).expect("an answer"), 6);
    };
    pass();
    let draining = start(&machine, drain);
    for _ in 0..6 {
        sleep(Duration::from_millis(500));
        pass();
    }
    let output = draining.wait_with_output().expect("an end");
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert!(rows("UDP").is_empty());

    machine.ipvsadm("-C");
    machine.feed("-R", &format!("--set 0 0 300\n{rules}"));
    pass();
    let output = machine.call(OURS, &format!("{drain} 1"), "");
    let said = "time is up: 1 open connection left; not deleted, and the weight is 5 again\n";
    assert_eq!(ended(&output), (Some(1), said.into()));
}

fn persistence_template() {
    let machine = Machine::new();
    machine.feed("-R", &RULES.replace("-s rr", "-s rr -p 300"));
    let listeners = [listen(2)];
    let mut open = Connection::open(80, &listeners);
    assert!(open.is_alive());
    let setting = "/proc/sys/net/ipv4/vs/expire_quiescent_template";
    fs::write(setting, "1").expect("a setting");
    let drain = start(&machine, DRAIN);
    assert_eq!(rows("ASSURED").len(), 1);
    drop(open);
    let output = drain.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(rows("ASSURED").len(), 1);
    fs::write(setting, "0").expect("a setting");
}

fn edits_by_others() {
    let given_up = "interrupted: 1 active connection left; not deleted, and the real server stays \
                    as somebody else set it\n";
    let reweighted = "somebody else set the weight to 3: not deleted\n";
    for (edit, said, exit) in [
        ("-w 0 -x 5 -y 2", given_up, 143),
        ("-w 3 -x 5 -y 2", reweighted, 2),
    ] {
        let machine = Machine::new();
        machine.feed("-R", RULES);
        let listeners = [listen(2)];
        let _open = Connection::open(80, &listeners);
        let drain = start(&machine, DRAIN);
        machine.ipvsadm(&format!("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m {edit}"));
        let saved = machine.ipvsadm("-Sn");
        if exit == 143 {
            send(Signal::SIGTERM, &drain);
        }
        let output = drain.wait_with_output().expect("an end");
        assert_eq!(ended(&output), (Some(exit), said.into()));
        assert_eq!(machine.ipvsadm("-Sn"), saved);
    }
}

fn weight_of_0() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let listeners = [listen(2)];
    let _open = Connection::open(80, &listeners);
    machine.ipvsadm("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 0 -x 9");
    let saved = machine.ipvsadm("-Sn");
    let output = machine.call(OURS, &format!("{DRAIN} 1"), "");
    let said = format!(
        "{ZERO}time is up: 1 active connection left; not deleted, and the weight is 0 as before\n"
    );
    assert_eq!(ended(&output), (Some(1), said));
    assert_eq!(machine.ipvsadm("-Sn"), saved);
}

const ZERO: &str = "warning: the weight is 0 already, perhaps because of another drain: it will \
                    stay 0\n";

/// The second one finds the first one's weight of 0, and is told when that ends.
fn two_drains() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let listeners = [listen(2)];
    let mut open = Connection::open(80, &listeners);
    let first = start(&machine, DRAIN);
    let second = machine.start(OURS, DRAIN);
    sleep(Duration::from_secs(2));
    send(Signal::SIGTERM, &first);
    let output = first.wait_with_output().expect("an end");
    let said = "interrupted: 1 active connection left; not deleted, and the weight is 5 again\n";
    assert_eq!(ended(&output), (Some(143), said.into()));
    let output = second.wait_with_output().expect("an end");
    let said = format!(
        "{ZERO}somebody else, perhaps another drain that was given up, set the weight to 5: not \
         deleted\n"
    );
    assert_eq!(ended(&output), (Some(2), said));
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
    // Both wait to the end: the slower one finds nothing to delete.
    let drains = [DRAIN, DRAIN].map(|line| machine.start(OURS, line));
    wait_for("weight 0", || listed(&machine, "-w 0 "));
    assert!(open.is_alive());
    drop(open);
    for drain in drains {
        let (status, said) = ended(&drain.wait_with_output().expect("an end"));
        let said = said.replacen(ZERO, "", 1);
        assert_eq!(status, Some(0), "{said}");
        let gone = "somebody else deleted the real server meanwhile\n";
        assert!(said.is_empty() || said == gone, "{said}");
    }
    assert!(!listed(&machine, "-r"));
}

/// Looks fail, once or for a time, and then one is right.
fn looks_that_fail() {
    let machine = Machine::new();
    for faults in [
        // The first five are those of the start.
        "-e inject=recvfrom:error=ENOBUFS:when=9+7",
        "-e inject=recvfrom:error=ENOMEM:when=8..30",
        "-e inject=sendto:error=ENOBUFS:when=6..20",
        "-P /proc/net/ip_vs_conn -e inject=openat:error=EMFILE:when=2..4",
    ] {
        machine.ipvsadm("-C");
        machine.feed("-R", RULES);
        let listeners = [listen(2)];
        let open = Connection::open(80, &listeners);
        let line = format!("-o /dev/null {faults} {OURS} {DRAIN}");
        let drain = machine.start("strace", &line);
        wait_for("weight 0", || listed(&machine, "-w 0 "));
        sleep(Duration::from_secs(2));
        drop(open);
        let output = drain.wait_with_output().expect("an end");
        let (status, said) = ended(&output);
        // strace says where a symbolic link leads to.
        let ours = said.lines().find(|line| !line.starts_with("strace: "));
        assert_eq!((status, ours), (Some(0), None), "{faults}");
        assert!(!listed(&machine, "-r"));
    }
}

/// Nothing can be read any more, and the time is up: the weight cannot be put
/// back, which is said with the command that does it.
fn nothing_can_be_read() {
    let machine = Machine::new();
    machine.feed("-R", RULES);
    let listeners = [listen(2)];
    let _open = Connection::open(80, &listeners);
    let drain = |faults: &str, limit| {
        let line = format!("-o /dev/null -e inject={faults} {OURS} {DRAIN} {limit}");
        ended(&machine.call("strace", &line, ""))
    };
    let (status, said) = drain("recvfrom:error=ENOBUFS:when=6+", 1);
    let why = "cannot read the kernel's answer: No buffer space available";
    let said_first =
        format!("{why}; the weight may still be 0, as it could not be restored: {why}");
    assert!(said.starts_with(&said_first), "{said}");
    assert_eq!((status, said.lines().count()), (Some(2), 1), "{said}");
    let command = said.trim_end().split("to restore it: ipvsadm ").nth(1);
    assert!(listed(&machine, "-w 0 "));
    machine.ipvsadm(command.expect("a command"));
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
    // Nor is it known what became of the weight of 0.
    let (status, said) = drain("recvfrom:error=ENOBUFS:when=5+", 1);
    let may = format!("{why}; this change may have been made: -e -t 10.0.9.1:80");
    assert!(said.starts_with(&may), "{said}");
    assert!(said.contains("; the weight may still be 0, "), "{said}");
    assert_eq!((status, said.lines().count()), (Some(2), 1), "{said}");
    machine.ipvsadm("-C");
    machine.feed("-R", RULES);
    let _open = Connection::open(80, &listeners);
    // The same, but for the end: what failed is said, and the weight is as before.
    let (status, said) = drain("sendto:error=ENOBUFS:when=5..30", 1);
    let expected = "cannot send the request to the kernel: No buffer space available: not deleted, \
                    and the weight is 5 again\n";
    assert_eq!((status, said.as_str()), (Some(2), expected));
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
}

/// What is waited for is said on a terminal.
fn on_a_terminal() {
    let machine = Machine::new();
    machine.feed("-R", &RULES.replace("-s rr", "-s rr -p 300"));
    let listeners = [listen(2)];
    let mut open = Connection::open(80, &listeners);
    let script = std::env::temp_dir().join("on-a-terminal.py");
    fs::write(
        &script,
        "import os, pty, sys\nsys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))\n",
    )
    .expect("a file");
    let line = format!("{} {OURS} {DRAIN} 1", script.display());
    let output = machine.call("python3", &line, "");
    let said = String::from_utf8_lossy(&output.stdout);
    let report = "draining: 1 connection left (1 ESTABLISHED), the last expires in ";
    assert!(said.contains(report), "{said}");
    assert!(said.contains("; 1 persistence template, for "), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(open.is_alive());
}

/// Many rows of another service, and some of this one. Looks at them are seen
/// in a trace of system calls: each is followed by a rest of nine times its
/// length, however fast the machine is.
fn large_table() {
    const OTHERS: u16 = 10_000;
    let machine = Machine::with(NO_ANSWER);
    machine.feed(
        "-R",
        "-A -u 10.0.9.1:81\n-a -u 10.0.9.1:81 -r 10.0.8.2:81 -m\n\
         -A -u 10.0.9.1:80\n-a -u 10.0.9.1:80 -r 10.0.8.2:80 -m -w 5\n",
    );
    let datagram = |client: u16, port: u16| {
        let from = SocketAddr::from(([10, 0, 9, 1], 10_000 + client));
        let socket = UdpSocket::bind(from).expect("a port");
        socket.send_to(b"", (VIP, port)).expect("a route");
    };
    (0..OTHERS).for_each(|client| datagram(client, 81));
    (0..7).for_each(|client| datagram(client, 80));
    let trace = std::env::temp_dir().join("drain.trace");
    let trace = trace.to_str().expect("a name");
    let drain = "-d -u 10.0.9.1:80 -r 10.0.8.2:80 --drain";
    let traced = format!("-D -ttt -e trace=openat,read -o {trace} {OURS} {drain}");
    let drain = machine.start("strace", &traced);
    // It is opened once before anything is changed.
    let opened = || {
        let trace = fs::read_to_string(trace).unwrap_or_default();
        trace.matches("/proc/net/ip_vs_conn").count()
    };
    let (mut tries, mut before) = (0, 0);
    while opened() < 3 {
        // As long as a look goes on, it is not in vain.
        let now = fs::metadata(trace).map_or(0, |file| file.len());
        tries = if now == before { tries + 1 } else { 0 };
        before = now;
        assert!(tries < 500, "no second look");
        sleep(Duration::from_millis(200));
    }
    send(Signal::SIGTERM, &drain);
    let output = drain.wait_with_output().expect("an end");
    let said = "interrupted: 7 open connections left; not deleted, and the weight is 5 again\n";
    assert_eq!(ended(&output), (Some(143), said.into()));

    let trace = fs::read_to_string(trace).expect("a trace");
    let mut looks: Vec<(f64, f64)> = Vec::new();
    let mut looking = false;
    for line in trace.lines() {
        let (time, call) = line.split_once(' ').expect("a time");
        let time = time.parse().expect("a time");
        if call.starts_with("openat(") {
            looking = call.contains("ip_vs_conn");
            looks.extend(looking.then_some((time, time)));
        } else if let (true, Some((_, end))) = (looking, looks.last_mut()) {
            *end = time;
        }
    }
    for pair in looks[1..].windows(2) {
        let [(start, end), (next, _)] = pair else {
            unreachable!()
        };
        assert!(next - end > 8.9 * (end - start), "{looks:?}");
    }
    assert!(looks.len() >= 3);
}

fn settings() {
    let machine = Machine::new();
    let persistent = RULES.replace("-s rr", "-s rr -p 60");
    for (name, value, said) in [
        (
            "expire_quiescent_template",
            "0",
            "warning: net.ipv4.vs.expire_quiescent_template is 0: persistent clients still get \
             new connections to this server\n",
        ),
        (
            "expire_quiescent_template",
            "1",
            "warning: net.ipv4.vs.expire_quiescent_template is 1: persistent clients go to \
             another server at once\n",
        ),
    ] {
        fs::write(format!("/proc/sys/net/ipv4/vs/{name}"), value).expect("a setting");
        machine.ipvsadm("-C");
        machine.feed("-R", &persistent);
        let output = machine.call(OURS, DRAIN, "");
        assert_eq!(ended(&output), (Some(0), said.into()));
    }
    fs::write("/proc/sys/net/ipv4/vs/expire_nodest_conn", "1").expect("a setting");
    machine.ipvsadm("-C");
    machine.feed("-R", RULES);
    let output = machine.call(OURS, DRAIN, "");
    let said = "warning: net.ipv4.vs.expire_nodest_conn is 1: connections that are not open any more \
        end when the server is deleted\n";
    assert_eq!(ended(&output), (Some(0), said.into()));
}

fn nothing_to_drain() {
    let machine = Machine::new();
    let output = machine.call(OURS, DRAIN, "");
    assert_eq!(ended(&output), (Some(255), "Service not defined\n".into()));
    machine.feed("-R", RULES);
    let other = "-d -t 10.0.9.1:80 -r 10.0.9.3:8080 --drain";
    let output = machine.call(OURS, other, "");
    assert_eq!(ended(&output), (Some(255), "No such destination\n".into()));
    assert_eq!(machine.ipvsadm("-Sn"), RULES);
}
