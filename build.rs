//! How the programs are linked, so that a small command starts sooner: health
//! checkers run thousands of them.
//!
//! libgcc, of which Rust's standard library needs the unwinder, is linked in:
//! finding, loading and relocating libgcc_s.so.1 is a tenth of what a small
//! command costs. The standard library asks for `-lgcc_s` whatever the flags say,
//! so the linker finds a script under that name first. Where there is no static
//! libgcc, or another compiler's would be found, everything stays as it is.
//!
//! What the compiler knows to be rare (panics, growing a vector) lies together
//! and not between what every command runs: fewer pages are loaded, which is
//! another 3 %. GNU ld always does so, and only warns of the option; lld wants it
//! said.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let var = |name: &str| env::var(name).unwrap_or_default();
    let native = var("HOST") == var("TARGET") && var("CARGO_CFG_TARGET_ENV") == "gnu";
    let linker = env::var("RUSTC_LINKER").unwrap_or("cc".into());
    if native {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,keep-text-section-prefix");
    }
    if native && has_static_libgcc(&linker) {
        let dir = PathBuf::from(var("OUT_DIR"));
        let script = dir.join("libgcc_s.so");
        fs::write(&script, "INPUT(-lgcc_eh -lgcc)\n").expect("OUT_DIR can be written");
        println!("cargo::rustc-link-search=native={}", dir.display());
    }
}

fn has_static_libgcc(linker: &str) -> bool {
    // What it does not find it prints as it is.
    let found = Command::new(linker)
        .arg("-print-file-name=libgcc_eh.a")
        .output();
    found.is_ok_and(|out| Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_absolute())
}
