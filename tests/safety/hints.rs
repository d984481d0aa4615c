//! At a terminal, a hint if the cause is known; elsewhere, none. What each mistake
//! is told stands in `docs/mistakes.txt`, and `compliance::mistakes` holds it.

use crate::Test;
use crate::support::machine::{Machine, ended, run};
use crate::support::programs::OURS;
use nix::pty::openpty;
use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

pub const TESTS: &[Test] = &[
    ("hints::only_for_people", only_for_people),
    ("hints::always_and_never", always_and_never),
    (
        "hints::commands_work_where_they_are_typed",
        commands_work_where_they_are_typed,
    ),
    (
        "hints::the_table_is_read_after_a_refusal",
        the_table_is_read_after_a_refusal,
    ),
    ("hints::root_of_a_container", root_of_a_container),
];

/// What ipvsadm prints to a terminal.
fn at_a_terminal(line: &str, hints: Option<&str>) -> String {
    let pty = openpty(None, None).expect("a terminal");
    let mut command = Command::new(OURS);
    if let Some(hints) = hints {
        command.env("IPVSADM_HINTS", hints);
    }
    let mut child = command
        .args(line.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::from(pty.slave))
        .spawn()
        .expect("a program");
    // It holds the terminal, too.
    drop(command);
    child.wait().expect("an end");
    let mut said = Vec::new();
    // Reading on fails when nobody has the terminal open any more.
    let _ = File::from(pty.master).read_to_end(&mut said);
    String::from_utf8_lossy(&said).replace("\r\n", "\n")
}

/// What it prints elsewhere.
fn elsewhere(line: &str, hints: &str) -> (Option<i32>, String) {
    let hints = format!("IPVSADM_HINTS={hints}");
    let words: Vec<&str> = [&*hints, OURS].into_iter().chain(line.split(' ')).collect();
    ended(&run("env", &words, "").expect("env"))
}

/// Refusals, and what succeeds and can hardly be meant.
const MISTAKES: [(&str, &str, &str); 12] = [
    (
        "-A -t 10.0.9.1:80 -s wllc",
        "Scheduler or persistence engine not found\n",
        "hint: there is no scheduler wllc; did you mean wlc?\n",
    ),
    (
        "-A -u 10.0.9.1:5060 -s rr -p --pe sipp",
        "Scheduler or persistence engine not found\n",
        "hint: there is no persistence engine sipp; did you mean sip?\n",
    ),
    (
        "-A -t 10.0.9.1:80 --shceduler rr",
        "--shceduler: unknown option\n",
        "hint: did you mean --scheduler?\n",
    ),
    (
        "-Z -t 10.0.9.1:80 -j",
        "-j: unknown option\n",
        "hint: --json goes with -A, -E, -D, -R, -a, -e, -d, -L, --check and --check-real-server\n",
    ),
    (
        "-D -t 10.0.9.1:80",
        "No such service\n",
        "hint: there are no virtual services\n",
    ),
    (
        "-Z -f 0",
        "invalid fwmark value `0' specified\n",
        "hint: packets without a mark have the mark 0\n",
    ),
    ("-C", "", ""),
    (
        "-d -r 10.0.9.2",
        "You need to supply the 'service-address' option for the 'delete-server' command\n",
        "hint: name the virtual service (-t, -u, --sctp-service or -f), or write --all for all of them\n",
    ),
    (
        "-e -r 10.0.9.2 --keep -w 0",
        "You need to supply the 'service-address' option for the 'edit-server' command\n",
        "hint: name the virtual service (-t, -u, --sctp-service or -f), or write --all for all of them\n",
    ),
    (
        "-e -r 10.0.9.2 -w 0",
        "You need to supply the 'service-address' option for the 'edit-server' command\n",
        "hint: name the virtual service (-t, -u, --sctp-service or -f), or write --all --keep for all \
         of them\n",
    ),
    (
        "-A -t [2001:db8::9]:0",
        "Zero port specified for non-persistent service\n",
        "hint: name a port, or add -p for a service on all ports\n",
    ),
    (
        "-A -t 10.0.9.1:80 -p -M 24",
        "",
        "hint: the mask is 0.0.0.24; for a /24 write 255.255.255.0\n",
    ),
];

fn only_for_people() {
    let machine = Machine::new();
    for (line, contract, hint) in MISTAKES {
        machine.ipvsadm("-C");
        assert_eq!(
            at_a_terminal(line, None),
            format!("{contract}{hint}"),
            "{line}"
        );
        machine.ipvsadm("-C");
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output).1, contract, "{line}");
        assert!(output.stdout.is_empty(), "{line}");
    }
}

fn always_and_never() {
    let machine = Machine::new();
    for (line, contract, hint) in MISTAKES {
        machine.ipvsadm("-C");
        assert_eq!(at_a_terminal(line, Some("never")), contract, "{line}");
        machine.ipvsadm("-C");
        assert_eq!(elsewhere(line, "never").1, contract, "{line}");
        machine.ipvsadm("-C");
        assert_eq!(
            elsewhere(line, "always").1,
            format!("{contract}{hint}"),
            "{line}"
        );
        machine.ipvsadm("-C");
        assert_eq!(elsewhere(line, "maybe").1, contract, "{line}");
    }
}

/// The command in quotation marks of the hint on `line`.
fn command_in_hint(line: &str) -> String {
    let (_, said) = elsewhere(line, "always");
    let command = said
        .split_once('`')
        .and_then(|(_, rest)| rest.split_once('\''));
    let (command, _) =
        command.unwrap_or_else(|| panic!("no command in the hint on {line}: {said}"));
    command
        .strip_prefix("ipvsadm ")
        .expect("ipvsadm")
        .to_owned()
}

fn commands_work_where_they_are_typed() {
    let machine = Machine::new();
    let ip = |line: &str| {
        assert_eq!(
            ended(&machine.call("ip", line, "")),
            (Some(0), String::new()),
            "ip {line}"
        )
    };
    ip("netns add hinted");
    ip("-n hinted link set lo up");
    for netns in ["", " --netns hinted", " --netns=/run/netns/hinted"] {
        for service in ["-t 10.0.9.7:80", "-f 7 -6", "-t 10.0.9.7"] {
            let add_server = format!("-a {service} -r 10.0.9.2 -i{netns}");
            machine.ipvsadm(&command_in_hint(&add_server));
            machine.ipvsadm(&add_server);
            machine.ipvsadm(&format!("-D {service}{netns}"));
        }
        machine.ipvsadm(&format!("-A -t 10.0.9.1:80{netns}"));
        machine.ipvsadm(&command_in_hint(&format!("-D -t 10.0.9.3:80{netns}")));
        for n in 1..=4 {
            machine.ipvsadm(&format!("-a -t 10.0.9.1:80 -r 10.0.8.{n}{netns}"));
        }
        let listed = machine.ipvsadm(&command_in_hint(&format!(
            "-d -t 10.0.9.1:80 -r 10.0.7.1{netns}"
        )));
        assert!(listed.contains("10.0.8.4:80"), "{listed}");
        machine.ipvsadm(&format!("-C{netns}"));
        // Only one sync daemon of a role can have a port of the machine.
        let start = format!("--start-daemon backup --mcast-interface lo{netns}");
        machine.ipvsadm(&start);
        machine.ipvsadm(&command_in_hint(&start));
        machine.ipvsadm(&start);
        machine.ipvsadm(&format!("--stop-daemon backup{netns}"));
    }
    ip("netns delete hinted");
}

/// How many connections to the kernel a command opens.
fn connections(line: &str, hints: &str) -> usize {
    let hints = format!("IPVSADM_HINTS={hints}");
    let strace = [&*hints, "strace", "-f", "-qq", "-e", "trace=socket", OURS];
    let words: Vec<&str> = strace.into_iter().chain(line.split(' ')).collect();
    let (_, traced) = ended(&run("env", &words, "").expect("strace"));
    traced.matches("NETLINK_GENERIC").count()
}

fn the_table_is_read_after_a_refusal() {
    let machine = Machine::new();
    machine.ipvsadm("-A -t 10.0.9.1:80");
    for (line, never, always) in [
        ("-D -t 10.0.9.1:443", 1, 2),
        ("-d -t 10.0.9.1:80 -r 10.0.9.2", 1, 2),
        ("-a -t 10.0.9.1:443 -r 10.0.9.2", 1, 2),
        ("-A -t 10.0.9.1:80", 1, 1),
        ("-A -t 10.0.9.1:80 -s nosuch", 1, 1),
        ("-A -t 10.0.9.1", 0, 0),
        ("-Z", 1, 1),
        ("-E -t 10.0.9.1:80 -p -M 24", 1, 1),
    ] {
        assert_eq!(connections(line, "never"), never, "{line}");
        assert_eq!(connections(line, "always"), always, "{line}");
    }
}

fn root_of_a_container() {
    let _machine = Machine::new();
    let said = |unshare: &[&str]| {
        let program = ["env", "IPVSADM_HINTS=always", OURS, "-Ln"];
        let words: Vec<_> = unshare.iter().chain(&program).copied().collect();
        ended(&run(words[0], &words[1..], "").expect(words[0]))
    };
    let refused = "Can't initialize ipvs: Permission denied (you must be root)\n\
        Are you sure that IP Virtual Server is built in the kernel or as module?\n";
    let (status, text) = said(&["unshare", "-Ur"]);
    let hint = "hint: this is the root of a container with a user namespace of its own; IPVS needs \
        CAP_NET_ADMIN in the initial one\n";
    assert_eq!((status, text), (Some(2), format!("{refused}{hint}")));
    let (status, text) = said(&["setpriv", "--bounding-set", "-net_admin"]);
    let hint =
        "hint: this root lacks the capability CAP_NET_ADMIN (docker run --cap-add NET_ADMIN)\n";
    assert_eq!((status, text), (Some(2), format!("{refused}{hint}")));
}
