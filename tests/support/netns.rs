//! Places of their own for tests: a mount namespace in which files of the
//! system can be replaced, and network namespaces. Both belong to the calling
//! thread and to what it starts; the machine outside does not change.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Gives this thread a mount namespace, and in it an empty directory in
/// memory, which it returns.
pub fn private_mounts() -> PathBuf {
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace");
    let none: Option<&str> = None;
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    mount(none, "/", none, private, none).expect("private mounts");
    let dir = std::env::temp_dir().join("ipvsadm-tests");
    fs::create_dir_all(&dir).expect("a directory");
    let mode = Some("mode=755");
    mount(Some("tests"), &dir, Some("tmpfs"), MsFlags::empty(), mode).expect("a tmpfs");
    dir
}

/// Puts `text` in the place of the file `path`, for this mount namespace.
pub fn replace_file(dir: &Path, path: &str, text: &str) {
    let ours = dir.join(path.trim_start_matches('/').replace('/', "-"));
    fs::write(&ours, text).expect("a file in memory");
    if !Path::new(path).exists() {
        fs::write(path, "").expect("a file to replace");
    }
    let none: Option<&str> = None;
    mount(Some(&ours), path, none, MsFlags::MS_BIND, none).expect("a file in place of another");
}

/// Moves this thread to a new network namespace and sets it up with the
/// commands of `ip -batch` in `links`, after `lo` is up.
///
/// On Linux 6.1 one table holds the services of all namespaces, and a dump
/// counts across them: keep one namespace at a time, and empty it before you
/// leave it.
pub fn new_network(links: &str) {
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace");
    ip(&format!("link set lo up\n{links}"));
}

/// Runs the lines of `commands` with `ip -batch`.
pub fn ip(commands: &str) {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("iproute2 is installed");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(commands.as_bytes()).expect("ip reads");
    drop(stdin);
    assert!(child.wait().expect("ip ends").success(), "ip: {commands}");
}
