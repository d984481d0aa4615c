//! `-d --drain`: servers taken out of service without breaking a connection.

use crate::Test;
use crate::connection::{Connection, listen, wait_for};
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;

pub const TESTS: &[Test] = &[
    ("drain::waits_for_the_last_connection", waits),
    ("drain::time_is_up", time_is_up),
    ("drain::interrupted", interrupted),
    ("drain::settings_of_the_kernel", settings),
    ("drain::nothing_to_drain", nothing_to_drain),
];

const RULES: &str = "\
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 5 -x 100 -y 50
";
const DRAIN: &str = "-d -t 10.0.9.1:80 -r 10.0.9.2:8080 --drain";

fn listed(machine: &Machine, what: &str) -> bool {
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
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let machine = Machine::new();
        machine.feed("-R", RULES);
        let listeners = [listen(2)];
        let open = [
            Connection::open(80, &listeners),
            Connection::open(80, &listeners),
        ];
        let drain = machine.start(OURS, DRAIN);
        wait_for("weight 0", || listed(&machine, "-w 0 "));
        kill(Pid::from_raw(drain.id() as i32), signal).expect("a process");
        let output = drain.wait_with_output().expect("an end");
        let said =
            "interrupted: 2 active connections left; not deleted, and the weight is 5 again\n";
        assert_eq!(ended(&output), (Some(130), said.into()));
        assert_eq!(machine.ipvsadm("-Sn"), RULES);
        drop(open);
    }
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
    let said = "warning: net.ipv4.vs.expire_nodest_conn is 1: connections that are not active end \
        when the server is deleted\n";
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
