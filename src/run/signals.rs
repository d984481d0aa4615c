//! Interrupts while the table is being changed: they are noted, and acted on
//! when nothing is half done.

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether somebody wants the program to end.
#[derive(Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on, interrupts are noted and do not end the program; nor does
    /// a closed pipe, whose error the writer sees.
    pub fn watch() -> io::Result<Interrupt> {
        let interrupt = Interrupt::default();
        flag::register(SIGPIPE, Arc::new(AtomicBool::new(false)))?;
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            flag::register(signal, Arc::clone(&interrupt.0))?;
        }
        Ok(interrupt)
    }

    /// Whether there was one.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
