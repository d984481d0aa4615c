//! A table that others change between the runs of a dump, a thousand times at
//! random: no entry that stays may ever be missing from what counts as
//! whole.

use super::Coverage;
use crate::random::Random;

/// Entries below this stay in the table all the time.
const STABLE: u32 = 400;
/// Entries below this may come and go.
const ALL: u32 = 600;
/// What fits a large datagram.
const LARGE: usize = 80;
/// Runs that end as if the kernel had been short of memory.
const UNSURE: [usize; 4] = [8, 9, 10, 11];

/// The kernel's list, and someone who keeps changing it.
struct Table {
    entries: Vec<u32>,
    random: Random,
    /// At most so many changes between two runs.
    churn: usize,
}

impl Table {
    fn new(seed: u64, churn: usize) -> Table {
        let mut random = Random::new(seed);
        let mut entries = Vec::new();
        for id in 0..ALL {
            let place = random.below(entries.len() + 1);
            entries.insert(place, id);
        }
        Table {
            entries,
            random,
            churn,
        }
    }

    /// One entry comes or goes. It comes back wherever it likes.
    fn change(&mut self) {
        let id = STABLE + self.random.below((ALL - STABLE) as usize) as u32;
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

    fn changes(&mut self) {
        for _ in 0..self.random.below(self.churn + 1) {
            self.change();
        }
    }

    /// A dump as the kernel does it: each run continues by index.
    fn dump(&mut self, sizes: &[usize], coverage: &mut Coverage, seen: &mut [bool]) {
        coverage.begin();
        let mut index = 0;
        let sizes = sizes.iter().copied().chain(std::iter::repeat(LARGE));
        for (datagram, size) in sizes.enumerate() {
            let rest = self.entries.get(index..).unwrap_or_default();
            let run = &rest[..rest.len().min(size)];
            if run.is_empty() && datagram > 0 {
                break;
            }
            for id in run {
                coverage.entry(*id);
                seen[*id as usize] = true;
            }
            coverage.seam(run.len() < size && !UNSURE.contains(&run.len()));
            index += run.len();
            self.changes();
        }
        coverage.finish(ALL as usize);
    }
}

/// The sizes with which `listing` reads, pass for pass.
fn sizes(pass: usize) -> Vec<usize> {
    match pass {
        0 => vec![10, 10, 20],
        1 => vec![],
        n => vec![9, [31, 51, 20, 71, 40, 60, 25][(n - 2) % 7]],
    }
}

fn lost(seen: &[bool]) -> usize {
    seen[..STABLE as usize]
        .iter()
        .filter(|seen| !**seen)
        .count()
}

/// Reads until whole; how many passes that took, and how many entries that
/// stayed were missing after the first and after the last.
fn read(
    table: &mut Table,
    after_pass: impl Fn(usize, &mut Table),
) -> (Option<usize>, usize, usize) {
    let mut coverage = Coverage::default();
    let mut seen = vec![false; ALL as usize];
    let mut naive = 0;
    for pass in 0..18 {
        table.dump(&sizes(pass), &mut coverage, &mut seen);
        if pass == 0 {
            naive = lost(&seen);
        }
        if coverage.whole() {
            return (Some(pass + 1), naive, lost(&seen));
        }
        after_pass(pass, table);
    }
    (None, naive, lost(&seen))
}

#[test]
fn a_table_at_rest_takes_two_passes() {
    let mut table = Table::new(1, 0);
    assert_eq!(read(&mut table, |_, _| {}), (Some(2), 0, 0));
}

#[test]
fn so_does_every_other_length() {
    for len in 0..ALL as usize {
        let mut table = Table::new(1, 0);
        table.entries.truncate(len);
        let (took, ..) = read(&mut table, |_, _| {});
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
fn an_unsure_end_is_told_by_another_pass() {
    let mut coverage = Coverage::default();
    coverage.begin();
    (0..10).for_each(|id| coverage.entry(id));
    coverage.seam(false);
    coverage.finish(10);
    assert!(!coverage.whole());
    coverage.begin();
    (0..9).for_each(|id| coverage.entry(id));
    coverage.seam(false);
    coverage.entry(9);
    coverage.seam(true);
    coverage.finish(10);
    assert!(coverage.whole());
}

#[test]
fn nothing_that_stayed_is_missing() {
    for (churn, mean_passes) in [(1, 3), (4, 3), (12, 3), (30, 3)] {
        let (mut naive_lost, mut passes, mut whole) = (0, 0, 0);
        for seed in 1..=250 {
            let mut table = Table::new(seed, churn);
            let (took, naive, lost) = read(&mut table, |_, _| {});
            naive_lost += naive;
            let Some(took) = took else { continue };
            assert_eq!(lost, 0, "churn {churn}, seed {seed}, {took} passes");
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
        let (took, _, lost) = read(&mut table, |pass, table| {
            if pass == shuffle_after {
                table.shuffle();
            }
        });
        assert!(took.is_some());
        assert_eq!(lost, 0, "seed {seed}");
    }
}

#[test]
fn a_table_that_never_holds_still_is_never_whole() {
    for seed in 1..=10 {
        let mut table = Table::new(seed, 0);
        let (took, _, _) = read(&mut table, |_, table| table.shuffle());
        assert_eq!(took, None);
    }
}

#[test]
fn an_entry_of_an_earlier_pass_is_known_to_be_gone() {
    let mut table = Table::new(1, 0);
    let mut coverage = Coverage::default();
    let mut seen = vec![false; ALL as usize];
    table.dump(&[], &mut coverage, &mut seen);
    table.entries.retain(|id| *id != 500);
    table.dump(&[40], &mut coverage, &mut seen);
    assert!(coverage.whole() && !coverage.seen_last(500) && coverage.seen_last(7));
}
