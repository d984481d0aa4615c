//! What can go wrong between a program and the kernel.

use crate::wire::Malformed;
use std::error::Error;
use std::{fmt, io};

/// The number of an error of the kernel, as errno.h has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = io::Error::from_raw_os_error(self.0).to_string();
        // std adds the number.
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

impl Error for Errno {}

/// A request that was not done, or of which it is not known whether it was.
///
/// ```
/// use ipvs::{Errno, KernelError};
/// use std::error::Error;
///
/// let error = KernelError::Refused(Errno(libc::ESRCH));
/// assert_eq!(error.to_string(), "the kernel refused");
/// assert_eq!(error.source().unwrap().to_string(), "No such process");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum KernelError {
    /// The kernel refused.
    Refused(Errno),
    /// There was no socket to send the request with.
    NoSocket(io::Error),
    /// The request could not be sent.
    Unsent(io::Error),
    /// The request was sent, and the answer could not be read.
    Unread(io::Error),
    /// The request was sent, and the kernel had no memory for its answer.
    Lost,
    /// The answer is not what netlink sends.
    Malformed,
    /// The answer was not understood, for this reason; a look at the table has
    /// shown that the change was not made.
    NotMade(Box<KernelError>),
}

impl KernelError {
    /// The number in errno.h that describes it best.
    pub fn errno(&self) -> i32 {
        match self {
            KernelError::Refused(errno) => errno.0,
            KernelError::NoSocket(error)
            | KernelError::Unsent(error)
            | KernelError::Unread(error) => error.raw_os_error().unwrap_or(libc::EIO),
            KernelError::Lost => libc::ENOBUFS,
            KernelError::Malformed => libc::EPROTO,
            KernelError::NotMade(error) => error.errno(),
        }
    }

    /// The same once more, for another change that it befell.
    pub fn again(&self) -> KernelError {
        let copy = || io::Error::from_raw_os_error(self.errno());
        match self {
            KernelError::Refused(errno) => KernelError::Refused(*errno),
            KernelError::NoSocket(_) => KernelError::NoSocket(copy()),
            KernelError::Unsent(_) => KernelError::Unsent(copy()),
            KernelError::Unread(_) => KernelError::Unread(copy()),
            KernelError::Lost => KernelError::Lost,
            KernelError::Malformed => KernelError::Malformed,
            KernelError::NotMade(error) => KernelError::NotMade(error.again().into()),
        }
    }

    /// Whether the kernel may have done all the same what was asked for.
    pub fn may_be_done(&self) -> bool {
        match self {
            KernelError::Unread(_) | KernelError::Lost | KernelError::Malformed => true,
            KernelError::Refused(_)
            | KernelError::NoSocket(_)
            | KernelError::Unsent(_)
            | KernelError::NotMade(_) => false,
        }
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            KernelError::Refused(_) => "the kernel refused",
            KernelError::NoSocket(_) => "cannot open a netlink socket",
            KernelError::Unsent(_) => "cannot send the request to the kernel",
            KernelError::Unread(_) => "cannot read the kernel's answer",
            KernelError::Lost => "the kernel's answer was lost",
            KernelError::Malformed => "the kernel's answer cannot be understood",
            KernelError::NotMade(error) => return error.fmt(f),
        })
    }
}

impl Error for KernelError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            KernelError::Refused(errno) => Some(errno),
            KernelError::NoSocket(error)
            | KernelError::Unsent(error)
            | KernelError::Unread(error) => Some(error),
            KernelError::Lost | KernelError::Malformed => None,
            KernelError::NotMade(error) => error.source(),
        }
    }
}

impl From<Malformed> for KernelError {
    fn from(_: Malformed) -> KernelError {
        KernelError::Malformed
    }
}

/// A batch of changes that ended early.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchError {
    /// How many of the changes that were taken were not sent.
    pub unsent: usize,
    /// Why it ended.
    pub error: KernelError,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for BatchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// A network namespace that cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum NamespaceError {
    /// The file that stands for it cannot be opened.
    Open(io::Error),
    /// It cannot be entered; `EINVAL` where the file is not a network namespace.
    Enter(io::Error),
    /// That of this process, to return to, cannot be opened or entered.
    Home(io::Error),
}

impl fmt::Display for NamespaceError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            NamespaceError::Open(_) => "cannot open the network namespace",
            NamespaceError::Enter(_) => "cannot enter the network namespace",
            NamespaceError::Home(_) => "cannot return to the program's own network namespace",
        })
    }
}

impl Error for NamespaceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
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
#[non_exhaustive]
pub enum OpenError {
    /// The network namespace cannot be used.
    Namespace(NamespaceError),
    /// The kernel has no IPVS, or its module is not loaded.
    Missing,
    /// The kernel could not be asked for it.
    Kernel(KernelError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            OpenError::Namespace(error) => error.fmt(f),
            OpenError::Missing => f.write_str("the kernel has no IPVS"),
            OpenError::Kernel(error) => error.fmt(f),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OpenError::Namespace(error) => error.source(),
            OpenError::Missing => None,
            OpenError::Kernel(error) => error.source(),
        }
    }
}

impl From<KernelError> for OpenError {
    fn from(error: KernelError) -> OpenError {
        match error {
            // What generic netlink says of a family that it does not have.
            KernelError::Refused(Errno(libc::ENOENT)) => OpenError::Missing,
            error => OpenError::Kernel(error),
        }
    }
}

impl From<NamespaceError> for OpenError {
    fn from(error: NamespaceError) -> OpenError {
        OpenError::Namespace(error)
    }
}

/// A listing that could not be completed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListError {
    /// A request failed.
    Kernel(KernelError),
    /// The table changed so much, for so long, that no listing of it could be
    /// shown to be complete.
    Unstable,
}

impl ListError {
    /// Whether the service is not there: the kernel does not always say so.
    pub(super) fn is_absence(&self) -> bool {
        matches!(
            self,
            ListError::Kernel(KernelError::Refused(Errno(libc::ESRCH)))
        )
    }
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ListError::Kernel(error) => error.fmt(f),
            ListError::Unstable => f.write_str("the table kept changing while it was read"),
        }
    }
}

impl Error for ListError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
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
