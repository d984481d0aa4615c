//! A machine of the cluster: a network namespace with a name.

use super::servers::{Endpoint, Servers};
use crate::support::{machine, netns, programs};
use anyhow::{Context, Result, ensure};
use nix::mount::{MntFlags, umount2};
use nix::sched::{CloneFlags, setns};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Mutex, OnceLock};
use std::thread;

/// Where `ip netns` has them.
const NAMESPACES: &str = "/run/netns";

pub struct Host {
    pub name: String,
    namespace: File,
    servers: Mutex<Option<Servers>>,
}

impl Host {
    /// The host of an existing namespace, `ip netns add` has made it.
    pub fn open(name: &str) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            namespace: File::open(format!("{NAMESPACES}/{name}")).context(name.to_owned())?,
            servers: Mutex::new(None),
        })
    }

    /// Does `work` on this host.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let visit = scope.spawn(|| {
                setns(&self.namespace, CloneFlags::CLONE_NEWNET).expect("cannot enter namespace");
                work()
            });
            visit
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs a program to its end with `input` on standard input.
    pub fn output(&self, program: &str, args: &[&str], input: &str) -> Result<Output> {
        self.enter(|| machine::run(program, args, input).context(program.to_owned()))
    }

    /// The same for a program that must succeed; gives its standard output.
    pub fn run(&self, program: &str, args: &[&str], input: &str) -> Result<String> {
        self.enter(|| run_here(program, args, input))
            .with_context(|| format!("on {}", self.name))
    }

    /// `ip` commands, one a line.
    pub fn ip(&self, commands: &str) -> Result<()> {
        self.run("ip", &["-batch", "-"], commands).map(drop)
    }

    /// A ruleset of nftables.
    pub fn nft(&self, rules: &str) -> Result<()> {
        self.run("nft", &["-f", "-"], rules).map(drop)
    }

    /// Packets and bytes that a named counter of nftables has counted.
    pub fn counted(&self, table: &str, name: &str) -> Result<(u64, u64)> {
        let text = self.run("nft", &["list", "counter", "inet", table, name], "")?;
        let number = |key: &str| -> Result<u64> {
            let mut words = text.split_whitespace().skip_while(|word| *word != key);
            Ok(words.nth(1).with_context(|| text.clone())?.parse()?)
        };
        Ok((number("packets")?, number("bytes")?))
    }

    /// Sets kernel parameters, given as `net/ipv4/ip_forward=1`.
    pub fn sysctl(&self, settings: &[&str]) -> Result<()> {
        self.enter(|| {
            for setting in settings {
                let (name, value) = setting.split_once('=').expect("NAME=VALUE");
                fs::write(format!("/proc/sys/{name}"), value).context(name.to_owned())?;
            }
            Ok(())
        })
    }

    /// Whether the kernel's counters can be told to stand still: since Linux 5.15.
    pub fn can_stop_counters(&self) -> Result<bool> {
        let setting = Path::new("/proc/sys/net/ipv4/vs/run_estimation");
        let can = self.enter(|| setting.exists());
        let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        ensure!(can != release.starts_with("5.10."), "{release}");
        Ok(can)
    }

    /// Tells them to, if it can, and gives what a program that shows rates is to
    /// say then.
    pub fn stop_counters(&self) -> Result<&'static str> {
        if !self.can_stop_counters()? {
            return Ok("");
        }
        self.sysctl(&["net/ipv4/vs/run_estimation=0"])?;
        Ok("counters are not updated: net.ipv4.vs.run_estimation is 0\n")
    }

    /// The path of the program under test.
    pub fn program(&self) -> &'static str {
        program()
    }

    /// `ipvsadm ARGS`, which must succeed; gives its standard output.
    pub fn ipvsadm(&self, args: &str) -> Result<String> {
        let args: Vec<_> = args.split_whitespace().collect();
        self.run(program(), &args, "")
    }

    /// Loads rules with `ipvsadm -R`, as an administrator would write them.
    pub fn rules(&self, rules: &str) -> Result<()> {
        self.run(program(), &["-R"], rules).map(drop)
    }

    /// Begins to answer at these addresses, with the host's name.
    pub fn serve(&self, endpoints: &[Endpoint]) -> Result<()> {
        let servers = self.enter(|| Servers::start(&self.name, endpoints))?;
        *self.servers.lock().expect("not poisoned") = Some(servers);
        Ok(())
    }

    /// Ends what `serve` has begun; open connections are reset.
    pub fn stop_serving(&self) {
        drop(self.servers.lock().expect("not poisoned").take());
    }
}

/// What `ip netns del` does, without a program to start.
impl Drop for Host {
    fn drop(&mut self) {
        self.stop_serving();
        let place = format!("{NAMESPACES}/{}", self.name);
        let unmounted = umount2(place.as_str(), MntFlags::MNT_DETACH);
        let removed = fs::remove_file(place);
        if !thread::panicking() {
            unmounted.expect("a mounted namespace");
            removed.expect("a place for a namespace");
        }
    }
}

/// Runs a program that must succeed in the caller's namespace.
pub fn run_here(program: &str, args: &[&str], input: &str) -> Result<String> {
    let output = machine::run(program, args, input).context(program.to_owned())?;
    ensure!(
        output.status.success(),
        "{program} {args:?}: {}\n{}\n{input}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Where the program under test is; `prepare` has put it there.
static PROGRAM: OnceLock<String> = OnceLock::new();
/// A directory in memory.
static MEMORY: OnceLock<PathBuf> = OnceLock::new();

/// The path of the program under test.
pub fn program() -> &'static str {
    PROGRAM.get().expect("a cluster")
}

/// Gives the tests a mount namespace of their own, and puts the program under
/// test where it starts quickly.
pub fn prepare() {
    PROGRAM.get_or_init(|| {
        let reference = env::var_os("IPVSADM_TRAFFIC_REFERENCE").is_some();
        let program = if reference {
            programs::REFERENCE
        } else {
            programs::OURS
        };
        let copy = in_memory(program).expect("room in memory");
        copy.into_os_string().into_string().expect("a plain name")
    });
}

/// A copy of a file in memory: starting a program from a share is slow.
pub fn in_memory(file: &str) -> Result<PathBuf> {
    let directory = MEMORY.get_or_init(netns::private_mounts);
    let copy = directory.join(Path::new(file).file_name().context("a file")?);
    if !copy.exists() {
        fs::copy(file, &copy).context(file.to_owned())?;
    }
    Ok(copy)
}
