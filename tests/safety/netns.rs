//! `--netns`: the table of another network namespace, and nothing else of it.

use crate::Test;
use crate::support::machine::{Machine, ended, run};
use crate::support::programs::{OURS, RESTORE, SAVE, TOP};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

pub const TESTS: &[Test] = &[
    ("netns::as_under_ip_netns_exec", as_under_ip_netns_exec),
    ("netns::connections_and_settings", connections_and_settings),
    ("netns::by_path", by_path),
    ("netns::bad_input", bad_input),
];

const RULES: &str = "-A -t 10.0.9.1:80 -s rr\n\
    -a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 1\n\
    -a -t 10.0.9.1:80 -r 10.0.9.3:80 -m -w 2\n\
    -A -u 10.0.9.1:53 -s wlc\n\
    -a -u 10.0.9.1:53 -r 10.0.9.4:53 -m -w 1\n";

/// A machine with two more namespaces that have names and the same addresses.
struct Namespaces(Machine);

impl Namespaces {
    const NAMES: [&str; 2] = ["blue", "red"];

    fn new() -> Namespaces {
        let machine = Machine::new();
        for name in Self::NAMES {
            let mut lines = vec![
                format!("netns add {name}"),
                format!("-n {name} link set lo up"),
            ];
            lines.extend((1..=4).map(|n| format!("-n {name} addr add 10.0.9.{n}/32 dev lo")));
            for line in lines {
                let (status, said) = ended(&machine.call("ip", &line, ""));
                assert_eq!(status, Some(0), "ip {line}: {said}");
            }
        }
        Namespaces(machine)
    }

    /// `program` as one would call it without the option.
    fn under_ip(&self, name: &str, program: &str, line: &str, input: &str) -> Output {
        let line = format!("netns exec {name} {program} {line}");
        self.0.call("ip", &line, input)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in Self::NAMES {
            for line in ["-C", "--stop-daemon master"] {
                let _ = self.under_ip(name, OURS, line, "");
            }
            let _ = self.0.call("ip", &format!("netns delete {name}"), "");
        }
    }
}

/// Every command in one namespace by the option, and in its twin by
/// ip-netns(8): the same output, the same tables. Nothing happens at home.
fn as_under_ip_netns_exec() {
    let namespaces = Namespaces::new();
    let home = "-A -f 1 -s rr\n";
    namespaces.0.feed("-R", home);
    let edited = RULES.replace("-w 2", "-w 7");
    let (mut failed, mut count) = (0, 0);
    let mut same = |program: &str, line: &str, input: &str| {
        let there = namespaces.under_ip("blue", program, line, input);
        // Before the command as well as behind it.
        count += 1;
        let named = match count % 2 {
            0 => format!("--netns red {line}"),
            _ => format!("{line} --netns=red"),
        };
        let here = namespaces.0.call(program, &named, input);
        failed += i32::from(!there.status.success());
        assert_eq!(ended(&there), ended(&here), "{line}");
        let skip = usize::from(program == *TOP); // the time
        let rest = |output: &Output| {
            let lines = output.stdout.split(|byte| *byte == b'\n').skip(skip);
            lines.map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(rest(&there), rest(&here), "{line}");
        let tables = ["blue", "red"].map(|n| namespaces.under_ip(n, OURS, "-Sn --all", "").stdout);
        assert_eq!(tables[0], tables[1], "{line}");
    };
    for (line, input) in [
        ("-R", RULES),
        ("-A -t 10.0.9.1:80", ""),
        ("-A -t 10.0.9.1:81 -s lblc", ""),
        ("-a -t 10.0.9.1:81 -r 10.0.9.2", ""),
        ("-e -t 10.0.9.1:81 -r 10.0.9.2 -w 3", ""),
        ("-E -t 10.0.9.1:81 -s rr -p 60", ""),
        ("-E -t 10.0.9.9:81", ""),
        ("-L", ""),
        ("-Ln --stats", ""),
        ("-Ln -t 10.0.9.1:80", ""),
        ("-Ln -t 10.0.9.9:80", ""),
        ("-Lcn", ""),
        ("-S", ""),
        ("-Z", ""),
        ("--set 800 0 0", ""),
        ("-L --timeout", ""),
        ("--start-daemon master --mcast-interface lo --syncid 7", ""),
        ("-L --daemon", ""),
        ("-Sn --all", ""),
        ("--stop-daemon master --syncid 7", ""),
        ("-R --replace --dry-run", &edited),
        ("-R --dry-run", RULES),
        ("-R --replace", &edited),
        (
            "-R",
            "-L\n-D -t 10.0.9.9:80\n-e -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 9\n-L -n",
        ),
        ("-d -t 10.0.9.1:80 -r 10.0.9.3:80 --drain 9", ""),
        ("-d -t 10.0.9.1:80 -r 10.0.9.3:80", ""),
        ("-D -t 10.0.9.1:80", ""),
        ("-C", ""),
    ] {
        same(OURS, line, input);
    }
    same(RESTORE, "", RULES);
    same(RESTORE, "--replace", &edited);
    same(SAVE, "-n --all", "");
    same(&TOP, "-b -n 1 -d 0.1", "");
    assert_eq!(failed, 6, "refusals and a difference are among them");
    assert_eq!(namespaces.0.ipvsadm("-Sn"), home);
}

fn connections_and_settings() {
    let namespaces = Namespaces::new();
    namespaces.0.feed("-R --netns red", RULES);
    namespaces.under_ip("red", "bash", "-c echo>/dev/udp/10.0.9.1/53", "");
    let wanted = namespaces.under_ip("red", OURS, "-Lcn", "").stdout;
    let wanted = String::from_utf8(wanted).expect("text");
    assert_eq!(wanted.lines().count(), 3, "{wanted}");
    // Time goes on.
    let bare = |text: &str| -> Vec<String> {
        let rows = text.lines().map(|row| row.split_whitespace().enumerate());
        rows.map(|row| row.filter(|(i, _)| *i != 1).map(|(_, word)| word).collect())
            .collect()
    };
    let found = namespaces.0.ipvsadm("-Lcn --netns red");
    assert_eq!(bare(&found), bare(&wanted));
    for elsewhere in ["-Lcn", "-Lcn --netns blue"] {
        assert_eq!(namespaces.0.ipvsadm(elsewhere).lines().count(), 2);
    }
    let setting = "-qw net.ipv4.vs.expire_nodest_conn=1";
    namespaces.under_ip("red", "sysctl", setting, "");
    let drain = "-d -t 10.0.9.1:80 -r 10.0.9.3:80 --drain 9 --netns red";
    let (status, said) = ended(&namespaces.0.call(OURS, drain, ""));
    assert_eq!(status, Some(0));
    assert!(
        said.starts_with("warning: net.ipv4.vs.expire_nodest_conn is 1"),
        "{said}"
    );
}

fn by_path() {
    let namespaces = Namespaces::new();
    namespaces.0.ipvsadm("-A -f 7 --netns=/run/netns/red -s rr");
    let mut sleeper = namespaces.0.start("ip", "netns exec red sleep 1000");
    let path = format!("/proc/{}/ns/net", sleeper.id());
    let is_there = || fs::read_link(&path).ok() != fs::read_link("/proc/thread-self/ns/net").ok();
    while !is_there() {
        std::thread::yield_now();
    }
    let found = namespaces.0.ipvsadm(&format!("-Sn --netns {path}"));
    sleeper.kill().expect("a child");
    sleeper.wait().expect("a child");
    assert_eq!(found, "-A -f 7 -s rr\n");
    assert_eq!(namespaces.0.ipvsadm("-Sn"), "");
}

fn bad_input() {
    let namespaces = Namespaces::new();
    let dir = Path::new("/tmp/ipvsadm-netns");
    let _ = fs::remove_dir_all(dir);
    fs::create_dir(dir).expect("a directory");
    let ours = dir.join("ipvsadm");
    fs::copy(OURS, &ours).expect("a copy");
    for path in [dir, &ours] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let ours = ours.to_str().expect("text");
    let fifo = dir.join("fifo");
    let fifo = fifo.to_str().expect("text");
    run("mkfifo", &[fifo], "").expect("mkfifo");
    let namespace = |name: &str| format!("`{name}' is not a network namespace\n");
    let as_nobody = [
        "--reuid=65534",
        "--clear-groups",
        ours,
        "-L",
        "--netns",
        "red",
    ];
    for (program, words, said) in [
        (
            OURS,
            &["-C", "--netns", "green"][..],
            "cannot open network namespace `green': No such file or directory\n".to_owned(),
        ),
        (
            OURS,
            &["-C", "--netns", "/etc/passwd"],
            namespace("/etc/passwd"),
        ),
        (
            OURS,
            &["-C", "--netns", "/proc/self/ns/uts"],
            namespace("/proc/self/ns/uts"),
        ),
        (OURS, &["-C", "--netns", ".."], namespace("..")),
        (OURS, &["-C", "--netns", fifo], namespace(fifo)),
        (
            OURS,
            &["-C", "--netns", ""],
            "illegal network namespace specified\n".to_owned(),
        ),
        (
            SAVE,
            &["--netns="],
            "illegal network namespace specified\n".to_owned(),
        ),
        (
            RESTORE,
            &["--netns", "green"],
            "cannot open network namespace `green': No such file or directory\n".to_owned(),
        ),
        (
            &TOP,
            &["-b", "-N", "green"],
            "cannot open network namespace `green': No such file or directory\n".to_owned(),
        ),
        (
            "setpriv",
            &as_nobody,
            "cannot enter network namespace `red': Permission denied (you must be root)\n"
                .to_owned(),
        ),
    ] {
        let output = run(program, words, "-C\n").expect("a program");
        assert_eq!(ended(&output), (Some(2), said), "{words:?}");
    }
    for (program, line, status, text) in [
        (OURS, "-L --netns", 255, "--netns: missing argument\n"),
        (SAVE, "--netns", 255, "--netns: missing argument\n"),
        (
            OURS,
            "--netns red -L --netns red",
            2,
            "multiple 'netns' options specified\n",
        ),
        (
            OURS,
            "-L --netns red --netns red",
            2,
            "multiple 'netns' options specified\n",
        ),
        (
            OURS,
            "-R",
            2,
            "line 1: the 'netns' option is not allowed in rules\n",
        ),
    ] {
        let output = namespaces.0.call(program, line, "-A -f 1 --netns red\n");
        assert_eq!(ended(&output), (Some(status), text.to_owned()), "{line}");
    }
    fs::remove_dir_all(dir).expect("the directory");
}
