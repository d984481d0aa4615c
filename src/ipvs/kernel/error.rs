//! What can go wrong between this program and the kernel.

use crate::wire::Malformed;
use std::{fmt, io};

/// A request that was not done, or whose answer did not arrive.
#[derive(Debug)]
pub enum KernelError {
    /// The kernel refused, with this errno (positive).
    Refused(i32),
    /// The socket failed.
    Socket(io::Error),
    /// The kernel had no memory for its answer: the request may have been
    /// done or not.
    Lost,
    /// The answer is not what netlink sends.
    Malformed,
}

impl KernelError {
    /// The errno (positive) that describes it best.
    pub fn errno(&self) -> i32 {
        match self {
            KernelError::Refused(errno) => *errno,
            KernelError::Socket(error) => error.raw_os_error().unwrap_or(libc::EIO),
            KernelError::Lost => libc::ENOBUFS,
            KernelError::Malformed => libc::EPROTO,
        }
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        io::Error::from_raw_os_error(self.errno()).fmt(f)
    }
}

impl std::error::Error for KernelError {}

impl From<io::Error> for KernelError {
    fn from(error: io::Error) -> KernelError {
        KernelError::Socket(error)
    }
}

impl From<Malformed> for KernelError {
    fn from(_: Malformed) -> KernelError {
        KernelError::Malformed
    }
}

/// A network namespace that cannot be used.
#[derive(Debug)]
pub enum NamespaceError {
    /// The file that stands for it cannot be opened.
    Open(io::Error),
    /// It cannot be entered; `EINVAL` where the file is not a network namespace.
    Enter(io::Error),
    /// That of this process, to return to, cannot be opened.
    Home(io::Error),
}

impl fmt::Display for NamespaceError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            NamespaceError::Open(_) => "cannot open the network namespace",
            NamespaceError::Enter(_) => "cannot enter the network namespace",
            NamespaceError::Home(_) => "cannot open the program's own network namespace",
        })
    }
}

impl std::error::Error for NamespaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            NamespaceError::Open(error)
            | NamespaceError::Enter(error)
            | NamespaceError::Home(error) => Some(error),
        }
    }
}

impl From<NamespaceError> for io::Error {
    fn from(error: NamespaceError) -> io::Error {
        match error {
            NamespaceError::Open(error)
            | NamespaceError::Enter(error)
            | NamespaceError::Home(error) => error,
        }
    }
}

/// IPVS cannot be reached.
#[derive(Debug)]
pub enum OpenError {
    /// The network namespace cannot be used.
    Namespace(NamespaceError),
    /// IPVS is not available; the errno (positive): `ENOPROTOOPT` for a kernel without it.
    Ipvs(i32),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            OpenError::Namespace(error) => error.fmt(f),
            OpenError::Ipvs(errno) => io::Error::from_raw_os_error(*errno).fmt(f),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Namespace(error) => error.source(),
            OpenError::Ipvs(_) => None,
        }
    }
}

impl From<KernelError> for OpenError {
    fn from(error: KernelError) -> OpenError {
        // The controller does not know the family; to users that is what the
        // old interface of IPVS said: no such protocol.
        OpenError::Ipvs(match error.errno() {
            libc::ENOENT => libc::ENOPROTOOPT,
            errno => errno,
        })
    }
}

impl From<NamespaceError> for OpenError {
    fn from(error: NamespaceError) -> OpenError {
        OpenError::Namespace(error)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        KernelError::from(error).into()
    }
}

/// A listing that could not be completed.
#[derive(Debug)]
pub enum ListError {
    /// A request failed.
    Kernel(KernelError),
    /// The table changed so much, for so long, that no listing of it could be
    /// shown to be complete.
    Unstable,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ListError::Kernel(error) => error.fmt(f),
            ListError::Unstable => f.write_str("the table kept changing while it was read"),
        }
    }
}

impl std::error::Error for ListError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ListError::Kernel(error) => error.source(),
            ListError::Unstable => None,
        }
    }
}

impl<E: Into<KernelError>> From<E> for ListError {
    fn from(error: E) -> ListError {
        ListError::Kernel(error.into())
    }
}
