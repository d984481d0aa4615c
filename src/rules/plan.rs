//! `--replace`: the smallest change from the kernel's table to the one that the
//! rules describe.
//!
//! What is in both stays, with its connections and counters; what differs is
//! edited in place; what is missing is added; what no rule mentions is removed,
//! last. Sync daemons and time-outs are touched only if a rule names them. This
//! is pure: it compares and never asks the kernel.
//!
//! [`changes`] finds in the same way what led from one table to another.

use super::{Rule, RuleError, WrongLine};
use crate::cli::Action;
use crate::cli::patch::Desired;
use crate::selection::Selection;
use ipvs::{
    Change, Daemon, Server, ServerConfig, ServerKey, Service, ServiceConfig, ServiceKey, Table,
    Timeouts,
};
use std::collections::{HashMap, HashSet};

/// The changes that lead from the table `before` to the table `after`, in an
/// order in which they can be made; those of time-outs and sync daemons where
/// both tables have them.
pub fn changes(before: &Present, after: &Present) -> Vec<Change> {
    let mut changes: Vec<Change> = before
        .daemons
        .iter()
        .filter(|daemon| !after.daemons.iter().any(|d| d.role == daemon.role))
        .map(|daemon| Change::StopDaemon(*daemon))
        .collect();
    if !is_same_table(&before.table, &after.table)
        || before.timeouts != after.timeouts
        || before.daemons != after.daemons
    {
        let steps = Wanted::from(after).steps(before);
        changes.extend(steps.into_iter().map(|(_, change)| change));
    }
    changes
}

/// One thing to do, and the line that asks for it; what is removed is asked
/// for by no line.
pub type Step = (Option<u32>, Change);

/// A service that the rules describe.
#[derive(Debug)]
struct WantedService {
    line: u32,
    key: ServiceKey,
    config: ServiceConfig,
    /// In the order of the rules, each with its line.
    servers: Vec<(u32, ServerKey, ServerConfig)>,
}

/// The table that the rules describe.
#[derive(Debug, Default)]
pub struct Wanted {
    services: Vec<WantedService>,
    index: HashMap<ServiceKey, usize>,
    timeouts: Option<(u32, Timeouts)>,
    daemons: Vec<(u32, Daemon)>,
    /// Whether servers that no rule can describe are to go, too.
    without_unknown: bool,
}

/// The kernel's current table.
#[derive(Debug, Default)]
pub struct Present {
    /// The services with their servers.
    pub table: Table,
    /// The session time-outs.
    pub timeouts: Option<Timeouts>,
    /// The running sync daemons.
    pub daemons: Vec<Daemon>,
}

impl From<&Present> for Wanted {
    /// The same as if it was described, in no line.
    fn from(present: &Present) -> Wanted {
        const NONE: u32 = 0;
        let server = |server: &Server| (NONE, server.key, server.config);
        let services = &present.table.services;
        let keys = services.iter().map(|(service, _)| service.key);
        let wanted = services.iter().map(|(service, servers)| WantedService {
            line: NONE,
            key: service.key,
            config: service.config,
            servers: servers.iter().map(server).collect(),
        });
        Wanted {
            services: wanted.collect(),
            index: keys.zip(0..).collect(),
            timeouts: present.timeouts.map(|timeouts| (NONE, timeouts)),
            daemons: present.daemons.iter().map(|d| (NONE, *d)).collect(),
            without_unknown: true,
        }
    }
}

impl Wanted {
    /// What `rules` describe, or all that is wrong with them as a description of
    /// this `part` of a table. Time-outs and sync daemons are in no part.
    pub fn from_rules(rules: &[Rule], part: &Selection) -> Result<Wanted, Vec<WrongLine>> {
        let mut wanted = Wanted::default();
        let mut wrong = Vec::new();
        let mut servers = HashMap::new();
        for rule in rules {
            if let Err(error) = wanted.take(rule, part, &mut servers) {
                wrong.push(WrongLine {
                    line: rule.line,
                    error,
                });
            }
        }
        if wrong.is_empty() {
            Ok(wanted)
        } else {
            Err(wrong)
        }
    }

    fn take(
        &mut self,
        rule: &Rule,
        part: &Selection,
        servers: &mut HashMap<(ServiceKey, ServerKey), u32>,
    ) -> Result<(), RuleError> {
        let line = rule.line;
        let change = match &rule.action {
            Action::Change(change) => *change,
            // Every line is to be so here, whatever is there.
            Action::Reach(goal) => match (goal.plain(), &**goal) {
                (Some(change), _) => change,
                (None, Desired::NoService(_) | Desired::NoServer(..)) => {
                    return Err(RuleError::NoDescription);
                }
                (None, _) => return Err(RuleError::Keeps),
            },
            _ => return Err(RuleError::NoDescription),
        };
        let is_outside = match &change {
            Change::AddService(key, _) | Change::AddServer(key, ..) => !part.has_service(key),
            Change::SetTimeouts(_) | Change::StartDaemon(_) => !part.is_whole(),
            _ => false,
        };
        if is_outside {
            return Err(RuleError::Outside);
        }
        match change {
            Change::AddService(key, config) => {
                if let Some(&at) = self.index.get(&key) {
                    let first = self.services[at].line;
                    return Err(RuleError::SameService(first));
                }
                self.index.insert(key, self.services.len());
                self.services.push(WantedService {
                    line,
                    key,
                    config,
                    servers: Vec::new(),
                });
            }
            Change::AddServer(service, key, config) => {
                let Some(&at) = self.index.get(&service) else {
                    return Err(RuleError::NoService);
                };
                if let Some(first) = servers.insert((service, key), line) {
                    return Err(RuleError::SameServer(first));
                }
                self.services[at].servers.push((line, key, config));
            }
            Change::SetTimeouts(timeouts) => {
                if let Some((first, _)) = self.timeouts.replace((line, timeouts)) {
                    return Err(RuleError::SameTimeouts(first));
                }
            }
            Change::StartDaemon(daemon) => {
                let same = |(_, d): &&(u32, Daemon)| d.role == daemon.role;
                if let Some((first, _)) = self.daemons.iter().find(same) {
                    return Err(RuleError::SameDaemon(*first));
                }
                self.daemons.push((line, daemon));
            }
            _ => return Err(RuleError::NoDescription),
        }
        Ok(())
    }

    /// What has to be done so that `present` becomes this.
    pub fn steps(&self, present: &Present) -> Vec<Step> {
        let services = &present.table.services;
        let there: HashMap<ServiceKey, &(Service, Vec<Server>)> =
            services.iter().map(|s| (s.0.key, s)).collect();
        let (mut steps, mut removals) = (Vec::new(), Vec::new());
        self.timeout_steps(present, &mut steps);
        for wanted in &self.services {
            match there.get(&wanted.key) {
                None => add(wanted, &mut steps),
                Some((service, servers)) => {
                    if !service.config.has_same_effect(&wanted.config) {
                        let edit = Change::EditService(wanted.key, wanted.config);
                        steps.push((Some(wanted.line), edit));
                    }
                    server_steps(wanted, servers, &mut steps);
                    removals.extend(self.unwanted_servers(wanted, servers));
                }
            }
        }
        self.daemon_steps(present, &mut steps);
        steps.append(&mut removals);
        let present = services.iter().map(|(service, _)| service.key);
        let unwanted = present
            .filter(|key| !self.index.contains_key(key))
            .map(Change::DeleteService)
            .filter(|delete| self.without_unknown || delete.is_known());
        steps.extend(unwanted.map(|delete| (None, delete)));
        steps
    }

    /// The removal of those servers that no rule names. One that no rule can
    /// describe stays: the rules that `-S` saved have lost it.
    fn unwanted_servers(&self, wanted: &WantedService, present: &[Server]) -> Vec<Step> {
        let named: HashSet<ServerKey> = wanted.servers.iter().map(|s| s.1).collect();
        present
            .iter()
            .filter(|server| !named.contains(&server.key))
            .filter(|server| self.without_unknown || server.config.forwarding.is_known())
            .map(|server| (None, Change::DeleteServer(wanted.key, server.key)))
            .collect()
    }

    fn timeout_steps(&self, present: &Present, steps: &mut Vec<Step>) {
        let Some((line, wanted)) = self.timeouts else {
            return;
        };
        let keeps = |wanted: u32, present: u32| wanted == 0 || wanted == present;
        let same = present.timeouts.is_some_and(|now| {
            keeps(wanted.tcp, now.tcp)
                && keeps(wanted.tcp_fin, now.tcp_fin)
                && keeps(wanted.udp, now.udp)
        });
        if !same {
            steps.push((Some(line), Change::SetTimeouts(wanted)));
        }
    }

    /// A daemon cannot be edited: one that differs is stopped and started.
    fn daemon_steps(&self, present: &Present, steps: &mut Vec<Step>) {
        for (line, wanted) in &self.daemons {
            let now = present.daemons.iter().find(|d| d.role == wanted.role);
            if now.is_some_and(|now| now.config.is_as_asked(&wanted.config)) {
                continue;
            }
            if let Some(now) = now {
                steps.push((Some(*line), Change::StopDaemon(*now)));
            }
            steps.push((Some(*line), Change::StartDaemon(*wanted)));
        }
    }
}

fn add(wanted: &WantedService, steps: &mut Vec<Step>) {
    let service = Change::AddService(wanted.key, wanted.config);
    steps.push((Some(wanted.line), service));
    let servers = wanted.servers.iter();
    steps
        .extend(servers.map(|(line, key, config)| {
            (Some(*line), Change::AddServer(wanted.key, *key, *config))
        }));
}

fn server_steps(wanted: &WantedService, present: &[Server], steps: &mut Vec<Step>) {
    let there: HashMap<ServerKey, &Server> = present.iter().map(|s| (s.key, s)).collect();
    for (line, key, config) in &wanted.servers {
        let change = match there.get(key) {
            None => Change::AddServer(wanted.key, *key, *config),
            Some(server) if !server.config.is_same(config) => {
                Change::EditServer(wanted.key, *key, *config)
            }
            Some(_) => continue,
        };
        steps.push((Some(*line), change));
    }
}

/// Whether these are the same services with the same servers in the same order:
/// the usual case, for which nothing is to be hashed.
fn is_same_table(a: &Table, b: &Table) -> bool {
    let same = |(a, b): (&Server, &Server)| a.key == b.key && a.config.is_same(&b.config);
    a.services.len() == b.services.len()
        && a.services
            .iter()
            .zip(&b.services)
            .all(|((a, servers), (b, others))| {
                a.key == b.key
                    && a.config.has_same_effect(&b.config)
                    && servers.len() == others.len()
                    && servers.iter().zip(others).all(same)
            })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NoLookup;
    use crate::render::{Buffer, text};
    use crate::selection::EndpointFilter;
    use ipvs::{Forwarding, ServiceFlags, Tunnel};

    fn rules(text: &str) -> Vec<Rule> {
        match super::super::read(text.as_bytes(), &mut NoLookup) {
            Ok(rules) => rules.lines,
            Err(wrong) => panic!("{wrong:?}"),
        }
    }

    /// The table that the rules in `text` would make.
    fn present(text: &str) -> Present {
        let wanted = Wanted::from_rules(&rules(text), &Selection::default())
            .unwrap_or_else(|w| panic!("{w:?}"));
        let server = |(_, key, config): &(u32, ServerKey, ServerConfig)| Server::new(*key, *config);
        let services = wanted.services.iter().map(|s| {
            let mut service = Service::new(s.key, s.config);
            service.config.flags |= ServiceFlags::HASHED;
            (service, s.servers.iter().map(server).collect())
        });
        Present {
            table: Table {
                services: services.collect(),
            },
            timeouts: wanted.timeouts.map(|(_, t)| t),
            daemons: wanted.daemons.iter().map(|(_, d)| *d).collect(),
        }
    }

    fn diff(from: &str, to: &str) -> String {
        let wanted = Wanted::from_rules(&rules(to), &Selection::default())
            .unwrap_or_else(|w| panic!("{w:?}"));
        let mut out = Buffer::default();
        for (_, change) in wanted.steps(&present(from)) {
            text::rule(&mut out, None, &change);
        }
        String::from_utf8_lossy(out.as_bytes()).into_owned()
    }

    const TABLE: &str = "-A -t 10.0.0.1:80 -s rr\n\
        -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1\n\
        -a -t 10.0.0.1:80 -r 10.0.0.3:80 -m -w 1\n\
        -A -f 7 -s wlc -p 60\n";

    #[test]
    fn equal_tables_need_nothing() {
        assert_eq!(diff(TABLE, TABLE), "");
        assert_eq!(diff("", ""), "");
    }

    #[test]
    fn removals_come_last_and_only_differences_are_touched() {
        let to = "-A -t 10.0.0.1:80 -s wrr\n\
            -a -t 10.0.0.1:80 -r 10.0.0.3:80 -m -w 9\n\
            -a -t 10.0.0.1:80 -r 10.0.0.4:80 -m -w 1\n";
        assert_eq!(
            diff(TABLE, to),
            "-E -t 10.0.0.1:80 -s wrr\n\
             -e -t 10.0.0.1:80 -r 10.0.0.3:80 -m -w 9\n\
             -a -t 10.0.0.1:80 -r 10.0.0.4:80 -m -w 1\n\
             -d -t 10.0.0.1:80 -r 10.0.0.2:80\n\
             -D -f 7\n"
        );
    }

    /// `-S` cannot save it, so its rules must not delete it.
    #[test]
    fn a_server_that_no_rule_can_describe_stays_until_a_rule_names_it() {
        let mut before = present(TABLE);
        let tunnel = Tunnel::Ipip;
        before.table.services[0].1[1].config.forwarding = Forwarding::Other { method: 5, tunnel };
        let steps = |text: &str| {
            let wanted = Wanted::from_rules(&rules(text), &Selection::default())
                .unwrap_or_else(|w| panic!("{w:?}"));
            let mut out = Buffer::default();
            for (_, change) in wanted.steps(&before) {
                text::rule(&mut out, None, &change);
            }
            String::from_utf8_lossy(out.as_bytes()).into_owned()
        };
        let known: String = TABLE
            .lines()
            .filter(|line| !line.contains("0.3"))
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(steps(&known), "");
        assert_eq!(steps(TABLE), "-e -t 10.0.0.1:80 -r 10.0.0.3:80 -m -w 1\n");
        assert_eq!(steps("-A -f 7 -s wlc -p 60\n"), "-D -t 10.0.0.1:80\n");
        let mut gone = present(&known);
        gone.table.services[0].1.truncate(1);
        let key = before.table.services[0].0.key;
        let server = before.table.services[0].1[1].key;
        assert_eq!(changes(&before, &gone), [Change::DeleteServer(key, server)]);
    }

    #[test]
    fn changes_are_the_commands_between_two_tables() {
        let table = |text: &str| present(text);
        let seen = |before: &str, after: &str| {
            let mut out = Buffer::default();
            for change in changes(&table(before), &table(after)) {
                text::rule(&mut out, None, &change);
            }
            String::from_utf8_lossy(out.as_bytes()).into_owned()
        };
        let daemon = "--start-daemon backup --mcast-interface eth1 --syncid 5\n";
        assert_eq!(seen(TABLE, TABLE), "");
        assert_eq!(seen("", TABLE), TABLE);
        assert_eq!(
            seen(TABLE, ""),
            "-D -t 10.0.0.1:80\n-D -f 7\n",
            "servers go with their service"
        );
        assert_eq!(seen("", daemon), daemon);
        assert_eq!(seen(daemon, ""), "--stop-daemon backup --syncid 5\n");
        assert_eq!(
            seen("--set 900 120 300\n", "--set 900 60 300\n"),
            "--set 900 60 300\n"
        );
        // In another order they are the same.
        let servers = "-a -t 10.0.0.1:80 -r 10.0.0.3:80 -m -w 1\n\
            -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1\n";
        let other = format!("-A -f 7 -s wlc -p 60\n-A -t 10.0.0.1:80 -s rr\n{servers}");
        assert_eq!(seen(TABLE, &other), "");
        let weight = other.replacen("-w 1", "-w 0", 1);
        assert_eq!(
            seen(TABLE, &weight),
            "-e -t 10.0.0.1:80 -r 10.0.0.3:80 -m -w 0\n"
        );
    }

    #[test]
    fn ensured_lines_are_plain_ones() {
        let ensured = TABLE.replace('\n', " --ensure\n");
        assert_eq!(diff(TABLE, &ensured), "");
        assert_eq!(diff("", &ensured), TABLE);
    }

    #[test]
    fn replace_refuses_lines_that_describe_nothing() {
        let text = format!("{TABLE}-A -f 7\n-a -f 8 -r 10.0.0.2 -m\n-C\n{TABLE}");
        let wrong = Wanted::from_rules(&rules(&text), &Selection::default())
            .err()
            .unwrap_or_default();
        let lines: Vec<u32> = wrong.iter().map(|w| w.line).collect();
        assert_eq!(lines, [5, 6, 7, 8, 9, 10, 11]);
        let text = "-E -f 1 --keep -s rr\n-A -f 1 --ensure --keep\n-D -f 1 --ensure\n";
        let wrong = Wanted::from_rules(&rules(text), &Selection::default())
            .err()
            .unwrap_or_default();
        let errors: Vec<RuleError> = wrong.into_iter().map(|w| w.error).collect();
        let keeps = RuleError::Keeps;
        assert_eq!(errors, [keeps.clone(), keeps, RuleError::NoDescription]);
    }

    #[test]
    fn a_part_takes_no_rules_about_the_rest() {
        let text = format!("{TABLE}--set 900 120 300\n--start-daemon backup --syncid 5\n-C\n");
        let wrong = |part: &Selection| -> Vec<(u32, RuleError)> {
            let wrong = Wanted::from_rules(&rules(&text), part).err();
            let wrong = wrong.unwrap_or_default().into_iter();
            wrong.map(|wrong| (wrong.line, wrong.error)).collect()
        };
        let (outside, no_table) = (RuleError::Outside, RuleError::NoDescription);
        let all = Selection::default();
        assert_eq!(wrong(&all), [(7, no_table.clone())]);
        let vip = Selection {
            vip: Some(EndpointFilter::host([10, 0, 0, 1].into(), 0)),
            ..all
        };
        assert_eq!(
            wrong(&vip),
            [
                (4, outside.clone()),
                (5, outside.clone()),
                (6, outside.clone()),
                (7, no_table.clone())
            ]
        );
        let mark = Selection {
            service: Some(present(TABLE).table.services[1].0.key),
            ..all
        };
        let lines: Vec<u32> = wrong(&mark).iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 5, 6, 7]);
    }

    #[test]
    fn daemons_and_timeouts_are_touched_only_when_named() {
        let with = "--set 900 120 300\n--start-daemon master --mcast-interface eth1 --syncid 5\n";
        assert_eq!(diff(with, ""), "");
        assert_eq!(diff(with, with), "");
        assert_eq!(diff(with, "--set 0 120 0\n"), "");
        assert_eq!(diff(with, "--set 0 60 0\n"), "--set 0 60 0\n");
        let other = "--start-daemon master --mcast-interface eth1 --syncid 6\n";
        assert_eq!(
            diff(with, other),
            "--stop-daemon master --syncid 5\n\
             --start-daemon master --mcast-interface eth1 --syncid 6\n"
        );
    }
}
