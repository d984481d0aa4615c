//! Which rows were read lately, so that none is handed out twice.
//!
//! Up to 6.12 the kernel continues its table of connections by position (`pos`
//! in ip_vs_conn_array, net/netfilter/ipvs/ip_vs_conn.c): entries that were
//! added before that position since the last read push others behind it, which
//! are then repeated. A repetition comes soon after the original, by as many
//! rows as were added in between. Newer kernels continue by bucket, and repeat
//! a few rows at most. Rows that are skipped because others ended cannot be
//! noticed.

use foldhash::quality::RandomState;
use hashbrown::hash_table::{Entry, HashTable};
use std::hash::{BuildHasher, Hasher};

/// A repetition is recognised for at least this many rows.
const KEPT: usize = 8 * 1024;

/// The rows of late, by fingerprints of 64 bits: that two of a million rows
/// look alike, and one of them is left out, happens once in a billion tables.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Those since `older` was filled.
    newer: Fingerprints,
    /// The [`KEPT`] rows before them.
    older: Fingerprints,
    /// Random, so that nobody can craft rows that collide.
    seed: RandomState,
}

impl Recent {
    /// Remembers a row by its identity; whether it was new.
    pub fn is_new(&mut self, identity: [&[u8]; 2]) -> bool {
        let mut hasher = self.seed.build_hasher();
        for part in identity.into_iter().filter(|part| !part.is_empty()) {
            hasher.write(part);
        }
        let fingerprint = hasher.finish();
        if self.older.contains(fingerprint) || !self.newer.insert(fingerprint) {
            return false;
        }
        if self.newer.0.len() == KEPT {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.0.clear();
        }
        true
    }
}

/// A set of fingerprints, which are hashes themselves.
#[derive(Debug)]
struct Fingerprints(HashTable<u64>);

/// With all the room it will take: to grow costs as much as reading some thousand
/// rows.
impl Default for Fingerprints {
    fn default() -> Fingerprints {
        Fingerprints(HashTable::with_capacity(KEPT))
    }
}

impl Fingerprints {
    fn contains(&self, fingerprint: u64) -> bool {
        let found = self.0.find(fingerprint, |other| *other == fingerprint);
        found.is_some()
    }

    /// Whether it was not there before.
    fn insert(&mut self, fingerprint: u64) -> bool {
        let place = self
            .0
            .entry(fingerprint, |other| *other == fingerprint, |other| *other);
        match place {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(fingerprint);
                true
            }
        }
    }
}
