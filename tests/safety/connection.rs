//! TCP connections through virtual services, with the director as the client
//! and as all of the servers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The virtual address.
pub const VIP: &str = "10.0.9.1";

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
