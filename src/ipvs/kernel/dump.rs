//! One dump: a request that many messages answer, in several datagrams.
//!
//! The kernel fills one buffer at a time, under its lock, and remembers by
//! *index* where it stopped (net/netfilter/ipvs/ip_vs_ctl.c, Linux 6.1 to 7.2;
//! there it never sets `NLM_F_DUMP_INTR`). So each datagram is a run of
//! neighbours in the table as it was at that moment, and entries are lost or
//! repeated only between two datagrams. This module does nothing about that;
//! see `coverage`.

use super::channel::{Channel, Datagram};
use super::coverage::End;
use super::error::{Errno, KernelError, ListError};
use super::union::Pass;
use crate::wire::Body;
use netlink_packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR, NetlinkSerializable};

/// Takes what a dump brings.
pub(super) trait DumpVisitor {
    /// The attributes of one entry.
    fn entry(&mut self, attributes: &[u8]);

    /// A datagram ended after the entries so far.
    fn seam(&mut self, end: End);
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
        request: impl NetlinkSerializable,
    ) -> Result<Dump, KernelError> {
        let sequence = channel.request(request, NLM_F_DUMP)?;
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
        visitor: &mut impl DumpVisitor,
    ) -> Result<Progress, KernelError> {
        let capacity = channel.largest();
        self.read(&channel.receive(size)?, capacity, visitor)
    }

    /// Reads one datagram, for which the kernel took `capacity` bytes.
    fn read(
        &mut self,
        datagram: &Datagram,
        capacity: usize,
        visitor: &mut impl DumpVisitor,
    ) -> Result<Progress, KernelError> {
        let (mut entries, mut longest, mut done) = (0, 0, false);
        // What was lost may have been a part of it.
        self.whole &= !datagram.cut && !datagram.after_loss;
        for message in datagram.messages() {
            // What is left of a message that was cut cannot be read.
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
                    visitor.entry(attributes);
                    entries += 1;
                    longest = longest.max(message.len);
                }
                Body::Answer(0) | Body::Done(0) => done = true,
                Body::Answer(errno) | Body::Done(errno) => {
                    return Err(KernelError::Refused(Errno(errno)));
                }
                Body::Other => {}
            }
        }
        self.datagrams += 1;
        if entries > 0 || self.datagrams == 1 {
            visitor.seam(match done {
                true => End::Certain,
                false => end(datagram.bytes.len(), longest, capacity),
            });
        }
        Ok(self.progress(done))
    }

    /// Receives all that is left with `size` bytes at a time.
    pub fn finish(
        &mut self,
        channel: &mut Channel,
        size: usize,
        visitor: &mut impl DumpVisitor,
    ) -> Result<Progress, KernelError> {
        loop {
            match self.step(channel, size, visitor)? {
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

/// How often a list is asked for while others keep disturbing it.
const TRIES: usize = 8;

/// All entries of a list that `parse` knows, received with `size` bytes at a time,
/// where the kernel itself says that a change has disturbed the dump.
pub fn list<T>(
    channel: &mut Channel,
    size: usize,
    request: impl NetlinkSerializable + Clone,
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, ListError> {
    let mut pass = Pass::new(Vec::new(), parse);
    for _ in 0..TRIES {
        let mut dump = Dump::start(channel, request.clone())?;
        if dump.finish(channel, size, &mut pass)? == Progress::Finished {
            return Ok(pass.items);
        }
        pass.clear();
    }
    Err(ListError::Unstable)
}

/// The size of the kernel's buffers when the larger allocation fails, or when
/// nothing was received yet: a page, or 8 KiB where pages may be larger, less
/// `skb_shared_info` (`NLMSG_GOODSIZE` in linux/netlink.h). Kernels before 4.9
/// never take more than 16 KiB.
const FALLBACKS: [usize; 3] = [3776, 7872, 16 << 10];

/// The smallest of them with the largest `skb_shared_info`.
const LEAST: usize = 3 << 10;

/// How much longer the next message may be than any before it: the names of a
/// scheduler and a persistence engine.
const LONGER: usize = 48;

/// What a datagram of `len` bytes says about the table's end. `capacity` is the
/// largest size that was received with before, which is what the kernel takes
/// for the next datagram.
pub(super) fn end(len: usize, longest: usize, capacity: usize) -> End {
    let next = len + longest + LONGER;
    if next > capacity.max(LEAST) {
        End::Open
    } else if FALLBACKS.iter().any(|size| len <= *size && next > *size) {
        End::Likely
    } else {
        End::Certain
    }
}

#[cfg(test)]
mod tests {
    use super::super::channel::LARGE;
    use super::*;

    /// Counts entries and remembers seams.
    #[derive(Default)]
    struct Log(usize, Vec<(usize, End)>);

    impl DumpVisitor for Log {
        fn entry(&mut self, _attributes: &[u8]) {
            self.0 += 1;
        }

        fn seam(&mut self, end: End) {
            self.1.push((self.0, end));
        }
    }

    const DATA: u16 = 32;
    const ERROR: u16 = 2;
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

    /// Reads a datagram for which the kernel took 4 KiB.
    fn read(dump: &mut Dump, log: &mut Log, bytes: &[u8]) -> Result<Progress, KernelError> {
        let datagram = Datagram {
            bytes,
            cut: false,
            after_loss: false,
            header: 0,
        };
        dump.read(&datagram, 4096, log)
    }

    fn dump() -> Dump {
        Dump {
            sequence: 7,
            datagrams: 0,
            whole: true,
        }
    }

    #[test]
    fn answers_to_other_requests_and_an_empty_last_datagram_add_no_seam() {
        let (mut dump, mut log) = (dump(), Log::default());
        let datagram = [message(DATA, 2, 6, &[0; 40]), entry(), entry()].concat();
        assert_eq!(
            read(&mut dump, &mut log, &datagram).unwrap(),
            Progress::Going
        );
        let done = message(DONE, 2, 7, &[0; 4]);
        assert_eq!(
            read(&mut dump, &mut log, &done).unwrap(),
            Progress::Finished
        );
        assert_eq!(log.1, [(2, End::Certain)]);
    }

    #[test]
    fn an_empty_dump_is_the_whole_table() {
        let (mut dump, mut log) = (dump(), Log::default());
        let done = message(DONE, 2, 7, &[]);
        assert_eq!(
            read(&mut dump, &mut log, &done).unwrap(),
            Progress::Finished
        );
        assert_eq!(log.1, [(0, End::Certain)]);
    }

    #[test]
    fn an_errno_ends_the_dump_with_an_error() {
        // At once, or at the end.
        for kind in [ERROR, DONE] {
            let refusal = [&(-12i32).to_ne_bytes()[..], &[0; 16]].concat();
            let refusal = message(kind, 2, 7, &refusal);
            let error = read(&mut dump(), &mut Log::default(), &refusal).unwrap_err();
            assert_eq!(error.errno(), 12);
        }
    }

    #[test]
    fn an_interrupted_or_cut_dump_is_spoilt() {
        let done = |flags| message(DONE, 2 | flags, 7, &[0; 4]);
        for (first, cut, done) in [
            (
                message(DATA, 2 | NLM_F_DUMP_INTR, 7, &[0; 40]),
                false,
                done(0),
            ),
            // The kernel may say it at the end alone.
            (entry(), false, done(NLM_F_DUMP_INTR)),
            (entry()[..99].to_vec(), false, done(0)),
            // What is left of it looks whole.
            (entry(), true, done(0)),
        ] {
            let (mut dump, mut log) = (dump(), Log::default());
            let datagram = Datagram {
                bytes: &first,
                cut,
                after_loss: false,
                header: 0,
            };
            let progress = dump.read(&datagram, 4096, &mut log);
            assert_eq!(progress.unwrap(), Progress::Going);
            assert_eq!(read(&mut dump, &mut log, &done).unwrap(), Progress::Spoilt);
        }
    }

    #[test]
    fn a_dump_of_which_something_was_lost_is_spoilt() {
        let done = message(DONE, 2, 7, &[0; 4]);
        let datagram = Datagram {
            bytes: &done,
            cut: false,
            after_loss: true,
            header: 0,
        };
        let progress = dump().read(&datagram, 4096, &mut Log::default());
        assert_eq!(progress.unwrap(), Progress::Spoilt);
    }

    #[test]
    fn the_end_of_another_dump_ends_nothing() {
        let (mut dump, mut log) = (dump(), Log::default());
        let other = message(DONE, 2, 6, &[0; 4]);
        assert_eq!(read(&mut dump, &mut log, &other).unwrap(), Progress::Going);
    }

    #[test]
    fn a_datagram_with_room_for_one_more_is_not_full() {
        let end = |entries: usize, capacity| end(entries * 352, 352, capacity);
        assert_eq!(end(9, 4096), End::Certain);
        // Short of memory, the kernel takes a page less its bookkeeping.
        assert_eq!(end(10, 4096), End::Likely);
        assert_eq!(end(11, 4096), End::Open);
        // The first datagram of a socket.
        assert_eq!(end(7, 0), End::Certain);
        assert_eq!(end(8, 0), End::Open);
        for (entries, wanted) in [
            (10, End::Likely),
            (11, End::Certain),
            (80, End::Certain),
            (90, End::Open),
        ] {
            assert_eq!(end(entries, LARGE), wanted, "{entries} entries");
        }
    }
}
