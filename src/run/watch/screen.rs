//! `-L --watch` on a terminal: the listing is drawn again in its place.

use super::listings::Listings;
use super::terminal::{Key, Message, Terminal};
use super::view::{Lines, View};
use super::{Looks, seen};
use crate::rates::rfc3339;
use crate::run::exit::Exit;
use crate::run::failure::{Failure, Result};
use crate::run::output::Output;
use crate::run::session::Session;
use anyhow::Context;
use std::io;
use std::mem;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Instant, SystemTime};

/// Shows `listings` until the user quits. After a number of looks the last one
/// is left behind.
pub fn show(
    session: &mut Session,
    mut listings: Listings,
    mut looks: Looks,
    lines: Lines,
) -> Result<Exit> {
    let (sender, messages) = mpsc::channel();
    let mut screen = Screen {
        view: View::new(lines),
        terminal: failed(Terminal::take(&sender))?,
        messages,
    };
    // The listing is kept, and drawn as far as it fits.
    let out = mem::replace(&mut session.out, Output::kept());
    let end = screen.run(session, &mut listings, &mut looks)?;
    session.out = out;
    let Screen { view, terminal, .. } = screen;
    drop(terminal);
    if end.is_none() {
        session.out.buffer().text(view.listing());
        session.out.finish()?;
    }
    Ok(end.unwrap_or(Exit::Success))
}

struct Screen {
    view: View,
    terminal: Terminal,
    messages: Receiver<Message>,
}

impl Screen {
    /// How it ended; `None` after the last look.
    fn run(
        &mut self,
        session: &mut Session,
        listings: &mut Listings,
        looks: &mut Looks,
    ) -> Result<Option<Exit>> {
        if listings.counts() {
            self.view.note("counting");
            self.draw()?;
            seen(listings.begin(session))?;
        }
        while let Some(due) = looks.next() {
            if let Some(exit) = self.wait(due)? {
                return Ok(Some(exit));
            }
            let time = rfc3339(SystemTime::now());
            let result = listings.list(session, &time);
            let listing = session.out.take();
            match result {
                Err(failure @ Failure::Unstable) => self.view.note(&failure.to_string()),
                result => {
                    result?;
                    self.view.take(time, listing);
                    self.view
                        .note(listings.note(&session.ipvs).unwrap_or_default());
                }
            }
            self.draw()?;
        }
        Ok(None)
    }

    /// Waits until `due`; how the user has ended it before.
    fn wait(&mut self, due: Instant) -> Result<Option<Exit>> {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Ok(Message::Key(Key::Quit)) => return Ok(Some(Exit::Success)),
                // What has hung up sends a signal, too.
                Ok(Message::Gone) | Err(RecvTimeoutError::Disconnected) => {
                    return Ok(Some(Exit::HungUp));
                }
                Ok(Message::Key(key)) => {
                    let (rows, _) = failed(self.terminal.size())?;
                    self.view.scroll(key, rows);
                    self.draw()?;
                }
                Ok(Message::Redraw) => self.draw()?,
            }
        }
    }

    fn draw(&self) -> Result<()> {
        let (rows, columns) = failed(self.terminal.size())?;
        failed(self.terminal.draw(&self.view.picture(rows, columns)))
    }
}

fn failed<T>(result: io::Result<T>) -> Result<T> {
    result
        .context("the terminal failed")
        .map_err(Failure::Other)
}
