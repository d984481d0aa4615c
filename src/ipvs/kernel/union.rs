//! The union of several passes over one list: each entry once.

use super::coverage::{Coverage, End};
use super::dump::DumpVisitor;
use crate::model::{Server, ServerKey, Service, ServiceKey};
use std::collections::HashMap;
use std::hash::Hash;

/// What a dump lists: something with an identity.
pub(super) trait Item {
    /// What tells it from all others of its list.
    type Key: Copy + Eq + Hash;

    /// Its identity.
    fn key(&self) -> Self::Key;
}

impl Item for Service {
    type Key = ServiceKey;

    fn key(&self) -> ServiceKey {
        self.key
    }
}

impl Item for Server {
    type Key = ServerKey;

    fn key(&self) -> ServerKey {
        self.key
    }
}

/// One pass as it was received: entries, and where the datagrams ended.
pub(super) struct Pass<T, P> {
    /// The entries, in the kernel's order.
    pub items: Vec<T>,
    /// Whether there was an entry that `parse` does not know.
    pub has_unknown: bool,
    /// After how many entries a datagram ended, and how.
    seams: Vec<(usize, End)>,
    parse: P,
}

impl<T, P: Fn(&[u8]) -> Option<T>> Pass<T, P> {
    /// An empty pass that reuses the list `items`. Entries that `parse` does
    /// not know are left out.
    pub fn new(mut items: Vec<T>, parse: P) -> Self {
        items.clear();
        Pass {
            items,
            has_unknown: false,
            seams: Vec::new(),
            parse,
        }
    }

    /// Whether the whole table came at once: then there are no seams.
    pub fn is_snapshot(&self) -> bool {
        matches!(self.seams[..], [(_, End::Certain)])
    }

    /// Whether the whole table came at once if the kernel was not short of
    /// memory.
    pub fn is_likely_snapshot(&self) -> bool {
        matches!(self.seams[..], [(_, End::Certain | End::Likely)])
    }

    /// Forgets everything, for another try.
    pub fn clear(&mut self) {
        self.items.clear();
        self.seams.clear();
    }
}

impl<T, P: Fn(&[u8]) -> Option<T>> DumpVisitor for Pass<T, P> {
    fn entry(&mut self, attributes: &[u8]) {
        match (self.parse)(attributes) {
            Some(item) => self.items.push(item),
            None => self.has_unknown = true,
        }
    }

    fn seam(&mut self, end: End) {
        self.seams.push((self.items.len(), end));
    }
}

/// The union of passes.
pub(super) struct Union<T: Item> {
    numbers: HashMap<T::Key, u32, foldhash::fast::RandomState>,
    /// Each with the last pass that saw it.
    items: Vec<(T, u32)>,
    passes: u32,
    coverage: Coverage,
}

impl<T: Item> Default for Union<T> {
    fn default() -> Self {
        Union {
            numbers: HashMap::default(),
            items: Vec::new(),
            passes: 0,
            coverage: Coverage::default(),
        }
    }
}

impl<T: Item> Union<T> {
    /// Adds a pass. What it says about an entry replaces what was known.
    pub fn absorb<P>(&mut self, pass: &mut Pass<T, P>) {
        self.numbers
            .reserve(pass.items.len().saturating_sub(self.items.len()));
        self.passes += 1;
        self.coverage.begin();
        let mut seams = pass.seams.iter().peekable();
        for (place, item) in pass.items.drain(..).enumerate() {
            while let Some((_, end)) = seams.next_if(|(at, _)| *at <= place) {
                self.coverage.seam(*end);
            }
            let number = self.add(item);
            self.coverage.entry(number);
        }
        seams.for_each(|(_, end)| self.coverage.seam(*end));
        self.coverage.finish();
        pass.seams.clear();
    }

    fn add(&mut self, item: T) -> u32 {
        let numbers = &mut self.numbers;
        let next = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let number = *numbers.entry(item.key()).or_insert(next);
        match self.items.get_mut(number as usize) {
            Some(known) => *known = (item, self.passes),
            None => self.items.push((item, self.passes)),
        }
        number
    }

    /// Whether no entry that stayed in the table can be missing.
    pub fn is_whole(&mut self) -> bool {
        self.coverage.whole()
    }

    /// All entries, in the order in which they were first seen; of those that
    /// the last pass did not see only what `keep` says.
    pub fn settle<E>(self, mut keep: impl FnMut(&mut T) -> Result<bool, E>) -> Result<Vec<T>, E> {
        let mut kept = Vec::with_capacity(self.items.len());
        for (mut item, seen) in self.items {
            if seen == self.passes || keep(&mut item)? {
                kept.push(item);
            }
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry that is identified by its first number alone.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Entry(u8, u8);

    impl Item for Entry {
        type Key = u8;

        fn key(&self) -> u8 {
            self.0
        }
    }

    fn parse(bytes: &[u8]) -> Option<Entry> {
        Some(Entry(*bytes.first()?, *bytes.get(1)?))
    }

    /// Absorbs runs of entries, the last of them to the table's end.
    fn absorb(union: &mut Union<Entry>, runs: &[&[u8]], version: u8) {
        let mut pass = Pass::new(Vec::new(), parse);
        for (place, run) in runs.iter().enumerate() {
            run.iter().for_each(|key| pass.entry(&[*key, version]));
            pass.entry(&[]);
            let last = place + 1 == runs.len();
            pass.seam(if last { End::Certain } else { End::Open });
        }
        union.absorb(&mut pass);
    }

    #[test]
    fn a_later_pass_replaces_what_was_known() {
        let mut union = Union::default();
        absorb(&mut union, &[&[1, 2, 3, 4, 5], &[5, 6, 7, 8, 9, 10]], 1);
        assert!(!union.is_whole());
        absorb(&mut union, &[&[1], &[2, 4, 5, 6, 7, 8, 9, 11]], 2);
        assert!(!union.is_whole());
        absorb(&mut union, &[&[1, 2, 4, 5, 6, 7, 8, 9], &[11]], 3);
        assert!(union.is_whole());
        let kept = union.settle(|entry| Ok::<_, ()>(entry.0 == 3)).unwrap();
        let keys: Vec<_> = kept.iter().map(|entry| (entry.0, entry.1)).collect();
        let last = [4, 5, 6, 7, 8, 9, 11].map(|key| (key, 3));
        assert_eq!(keys, [&[(1, 3), (2, 3), (3, 1)], &last[..]].concat());
    }

    #[test]
    fn one_datagram_is_a_snapshot_only_with_the_end() {
        for (end, snapshot, likely) in [
            (End::Certain, true, true),
            (End::Likely, false, true),
            (End::Open, false, false),
        ] {
            let mut pass = Pass::new(vec![Entry(9, 9)], parse);
            pass.entry(&[1, 1]);
            pass.seam(end);
            assert_eq!(pass.is_snapshot(), snapshot);
            assert_eq!(pass.is_likely_snapshot(), likely);
            assert_eq!(pass.items, [Entry(1, 1)]);
        }
    }
}
