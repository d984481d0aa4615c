//! Counts connections by what they have in common.
//!
//! There may be as many different keys as connections, so that a key is a
//! record of fixed width in one block of memory, the counts stand in another,
//! and a table of 32-bit numbers finds them: some 40 bytes for a client.
//! Records compare as the addresses in them. This module must not read the
//! kernel's table nor print.

use crate::model::{Common, Connection, Count, Endpoint, Key, Keys, Network};
use foldhash::fast::RandomState;
use hashbrown::hash_table::{Entry, HashTable};
use std::hash::BuildHasher;
use std::net::IpAddr;

/// A family and an address, the first bytes first.
const ADDRESS: usize = 1 + 16;
const PORT: usize = 2;
/// The number of a word.
const WORD: usize = 2;

/// The counts so far.
#[derive(Debug)]
pub struct Tally {
    keys: Keys,
    /// The key of each group, `width` bytes each.
    records: Vec<u8>,
    width: usize,
    counts: Vec<[u32; 2]>,
    /// Finds the groups by their keys.
    groups: HashTable<u32>,
    hasher: RandomState,
    /// The names of protocols and states, by their numbers.
    words: Vec<Vec<u8>>,
    /// The record at hand.
    record: Vec<u8>,
}

impl Tally {
    /// Counts by `keys`; without any, all together.
    pub fn by(keys: Keys) -> Tally {
        Tally {
            keys,
            records: Vec::new(),
            width: keys.iter().map(width).sum(),
            counts: Vec::new(),
            groups: HashTable::new(),
            hasher: RandomState::default(),
            words: Vec::new(),
            record: Vec::new(),
        }
    }

    /// Counts one connection.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no kernel has room for four billion connections"
    )]
    pub fn add(&mut self, row: &Connection) {
        self.write_record(row);
        let Tally {
            records,
            width,
            hasher,
            record,
            ..
        } = self;
        let at = |group: &u32| &records[*group as usize * *width..][..*width];
        let found = self.groups.entry(
            hasher.hash_one(&record[..]),
            |group| at(group) == record,
            |group| hasher.hash_one(at(group)),
        );
        let group = match found {
            Entry::Occupied(found) => *found.get() as usize,
            Entry::Vacant(free) => {
                let group = self.counts.len();
                free.insert(group as u32);
                records.extend_from_slice(record);
                self.counts.push([0; 2]);
                group
            }
        };
        let count = &mut self.counts[group][usize::from(row.is_template())];
        *count = count.saturating_add(1);
    }

    fn write_record(&mut self, row: &Connection) {
        self.record.clear();
        for key in self.keys.iter() {
            let word = match key {
                Key::Service => {
                    put_endpoint(&mut self.record, &row.service);
                    row.protocol
                }
                Key::Server => {
                    put_endpoint(&mut self.record, &row.server);
                    continue;
                }
                Key::Client(prefix) => {
                    let network = Network::of(row.client.address, prefix.unwrap_or(u8::MAX));
                    put_address(&mut self.record, network.first());
                    continue;
                }
                Key::State => row.state,
                Key::Protocol => row.protocol,
            };
            let number = self.number(word);
            self.record.extend_from_slice(&number.to_be_bytes());
        }
    }

    /// The number of `word`. The kernel has a few dozen; more than a number can
    /// tell apart share the last.
    fn number(&mut self, word: &[u8]) -> u16 {
        let known = self.words.iter().position(|known| known == word);
        let at = known.unwrap_or_else(|| {
            if self.words.len() < usize::from(u16::MAX) {
                self.words.push(word.to_vec());
            }
            self.words.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// The groups, the largest first; those of one size in the order of their
    /// keys.
    pub fn groups(mut self) -> Groups {
        self.sort_words();
        // Its memory is as much as the order takes.
        self.groups = HashTable::new();
        let (records, width) = (&self.records, self.width);
        let record = |group: u32| &records[group as usize * width..][..width];
        let place = |(group, [connections, templates]): (u32, &[u32; 2])| Place {
            size: u64::from(*connections) << 32 | u64::from(*templates),
            begins: beginning(record(group)),
            group,
        };
        let mut order: Vec<Place> = (0..).zip(&self.counts).map(place).collect();
        order.sort_unstable_by(|a, b| {
            let keys = || record(a.group).cmp(record(b.group));
            let sizes = b.size.cmp(&a.size);
            sizes.then(a.begins.cmp(&b.begins)).then_with(keys)
        });
        Groups { tally: self, order }
    }

    /// Numbers the words in their order.
    fn sort_words(&mut self) {
        let mut sorted: Vec<u16> = (0..).take(self.words.len()).collect();
        sorted.sort_unstable_by_key(|number| &self.words[usize::from(*number)]);
        let mut new = vec![0u16; sorted.len()];
        for (number, old) in (0..).zip(&sorted) {
            new[usize::from(*old)] = number;
        }
        self.words.sort_unstable();
        let mut at = 0;
        let mut places = Vec::new();
        for key in self.keys.iter() {
            at += width(key);
            if matches!(key, Key::Service | Key::State | Key::Protocol) {
                places.push(at - WORD..at);
            }
        }
        for record in self.records.chunks_exact_mut(self.width.max(1)) {
            for place in &places {
                let number = &mut record[place.clone()];
                let old = u16::from_be_bytes([number[0], number[1]]);
                number.copy_from_slice(&new[usize::from(old)].to_be_bytes());
            }
        }
    }
}

/// The first eight bytes of a record, which compare as they do. They tell most
/// keys apart, and all that are one IPv4 address.
fn beginning(record: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = record.len().min(bytes.len());
    bytes[..len].copy_from_slice(&record[..len]);
    u64::from_be_bytes(bytes)
}

/// How many bytes of a record are for `key`.
fn width(key: Key) -> usize {
    match key {
        Key::Service => ADDRESS + PORT + WORD,
        Key::Server => ADDRESS + PORT,
        Key::Client(_) => ADDRESS,
        Key::State | Key::Protocol => WORD,
    }
}

fn put_endpoint(record: &mut Vec<u8>, at: &Endpoint) {
    put_address(record, at.address);
    record.extend_from_slice(&at.port.to_be_bytes());
}

fn put_address(record: &mut Vec<u8>, address: IpAddr) {
    let mut bytes = [0; ADDRESS];
    match address {
        IpAddr::V4(v4) => {
            bytes[0] = 4;
            bytes[1..5].copy_from_slice(&v4.octets());
        }
        IpAddr::V6(v6) => {
            bytes[0] = 6;
            bytes[1..].copy_from_slice(&v6.octets());
        }
    }
    record.extend_from_slice(&bytes);
}

/// The groups in their order.
#[derive(Debug)]
pub struct Groups {
    tally: Tally,
    order: Vec<Place>,
}

/// A group with what decides on its place in the order, so that sorting need not
/// look for it elsewhere.
#[derive(Debug)]
struct Place {
    /// Connections, then templates.
    size: u64,
    /// How its record begins.
    begins: u64,
    group: u32,
}

impl Groups {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// How many connections there are in the group at the place `at`.
    pub fn count(&self, at: usize) -> Count {
        let [connections, templates] = self.tally.counts[self.order[at].group as usize];
        Count {
            connections: connections.into(),
            templates: templates.into(),
        }
    }

    /// What the connections of the group at the place `at` have in common.
    pub fn common(&self, at: usize) -> impl Iterator<Item = Common<'_>> {
        let width = self.tally.width;
        let record = &self.tally.records[self.order[at].group as usize * width..][..width];
        let mut left = Record(record);
        self.tally.keys.iter().map(move |key| match key {
            Key::Service => {
                let endpoint = left.endpoint();
                Common::Service(self.word(left.number()), endpoint)
            }
            Key::Server => Common::Server(left.endpoint()),
            Key::Client(prefix) => {
                Common::Client(Network::of(left.address(), prefix.unwrap_or(u8::MAX)))
            }
            Key::State => Common::State(self.word(left.number())),
            Key::Protocol => Common::Protocol(self.word(left.number())),
        })
    }

    fn word(&self, number: u16) -> &[u8] {
        &self.tally.words[usize::from(number)]
    }
}

/// What has not been read of a record.
struct Record<'a>(&'a [u8]);

impl Record<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (bytes, rest) = self.0.split_at(N);
        self.0 = rest;
        let mut all = [0; N];
        all.copy_from_slice(bytes);
        all
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes(self.bytes())
    }

    fn address(&mut self) -> IpAddr {
        let [family] = self.bytes();
        let address: [u8; 16] = self.bytes();
        match (family, address) {
            (4, [a, b, c, d, ..]) => [a, b, c, d].into(),
            _ => address.into(),
        }
    }

    fn endpoint(&mut self) -> Endpoint {
        Endpoint {
            address: self.address(),
            port: self.number(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(client: &str, port: u16, state: &'a [u8]) -> Connection<'a> {
        let endpoint = |address: &str, port| Endpoint {
            address: address.parse().unwrap(),
            port,
        };
        Connection {
            protocol: b"TCP",
            client: endpoint(client, port),
            service: endpoint("10.0.0.1", 80),
            server: endpoint("2001:db8::2", 8080),
            state,
            expires: 1,
            engine: None,
        }
    }

    /// Each group with its counts.
    fn counted(keys: &[Key], rows: &[Connection]) -> Vec<String> {
        let mut all = Keys::default();
        assert!(keys.iter().all(|key| all.insert(*key)));
        let mut tally = Tally::by(all);
        for row in rows {
            tally.add(row);
        }
        let groups = tally.groups();
        let shown = |common| match common {
            Common::Service(protocol, at) => {
                format!("{} {}:{}", protocol.escape_ascii(), at.address, at.port)
            }
            Common::Server(at) => format!("{}:{}", at.address, at.port),
            Common::Client(network) => format!("{}/{:?}", network.first(), network.prefix()),
            Common::State(word) | Common::Protocol(word) => word.escape_ascii().to_string(),
        };
        (0..groups.len())
            .map(|at| {
                let count = groups.count(at);
                let common: Vec<_> = groups.common(at).map(shown).collect();
                format!(
                    "{} {} {}",
                    count.connections,
                    count.templates,
                    common.join(" ")
                )
            })
            .collect()
    }

    fn rows() -> [Connection<'static>; 7] {
        [
            row("10.0.0.9", 1, b"UDP"),
            row("10.0.0.10", 1, b"ESTABLISHED"),
            row("10.0.0.10", 2, b"CLOSE"),
            row("10.0.0.9", 0, b"NONE"),
            row("9.255.0.1", 7, b"UDP"),
            row("2001:db8::9", 7, b"UDP"),
            row("10.0.0.9", 0, b"LISTEN"),
        ]
    }

    #[test]
    fn the_largest_come_first_then_the_order_of_addresses() {
        assert_eq!(
            counted(&[Key::Client(None)], &rows()),
            [
                "2 1 10.0.0.9/None",
                "2 0 10.0.0.10/None",
                "1 0 9.255.0.1/None",
                "1 0 2001:db8::9/None",
            ]
        );
        assert_eq!(
            counted(&[Key::State], &rows()),
            [
                "3 0 UDP",
                "1 0 CLOSE",
                "1 0 ESTABLISHED",
                "1 0 LISTEN",
                "0 1 NONE"
            ]
        );
    }

    #[test]
    fn keys_stand_in_their_order_and_networks_are_cut() {
        assert_eq!(
            counted(&[Key::Client(Some(24)), Key::Service], &rows()),
            [
                "4 1 10.0.0.0/Some(24) TCP 10.0.0.1:80",
                "1 0 9.255.0.0/Some(24) TCP 10.0.0.1:80",
                "1 0 2001:d00::/Some(24) TCP 10.0.0.1:80",
            ]
        );
        assert_eq!(
            counted(&[Key::Protocol, Key::Server], &rows()),
            ["6 1 TCP 2001:db8::2:8080"]
        );
        assert_eq!(counted(&[Key::Server], &[]), [""; 0]);
    }

    #[test]
    fn many_keys_are_told_apart() {
        let clients: Vec<_> = (0..70_000u32)
            .map(|n| IpAddr::from(n.to_be_bytes()))
            .collect();
        let mut keys = Keys::default();
        keys.insert(Key::Client(None));
        let mut tally = Tally::by(keys);
        for round in 1..4 {
            for client in clients.iter().step_by(round) {
                let mut row = row("::", 1, b"UDP");
                row.client.address = *client;
                tally.add(&row);
            }
        }
        let groups = tally.groups();
        assert_eq!(groups.len(), clients.len());
        assert_eq!(groups.count(0).connections, 3);
        assert_eq!(groups.count(groups.len() - 1).connections, 1);
        assert!(groups.tally.width + 8 + 4 + 10 <= 64);
    }
}
