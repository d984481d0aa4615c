//! The bench: both programs, one network namespace, one table. A call is made
//! with each program on the same table, and what can be seen of it, the table
//! afterwards included, is compared.
//!
//! A fresh namespace for each call would be the simplest way; the table is put
//! back instead, since that takes a hundredth of the time, and only after calls
//! that have changed it.

use super::monitor::{self, Monitor};
use super::netns;
use super::programs::{Call, End, Outcome, Program, Tool};
use super::state::{State, Table};
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::fs;

/// What can be seen of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub outcome: Outcome,
    /// The table afterwards.
    pub table: String,
}

impl Display for Seen {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{}table:\n{}", self.outcome, indented(&self.table))
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Reference,
    Ours,
}

/// The names that the tests use. Nothing else can be looked up: what is not in
/// these files fails at once.
const FILES: &[(&str, &str)] = &[
    (
        "/etc/hosts",
        "127.0.0.1 localhost\n\
         10.0.0.1 vip.example.test vip\n\
         10.0.0.2 real.example.test real\n\
         10.0.0.3 a-host-with-a-rather-long-name-for-a-table.in-a-long.subdomain.example.test\n\
         10.0.0.4 exactly-28-with-port.test\n\
         2001:db8::1 vip6.example.test vip6\n\
         2001:db8::2 real6.example.test real6\n\
         10.1.1.1 two.example.test\n\
         10.0.9.9 two.example.test\n\
         10.0.0.5 both.example.test\n\
         2001:db8::5 both.example.test\n",
    ),
    (
        "/etc/services",
        "http 80/tcp www\n\
         https 443/tcp\n\
         https 443/udp\n\
         domain 53/tcp\n\
         domain 53/udp\n\
         tftp 69/udp\n\
         signal 9900/sctp\n\
         a-rather-long-service-name 7777/tcp\n",
    ),
    (
        "/etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
    ),
    ("/etc/resolv.conf", ""),
    ("/etc/host.conf", "multi on\n"),
];

/// An interface for sync daemons, and a network for servers.
const LINKS: &str = "link add eth0 type dummy\n\
    addr add 10.0.9.1/24 dev eth0\n\
    link set eth0 up\n";

/// Both programs and the table they work on.
pub struct Bench {
    reference: HashMap<Tool, Program>,
    ours: HashMap<Tool, Program>,
    table: Table,
    /// The table as each set of rules leaves it.
    setups: HashMap<String, State>,
    /// The table as it is now, if that is known.
    now: Option<State>,
}

impl Bench {
    /// Sets this thread up for the tests.
    pub fn new() -> Bench {
        let dir = netns::private_mounts();
        for (path, text) in FILES {
            netns::replace_file(&dir, path, text);
        }
        netns::new_network(&[LINKS, monitor::LINK].concat());
        let copied = |path: fn(Tool) -> &'static str, whose: &str| {
            let dir = dir.join(whose);
            fs::create_dir(&dir).expect("a directory");
            let program = |tool: Tool| (tool, Program::copied(path(tool), &dir, tool.name()));
            HashMap::from(Tool::ALL.map(program))
        };
        let reference = copied(Tool::reference, "reference");
        let ours = copied(Tool::ours, "ours");
        // The reference loads the module; the table can only be opened then.
        let first = reference[&Tool::Ipvsadm].call(&Call::new("-C"));
        let table = Table::open().unwrap_or_else(|e| panic!("no IPVS: {e}\n{first}"));
        let empty = table.state().expect("the table");
        Bench {
            reference,
            ours,
            table,
            setups: HashMap::from([(String::new(), empty)]),
            now: None,
        }
    }

    /// Makes `call` with a program on the table that `rules`, lines for the
    /// reference's -R, set up.
    pub fn see(&mut self, which: Which, rules: &str, call: &Call) -> Seen {
        self.set_up(rules);
        let outcome = match which {
            Which::Reference => self.reference[&call.tool].call(call),
            Which::Ours => self.ours[&call.tool].call(call),
        };
        // The difference `stop-at-once`; there is little to compare with.
        if which == Which::Reference && outcome.end == End::Hang && call.mentions("stop-daemon") {
            println!("the reference hangs, and is called again: {call}");
            self.now = None;
            return self.see(which, rules, call);
        }
        let state = self.table.state().expect("the table");
        let table = state.to_string();
        if self.setups[rules] != state {
            self.now = None;
        }
        Seen { outcome, table }
    }

    /// Makes `call` with ours on the table that `rules` set up, twice; what can
    /// be seen of both, and the second one's requests to the kernel, by their
    /// commands.
    pub fn see_twice(&mut self, rules: &str, call: &Call) -> (Seen, Seen, Vec<u8>) {
        let first = self.see(Which::Ours, rules, call);
        self.now = None;
        let monitor = Monitor::open();
        let outcome = self.ours[&call.tool].call(call);
        let requests = monitor.requests(self.table.family());
        let table = self.table.state().expect("the table").to_string();
        (first, Seen { outcome, table }, requests)
    }

    /// Makes `call` with both programs at the same time; the reference's and
    /// ours, unless the table is another afterwards.
    pub fn see_both(&mut self, rules: &str, call: &Call) -> Option<(Seen, Seen)> {
        self.set_up(rules);
        let running =
            [&self.reference, &self.ours].map(|programs| programs[&call.tool].start(call));
        let outcomes = running.map(|program| program.finish());
        let state = self.table.state().expect("the table");
        if self.setups[rules] != state {
            self.now = None;
            return None;
        }
        let table = state.to_string();
        let [reference, ours] = outcomes.map(|outcome| Seen {
            outcome,
            table: table.clone(),
        });
        Some((reference, ours))
    }

    /// The table that `rules` set up, as text.
    pub fn table(&mut self, rules: &str) -> String {
        self.set_up(rules);
        self.setups[rules].to_string()
    }

    fn set_up(&mut self, rules: &str) {
        let known = self.setups.get(rules).cloned();
        if known.is_some() && self.now == known {
            return;
        }
        let state = known.unwrap_or_else(|| self.restored(rules));
        self.table.put_back(&state).expect("the table put back");
        let now = self.table.state().expect("the table");
        assert_eq!(now.to_string(), state.to_string(), "put back for: {rules}");
        self.setups.insert(rules.to_string(), now.clone());
        self.now = Some(now);
    }

    /// The table after the reference has restored `rules`.
    fn restored(&mut self, rules: &str) -> State {
        self.set_up("");
        self.now = None;
        let outcome = self.reference[&Tool::Ipvsadm].call(&Call::new("-R").stdin(rules));
        let done = outcome == Outcome::new(0, "", "");
        assert!(done, "the set-up fails: {rules}\n{outcome}");
        self.table.state().expect("the table")
    }
}
