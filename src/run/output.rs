//! Standard output, written through one large buffer, with every error seen.
//!
//! The standard library's own handle is not used: it writes line by line, and
//! takes a closed descriptor for success.

use super::failure::Failure;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd};

const BUFFER: usize = 64 * 1024;

/// The last of the three standard descriptors.
const STDERR: i32 = 2;

/// Standard output. One that is closed is an error only to those who have
/// something to write.
#[derive(Debug)]
pub struct Output(Result<BufWriter<File>, i32>);

impl Output {
    /// The standard output of the process. To be called before any file is
    /// opened: a file must never take the place of a descriptor that is closed.
    pub fn open() -> Output {
        let own = io::stdout().as_fd().try_clone_to_owned();
        occupy_closed_descriptors();
        Output(match own {
            Ok(own) => Ok(BufWriter::with_capacity(BUFFER, File::from(own))),
            Err(error) => Err(error.raw_os_error().unwrap_or(libc::EBADF)),
        })
    }

    /// Writes all of `text`.
    pub fn print(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.write_all(text.as_bytes()).map_err(Failure::Output)?)
    }

    /// Writes what is left.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        match &mut self.0 {
            Ok(writer) => Ok(writer.flush().map_err(Failure::Output)?),
            Err(_) => Ok(()),
        }
    }

    fn writer(&mut self) -> io::Result<&mut BufWriter<File>> {
        match &mut self.0 {
            Ok(writer) => Ok(writer),
            Err(errno) => Err(io::Error::from_raw_os_error(*errno)),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer()?.flush()
    }
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
