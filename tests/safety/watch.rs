//! `--watch`: what is seen of the table while it changes.

use crate::Test;
use crate::connection::wait_for;
use crate::support::machine::{Machine, ended};
use crate::support::programs::{OURS, TOP};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use wait_timeout::ChildExt;

pub const TESTS: &[Test] = &[
    ("watch::a_log_of_changes_is_replayed", log_is_replayed),
    ("watch::listings_are_those_without_it", listings),
    ("watch::documents_are_lines", documents),
    ("watch::service_is_deleted", service_is_deleted),
    ("watch::reader_goes_away", reader_goes_away),
    ("watch::memory_does_not_grow", memory_does_not_grow),
    ("watch::bad_input", bad_input),
];

const BASE: &str = "\
-A -t 10.0.9.1:80 -s rr
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 5 -x 100 -y 50
-A -t 10.0.9.1:81 -s rr
-a -t 10.0.9.1:81 -r 10.0.9.2:81 -m -w 1
-A -f 9 -s wlc
-a -f 9 -r 10.0.9.3:0 -g -w 1
";

/// What happens while it is watched, one step after the other.
const STEPS: &[&str] = &[
    "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 0 -x 100 -y 50",
    "-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 7\n-a -t 10.0.9.1:80 -r 10.0.9.4 -i --tun-type gue --tun-port 6080",
    "-A -t [2001:db8::1]:443 -s sh -b sh-port -p 60 -M 64\n-a -t [2001:db8::1]:443 -r [2001:db8::2]:8443 -m",
    "-A -f 9 -6 -s fo\n-A -f 4294967295 -s rr\n-A --sctp-service 10.0.9.1:9900 -s nq",
    "-E -t 10.0.9.1:80 -s wrr -p 300\n-D -f 9",
    "--set 800 0 200\n--start-daemon backup --mcast-interface lo --syncid 8",
    "-C",
    "-A -u 10.0.9.1:5060 -s rr -p 60 --pe sip -o\n-a -u 10.0.9.1:5060 -r 10.0.9.2:5060 -m -x 9",
    "--stop-daemon backup --syncid 8\n-A -t 10.0.9.1:80 -s mh",
];

/// A program that runs, and what it has printed so far.
struct Running {
    child: Child,
    text: Arc<Mutex<String>>,
    reader: thread::JoinHandle<()>,
}

impl Running {
    fn start(machine: &Machine, line: &str) -> Running {
        let mut child = machine.start(OURS, line);
        let mut stdout = child.stdout.take().expect("a pipe");
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                let more = std::str::from_utf8(&bytes[..count]).expect("text");
                shared.lock().expect("no panic").push_str(more);
            }
        });
        Running {
            child,
            text,
            reader,
        }
    }

    fn text(&self) -> String {
        self.text.lock().expect("no panic").clone()
    }

    fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("a process");
        let status = ends(&mut self.child);
        self.reader.join().expect("an end");
        (status, self.text.lock().expect("no panic").clone())
    }
}

fn ends(child: &mut Child) -> ExitStatus {
    let status = child
        .wait_timeout(Duration::from_secs(60))
        .expect("a child");
    status.unwrap_or_else(|| {
        let _ = child.kill();
        panic!("it goes on")
    })
}

/// Whether this is a time such as `2026-11-23T08:41:02.113Z`.
fn is_time(text: &str) -> bool {
    let pattern = "0000-00-00T00:00:00.000Z";
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(a, b)| match b {
            b'0' => a.is_ascii_digit(),
            _ => a == b,
        })
}

fn log_is_replayed() {
    let (log, after) = {
        let machine = Machine::new();
        machine.feed("-R", BASE);
        let log = Running::start(&machine, "-S --all --watch 0.05");
        // It has begun when it tells of a change.
        let mut weight = 1;
        wait_for("the first change", || {
            weight += 1;
            machine.ipvsadm(&format!("-e -t 10.0.9.1:81 -r 10.0.9.2:81 -m -w {weight}"));
            !log.text().is_empty()
        });
        for (number, step) in STEPS.iter().enumerate() {
            let marker = format!("-A -f {} -s rr", 1000 + number);
            machine.feed("-R", &format!("{step}\n{marker}\n"));
            wait_for(step, || log.text().contains(&marker));
        }
        let (status, text) = log.end(Signal::SIGTERM);
        assert_eq!(status.signal(), Some(Signal::SIGTERM as i32));
        (text, machine.ipvsadm("-Sn --all"))
    };
    for line in log.lines() {
        let time = line.split_once("  # ").map_or("", |(_, time)| time);
        assert!(is_time(time), "{line}\nin\n{log}");
    }
    for part in [
        "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 0 -x 100 -y 50  # 2",
        "-a -t 10.0.9.1:80 -r 10.0.9.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum  # 2",
        "-A -t [2001:db8::1]:443 -s sh -p 60 -M 64 -b sh-port  # 2",
        "-A -f 9 -6 -s fo  # 2",
        "-E -t 10.0.9.1:80 -s wrr -p 300  # 2",
        "-D -f 9  # 2",
        "--set 800 120 200  # 2",
        "--start-daemon backup --mcast-interface lo --syncid 8",
        "--stop-daemon backup --syncid 8  # 2",
    ] {
        assert!(log.contains(part), "{part}\nis not in\n{log}");
    }
    let machine = Machine::new();
    machine.feed("-R", BASE);
    machine.feed("-R", &log);
    assert_eq!(machine.ipvsadm("-Sn --all"), after, "{log}");
}

/// The listings that a watch has printed, without their times.
fn blocks(text: &str) -> Vec<&str> {
    let blocks = text.strip_suffix("\n\n").unwrap_or(text).split("\n\n");
    let without_time = |block| {
        let (time, rest) = str::split_once(block, '\n').expect("two lines");
        assert!(is_time(time), "{text}");
        rest
    };
    blocks.map(without_time).collect()
}

fn listings() {
    let machine = Machine::new();
    machine.feed("-R", BASE);
    machine.ipvsadm("--start-daemon master --mcast-interface lo --syncid 7");
    for view in [
        "-Ln",
        "-L --nosort",
        "-Ln --stats",
        "-Ln --stats -X",
        "-Ln --rate",
        "-Ln --thresholds",
        "-Ln --persistent-conn",
        "-Ln --tun-info",
        "-Ln -t 10.0.9.1:80",
        "-Ln -c",
        "-L --timeout",
        "-L --daemon",
    ] {
        let once = machine.ipvsadm(view);
        let text = machine.ipvsadm(&format!("{view} --watch 0.01 --samples 3"));
        let once = once.trim_end_matches('\n');
        assert_eq!(blocks(&text), [once; 3], "{view}:\n{text}");
    }
}

fn documents() {
    let machine = Machine::new();
    machine.feed("-R", BASE);
    machine.ipvsadm("--start-daemon master --mcast-interface lo --syncid 7");
    for view in [
        "-Lj",
        "-Lj -t 10.0.9.1:80",
        "-Lj -c",
        "-Lj --timeout",
        "-Lj --daemon",
        "-Lj --rate",
    ] {
        let text = machine.ipvsadm(&format!("{view} --watch 0.01 --samples 2"));
        let once = machine.ipvsadm(view).replace("\n ", "").replace('\n', "");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{view}:\n{text}");
        for line in lines {
            let rest = line.strip_prefix("{\"time\":\"").expect("a time");
            let (time, rest) = rest.split_once("\",").expect("more");
            assert!(is_time(time), "{view}: {line}");
            assert_eq!(format!("{{{rest}"), once, "{view}");
        }
    }
}

fn service_is_deleted() {
    let machine = Machine::new();
    machine.feed("-R", BASE);
    let watch = Running::start(&machine, "-Ln -t 10.0.9.1:80 --watch 0.05");
    wait_for("a listing", || watch.text().contains("10.0.9.2:8080"));
    machine.ipvsadm("-D -t 10.0.9.1:80");
    let Running {
        mut child, reader, ..
    } = watch;
    assert_eq!(ends(&mut child).code(), Some(1));
    reader.join().expect("an end");
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!(said, "No such service\n");
}

fn reader_goes_away() {
    let machine = Machine::new();
    // Nothing is printed, and the end is seen all the same.
    for line in ["-S --watch 31536000", "-Ln --watch 31536000"] {
        let mut child = machine.start(OURS, line);
        drop(child.stdout.take());
        let status = ends(&mut child);
        // While it waits it is told, while it writes it gets a signal.
        assert!(status.code() == Some(141) || status.signal() == Some(13));
    }
}

/// The most memory that `program` had while it ran to its end, in KiB.
fn peak(program: &str, line: &str) -> u64 {
    let mut child = Command::new(program)
        .args(line.split(' '))
        .stdout(Stdio::null())
        .spawn()
        .expect("a program");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).expect("a process");
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        // One that has ended and was not waited for has none.
        most = value.map_or(most, |value| value.parse().expect("a number"));
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success() && most > 0, "{line:?}: {status}");
            return most;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn memory_does_not_grow() {
    let machine = Machine::new();
    let service = |number| {
        let service = format!("-t 10.0.{}.{}:80", number >> 8, number & 255);
        let server = |n| format!("-a {service} -r 10.0.9.{n}:80 -m -w {n}\n");
        format!("-A {service} -s rr\n") + &(1..5).map(server).collect::<String>()
    };
    machine.feed("-R", &(0..100).map(service).collect::<String>());
    for (program, line) in [
        (OURS, "-Ln --watch 0.01 --samples"),
        (OURS, "-Ln --rate --watch 0.01 --samples"),
        (OURS, "-Lnj --watch 0.01 --samples"),
        (OURS, "-S --watch 0.01 --samples"),
        (&TOP, "-b -d 0.1 -n"),
    ] {
        let [few, many] = [10, 60].map(|looks| peak(program, &format!("{line} {looks}")));
        println!("{program} {line}: {few} KiB and {many} KiB");
        // One listing of fifty that is kept is more than this.
        assert!(many <= few + 32, "{line}: {few} KiB, then {many} KiB");
    }
}

fn bad_input() {
    let machine = Machine::new();
    machine.feed("-R", BASE);
    for (line, status, said) in [
        ("-S --watch=0", 2, "invalid interval `0' specified\n"),
        ("-S --watch -1", 2, "invalid interval `-1' specified\n"),
        ("-S --watch=-1", 2, "invalid interval `-1' specified\n"),
        ("-S --watch NaN", 2, "invalid interval `NaN' specified\n"),
        ("-S --watch x", 2, "invalid interval `x' specified\n"),
        ("-L --watch=-0.5", 2, "invalid interval `-0.5' specified\n"),
        ("-Ln --watch 1e9", 2, "invalid interval `1e9' specified\n"),
        (
            "-L --samples 2 --stats",
            2,
            "The option 'samples' needs the 'watch' option\n",
        ),
        ("-S --watch 1 --samples 0", 2, "illegal samples specified\n"),
        ("-S --watch --samples x", 2, "illegal samples specified\n"),
        (
            "-S --samples 1",
            2,
            "The option 'samples' needs the 'watch' option\n",
        ),
        ("-Z --watch", 255, "--watch: unknown option\n"),
        ("-S --watch 0.01 --samples 1", 0, ""),
    ] {
        let output = machine.call(OURS, line, "");
        assert_eq!(ended(&output), (Some(status), said.into()), "{line}");
        assert_eq!(output.stdout, b"", "{line}");
    }
    for line in ["-S --watch", "-L --watch 5 -n"] {
        let said = "line 2: the 'watch' option is not allowed in rules\n";
        let output = machine.call(OURS, "-R", &format!("-C\n{line}\n"));
        assert_eq!(ended(&output), (Some(2), said.into()));
    }
    assert_eq!(machine.ipvsadm("-Sn"), BASE);
}
