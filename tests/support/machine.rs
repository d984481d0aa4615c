//! A director of one's own: a network namespace with addresses on `lo`, our
//! programs, and TCP connections through virtual services.

use crate::support::netns;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Our programs.
pub const IPVSADM: &str = env!("CARGO_BIN_EXE_ipvsadm");
pub const SAVE: &str = env!("CARGO_BIN_EXE_ipvsadm-save");
pub const RESTORE: &str = env!("CARGO_BIN_EXE_ipvsadm-restore");
/// The reference.
pub const REFERENCE: &str = "/sbin/ipvsadm";

/// The virtual address.
pub const VIP: &str = "10.0.9.1";

/// A network namespace that is emptied when it is left.
pub struct Machine;

impl Machine {
    /// A new one, with the VIP and the servers 10.0.9.2 to 10.0.9.4.
    pub fn new() -> Machine {
        let addresses = (1..=4).map(|n| format!("addr add 10.0.9.{n}/32 dev lo\n"));
        netns::new_network(&addresses.collect::<String>());
        Machine
    }

    /// Runs `program` with the words in `line`, and `input` to read.
    pub fn call(&self, program: &str, line: &str, input: &str) -> Output {
        let mut child = self.start(program, line);
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_owned();
        let writer = std::thread::spawn(move || {
            // A program that does not read is not this thread's business.
            let _ = stdin.write_all(input.as_bytes());
        });
        let output = child.wait_with_output().expect("the program ends");
        writer.join().expect("the writer ends");
        output
    }

    /// Starts `program` with the words in `line`.
    pub fn start(&self, program: &str, line: &str) -> Child {
        Command::new(program)
            .args(line.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// The output of our ipvsadm, which must succeed without a complaint.
    pub fn ipvsadm(&self, line: &str) -> String {
        self.feed(line, "")
    }

    /// The same, with something to read.
    pub fn feed(&self, line: &str, input: &str) -> String {
        let output = self.call(IPVSADM, line, input);
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
            let _ = self.call(IPVSADM, line, "");
        }
    }
}

/// What a program said and how it ended.
pub fn ended(output: &Output) -> (Option<i32>, String) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}

/// A TCP connection through a virtual service, with both of its ends.
pub struct Connection {
    client: TcpStream,
    server: TcpStream,
}

impl Connection {
    /// Connects to the VIP at `port`, where one of `listeners` answers.
    pub fn open(port: u16, listeners: &[TcpListener]) -> Connection {
        let vip = SocketAddr::new(VIP.parse().expect("an address"), port);
        let client = TcpStream::connect_timeout(&vip, Duration::from_secs(10)).expect("a server");
        let server = accept(listeners);
        for end in [&client, &server] {
            let limit = Some(Duration::from_secs(10));
            end.set_read_timeout(limit).expect("a limit");
        }
        Connection { client, server }
    }

    /// Whether words still pass in both directions.
    pub fn is_alive(&mut self) -> bool {
        fn pass(from: &mut TcpStream, to: &mut TcpStream, word: &[u8; 4]) -> bool {
            let mut heard = [0; 4];
            from.write_all(word).is_ok() && to.read_exact(&mut heard).is_ok() && &heard == word
        }
        pass(&mut self.client, &mut self.server, b"ping")
            && pass(&mut self.server, &mut self.client, b"pong")
    }

    /// The server's end of it.
    pub fn server(&self) -> SocketAddr {
        self.server.local_addr().expect("an address")
    }
}

fn accept(listeners: &[TcpListener]) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        for listener in listeners {
            listener.set_nonblocking(true).expect("a listener");
            if let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(false).expect("a stream");
                return stream;
            }
        }
        sleep(Duration::from_millis(5));
    }
    panic!("no server was asked");
}

/// A listener on port 8080 of the real server 10.0.9.N.
pub fn listen(n: u8) -> TcpListener {
    TcpListener::bind(SocketAddr::from(([10, 0, 9, n], 8080))).expect("a listener")
}

/// Waits until `condition` holds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}
