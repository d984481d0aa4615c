//! Both programs on a kernel that has no IPVS and cannot load it: the same
//! words and exit status, at once; help, version and usage errors do not need
//! a kernel (the difference `usage-without-root`).

#[path = "../support/mod.rs"]
mod support;

use ipvsadm::cli::help;
use std::path::PathBuf;
use std::process::ExitCode;
use support::lab::{self, Kernel};
use support::netns;
use support::programs::{Call, Outcome, Program, Tool};

fn main() -> ExitCode {
    let trials = vec![
        lab::shared("needs_the_kernel", || in_place(needs_the_kernel)),
        lab::shared("needs_no_kernel", || in_place(needs_no_kernel)),
        lab::shared("save_and_restore", || in_place(save_and_restore)),
    ];
    lab::main(Kernel::WithoutIpvs, trials, || {})
}

/// The programs, in an empty network namespace.
struct Place {
    dir: PathBuf,
}

impl Place {
    fn program(&self, tool: Tool, path: &str, whose: &str) -> Program {
        Program::copied(path, &self.dir, &format!("{whose}-{}", tool.name()))
    }

    fn reference(&self, tool: Tool) -> Program {
        self.program(tool, tool.reference(), "reference")
    }

    fn ours(&self, tool: Tool) -> Program {
        self.program(tool, tool.ours(), "ours")
    }
}

fn in_place(test: fn(&Place)) -> Result<(), libtest_mimic::Failed> {
    let dir = netns::private_mounts();
    netns::new_network("");
    test(&Place { dir });
    Ok(())
}

fn check(call: &Call, ours: &Outcome, expected: &Outcome) {
    assert!(
        ours == expected,
        "{call}\nours: {ours}\nexpected: {expected}"
    );
}

fn needs_the_kernel(place: &Place) {
    let (reference, ours) = (place.reference(Tool::Ipvsadm), place.ours(Tool::Ipvsadm));
    for line in [
        "",
        "-Ln",
        "-L -t 10.0.0.1:80",
        "-Lcn",
        "-L --timeout",
        "-S",
        "-C",
        "-Z",
        "-A -t 10.0.0.1:80 -s rr",
        "-D -t 10.0.0.1:80",
        "-a -t 10.0.0.1:80 -r 10.0.0.2",
        "--set 1 2 3",
        "--start-daemon master",
        "--stop-daemon backup",
        "-R",
    ] {
        for call in [Call::new(line), Call::new(line).nobody()] {
            check(&call, &ours.call(&call), &reference.call(&call));
        }
    }
    let call = Call::new("-R").stdin("-A -f 1\n-C\n");
    check(&call, &ours.call(&call), &reference.call(&call));
}

fn needs_no_kernel(place: &Place) {
    let ours = place.ours(Tool::Ipvsadm);
    for (line, outcome) in [
        ("-h", Outcome::new(0, help::help("ipvsadm"), "")),
        ("-v", Outcome::new(0, help::version(), "")),
        (
            "-Q",
            Outcome::new(
                255,
                "",
                "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n",
            ),
        ),
        ("-L -Q", Outcome::new(255, "", "-Q: unknown option\n")),
        ("-L foo", Outcome::new(2, "", "unexpected argument foo\n")),
        (
            "-A -t 10.0.0.1",
            Outcome::new(2, "", "Zero port specified for non-persistent service\n"),
        ),
    ] {
        for call in [Call::new(line), Call::new(line).nobody()] {
            check(&call, &ours.call(&call), &outcome);
        }
    }
    let wrong = Call::new("-R").stdin("-C\n-Q\n");
    let said = Outcome::new(2, "", "line 2: -Q: unknown option\n");
    check(&wrong, &ours.call(&wrong), &said);
}

fn save_and_restore(place: &Place) {
    let call = Call::new("-n").tool(Tool::Save);
    let (reference, ours) = (place.reference(Tool::Save), place.ours(Tool::Save));
    check(&call, &ours.call(&call), &reference.call(&call));
    let call = Call::new("").tool(Tool::Restore).stdin("-A -f 1\n");
    let outcome = place.ours(Tool::Restore).call(&call);
    let text = String::from_utf8_lossy(&outcome.stderr).into_owned();
    assert!(
        text.contains("Can't initialize ipvs: Protocol not available"),
        "{text}"
    );
}
