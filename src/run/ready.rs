//! Standard descriptors that somebody else has made non-blocking: a pipe is shared
//! with the programs on it, and so are its settings. Nothing to read yet, or no
//! room to write, is a reason to wait and no failure.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;

/// Reads all that is left.
pub fn read_to_end(mut file: impl Read + AsFd) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // What was read before an error stays.
    while let Err(error) = file.read_to_end(&mut bytes) {
        wait(error, &file, PollFlags::IN)?;
    }
    Ok(bytes)
}

/// Writes all of `bytes`.
pub fn write_all(mut file: impl Write + AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) => wait(error, &file, PollFlags::OUT)?,
        }
    }
    Ok(())
}

/// Waits for `file` after `error`, if that only says that the time had not come.
fn wait(error: io::Error, file: &impl AsFd, events: PollFlags) -> io::Result<()> {
    match error.kind() {
        ErrorKind::Interrupted => Ok(()),
        ErrorKind::WouldBlock => match poll(&mut [PollFd::new(file, events)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        },
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::thread;
    use std::time::Duration;

    const MUCH: usize = 1 << 20;

    #[test]
    fn a_reader_that_does_not_block_gets_everything() {
        let (reader, writer) = UnixStream::pair().expect("sockets");
        reader.set_nonblocking(true).expect("a socket");
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut writer = writer;
                for part in [b"one ", b"two "] {
                    thread::sleep(Duration::from_millis(20));
                    writer.write_all(part).expect("a reader");
                }
            });
            assert_eq!(read_to_end(&reader).expect("an end"), b"one two ");
        });
    }

    #[test]
    fn a_writer_that_does_not_block_waits_for_its_reader() {
        let (mut reader, writer) = UnixStream::pair().expect("sockets");
        writer.set_nonblocking(true).expect("a socket");
        let read = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            io::copy(&mut reader, &mut io::sink()).expect("a writer")
        });
        write_all(&writer, &vec![b'x'; MUCH]).expect("a reader");
        drop(writer);
        assert_eq!(read.join().expect("an end"), MUCH as u64);
    }
}
