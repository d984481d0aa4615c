//! Runs the blocks of a chapter as a reader would, each in a shell on its host.

use crate::support::ansible::ANSIBLE;
use crate::support::programs::{OURS, RESTORE, SAVE, TOP};
use crate::text::{Block, Chapter, MACHINE};
use crate::{GUIDE, held};
use anyhow::{Context, Result, bail, ensure};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, thread};
use wait_timeout::ChildExt;

/// A block that takes longer hangs; see also what [`block`] says.
const LIMIT: Duration = Duration::from_secs(110);
/// The reader's folder, empty when a chapter begins.
const FOLDER: &str = "/root/lvs";
/// What the harness itself needs; in memory too.
const OWN: &str = "/root/guide";
/// Each shell begins with this. The first command that fails ends it, and leaves
/// word of itself.
const BEFORE: &str = "\
unset BASH_ENV
set -eE
trap 'status=$?; echo \"$status $LINENO $BASH_COMMAND\" >/root/guide/failed' ERR
";
/// What every process of a chapter has in its environment.
const MARK: &str = "IPVSADM_GUIDE_CHAPTER=1";

/// What was printed where an output stands in the guide, by the line of its fence.
static PRINTED: Mutex<BTreeMap<usize, String>> = Mutex::new(BTreeMap::new());

/// Runs a chapter in network and mount namespaces of its own, after the `setup`
/// of the chapters before it.
pub fn chapter(setup: &[Block], chapter: &Chapter) -> Result<()> {
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            private()?;
            let done = setup.iter().chain(&chapter.blocks).try_for_each(block);
            end_processes()?;
            done
        });
        run.join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Namespaces that belong to this thread: what a chapter writes under /etc and
/// /root, and the hosts that it makes, are gone when it ends.
fn private() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)?;
    for place in ["/root", "/run/netns"] {
        let mode = Some("mode=755");
        mount(Some("guide"), place, Some("tmpfs"), MsFlags::empty(), mode)?;
    }
    let [etc, work] = ["etc", "work"].map(|name| format!("{OWN}/{name}"));
    for folder in [FOLDER, &etc, &work] {
        fs::create_dir_all(folder)?;
    }
    let layers = format!("lowerdir=/etc,upperdir={etc},workdir={work}");
    let flags = MsFlags::empty();
    mount(
        Some("guide"),
        "/etc",
        Some("overlay"),
        flags,
        Some(&*layers),
    )?;
    fs::write(format!("{OWN}/before"), BEFORE)?;
    // They start faster from memory than from a share.
    let programs = format!("{OWN}/bin");
    fs::create_dir(&programs)?;
    for program in [OURS, SAVE, RESTORE, &TOP] {
        let name = Path::new(program).file_name().context("a program")?;
        fs::copy(program, Path::new(&programs).join(name))?;
    }
    install_service(&programs)?;
    install_ansible(&programs)?;
    let up = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status()?;
    ensure!(up.success(), "ip link set lo up: {up}");
    Ok(())
}

/// Puts the script of the service where the packages have it.
fn install_service(programs: &str) -> Result<()> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut script = fs::read_to_string(repository.join("packaging/ipvsadm-service"))?;
    for (word, place) in [
        ("@SBINDIR@", programs),
        ("@SUFFIX@", ""),
        ("@SETTINGS@", "/etc/default/ipvsadm"),
        ("@RULES@", "/etc/ipvsadm.rules"),
        ("@AUTO@", "false"),
        ("@SAVE@", "false"),
    ] {
        script = script.replace(word, place);
    }
    let place = Path::new("/usr/libexec/ipvsadm");
    fs::create_dir_all(place)?;
    let place = place.join("ipvsadm-service");
    fs::write(&place, script)?;
    fs::set_permissions(place, Permissions::from_mode(0o755))?;
    Ok(())
}

/// Puts Ansible beside our programs, with the collection where it looks for it.
fn install_ansible(programs: &str) -> Result<()> {
    let collections = Path::new(OWN).join("collections");
    let place = collections.join("ansible_collections/ipvsadm");
    fs::create_dir_all(&place)?;
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/ansible");
    symlink(ours, place.join("ipvs"))?;
    let script = format!(
        "#!/bin/sh\n\
         export PYTHONPATH={ANSIBLE}/debian ANSIBLE_COLLECTIONS_PATH={} ANSIBLE_NOCOLOR=1\n\
         exec /usr/bin/python3 {ANSIBLE}/debian/bin/ansible-playbook \"$@\"\n",
        collections.display()
    );
    let place = Path::new(programs).join("ansible-playbook");
    fs::write(&place, script)?;
    fs::set_permissions(place, Permissions::from_mode(0o755))?;
    Ok(())
}

/// Runs a block, and holds what it prints and how it ends against the guide.
fn block(block: &Block) -> Result<()> {
    // The lab ends a run that says nothing for two minutes.
    eprint!(".");
    let begun = Instant::now();
    let failed = PathBuf::from(format!("{OWN}/failed"));
    let _ = fs::remove_file(&failed);
    let printed = format!("{OWN}/printed");
    let script = format!("{OWN}/script");
    fs::write(&script, &block.script)?;
    let mut child = shell(block, &script, &File::create(&printed)?)?;
    let status = child.wait_timeout(LIMIT)?;
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = fs::read(&printed)?;
    let printed = String::from_utf8_lossy(&bytes);
    if env::var_os("IPVSADM_GUIDE_SHOW").is_some() {
        let Block { line, host, .. } = block;
        eprintln!(
            "-- {line} {host} {seconds:.1} s\n{}\n-- {printed}",
            block.script
        );
    }
    let Some(status) = status else {
        killpg(pid(&child)?, Signal::SIGKILL)?;
        child.wait()?;
        bail!("{}", told(block, 1, "it does not end", &printed));
    };
    // The line and text of the command that failed, if one did.
    let failure = fs::read_to_string(&failed).unwrap_or_default();
    let (line, command) = match failure.splitn(3, ' ').collect::<Vec<_>>()[..] {
        [_, line, command] => (line.parse()?, command.trim_end()),
        _ => (1, "the last command"),
    };
    if status.code() != Some(block.status) {
        let problem = format!("{command}: {status}, not {}", block.status);
        bail!("{}", told(block, line, &problem, &printed));
    }
    if let Some(output) = &block.output {
        let mut all = PRINTED.lock().expect("not poisoned");
        all.insert(output.line, printed.to_string());
        if !held::is_told(output, &printed) && env::var_os("IPVSADM_GUIDE_WRITE").is_none() {
            let problem = format!("line {} says otherwise:\n{}", output.line, output.text);
            bail!("{}", told(block, 1, &problem, &printed));
        }
    }
    Ok(())
}

fn shell(block: &Block, script: &str, printed: &File) -> Result<Child> {
    let mut command = match &*block.host {
        MACHINE => Command::new("bash"),
        host => {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", host, "bash"]);
            command
        }
    };
    let (name, value) = MARK.split_once('=').expect("NAME=VALUE");
    let path = env::var("PATH")?;
    command
        .arg(script)
        .current_dir(FOLDER)
        .env(name, value)
        .env("HOME", "/root")
        .env("PATH", format!("{OWN}/bin:{path}"))
        .env("BASH_ENV", format!("{OWN}/before"))
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(printed.try_clone()?)
        .stderr(printed.try_clone()?)
        .process_group(0);
    Ok(command.spawn()?)
}

/// Where it went wrong, and how.
fn told(block: &Block, line: usize, problem: &str, printed: &str) -> String {
    let line = block.line + line;
    let Block { host, script, .. } = block;
    format!("{GUIDE}:{line}, on {host}: {problem}\ncommands:\n{script}printed:\n{printed}")
}

fn pid(child: &Child) -> Result<Pid> {
    Ok(Pid::from_raw(child.id().try_into()?))
}

/// Ends what the chapter has left running, in whatever session it is.
fn end_processes() -> Result<()> {
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Ok(number) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        // It may have ended meanwhile.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment
            .split(|&byte| byte == 0)
            .any(|entry| entry == MARK.as_bytes())
        {
            let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
        }
    }
    Ok(())
}

/// The guide with what was printed in the place of each output without marks.
pub fn rewritten(text: &str) -> String {
    let all = PRINTED.lock().expect("not poisoned");
    let mut lines = text.lines().zip(1..);
    let mut new = String::new();
    while let Some((line, number)) = lines.next() {
        new = new + line + "\n";
        let Some(printed) = all.get(&number) else {
            continue;
        };
        let old: Vec<&str> = lines
            .by_ref()
            .map(|(line, _)| line)
            .take_while(|line| !line.starts_with("```"))
            .collect();
        if old.iter().any(|line| line.contains("...")) {
            old.iter().for_each(|line| new = new.clone() + line + "\n");
        } else {
            printed
                .lines()
                .for_each(|line| new = new.clone() + line.trim_end() + "\n");
        }
        new += "```\n";
    }
    new
}
