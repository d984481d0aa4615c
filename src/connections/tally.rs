//! Counts connections by what they have in common.
//!
//! There may be as many keys as connections, so memory matters: each key is a
//! record of fixed width in one block, the counts are in another, and a table
//! of their hashes finds them; about 50 bytes for a client. Records sort as the
//! addresses in them do. This module must not read the kernel's table nor
//! print.

use super::{Common, Connection, Count, Endpoint, Key, Keys, Network};
use foldhash::fast::RandomState;
use hashbrown::hash_table::{Entry, HashTable};
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

/// A family and an address, the first bytes first.
const ADDRESS: usize = 1 + 16;
const PORT: usize = 2;
/// The number of a word.
const WORD: usize = 2;

/// A record by all keys: two endpoints, an address and three words.
const WIDEST: usize = 3 * ADDRESS + 2 * PORT + 3 * WORD;

/// The counts so far.
#[derive(Debug)]
pub struct Tally {
    keys: Vec<Key>,
    /// The key of each group, `width` bytes each.
    records: Vec<u8>,
    width: usize,
    counts: Vec<[u32; 2]>,
    /// Finds the groups by their keys.
    groups: HashTable<Place>,
    hasher: RandomState,
    /// The names of protocols and states, by their numbers.
    words: Vec<Vec<u8>>,
    /// The record at hand.
    record: [u8; WIDEST],
}

/// A group, and half of the hash of its key: a table that grows need not ask
/// for it again.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    group: u32,
}

/// The hash as the table wants it: its place is in the low bits, and the highest
/// tell most of those apart that have the same.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Tally {
    /// Counts by `keys`; without any, all together.
    pub fn by(keys: Keys) -> Tally {
        Tally {
            keys: keys.iter().collect(),
            records: Vec::new(),
            width: keys.iter().map(width).sum(),
            counts: Vec::new(),
            groups: HashTable::new(),
            hasher: RandomState::default(),
            words: Vec::new(),
            record: [0; WIDEST],
        }
    }

    /// Counts one connection.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no kernel has room for four billion connections; half of a hash"
    )]
    pub fn add(&mut self, row: &Connection) {
        let mut rest = &mut self.record[..];
        for key in &self.keys {
            write_key(&mut rest, *key, row, &mut self.words);
        }
        let record = &self.record[..self.width];
        let mut hasher = self.hasher.build_hasher();
        hasher.write(record);
        let hash = hasher.finish() as u32;
        let at = |place: &Place| &self.records[place.group as usize * self.width..][..self.width];
        let found = self.groups.entry(
            spread(hash),
            |place| place.hash == hash && at(place) == record,
            |place| spread(place.hash),
        );
        let group = match found {
            Entry::Occupied(found) => found.get().group as usize,
            Entry::Vacant(free) => {
                let group = self.counts.len();
                free.insert(Place {
                    hash,
                    group: group as u32,
                });
                self.records.extend_from_slice(record);
                self.counts.push([0; 2]);
                group
            }
        };
        let count = &mut self.counts[group][usize::from(row.is_template())];
        *count = count.saturating_add(1);
    }

    /// The groups, the largest first; those of one size in the order of their
    /// keys.
    pub fn groups(mut self) -> Groups {
        self.sort_words();
        // Its memory is more than the order takes.
        self.groups = HashTable::new();
        Groups {
            order: self.order(),
            tally: self,
        }
    }

    /// Sorts by one byte after the other, the most important last. That costs as
    /// much as there are bytes which are not the same in all groups, a few in
    /// most tables; to compare groups with each other costs many times that.
    fn order(&self) -> Vec<u32> {
        let order: Vec<u32> = (0..).take(self.counts.len()).collect();
        let mut sorting = Sorting {
            sorted: order.clone(),
            order,
        };
        let mut differing = [0; WIDEST];
        for record in self.records.chunks_exact(self.width.max(1)) {
            for (differing, (a, b)) in differing.iter_mut().zip(record.iter().zip(&self.records)) {
                *differing |= a ^ b;
            }
        }
        for at in (0..self.width).rev().filter(|at| differing[*at] != 0) {
            sorting.sort(|group| self.records[group * self.width + at]);
        }
        // Connections count more than templates, and the largest come first.
        for which in [1, 0] {
            let all = self.counts.iter().map(|count| count[which]);
            let differing = all.fold(0, |differing, count| {
                differing | count ^ self.counts[0][which]
            });
            for (at, _) in differing
                .to_le_bytes()
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte != 0)
            {
                sorting.sort(|group| !self.counts[group][which].to_le_bytes()[at]);
            }
        }
        sorting.order
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
        for key in &self.keys {
            at += width(*key);
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

/// Groups in the order of what they have been sorted by so far.
struct Sorting {
    order: Vec<u32>,
    /// Where they are put next.
    sorted: Vec<u32>,
}

impl Sorting {
    /// Sorts by a byte; those that have the same stay in their order.
    fn sort(&mut self, byte: impl Fn(usize) -> u8) {
        let byte = |group: &u32| usize::from(byte(*group as usize));
        let mut places = [0; 256];
        for group in &self.order {
            places[byte(group)] += 1;
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for group in &self.order {
            let place = &mut places[byte(group)];
            self.sorted[*place] = *group;
            *place += 1;
        }
        std::mem::swap(&mut self.order, &mut self.sorted);
    }
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

/// Puts what `row` has of `key` at the start of `rest`.
#[inline(never)]
fn write_key(rest: &mut &mut [u8], key: Key, row: &Connection, words: &mut Vec<Vec<u8>>) {
    match key {
        Key::Service => {
            put_endpoint(rest, &row.service);
            put(rest, number(words, row.protocol).to_be_bytes());
        }
        Key::Server => put_endpoint(rest, &row.server),
        Key::Client(None) => put_address(rest, row.client.address),
        Key::Client(Some(prefix)) => {
            put_address(rest, Network::of(row.client.address, prefix).first());
        }
        Key::State => put(rest, number(words, row.state).to_be_bytes()),
        Key::Protocol => put(rest, number(words, row.protocol).to_be_bytes()),
    }
}

/// The number of `word` among `words`. The kernel has a few dozen; more than a
/// number can tell apart share the last.
fn number(words: &mut Vec<Vec<u8>>, word: &[u8]) -> u16 {
    let known = words.iter().position(|known| known == word);
    let at = known.unwrap_or_else(|| {
        if words.len() < usize::from(u16::MAX) {
            words.push(word.to_vec());
        }
        words.len() - 1
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// Puts `bytes` at the start of `rest`, which is then what follows them.
#[inline(always)]
fn put<const N: usize>(rest: &mut &mut [u8], bytes: [u8; N]) {
    if let Some((first, after)) = std::mem::take(rest).split_first_chunk_mut() {
        *first = bytes;
        *rest = after;
    }
}

#[inline(always)]
fn put_endpoint(rest: &mut &mut [u8], at: &Endpoint) {
    put_address(rest, at.address);
    put(rest, at.port.to_be_bytes());
}

#[inline(always)]
fn put_address(rest: &mut &mut [u8], address: IpAddr) {
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
    put(rest, bytes);
}

/// The groups in their order.
#[derive(Debug)]
pub struct Groups {
    tally: Tally,
    order: Vec<u32>,
}

impl Groups {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// How many connections there are in the group at the place `at`.
    pub fn count(&self, at: usize) -> Count {
        let [connections, templates] = self.tally.counts[self.order[at] as usize];
        Count {
            connections: connections.into(),
            templates: templates.into(),
        }
    }

    /// What the connections of the group at the place `at` have in common.
    pub fn common(&self, at: usize) -> impl Iterator<Item = Common<'_>> {
        let width = self.tally.width;
        let record = &self.tally.records[self.order[at] as usize * width..][..width];
        let mut left = Record(record);
        self.tally.keys.iter().map(move |key| match *key {
            Key::Service => {
                let endpoint = left.endpoint();
                Common::Service(self.word(left.number()), endpoint)
            }
            Key::Server => Common::Server(left.endpoint()),
            Key::Client(None) => Common::Client(Network::host(left.address())),
            Key::Client(Some(prefix)) => Common::Client(Network::of(left.address(), prefix)),
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
    #[inline(always)]
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (bytes, rest) = self.0.split_first_chunk().expect("as wide as its keys");
        self.0 = rest;
        *bytes
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes(self.bytes())
    }

    #[inline(always)]
    fn address(&mut self) -> IpAddr {
        let [family] = self.bytes();
        if family == 4 {
            let address: [u8; 4] = self.bytes();
            let _: [u8; 12] = self.bytes();
            return address.into();
        }
        self.bytes::<16>().into()
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
        // One that grows has its old places and twice as many new ones.
        let places = tally.groups.allocation_size() * 3 / 2;
        let records = tally.records.len() + 8 * tally.counts.len();
        assert!(records + places <= 64 * clients.len());
        let groups = tally.groups();
        assert_eq!(groups.len(), clients.len());
        assert_eq!(groups.count(0).connections, 3);
        assert_eq!(groups.count(groups.len() - 1).connections, 1);
    }
}
