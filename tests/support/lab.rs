//! `main` of a test binary that needs a kernel with IPVS: it runs the tests
//! where there is one, and otherwise runs itself again inside `tests/lab`.
//!
//! Tests run one after the other on the main thread, because a network
//! namespace belongs to a thread. They never skip: without a lab they fail.

use libtest_mimic::{Arguments, Failed, Trial};
use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The kernel that tests want.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// One with IPVS; this machine's own will do.
    WithIpvs,
    /// One without; that is always the lab's.
    WithoutIpvs,
}

/// A test's name and body.
pub type Test<T> = (&'static str, fn() -> T);

/// What a test's body comes to, if it does not panic.
pub trait Verdict: 'static {
    fn verdict(self) -> Result<(), Failed>;
}

impl Verdict for () {
    fn verdict(self) -> Result<(), Failed> {
        Ok(())
    }
}

impl Verdict for anyhow::Result<()> {
    fn verdict(self) -> Result<(), Failed> {
        self.map_err(|error| Failed::from(format!("{error:?}")))
    }
}

/// The test as libtest-mimic wants it.
pub fn trial<T: Verdict>(&(name, test): &Test<T>) -> Trial {
    Trial::test(name, move || test().verdict())
}

/// Runs `trials`, then `summary`, where the `kernel` is.
pub fn main(kernel: Kernel, trials: Vec<Trial>, summary: impl FnOnce()) -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list && !here(kernel) {
        return in_the_lab(kernel);
    }
    arguments.test_threads = Some(1);
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        summary();
    }
    conclusion.exit_code()
}

fn here(kernel: Kernel) -> bool {
    env::var_os("IPVSADM_LAB").is_some()
        || kernel == Kernel::WithIpvs
            && nix::unistd::geteuid().is_root()
            && Path::new(super::programs::REFERENCE).exists()
            && has_ipvs()
}

fn has_ipvs() -> bool {
    let loaded = || Path::new("/proc/net/ip_vs").exists();
    let load = || {
        let mut modprobe = Command::new("modprobe");
        modprobe.arg("ip_vs").stderr(Stdio::null()).status()
    };
    loaded() || load().is_ok_and(|status| status.success()) && loaded()
}

fn in_the_lab(kernel: Kernel) -> ExitCode {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lab = Command::new(repository.join("tests/lab/lab"));
    lab.current_dir(repository).arg("run");
    if let Some(suite) = env::var_os("IPVSADM_KERNEL") {
        lab.arg("--kernel").arg(suite);
    }
    if kernel == Kernel::WithoutIpvs {
        lab.arg("--no-ipvs");
    }
    lab.arg("--").arg(env::current_exe().expect("this program"));
    let error = lab.args(env::args_os().skip(1)).exec();
    eprintln!("cannot run {}: {error}", lab.get_program().display());
    eprintln!(
        "These tests need root and a kernel with IPVS, or tests/lab (see `tests/lab/lab --help`)."
    );
    ExitCode::FAILURE
}
