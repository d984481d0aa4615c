//! A name server on 127.0.0.1 and the files that send the C library to it, for
//! the thread that asks for them and for what it starts.

use crate::support::netns;
use std::collections::HashMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What resolv.conf says by default.
pub const RESOLV: &str = "nameserver 127.0.0.1\n";

/// What a name server knows: names with addresses, in its order, and addresses
/// with names. It does not answer when asked for `silent`, or anything in it.
#[derive(Clone, Default)]
pub struct Zone {
    pub hosts: HashMap<&'static str, Vec<Ipv4Addr>>,
    pub names: HashMap<Ipv4Addr, &'static str>,
}

/// A private /etc for this thread: hosts from `hosts` and then DNS.
pub fn private_files(hosts: &str, resolv: &str) -> PathBuf {
    let dir = netns::private_mounts();
    for (path, text) in [
        ("/etc/hosts", hosts),
        ("/etc/resolv.conf", resolv),
        ("/etc/host.conf", "multi on\n"),
        ("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n"),
    ] {
        netns::replace_file(&dir, path, text);
    }
    dir
}

/// Answers in this thread's network namespace until the test ends; the number
/// of questions so far.
pub fn serve(zone: Zone) -> Arc<AtomicUsize> {
    let socket = UdpSocket::bind("127.0.0.1:53").expect("the port of a name server");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((len, client)) = socket.recv_from(&mut packet) {
            count.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = zone.answer(&packet[..len]) {
                let _ = socket.send_to(&answer, client);
            }
        }
    });
    asked
}

impl Zone {
    /// The answer to a query, if there is to be one.
    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        const HEADER: usize = 12;
        let mut labels = Vec::new();
        let mut at = HEADER;
        while query[at] != 0 {
            let len = usize::from(query[at]);
            labels.push(String::from_utf8_lossy(&query[at + 1..at + 1 + len]).into_owned());
            at += 1 + len;
        }
        if labels.iter().any(|label| label == "silent") {
            return None;
        }
        let question = &query[HEADER..at + 5];
        let records = match query[at + 2] {
            1 => self.addresses(&labels),
            12 => self.pointer(&labels),
            _ => Vec::new(),
        };
        // A response, recursion desired and available; NXDOMAIN or none.
        let code = if records.is_empty() { 3 } else { 0 };
        let count = records.len() as u8;
        let mut answer = vec![
            query[0],
            query[1],
            0x81,
            0x80 | code,
            0,
            1,
            0,
            count,
            0,
            0,
            0,
            0,
        ];
        answer.extend(question);
        for data in records {
            // The name is that of the question; class IN, a day to live.
            answer.extend([0xc0, HEADER as u8, 0, query[at + 2], 0, 1, 0, 1, 0x51, 0x80]);
            answer.extend((data.len() as u16).to_be_bytes());
            answer.extend(data);
        }
        Some(answer)
    }

    fn addresses(&self, labels: &[String]) -> Vec<Vec<u8>> {
        let addresses = self.hosts.get(labels.join(".").as_str());
        let addresses = addresses.into_iter().flatten();
        addresses.map(|address| address.octets().to_vec()).collect()
    }

    fn pointer(&self, labels: &[String]) -> Vec<Vec<u8>> {
        let octets: Vec<u8> = labels.iter().rev().filter_map(|l| l.parse().ok()).collect();
        let address: Option<[u8; 4]> = octets.try_into().ok();
        let name = address.and_then(|octets| self.names.get(&Ipv4Addr::from(octets)));
        let encoded = |name: &&str| {
            let labels = name.split('.');
            let mut bytes: Vec<u8> = labels
                .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
                .collect();
            bytes.push(0);
            bytes
        };
        name.iter().map(|name| encoded(name)).collect()
    }
}
