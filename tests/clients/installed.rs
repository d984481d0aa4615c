//! Which ipvsadm is installed: clients look for it where Debian puts it.

use crate::cluster::host;
use crate::support::programs;
use anyhow::{Context, Result, bail, ensure};
use nix::mount::{MsFlags, mount, umount};

/// The installed files, and ours.
const FILES: [(&str, &str); 3] = [
    ("/usr/sbin/ipvsadm", programs::OURS),
    ("/usr/sbin/ipvsadm-save", programs::SAVE),
    ("/usr/sbin/ipvsadm-restore", programs::RESTORE),
];

/// Ours in the place of the reference, for these tests alone and until dropped.
struct Ours;

impl Ours {
    fn install() -> Result<Self> {
        for (place, file) in FILES {
            let copy = host::in_memory(file)?;
            let none: Option<&str> = None;
            mount(Some(&copy), place, none, MsFlags::MS_BIND, none).context(place)?;
        }
        Ok(Self)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        for (place, _) in FILES {
            umount(place).expect("mounted by install");
        }
    }
}

/// Does `work` with the reference and with ours. What it tells must be the
/// same, and is returned.
pub fn same_with_both(work: impl Fn() -> Result<String>) -> Result<String> {
    host::prepare();
    let theirs = work().context("with the reference")?;
    let installed = Ours::install()?;
    let ours = work().context("with ours")?;
    drop(installed);
    let mut lines = ours.lines().zip(theirs.lines());
    if let Some((ours, theirs)) = lines.find(|(ours, theirs)| ours != theirs) {
        bail!("ours: {ours}\nthe reference: {theirs}");
    }
    ensure!(ours == theirs, "one tells more:\n{ours}\n--\n{theirs}");
    Ok(ours)
}
