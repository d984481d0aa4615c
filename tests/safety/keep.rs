//! `--keep`: only what is named changes, whatever else is set.

use crate::Test;
use crate::connection::{Connection, listen};
use crate::support::machine::{Machine, ended};
use crate::support::programs::OURS;
use crate::support::state::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub const TESTS: &[Test] = &[
    ("keep::one_field_of_a_service", one_field_of_a_service),
    ("keep::one_field_of_a_server", one_field_of_a_server),
    ("keep::lines_of_rules", lines_of_rules),
    ("keep::refusals", refusals),
    ("keep::under_traffic", under_traffic),
    ("keep::two_writers", two_writers),
];

/// The table as netlink has it: for each line of it, what does not change and
/// the fields.
fn fields(table: &Table) -> BTreeMap<(usize, String), String> {
    let text = table.state().expect("the table").to_string();
    let mut fields = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        for word in line.split_whitespace() {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            fields.insert((number, name.to_owned()), value.to_owned());
        }
    }
    fields
}

/// Which fields `line` changes in the table that `rules` make, and how the
/// services and servers are saved then.
fn changed(
    machine: &Machine,
    table: &Table,
    rules: &str,
    line: &str,
) -> (BTreeSet<String>, String) {
    machine.ipvsadm("-C");
    machine.feed("-R", rules);
    let before = fields(table);
    machine.ipvsadm(line);
    let after = fields(table);
    let differs = |key: &&(usize, String)| before.get(*key) != after.get(*key);
    let keys = before.keys().chain(after.keys()).filter(differs);
    let names: BTreeSet<String> = keys.map(|(_, name)| name.clone()).collect();
    let lines: BTreeSet<usize> = before
        .keys()
        .chain(after.keys())
        .filter(differs)
        .map(|(number, _)| *number)
        .collect();
    assert!(lines.len() <= 1, "{line}: {lines:?}");
    (names, machine.ipvsadm("-Sn"))
}

/// For each way to say one thing: what of the first rule changes in netlink's
/// eyes, and how it is saved then. The second one must not change.
fn each_alone(command: &str, rules: [&str; 2], cases: &[(&str, &str, &str)]) {
    let machine = Machine::new();
    let table = Table::open().expect("IPVS");
    let all = rules.map(|rule| format!("{rule}\n")).concat();
    for (options, names, saved) in cases {
        let line = format!("{command} --keep {options}");
        let (found, now) = changed(&machine, &table, &all, &line);
        let wanted: BTreeSet<String> = names.split_whitespace().map(str::to_owned).collect();
        assert_eq!(found, wanted, "{line}");
        let lines: BTreeSet<&str> = now.lines().collect();
        let rule = if saved.is_empty() { rules[0] } else { saved };
        assert!(lines.contains(rule), "{line}: {now}lacks {rule}");
    }
}

#[rustfmt::skip] // one case a line
fn one_field_of_a_service() {
    each_alone("-E -u 10.0.9.1:53", [
        "-A -u 10.0.9.1:53 -s sh -p 60 -M 255.255.0.0 --pe sip -o -b sh-port",
        "-A -u 10.0.9.2:53 -s rr",
    ], &[
        ("", "", ""),
        ("-s mh", "sched", "-A -u 10.0.9.1:53 -s mh -p 60 -M 255.255.0.0 --pe sip -o -b mh-port"),
        ("-s sh", "", ""),
        ("-p 90", "timeout", "-A -u 10.0.9.1:53 -s sh -p 90 -M 255.255.0.0 --pe sip -o -b sh-port"),
        ("-p", "timeout", "-A -u 10.0.9.1:53 -s sh -p 360 -M 255.255.0.0 --pe sip -o -b sh-port"),
        ("-M 255.0.0.0", "netmask", "-A -u 10.0.9.1:53 -s sh -p 60 -M 255.0.0.0 --pe sip -o -b sh-port"),
        ("-b sh-fallback", "flags", "-A -u 10.0.9.1:53 -s sh -p 60 -M 255.255.0.0 --pe sip -o -b sh-fallback"),
        ("-o", "", ""),
        ("--pe sip", "", ""),
        ("--without persistent", "flags timeout", "-A -u 10.0.9.1:53 -s sh --pe sip -o -b sh-port"),
        ("--without netmask", "netmask", "-A -u 10.0.9.1:53 -s sh -p 60 --pe sip -o -b sh-port"),
        ("--without pe", "pe", "-A -u 10.0.9.1:53 -s sh -p 60 -M 255.255.0.0 -o -b sh-port"),
        ("--without ops", "flags", "-A -u 10.0.9.1:53 -s sh -p 60 -M 255.255.0.0 --pe sip -b sh-port"),
        ("--without sched-flags", "flags", "-A -u 10.0.9.1:53 -s sh -p 60 -M 255.255.0.0 --pe sip -o"),
        ("--without sched-flags,ops,pe,persistent,netmask -s rr", "flags netmask pe sched timeout", "-A -u 10.0.9.1:53 -s rr"),
    ]);
    each_alone("-E -f 7 -6", ["-A -f 7 -6 -s wlc", "-A -f 7 -s wlc"], &[
        ("-p 5", "flags timeout", "-A -f 7 -6 -s wlc -p 5"),
        ("-o", "flags", "-A -f 7 -6 -s wlc -o"),
        ("-M 64", "netmask", ""),
        ("-b flag-3", "flags", "-A -f 7 -6 -s wlc -b flag-3"),
        ("-s none", "sched", "-A -f 7 -6 -s none"),
    ]);
}

#[rustfmt::skip] // one case a line
fn one_field_of_a_server() {
    const SERVICE: &str = "-A -t 10.0.9.1:80 -s rr";
    let masq = format!("{SERVICE}\n-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 3 -x 9 -y 4");
    let gue = format!("{SERVICE}\n-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 3 --tun-type gue --tun-port 6080 --tun-csum -x 9 -y 4");
    let other = "-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1";
    let command = "-e -t 10.0.9.1:80 -r 10.0.9.2:80";
    each_alone(command, [&masq, other], &[
        ("", "", SERVICE),
        ("-w 5", "weight", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 5 -x 9 -y 4"),
        ("-x 8", "upper", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 3 -x 8 -y 4"),
        ("-y 3", "lower", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 3 -x 9 -y 3"),
        ("-m", "", SERVICE),
        ("-g", "fwd", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -g -w 3 -x 9 -y 4"),
        ("-i", "fwd", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 3 --tun-type ipip -x 9 -y 4"),
    ]);
    each_alone(command, [&gue, other], &[
        ("-w 5", "weight", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 5 --tun-type gue --tun-port 6080 --tun-csum -x 9 -y 4"),
        ("-i", "", SERVICE),
        ("--tun-port 6081", "tun-port", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 3 --tun-type gue --tun-port 6081 --tun-csum -x 9 -y 4"),
        ("--tun-remcsum", "tun-flags", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 3 --tun-type gue --tun-port 6080 --tun-remcsum -x 9 -y 4"),
        ("--tun-nocsum", "tun-flags", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 3 --tun-type gue --tun-port 6080 --tun-nocsum -x 9 -y 4"),
        // What goes with the type goes.
        ("--tun-type gre", "tun-port tun-type", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 3 --tun-type gre --tun-csum -x 9 -y 4"),
        ("--tun-type ipip", "tun-flags tun-port tun-type", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -i -w 3 --tun-type ipip -x 9 -y 4"),
        ("-m", "fwd tun-flags tun-port tun-type", "-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 3 -x 9 -y 4"),
    ]);
    // Without its method, a server behind network address translation has its own port.
    let first = format!("{SERVICE}\n{other}");
    each_alone("-e -t 10.0.9.1:80 -r 10.0.9.3:8080", [&first, "-A -f 7 -s rr"], &[
        ("-w 0", "weight", "-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 0"),
    ]);
    let six = "-A -t [2001:db8::1]:80 -s rr\n-a -t [2001:db8::1]:80 -r 10.0.9.2:80 -i -w 3 --tun-type ipip";
    each_alone("-e -r 10.0.9.2 -t [2001:db8::1]:80", [six, "-A -f 7 -s rr"], &[
        ("-w 9", "weight", "-a -t [2001:db8::1]:80 -r 10.0.9.2:80 -i -w 9 --tun-type ipip"),
    ]);
}

fn lines_of_rules() {
    let machine = Machine::new();
    let rules = "-A -t 10.0.9.1:80 -s rr -p 60\n\
        -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1 -x 5\n\
        -e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 7\n\
        -E -t 10.0.9.1:80 --keep -s wrr\n\
        -e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -y 2\n\
        -a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m\n";
    machine.feed("-R", rules);
    let made = "-A -t 10.0.9.1:80 -s wrr -p 60\n\
        -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 7 -x 5 -y 2\n\
        -a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1\n";
    assert_eq!(machine.ipvsadm("-Sn"), made);
    let kept = " -e  -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 7 # why\n";
    let printed = machine.feed("-R --dry-run", kept);
    assert_eq!(printed, "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 7\n");
    let output = machine.call(OURS, "-R --replace", &format!("{made}{kept}"));
    let said = "line 4: a line with --keep describes no table to replace\n";
    assert_eq!(ended(&output), (Some(2), said.to_owned()));
    assert_eq!(machine.ipvsadm("-Sn"), made);
}

fn refusals() {
    let machine = Machine::new();
    let rules = "-A -t 10.0.9.1:80 -s sh\n-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 1\n";
    machine.feed("-R", rules);
    for (line, status, said) in [
        (
            "-e -t 10.0.9.1:80 -r 10.0.9.3:80 --keep -w 5",
            255,
            "No such destination\n",
        ),
        (
            "-e -t 10.0.9.9:80 -r 10.0.9.2:80 --keep -w 5",
            255,
            "Service not defined\n",
        ),
        ("-E -t 10.0.9.9:80 --keep -s rr", 255, "No such service\n"),
        (
            "-E -t 10.0.9.1:80 --keep -s nosuch",
            255,
            "Scheduler or persistence engine not found\n",
        ),
        (
            "-E -t 10.0.9.1:80 --keep -b mh-port",
            2,
            "incompatible scheduler flag `mh-port'\n",
        ),
        (
            "-e -t 10.0.9.1:80 -r 10.0.9.2:80 --keep --tun-csum",
            2,
            "Tunnel options conflict with forward method\n",
        ),
        (
            "-e -t 10.0.9.1:80 -r 10.0.9.2:80 --keep -y 5",
            255,
            "Numerical result out of range\n",
        ),
        (
            "-a -t 10.0.9.1:80 -r 10.0.9.3:80 --keep",
            2,
            "Illegal 'keep' option with the 'add-server' command\n",
        ),
    ] {
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output), (Some(status), said.to_owned()), "{line}");
        assert_eq!(machine.ipvsadm("-Sn"), rules, "{line}");
    }
    let lines = "-e -t 10.0.9.1:80 -r 10.0.9.3:80 --keep -w 5\n-E -t 10.0.9.1:80 --keep -s rr\n";
    let (status, said) = ended(&machine.call(OURS, "-R", lines));
    assert_eq!(
        (status, &*said),
        (Some(255), "line 1: No such destination\n")
    );
    assert!(
        machine
            .ipvsadm("-Sn")
            .starts_with("-A -t 10.0.9.1:80 -s rr\n")
    );
}

/// A thousand edits of a server's weight while words pass through it.
fn under_traffic() {
    let machine = Machine::new();
    let listeners = [listen(2), listen(3)];
    machine.feed(
        "-R",
        "-A -t 10.0.9.1:80 -s wrr\n\
         -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1 -x 1000\n\
         -a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1\n",
    );
    let mut connections: Vec<_> = (0..8).map(|_| Connection::open(80, &listeners)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let talk = scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) {
                let alive = connections.iter_mut().all(Connection::is_alive);
                assert!(alive, "a connection broke after {rounds} rounds");
                rounds += 1;
            }
            rounds
        });
        let batches = (0..100).map(|batch| {
            let weights = (0..10).map(|n| 1 + (batch * 10 + n) % 50);
            let lines = weights
                .map(|weight| format!("-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w {weight}\n"));
            ended(&machine.call(OURS, "-R", &lines.collect::<String>()))
        });
        let batches: Vec<_> = batches.collect();
        done.store(true, Ordering::Relaxed);
        let good = (Some(0), String::new());
        assert!(batches.iter().all(|ended| *ended == good), "{batches:?}");
        assert!(talk.join().expect("no connection broke") > 1);
    });
    let mut late = Connection::open(80, &listeners);
    assert!(late.is_alive());
    assert!(connections.iter_mut().all(Connection::is_alive));
    let saved = machine.ipvsadm("-Sn");
    assert!(
        saved.contains("-r 10.0.9.2:8080 -m -w 50 -x 1000\n"),
        "{saved}"
    );
}

/// Two programs, each with a field of its own and one that both name: in the
/// end each field is what one of them wrote, and what neither names is as it was.
fn two_writers() {
    let machine = Machine::new();
    let server = "-t 10.0.9.1:80 -r 10.0.9.2:8080";
    machine.ipvsadm("-A -t 10.0.9.1:80 -s rr");
    machine.ipvsadm(&format!("-a {server} -m -w 1 -x 1000 -y 3"));
    thread::scope(|scope| {
        for fields in ["-w 2 -x 1002", "-w 5"] {
            let machine = &machine;
            scope.spawn(move || {
                let lines = format!("-e {server} --keep -w 1\n-e {server} --keep {fields}\n");
                machine.feed("-R", &lines.repeat(500));
            });
        }
    });
    let saved = machine.ipvsadm("-Sn");
    let line = saved.lines().last().expect("a server");
    let wanted = [2, 5, 1].map(|weight| {
        [1000, 1002].map(|upper| format!("-a {server} -m -w {weight} -x {upper} -y 3"))
    });
    assert!(
        wanted.concat().iter().any(|wanted| wanted == line),
        "{line}"
    );
    // One after the other nothing is lost.
    machine.ipvsadm(&format!("-e {server} --keep -w 9"));
    machine.ipvsadm(&format!("-e {server} --keep -x 1009"));
    assert!(machine.ipvsadm("-Sn").ends_with("-m -w 9 -x 1009 -y 3\n"));
}
