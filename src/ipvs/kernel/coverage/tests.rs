//! A table that changes between the runs of a dump, at random and a thousand
//! times: no entry that stays may ever be missing from what is called complete.

use super::{Coverage, End};
use crate::random::Random;

/// Entries below this stay in the table all the time.
const STABLE: u32 = 400;
/// Entries below this may come and go.
const ALL: u32 = 600;
/// What fits a large datagram.
const LARGE: usize = 80;
/// Runs that end as if the kernel had been short of memory.
const UNSURE: [usize; 4] = [8, 9, 10, 11];

/// What a run of `len` entries says, for which `size` had room.
fn end(len: usize, size: usize) -> End {
    if len >= size {
        End::Open
    } else if UNSURE.contains(&len) {
        End::Likely
    } else {
        End::Certain
    }
}

/// The kernel's list, and someone who keeps changing it.
struct Table {
    entries: Vec<u32>,
    /// In the beginning.
    order: Vec<u32>,
    random: Random,
    /// At most so many changes between two runs.
    churn: usize,
    /// Between two runs in so many, many entries go or come back at once; never
    /// if 0.
    bulk: usize,
    /// Entries below this stay.
    stable: u32,
    /// In so many runs the kernel is short of memory; never if 0.
    short: usize,
    /// Up to so many others stand before those that stay, new ones for each run.
    before: usize,
}

/// What fits the datagram of a kernel that is short of memory.
const SHORT: usize = 10;

impl Table {
    fn new(seed: u64, churn: usize) -> Table {
        let mut random = Random::new(seed);
        let mut entries = Vec::new();
        for id in 0..ALL {
            let place = random.below(entries.len() + 1);
            entries.insert(place, id);
        }
        Table {
            order: entries.clone(),
            entries,
            random,
            churn,
            bulk: 0,
            stable: STABLE,
            short: 0,
            before: 0,
        }
    }

    /// Like one service's servers: the kernel puts new ones first.
    fn with_a_changing_start(seed: u64) -> Table {
        let mut table = Table {
            entries: (0..STABLE).collect(),
            before: LARGE * 3 / 2,
            ..Table::new(seed, 0)
        };
        table.change_start();
        table
    }

    fn with_bulk_changes(seed: u64) -> Table {
        Table {
            bulk: 3,
            stable: 150,
            short: 20,
            ..Table::new(seed, 0)
        }
    }

    /// One entry comes or goes. It comes back wherever it likes.
    fn change(&mut self) {
        let id = self.stable + self.random.below((ALL - self.stable) as usize) as u32;
        match self.entries.iter().position(|e| *e == id) {
            Some(place) => {
                self.entries.remove(place);
            }
            None => {
                let place = self.random.below(self.entries.len() + 1);
                self.entries.insert(place, id);
            }
        }
    }

    fn shuffle(&mut self) {
        for place in (1..self.entries.len()).rev() {
            let other = self.random.below(place + 1);
            self.entries.swap(place, other);
        }
    }

    /// As if a program cleared its rules, or restored them where they were.
    fn bulk_change(&mut self) {
        let back = self.entries.len() < ALL as usize;
        let stays = |id: &&u32| back || **id < self.stable;
        self.entries = self.order.iter().filter(stays).copied().collect();
    }

    /// All that comes and goes is replaced, at the table's start.
    fn change_start(&mut self) {
        let stays = self.entries.iter().filter(|id| **id < self.stable);
        let stays: Vec<u32> = stays.copied().collect();
        let mut others: Vec<u32> = (self.stable..ALL).collect();
        for place in (1..others.len()).rev() {
            others.swap(place, self.random.below(place + 1));
        }
        others.truncate(self.random.below(self.before + 1));
        self.entries = [others, stays].concat();
    }

    fn changes(&mut self) {
        if self.before > 0 {
            self.change_start();
        }
        if self.bulk > 0 && self.random.below(self.bulk) == 0 {
            self.bulk_change();
        }
        for _ in 0..self.random.below(self.churn + 1) {
            self.change();
        }
    }

    /// A dump as the kernel does it: each run continues by index. Says which
    /// entry came last.
    fn dump(&mut self, sizes: &[usize], coverage: &mut Coverage, seen: &mut [bool]) -> Option<u32> {
        coverage.begin();
        let (mut index, mut last) = (0, None);
        let sizes = sizes.iter().copied().chain(std::iter::repeat(LARGE));
        for (datagram, size) in sizes.enumerate() {
            let short = self.short > 0 && self.random.below(self.short) == 0;
            let room = if short { size.min(SHORT) } else { size };
            let rest = self.entries.get(index..).unwrap_or_default();
            let run = &rest[..rest.len().min(room)];
            if run.is_empty() && datagram > 0 {
                break;
            }
            for id in run {
                coverage.entry(*id);
                seen[*id as usize] = true;
            }
            coverage.seam(end(run.len(), size));
            index += run.len();
            last = run.last().copied().or(last);
            self.changes();
        }
        coverage.finish();
        last
    }
}

/// The sizes with which `listing` reads, pass for pass.
fn sizes(pass: usize) -> Vec<usize> {
    match pass {
        0 => vec![10, 10, 20],
        1 => vec![],
        n if n % 2 == 1 => vec![],
        n => vec![9, [31, 51, 20, 71, 40, 60, 25][(n - 2) / 2 % 7]],
    }
}

fn lost(table: &Table, seen: &[bool]) -> usize {
    seen[..table.stable as usize]
        .iter()
        .filter(|seen| !**seen)
        .count()
}

/// How a listing went.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// How many passes it took to be whole.
    took: Option<usize>,
    /// How many entries that stayed were missing after the first pass.
    first_lost: usize,
    /// How many of them were missing in the end.
    lost: usize,
    /// Whether two passes ended with the same entry when some were missing.
    false_end: bool,
}

/// Reads until whole.
fn read(table: &mut Table, after_pass: impl Fn(usize, &mut Table)) -> Outcome {
    let mut coverage = Coverage::default();
    let mut seen = vec![false; ALL as usize];
    let mut ends = Vec::new();
    let mut outcome = Outcome {
        took: None,
        first_lost: 0,
        lost: 0,
        false_end: false,
    };
    for pass in 0..34 {
        let end = table.dump(&sizes(pass), &mut coverage, &mut seen);
        outcome.lost = lost(table, &seen);
        if pass == 0 {
            outcome.first_lost = outcome.lost;
        }
        outcome.false_end |= outcome.lost > 0 && ends.contains(&end);
        ends.push(end);
        if coverage.whole() {
            outcome.took = Some(pass + 1);
            break;
        }
        after_pass(pass, table);
    }
    outcome
}

#[test]
fn a_table_at_rest_takes_two_passes() {
    let mut table = Table::new(1, 0);
    let outcome = read(&mut table, |_, _| {});
    assert_eq!((outcome.took, outcome.lost), (Some(2), 0));
}

#[test]
fn tables_of_any_length_take_two_passes_at_most() {
    for len in 0..ALL as usize {
        let mut table = Table::new(1, 0);
        table.entries.truncate(len);
        let took = read(&mut table, |_, _| {}).took;
        assert!(
            took.is_some_and(|passes| passes <= 2),
            "{len} entries: {took:?}"
        );
    }
}

#[test]
fn one_run_to_the_end_is_whole() {
    let mut table = Table::new(1, 0);
    table.entries.truncate(LARGE - 1);
    let mut coverage = Coverage::default();
    table.dump(&[], &mut coverage, &mut vec![false; ALL as usize]);
    assert!(coverage.whole());
}

#[test]
fn a_full_run_is_not_known_to_reach_the_end() {
    let mut table = Table::new(1, 0);
    table.entries.truncate(LARGE);
    let mut coverage = Coverage::default();
    table.dump(&[], &mut coverage, &mut vec![false; ALL as usize]);
    assert!(!coverage.whole());
}

/// However short the last run is: the first one has nothing in common with it
/// but its end.
#[test]
fn an_uncertain_end_is_settled_by_another_pass() {
    let mut coverage = Coverage::default();
    coverage.begin();
    (0..10).for_each(|id| coverage.entry(id));
    coverage.seam(End::Open);
    coverage.finish();
    assert!(!coverage.whole());
    coverage.begin();
    (0..9).for_each(|id| coverage.entry(id));
    coverage.seam(End::Open);
    coverage.entry(9);
    coverage.seam(End::Certain);
    coverage.finish();
    assert!(coverage.whole());
}

#[test]
fn nothing_that_stayed_is_missing() {
    for (churn, mean_passes) in [(1, 3), (4, 3), (12, 3), (30, 3)] {
        let (mut naive_lost, mut passes, mut whole) = (0, 0, 0);
        for seed in 1..=250 {
            let mut table = Table::new(seed, churn);
            let outcome = read(&mut table, |_, _| {});
            naive_lost += outcome.first_lost;
            let Some(took) = outcome.took else { continue };
            assert_eq!(outcome.lost, 0, "churn {churn}, seed {seed}, {took} passes");
            whole += 1;
            passes += took;
        }
        println!("churn {churn}: {whole} whole, {passes} passes, naive lost {naive_lost}");
        assert!(
            naive_lost > 0,
            "this churn does not even hurt a single pass"
        );
        assert!(passes <= mean_passes * whole);
        assert!(whole > 240);
    }
}

#[test]
fn a_table_put_into_another_order_is_read_again() {
    for seed in 1..=60 {
        let mut table = Table::new(seed, 3);
        let shuffle_after = seed as usize % 3;
        let outcome = read(&mut table, |pass, table| {
            if pass == shuffle_after {
                table.shuffle();
            }
        });
        assert!(outcome.took.is_some());
        assert_eq!(outcome.lost, 0, "seed {seed}");
    }
}

#[test]
fn a_table_that_never_holds_still_is_never_whole() {
    for seed in 1..=10 {
        let mut table = Table::new(seed, 0);
        let outcome = read(&mut table, |_, table| table.shuffle());
        assert_eq!(outcome.took, None);
    }
}

/// The table shrinks below where a pass has come, again and again: two
/// passes that end with the same entry are no proof of the table's end.
#[test]
fn bulk_changes_lose_nothing_that_stayed() {
    let (mut whole, mut passes, mut false_ends) = (0, 0, 0);
    for seed in 1..=2000 {
        let outcome = read(&mut Table::with_bulk_changes(seed), |_, _| {});
        false_ends += usize::from(outcome.false_end);
        let Some(took) = outcome.took else { continue };
        assert_eq!(outcome.lost, 0, "seed {seed}, {took} passes");
        whole += 1;
        passes += took;
    }
    println!("{whole} whole, {passes} passes, {false_ends} with a false end");
    assert!(false_ends > 10);
    assert!(whole > 1600 && passes < 5 * whole);
}

/// Only a pass that begins with a large run reaches past what comes and goes at
/// the table's start, and not each of them does.
#[test]
fn a_table_that_changes_at_its_start_is_read() {
    for seed in 1..=500 {
        let outcome = read(&mut Table::with_a_changing_start(seed), |_, _| {});
        assert!(outcome.took.is_some(), "seed {seed}");
        assert_eq!(outcome.lost, 0, "seed {seed}");
    }
}
