//! Groups of cases, how a case is judged, and the sum of it all.

use crate::differences;
use crate::support::bench::{Bench, Seen, Which};
use crate::support::lab;
use crate::support::programs::{Call, End, Outcome, Stdout, Tool};
use ipvsadm::cli::{self, Action, Command};
use ipvsadm::names::NoLookup;
use libtest_mimic::{Failed, Trial};
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    static BENCH: RefCell<Option<Bench>> = const { RefCell::new(None) };
    static COUNT: RefCell<Count> = RefCell::default();
}

/// So many failures of a group are shown; the rest is only counted.
const SHOWN: usize = 20;

/// `IPVS_CMD_GET_SERVICE` and `IPVS_CMD_GET_DEST`.
const READS: [u8; 2] = [4, 8];

#[derive(Default)]
struct Count {
    cases: usize,
    on_purpose: BTreeMap<&'static str, usize>,
    by_mistake: usize,
    /// Lines that were given with --ensure, too.
    ensured: usize,
}

/// Prints what has been found.
pub fn summary() {
    COUNT.with_borrow(|count| {
        for difference in differences::LIST {
            let cases = count.on_purpose.get(difference.id).copied();
            let (id, why) = (difference.id, difference.why);
            match difference.test {
                Some(elsewhere) => println!("      - {id}: {why} (tested in {elsewhere})"),
                None => println!("{:7} {id}: {why}", cases.unwrap_or_default()),
            }
        }
        println!(
            "compliance: {} cases, {} different on purpose, {} different by mistake; {} with --ensure",
            count.cases,
            count.on_purpose.values().sum::<usize>(),
            count.by_mistake,
            count.ensured
        );
    });
}

/// A number of cases under a name.
#[derive(Clone, Copy)]
pub struct Group {
    pub name: &'static str,
    pub cases: fn(&mut Cases),
}

impl Group {
    pub fn new(name: &'static str, cases: fn(&mut Cases)) -> Group {
        Group { name, cases }
    }

    /// The group as a test.
    pub fn trial(self) -> Trial {
        lab::shared(self.name, move || {
            BENCH.with_borrow_mut(|bench| {
                let bench = bench.get_or_insert_with(Bench::new);
                let mut cases = Cases {
                    bench,
                    rules: String::new(),
                    failures: 0,
                };
                (self.cases)(&mut cases);
                cases.result()
            })
        })
    }
}

/// The cases of a group, made one after the other.
pub struct Cases<'a> {
    bench: &'a mut Bench,
    rules: String,
    failures: usize,
}

impl Cases<'_> {
    /// The table for the cases that follow, as lines for -R.
    pub fn given(&mut self, rules: &str) {
        self.rules = rules.to_string();
    }

    /// A line that adds something does so with --ensure too; a second time
    /// changes nothing, and only asks. What is there is made what the line says.
    fn ensured(&mut self, call: &Call, plain: &Seen) {
        let first = call.words.first().map_or(&b""[..], Vec::as_slice);
        let adds =
            first.starts_with(b"-A") || first.starts_with(b"-a") || first.starts_with(b"--add-s");
        let added = plain.outcome == Outcome::new(0, "", "");
        let is_there = plain.outcome.stderr.ends_with(b" already exists\n");
        let ends = call.words.iter().any(|word| word == b"--") || !call.env.is_empty();
        if call.tool != Tool::Ipvsadm
            || call.stdout != Stdout::File
            || !adds
            || ends
            || !(added || is_there)
        {
            return;
        }
        let mut call = call.clone();
        call.words.push(b"--ensure".to_vec());
        let (once, twice, requests) = self.bench.see_twice(&self.rules, &call);
        let asks = requests.iter().all(|command| READS.contains(command));
        let done = |seen: &Seen| seen.outcome == Outcome::new(0, "", "");
        // The kernel may have reasons against what it was not asked before.
        let unknown = Outcome::new(255, "", "Scheduler or persistence engine not found\n");
        let refused = is_there && once.outcome == unknown && once.table == plain.table;
        let right = twice == once
            && (refused
                || done(&once)
                    && asks
                    && !requests.is_empty()
                    && (is_there || once.table == plain.table));
        COUNT.with_borrow_mut(|count| count.ensured += 1);
        if !right {
            self.failures += 1;
            if self.failures <= SHOWN {
                println!("\n---- {call}\non this table:\n{}", self.rules);
                println!("once: {once}\ntwice: {twice}\nrequests: {requests:?}");
            }
        }
    }

    /// Both programs must do the same, or differ as a listed difference says
    /// that they always do.
    pub fn same(&mut self, line: impl AsRef<[u8]>) {
        self.call(&Call::new(line));
    }

    /// The same for a whole call.
    pub fn call(&mut self, call: &Call) {
        let (reference, ours) = self.both(call);
        let before = self.bench.table(&self.rules);
        let mut differs = differences::expected(call, &reference, &before, || ours.clone());
        let mut as_read = call.clone();
        if let Some(decimal) = differences::decimal_mark(call, &reference) {
            let reference = self.see(Which::Reference, &decimal);
            let listed = differences::expected(&decimal, &reference, &before, || ours.clone());
            let expected = listed.map_or(reference, |(_, ours)| ours);
            differs = Some(("hexadecimal-marks", expected));
            as_read = decimal;
        }
        let expected = differs
            .as_ref()
            .map_or(&reference, |(_, expected)| expected);
        let is_doubtful = differs.is_none() || as_read.words != call.words;
        if is_doubtful && ours != *expected {
            if let Some(late) = differences::late_mask(&as_read) {
                let reference = self.see(Which::Reference, &late);
                let listed = differences::expected(&late, &reference, &before, || ours.clone());
                let expected = listed.map_or(reference, |(_, ours)| ours);
                differs = Some(("early-mask", expected));
            }
        }
        match differs {
            Some((id, expected)) => self.judge(Some(id), call, &reference, &expected, ours),
            None => self.judge(None, call, &reference, &reference, ours),
        }
    }

    /// -R with lines of which none is wrong: where the kernel refuses some,
    /// ours says which ones, and tells with its exit status.
    pub fn restore(&mut self, call: &Call) {
        let reference = self.see(Which::Reference, call);
        if reference.outcome.stderr.is_empty() {
            return self.call(call);
        }
        let ours = self.see(Which::Ours, call);
        let mut without_numbers = ours.clone();
        without_numbers.outcome.stderr = differences::without_line_numbers(&ours.outcome.stderr);
        let mut expected = reference.clone();
        expected.outcome.end = End::Exit(255);
        self.judge(
            Some("restore-goes-on"),
            call,
            &reference,
            &expected,
            without_numbers,
        );
    }

    /// The table that the rules have set up, as text.
    pub fn table(&mut self) -> String {
        self.bench.table(&self.rules)
    }

    /// What both do; at the same time, where that is likely to change nothing.
    fn both(&mut self, call: &Call) -> (Seen, Seen) {
        let at_once = if likely_to_change(call) {
            None
        } else {
            self.bench.see_both(&self.rules, call)
        };
        at_once.unwrap_or_else(|| {
            let reference = self.see(Which::Reference, call);
            (reference, self.see(Which::Ours, call))
        })
    }

    /// The programs differ, as listed under `id`; `expected` says what ours
    /// does, from what the reference does.
    pub fn differs(&mut self, id: &'static str, call: &Call, expected: impl FnOnce(Seen) -> Seen) {
        let reference = self.see(Which::Reference, call);
        let expected = expected(reference.clone());
        let ours = self.see(Which::Ours, call);
        self.judge(Some(id), call, &reference, &expected, ours);
    }

    /// What ours does for root.
    pub fn ours_as_root(&mut self, line: &str) -> Seen {
        self.see(Which::Ours, &Call::new(line))
    }

    /// What a program does.
    pub fn see(&mut self, which: Which, call: &Call) -> Seen {
        self.bench.see(which, &self.rules, call)
    }

    fn judge(
        &mut self,
        id: Option<&'static str>,
        call: &Call,
        reference: &Seen,
        expected: &Seen,
        ours: Seen,
    ) {
        let right = ours == *expected;
        COUNT.with_borrow_mut(|count| {
            count.cases += 1;
            if !right {
                count.by_mistake += 1;
            } else if let Some(id) = id {
                assert!(differences::is_listed(id), "{id} is not on the list");
                *count.on_purpose.entry(id).or_default() += 1;
            }
        });
        if right {
            self.ensured(call, &ours);
            return;
        }
        self.failures += 1;
        if self.failures > SHOWN {
            return;
        }
        println!("\n---- {call}\non this table:\n{}", self.rules);
        println!("the reference: {reference}\nours: {ours}");
        if let Some(id) = id {
            println!("expected of ours ({id}): {expected}");
        }
    }

    fn result(self) -> Result<(), Failed> {
        match self.failures {
            0 => Ok(()),
            n => Err(format!("{n} different by mistake, see above").into()),
        }
    }
}

/// Whether the line asks for a change. It is only a guess, in favour of speed:
/// names are not looked up.
fn likely_to_change(call: &Call) -> bool {
    let words: Vec<&[u8]> = call.words.iter().map(Vec::as_slice).collect();
    let invocation = cli::parse(b"", &words, false, &mut NoLookup);
    invocation.is_ok_and(|invocation| {
        matches!(
            invocation.command,
            Command::Action(Action::Change(_) | Action::Reach(_) | Action::Drain(_))
                | Command::Restore(_)
        )
    })
}
