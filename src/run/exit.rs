//! The exit statuses of the programs.

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Success = 0,
    /// A listing failed, or output could not be written. Where the status answers a
    /// question, this is one of the answers: a server was not drained in time, a
    /// table is not what the rules say, `--check` has a warning.
    Failure = 1,
    /// The command line, or a line of rules, is wrong; or there is no IPVS. Where
    /// the status answers a question: the answer is not known.
    Usage = 2,
    /// `--check` has found an error.
    Errors = 3,
    /// 128+SIGHUP, as the others: interrupted, after the current change was
    /// complete.
    HungUp = 129,
    /// 128+SIGINT
    Interrupted = 130,
    /// 128+SIGQUIT
    Quit = 131,
    /// 128+SIGTERM
    Terminated = 143,
    /// 128+SIGPIPE: the reader closed the pipe.
    ClosedPipe = 141,
    /// The kernel refused or could not be asked, or an option is unknown.
    Refused = 255,
}

impl Exit {
    /// Of two things that were done, the end of the one that went worse; a signal
    /// ends both.
    pub fn worse(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::Errors => 3,
            Exit::Refused => 4,
            Exit::ClosedPipe | Exit::HungUp | Exit::Interrupted | Exit::Quit | Exit::Terminated => {
                5
            }
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}
