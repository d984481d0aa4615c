//! Carries commands out: the layer that ties command line, kernel and output
//! together, and the only one that prints errors and chooses the exit status.
//!
//! What a command line means is decided in `cli`, what output looks like in
//! `render`, what the kernel is told in `kernel`: none of that belongs here.

mod change;
mod drain;
mod exit;
mod failure;
mod hint;
mod list;
mod output;
mod programs;
mod replace;
mod restore;
mod save;
mod signals;
mod table;

pub use exit::Exit;
pub use failure::{Failure, Result, report, say};
pub use output::Output;
pub use programs::{ipvsadm, ipvsadm_restore, ipvsadm_save};

use crate::cli::{Action, Command, Invocation, help};
use crate::kernel::{Ipvs, Namespace};
use restore::Start;

/// What all commands share: the connection to the kernel, and the output.
struct Session {
    ipvs: Ipvs,
    out: Output,
}

impl Session {
    fn open(out: Output) -> Result<Session> {
        let ipvs = Ipvs::open(Namespace::current())
            .map_err(|error| Failure::Unavailable(error.errno()))?;
        Ok(Session { ipvs, out })
    }

    /// Fails if the user may not administer IPVS, before anything is tried.
    fn check_permission(&mut self) -> Result<()> {
        self.ipvs.info().map_err(Failure::list)?;
        Ok(())
    }

    /// Does what one command asks for.
    fn run(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Change(change) => change::one(&mut self.ipvs, change),
            Action::Drain {
                service,
                server,
                limit,
            } => drain::drain(&mut self.ipvs, service, server, *limit),
            Action::List(list) => list::list(self, list),
            Action::Save(options) => save::save(self, options.numeric, options.all),
        }
    }
}

/// Does what the user asked for.
fn carry_out(invocation: &Invocation, out: Output) -> Result<Exit> {
    match &invocation.command {
        Command::Help => {
            let program = String::from_utf8_lossy(invocation.program);
            print(out, &help::help(&program))
        }
        Command::Version => print(out, &help::version()),
        Command::Restore(options) => {
            let input = restore::standard_input()?;
            restore::restore(&input, *options, Start::AsIs, out)
        }
        Command::Action(action) => act(action, out),
    }
}

fn act(action: &Action, out: Output) -> Result<Exit> {
    let mut session = Session::open(out)?;
    let result = session.run(action);
    // What was listed before a failure is printed all the same.
    let written = session.out.finish();
    result.and(written).map(|()| Exit::Success)
}

/// Prints a text of the program's own.
fn print(mut out: Output, text: &str) -> Result<Exit> {
    out.buffer().text(text);
    out.finish()?;
    Ok(Exit::Success)
}
