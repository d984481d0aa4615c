//! The lab itself: what it promises to the tests that run in it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn lab(arguments: &[&str]) -> Output {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(repository.join("tests/lab/lab"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the lab")
}

/// Starts a program that stays at its first file, a pipe without a writer: the
/// kernel blocks who starts it, and no signal helps.
const BLOCKED: &str = r#"
import os
print("here it blocks", flush=True)
os.mkfifo("/tmp/pipe")
os.posix_spawn("/bin/true", ["true"], {},
    file_actions=[(os.POSIX_SPAWN_OPEN, 0, "/tmp/pipe", os.O_RDONLY, 0)])
"#;

#[test]
fn a_stall_ends_the_run() {
    let output = lab(&["run", "--stall", "15", "python3", "-c", BLOCKED]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "here it blocks\n");
    for words in [
        "has written nothing for 15 seconds",
        // The stack of who is blocked, and then all processes.
        "(python3)\n    [<0>] kernel_clone",
        "COMMAND\n",
        "import os",
    ] {
        assert!(stderr.contains(words), "{words} is not in:\n{stderr}");
    }
}

#[test]
fn a_stall_is_told_in_seconds() {
    let output = lab(&["run", "--stall", "soon", "true"]);
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "lab: --stall takes seconds, not soon\n"
    );
}
