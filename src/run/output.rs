//! Standard output, written in large pieces, with every error seen.
//!
//! The standard library's own handle is not used: it writes line by line, and
//! takes a closed descriptor for success.

use super::failure::{Failure, Result};
use super::ready;
use crate::render::Buffer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::thread;
use std::time::{Duration, Instant};

/// How many bytes are written at once.
const FULL: usize = 64 * 1024;

/// Room for the row that fills the buffer.
const ROW: usize = 4 * 1024;

/// How long is waited at a time without seeing whether anybody reads.
const BLIND: Duration = Duration::from_millis(50);

/// The last of the three standard descriptors.
const STDERR: i32 = 2;

/// Standard output. A closed one is an error only when something is written.
#[derive(Debug)]
pub struct Output {
    buffer: Buffer,
    /// It is written once it holds this many bytes.
    full: usize,
    file: io::Result<File>,
}

impl Output {
    /// The standard output of the process. To be called before any file is
    /// opened: a file must never take the place of a descriptor that is closed.
    pub fn open() -> Output {
        // The lowest free descriptor: one of the three only where one is closed.
        let mut file = duplicate(0);
        if !file.as_ref().is_ok_and(|file| file.as_raw_fd() > STDERR) {
            let closed = file.err();
            occupy_closed_descriptors();
            file = closed.map_or_else(|| duplicate(STDERR + 1), Err);
        }
        Output {
            buffer: Buffer::with_capacity(FULL + ROW),
            // One that cannot be written fails at once.
            full: if file.is_ok() { FULL } else { 0 },
            file,
        }
    }

    /// Output that is written nowhere, but [taken](Output::take).
    pub fn kept() -> Output {
        Output {
            buffer: Buffer::default(),
            full: usize::MAX,
            file: Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// All output since it was last taken or written.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer).into_bytes()
    }

    /// Where output is put. After each row, or a few short lines,
    /// [`Output::flush_if_full`] is to be called.
    pub fn buffer(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// Writes the buffer if it is full, or at once if standard output is closed,
    /// so that the failure is seen early.
    pub fn flush_if_full(&mut self) -> Result<()> {
        if self.buffer.len() < self.full {
            return Ok(());
        }
        self.finish()
    }

    /// Waits until `due`, or until nobody can read the output any more, which is
    /// an error.
    pub fn wait(&self, due: Instant) -> Result<()> {
        let file = self.file.as_ref();
        let file = file.map_err(|error| Failure::Output(again(error)))?;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            // Only what is always reported: an error, which a closed pipe is.
            let mut fds = [PollFd::new(file, PollFlags::empty())];
            // A wait that does not fit has no end, and is ended by a signal.
            let timeout = Timespec::try_from(left).ok();
            match poll(&mut fds, timeout.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Err(Failure::Output(io::ErrorKind::BrokenPipe.into())),
                // The output has not failed: it is only not known whether it has.
                Err(_) => thread::sleep(left.min(BLIND)),
            }
        }
    }

    /// Writes what is left.
    pub fn finish(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let result = match &self.file {
            Ok(file) => ready::write_all(file, self.buffer.as_bytes()),
            Err(error) => Err(again(error)),
        };
        self.buffer.clear();
        result.map_err(Failure::Output)
    }
}

/// Standard output once more, under the lowest free descriptor from `lowest` on.
fn duplicate(lowest: i32) -> io::Result<File> {
    Ok(fcntl_dupfd_cloexec(io::stdout(), lowest)?.into())
}

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    io::Error::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EBADF))
}

/// Puts /dev/null wherever one of the three standard descriptors is closed. It
/// cannot be read: a closed standard input must not pass for an empty file.
fn occupy_closed_descriptors() {
    while let Ok(null) = File::options().write(true).open("/dev/null") {
        if null.as_raw_fd() > STDERR {
            break;
        }
        // It stays open for as long as the process runs.
        let _ = null.into_raw_fd();
    }
}
