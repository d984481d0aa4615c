//! Network namespaces, in which sockets and files of the kernel are opened.
//!
//! Another namespace than the program's own is entered only to open something,
//! by the calling thread, which then returns: a separate thread would cost an
//! eighth of what a small program takes. So names are looked up, files opened and
//! modules loaded where the program was started.

use super::channel::Channel;
use super::error::{KernelError, NamespaceError};
use netlink_sys::protocols::NETLINK_GENERIC;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::ffi::OsStr;
use std::fs::File;
use std::io;
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
    /// That of this process.
    pub fn current() -> Namespace {
        Namespace { other: None }
    }

    /// The one that ip-netns(8) calls `name`; with a slash in it, it is a path,
    /// as /proc/PID/ns/net. Whether it is one, and this user may enter it, is
    /// found out when it is first entered.
    pub fn named(name: impl AsRef<OsStr>) -> Result<Namespace, NamespaceError> {
        let file = open(name.as_ref()).map_err(NamespaceError::Open)?;
        let home = open_path(Path::new(HOME)).map_err(NamespaceError::Home)?;
        Ok(Namespace {
            other: Some(Arc::new(Other { file, home })),
        })
    }

    /// Whether it is that of this process.
    pub fn is_current(&self) -> bool {
        self.other.is_none()
    }

    /// Does `work` in this namespace. Only this thread enters it, and only
    /// for that. After [`NamespaceError::Home`] it is still there: what it opens in
    /// its own namespace may be of this one until a later call has brought it back.
    pub fn inside<T>(&self, work: impl FnOnce() -> T) -> Result<T, NamespaceError> {
        let Some(Other { file, home }) = self.other.as_deref() else {
            return Ok(work());
        };
        enter(file).map_err(NamespaceError::Enter)?;
        let result = work();
        enter(home).map_err(NamespaceError::Home)?;
        Ok(result)
    }

    /// The first socket, where it matters whether there is such a namespace.
    pub(super) fn enter(&self) -> Result<Result<Channel, KernelError>, NamespaceError> {
        self.inside(|| Channel::open(NETLINK_GENERIC))
    }

    /// A new socket of one of the `NETLINK_*` protocols in this namespace.
    pub fn channel(&self, protocol: isize) -> Result<Channel, KernelError> {
        self.inside(|| Channel::open(protocol))
            .map_err(|error| KernelError::NoSocket(error.into()))?
    }

    /// Finds out whether there is such a namespace, and this user may enter it.
    pub fn try_enter(&self) -> Result<(), NamespaceError> {
        self.inside(|| ())
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
