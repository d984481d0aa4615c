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
    /// Remembers a row; whether it was new. It is recognised by what
    /// does not change while the connection lives: its protocol and endpoints,
    /// and what a persistence engine keeps with it.
    #[inline]
    pub fn is_new(&mut self, endpoints: &[u8], engine: &[u8]) -> bool {
        let mut hasher = self.seed.build_hasher();
        hasher.write(endpoints);
        if !engine.is_empty() {
            hasher.write(engine);
        }
        // 0 is a place that is free.
        let fingerprint = hasher.finish().max(1);
        if self.older.place(fingerprint).is_none() {
            return false;
        }
        let Some(place) = self.newer.place(fingerprint) else {
            return false;
        };
        *place = fingerprint;
        self.newer.count += 1;
        if self.newer.count == KEPT {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        true
    }
}

/// A set of fingerprints. They are random numbers already: each has its place
/// at, or soon after, the one that its low bits name, and at least half of the
/// places are free. A set of std hashes the hashes and costs three times as much.
#[derive(Debug)]
struct Fingerprints {
    places: Box<[u64; PLACES]>,
    count: usize,
}

const PLACES: usize = 2 * KEPT;

impl Default for Fingerprints {
    fn default() -> Fingerprints {
        Fingerprints {
            places: Box::new([0; PLACES]),
            count: 0,
        }
    }
}

impl Fingerprints {
    /// The free place for `fingerprint`, or `None` if it is in the set.
    #[inline]
    fn place(&mut self, fingerprint: u64) -> Option<&mut u64> {
        #[expect(clippy::cast_possible_truncation, reason = "any of its bits will do")]
        let mut at = fingerprint as usize % PLACES;
        while self.places[at] != 0 {
            if self.places[at] == fingerprint {
                return None;
            }
            at = (at + 1) % PLACES;
        }
        Some(&mut self.places[at])
    }

    fn clear(&mut self) {
        self.places.fill(0);
        self.count = 0;
    }
}
