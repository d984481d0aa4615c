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

/// Neighbours that two runs must have in common to count as overlapping. One
/// would do if entries never moved; but one that is deleted and added again may
/// turn up elsewhere, and even a few that do so side by side must not pass for
/// an overlap.
const COMMON_NEIGHBOURS: usize = 6;

/// The places that all runs at the start or the end of the table belong to.
const START: usize = 0;
const END: usize = 1;

/// What has been read so far.
#[derive(Default)]
pub(super) struct Coverage {
    passes: Vec<Pass>,
    /// Union-find over the table's ends and all runs of all passes.
    parents: Vec<usize>,
}

/// One time through the table.
#[derive(Default)]
struct Pass {
    entries: Vec<u32>,
    runs: Vec<Run>,
    /// Where an entry stands in `entries`; [`NOWHERE`] if it does not.
    places: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

/// A piece of `entries` that came at once.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    node: usize,
}

impl Coverage {
    /// Begins a pass, at the table's start.
    pub fn begin(&mut self) {
        if self.parents.is_empty() {
            self.parents = vec![START, END];
        }
        self.passes.push(Pass::default());
    }

    /// The next entry of the pass.
    pub fn entry(&mut self, id: u32) {
        if let Some(pass) = self.passes.last_mut() {
            pass.entries.push(id);
        }
    }

    /// Ends a run; `end` if it reached the table's end for sure.
    pub fn seam(&mut self, end: bool) {
        let node = self.parents.len();
        let Some(pass) = self.passes.last_mut() else {
            return;
        };
        let first = pass.runs.is_empty();
        let start = pass.runs.last().map_or(0, |run| run.end);
        pass.runs.push(Run {
            start,
            end: pass.entries.len(),
            node,
        });
        self.parents.push(node);
        if first {
            self.join(node, START);
        }
        if end {
            self.join(node, END);
        }
    }

    /// Ends the pass, after which the kernel had nothing more: compares it with
    /// the earlier ones. Entries are numbered below `count`.
    pub fn finish(&mut self, count: usize) {
        let Some((last, earlier)) = self.passes.split_last_mut() else {
            return;
        };
        last.places = vec![NOWHERE; count];
        for (place, id) in last.entries.iter().enumerate() {
            last.places[*id as usize] = place as u32;
        }
        let mut pairs: Vec<_> = earlier
            .iter()
            .flat_map(|pass| overlaps(pass, last))
            .collect();
        // A run that may have ended for want of room, with nothing after it:
        // twice in the same place is the end.
        let same_end = earlier.iter().filter(|pass| pass.last() == last.last());
        if let Some(run) = last.runs.last().filter(|_| last.last().is_some()) {
            let ends = same_end.filter_map(|pass| pass.runs.last());
            pairs.extend(ends.flat_map(|other| [(other.node, END), (run.node, END)]));
        }
        for (a, b) in pairs {
            self.join(a, b);
        }
    }

    /// Whether nothing that stayed can be missing from what was read.
    pub fn whole(&mut self) -> bool {
        !self.passes.is_empty() && self.root(START) == self.root(END)
    }

    /// Whether the last pass saw the entry.
    pub fn seen_last(&self, id: u32) -> bool {
        let Some(pass) = self.passes.last() else {
            return false;
        };
        pass.place(id).is_some()
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

impl Pass {
    fn place(&self, id: u32) -> Option<usize> {
        let place = *self.places.get(id as usize)?;
        (place != NOWHERE).then_some(place as usize)
    }

    fn last(&self) -> Option<u32> {
        self.entries.last().copied()
    }
}

/// What a run of one pass and a run of another have in common.
struct Common {
    run: usize,
    entries: usize,
    neighbours: usize,
    last: (usize, usize),
}

/// The runs of `old` and `new`, by node, that overlap.
fn overlaps(old: &Pass, new: &Pass) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut commons: Vec<Common> = Vec::new();
    let mut cursor = 0;
    for run in &new.runs {
        commons.clear();
        for here in run.start..run.end {
            let Some(there) = old.place(new.entries[here]) else {
                continue;
            };
            cursor = run_of(old, there, cursor);
            count(&mut commons, cursor, there, here);
        }
        let overlapping = commons.iter().filter(|common| common.is_overlap());
        found.extend(overlapping.map(|common| (old.runs[common.run].node, run.node)));
    }
    found
}

/// The run in which `place` is, found from a run nearby.
fn run_of(pass: &Pass, place: usize, mut near: usize) -> usize {
    while place < pass.runs[near].start {
        near -= 1;
    }
    while place >= pass.runs[near].end {
        near += 1;
    }
    near
}

fn count(commons: &mut Vec<Common>, run: usize, there: usize, here: usize) {
    let Some(common) = commons.iter_mut().rev().find(|common| common.run == run) else {
        commons.push(Common {
            run,
            entries: 1,
            neighbours: 0,
            last: (there, here),
        });
        return;
    };
    common.entries += 1;
    if (there, here) == (common.last.0 + 1, common.last.1 + 1) {
        common.neighbours += 1;
    }
    common.last = (there, here);
}

impl Common {
    /// Entries that stay keep their neighbours but where something came or
    /// went between them. Where the kernel has put its whole table into
    /// another order meanwhile, hardly any does.
    fn is_overlap(&self) -> bool {
        self.neighbours >= COMMON_NEIGHBOURS && self.neighbours * 4 >= self.entries
    }
}

#[cfg(test)]
mod tests;
