//! Groups of cases, how a case is judged, and the sum of it all.

use crate::differences;
use crate::support::bench::{Bench, Seen, Which};
use crate::support::programs::Call;
use libtest_mimic::{Failed, Trial};
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    static BENCH: RefCell<Option<Bench>> = const { RefCell::new(None) };
    static COUNT: RefCell<Count> = RefCell::default();
}

/// So many failures of a group are shown; the rest is only counted.
const SHOWN: usize = 20;

#[derive(Default)]
struct Count {
    cases: usize,
    on_purpose: BTreeMap<&'static str, usize>,
    by_mistake: usize,
}

/// Prints what has been found.
pub fn summary() {
    COUNT.with_borrow(|count| {
        for (id, cases) in &count.on_purpose {
            println!("{cases:7} {id}: {}", differences::reason(id));
        }
        println!(
            "compliance: {} cases, {} different on purpose, {} different by mistake",
            count.cases,
            count.on_purpose.values().sum::<usize>(),
            count.by_mistake
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
    /// The group as a test.
    pub fn trial(self) -> Trial {
        Trial::test(self.name, move || {
            BENCH.with_borrow_mut(|bench| {
                let bench = bench.get_or_insert_with(Bench::new);
                let mut cases = Cases {
                    bench,
                    rules: String::new(),
                    failures: Vec::new(),
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
    failures: Vec<String>,
}

impl Cases<'_> {
    /// The table for the cases that follow, as lines for -R.
    pub fn given(&mut self, rules: &str) {
        self.rules = rules.to_string();
    }

    /// Both programs must do the same, or differ as a listed difference says
    /// that they always do.
    pub fn same(&mut self, line: impl AsRef<[u8]>) {
        self.call(&Call::new(line));
    }

    /// The same for a whole call.
    pub fn call(&mut self, call: &Call) {
        let reference = self.see(Which::Reference, call);
        let before = self.bench.table(&self.rules);
        match differences::expected(call, &reference, &before) {
            Some((id, expected)) => self.judge(Some(id), call, &reference, &expected),
            None => self.judge(None, call, &reference, &reference),
        }
    }

    /// The programs differ, as listed under `id`; `expected` says what ours
    /// does, from what the reference does.
    pub fn differs(&mut self, id: &'static str, call: &Call, expected: impl FnOnce(Seen) -> Seen) {
        let reference = self.see(Which::Reference, call);
        let expected = expected(reference.clone());
        self.judge(Some(id), call, &reference, &expected);
    }

    /// The table that the rules have set up, as text.
    pub fn table(&mut self) -> String {
        self.bench.table(&self.rules)
    }

    /// What a program does.
    pub fn see(&mut self, which: Which, call: &Call) -> Seen {
        self.bench.see(which, &self.rules, call)
    }

    fn judge(&mut self, id: Option<&'static str>, call: &Call, reference: &Seen, expected: &Seen) {
        let ours = self.see(Which::Ours, call);
        let right = ours == *expected;
        COUNT.with_borrow_mut(|count| {
            count.cases += 1;
            if !right {
                count.by_mistake += 1;
            } else if let Some(id) = id {
                *count.on_purpose.entry(id).or_default() += 1;
            }
        });
        if right {
            return;
        }
        let mut text = format!("{call}\non this table:\n{}", self.rules);
        text += &format!("\nthe reference: {reference}\nours: {ours}");
        if let Some(id) = id {
            text += &format!("\nexpected of ours ({id}): {expected}");
        }
        self.failures.push(text);
    }

    fn result(self) -> Result<(), Failed> {
        if self.failures.is_empty() {
            return Ok(());
        }
        let shown: Vec<String> = self.failures.iter().take(SHOWN).cloned().collect();
        Err(format!(
            "{} different by mistake\n\n{}",
            self.failures.len(),
            shown.join("\n----------------------------------------\n")
        )
        .into())
    }
}
