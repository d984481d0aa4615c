//! `main` of a test binary that needs a kernel with IPVS: it runs itself again
//! inside `tests/lab`. It never runs its tests elsewhere: they change settings
//! and files that other people may need.
//!
//! Tests run one after the other on the main thread, because a network
//! namespace belongs to a thread. They never skip: without a lab they fail.
//! Several machines can share them, see [`shared`].

use super::programs::OURS;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;
use std::{env, fs, io};

/// The kernel that tests want.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// One with IPVS.
    WithIpvs,
    /// One without.
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
    shared(name, move || test().verdict())
}

/// A test that leaves a file with its duration in the directory
/// `IPVSADM_RECORDS`, if there is one. Machines that share the directory share the
/// tests: the machine that makes the file runs the test (see tests/all).
pub fn shared(
    name: &'static str,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || {
        let title = format!("{} {name}", env!("CARGO_CRATE_NAME"));
        let records = env::var_os("IPVSADM_RECORDS");
        let record = records.map(|records| Path::new(&records).join(&title));
        if let Some(record) = &record {
            match File::create_new(record) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Ok(Completion::ignored_with("in another machine"));
                }
                file => drop(file?),
            }
        }
        let begun = Instant::now();
        test()?;
        if let Some(record) = record {
            let seconds = begun.elapsed().as_secs_f64();
            fs::write(record, format!("{seconds:6.1} s  {title}\n"))?;
        }
        Ok(Completion::Completed)
    })
}

/// Runs `trials`, then `summary`, where the `kernel` is.
pub fn main(kernel: Kernel, trials: Vec<Trial>, summary: impl FnOnce()) -> ExitCode {
    let mut arguments = Arguments::from_args();
    if !arguments.list && env::var_os("IPVSADM_LAB").is_none() {
        return in_the_lab(kernel);
    }
    if !arguments.list && kernel == Kernel::WithIpvs {
        load_schedulers().expect("modules of IPVS");
    }
    arguments.test_threads = Some(1);
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        summary();
    }
    conclusion.exit_code()
}

/// Loads what the kernel would load while it holds the mutex of IPVS: every
/// scheduler and persistence engine. Those with state per namespace (lblc,
/// lblcr) wait for the removal of an earlier test's namespace, which waits for
/// that mutex: a deadlock.
pub fn load_schedulers() -> io::Result<()> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let modules = format!("/lib/modules/{}/kernel/net/netfilter/ipvs", release.trim());
    let mut modprobe = Command::new("modprobe");
    modprobe.arg("-a");
    for file in fs::read_dir(modules)? {
        let name = file?.file_name().to_string_lossy().into_owned();
        let name = name.split('.').next().unwrap_or_default();
        // That one is neither, and would take part in the tests' connections.
        if name != "ip_vs_ftp" {
            modprobe.arg(name);
        }
    }
    let status = modprobe.status()?;
    if !status.success() {
        return Err(io::Error::other(format!("modprobe: {status}")));
    }
    Ok(())
}

/// Puts the programs of the other packages beside ours. This test is named so that
/// cargo chooses the same features for the libraries, and so builds nothing else.
fn build_others(repository: &Path) -> io::Result<()> {
    let programs = Path::new(OURS).parent().expect("a directory");
    let profile = match programs.file_name().expect("a profile").to_str() {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let status = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .current_dir(repository)
        .args(["build", "--locked", "--quiet"])
        .args(["--bin", "ipvstop", "--example", "list"])
        .args(["--test", env!("CARGO_CRATE_NAME")])
        .args(["--profile", profile, "--target-dir"])
        .arg(programs.parent().expect("a target directory"))
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(status.to_string())),
    }
}

fn in_the_lab(kernel: Kernel) -> ExitCode {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Err(error) = build_others(repository) {
        eprintln!("cannot build the programs of the other packages: {error}");
        return ExitCode::FAILURE;
    }
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
    eprintln!(
        "cannot run {}: {error}",
        lab.get_program().to_string_lossy()
    );
    eprintln!(
        "These tests need root and a kernel with IPVS, or tests/lab (see `tests/lab/lab --help`)."
    );
    ExitCode::FAILURE
}
