//! ipvstop: who is busy in the Linux Virtual Server, as top shows it of
//! processes. It only reads.
//!
//! * `screen` ties everything together on a terminal, `batch` without one
//! * `state` is what is shown, and what keys change about it
//! * `draw` puts it on the screen
//! * `sample`, `history`: what there is to show
//! * `terminal`: the terminal itself, which is never left broken
//! * [`command_line`] says what it is asked to do

#![forbid(unsafe_code)]
// As in ipvsadm.
#![cfg_attr(
    not(test),
    warn(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss
    )
)]

mod batch;
mod column;
pub mod command_line;
mod draw;
mod history;
#[cfg(test)]
mod invented;
mod sample;
mod screen;
mod state;
mod terminal;

use command_line::{Invocation, Watch};
use ipvs::Ipvs;
use ipvsadm::names::SystemLookup;
use ipvsadm::rates::{Reading, Sampler, TableReader};
use ipvsadm::run::{Failure, Output, found, report, say, say_of_names, trouble};
use ipvsadm::selection::Selection;
use sample::Sample;
use std::ffi::OsStr;
use std::io;

/// The command line is wrong, there is no IPVS, or no terminal.
const USAGE: u8 = 2;

/// What ended the program before it was done.
#[derive(Debug)]
enum Stop {
    /// The same as in ipvsadm.
    Failure(Failure),
    /// The command line, or the place to run in, is wrong.
    Usage(String),
    /// The terminal failed.
    Terminal(io::Error),
    /// A signal.
    Signal(i32),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failure(failure)
    }
}

/// Runs with these words, the program's name first; the exit status.
pub fn run(words: &[&[u8]]) -> u8 {
    let out = Output::open();
    match try_run(words.get(1..).unwrap_or_default(), out) {
        Ok(()) => 0,
        Err(Stop::Failure(failure)) => report(&failure) as u8,
        Err(Stop::Usage(text)) => {
            say(format!("ipvstop: {text}").as_bytes());
            USAGE
        }
        Err(Stop::Terminal(error)) => {
            say(format!("ipvstop: the terminal failed: {error}").as_bytes());
            1
        }
        // As shells have it.
        Err(Stop::Signal(signal)) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
    }
}

fn try_run(words: &[&[u8]], mut out: Output) -> Result<(), Stop> {
    let mut lookup = SystemLookup::default();
    let invocation = command_line::parse(words, &mut lookup).map_err(Stop::Usage)?;
    say_of_names(&lookup.several);
    match invocation {
        Invocation::Print(text) => batch::print(&mut out, text.as_bytes()),
        Invocation::Watch(watch) => watch_table(&watch, &mut out).map_err(|stop| match stop {
            Stop::Failure(failure) => Stop::Failure(trouble(&watch.part, failure)),
            // As any trouble then: 1 says that there is nothing.
            Stop::Terminal(error) if watch.part.selects_hosts() => {
                Stop::Usage(format!("the terminal failed: {error}"))
            }
            stop => stop,
        }),
    }
}

fn watch_table(watch: &Watch, out: &mut Output) -> Result<(), Stop> {
    if watch.batch {
        return batch::run(out, open(watch.netns.as_deref())?, watch);
    }
    terminal::check().map_err(Stop::Usage)?;
    screen::run(open(watch.netns.as_deref())?, watch)
}

/// Looks at a part of the table again and again.
struct Looks {
    ipvs: Ipvs,
    part: Selection,
    reader: TableReader,
    sampler: Sampler,
    /// Whether there was one.
    begun: bool,
}

impl Looks {
    fn new(ipvs: Ipvs, part: Selection) -> Looks {
        Looks {
            ipvs,
            part,
            reader: TableReader::default(),
            sampler: Sampler::default(),
            begun: false,
        }
    }

    /// The next look. What the first one does not find is not there; later, it may
    /// have gone, and may come back.
    fn next(&mut self) -> Result<Sample, Failure> {
        let reading = self.read()?;
        self.begun = true;
        let of_servers = self.part.server.is_some();
        Ok(Sample::new(reading, &mut self.sampler, of_servers))
    }

    fn read(&mut self) -> Result<Reading, Failure> {
        let reading = self.reader.read(&mut self.ipvs, &self.part);
        let reading = reading.map_err(Failure::list)?;
        if !self.begun {
            found(&self.part, &reading.table)?;
        }
        Ok(reading)
    }
}

fn open(netns: Option<&OsStr>) -> Result<Ipvs, Stop> {
    let mut ipvs = ipvsadm::run::open(netns)?;
    // Fails for who may not administer IPVS, before a screen is drawn.
    ipvs.info().map_err(Failure::list)?;
    Ok(ipvs)
}
