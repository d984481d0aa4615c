//! One change of the table.

use super::failure::{self, Failure};
use super::hint::hint;
use crate::kernel::Ipvs;
use crate::model::Change;

/// Asks the kernel for `change`.
pub fn one(ipvs: &mut Ipvs, change: &Change) -> anyhow::Result<()> {
    let Err(error) = ipvs.change(change) else {
        return Ok(());
    };
    let failure = Failure::kernel(change.verb(), error);
    if let Failure::Refused(_, errno) = failure {
        failure::say(&failure.text());
        if let Some(hint) = hint(change, errno) {
            failure::say_hint(&hint);
        }
        return Err(Failure::Said(failure.exit()).into());
    }
    Err(failure.into())
}
