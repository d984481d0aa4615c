//! The way back: weights that a drain has set to 0 and that are not to stay 0.
//!
//! A weight is put back only where the server is as draining has set it. What
//! fails is tried again for a while, and what failed to the end is said with the
//! command that does it.

use super::outcome::Weight;
use super::{Drain, Drained};
use crate::render::text::rules;
use crate::render::{Buffer, shell};
use crate::run::failure::Failure;
use crate::run::lock;
use ipvs::{Change, ServerConfig};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How often it is tried, and the time between.
const TRIES: usize = 10;
const REST: Duration = Duration::from_millis(200);

impl Drain<'_> {
    /// Puts the weights of the servers at these places back; what there is to say of
    /// each, or `None` where there is no such server any more.
    pub(super) fn restore(&mut self, places: &[usize]) -> Vec<Option<Weight>> {
        let mut weights = HashMap::new();
        let mut open = places.to_vec();
        for left in (0..TRIES).rev() {
            let failed = self.put_back(&open, &mut weights);
            open.clear();
            for (place, failure) in failed {
                if left == 0 || failure.is_refusal() {
                    let cause = failure.to_string();
                    let command = self.command(place);
                    weights.insert(place, Some(Weight::Stuck { cause, command }));
                } else {
                    open.push(place);
                }
            }
            if open.is_empty() {
                break;
            }
            thread::sleep(REST);
        }
        let weights = places.iter().map(|place| weights.remove(place).flatten());
        weights.collect()
    }

    /// Tries it once, where the servers are as draining has set them: a weight of 0
    /// that came with other changes is somebody else's 0. Tells `weights` what is
    /// known, and returns what failed.
    fn put_back(
        &mut self,
        places: &[usize],
        weights: &mut HashMap<usize, Option<Weight>>,
    ) -> Vec<(usize, Arc<Failure>)> {
        let _lock = lock::take();
        let mut present: HashMap<usize, ServerConfig> = HashMap::new();
        let read = self.read(&mut |place, server| {
            present.insert(place, server.config);
        });
        if let Err(failure) = read {
            let failure = Arc::new(failure);
            let failed = places.iter().map(|place| (*place, Arc::clone(&failure)));
            return failed.collect();
        }
        let mut changes = Vec::new();
        for place in places {
            let Drained {
                service,
                server,
                before,
                during,
            } = self.servers[*place];
            let as_before = Some(Weight::AsBefore(before.weight));
            let weight = match present.get(place) {
                None => None,
                // An earlier try may have done it.
                Some(now) if *now == before || before.weight == 0 && now.weight == 0 => as_before,
                Some(now) if *now != during => Some(Weight::NotOurs),
                Some(_) => {
                    changes.push((*place, Change::EditServer(service, server, before)));
                    as_before
                }
            };
            weights.insert(*place, weight);
        }
        let failed = self.make(changes).into_iter();
        failed
            .map(|(place, failure)| (place, Arc::new(failure)))
            .collect()
    }

    /// The command that puts the weight back.
    fn command(&self, place: usize) -> String {
        let Drained {
            service,
            server,
            before,
            ..
        } = &self.servers[place];
        let mut edit = Buffer::default();
        edit.text("ipvsadm -e");
        rules::named(&mut edit, service, Some(server));
        edit.text(format!(" --keep -w {}", before.weight));
        let mut command = shell::command(edit.as_bytes());
        if let Some(netns) = self.netns {
            command += " --netns ";
            command += &shell::quoted(netns.as_bytes());
        }
        command
    }
}
