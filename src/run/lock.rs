//! One of us at a time, where a change depends on what was read before: the kernel
//! has no partial edits, and of two programs that read and then write, the second
//! would undo what the first has done. As iptables has its `xtables.lock`.
//!
//! Only those wait that read first, and lists of rules. Where there is no place
//! for the file, or the other one takes too long, they go on without: to change a
//! table must not depend on a directory.

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

const PATH: &str = "/run/ipvsadm.lock";

/// How often is looked, and after how many looks it goes on without: five seconds.
const POLL: Duration = Duration::from_millis(2);
const LOOKS: u32 = 2500;

/// Held until it is dropped.
#[must_use]
pub struct Lock(#[expect(dead_code, reason = "closing it is what ends the lock")] Option<OwnedFd>);

/// Waits until no other one of us holds it.
pub fn take() -> Lock {
    // Nobody else may make it wait.
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let Ok(file) = open(PATH, flags, Mode::RUSR | Mode::WUSR) else {
        return Lock(None);
    };
    for _ in 0..LOOKS {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK | Errno::INTR) => thread::sleep(POLL),
            _ => break,
        }
    }
    Lock(Some(file))
}
