//! Parallel look-ups with one deadline for all of them.
//!
//! A look-up cannot be cancelled, so that late ones are left to threads that
//! nobody waits for; they end with the process.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

/// Look-ups at a time.
const THREADS: usize = 32;

/// The C library wants little; modules of nsswitch.conf some more.
const STACK: usize = 512 * 1024;

type Queue<Q> = Arc<Mutex<VecDeque<Q>>>;

/// Asks each of `questions`, which takes what it takes off the time that is
/// `left`, and hands each answer to `take`. `false` if the time was over before
/// all answers were there.
pub fn ask_all<Q, A>(
    questions: VecDeque<Q>,
    ask: fn(&Q) -> A,
    left: &mut Duration,
    mut take: impl FnMut(Q, A),
) -> bool
where
    Q: Send + 'static,
    A: Send + 'static,
{
    let start = Instant::now();
    let count = questions.len();
    let queue = Arc::new(Mutex::new(questions));
    let (sender, answers) = mpsc::channel();
    let started = (0..count.min(THREADS))
        .take_while(|_| spawn(&queue, &sender, ask))
        .count();
    drop(sender);
    let in_time = if started == 0 {
        alone(&queue, ask, start + *left, take)
    } else {
        collect(&answers, count, start + *left, &mut take)
    };
    lock(&queue).clear();
    *left = left.saturating_sub(start.elapsed());
    in_time
}

/// Starts a thread that works at the queue; `false` where the machine allows no
/// more.
fn spawn<Q, A>(queue: &Queue<Q>, answers: &Sender<(Q, A)>, ask: fn(&Q) -> A) -> bool
where
    Q: Send + 'static,
    A: Send + 'static,
{
    let (queue, answers) = (Arc::clone(queue), answers.clone());
    let work = move || {
        while let Some(question) = next(&queue) {
            let answer = ask(&question);
            if answers.send((question, answer)).is_err() {
                break;
            }
        }
    };
    // The handle is dropped: the thread is never joined.
    thread::Builder::new().stack_size(STACK).spawn(work).is_ok()
}

/// Without threads, one question after the other: a single one may then take
/// as long as it likes.
fn alone<Q, A>(
    queue: &Queue<Q>,
    ask: fn(&Q) -> A,
    deadline: Instant,
    mut take: impl FnMut(Q, A),
) -> bool {
    while let Some(question) = next(queue) {
        if Instant::now() >= deadline {
            return false;
        }
        let answer = ask(&question);
        take(question, answer);
    }
    true
}

/// Waits for `count` answers.
fn collect<Q, A>(
    answers: &Receiver<(Q, A)>,
    count: usize,
    deadline: Instant,
    take: &mut impl FnMut(Q, A),
) -> bool {
    for _ in 0..count {
        let left = deadline.saturating_duration_since(Instant::now());
        match answers.recv_timeout(left) {
            Ok((question, answer)) => take(question, answer),
            Err(_) => return false,
        }
    }
    true
}

fn next<Q>(queue: &Queue<Q>) -> Option<Q> {
    lock(queue).pop_front()
}

/// The queue is intact even if a thread panicked while holding it.
fn lock<Q>(queue: &Queue<Q>) -> MutexGuard<'_, VecDeque<Q>> {
    queue
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_threads_the_caller_asks() {
        let queue = Arc::new(Mutex::new(VecDeque::from([1, 2, 3])));
        let mut answers = Vec::new();
        let take = |question: u32, answer: u32| answers.push((question, answer));
        let deadline = Instant::now() + Duration::from_secs(60);
        assert!(alone(&queue, |question| question * 2, deadline, take));
        assert_eq!(answers, [(1, 2), (2, 4), (3, 6)]);
        lock(&queue).push_back(4);
        let take = |_, _| panic!("too late");
        assert!(!alone(
            &queue,
            |question| question * 2,
            Instant::now(),
            take
        ));
    }
}
