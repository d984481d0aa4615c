//! Everything of the kernel that this program opens: netlink sockets,
//! /proc/net, /proc/sys. Nothing else in the program opens any of these, so
//! that all of them belong to one network namespace.
//!
//! Another namespace than the program's own is entered only to open something,
//! by the calling thread, which then returns: a separate thread would cost an
//! eighth of a small command. So names are looked up, files opened and modules
//! loaded where the program was started.

use super::channel::Channel;
use super::connections::Connections;
use super::error::{KernelError, NamespaceError};
use super::routing::{self, Routing};
use crate::model::{ConnectionFilter, SourceNat};
use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// Where ip-netns(8) has its namespaces by name.
const NAMED: [&str; 2] = ["/run/netns", "/var/run/netns"];

/// The namespace that this thread is in.
const HOME: &str = "/proc/thread-self/ns/net";

/// A network namespace.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Another one than that of this process.
    other: Option<Arc<Other>>,
}

/// A namespace, and the way back from it.
#[derive(Debug)]
struct Other {
    file: File,
    home: File,
}

impl Namespace {
    /// Where the kernel has its connections.
    pub const CONNECTIONS: &str = "/proc/net/ip_vs_conn";

    /// The same for a thread that is in another namespace than its process.
    const CONNECTIONS_OF_THREAD: &str = "/proc/thread-self/net/ip_vs_conn";

    /// That of this process.
    pub fn current() -> Namespace {
        Namespace { other: None }
    }

    /// The one that ip-netns(8) calls `name`; with a slash in it, it is a path,
    /// as /proc/PID/ns/net. Whether it is one, and this user may enter it, is
    /// found out when it is first entered.
    pub fn named(name: &OsStr) -> Result<Namespace, NamespaceError> {
        let file = open(name).map_err(NamespaceError::Open)?;
        let home = open_path(Path::new(HOME)).map_err(NamespaceError::Home)?;
        Ok(Namespace {
            other: Some(Arc::new(Other { file, home })),
        })
    }

    /// Does `work` in this namespace. Only this thread enters it, and only
    /// for that; a thread that cannot return must not go on.
    fn inside<T>(&self, work: impl FnOnce() -> T) -> Result<T, NamespaceError> {
        let Some(Other { file, home }) = self.other.as_deref() else {
            return Ok(work());
        };
        enter(file).map_err(NamespaceError::Enter)?;
        let result = work();
        enter(home).map_err(NamespaceError::Home)?;
        Ok(result)
    }

    /// The first socket, where it matters whether there is such a namespace.
    pub(super) fn enter(&self) -> Result<io::Result<Channel>, NamespaceError> {
        self.inside(|| Channel::open(NETLINK_GENERIC))
    }

    /// A new generic netlink socket.
    pub(super) fn channel(&self) -> io::Result<Channel> {
        self.enter()?
    }

    /// Finds out whether there is such a namespace, and this user may enter it.
    pub fn try_enter(&self) -> Result<(), NamespaceError> {
        self.inside(|| ())
    }

    /// A conversation about links, addresses and routes.
    pub fn routing(&self) -> io::Result<Routing> {
        let channel = self.inside(|| Channel::open(NETLINK_ROUTE))??;
        Ok(Routing::new(channel))
    }

    /// The rules of nf_tables that change the source of packets; none where the
    /// module is not loaded, which asking for them would do.
    pub fn source_nat(&self) -> Result<Vec<SourceNat>, KernelError> {
        if !Path::new("/sys/module/nf_tables").exists() {
            return Ok(Vec::new());
        }
        let channel = self.inside(|| Channel::open(NETLINK_NETFILTER));
        routing::source_nat(channel.map_err(io::Error::from)??)
    }

    /// Whether iptables-legacy has a table `nat` in `file` below /proc/net.
    fn has_legacy_nat(&self, file: &str) -> io::Result<bool> {
        match self.sockets(file) {
            Ok(names) => Ok(names
                .lines()
                .any(|name| name.is_ok_and(|name| name == "nat"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            // It is there, and only root may read it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether there may be rules of NAT that are not in nf_tables.
    pub fn legacy_nat(&self) -> io::Result<bool> {
        Ok(self.has_legacy_nat("ip_tables_names")? || self.has_legacy_nat("ip6_tables_names")?)
    }

    /// The table of connections, those that `filter` lets through. Anybody may
    /// open it.
    pub fn connections(&self, filter: ConnectionFilter) -> io::Result<Connections> {
        let path = match self.other {
            None => Self::CONNECTIONS,
            Some(_) => Self::CONNECTIONS_OF_THREAD,
        };
        Connections::start(self.inside(|| File::open(path))??, filter)
    }

    /// The value of the setting `net.ipv4.vs.NAME`; not all kernels have all.
    pub fn setting(&self, name: &str) -> io::Result<String> {
        let mut values = self.sysctls(&[format!("net/ipv4/vs/{name}")])?;
        values.pop().unwrap_or(Err(io::ErrorKind::NotFound.into()))
    }

    /// The values of settings, in order, by their paths below /proc/sys.
    pub fn sysctls(&self, paths: &[String]) -> io::Result<Vec<io::Result<String>>> {
        let read = |path: &String| {
            let value = fs::read_to_string(format!("/proc/sys/{path}"))?;
            Ok(value.trim_end().to_owned())
        };
        Ok(self.inside(|| paths.iter().map(read).collect())?)
    }

    /// A list, of sockets for one, by its name below /proc/net.
    pub fn sockets(&self, name: &str) -> io::Result<BufReader<File>> {
        let of = if self.other.is_some() {
            "thread-self"
        } else {
            "self"
        };
        let path = format!("/proc/{of}/net/{name}");
        Ok(BufReader::new(self.inside(|| File::open(path))??))
    }
}

fn enter(namespace: &File) -> io::Result<()> {
    let network = Some(LinkNameSpaceType::Network);
    Ok(move_into_link_name_space(namespace.as_fd(), network)?)
}

fn open(name: &OsStr) -> io::Result<File> {
    if name.as_bytes().contains(&b'/') {
        return open_path(Path::new(name));
    }
    let [first, second] = NAMED.map(|directory| Path::new(directory).join(name));
    open_path(&first).or_else(|_| open_path(&second))
}

/// Without waiting: the path may lead to a pipe or to a device.
fn open_path(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).custom_flags(libc::O_NONBLOCK);
    options.open(path)
}
