//! What can go wrong in a run, in the original's words and with its exit
//! status: one table from (command, errno) to a message, and one place that
//! prints.

use super::exit::Exit;
use crate::cli::UsageError;
use crate::kernel::{KernelError, ListError};
use crate::model::Verb;
use crate::rules::WrongLine;
use libc::{
    EAFNOSUPPORT, EEXIST, EINVAL, EMSGSIZE, ENOENT, ENOMEM, ENOPROTOOPT, EOPNOTSUPP, EPERM, ESRCH,
};
use std::fmt;
use std::io::{self, IsTerminal, Write};

/// A run that failed.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(UsageError),
    /// Lines of rules are wrong; nothing was changed.
    WrongLines(Vec<WrongLine>),
    /// The rules cannot be read; nothing was changed.
    Input(io::Error),
    /// `--replace` with an input of no bytes; nothing was changed.
    NothingToReplaceWith,
    /// There is no IPVS, or it is not for us; the errno.
    Unavailable(i32),
    /// The kernel refused; the errno.
    Refused(Verb, i32),
    /// The table never held still while it was read.
    Unstable,
    /// The output cannot be written.
    Output(io::Error),
    /// All that there is to say has been said.
    Said(Exit),
}

impl Failure {
    /// A failed list request.
    pub fn list(error: impl Into<ListError>) -> Failure {
        match error.into() {
            ListError::Kernel(error) => Failure::kernel(Verb::List, error),
            ListError::Unstable => Failure::Unstable,
        }
    }

    /// A failed request.
    pub fn kernel(verb: Verb, error: KernelError) -> Failure {
        match error.errno() {
            EPERM => Failure::Unavailable(EPERM),
            errno => Failure::Refused(verb, errno),
        }
    }

    /// The exit status that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            // As the original: what does not even read as options is another
            // case than options that make no sense.
            Failure::Usage(
                UsageError::NoCommand(_)
                | UsageError::UnknownOption(_)
                | UsageError::MissingValue(_)
                | UsageError::UnwantedValue(_),
            ) => Exit::Refused,
            Failure::Usage(_)
            | Failure::WrongLines(_)
            | Failure::Input(_)
            | Failure::NothingToReplaceWith
            | Failure::Unavailable(_) => Exit::Usage,
            Failure::Refused(Verb::List, _) | Failure::Unstable => Exit::Failure,
            Failure::Refused(..) => Exit::Refused,
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::ClosedPipe,
            Failure::Output(_) => Exit::Failure,
            Failure::Said(exit) => *exit,
        }
    }

    /// The lines to print, without the last one's end.
    pub fn text(&self) -> Vec<u8> {
        match self {
            Failure::Usage(error) => error.text(),
            Failure::WrongLines(lines) => wrong_lines(lines),
            Failure::Input(error) if error.raw_os_error() == Some(libc::EBADF) => {
                "cannot read the rules: standard input is not open for reading".into()
            }
            Failure::Input(error) => {
                format!("cannot read the rules: {}", system_text(error)).into()
            }
            Failure::NothingToReplaceWith => {
                "the input is empty, and --replace would delete everything: use -C to do that"
                    .into()
            }
            Failure::Unavailable(errno) => unavailable(*errno).into(),
            Failure::Refused(verb, errno) => refusal(*verb, *errno).into(),
            Failure::Unstable => {
                "the table changed all the time while it was read: the listing may be incomplete"
                    .into()
            }
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Vec::new(),
            Failure::Output(error) => {
                format!("cannot write the output: {}", system_text(error)).into()
            }
            Failure::Said(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl std::error::Error for Failure {}

fn wrong_lines(lines: &[WrongLine]) -> Vec<u8> {
    let mut text = Vec::new();
    for (i, wrong) in lines.iter().enumerate() {
        if i > 0 {
            text.push(b'\n');
        }
        text.extend_from_slice(format!("line {}: ", wrong.line).as_bytes());
        text.extend_from_slice(&wrong.error.text());
    }
    text
}

fn unavailable(errno: i32) -> String {
    format!(
        "Can't initialize ipvs: {}\n\
         Are you sure that IP Virtual Server is built in the kernel or as module?",
        refusal(Verb::List, errno)
    )
}

/// What the C library says of an error.
pub fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

/// The words for a refusal by the kernel.
pub fn refusal(verb: Verb, errno: i32) -> String {
    let text = match (errno, verb) {
        (EEXIST, Verb::AddService) => "Service already exists",
        (ENOENT, Verb::AddService | Verb::EditService) => {
            "Scheduler or persistence engine not found"
        }
        (ESRCH, Verb::EditService | Verb::DeleteService | Verb::Zero | Verb::List) => {
            "No such service"
        }
        (EEXIST, Verb::AddServer) => "Destination already exists",
        (ENOENT, Verb::EditServer | Verb::DeleteServer) => "No such destination",
        (ESRCH, Verb::AddServer | Verb::EditServer | Verb::DeleteServer) => "Service not defined",
        (EEXIST, Verb::StartDaemon) => "Daemon has already run",
        (ESRCH, Verb::StopDaemon) => "No daemon is running",
        (EPERM, _) => "Permission denied (you must be root)",
        (EINVAL, _) => {
            "Invalid operation.  Possibly wrong module version, address not unicast, ..."
        }
        (ENOPROTOOPT, _) => "Protocol not available",
        (ENOMEM, _) => "Memory allocation problem",
        (EOPNOTSUPP, _) => "Operation not supported with IPv6",
        (EAFNOSUPPORT, _) => "Operation not supported with specified address family",
        (EMSGSIZE, _) => "Module is wrong version",
        _ => return system_text(&io::Error::from_raw_os_error(errno)),
    };
    text.to_owned()
}

/// Prints what there is to say about `error`; the exit status.
pub fn report(error: &anyhow::Error) -> Exit {
    let Some(failure) = error.downcast_ref::<Failure>() else {
        say(format!("{error:#}").as_bytes());
        return Exit::Failure;
    };
    let text = failure.text();
    if !text.is_empty() {
        say(&text);
    }
    if let Failure::Usage(error) = failure
        && io::stderr().is_terminal()
        && let Some(hint) = error.hint()
    {
        say_hint(&hint);
    }
    failure.exit()
}

/// Prints one message to stderr; where that fails, nobody is left to be told.
pub fn say(text: &[u8]) {
    let _ = io::stderr().write_all(&[text, b"\n"].concat());
}

/// Prints a hint for a person; scripts read stderr, and get none.
pub fn say_hint(hint: &str) {
    if io::stderr().is_terminal() {
        say(format!("hint: {hint}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_errno_means_what_the_command_makes_of_it() {
        assert_eq!(refusal(Verb::DeleteService, ESRCH), "No such service");
        assert_eq!(refusal(Verb::DeleteServer, ESRCH), "Service not defined");
        assert_eq!(refusal(Verb::DeleteServer, ENOENT), "No such destination");
        assert_eq!(refusal(Verb::Flush, ENOENT), "No such file or directory");
        assert_eq!(
            refusal(Verb::AddServer, 34),
            "Numerical result out of range"
        );
    }

    #[test]
    fn failed_listings_exit_1_and_other_refusals_255() {
        assert_eq!(Failure::Refused(Verb::List, ESRCH).exit() as u8, 1);
        assert_eq!(Failure::Refused(Verb::Zero, ESRCH).exit() as u8, 255);
        assert_eq!(Failure::Unavailable(EPERM).exit() as u8, 2);
    }
}
