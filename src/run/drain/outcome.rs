//! Why a real server was not drained, and the words for it.

use crate::render::words;
use crate::run::exit::Exit;
use crate::run::failure::Failure;
use std::fmt;
use std::sync::Arc;

/// Why a real server was not drained, or not deleted after all.
#[derive(Debug)]
pub enum NotDrained {
    /// The weight could not be set to 0.
    NotBegun(Box<Failure>),
    /// Somebody else set this weight.
    Reweighted {
        /// The weight.
        weight: i32,
        /// Whether it was 0 before this program came.
        was_0: bool,
        /// Whether the server was to stay.
        stays: bool,
    },
    /// Somebody else deleted the server, which was to stay: nothing counts its
    /// connections any more, and they may go on.
    Deleted,
    /// This failed, and so it is not known what is left.
    Failed(Arc<Failure>, Weight),
    /// The time was up.
    TimedOut(Left, Weight),
    /// A signal came, which has this exit status.
    Interrupted(Exit, Left, Weight),
}

/// The server's weight after draining was given up.
#[derive(Debug)]
pub enum Weight {
    /// It is 0, which was asked for.
    Zero,
    /// It is what it was before.
    AsBefore(i32),
    /// The server is as somebody else has set it.
    NotOurs,
    /// It may still be 0: it could not be restored.
    Stuck {
        /// Why.
        cause: String,
        /// The command that restores it.
        command: String,
    },
}

impl NotDrained {
    /// The exit status that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            NotDrained::TimedOut(..) => Exit::Failure,
            // Only time that is up is a plain "no".
            NotDrained::Reweighted { .. } | NotDrained::Deleted => Exit::Usage,
            NotDrained::NotBegun(failure) => of_refusal(failure),
            NotDrained::Failed(failure, _) => of_refusal(failure),
            NotDrained::Interrupted(exit, ..) => *exit,
        }
    }
}

fn of_refusal(failure: &Failure) -> Exit {
    match failure.exit() {
        Exit::Refused if failure.is_refusal() => Exit::Refused,
        _ => Exit::Usage,
    }
}

impl Weight {
    /// Whether it could not be restored.
    pub fn is_stuck(&self) -> bool {
        matches!(self, Weight::Stuck { .. })
    }
}

impl fmt::Display for NotDrained {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (why, left, weight) = match self {
            NotDrained::NotBegun(failure) => return write!(f, "{failure}"),
            NotDrained::Reweighted {
                weight,
                was_0,
                stays,
            } => {
                let perhaps = match was_0 {
                    true => ", perhaps another drain that was given up,",
                    false => "",
                };
                let not = if *stays { "drained" } else { "deleted" };
                return write!(
                    f,
                    "somebody else{perhaps} set the weight to {weight}: not {not}"
                );
            }
            NotDrained::Deleted => {
                return f.write_str(
                    "somebody else deleted the real server: whether anybody is still \
                     connected is not known",
                );
            }
            NotDrained::Failed(failure, weight) => {
                let then = match weight {
                    Weight::Zero | Weight::Stuck { .. } => ";",
                    _ => ": not deleted, and",
                };
                return write!(f, "{failure}{then} {weight}");
            }
            NotDrained::TimedOut(left, weight) => ("time is up", left, weight),
            NotDrained::Interrupted(_, left, weight) => ("interrupted", left, weight),
        };
        let then = match weight {
            Weight::Zero => "",
            _ => "not deleted, and ",
        };
        write!(f, "{why}: {left} left; {then}{weight}")
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Weight::Zero => write!(f, "the weight stays 0"),
            Weight::AsBefore(0) => write!(f, "the weight is 0 as before"),
            Weight::AsBefore(weight) => write!(f, "the weight is {weight} again"),
            Weight::NotOurs => write!(f, "the real server stays as somebody else set it"),
            Weight::Stuck { cause, command } => write!(
                f,
                "the weight may still be 0, as it could not be restored: {cause}; to restore it: \
                 {command}"
            ),
        }
    }
}

/// What is known of the connections that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// This many are in an active state.
    Active(u32),
    /// None is active, and this many are open.
    Open(u32),
    /// None is active; which of those that are left are open is not known.
    Inactive(u32),
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (count, kind) = match self {
            Left::Active(count) => (count, "active"),
            Left::Open(count) => (count, "open"),
            Left::Inactive(count) => (count, "inactive"),
        };
        let noun = format!("{kind} connection");
        f.write_str(&words::count(u64::from(*count), &noun))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::opt::CommandName;

    #[test]
    fn a_weight_that_was_to_be_0_stays_so() {
        let late = NotDrained::TimedOut(Left::Active(2), Weight::Zero);
        assert_eq!(
            late.to_string(),
            "time is up: 2 active connections left; the weight stays 0"
        );
        assert_eq!(late.exit(), Exit::Failure);
        let others = NotDrained::Reweighted {
            weight: 5,
            was_0: false,
            stays: true,
        };
        assert_eq!(
            others.to_string(),
            "somebody else set the weight to 5: not drained"
        );
        let refused = || Failure::refused(CommandName::EditServer, libc::EINVAL);
        let failed = NotDrained::Failed(Arc::new(refused()), Weight::Zero);
        assert_eq!(
            failed.to_string(),
            format!("{}; the weight stays 0", refused())
        );
        assert_eq!(failed.exit(), Exit::Refused);
        // Where 1 is an answer, it is not one to a listing that failed.
        let unread = Failure::refused(CommandName::List, libc::ENOENT);
        assert_eq!(NotDrained::NotBegun(unread.into()).exit(), Exit::Usage);
    }

    #[test]
    fn a_weight_that_could_not_be_restored_is_said_with_the_command_that_does() {
        let weight = Weight::Stuck {
            cause: "No buffer space available".into(),
            command: "ipvsadm -e -t 10.0.0.1:80 -r 10.0.0.2:80 --keep -w 3".into(),
        };
        assert_eq!(
            NotDrained::TimedOut(Left::Open(2), weight).to_string(),
            "time is up: 2 open connections left; not deleted, and the weight may still be 0, as it \
             could not be restored: No buffer space available; to restore it: ipvsadm -e -t \
             10.0.0.1:80 -r 10.0.0.2:80 --keep -w 3"
        );
    }
}
