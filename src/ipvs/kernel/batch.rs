//! Many changes in few system calls.
//!
//! A window of messages is sent at once. Only the last of them asks for an ACK:
//! errors are reported anyway, with the sequence number of their message. The
//! next window is sent when the last message has been answered, so that
//! outstanding answers always fit into the socket.

use super::channel::Channel;
use super::error::{BatchError, Errno, KernelError};
use super::look::can_show;
use super::open::Modules;
use super::transport::Transport;
use crate::model::Change;
use crate::wire::{Body, Malformed, Message, Request};
use netlink_packet_core::NLM_F_ACK;
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
    changes: Vec<(T, Change)>,
    first_sequence: u32,
    /// By position: the errno of the answer; 0 is success, `None` not known yet.
    answers: Vec<Option<i32>>,
}

/// Sends all `changes` and reports to `failed` those that the kernel refused, and
/// those without an answer, of which `look` does not see that they were made.
pub(super) fn run<T>(
    transport: &mut Transport,
    modules: &mut Modules,
    mut look: impl FnMut(&mut Transport, &Change) -> Option<bool>,
    changes: impl Iterator<Item = (T, Change)>,
    mut failed: impl FnMut(T, KernelError),
) -> Result<(), BatchError> {
    let size = window_size(&transport.main);
    let mut changes = changes
        .inspect(|(_, change)| modules.load_for(change))
        .peekable();
    let mut window = Window {
        bytes: Vec::new(),
        starts: Vec::with_capacity(size),
        changes: Vec::with_capacity(size),
        first_sequence: 0,
        answers: Vec::with_capacity(size),
    };
    while window.fill(transport, &mut changes, size) {
        let (sent, unsent) = window.send(&transport.main);
        let all = window.changes.len();
        window.changes.truncate(sent);
        let lost = match sent {
            0 => None,
            _ => window.collect(&mut transport.main),
        };
        let is_told = window.report(lost.as_ref(), |change| look(transport, change), &mut failed);
        let unsent = unsent.map(|error| (all - sent, error));
        if let Some((unsent, error)) = unsent.or(lost.filter(|_| !is_told).map(|e| (0, e))) {
            return Err(BatchError { unsent, error });
        }
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
            self.changes.push((tag, change));
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

    /// In one go, or one by one where the send buffer is that small: how many
    /// were sent, and why not all.
    fn send(&self, channel: &Channel) -> (usize, Option<KernelError>) {
        match channel.send(&self.bytes) {
            Ok(()) => (self.starts.len(), None),
            Err(error) if error.errno() == libc::EMSGSIZE => self.send_singly(channel),
            Err(error) => (0, Some(error)),
        }
    }

    fn send_singly(&self, channel: &Channel) -> (usize, Option<KernelError>) {
        let all = self.bytes.len();
        for (place, start) in self.starts.iter().enumerate() {
            let end = *self.starts.get(place + 1).unwrap_or(&all);
            if let Err(error) = channel.send(&self.bytes[*start..end]) {
                return (place, Some(error));
            }
        }
        (self.starts.len(), None)
    }

    /// Reads answers up to the last message's; why some may be missing.
    fn collect(&mut self, channel: &mut Channel) -> Option<KernelError> {
        let mut lost = None;
        while self.answers.last() == Some(&None) {
            let taken = channel.receive(super::channel::SMALL).and_then(|datagram| {
                if datagram.after_loss {
                    lost = Some(KernelError::Lost);
                }
                Ok(self.take(datagram.messages())?)
            });
            match taken {
                Ok(()) => {}
                Err(KernelError::Malformed) => lost = Some(KernelError::Malformed),
                // Nothing is queued: the last answer was among the lost, if
                // there was to be one.
                Err(KernelError::Lost) if lost.is_none() && self.has_silent_end() => break,
                Err(error) => return Some(error),
            }
        }
        lost
    }

    fn has_silent_end(&self) -> bool {
        let last = self.changes.last();
        last.is_some_and(|(_, change)| may_be_silent(change))
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

    /// No answer means success, unless answers were lost: then `look` has to tell
    /// what it can. False if it could not even where there was something to see.
    fn report(
        &mut self,
        lost: Option<&KernelError>,
        mut look: impl FnMut(&Change) -> Option<bool>,
        failed: &mut impl FnMut(T, KernelError),
    ) -> bool {
        let mut is_told = true;
        let all: Vec<Change> = match lost {
            Some(_) => self.changes.iter().map(|(_, change)| *change).collect(),
            None => Vec::new(),
        };
        let answered = self.changes.drain(..).zip(&self.answers);
        for (place, ((tag, change), answer)) in answered.enumerate() {
            match (answer, lost) {
                (Some(0), _) | (None, None) => {}
                (Some(errno), _) => failed(tag, KernelError::Refused(Errno(*errno))),
                (None, Some(lost)) => {
                    let visible = can_show(&change, &all[place + 1..]);
                    match visible.then(|| look(&change)).flatten() {
                        Some(true) => {}
                        Some(false) => failed(tag, KernelError::NotMade(lost.again().into())),
                        None => {
                            is_told &= !visible;
                            failed(tag, lost.again());
                        }
                    }
                }
            }
        }
        is_told
    }
}

/// Whether the kernel may do `change` without answering. Netlink sends no answer
/// for EINTR, and that is what stopping a sync daemon returns if its thread has
/// not run yet (kthread_stop in kernel/kthread.c,
/// netlink_rcv_skb in net/netlink/af_netlink.c).
fn may_be_silent(change: &Change) -> bool {
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
        let changes = tags.into_iter().map(|tag| (tag, Change::Flush));
        Window {
            bytes: vec![],
            starts: vec![],
            changes: changes.collect(),
            first_sequence,
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

    /// What is reported, where a look sees this.
    fn reported(
        window: &mut Window<char>,
        lost: Option<KernelError>,
        seen: Option<bool>,
    ) -> Vec<(char, String)> {
        let mut reported = Vec::new();
        let is_told = window.report(lost.as_ref(), |_| seen, &mut |tag, error| {
            reported.push((tag, format!("{error:?}")))
        });
        assert_eq!(is_told, lost.is_none() || seen.is_some());
        reported
    }

    fn pairs<const N: usize>(pairs: [(char, &str); N]) -> [(char, String); N] {
        pairs.map(|(tag, text)| (tag, text.to_owned()))
    }

    #[test]
    fn errors_find_their_change() {
        let mut window = window(vec!['a', 'b', 'c', 'd']);
        // The last is one of an earlier window, or nobody's.
        let datagram = [answer(0, 17), answer(2, 0), answer(u32::MAX - 1, 3)].concat();
        window.take(messages(&datagram, 0)).unwrap();
        let refused = pairs([('b', "Refused(Errno(17))")]);
        assert_eq!(reported(&mut window, None, None), refused);
    }

    #[test]
    fn silence_is_a_failure_only_when_answers_were_lost() {
        for (seen, what) in [
            (Some(true), None),
            (Some(false), Some("NotMade(Lost)")),
            (None, Some("Lost")),
        ] {
            let mut window = window(vec!['a', 'b', 'c']);
            window.take(messages(&answer(0, 2), 0)).unwrap();
            let mut expected = vec![('b', "Refused(Errno(2))".to_owned())];
            if let Some(what) = what {
                expected.insert(0, ('a', what.into()));
                expected.push(('c', what.into()));
            }
            let lost = Some(KernelError::Lost);
            assert_eq!(reported(&mut window, lost, seen), expected);
        }
        let mut window = window(vec!['a']);
        assert!(window.take(messages(&[1, 2, 3], 0)).is_err());
    }
}
