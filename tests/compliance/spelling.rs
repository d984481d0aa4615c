//! How options are spelt, put in order, repeated, and got wrong.

use crate::suite::{Cases, Group};
use crate::support::programs::Call;
use ipvsadm::cli::options::{OPTIONS, Since};

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("spelling::values", values),
        Group::new("spelling::bundles", bundles),
        Group::new("spelling::first_word", first_word),
        Group::new("spelling::options_first", options_first),
        Group::new("spelling::every_option", every_option),
        Group::new("spelling::order", order),
        Group::new("spelling::twice", twice),
        Group::new("spelling::stray", stray),
        Group::new("spelling::posix", posix),
        Group::new("spelling::own_name", own_name),
    ]
}

const TABLE: &str = "-A -t 10.0.0.1:80 -s rr\n\
    -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m\n";

#[rustfmt::skip] // several cases a line
fn values(cases: &mut Cases) {
    cases.given(TABLE);
    for weight in [
        "-w 5", "-w5", "-w=5", "-w= 5", "-w ' 5'", "--weight 5", "--weight=5", "--weight5", "--weight= 5",
        "-w=", "--weight=", "-w", "--weight", "-w -1", "-w -- 5", "-w --5", "-w==5", "--weight==5", "-weight 5",
        "-w '=5'", "-w5=5", "-mw5", "-mw 5", "-mw=5", "-m5", "-m=5", "--masquerading=5", "--masquerading=",
        "-m=", "-mw", "-wm", "-w5m", "-m -w5", "-=w5", "-w\u{a0}5",
    ] {
        cases.same(format!("-a -t 10.0.0.1:80 -r 10.0.0.9 {weight}"));
    }
    // A value that looks like an option is a value.
    for line in [
        "-A -t -s", "-A -t -s rr", "-A -f -1", "-A -f --5", "-A -f -- 5", "-A -s -t 10.0.0.9:80",
        "-A -s -- -t 10.0.0.9:80", "-a -r -m -t 10.0.0.1:80", "-A -t --help", "-L -t -n", "-A -b -t -t 10.0.0.9:80",
    ] {
        cases.same(line);
    }
    for persistent in [
        "-p", "-p 5", "-p5", "-p=5", "-p=", "-p ''", "-p -5", "-p -", "-p --", "-p -- 5", "--persistent",
        "--persistent 5", "--persistent=5", "--persistent=", "--persistent5", "-p rr", "-p -s rr", "-p 5 6",
        "-ps rr", "-po", "-op", "-op 5", "-op5", "-p 360 -p", "-p +5", "-p ' 5'", "-p 0", "-p=0",
    ] {
        cases.same(format!("-A -u 10.0.0.9:80 {persistent}"));
        cases.same(format!("-A {persistent} -u 10.0.0.9:80"));
    }
    cases.same("-pt 10.0.0.9:80 -A");
    cases.same("-A -pt 10.0.0.9:80");
    cases.same("-A -p -t 10.0.0.9:80");
}

/// The reference refuses whatever stands before the command; of that, only options
/// of ours that go with the command are taken.
fn options_first(cases: &mut Cases) {
    cases.given(TABLE);
    for (line, usual) in [
        ("--json -L", "-L --json"),
        ("-jL", "-Lj"),
        ("--ensure -A -t 10.0.0.9:80", "-A -t 10.0.0.9:80 --ensure"),
        (
            "--keep -e -t 10.0.0.1:80 -r 10.0.0.2:80 -w 5",
            "-e -t 10.0.0.1:80 -r 10.0.0.2:80 -w 5 --keep",
        ),
        (
            "--netns /proc/self/ns/net -D -t 10.0.0.1:80",
            "-D -t 10.0.0.1:80",
        ),
    ] {
        let usual = cases.ours_as_root(usual);
        assert!(usual.outcome.stderr.is_empty(), "{line}: {usual}");
        cases.differs("options-first", &Call::new(line), |_| usual);
    }
    for line in [
        "--json -C",
        "--netns x",
        "--netns",
        "--netns x -n -L",
        "-n --netns x -L",
        "--netns x --sort -L",
        "--netns x -6 -L",
        "--netns x -t 10.0.0.1:80 -L",
        "--netns x -Q -L",
        "--netns -L",
        "--netns x -- -L",
        "--all -L",
        "-jC",
        "--watch -C",
    ] {
        cases.same(line);
    }
}

#[rustfmt::skip] // several cases a line
fn bundles(cases: &mut Cases) {
    cases.given(TABLE);
    for line in [
        "-Ln", "-ln", "-nL", "-Lcn", "-lcn", "-Lnc", "-LnX", "-Sn", "-nS", "-LL", "-Ll", "-lL", "-AD", "-Lh",
        "-Lv", "-hL", "-vL", "-hQ", "-vQ", "-LQ", "-LnQ", "-QL", "-Lnx", "-Lnw", "-Lt", "-Lt10.0.0.1:80",
        "-Lnt10.0.0.1:80", "-Lnt 10.0.0.1:80", "-Lt=10.0.0.1:80", "-Lf1", "-At10.0.0.9:80", "-At 10.0.0.9:80",
        "-At=10.0.0.9:80", "-At10.0.0.9:80 -srr", "-A -srr -t10.0.0.9:80", "-Dt 10.0.0.1:80", "-Dt10.0.0.1:80",
        "-Zt 10.0.0.1:80", "-at 10.0.0.1:80 -r 10.0.0.9 -mw5", "-at 10.0.0.1:80 -r10.0.0.9", "-dt 10.0.0.1:80 -r10.0.0.2:80",
        "-et 10.0.0.1:80 -r10.0.0.2 -mw7", "-L-n", "-L-", "-L--", "-Ln-", "-Af1", "-Af16", "-Af 1 -6s rr", "-A -f1 -6srr",
        "-A6f1", "-Au 10.0.0.9:80 -op", "-list", "-save", "-help", "-version", "-clear", "-zero", "-Lnn", "-Lcc",
        "-C6", "-L6", "-Ct 10.0.0.1:80", "-R5", "-S5", "-LX", "-LXX", "-L=", "-Ln=", "-L=n", "-Ln=5", "-C=",
        "-CQ", "-hh", "-hv", "-vh", "-v5", "-h=5", "-v=5", "-h=", "-L\u{e4}", "-\u{e4}",
    ] {
        cases.same(line);
    }
    cases.same(b"-L\xff");
    cases.same(b"-\xff");
    cases.same(b"--\xff");
    cases.same(b"-L \xff");
    cases.same(b"-L -w \xff");
    cases.same(b"-L --li\xffst");
}

/// The first option must name the command.
#[rustfmt::skip] // several cases a line
fn first_word(cases: &mut Cases) {
    cases.given(TABLE);
    for line in [
        "", "''", "-", "--", "-- -L", "- -L", "foo", "foo bar", "foo -L", "foo bar -L", "'' -L", "-n", "-n -L",
        "-t 10.0.0.1:80 -L", "-Q", "-Q -L", "--nosuch", "--nosuch -L", "--list=5", "--list=", "-L=", "-h=", "--help=5",
        "--start-daemon", "--start-daemon=", "--stop-daemon", "--stop-daemon=", "--lis", "--li", "--l", "--", "---",
        "--=", "-=", "--L", "--list", "--list -n", "--numeric", "--set", "--set=1", "-?", "--usage", "-I", "-O", "-N",
        "-i", "-h", "--help", "-v", "--version", "-h extra", "-v extra", "-h -Q", "-v --nosuch", "foo -h", "foo -v",
        "-h -L", "-L -h", "-L --help", "-L -v", "-L --version", "-6", "-6 -L", "--sort", "--sort -L", "foo --sort -L",
        "-- -- -L", "-L --", "-L -- --", "foo -- -L", "--Add-service", "--ADD-SERVICE", "--add_service", "-A=5",
        "--add-service", "--add-service=", "--clear", "--flush", "--zero", "--save", "--restore", "--delete",
    ] {
        cases.same(line);
    }
}

/// Each option in its long and short spelling, abbreviated, with a value it
/// does not take, without one it takes.
fn every_option(cases: &mut Cases) {
    cases.given(TABLE);
    for row in OPTIONS.iter().filter(|row| row.since == Since::C) {
        if let Some(short) = row.short {
            let short = char::from(short);
            cases.same(format!("-{short}"));
            cases.same(format!("-L -{short}"));
            cases.same(format!("-L -{short}="));
        }
        if row.long.is_empty() {
            continue;
        }
        let long = row.long;
        cases.same(format!("--{long}"));
        cases.same(format!("-L --{long}"));
        cases.same(format!("-L --{long}="));
        cases.same(format!("-L --{}", &long[..long.len() - 1]));
        cases.same(format!("-L --{long}x"));
        cases.same(format!("-L -{long}"));
        if !row.takes_value() {
            cases.same(format!("-L --{long}=5"));
            cases.same(format!("--{long}=5"));
        }
    }
}

/// Where the order of options matters, and where it does not.
#[rustfmt::skip] // several cases a line
fn order(cases: &mut Cases) {
    cases.given(TABLE);
    for line in [
        // -6 belongs to the mark before it
        "-A -f 9 -6", "-A -6 -f 9", "-A -f 9 -6 -6", "-A -6", "-A -t 10.0.0.9:80 -6", "-A -t [2001:db8::9]:80 -6",
        "-A -f 9 -p -M 255.255.255.0 -6", "-A -f 9 -6 -p -M 64", "-A -p -f 9 -6 -M 64", "-L -6", "-L -f 9 -6",
        "-D -6 -f 9", "-C -6", "-a -f 9 -6 -r 2001:db8::9", "-a -r 2001:db8::9 -f 9 -6", "-A -f 9 -s rr -6 -p",
        // -r takes the port of the service before it
        "-a -t 10.0.0.1:80 -r 10.0.0.9 -m", "-a -r 10.0.0.9 -t 10.0.0.1:80 -m", "-a -m -r 10.0.0.9 -t 10.0.0.1:80",
        "-a -r 10.0.0.9:http -t 10.0.0.1:80", "-a -t 10.0.0.1:80 -r 10.0.0.9:http", "-a -t 10.0.0.1:80 -r 10.0.0.9:8080 -m",
        "-a -t 10.0.0.1:80 -r 10.0.0.9:8080 -g", "-a -t 10.0.0.1:80 -r 10.0.0.9:8080 -i", "-a -t 10.0.0.1:80 -r 10.0.0.9:8080",
        "-a -f 9 -r 10.0.0.9:http", "-d -r 10.0.0.2 -t 10.0.0.1:80", "-d -t 10.0.0.1:80 -r 10.0.0.2",
        "-d -t 10.0.0.1:80 -r 10.0.0.2:8080", "-e -t 10.0.0.1:80 -r 10.0.0.2:8080", "-e -t 10.0.0.1:80 -r 10.0.0.2:8080 -m",
        // flags are read when the scheduler is known
        "-A -b sh-port -t 10.0.0.9:80 -s sh", "-A -s sh -b sh-port -t 10.0.0.9:80", "-A -b sh-port -t 10.0.0.9:80",
        "-A -b flag-1 -t 10.0.0.9:80 -s mh", "-A -t 10.0.0.9:80 -b mh-port -s sh",
        // a mask before an IPv4 address
        "-A -M 255.255.255.0 -p -t 10.0.0.9:80", "-A -p -M 255.255.255.0 -t 10.0.0.9:80", "-A -M 24 -p -t 10.0.0.9:80",
        // values are checked before the matrix, in the order typed
        "-L -w x", "-C -f 0", "-C -w x -f 0", "-C -f 0 -w x", "-L -Q -w x", "-L -w x -Q", "-n -w x", "-D -b nosuch",
        "-D -b flag-1", "-D foo -b nosuch", "-C -b nosuch foo", "-C -n foo", "-C -n -b nosuch", "-L -t bad -c", "-A -o -t bad",
        "-A -t 10.0.0.9 -o", "-A -t 10.0.0.9:80 -o", "-A -t 10.0.0.9", "-A -u 10.0.0.9 -o", "-A -t 10.0.0.9 -b nosuch",
        "-a -t 10.0.0.1:80 -r ::1 --tun-csum", "-a -t 10.0.0.1:80 -r ::1 -i --tun-port 5", "-a -t 10.0.0.1:0 -r 10.0.0.9",
        "-E -t 10.0.0.1 -s rr", "-E -t 10.0.0.1:80 -o", "-D -t 10.0.0.1", "-A -f 9 -o", "-A -f 9", "-A --sctp-service 10.0.0.9:80 -o",
        "--set x 2 3 -n foo", "--set 1 2 3 4 -b nosuch", "--set 1 2 -b nosuch",
    ] {
        cases.same(line);
    }
}

#[rustfmt::skip] // several cases a line
fn twice(cases: &mut Cases) {
    cases.given(TABLE);
    for row in crate::matrix::option_rows() {
        let option = crate::matrix::with_value(row);
        cases.same(format!("-L {option} {option}"));
    }
    for line in [
        "-A -t 10.0.0.9:80 -u 10.0.0.9:80", "-A -f 1 -t 10.0.0.9:80", "-L -t 10.0.0.1:80 -f 1", "-a -t 10.0.0.1:80 -r 10.0.0.9 -g -m",
        "-a -t 10.0.0.1:80 -r 10.0.0.9 -g -g", "-a -t 10.0.0.1:80 -r 10.0.0.9 -gm", "-A -t 10.0.0.9:80 -t bad", "-A -s rr -s rr -t 10.0.0.9:80",
        "-A -p -p 5 -t 10.0.0.9:80", "-A -p 5 -p x -t 10.0.0.9:80", "-L -n -n", "-L -nn -Q", "-L -X --exact", "-L --stats --stats",
        "-L --tun-nocsum --tun-csum", "-w 5 -L", "-L -w 5 -w x", "-L -w x -w x", "-L --sort --sort --sort", "-L -c -c",
        // two commands
        "-A -D", "-A -A", "-L -L", "-L -l", "-L --list", "-C -L", "-L -C", "-A -t 10.0.0.9:80 -D", "-A -t 10.0.0.9:80 --delete-service",
        "-L --start-daemon master", "-L --start-daemon=master", "-L --start-daemon", "-L --start-daemon bad", "-L --stop-daemon backup",
        "--start-daemon master --stop-daemon master", "--start-daemon master -L", "--set 1 2 3 -L", "-L --set 1 2 3", "-L --set",
        "-L -R", "-R -L", "-R -R", "-S -S", "-S -R", "-L -w x -C", "-L -C -w x", "-L -nC", "-L -Cn", "--start-daemon bad -C",
    ] {
        cases.same(line);
    }
}

#[rustfmt::skip] // several cases a line
fn stray(cases: &mut Cases) {
    cases.given(TABLE);
    for line in [
        "-L foo", "-L foo bar", "-L ''", "-L -- -n", "-L -- foo -n", "-L foo -n", "-L foo -Q", "-C foo", "foo -C", "-S foo", "-Z foo", "-R foo",
        "-A -t 10.0.0.9:80 foo", "-A foo -t 10.0.0.9:80", "-A -t 10.0.0.9:80 rr", "-L ipvsadm", "-L -", "-L - -n", "-L -n -", "-L -- -", "-L -- --",
        "-D -t 10.0.0.1:80 #", "-L \u{e4}", "-L '#'", "-L 'a b'", "--start-daemon master backup", "-L -n 5", "-L --numeric 5", "-L --rate 5",
    ] {
        cases.same(line);
    }
}

/// With these variables options end at the first word that is none.
#[rustfmt::skip] // several cases a line
fn posix(cases: &mut Cases) {
    cases.given(TABLE);
    for variable in ["POSIXLY_CORRECT", "POSIX_ME_HARDER"] {
        for value in ["", "1"] {
            for line in [
                "-L -n", "foo -L", "-L foo -n", "-L foo -Q", "--set 1 2 3", "--set 1 2 3 -n", "1 2 3 --set", "-A -t 10.0.0.9:80 -s rr foo -Q",
                "-L - -n", "-L -- -n", "-A -p 5 -t 10.0.0.9:80", "-A -p -t 10.0.0.9:80",
            ] {
                cases.call(&Call::new(line).env(variable, value));
            }
        }
    }
    cases.call(&Call::new("-L -Q").env("LC_ALL", "de_DE.UTF-8").env("LANGUAGE", "de"));
    cases.call(&Call::new("-A -t 10.0.0.1:80").env("LC_ALL", "de_DE.UTF-8").env("LANGUAGE", "de"));
}

/// The program's name is part of a message.
fn own_name(cases: &mut Cases) {
    cases.given(TABLE);
    for name in ["ipvsadm", "/sbin/ipvsadm", "./x", "a b", "", "\u{e4}", "%s"] {
        for line in ["-Q", "", "foo", "-L -Q", "-D", "-A -t 10.0.0.1:80"] {
            cases.call(&Call::new(line).name(name));
        }
    }
}
