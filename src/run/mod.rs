//! Doing what a command says: the layer that ties words, kernel and output
//! together, and the only one that prints complaints and chooses the exit
//! status.
//!
//! What a command line means is decided in `cli`, what output looks like in
//! `render`, what the kernel is told in `kernel`: nothing of that belongs here.

mod change;
mod drain;
mod failure;
mod hint;
mod list;
mod output;
mod programs;
mod replace;
mod restore;
mod save;
mod signals;

pub use programs::{ipvsadm, ipvsadm_restore, ipvsadm_save};

use crate::cli::{Command, Exit, help};
use crate::kernel::{Ipvs, Namespace};
use failure::Failure;
use output::Output;
use restore::Start;

/// What the parts of a run share: the way to the kernel and the output.
struct Session {
    ipvs: Ipvs,
    out: Output,
}

impl Session {
    fn open(out: Output) -> anyhow::Result<Session> {
        let ipvs = Ipvs::open(Namespace::current())
            .map_err(|error| Failure::Unavailable(error.errno()))?;
        Ok(Session { ipvs, out })
    }

    /// Fails for who may not administer IPVS, before anything is tried.
    fn check_permission(&mut self) -> anyhow::Result<()> {
        self.ipvs.info().map_err(Failure::list)?;
        Ok(())
    }

    /// Carries out one command that needs the kernel.
    fn run(&mut self, command: &Command) -> anyhow::Result<()> {
        match command {
            Command::Change(change) => change::one(&mut self.ipvs, change),
            Command::Drain {
                service,
                server,
                limit,
            } => drain::drain(&mut self.ipvs, service, server, *limit),
            Command::List(list) => list::list(self, list),
            Command::Save { numeric, all } => save::save(self, *numeric, *all),
            Command::Restore(_) | Command::Help | Command::Version => Ok(()),
        }
    }
}

/// Carries out `command` for a program called `program`.
fn carry_out(program: &str, command: &Command, out: Output) -> anyhow::Result<Exit> {
    match command {
        Command::Help => print(out, &help::help(program)),
        Command::Version => print(out, &help::version()),
        Command::Restore(options) => {
            let input = restore::standard_input()?;
            restore::restore(&input, *options, Start::AsIs, out)
        }
        _ => {
            let mut session = Session::open(out)?;
            let result = session.run(command);
            // What was listed before something failed is worth seeing.
            let written = session.out.finish();
            result.and(written).map(|()| Exit::Done)
        }
    }
}

/// Prints a text of the program's own.
fn print(mut out: Output, text: &str) -> anyhow::Result<Exit> {
    out.print(text)?;
    out.finish()?;
    Ok(Exit::Done)
}
