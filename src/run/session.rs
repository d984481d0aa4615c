//! What all commands share.

use super::failure::{Failure, Result};
use super::output::Output;
use crate::kernel::{Ipvs, Namespace};

/// The connection to the kernel, and the output.
pub struct Session {
    /// The client.
    pub ipvs: Ipvs,
    /// Standard output.
    pub out: Output,
}

impl Session {
    /// Opens the connection.
    pub fn open(out: Output) -> Result<Session> {
        let ipvs = Ipvs::open(Namespace::current())
            .map_err(|error| Failure::Unavailable(error.errno()))?;
        Ok(Session { ipvs, out })
    }

    /// Fails if the user may not administer IPVS, before anything is tried.
    pub fn check_permission(&mut self) -> Result<()> {
        self.ipvs.info().map_err(Failure::list)?;
        Ok(())
    }
}
