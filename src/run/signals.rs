//! Interrupts while the table is being changed: they are noted, and take effect
//! when the current change is complete.

use super::exit::Exit;
use super::failure::{Failure, Result};
use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SIGNALS: [(i32, Exit); 4] = [
    (SIGHUP, Exit::HungUp),
    (SIGINT, Exit::Interrupted),
    (SIGQUIT, Exit::Quit),
    (SIGTERM, Exit::Terminated),
];

/// The last signal that asked the program to end, or 0.
#[derive(Debug, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// From now on, interrupts are noted and do not end the program; nor does
    /// a closed pipe, whose error the writer sees.
    pub fn watch() -> Result<Interrupt> {
        Interrupt::register()
            .context("cannot handle signals")
            .map_err(Failure::Other)
    }

    fn register() -> io::Result<Interrupt> {
        let interrupt = Interrupt::default();
        flag::register(SIGPIPE, Arc::new(AtomicBool::new(false)))?;
        for (signal, _) in SIGNALS {
            flag::register_usize(
                signal,
                Arc::clone(&interrupt.0),
                signal.unsigned_abs() as usize,
            )?;
        }
        Ok(interrupt)
    }

    /// Whether there was one.
    pub fn came(&self) -> bool {
        self.exit().is_some()
    }

    /// The exit status that goes with the one that came.
    pub fn exit(&self) -> Option<Exit> {
        let came = self.0.load(Ordering::Relaxed);
        let mut signals = SIGNALS.into_iter();
        signals.find_map(|(signal, exit)| (signal.unsigned_abs() as usize == came).then_some(exit))
    }
}
