//! A director of one's own, and programs that run on it to their end.

use super::netns;
use super::programs::OURS;
use std::io::{self, Write};
use std::process::{Child, Command, Output, Stdio};

/// Rules with one of every kind. Traffic has somewhere to go to at 10.0.9.1:80 and
/// at 10.0.9.1:5060.
pub const EVERY_KIND: &str = "\
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

/// A network namespace that is emptied when it is left.
pub struct Machine;

impl Machine {
    /// A new one, with the VIP and the servers 10.0.9.2 to 10.0.9.4 on `lo`.
    pub fn new() -> Machine {
        let addresses = (1..=4).map(|n| format!("addr add 10.0.9.{n}/32 dev lo\n"));
        Machine::with(&addresses.collect::<String>())
    }

    /// A new one, set up with these lines for `ip -batch`.
    pub fn with(links: &str) -> Machine {
        netns::new_network(links);
        Machine
    }

    /// Runs `program` with the words in `line`, and `input` to read.
    pub fn call(&self, program: &str, line: &str, input: &str) -> Output {
        let words: Vec<_> = line.split_whitespace().collect();
        run(program, &words, input).unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// Starts `program` with the words in `line`.
    pub fn start(&self, program: &str, line: &str) -> Child {
        let words: Vec<_> = line.split_whitespace().collect();
        spawn(program, &words).unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// The output of our ipvsadm, which must succeed without a complaint.
    pub fn ipvsadm(&self, line: &str) -> String {
        self.feed(line, "")
    }

    /// The same, with something to read.
    pub fn feed(&self, line: &str, input: &str) -> String {
        let output = self.call(OURS, line, input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && stderr.is_empty(),
            "ipvsadm {line}: {}\n{stderr}",
            output.status
        );
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for line in ["-C", "--stop-daemon master", "--stop-daemon backup"] {
            let _ = self.call(OURS, line, "");
        }
    }
}

fn spawn(program: &str, words: &[&str]) -> io::Result<Child> {
    Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Runs a program to its end, with `input` to read.
pub fn run(program: &str, words: &[&str], input: &str) -> io::Result<Output> {
    let mut child = spawn(program, words)?;
    let mut stdin = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        // A program that does not read is not the writer's business.
        scope.spawn(move || stdin.write_all(input.as_bytes()).is_ok());
        child.wait_with_output()
    })
}

/// What a program said and how it ended.
pub fn ended(output: &Output) -> (Option<i32>, String) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}
