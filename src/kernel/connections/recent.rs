//! Which rows were read lately, so that none is handed out twice.
//!
//! Up to 6.12 the kernel continues its table of connections by position (`pos`
//! in ip_vs_conn_array, net/netfilter/ipvs/ip_vs_conn.c): those that were added
//! before that position since the last read push others behind it, and they
//! come again. They come close behind where they came first: as many rows later
//! as were added since. Newer kernels continue by bucket, and repeat a few rows
//! at most. Rows that are lost because others ended cannot be known.

use foldhash::{fast, quality};
use std::collections::HashSet;
use std::hash::BuildHasher;

/// A repetition is known for at least so many rows.
const KEPT: usize = 8 * 1024;

/// The rows of late, by fingerprints of 64 bits: that two of a million rows
/// look alike, and one of them is left out, happens once in a billion tables.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Those since `older` was filled.
    newer: HashSet<u64, fast::RandomState>,
    /// The [`KEPT`] rows before them.
    older: HashSet<u64, fast::RandomState>,
    /// Random, so that nobody can make one row look like another.
    seed: quality::RandomState,
}

impl Recent {
    /// Whether a row was not among those of late; now it is. It is told by what
    /// does not change while the connection lives: its protocol and endpoints,
    /// and what a persistence engine keeps with it.
    #[inline]
    pub fn is_new(&mut self, endpoints: &[u8], engine: &[u8]) -> bool {
        let fingerprint = match engine {
            [] => self.seed.hash_one(endpoints),
            _ => self.seed.hash_one((endpoints, engine)),
        };
        if self.older.contains(&fingerprint) || !self.newer.insert(fingerprint) {
            return false;
        }
        if self.newer.len() == KEPT {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        true
    }
}
