//! Standard output, written through one large buffer, with every error seen.
//!
//! The standard library's own handle is not used: it writes line by line, and
//! takes a closed descriptor for success.

use super::failure::Failure;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;

const BUFFER: usize = 64 * 1024;

/// Standard output.
#[derive(Debug)]
pub struct Output(BufWriter<File>);

impl Output {
    /// A buffer for the standard output of the process.
    pub fn open() -> anyhow::Result<Output> {
        let own = io::stdout().as_fd().try_clone_to_owned();
        let file = File::from(own.map_err(Failure::Output)?);
        Ok(Output(BufWriter::with_capacity(BUFFER, file)))
    }

    /// Writes what is left.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        Ok(self.0.flush().map_err(Failure::Output)?)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes all of `text`.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = Output::open()?;
    out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    out.finish()
}
