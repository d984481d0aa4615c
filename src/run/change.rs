//! One change of the table.

use super::failure::{Failure, Result};
use crate::kernel::Ipvs;
use crate::model::Change;

/// Asks the kernel for `change`.
pub fn one(ipvs: &mut Ipvs, change: &Change) -> Result<()> {
    ipvs.change(change)
        .map_err(|error| Failure::change(change, error))
}
