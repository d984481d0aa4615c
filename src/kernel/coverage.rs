//! The proof that a listing read in pieces is whole.
//!
//! A dump comes in runs of neighbours (one datagram each) and continues by
//! index, so whatever changes ahead of that index between two runs makes it
//! skip entries or repeat them. Seen from the entries that stay in the table
//! the whole time, which never change their order, each run is a piece without
//! holes; only what lies between two runs of one pass is unsure. A further pass
//! whose seams lie elsewhere bridges that: two runs that have neighbours in
//! common overlap, and what they cover together has no hole either. When such
//! overlaps lead from the table's start to its end, no entry that stayed can be
//! missing from what was read.
//!
//! This is pure bookkeeping about entries known by small numbers. It must not
//! know what they are or where they come from.

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
    /// By entry: where it was seen last.
    sightings: Vec<Sighting>,
    /// The entries of the current pass, and where its current run begins.
    entries: Vec<u32>,
    run_start: usize,
    /// How the passes ended; the last one is the current pass.
    passes: Vec<PassEnd>,
}

/// The places that all runs at the start or the end of the table belong to.
const START: usize = 0;
const END: usize = 1;

#[derive(Clone, Default)]
struct Sighting {
    /// The last pass that saw the entry; they are numbered from 1.
    pass: usize,
    /// A run, and what came after the entry there, if a whole row did.
    run: usize,
    row: Option<[u32; ROW - 1]>,
}

#[derive(Default)]
struct PassEnd {
    /// The last run.
    run: Option<(usize, End)>,
    /// The last row of entries.
    row: Vec<u32>,
}

impl Coverage {
    /// Begins a pass, at the table's start.
    pub fn begin(&mut self) {
        if self.parents.is_empty() {
            self.parents = vec![START, END];
        }
        self.entries.clear();
        self.run_start = 0;
        self.passes.push(PassEnd::default());
    }

    /// The next entry of the pass.
    pub fn entry(&mut self, id: u32) {
        self.entries.push(id);
    }

    /// Ends a run.
    pub fn seam(&mut self, end: End) {
        let run = self.parents.len();
        self.parents.push(run);
        if self.run_start == 0 {
            self.join(run, START);
        }
        if end == End::Certain {
            self.join(run, END);
        }
        for at in self.run_start..self.entries.len() {
            self.sight(at, run);
        }
        self.run_start = self.entries.len();
        if let Some(pass) = self.passes.last_mut() {
            pass.run = Some((run, end));
        }
    }

    /// Notes where an entry is, and joins the run to the one that has the same
    /// row of entries from there on.
    fn sight(&mut self, at: usize, run: usize) {
        let [id, ref after @ ..] = self.entries[at..] else {
            return;
        };
        let row = after.first_chunk().copied();
        let id = id as usize;
        if id >= self.sightings.len() {
            self.sightings.resize(id + 1, Sighting::default());
        }
        let sighting = &mut self.sightings[id];
        sighting.pass = self.passes.len();
        if row.is_some() {
            let known = std::mem::replace(&mut sighting.row, row);
            let other = std::mem::replace(&mut sighting.run, run);
            if known == row {
                self.join(other, run);
            }
        }
    }

    /// Ends the pass, after which the kernel had nothing more.
    pub fn finish(&mut self) {
        let Some((last, earlier)) = self.passes.split_last_mut() else {
            return;
        };
        let start = self.entries.len().saturating_sub(ROW);
        last.row = self.entries[start..].to_vec();
        let same = earlier.iter().filter(|pass| pass.row == last.row);
        let runs = same.chain([&*last]).filter_map(|pass| pass.run);
        let runs: Vec<_> = runs.collect();
        // Where one pass likely ended, and another one did, too, is the end.
        if runs.len() > 1 && runs.iter().any(|(_, end)| *end != End::Open) {
            for (run, _) in runs {
                self.join(run, END);
            }
        }
    }

    /// Whether nothing that stayed can be missing from what was read.
    pub fn whole(&mut self) -> bool {
        !self.passes.is_empty() && self.root(START) == self.root(END)
    }

    /// Whether the last pass saw the entry.
    pub fn seen_last(&self, id: u32) -> bool {
        let sighting = self.sightings.get(id as usize);
        sighting.is_some_and(|sighting| sighting.pass == self.passes.len())
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
