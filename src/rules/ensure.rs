//! What `--ensure` and `--keep` take, change by change, from a table that is
//! known: for rules with `-R --ensure`, and for edits of many servers at once.
//!
//! This is pure: it works out what each change leads to, and never asks the
//! kernel.

use crate::cli::UsageError;
use crate::cli::opt::CommandName;
use crate::cli::patch::{Desired, Settings};
use ipvs::{Change, ServerConfig, ServerKey, ServiceConfig, ServiceKey, Table};
use std::collections::HashMap;

/// A service and its servers, as far as they can be edited.
#[derive(Clone, Debug)]
struct Configured {
    config: ServiceConfig,
    servers: HashMap<ServerKey, ServerConfig>,
}

/// The table as it will be after all changes so far.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    services: HashMap<ServiceKey, Configured>,
}

/// Why a state cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The options make no sense with what is there.
    Usage(UsageError),
    /// What is to be edited will not be there, for this command.
    NoService(CommandName),
    /// The same of a real server.
    NoServer(CommandName),
}

impl Expected {
    /// The table as it is.
    pub fn of(table: &Table) -> Expected {
        let services = table.services.iter().map(|(service, servers)| {
            let servers = servers.iter().map(|server| (server.key, server.config));
            let configured = Configured {
                config: service.config,
                servers: servers.collect(),
            };
            (service.key, configured)
        });
        Expected {
            services: services.collect(),
        }
    }

    /// The change that leads to `desired`, if one is needed; from then on it is
    /// taken for made.
    pub fn reach(&mut self, desired: &Desired) -> Result<Option<Change>, Unreachable> {
        let change = self.next(desired)?;
        if let Some(change) = &change {
            self.make(change);
        }
        Ok(change)
    }

    fn next(&self, desired: &Desired) -> Result<Option<Change>, Unreachable> {
        Ok(match desired {
            Desired::Service(key, settings) => {
                let present = self.services.get(key).map(|service| service.config);
                match (present, settings.if_absent()) {
                    (Some(present), _) => {
                        let wanted = settings.if_present(&present)?;
                        (!wanted.is_same(&present)).then_some(Change::EditService(*key, wanted))
                    }
                    (None, Some(config)) => Some(Change::AddService(*key, config)),
                    (None, None) => return Err(Unreachable::NoService(CommandName::EditService)),
                }
            }
            Desired::Server(service, key, settings) => {
                let command = match settings {
                    Settings::Keep(_) => CommandName::EditServer,
                    _ => CommandName::AddServer,
                };
                let there = self.services.get(service);
                let there = there.ok_or(Unreachable::NoService(command))?;
                match (there.servers.get(key), settings.if_absent()) {
                    (Some(present), _) => {
                        let wanted = settings.if_present(present)?;
                        let edit = Change::EditServer(*service, *key, wanted);
                        (!wanted.is_same(present)).then_some(edit)
                    }
                    (None, Some(config)) => Some(Change::AddServer(*service, *key, config)),
                    (None, None) => return Err(Unreachable::NoServer(command)),
                }
            }
            Desired::NoService(key) => self
                .services
                .contains_key(key)
                .then_some(Change::DeleteService(*key)),
            Desired::NoServer(service, key) => self
                .services
                .get(service)
                .is_some_and(|service| service.servers.contains_key(key))
                .then_some(Change::DeleteServer(*service, *key)),
        })
    }

    /// Takes `change` for made.
    pub fn make(&mut self, change: &Change) {
        match *change {
            Change::AddService(key, config) => {
                let servers = HashMap::new();
                let new = Configured { config, servers };
                self.services.entry(key).or_insert(new);
            }
            Change::EditService(key, config) => {
                if let Some(service) = self.services.get_mut(&key) {
                    service.config = config;
                }
            }
            Change::DeleteService(key) => {
                self.services.remove(&key);
            }
            Change::Flush => self.services.clear(),
            Change::AddServer(service, key, config) | Change::EditServer(service, key, config) => {
                if let Some(service) = self.services.get_mut(&service) {
                    service.servers.insert(key, config);
                }
            }
            Change::DeleteServer(service, key) => {
                if let Some(service) = self.services.get_mut(&service) {
                    service.servers.remove(&key);
                }
            }
            Change::Zero(_)
            | Change::SetTimeouts(_)
            | Change::StartDaemon(_)
            | Change::StopDaemon(_) => {}
        }
    }
}

/// What `change` asks for as `--ensure` has it; `None` for changes that are made
/// whatever there is.
pub fn ensured(change: &Change) -> Option<Desired> {
    Some(match *change {
        Change::AddService(key, config) => Desired::Service(key, Settings::Ensure(config)),
        Change::AddServer(service, key, config) => {
            Desired::Server(service, key, Settings::Ensure(config))
        }
        Change::DeleteService(key) => Desired::NoService(key),
        Change::DeleteServer(service, key) => Desired::NoServer(service, key),
        _ => return None,
    })
}

impl From<UsageError> for Unreachable {
    fn from(error: UsageError) -> Unreachable {
        Unreachable::Usage(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Action;
    use crate::names::NoLookup;
    use crate::render::{Buffer, text};
    use crate::rules;

    /// The changes that the lines of `rules` take one after the other, each
    /// ensured, and the lines that cannot be.
    fn steps(before: &Expected, rules: &str) -> (Expected, String) {
        let mut expected = before.clone();
        let mut out = Buffer::default();
        let rules = rules::read(rules.as_bytes(), &mut NoLookup).expect("rules");
        for rule in rules.lines {
            let step = match &rule.action {
                Action::Change(change) => match ensured(change) {
                    Some(desired) => expected.reach(&desired),
                    None => {
                        expected.make(change);
                        Ok(Some(*change))
                    }
                },
                Action::Reach(desired) => expected.reach(desired),
                _ => Ok(None),
            };
            match step {
                Ok(Some(change)) => text::rule(&mut out, None, &change),
                Ok(None) => {}
                Err(error) => out.text(format!("line {}: {error:?}\n", rule.line)),
            }
        }
        let text = String::from_utf8_lossy(out.as_bytes()).into_owned();
        (expected, text)
    }

    const TABLE: &str = "-A -t 10.0.0.1:80 -s rr\n\
        -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1\n\
        -A -f 7 -s wlc\n\
        -a -f 7 -r 10.0.0.2:0 -m -w 5\n";

    #[test]
    fn only_what_differs_is_changed() {
        let (table, made) = steps(&Expected::default(), TABLE);
        assert_eq!(made, TABLE);
        for (rules, wanted) in [
            (TABLE, ""),
            (
                "-a -f 7 -r 10.0.0.2 -m -w 0\n-A -f 7 -s rr\n",
                "-e -f 7 -r 10.0.0.2:0 -m -w 0\n-E -f 7 -s rr\n",
            ),
            ("-D -f 8\n-d -f 7 -r 10.0.0.9\n-d -f 9 -r 10.0.0.9\n", ""),
            ("-d -f 7 -r 10.0.0.2\n", "-d -f 7 -r 10.0.0.2:0\n"),
            // What a line needs may come from the lines before it, or go with them.
            (
                "-D -f 7\n-a -f 7 -r 10.0.0.2 -m\n-A -f 7\n-a -f 7 -r 10.0.0.3 -m\n",
                "-D -f 7\nline 2: NoService(AddServer)\n-A -f 7 -s wlc\n\
                 -a -f 7 -r 10.0.0.3:0 -m -w 1\n",
            ),
            ("-C\n-D -f 7\n-d -f 7 -r 10.0.0.2\n", "-C\n"),
            (
                "-e -f 7 -r 10.0.0.2 --keep -w 5\n-e -f 7 -r 10.0.0.2 --keep -w 6\n",
                "-e -f 7 -r 10.0.0.2:0 -m -w 6\n",
            ),
            (
                "-e -f 7 -r 10.0.0.9 --keep -w 5\n-E -f 8 --keep -s rr\n",
                "line 1: NoServer(EditServer)\nline 2: NoService(EditService)\n",
            ),
        ] {
            assert_eq!(steps(&table, rules).1, wanted, "{rules}");
        }
    }
}
