//! -R, ipvsadm-restore and ipvsadm-save: lines of rules, good, odd and wrong.

use crate::suite::{Cases, Group};
use crate::support::bench::{Seen, Which};
use crate::support::programs::{Call, End, Outcome, Tool};
use ipvsadm::cli::help;

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("restore::good", good),
        Group::new("restore::wrong_lines", wrong_lines),
        Group::new("restore::refusals", refusals),
        Group::new("restore::comments", comments),
        Group::new("restore::programs", programs),
    ]
}

const TABLE: &str = "-A -t 10.0.0.1:80 -s rr\n\
    -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m\n";

fn restore(input: &[u8]) -> Call {
    Call::new("-R").stdin(input)
}

/// What both read alike.
fn good(cases: &mut Cases) {
    cases.given(TABLE);
    let inputs: &[&[u8]] = &[
        b"",
        b"\n",
        b"\n\n\n",
        b"   \t \n",
        b"-A -t 10.0.0.9:80 -s rr\n",
        b"-A -t 10.0.0.9:80 -s rr",
        b"-A -t 10.0.0.9:80 -s rr\r\n-a -t 10.0.0.9:80 -r 10.0.0.2 -m\r\n",
        b"-A -t 10.0.0.9:80 -s rr\r",
        b"\r\n-A\r-t\r10.0.0.9:80\n",
        b"  -A\t-t \t 10.0.0.9:80   -s rr  \n",
        b"\n\n-A -t 10.0.0.9:80 -s rr\n\n\n-A -f 1\n\n",
        b"ipvsadm -A -t 10.0.0.9:80 -s rr\n",
        b"ipvsadm ipvsadm -A -t ipvsadm 10.0.0.9:80 -s rr ipvsadm\n",
        b"ipvsadm\n",
        b"-At 10.0.0.9:80 -srr\n-at10.0.0.9:80 -r10.0.0.2 -mw5\n",
        b"--add-service --tcp-service=10.0.0.9:80 --scheduler rr\n",
        b"-A -t vip:https -s rr\n-a -t vip:https -r real.example.test -m\n",
        b"-A -t 10.0.0.9:80\0 -s rr\0x\n",
        b"-C\n",
        b"-C\n-A -t 10.0.0.9:80 -s rr\n-D -t 10.0.0.9:80\n-A -f 1 -s rr -p\n",
        b"-e -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 7\n-E -t 10.0.0.1:80 -s wrr\n",
        b"-d -t 10.0.0.1:80 -r 10.0.0.2:80\n-D -t 10.0.0.1:80\n",
        b"-Z\n-Z -t 10.0.0.1:80\n",
        b"--set 1 2 3\n--set 0 5 0\n",
        b"--start-daemon master --mcast-interface eth0\n--stop-daemon master\n--start-daemon backup --syncid 3\n",
        b"-Ln\n-Sn\n-L --timeout\n-Lcn\n",
        b"-A -t 10.0.0.9:80 -s rr\n-Ln\n-C\n-Ln\n",
        b"-Ln -t 10.0.0.1:80\n",
        b"--set -- 1 2 3\n",
        b"-A -f 1 -6 -s rr -p 5 -M 64\n-a -f 1 -6 -r [2001:db8::2]:0 -i --tun-type gue --tun-port 5\n",
    ];
    for input in inputs {
        cases.call(&restore(input));
    }
    let many: String = (0..300)
        .map(|n| {
            format!(
                "-A -t 10.3.{}.{}:80 -s rr\n-a -t 10.3.{}.{}:80 -r 10.0.0.2 -m\n",
                n / 100,
                n % 100,
                n / 100,
                n % 100
            )
        })
        .collect();
    cases.call(&restore(many.as_bytes()));
    let blanks = " ".repeat(10_000);
    cases.call(&restore(
        format!("-A{blanks}-t{blanks}10.0.0.9:80{blanks}\n").as_bytes(),
    ));
    let words = "--sort ".repeat(30);
    cases.call(&restore(format!("-A -t 10.0.0.9:80 {words}\n").as_bytes()));
    for line in [
        "-R -n",
        "-R foo",
        "-R -L",
        "-R -t 10.0.0.1:80",
        "-nR",
        "-Rn",
        "--restore=5",
    ] {
        cases.call(&Call::new(line).stdin("-C\n"));
    }
}

/// A wrong line anywhere: all wrong lines are reported, nothing has changed.
#[rustfmt::skip] // several cases a line
fn wrong_lines(cases: &mut Cases) {
    cases.given(TABLE);
    let good = "-A -t 10.0.0.9:80 -s rr\n";
    for (input, said) in [
        (format!("-A -t bad\n{good}"), "line 1: illegal virtual server address[:port] specified: bad: the name has no address\n"),
        (format!("{good}-A -t bad\n-A -f 1\n"), "line 2: illegal virtual server address[:port] specified: bad: the name has no address\n"),
        (format!("{good}\n-A -f 0"), "line 3: invalid fwmark value `0' specified: not a number from 1 to 4294967295, decimal or 0x and hexadecimal\n"),
        (format!("-C\n{good}-Q\n"), "line 3: -Q: unknown option\n"),
        ("-C\n-C -n\n-w 5\n-A\n-A -t\n".into(),
            "line 2: Illegal 'numeric' option with the 'flush' command\n\
             line 3: no command in `-w'\n\
             line 4: You need to supply the 'service-address' option for the 'add-service' command\n\
             line 5: -t: missing argument\n"),
        ("foo\n".into(), "line 1: no command in `foo'\n"),
        ("/sbin/ipvsadm -C\n".into(), "line 1: unexpected argument /sbin/ipvsadm\n"),
        ("-C foo\n".into(), "line 1: unexpected argument foo\n"),
        ("-C -L\n".into(), "line 1: invalid option `-L'\n"),
        ("-A -t '10.0.0.9:80'\n".into(), "line 1: illegal virtual server address[:port] specified: '10.0.0.9:80': no service `80'' for tcp\n"),
        ("-A\x0b-t 10.0.0.9:80\n".into(), "line 1: -A\\u{b}-t: unknown option\n"),
        ("-A -t 10.0.0.9\n".into(), "line 1: Zero port specified for non-persistent service: 10.0.0.9: name a port, or add -p for a service on all ports\n"),
        ("-A -6 -f 1\n".into(), "line 1: -6 must follow -f\n"),
        ("-A -t 10.0.0.9:80 -b ,\n".into(), "line 1: invalid scheduler flag `,': not one of sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3\n"),
        ("--set 1 2\n".into(), "line 1: --set option requires 3 timeout values\n"),
        ("-R\n".into(), "line 1: the 'restore' command is not allowed in rules\n"),
        ("-h\n".into(), "line 1: the 'help' command is not allowed in rules\n"),
        ("-v\n".into(), "line 1: the 'version' command is not allowed in rules\n"),
        ("-A -t nosuch.example.test:80\n".into(), "line 1: illegal virtual server address[:port] specified: nosuch.example.test:80: the name has no address\n"),
        ("-A -t 10.0.0.9:80\0x -s\0 rr\n-A -t \0\n".into(), "line 2: -t: missing argument\n"),
    ] {
        let before = cases.table();
        cases.differs("restore-checks-first", &restore(input.as_bytes()), |_| Seen {
            outcome: Outcome::new(2, "", said),
            table: before,
        });
    }
    let long = "x".repeat(5000);
    let before = cases.table();
    cases.differs("restore-checks-first", &restore(format!("-A -t {long}\n").as_bytes()), |_| Seen {
        outcome: Outcome::new(2, "", format!("line 1: illegal virtual server address[:port] specified: {long}: the name has no address\n")),
        table: before,
    });
}

/// The kernel refuses a line: it is reported, and the rest is done.
fn refusals(cases: &mut Cases) {
    cases.given(TABLE);
    for (input, said) in [
        (
            "-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.9:80 -s rr\n",
            "line 1: Service already exists\n",
        ),
        (
            "-A -f 1\n-A -f 1\n-A -f 2\n",
            "line 2: Service already exists\n",
        ),
        ("-A -f 1\n\n-D -f 3\n", "line 3: No such service\n"),
        (
            "-a -f 1 -r 10.0.0.2 -m\n-A -f 1 -s nosuch\n-A -f 1\n",
            "line 1: Service not defined\nline 2: Scheduler or persistence engine not found\n",
        ),
        (
            "-d -t 10.0.0.1:80 -r 10.0.0.3\n-e -t 10.0.0.1:80 -r 10.0.0.3 -m\n-a -t 10.0.0.1:80 -r 10.0.0.2 -m\n-C\n",
            "line 1: No such destination\nline 2: No such destination\nline 3: Destination already exists\n",
        ),
        (
            "--stop-daemon master\n--start-daemon master\n--start-daemon master\n-C\n",
            "line 1: No daemon is running\nline 3: Daemon has already run\n",
        ),
        (
            "-a -t 10.0.0.1:80 -r 224.0.0.1\n-Ln\n-a -t 10.0.0.1:80 -r 10.0.0.3 -y 5\n",
            "line 1: Invalid operation.  Possibly wrong module version, address not unicast, ...\n\
             line 3: Numerical result out of range\n",
        ),
    ] {
        cases.differs(
            "restore-goes-on",
            &restore(input.as_bytes()),
            |mut reference| {
                reference.outcome.end = End::Exit(255);
                reference.outcome.stderr = said.into();
                reference
            },
        );
    }
    // A listing that fails ends the reference's run.
    let whole = cases.see(Which::Reference, &restore(b"-C\n-A -f 1\n"));
    cases.differs(
        "restore-goes-on",
        &restore(b"-C\n-Ln -f 7\n-A -f 1\n"),
        |_| Seen {
            outcome: Outcome::new(255, "", "line 2: No such service\n"),
            table: whole.table,
        },
    );
}

fn comments(cases: &mut Cases) {
    cases.given(TABLE);
    for (input, same_as) in [
        ("# a comment\n-A -f 1\n", "-A -f 1\n"),
        (
            "-A -f 1 # a comment\n-C -n -Q # -t\n",
            "-A -f 1\n-C -n -Q\n",
        ),
        ("-A -f 1 #-Q\n  #\n\t# x\n#\n-A -f 2", "-A -f 1\n-A -f 2\n"),
        ("#-Q\r\n-A -f 1\r\n", "-A -f 1\n"),
    ] {
        if same_as.contains("-Q") {
            let before = cases.table();
            cases.differs("restore-comments", &restore(input.as_bytes()), |_| Seen {
                outcome: Outcome::new(2, "", "line 2: -Q: unknown option\n"),
                table: before,
            });
        } else {
            let without = cases.see(Which::Reference, &restore(same_as.as_bytes()));
            cases.differs("restore-comments", &restore(input.as_bytes()), |_| without);
        }
    }
}

/// ipvsadm-save and ipvsadm-restore.
#[rustfmt::skip] // one case a line
fn programs(cases: &mut Cases) {
    cases.given(TABLE);
    for line in ["", "-n", "foo", "-n foo", "-n -n"] {
        cases.call(&Call::new(line).tool(Tool::Save));
    }
    for line in ["-h", "-x", "-n -x", "foo -nh", "--numeric", "--help", "-", "--"] {
        cases.differs("texts", &Call::new(line).tool(Tool::Save), |mut reference| {
            reference.outcome.stderr = help::SAVE.into();
            reference
        });
    }
    let restore = |input: &str| Call::new("").tool(Tool::Restore).stdin(input);
    for input in [
        "",
        "\n",
        "-A -t 10.0.0.9:80 -s rr\n",
        "-A -t 10.0.0.9:80 -s rr",
        "# a comment\n-A -t 10.0.0.1:80 -s rr\n#-Q\n-a -t 10.0.0.1:80 -r 10.0.0.2 -m -w 7\n\n",
        "-A -f 1\n-C\n-A -f 2\n",
        "# nothing\n",
    ] {
        cases.call(&restore(input));
    }
    let with = |words: &str| Call::new(words).tool(Tool::Restore).stdin("-A -f 1\n");
    for words in [
        "-n", "-x", "foo", "-n foo --nosuch", "-", "--", "-nx", "-C", "--numeric", "-R --all",
    ] {
        cases.call(&with(words));
    }
    let before = cases.table();
    for (words, outcome) in [
        ("-h", Outcome::new(0, help::RESTORE, "")),
        ("-n foo --help", Outcome::new(0, help::RESTORE, "")),
        ("--dryrun", Outcome::new(255, "", "--dryrun: unknown option\n")),
        ("-n --replcae", Outcome::new(255, "", "--replcae: unknown option\n")),
        ("--dry-run", Outcome::new(0, "-C\n-A -f 1 -s wlc\n", "")),
    ] {
        cases.differs("restore-options", &with(words), |_| Seen {
            outcome,
            table: before.clone(),
        });
    }
    cases.differs("restore-checks-first", &restore("-A -f 1\n-Q\n"), |_| {
        Seen {
            outcome: Outcome::new(2, "", "line 2: -Q: unknown option\n"),
            table: before,
        }
    });
    cases.differs(
        "restore-goes-on",
        &restore("-A -f 1\n-A -f 1\n-A -f 2\n"),
        |mut reference| {
            reference.outcome = Outcome::new(255, "", "line 2: Service already exists\n");
            reference
        },
    );
}
