//! Two of our commands side by side, each pair of those that change one service:
//! afterwards the table is what one order of the two gives, or one of them has said
//! that it failed.
//!
//! What an order gives is found out by running it. A list of rules is carried out
//! line by line, and others may come between two lines.
//!
//! `IPVSADM_ROUNDS` is the number of rounds of each pair.

use crate::Test;
use crate::support::machine::Machine;
use crate::support::programs::OURS;
use crate::support::state::{State, Table};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[("pairs::one_order_or_a_failure", one_order)];

/// With and without the service.
const BEFORE: [&str; 2] = [
    "-A -t 10.0.9.1:80 -s rr\n\
     -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 1\n\
     -a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 1\n",
    "",
];

const REPLACEMENT: &str = "\
-A -t 10.0.9.1:80 -s wlc
-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 7
-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 1
";

const RULES: [&str; 2] = [
    "-E -t 10.0.9.1:80 -s sed",
    "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 4",
];

/// A command, and what another one of its kind sets.
const COMMANDS: [[&str; 2]; 10] = [
    ["-A -t 10.0.9.1:80 -s wrr", "-A -t 10.0.9.1:80 -s lc"],
    [
        "-E -t 10.0.9.1:80 --keep -p 77",
        "-E -t 10.0.9.1:80 --keep -s wrr",
    ],
    [
        "-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m --ensure -w 5",
        "-a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m --ensure -w 6",
    ],
    [
        "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -x 90",
        "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 --keep -w 9",
    ],
    ["-d -t 10.0.9.1:80 -r 10.0.9.2:8080"; 2],
    ["-D -t 10.0.9.1:80"; 2],
    ["-C"; 2],
    ["-R"; 2],
    ["-R --replace"; 2],
    ["-d -t 10.0.9.1:80 -r 10.0.9.2:8080 --drain 5"; 2],
];

fn rounds() -> usize {
    let asked = std::env::var("IPVSADM_ROUNDS").ok();
    asked.map_or(1, |number| number.parse().expect("IPVSADM_ROUNDS"))
}

/// A command as its steps, between which others may come.
fn steps(line: &str) -> Vec<&str> {
    match line {
        "-R" => RULES.to_vec(),
        line => vec![line],
    }
}

/// All orders of the steps of two commands.
fn orders<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<Vec<&'a str>> {
    let first = |of: &[&'a str], rest: Vec<Vec<&'a str>>| -> Vec<Vec<&'a str>> {
        rest.into_iter()
            .map(|order| [&of[..1], &order].concat())
            .collect()
    };
    match (a, b) {
        ([], rest) | (rest, []) => vec![rest.to_vec()],
        _ => [first(a, orders(&a[1..], b)), first(b, orders(a, &b[1..]))].concat(),
    }
}

/// A command that runs.
struct Running(Child);

impl Running {
    fn start(line: &str) -> Running {
        let input = match line {
            "-R" => Some(RULES.join("\n")),
            "-R --replace" => Some(REPLACEMENT.to_owned()),
            _ => None,
        };
        let stdin = input.map_or(Stdio::null(), |input| {
            // Read at once, and not when this program comes to write.
            let path = std::env::temp_dir().join(format!("pairs-{}", input.len()));
            if !path.exists() {
                let mut file = File::create(&path).expect("a file");
                file.write_all(input.as_bytes()).expect("a disk");
            }
            File::open(path).expect("a file").into()
        });
        let child = Command::new(OURS)
            .args(line.split(' '))
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Running(child.expect("a program"))
    }

    /// Whether it succeeded, and what it said.
    fn end(mut self) -> (bool, String) {
        let mut said = String::new();
        let mut stderr = self.0.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).expect("text");
        (self.0.wait().expect("an end").success(), said)
    }
}

/// A table to begin with, and what becomes of it.
struct Start {
    table: Table,
    state: State,
    /// By the order in which commands were carried out.
    known: BTreeMap<Vec<&'static str>, String>,
}

impl Start {
    /// The table after `order`.
    fn after(&mut self, order: Vec<&'static str>) -> String {
        if let Some(known) = self.known.get(&order) {
            return known.clone();
        }
        self.table.put_back(&self.state).expect("the table");
        for line in &order {
            let _ = Running::start(line).end();
        }
        let state = self.now();
        self.known.insert(order, state.clone());
        state
    }

    fn now(&self) -> String {
        self.table.state().expect("the table").to_string()
    }

    /// Runs both at once; what is wrong then.
    fn side_by_side(
        &mut self,
        [a, b]: [&'static str; 2],
        allowed: &[Vec<String>; 3],
        late: Duration,
    ) -> Result<(), String> {
        self.table.put_back(&self.state).expect("the table");
        let first = Running::start(a);
        thread::sleep(late);
        let second = Running::start(b);
        let ended = [first.end(), second.end()];
        let now = self.now();
        let [both, only_a, only_b] = allowed;
        let right = both.contains(&now)
            || !ended[1].0 && only_a.contains(&now)
            || !ended[0].0 && only_b.contains(&now);
        let told = ended
            .iter()
            .all(|(success, said)| *success || !said.is_empty());
        match right && told {
            true => Ok(()),
            false => Err(format!("{a} ({:?})\n{b} ({:?})\n{now}", ended[0], ended[1])),
        }
    }
}

fn one_order() {
    let _machine = Machine::new();
    let table = || Table::open().expect("a kernel with IPVS");
    let mut starts = BEFORE.map(|rules| {
        let machine = Machine;
        machine.feed("-R", rules);
        let state = table().state().expect("the table");
        machine.ipvsadm("-C");
        std::mem::forget(machine);
        Start {
            table: table(),
            state,
            known: BTreeMap::new(),
        }
    });
    let (rounds, begun) = (rounds(), Instant::now());
    let (mut done, mut random, mut wrong) = (0, 1_u64, String::new());
    for (place, of_a) in COMMANDS.iter().enumerate() {
        for of_b in &COMMANDS[place..] {
            let pair = [of_a[0], of_b[usize::from(of_a == of_b)]];
            for (empty, start) in starts.iter_mut().enumerate() {
                // Half of them without the service.
                let rounds = (rounds + 1 - empty) / BEFORE.len();
                if rounds == 0 {
                    continue;
                }
                let [a, b] = pair.map(steps);
                let mut results = |orders: Vec<Vec<&'static str>>| {
                    orders.into_iter().map(|order| start.after(order)).collect()
                };
                let allowed: [Vec<String>; 3] = [
                    results(orders(&a, &b)),
                    results(vec![a.clone()]),
                    results(vec![b.clone()]),
                ];
                for _ in 0..rounds {
                    // From 0 to 4 ms: a command takes about that long.
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let late = Duration::from_micros((random >> 33) % 4_000);
                    let pair = if random >> 63 == 0 {
                        pair
                    } else {
                        [pair[1], pair[0]]
                    };
                    let allowed = match pair[0] == of_a[0] {
                        true => allowed.clone(),
                        false => [allowed[0].clone(), allowed[2].clone(), allowed[1].clone()],
                    };
                    done += 1;
                    if let Err(what) = start.side_by_side(pair, &allowed, late) {
                        let _ = writeln!(wrong, "{what}");
                    }
                }
            }
            print!(".");
            let _ = std::io::stdout().flush();
        }
    }
    println!("{done} rounds in {} s", begun.elapsed().as_secs());
    assert!(wrong.is_empty(), "{wrong}");
}
