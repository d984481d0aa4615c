//! The proof that a listing read in pieces is complete.
//!
//! A dump comes in runs of neighbours (one datagram each) and continues by
//! index, so that changes before that index between two runs make it skip or
//! repeat entries. Entries that stay in the table the whole time never change
//! their order: for them, each run is a piece without holes, and only the gap
//! between two runs of one pass is uncertain. Another pass with its seams
//! elsewhere bridges the gap: two runs that have neighbours in common overlap,
//! and what they cover together has no hole either. When such overlaps lead
//! from the table's start to its end, no entry that stayed can be missing from
//! what was read.
//!
//! This is pure bookkeeping about entries known by small numbers. It must not
//! know what they are or where they come from.

use foldhash::fast::RandomState;
use std::collections::HashMap;

/// How many entries in a row must be the same for two runs to overlap. One would
/// do if entries never moved; but one that is deleted and added again may turn
/// up elsewhere, and even a few that do so side by side must not pass for an
/// overlap.
const ROW: usize = 7;

/// What the end of a run says about the table's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There was room for another entry: the run ends where the table did.
    Certain,
    /// There was room, unless the kernel was short of memory.
    Likely,
    /// The run may have ended for want of room.
    Open,
}

/// What has been read so far.
#[derive(Default)]
pub(super) struct Coverage {
    /// Union-find over the table's ends and all runs of all passes.
    parents: Vec<usize>,
    /// By row of entries: the last run that has it.
    rows: HashMap<[u32; ROW], usize, RandomState>,
    /// The entries of the current pass, and where its current run begins.
    entries: Vec<u32>,
    run_start: usize,
    /// The last run of the current pass.
    last_run: Option<(usize, End)>,
    /// How each pass ended: its last run, and the last entries, a row at most.
    ends: Vec<(usize, End, Vec<u32>)>,
}

/// The places that all runs at the start or the end of the table belong to.
const START: usize = 0;
const END: usize = 1;

impl Coverage {
    /// Begins a pass, at the table's start.
    pub fn begin(&mut self) {
        if self.parents.is_empty() {
            self.parents = vec![START, END];
        }
        self.entries.clear();
        self.run_start = 0;
        self.last_run = None;
    }

    /// The next entry of the pass.
    pub fn entry(&mut self, id: u32) {
        self.entries.push(id);
    }

    /// Ends a run, and joins it to those that have a row in common with it.
    pub fn seam(&mut self, end: End) {
        let run = self.parents.len();
        self.parents.push(run);
        self.last_run = Some((run, end));
        if self.run_start == 0 {
            self.join(run, START);
        }
        if end == End::Certain {
            self.join(run, END);
        }
        for at in self.run_start..self.entries.len() {
            let Some(row) = self.entries[at..].first_chunk() else {
                break;
            };
            if let Some(other) = self.rows.insert(*row, run) {
                self.join(other, run);
            }
        }
        self.run_start = self.entries.len();
    }

    /// Ends the pass, after which the kernel had nothing more.
    pub fn finish(&mut self) {
        let Some((run, end)) = self.last_run else {
            return;
        };
        let row = self.entries[self.entries.len().saturating_sub(ROW)..].to_vec();
        self.ends.push((run, end, row.clone()));
        let same = || self.ends.iter().filter(|(.., other)| *other == row);
        // Where one pass likely ended, and another one did, too, is the end.
        if same().count() > 1 && same().any(|(_, end, _)| *end != End::Open) {
            let runs: Vec<usize> = same().map(|(run, ..)| *run).collect();
            for run in runs {
                self.join(run, END);
            }
        }
    }

    /// Whether nothing that stayed can be missing from what was read.
    pub fn whole(&mut self) -> bool {
        !self.parents.is_empty() && self.root(START) == self.root(END)
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a] = b;
    }
}

#[cfg(test)]
mod tests;
