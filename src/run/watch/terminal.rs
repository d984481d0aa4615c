//! The terminal: taken over as a whole, and given back as it was, whatever
//! happens. Keys and signals become messages here.
//!
//! Signals have a thread of their own, so that the program ends, or stops, at
//! once: a look at a large table, or a name server, may take seconds.

use crate::run::exit::Exit;
use rustix::io::Errno;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, mem, panic, process, thread};

/// The alternate screen, without a cursor and without lines that wrap.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What comes from the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    Key(Key),
    /// The screen has another size, or was somebody else's meanwhile.
    Redraw,
    /// There is no terminal any more.
    Gone,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Quit,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// The size of a terminal that does not know it, as a serial line.
const USUAL_SIZE: (usize, usize) = (24, 80);

/// How often, and how long apart, it is tried to give a terminal back that is
/// being drawn on: one that is held (Ctrl-S) takes no output for ever.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Whether there is a terminal that can be drawn on and keys read from.
pub fn is_there() -> bool {
    let name = env::var_os("TERM").unwrap_or_default();
    io::stdin().is_terminal() && io::stdout().is_terminal() && !name.is_empty() && name != "dumb"
}

/// The terminal, and how it was before.
struct Tty {
    out: File,
    before: Termios,
    taken: bool,
}

impl Tty {
    fn take(&mut self) -> io::Result<()> {
        let mut modes = self.before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        self.taken = true;
        self.out.write_all(ENTER)
    }

    /// Does what it can: the terminal may be gone. Whether it was taken.
    fn give_back(&mut self) -> bool {
        if self.taken {
            let _ = self.out.write_all(LEAVE);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
        }
        mem::take(&mut self.taken)
    }
}

/// A terminal that is given back when this is dropped.
pub struct Terminal(Arc<Mutex<Tty>>);

impl Terminal {
    /// Takes the terminal; from now on it sends `messages`.
    pub fn take(messages: &Sender<Message>) -> io::Result<Terminal> {
        let tty = Arc::new(Mutex::new(Tty {
            out: File::from(io::stdout().as_fd().try_clone_to_owned()?),
            before: tcgetattr(io::stdin())?,
            taken: false,
        }));
        // Before the terminal is changed, lest a signal leave it so.
        wait_for_signals(Arc::clone(&tty), messages.clone())?;
        let hook = panic::take_hook();
        let shared = Arc::clone(&tty);
        panic::set_hook(Box::new(move |info| {
            // A release does not unwind, so that nothing is dropped.
            if let Ok(mut tty) = shared.try_lock() {
                tty.give_back();
            }
            hook(info);
        }));
        let terminal = Terminal(tty);
        lock(&terminal.0).take()?;
        let messages = messages.clone();
        thread::spawn(move || read_keys(&messages));
        Ok(terminal)
    }

    /// Rows and columns.
    pub fn size(&self) -> io::Result<(usize, usize)> {
        let size = tcgetwinsize(&lock(&self.0).out)?;
        Ok(match (size.ws_row, size.ws_col) {
            (0, _) | (_, 0) => USUAL_SIZE,
            (rows, columns) => (rows.into(), columns.into()),
        })
    }

    /// Draws `picture`.
    pub fn draw(&self, picture: &[u8]) -> io::Result<()> {
        lock(&self.0).out.write_all(picture)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        lock(&self.0).give_back();
    }
}

fn lock(tty: &Mutex<Tty>) -> MutexGuard<'_, Tty> {
    tty.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait_for_signals(tty: Arc<Mutex<Tty>>, messages: Sender<Message>) -> io::Result<()> {
    let all = [SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH];
    let mut signals = Signals::new(all)?;
    let before = lock(&tty).before.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGWINCH => {}
                SIGTSTP => {
                    let mut tty = lock(&tty);
                    let taken = tty.give_back();
                    let _ = emulate_default_handler(SIGTSTP);
                    if taken {
                        let _ = tty.take();
                    }
                }
                // Whoever stopped the program may have changed the terminal.
                SIGCONT => {
                    let mut tty = lock(&tty);
                    if tty.taken {
                        let _ = tty.take();
                    }
                }
                signal => end(&tty, &before, signal),
            }
            let _ = messages.send(Message::Redraw);
        }
    });
    Ok(())
}

/// Ends the program. What is drawn on the terminal gets a while to be drawn.
fn end(tty: &Mutex<Tty>, before: &Termios, signal: i32) -> ! {
    for _ in 0..TRIES {
        if let Ok(mut tty) = tty.try_lock() {
            tty.give_back();
            // The lock is kept: nothing is drawn any more.
            process::exit(status(signal) as i32);
        }
        thread::sleep(BETWEEN_TRIES);
    }
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    process::exit(status(signal) as i32)
}

/// Ctrl-C is how one leaves it.
fn status(signal: i32) -> Exit {
    match signal {
        SIGINT => Exit::Success,
        SIGHUP => Exit::HungUp,
        SIGQUIT => Exit::Quit,
        _ => Exit::Terminated,
    }
}

fn read_keys(messages: &Sender<Message>) {
    let mut bytes = [0; 64];
    loop {
        match rustix::io::read(io::stdin(), &mut bytes) {
            Ok(count @ 1..) => {
                for key in keys(&bytes[..count]) {
                    let _ = messages.send(Message::Key(key));
                }
            }
            Err(Errno::INTR) => {}
            Ok(0) | Err(_) => {
                let _ = messages.send(Message::Gone);
                return;
            }
        }
    }
}

/// The keys that sent `bytes`; those that mean nothing are left out.
fn keys(mut bytes: &[u8]) -> Vec<Key> {
    #[rustfmt::skip] // one line a key
    const KEYS: [(&[u8], Key); 24] = [
        (b"\x1b[A", Key::Up), (b"\x1bOA", Key::Up), (b"k", Key::Up),
        (b"\x1b[B", Key::Down), (b"\x1bOB", Key::Down), (b"j", Key::Down), (b"\r", Key::Down), (b"\n", Key::Down),
        (b"\x1b[5~", Key::PageUp), (b"b", Key::PageUp), (b"\x02", Key::PageUp),
        (b"\x1b[6~", Key::PageDown), (b" ", Key::PageDown), (b"\x06", Key::PageDown),
        (b"\x1b[H", Key::Home), (b"\x1bOH", Key::Home), (b"\x1b[1~", Key::Home), (b"g", Key::Home),
        (b"\x1b[F", Key::End), (b"\x1bOF", Key::End), (b"\x1b[4~", Key::End), (b"G", Key::End),
        (b"q", Key::Quit), (b"Q", Key::Quit),
    ];
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let known = KEYS.iter().find(|(text, _)| bytes.starts_with(text));
        let len = match known {
            Some((text, key)) => {
                found.push(*key);
                text.len()
            }
            None => unknown(bytes),
        };
        bytes = &bytes[len..];
    }
    found
}

/// The length of a key that means nothing: of a whole sequence, whose last
/// letter must not pass for a key.
fn unknown(bytes: &[u8]) -> usize {
    match bytes {
        [b'\x1b', b'[', rest @ ..] => {
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte));
            end.map_or(bytes.len(), |end| end + 3)
        }
        [b'\x1b', _, ..] => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart() {
        for (bytes, wanted) in [
            (&b"q"[..], &[Key::Quit][..]),
            (b"\x1b[A\x1bOBj", &[Key::Up, Key::Down, Key::Down]),
            (
                b"\x1b[5~\x1b[6~ b",
                &[Key::PageUp, Key::PageDown, Key::PageDown, Key::PageUp],
            ),
            // Ctrl-Up and F1, mouse wheels and lone escapes.
            (b"\x1b[1;5A\x1bOPG", &[Key::End]),
            (b"\x1b[<64;1;1Mg", &[Key::Home]),
            (b"\x1b", &[]),
            (b"\x1b[", &[]),
            (b"xyz\xff\0", &[]),
        ] {
            assert_eq!(keys(bytes), wanted, "{bytes:?}");
        }
    }
}
