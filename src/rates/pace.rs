//! When to look: for `--watch` and ipvstop.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Looks that begin an interval apart. One that begins late does not make those
/// after it begin sooner.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    due: Instant,
    left: Option<u32>,
}

impl Pace {
    /// So many `samples`, or looks without end, an `interval` apart from the
    /// `first` on.
    pub fn new(interval: Duration, samples: Option<NonZeroU32>, first: Instant) -> Pace {
        Pace {
            interval,
            due: first,
            left: samples.map(NonZeroU32::get),
        }
    }

    /// When the next look is due, if there is to be one.
    pub fn due(&self) -> Option<Instant> {
        (self.left != Some(0)).then_some(self.due)
    }

    /// A look begins `now`.
    pub fn begin(&mut self, now: Instant) {
        self.due = self.due.max(now) + self.interval;
        self.left = self.left.map(|left| left.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_look_puts_off_those_after_it() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(Duration::from_secs(10), None, at(2));
        assert_eq!(pace.due(), Some(at(2)));
        pace.begin(at(2));
        assert_eq!(pace.due(), Some(at(12)));
        pace.begin(at(25));
        assert_eq!(pace.due(), Some(at(35)));
    }

    #[test]
    fn nothing_is_due_after_the_last_sample() {
        let now = Instant::now();
        let mut pace = Pace::new(Duration::from_secs(1), NonZeroU32::new(2), now);
        pace.begin(now);
        assert!(pace.due().is_some());
        pace.begin(now);
        assert_eq!(pace.due(), None);
    }
}
