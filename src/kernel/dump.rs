//! One dump: a request that many messages answer, in several datagrams.
//!
//! The kernel fills one buffer at a time, under its lock, and remembers by
//! *index* where it stopped (net/netfilter/ipvs/ip_vs_ctl.c, Linux 6.1 to 7.2;
//! there it never sets `NLM_F_DUMP_INTR`). So each datagram is a run of
//! neighbours in the table as it was at that moment, and entries get lost or
//! doubled only between two datagrams. What to do about that is not known
//! here; see `coverage`.

use super::channel::{Channel, LARGE};
use super::error::KernelError;
use crate::wire::{Body, Request, messages};
use netlink_packet_core::NLM_F_DUMP_INTR;

/// Takes what a dump brings.
pub(super) trait Gather {
    /// The attributes of one entry.
    fn entry(&mut self, attributes: &[u8]);

    /// A datagram ended after the entries so far; `end` if the table's end was
    /// in it for sure.
    fn seam(&mut self, end: bool);
}

/// A dump under way.
pub(super) struct Dump {
    sequence: u32,
    datagrams: usize,
    whole: bool,
}

/// How a dump stands after a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More may come.
    Going,
    /// All was received.
    Finished,
    /// All was received, but it is to be asked for again: the kernel flagged
    /// it as inconsistent, or a message did not fit the receive size.
    Spoilt,
}

impl Dump {
    /// Asks for it. The kernel fills the first datagram at once.
    pub fn start(
        channel: &mut Channel,
        family: u16,
        request: Request,
    ) -> Result<Dump, KernelError> {
        let sequence = channel.request(&request, family, request.flags())?;
        Ok(Dump {
            sequence,
            datagrams: 0,
            whole: true,
        })
    }

    /// Receives one datagram with `size` bytes. While it is received the
    /// kernel fills the next, as large as this `size` allows.
    pub fn step(
        &mut self,
        channel: &mut Channel,
        size: usize,
        gather: &mut impl Gather,
    ) -> Result<Progress, KernelError> {
        let capacity = channel.largest();
        let datagram = channel.receive(size)?;
        self.whole &= !datagram.cut;
        self.read(datagram.bytes, capacity, gather)
    }

    /// Reads one datagram, for which the kernel took `capacity` bytes.
    fn read(
        &mut self,
        datagram: &[u8],
        capacity: usize,
        gather: &mut impl Gather,
    ) -> Result<Progress, KernelError> {
        let (mut entries, mut longest, mut done) = (0, 0, false);
        for message in messages(datagram) {
            // The rest of a message that was cut is no message.
            let Ok(message) = message else {
                self.whole = false;
                break;
            };
            if message.sequence != self.sequence {
                continue;
            }
            self.whole &= message.flags & NLM_F_DUMP_INTR == 0;
            match message.body {
                Body::Data(attributes) => {
                    gather.entry(attributes);
                    entries += 1;
                    longest = longest.max(message.len);
                }
                Body::Answer(0) | Body::Done(0) => done = true,
                Body::Answer(errno) | Body::Done(errno) => return Err(KernelError::Refused(errno)),
                Body::Other => {}
            }
        }
        self.datagrams += 1;
        if entries > 0 || self.datagrams == 1 {
            gather.seam(done || !may_be_full(datagram.len(), longest, capacity));
        }
        Ok(self.progress(done))
    }

    /// Receives all that is left with `size` bytes at a time.
    pub fn finish(
        &mut self,
        channel: &mut Channel,
        size: usize,
        gather: &mut impl Gather,
    ) -> Result<Progress, KernelError> {
        loop {
            match self.step(channel, size, gather)? {
                Progress::Going => {}
                end => return Ok(end),
            }
        }
    }

    fn progress(&self, done: bool) -> Progress {
        match (done, self.whole) {
            (false, _) => Progress::Going,
            (true, true) => Progress::Finished,
            (true, false) => Progress::Spoilt,
        }
    }
}

/// What the kernel takes without asking, and falls back to when it cannot have
/// more: a page, or 8 KiB where pages may be larger, less its own bookkeeping
/// (`NLMSG_GOODSIZE` in linux/netlink.h).
const GOODSIZES: &[usize] = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) {
    &[3776]
} else {
    &[3776, 7872]
};

/// The most that kernels before 4.9 take.
const OLD_TOP: usize = 16 << 10;

/// The largest bookkeeping (`struct skb_shared_info`, 320 bytes on nearly all
/// kernels) that one can be configured to have, and some more.
const BOOKKEEPING: usize = 1024;

/// How much the next message may be longer than any before it: the names of a
/// scheduler and a persistence engine.
const LONGER: usize = 48;

/// Whether the kernel may have ended a datagram of `len` bytes for want of
/// room rather than at the table's end. `capacity` is the largest size that
/// was received with before: the kernel takes that, at most 32 KiB less its
/// bookkeeping, or falls back to what it takes without asking when memory is
/// short.
fn may_be_full(len: usize, longest: usize, capacity: usize) -> bool {
    let next = len + longest + LONGER;
    let full = |from: usize, to: usize| len <= to && next > from;
    let less_bookkeeping = |size: usize| full(size - BOOKKEEPING, size);
    let asked_for = match capacity {
        // Nothing was: that happens where one pass was not enough, so that it
        // costs nothing to think of kernels with more bookkeeping.
        0 => less_bookkeeping(4 << 10) || less_bookkeeping(8 << 10),
        LARGE.. => less_bookkeeping(LARGE),
        size => full(size, size),
    };
    let unasked = GOODSIZES.iter().chain([&OLD_TOP]);
    asked_for || unasked.into_iter().any(|size| full(*size, *size))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts entries and remembers seams.
    #[derive(Default)]
    struct Log(usize, Vec<(usize, bool)>);

    impl Gather for Log {
        fn entry(&mut self, _attributes: &[u8]) {
            self.0 += 1;
        }

        fn seam(&mut self, end: bool) {
            self.1.push((self.0, end));
        }
    }

    const DATA: u16 = 32;
    const DONE: u16 = 3;

    fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (16 + payload.len() as u32).to_ne_bytes().to_vec();
        bytes.extend([kind.to_ne_bytes(), flags.to_ne_bytes()].concat());
        bytes.extend([sequence.to_ne_bytes(), [0; 4]].concat());
        bytes.extend(payload);
        bytes
    }

    fn entry() -> Vec<u8> {
        message(DATA, 2, 7, &[0; 336])
    }

    fn dump() -> Dump {
        Dump {
            sequence: 7,
            datagrams: 0,
            whole: true,
        }
    }

    #[test]
    fn answers_to_others_and_empty_ends_leave_no_trace() {
        let (mut dump, mut log) = (dump(), Log::default());
        let datagram = [message(DATA, 2, 6, &[0; 40]), entry(), entry()].concat();
        assert_eq!(
            dump.read(&datagram, 4096, &mut log).unwrap(),
            Progress::Going
        );
        let done = message(DONE, 2, 7, &[0; 4]);
        assert_eq!(
            dump.read(&done, 4096, &mut log).unwrap(),
            Progress::Finished
        );
        assert_eq!(log.1, [(2, true)]);
    }

    #[test]
    fn nothing_at_all_is_the_whole_table() {
        let (mut dump, mut log) = (dump(), Log::default());
        let done = message(DONE, 2, 7, &[]);
        assert_eq!(
            dump.read(&done, 4096, &mut log).unwrap(),
            Progress::Finished
        );
        assert_eq!(log.1, [(0, true)]);
    }

    #[test]
    fn the_errno_at_the_end_counts() {
        let done = message(DONE, 2, 7, &(-12i32).to_ne_bytes());
        let error = dump().read(&done, 4096, &mut Log::default()).unwrap_err();
        assert_eq!(error.errno(), 12);
    }

    #[test]
    fn what_was_interrupted_or_cut_is_spoilt() {
        let done = message(DONE, 2, 7, &[0; 4]);
        for first in [
            message(DATA, 2 | NLM_F_DUMP_INTR, 7, &[0; 40]),
            entry()[..99].to_vec(),
        ] {
            let (mut dump, mut log) = (dump(), Log::default());
            assert_eq!(dump.read(&first, 4096, &mut log).unwrap(), Progress::Going);
            assert_eq!(dump.read(&done, 4096, &mut log).unwrap(), Progress::Spoilt);
        }
    }

    #[test]
    fn a_datagram_with_room_for_one_more_is_not_full() {
        let full = |entries: usize, capacity| may_be_full(entries * 352, 352, capacity);
        assert!(!full(9, 4096));
        // For want of memory the kernel may have taken but a page for these.
        assert!(full(10, 4096) && full(10, LARGE));
        assert!(full(11, 4096) && !full(11, LARGE));
        // The first datagram of a socket may be a short one.
        assert!(!full(7, 0) && full(8, 0) && !full(12, 0));
        assert!(!full(80, LARGE) && full(90, LARGE) && full(92, LARGE));
    }
}
