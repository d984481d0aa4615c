//! What can go wrong, in C ipvsadm's words and with its exit status: one
//! table from (command, errno) to a message, and one place that prints.

use super::drain::outcome::NotDrained;
use super::exit::Exit;
use super::ready;
use crate::cli::UsageError;
use crate::cli::opt::CommandName;
use crate::connections::TABLE;
use crate::procfs;
use crate::render::text::{self, rules};
use crate::render::{Buffer, visible, words};
use crate::rules::WrongLine;
use ipvs::{Change, Errno, KernelError, ListError, NamespaceError, ServerKey, ServiceKey};
use libc::{
    EAFNOSUPPORT, EEXIST, EINVAL, EMSGSIZE, ENOENT, ENOMEM, ENOPROTOOPT, EOPNOTSUPP, EPERM, ESRCH,
};
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt;

/// A run that failed.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(UsageError),
    /// Lines of rules are wrong; nothing was changed.
    WrongLines(Vec<WrongLine>),
    /// Options contradict what these real servers are; nothing was changed.
    WrongServers(Vec<(ServiceKey, ServerKey, UsageError)>),
    /// The rules cannot be read; nothing was changed.
    Input(io::Error),
    /// `--replace` with an input of no bytes; nothing was changed.
    NothingToReplaceWith {
        /// Whether all of the table was to be replaced.
        whole: bool,
    },
    /// IPVS is missing, or this user may not use it; the errno.
    Unavailable(i32),
    /// The network namespace that was named cannot be used.
    Namespace(OsString, NamespaceError),
    /// The kernel refused a command.
    Refused {
        /// Which command.
        command: CommandName,
        /// Why.
        errno: i32,
    },
    /// The kernel was not asked, or its answer did not arrive.
    Unanswered {
        /// Which command.
        command: CommandName,
        /// What failed.
        error: KernelError,
        /// The change that may have been made all the same, as a command line.
        change: Option<String>,
    },
    /// The kernel could not be asked for IPVS.
    Unreachable(KernelError),
    /// The table kept changing while it was read.
    Unstable,
    /// Nothing is in the part of the table that was asked for.
    NothingSelected(Nothing),
    /// The connections cannot be read.
    Connections(io::Error),
    /// A file in which the kernel says something cannot be read.
    Unread(&'static str, io::Error),
    /// It is not known of which address family the services with this mark are.
    FamilyOfMark(NonZeroU32),
    /// Lines of the table of connections that cannot be understood.
    UnknownConnections(u64),
    /// Services or servers of an unknown address family, which are not listed.
    UnknownFamily,
    /// What no rule can make: lines, each with its end.
    NotSaved(Vec<u8>),
    /// A real server was not drained.
    NotDrained(NotDrained),
    /// The output cannot be written.
    Output(io::Error),
    /// What was asked cannot be answered for this reason.
    CannotTell(Box<Failure>),
    /// Changes were made, and then this failed.
    AfterChanges(Box<Failure>),
    /// A request to the operating system failed; its purpose and the cause.
    Other(anyhow::Error),
}

/// What there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// A virtual service.
    Service,
    /// A real server in any of the services.
    Server,
}

/// The result of what can fail in a run.
pub type Result<T> = std::result::Result<T, Failure>;

impl From<ListError> for Failure {
    fn from(error: ListError) -> Failure {
        Failure::list(error)
    }
}

impl Failure {
    /// A failed list request.
    pub fn list(error: impl Into<ListError>) -> Failure {
        Failure::reading(CommandName::List, error)
    }

    /// A failed list request, made for `command`.
    pub fn reading(command: CommandName, error: impl Into<ListError>) -> Failure {
        match error.into() {
            ListError::Kernel(error) => Failure::kernel(command, error),
            _ => Failure::Unstable,
        }
    }

    /// A failed request for `change`.
    pub fn change(change: &Change, error: KernelError) -> Failure {
        match Failure::kernel(CommandName::of(change), error) {
            Failure::Unanswered { command, error, .. } if error.may_be_done() => {
                Failure::Unanswered {
                    command,
                    error,
                    change: Some(text::command(change)),
                }
            }
            other => other,
        }
    }

    /// A failed request.
    pub fn kernel(command: CommandName, error: KernelError) -> Failure {
        match error {
            KernelError::Refused(Errno(EPERM)) => Failure::Unavailable(EPERM),
            KernelError::Refused(Errno(errno)) => Failure::refused(command, errno),
            error => Failure::Unanswered {
                command,
                error,
                change: None,
            },
        }
    }

    /// A request that the kernel refused.
    pub const fn refused(command: CommandName, errno: i32) -> Failure {
        Failure::Refused { command, errno }
    }

    /// Whether a change may have been made all the same.
    pub fn may_be_done(&self) -> bool {
        matches!(self, Failure::Unanswered { error, .. } if error.may_be_done())
    }

    /// Whether the kernel has said no, and would say it again.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Failure::Refused { .. } | Failure::Unavailable(_))
    }

    /// The same, where an exit status of 1 would be an answer.
    pub fn cannot_tell(self) -> Failure {
        match self.exit() {
            Exit::Failure => Failure::CannotTell(self.into()),
            Exit::Refused if !self.is_refusal() => Failure::CannotTell(self.into()),
            _ => self,
        }
    }

    /// Whether the kernel does not have the real server that was to be changed.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            Failure::Refused {
                command: CommandName::EditServer | CommandName::DeleteServer,
                errno: ENOENT | ESRCH,
                ..
            }
        )
    }

    /// The failure of a listing that was made for `command`.
    pub fn of(self, command: CommandName) -> Failure {
        match self {
            Failure::NothingSelected(_) => Failure::refused(command, ENOENT),
            // Other refusals are of IPVS, not of a service.
            Failure::Refused { errno: ESRCH, .. } => Failure::refused(command, ESRCH),
            Failure::Unanswered { error, change, .. } => Failure::Unanswered {
                command,
                error,
                change,
            },
            other => other,
        }
    }

    /// The same after changes were made, if any were.
    pub fn after_changes(self, any: bool) -> Failure {
        match any {
            true => Failure::AfterChanges(self.into()),
            false => self,
        }
    }

    /// The exit status that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            // As C ipvsadm: what cannot be read as options is another case
            // than options that make no sense.
            Failure::Usage(
                UsageError::NoCommand(_)
                | UsageError::UnknownOption(_)
                | UsageError::MissingValue(_)
                | UsageError::UnwantedValue(_),
            ) => Exit::Refused,
            Failure::Usage(_)
            | Failure::WrongLines(_)
            | Failure::WrongServers(_)
            | Failure::Input(_)
            | Failure::NothingToReplaceWith { .. }
            | Failure::Unavailable(_)
            | Failure::Unreachable(_)
            | Failure::Namespace(..)
            | Failure::CannotTell(_) => Exit::Usage,
            Failure::Refused {
                command: CommandName::List,
                ..
            }
            | Failure::Unanswered {
                command: CommandName::List,
                ..
            }
            | Failure::Unstable
            | Failure::NothingSelected(_)
            | Failure::Connections(_)
            | Failure::Unread(..)
            | Failure::FamilyOfMark(_)
            | Failure::UnknownConnections(_)
            | Failure::UnknownFamily
            | Failure::NotSaved(_)
            | Failure::Other(_) => Exit::Failure,
            Failure::Refused { .. } | Failure::Unanswered { .. } => Exit::Refused,
            Failure::NotDrained(why) => why.exit(),
            Failure::AfterChanges(failure) => failure.exit(),
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::ClosedPipe,
            Failure::Output(_) => Exit::Failure,
        }
    }

    /// The lines to print, without the last one's end.
    pub fn text(&self) -> Vec<u8> {
        match self {
            Failure::Usage(error) => error.text(),
            Failure::WrongLines(lines) => wrong_lines(lines),
            Failure::WrongServers(servers) => {
                let lines = servers.iter().map(|(service, server, error)| {
                    let mut line = Buffer::default();
                    rules::named(&mut line, service, Some(server));
                    [line.as_bytes().trim_ascii_start(), b": ", &error.text()].concat()
                });
                lines.collect::<Vec<_>>().join(&b'\n')
            }
            Failure::Input(error) if error.raw_os_error() == Some(libc::EBADF) => {
                "cannot read the rules: standard input is not open for reading".into()
            }
            Failure::Input(error) => {
                format!("cannot read the rules: {}", system_text(error)).into()
            }
            Failure::NothingToReplaceWith { whole: false } => {
                "the input is empty, and --replace would delete this part of the table: \
                 an empty line says that this is meant"
                    .into()
            }
            Failure::NothingToReplaceWith { whole: true } => {
                "the input is empty, and --replace would delete everything: use -C to do that"
                    .into()
            }
            Failure::Unavailable(errno) => unavailable(*errno).into(),
            Failure::Namespace(name, error) => namespace(name, error),
            Failure::Refused { command, errno, .. } => refusal(*command, *errno).into(),
            Failure::Unanswered { error, change, .. } => {
                unanswered(error, change.as_deref()).into()
            }
            Failure::Unreachable(error) => {
                format!("Can't initialize ipvs: {}", unanswered(error, None)).into()
            }
            Failure::Unstable => {
                "the table kept changing while it was read: the listing may be incomplete".into()
            }
            Failure::NothingSelected(Nothing::Service) => refusal(CommandName::List, ESRCH).into(),
            Failure::NothingSelected(Nothing::Server) => {
                refusal(CommandName::DeleteServer, ENOENT).into()
            }
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Vec::new(),
            Failure::Output(error) => {
                format!("cannot write the output: {}", system_text(error)).into()
            }
            Failure::Connections(error) => {
                format!("cannot read {}: {}", TABLE, system_text(error)).into()
            }
            Failure::Unread(file, error) => {
                format!("cannot read {file}: {}", system_text(error)).into()
            }
            Failure::FamilyOfMark(mark) => format!(
                "{}: it does not tell whether the mark {mark} is on IPv4 or IPv6 packets",
                procfs::TABLE
            )
            .into(),
            Failure::UnknownConnections(count) => {
                let lines = words::count(*count, "line");
                format!("{TABLE}: {lines} cannot be understood").into()
            }
            Failure::UnknownFamily => {
                "some services or servers are left out: their address family is not known".into()
            }
            Failure::NotSaved(lines) => {
                let lines = lines.trim_ascii_end().split(|byte| *byte == b'\n');
                let lines = lines.map(|line| [b"cannot be saved: ", line].concat());
                lines.collect::<Vec<_>>().join(&b'\n')
            }
            Failure::NotDrained(why) => why.to_string().into(),
            Failure::CannotTell(failure) => failure.text(),
            Failure::AfterChanges(failure) => match failure.text() {
                nothing if nothing.is_empty() => nothing,
                text => [&text, &b"; changes were made"[..]].concat(),
            },
            Failure::Other(error) => format!("{error:#}").into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl Error for Failure {}

fn wrong_lines(lines: &[WrongLine]) -> Vec<u8> {
    let lines = lines.iter();
    let lines = lines.map(|wrong| format!("line {}: {}", wrong.line, wrong.error));
    lines.collect::<Vec<_>>().join("\n").into()
}

fn unavailable(errno: i32) -> String {
    format!(
        "Can't initialize ipvs: {}\n\
         Are you sure that IP Virtual Server is built in the kernel or as module?",
        refusal(CommandName::List, errno)
    )
}

/// What failed, and what became of the change, `change` if it may have been made.
fn unanswered(error: &KernelError, change: Option<&str>) -> String {
    let cause = match error.source() {
        Some(cause) => match cause.downcast_ref() {
            Some(cause) => format!("{error}: {}", system_text(cause)),
            None => format!("{error}: {cause}"),
        },
        None => error.to_string(),
    };
    match (error, change) {
        (KernelError::NotMade(_), _) => format!("{cause}; the change was not made"),
        (_, Some(change)) => format!("{cause}; this change may have been made: {change}"),
        (_, None) => cause,
    }
}

/// The words for a failed request for `change` among many.
pub fn failed(change: &Change, error: KernelError) -> String {
    match error {
        KernelError::Refused(Errno(errno)) => refusal(CommandName::of(change), errno),
        error => Failure::change(change, error).to_string(),
    }
}

fn namespace(name: &OsStr, error: &NamespaceError) -> Vec<u8> {
    let (before, after) = match error {
        NamespaceError::Open(error) => ("cannot open network namespace `", system_text(error)),
        NamespaceError::Enter(error) if error.raw_os_error() == Some(EINVAL) => {
            return format!("`{}' is not a network namespace", visible(name.as_bytes())).into();
        }
        NamespaceError::Enter(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            let text = refusal(CommandName::List, errno);
            ("cannot enter network namespace `", text)
        }
        NamespaceError::Home(error) => (
            "cannot come back from network namespace `",
            system_text(error),
        ),
        other => ("cannot use network namespace `", other.to_string()),
    };
    format!("{before}{}': {after}", visible(name.as_bytes())).into()
}

/// What the C library says of an error.
pub fn system_text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(errno) => Errno(errno).to_string(),
        None => error.to_string(),
    }
}

/// The words for a refusal by the kernel.
pub fn refusal(command: CommandName, errno: i32) -> String {
    let text = match (errno, command) {
        (EEXIST, CommandName::AddService) => "Service already exists",
        (ENOENT, CommandName::AddService | CommandName::EditService) => {
            "Scheduler or persistence engine not found"
        }
        (
            ESRCH,
            CommandName::EditService
            | CommandName::DeleteService
            | CommandName::Zero
            | CommandName::List
            | CommandName::Check,
        ) => "No such service",
        // It was there when this program started.
        (ENOENT, CommandName::List | CommandName::Restore) => {
            "IPVS has gone: its kernel module was unloaded"
        }
        (EEXIST, CommandName::AddServer) => "Destination already exists",
        (ENOENT, CommandName::EditServer | CommandName::DeleteServer) => "No such destination",
        (ESRCH, CommandName::AddServer | CommandName::EditServer | CommandName::DeleteServer) => {
            "Service not defined"
        }
        (EEXIST, CommandName::StartDaemon) => "Daemon has already run",
        (ESRCH, CommandName::StopDaemon) => "No daemon is running",
        (EPERM, _) => "Permission denied (you must be root)",
        (EINVAL, _) => {
            "Invalid operation.  Possibly wrong module version, address not unicast, ..."
        }
        (ENOPROTOOPT, _) => "Protocol not available",
        (ENOMEM, _) => "Memory allocation problem",
        (EOPNOTSUPP, _) => "Operation not supported with IPv6",
        (EAFNOSUPPORT, _) => "Operation not supported with specified address family",
        (EMSGSIZE, _) => "Module is wrong version",
        _ => return Errno(errno).to_string(),
    };
    text.to_owned()
}

/// Prints `failure`; the exit status.
pub fn report(failure: &Failure) -> Exit {
    let text = match failure {
        // What commands a terminal stays off it; a file gets the bytes of C ipvsadm.
        Failure::Usage(error) if io::stderr().is_terminal() => error.visible().into(),
        _ => failure.text(),
    };
    if !text.is_empty() {
        say(&text);
    }
    failure.exit()
}

/// Prints one message to stderr. If that fails, there is nowhere to say so.
pub fn say(text: &[u8]) {
    let _ = ready::write_all(io::stderr(), &[text, b"\n"].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_errno_means_what_the_command_makes_of_it() {
        assert_eq!(
            refusal(CommandName::DeleteService, ESRCH),
            "No such service"
        );
        assert_eq!(
            refusal(CommandName::DeleteServer, ESRCH),
            "Service not defined"
        );
        assert_eq!(
            refusal(CommandName::DeleteServer, ENOENT),
            "No such destination"
        );
        assert_eq!(
            refusal(CommandName::Flush, ENOENT),
            "No such file or directory"
        );
        assert_eq!(
            refusal(CommandName::List, ENOENT),
            "IPVS has gone: its kernel module was unloaded"
        );
        assert_eq!(
            refusal(CommandName::AddServer, 34),
            "Numerical result out of range"
        );
    }

    #[test]
    fn failed_listings_exit_1_and_other_refusals_255() {
        assert_eq!(Failure::refused(CommandName::List, ESRCH).exit() as u8, 1);
        assert_eq!(Failure::refused(CommandName::Zero, ESRCH).exit() as u8, 255);
        assert_eq!(Failure::Unavailable(EPERM).exit() as u8, 2);
    }
}
