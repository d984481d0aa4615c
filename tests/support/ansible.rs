//! Ansible from PyPI, which tests/clients/ansible/get puts where the lab finds it.

use std::path::Path;
use std::process::Command;

/// Where its versions are, on the host: `debian` and `current`.
pub const ANSIBLE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/ansible");

/// Gets it, unless it is there. Tells what went wrong, and gives false.
pub fn get() -> bool {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/ansible/get");
    let status = Command::new(&script).arg(ANSIBLE).status();
    let done = status.is_ok_and(|status| status.success());
    if !done {
        eprintln!("These tests need what {} gets.", script.display());
    }
    done
}
