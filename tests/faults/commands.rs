//! The command lines that are failed, and what they start from.

use crate::support::programs::REFERENCE;
use std::fmt::Write;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Ipvsadm,
    Save,
    Restore,
    Top,
    /// What the init script and the unit run.
    Service,
    /// C ipvsadm, which shows that faults are seen.
    Reference,
    ReferenceSave,
    ReferenceRestore,
}

impl Program {
    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Program::Ipvsadm => "ipvsadm",
            Program::Save => "ipvsadm-save",
            Program::Restore => "ipvsadm-restore",
            Program::Top => "ipvstop",
            Program::Service => "ipvsadm-service",
            Program::Reference => REFERENCE,
            Program::ReferenceSave => "/sbin/ipvsadm-save",
            Program::ReferenceRestore => "/sbin/ipvsadm-restore",
        }
    }
}

/// How far a command can have got when it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// It has changed the table, or it has not.
    One,
    /// Many changes, one after the other.
    Many,
    /// The weights of servers are 0 while they are drained, and each may be deleted
    /// before the others.
    Drain,
}

/// A command line, and what must hold for it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    pub program: Program,
    pub line: &'static str,
    pub input: fn() -> String,
    /// The table before.
    pub rules: fn() -> String,
    pub steps: Steps,
    /// Its output has the time in it.
    pub timed: bool,
    /// Its statuses 0, 1 and 3 are answers, which it may not give where it cannot
    /// know.
    pub question: bool,
    /// The same without names: what a name that cannot be looked up becomes.
    pub numeric: Option<&'static str>,
    /// With a connection that stays open.
    pub connected: bool,
    /// As a user without any capability.
    pub unprivileged: bool,
    /// What the dynamic linker does fails, and nothing else.
    pub with_loader: bool,
    /// Allocations fail, too.
    pub with_memory: bool,
    /// Faults that the program is known to have: the call, and what it was told.
    pub known: &'static [(&'static str, &'static str)],
}

fn nothing() -> String {
    String::new()
}

/// Every server has an address or a port of its own.
fn table() -> String {
    "-A -t 10.0.9.1:80 -s rr\n\
     -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 5 -x 100 -y 50\n\
     -a -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 4\n\
     -A -u 10.0.9.1:53 -s wrr -p 60\n\
     -a -u 10.0.9.1:53 -r 10.0.9.4:53 -g -w 1\n\
     -a -u 10.0.9.1:53 -r 10.0.9.3:53 -g -w 2\n\
     -A -f 7 -s wlc\n"
        .into()
}

/// 200 lines.
fn many() -> String {
    let mut rules = String::new();
    for service in 0..4 {
        let _ = writeln!(rules, "-A -t 10.0.9.1:{} -s rr", 100 + service);
        for server in 1..50 {
            let _ = writeln!(
                rules,
                "-a -t 10.0.9.1:{} -r 10.0.8.{server}:8080 -m -w {server}",
                100 + service
            );
        }
    }
    rules
}

/// The table with something new, something less and something else.
fn wanted() -> String {
    "-A -t 10.0.9.1:80 -s wlc\n\
     -a -t 10.0.9.1:80 -r 10.0.9.2:8080 -m -w 6 -x 100 -y 50\n\
     -a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 4\n\
     -A -t 10.0.9.1:443 -s sh\n\
     -a -t 10.0.9.1:443 -r 10.0.9.2:443 -g -w 1\n\
     -A -f 7 -s wlc\n"
        .into()
}

const fn case(name: &'static str, line: &'static str) -> Case {
    Case {
        name,
        program: Program::Ipvsadm,
        line,
        input: nothing,
        rules: table,
        steps: Steps::One,
        timed: false,
        question: false,
        numeric: None,
        connected: false,
        unprivileged: false,
        with_loader: false,
        with_memory: false,
        known: &[],
    }
}

const fn service(name: &'static str, line: &'static str) -> Case {
    Case {
        program: Program::Service,
        steps: Steps::Many,
        ..case(name, line)
    }
}

const fn unprivileged(name: &'static str, line: &'static str) -> Case {
    Case {
        unprivileged: true,
        ..case(name, line)
    }
}

const fn with_memory(case: Case) -> Case {
    Case {
        with_memory: true,
        ..case
    }
}

/// Faults of C ipvsadm: a change is made whose answer is lost, and nothing is said of
/// it; and what does not fit on the disk is not missed.
const LOST_ANSWER: &[(&str, &str)] = &[("recvmsg", "lost")];
const FULL_DISK: &[(&str, &str)] = &[("write", "ENOSPC")];

/// C ipvsadm.
const fn reference(
    name: &'static str,
    line: &'static str,
    known: &'static [(&'static str, &'static str)],
) -> Case {
    Case {
        program: Program::Reference,
        known,
        ..case(name, line)
    }
}

/// Every command, every format, and the programs around them.
pub const CASES: &[Case] = &[
    with_memory(case("add-service", "-A -t 10.0.9.1:443 -s wrr -p 60")),
    case("ensure-service", "-A -t 10.0.9.1:80 -s wrr --ensure"),
    case("edit-service", "-E -t 10.0.9.1:80 -s wlc -p 90"),
    with_memory(case("keep-service", "-E -t 10.0.9.1:80 -p 90 --keep")),
    case("delete-service", "-D -t 10.0.9.1:80"),
    case("ensure-no-service", "-D -t 10.0.9.1:80 --ensure"),
    case("clear", "-C"),
    case("add-server", "-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m -w 3"),
    case(
        "ensure-server",
        "-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -w 9 --ensure",
    ),
    case("edit-server", "-e -t 10.0.9.1:80 -r 10.0.9.3:8080 -m -w 9"),
    with_memory(case(
        "keep-server",
        "-e -t 10.0.9.1:80 -r 10.0.9.2:8080 -w 9 --keep",
    )),
    with_memory(case("delete-server", "-d -t 10.0.9.1:80 -r 10.0.9.3:8080")),
    case(
        "ensure-no-server",
        "-d -t 10.0.9.1:80 -r 10.0.9.3:8080 --ensure",
    ),
    with_memory(Case {
        steps: Steps::Drain,
        ..case("drain", "-d -t 10.0.9.1:80 -r 10.0.9.3:8080 --drain 9")
    }),
    Case {
        steps: Steps::Many,
        ..case("edit-all", "-e --all -r 10.0.9.3 --keep -w 0")
    },
    Case {
        steps: Steps::Many,
        ..case("delete-all", "-d --all -r 10.0.9.3")
    },
    Case {
        steps: Steps::Drain,
        question: true,
        connected: true,
        timed: true,
        ..case("drain-late", "-d -t 10.0.9.1:80 -r 10.0.9.2:8080 --drain 1")
    },
    with_memory(Case {
        steps: Steps::Drain,
        question: true,
        ..case("drain-all", "-e --all -r 10.0.9.3 --keep -w 0 --drain 9")
    }),
    with_memory(Case {
        steps: Steps::Drain,
        question: true,
        ..case("drain-delete-all", "-d --all -r 10.0.9.3 --drain 9")
    }),
    case("zero", "-Z"),
    case("timeouts", "--set 901 121 301"),
    case(
        "start-daemon",
        "--start-daemon master --mcast-interface lo --syncid 7",
    ),
    Case {
        rules: || table() + "--start-daemon backup --mcast-interface lo --syncid 8\n",
        ..case("stop-daemon", "--stop-daemon backup")
    },
    Case {
        input: many,
        rules: nothing,
        steps: Steps::Many,
        ..case("restore", "-R")
    },
    with_memory(Case {
        program: Program::Restore,
        input: wanted,
        steps: Steps::Many,
        ..case("ipvsadm-restore", "")
    }),
    with_memory(Case {
        input: wanted,
        steps: Steps::Many,
        ..case("replace", "-R --replace")
    }),
    Case {
        input: wanted,
        question: true,
        ..case("replace-dry-run", "-R --replace --dry-run")
    },
    with_memory(Case {
        input: table,
        question: true,
        ..case("replace-dry-run-same", "-R --replace --dry-run")
    }),
    Case {
        input: wanted,
        ..case("restore-dry-run", "-R --dry-run")
    },
    Case {
        question: true,
        ..case(
            "ensure-dry-run",
            "-a -t 10.0.9.1:80 -r 10.0.9.3:8080 -w 9 --ensure --dry-run",
        )
    },
    Case {
        question: true,
        ..case(
            "keep-dry-run-same",
            "-E -t 10.0.9.1:80 -s rr --keep --dry-run --json",
        )
    },
    case("ensure-json", "-A -t 10.0.9.1:443 -s wrr --ensure --json"),
    Case {
        steps: Steps::Many,
        ..case("edit-all-json", "-e --all -r 10.0.9.3 --keep -w 0 --json")
    },
    Case {
        input: || {
            wanted()
                .lines()
                .take(3)
                .map(|line| format!("{line}\n"))
                .collect()
        },
        steps: Steps::Many,
        ..case("replace-part", "-R --replace -t 10.0.9.1:80 --json")
    },
    Case {
        numeric: Some("-Ln"),
        ..case("list", "-L")
    },
    with_memory(case("list-numeric", "-Ln")),
    case("list-service", "-Ln -t 10.0.9.1:80"),
    Case {
        question: true,
        ..case("list-server", "-Ln -r 10.0.9.2")
    },
    Case {
        question: true,
        ..case("list-address", "-Ln --vip 10.0.9.1")
    },
    case("list-stats", "-Ln --stats"),
    case("list-rates", "-Ln --rate"),
    case("list-thresholds", "-Ln --thresholds"),
    case("list-persistent", "-Ln --persistent-conn"),
    case("list-tunnels", "-Ln --tun-info"),
    case("list-timeouts", "-L --timeout"),
    Case {
        rules: || table() + "--start-daemon backup --mcast-interface lo --syncid 8\n",
        ..case("list-daemons", "-L --daemon")
    },
    with_memory(case("json", "-L --json")),
    with_memory(case("openmetrics", "-L --openmetrics")),
    case("node-metrics", "-L --openmetrics=node"),
    unprivileged("unprivileged-json", "-L --json"),
    unprivileged("unprivileged-metrics", "-L --openmetrics"),
    Case {
        connected: true,
        timed: true,
        ..case("list-connections", "-Lcn")
    },
    Case {
        connected: true,
        ..case("count-connections", "-Lcn --by server --top 3")
    },
    Case {
        connected: true,
        ..case("count-origins", "-Lcn --by origin")
    },
    Case {
        timed: true,
        ..case("watch", "-Ln --watch 1 --samples 2")
    },
    Case {
        numeric: Some("-Sn"),
        ..case("save", "-S")
    },
    with_memory(case("save-all", "-Sn --all")),
    Case {
        program: Program::Save,
        ..case("ipvsadm-save", "-n")
    },
    case("network-namespace", "-Ln --netns /proc/thread-self/ns/net"),
    Case {
        question: true,
        ..case("check", "--check -n")
    },
    Case {
        question: true,
        ..case("check-part", "--check --vip 10.0.9.1 -r 10.0.9.3")
    },
    Case {
        timed: true,
        question: true,
        program: Program::Top,
        ..case(
            "ipvstop-part",
            "-b -n 1 -d 0.5 --hosts --vip 10.0.9.1 -r 10.0.9.3",
        )
    },
    Case {
        timed: true,
        program: Program::Top,
        ..case("ipvstop", "-b -n 2 -d 0.5")
    },
    case("help", "-h"),
    case("misused", "-A -t 10.0.9.1:80 -w 5"),
    service("service-save", "save"),
    service("service-load", "load"),
    service("service-reload", "reload"),
    service("service-stop", "stop"),
    service("service-start", "start"),
    service("service-checkconfig", "checkconfig"),
    // What the dynamic linker does is the same for all.
    Case {
        with_loader: true,
        ..case("start-of-a-program", "-Ln")
    },
    reference("c-add", "-A -t 10.0.9.1:443 -s rr", LOST_ANSWER),
    reference(
        "c-add-server",
        "-a -t 10.0.9.1:80 -r 10.0.9.4:8080 -m",
        LOST_ANSWER,
    ),
    reference("c-delete", "-D -t 10.0.9.1:80", LOST_ANSWER),
    reference("c-clear", "-C", LOST_ANSWER),
    reference("c-list", "-Ln", FULL_DISK),
    reference("c-stats", "-Ln --stats", FULL_DISK),
    reference("c-timeouts", "-L --timeout", FULL_DISK),
    reference("c-save", "-Sn", FULL_DISK),
    Case {
        input: many,
        rules: nothing,
        steps: Steps::Many,
        ..reference("c-restore", "-R", &[("read", "EIO")])
    },
    Case {
        program: Program::ReferenceSave,
        ..reference("c-ipvsadm-save", "-n", FULL_DISK)
    },
    Case {
        program: Program::ReferenceRestore,
        input: wanted,
        steps: Steps::Many,
        ..reference("c-ipvsadm-restore", "", &[("read", "EIO")])
    },
];
