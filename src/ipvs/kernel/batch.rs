//! Many changes in few system calls.
//!
//! A window of messages is sent at once. Only the last of them asks for an ACK:
//! errors are reported anyway, with the sequence number of their message. The
//! next window is sent when the last message has been answered, so that
//! outstanding answers always fit into the socket.

use super::channel::Channel;
use super::error::{Errno, KernelError};
use super::open::Modules;
use super::transport::Transport;
use crate::model::Change;
use crate::wire::{Body, Malformed, Message, Request};
use netlink_packet_core::NLM_F_ACK;
use std::io;
use std::iter::Peekable;

/// Messages per send: few enough for the smallest buffers in use. More gains
/// nothing measurable.
const WINDOW: usize = 64;

/// What one error message takes of the receive buffer in the kernel, with room
/// to spare: it repeats the request, and is counted with the kernel's overhead.
const COST_OF_AN_ERROR: usize = 2048;

/// The messages on their way.
struct Window<T> {
    bytes: Vec<u8>,
    starts: Vec<usize>,
    tags: Vec<T>,
    first_sequence: u32,
    /// Whether the last one may be done without an answer.
    silent_end: bool,
    /// By position: the errno of the answer; 0 is success, `None` not known yet.
    answers: Vec<Option<i32>>,
}

/// Sends all `changes` and reports to `refused` those that the kernel refused.
pub(super) fn run<T>(
    transport: &mut Transport,
    modules: &mut Modules,
    changes: impl Iterator<Item = (T, Change)>,
    mut refused: impl FnMut(T, KernelError),
) -> io::Result<()> {
    let size = window_size(&transport.main);
    let mut changes = changes
        .inspect(|(_, change)| modules.load_for(change))
        .peekable();
    let mut window = Window {
        bytes: Vec::new(),
        starts: Vec::with_capacity(size),
        tags: Vec::with_capacity(size),
        first_sequence: 0,
        silent_end: false,
        answers: Vec::with_capacity(size),
    };
    while window.fill(transport, &mut changes, size) {
        window.send(&transport.main)?;
        let lost = window.collect(&mut transport.main)?;
        window.report(lost, &mut refused);
    }
    Ok(())
}

/// As many messages as errors fit the socket's receive buffer; one where its size
/// is unknown.
fn window_size(channel: &Channel) -> usize {
    let buffer = channel.socket().get_rx_buf_sz().unwrap_or(0);
    (buffer / COST_OF_AN_ERROR).clamp(1, WINDOW)
}

impl<T> Window<T> {
    /// Takes the next changes; `false` when there are none. The last message asks
    /// for an answer even if all goes well.
    fn fill(
        &mut self,
        transport: &mut Transport,
        changes: &mut Peekable<impl Iterator<Item = (T, Change)>>,
        size: usize,
    ) -> bool {
        self.bytes.clear();
        self.starts.clear();
        while self.starts.len() < size {
            let Some((tag, change)) = changes.next() else {
                break;
            };
            self.starts.push(self.bytes.len());
            self.tags.push(tag);
            self.silent_end = may_be_silent(&change);
            let is_last = self.starts.len() == size || changes.peek().is_none();
            let flags = if is_last { NLM_F_ACK } else { 0 };
            let request = Request::Change(change).message(transport.family);
            let sequence = transport.main.append(&mut self.bytes, request, flags);
            if self.starts.len() == 1 {
                self.first_sequence = sequence;
            }
        }
        self.answers.clear();
        self.answers.resize(self.starts.len(), None);
        !self.starts.is_empty()
    }

    /// In one go, or one by one where the send buffer is that small.
    fn send(&self, channel: &Channel) -> io::Result<()> {
        match channel.send(&self.bytes) {
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => self.send_singly(channel),
            result => result,
        }
    }

    fn send_singly(&self, channel: &Channel) -> io::Result<()> {
        let all = self.bytes.len();
        for (place, start) in self.starts.iter().enumerate() {
            let end = *self.starts.get(place + 1).unwrap_or(&all);
            channel.send(&self.bytes[*start..end])?;
        }
        Ok(())
    }

    /// Reads answers up to the last message's; says whether any may have been
    /// lost.
    fn collect(&mut self, channel: &mut Channel) -> io::Result<bool> {
        let mut lost = false;
        while self.answers.last() == Some(&None) {
            match channel.receive(super::channel::SMALL) {
                Ok(datagram) => lost |= self.take(datagram.messages()).is_err(),
                // Nothing is queued: the last answer was among the lost, if
                // there was to be one.
                Err(KernelError::Lost) => return Ok(lost || !self.silent_end),
                // The kernel dropped an answer; others are still queued.
                Err(error) if error.errno() == libc::ENOBUFS => lost = true,
                Err(KernelError::Socket(error)) => return Err(error),
                Err(_) => lost = true,
            }
        }
        Ok(lost)
    }

    fn take<'a>(
        &mut self,
        messages: impl Iterator<Item = Result<Message<'a>, Malformed>>,
    ) -> Result<(), Malformed> {
        for message in messages {
            let message = message?;
            let place = message.sequence.wrapping_sub(self.first_sequence) as usize;
            if let (Body::Answer(errno), Some(answer)) = (message.body, self.answers.get_mut(place))
            {
                *answer = Some(errno);
            }
        }
        Ok(())
    }

    /// No answer means success, unless answers were lost.
    fn report(&mut self, lost: bool, refused: &mut impl FnMut(T, KernelError)) {
        for (tag, answer) in self.tags.drain(..).zip(&self.answers) {
            match answer {
                Some(0) => {}
                Some(errno) => refused(tag, KernelError::Refused(Errno(*errno))),
                None if lost => refused(tag, KernelError::Lost),
                None => {}
            }
        }
    }
}

/// Whether the kernel may do `change` without answering. Netlink sends no answer
/// for EINTR, and that is what stopping a sync daemon returns if its thread has
/// not run yet (kthread_stop in kernel/kthread.c,
/// netlink_rcv_skb in net/netlink/af_netlink.c).
pub(super) fn may_be_silent(change: &Change) -> bool {
    matches!(change, Change::StopDaemon(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages;
    use netlink_packet_core::NLMSG_ERROR;

    fn window(tags: Vec<char>) -> Window<char> {
        let answers = vec![None; tags.len()];
        // Sequence numbers may wrap around on the way.
        let first_sequence = u32::MAX;
        Window {
            bytes: vec![],
            starts: vec![],
            tags,
            first_sequence,
            silent_end: false,
            answers,
        }
    }

    fn answer(sequence: u32, errno: i32) -> Vec<u8> {
        let mut bytes = 36u32.to_ne_bytes().to_vec();
        bytes.extend([NLMSG_ERROR.to_ne_bytes(), [0; 2]].concat());
        bytes.extend([sequence.to_ne_bytes(), [0; 4], (-errno).to_ne_bytes()].concat());
        bytes.extend([0; 16]);
        bytes
    }

    fn reported(window: &mut Window<char>, lost: bool) -> Vec<(char, i32)> {
        let mut reported = Vec::new();
        window.report(lost, &mut |tag, error| reported.push((tag, error.errno())));
        reported
    }

    #[test]
    fn errors_find_their_change() {
        let mut window = window(vec!['a', 'b', 'c', 'd']);
        // The last is one of an earlier window, or nobody's.
        let datagram = [answer(0, 17), answer(2, 0), answer(u32::MAX - 1, 3)].concat();
        window.take(messages(&datagram, 0)).unwrap();
        assert_eq!(reported(&mut window, false), [('b', 17)]);
    }

    #[test]
    fn silence_is_a_failure_only_when_answers_were_lost() {
        let mut window = window(vec!['a', 'b', 'c']);
        window.take(messages(&answer(0, 2), 0)).unwrap();
        let lost = libc::ENOBUFS;
        assert_eq!(
            reported(&mut window, true),
            [('a', lost), ('b', 2), ('c', lost)]
        );
        assert!(window.take(messages(&[1, 2, 3], 0)).is_err());
    }
}
