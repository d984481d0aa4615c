//! Programs that read what ipvsadm writes; `parsers.py` has their logic.

use crate::Test;
use crate::cluster::Cluster;
use crate::installed::same_with_both;
use anyhow::{Context, Result};
use std::fs;

pub const TESTS: &[Test] = &[("parsers_read_the_same", parsers_read_the_same)];

const PARSERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/parsers.py");

fn parsers_read_the_same() -> Result<()> {
    let script = fs::read_to_string(PARSERS).context(PARSERS)?;
    same_with_both(|| {
        let cluster = Cluster::masquerading(1)?;
        cluster.director.run("python3", &["-"], &script)
    })?;
    Ok(())
}
