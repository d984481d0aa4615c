//! Standard descriptors that somebody else has made non-blocking: a pipe is shared
//! with the programs on it, and so are its settings. Nothing to read yet, or no
//! room to write, is a reason to wait and no failure: unless the time is always said
//! to have come, and never has.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

/// How often in a row nothing may be ready that was said to be: somebody else may
/// have been faster.
const IN_VAIN: u32 = 500;

/// How long is waited then, so that no processor is busy with it.
const PAUSE: Duration = Duration::from_millis(10);

/// Reads all that is left.
pub fn read_to_end(mut file: impl Read + AsFd) -> io::Result<Vec<u8>> {
    let (mut bytes, mut waits) = (Vec::new(), Waits::default());
    loop {
        let before = bytes.len();
        // What was read before an error stays.
        let Err(error) = file.read_to_end(&mut bytes) else {
            return Ok(bytes);
        };
        if bytes.len() > before {
            waits = Waits::default();
        }
        waits.wait(error, &file, PollFlags::IN)?;
    }
}

/// Writes all of `bytes`.
pub fn write_all(mut file: impl Write + AsFd, mut bytes: &[u8]) -> io::Result<()> {
    let mut waits = Waits::default();
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                waits = Waits::default();
            }
            Err(error) => waits.wait(error, &file, PollFlags::OUT)?,
        }
    }
    Ok(())
}

/// The waits since anything was read or written.
#[derive(Debug, Default)]
struct Waits(u32);

impl Waits {
    /// Waits for `file` after `error`, if that only says that the time had not come.
    fn wait(&mut self, error: io::Error, file: &impl AsFd, events: PollFlags) -> io::Result<()> {
        match error.kind() {
            ErrorKind::Interrupted => return Ok(()),
            ErrorKind::WouldBlock if self.0 < IN_VAIN => {}
            _ => return Err(error),
        }
        if self.0 > 0 {
            thread::sleep(PAUSE);
        }
        self.0 += 1;
        match poll(&mut [PollFd::new(file, events)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::BorrowedFd;
    use std::os::unix::net::UnixStream;

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

    /// Always said to be ready, and never is.
    struct Never(UnixStream);

    impl Read for Never {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    impl Write for Never {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::WouldBlock.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl AsFd for Never {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    #[test]
    fn what_is_never_ready_is_given_up() {
        let never = || {
            let (one, mut other) = UnixStream::pair().expect("sockets");
            other.write_all(b"there").expect("room");
            Never(one)
        };
        let writing = thread::spawn(move || write_all(never(), b"text").map_err(|e| e.kind()));
        let read = read_to_end(never()).map_err(|e| e.kind());
        assert_eq!(read, Err(ErrorKind::WouldBlock));
        assert_eq!(writing.join().expect("an end"), Err(ErrorKind::WouldBlock));
    }
}
