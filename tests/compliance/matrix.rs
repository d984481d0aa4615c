//! Every command with every option, from the option table: what it may have,
//! and what it may not.

use crate::suite::{Cases, Group};
use ipvsadm::cli::opt::CommandName;
use ipvsadm::cli::options::{OPTIONS, OptionSpec, Role, Since};

pub fn groups() -> Vec<Group> {
    vec![
        Group::new("matrix::pairs", pairs),
        Group::new("matrix::without_what_is_needed", without_needs),
        Group::new("matrix::listings", listings),
        Group::new("matrix::tunnels", tunnels),
        Group::new("matrix::all_at_once", all_at_once),
    ]
}

const TABLE: &str = "-A -t 10.0.0.1:80 -s rr\n\
    -a -t 10.0.0.1:80 -r 10.0.0.2:80 -m\n";

/// The commands of the matrix that the reference has, too.
fn commands() -> impl Iterator<Item = CommandName> {
    OPTIONS.iter().filter_map(|row| match row.role {
        Role::Command(CommandName::Help | CommandName::Version) => None,
        Role::Command(command) if row.since == Since::C && !row.long.is_empty() => Some(command),
        _ => None,
    })
}

/// The commands of the matrix in their shortest legal form.
pub fn shortest(command: CommandName) -> &'static str {
    use CommandName as C;
    match command {
        C::AddService => "-A -t 10.0.0.9:80",
        C::EditService => "-E -t 10.0.0.1:80",
        C::DeleteService => "-D -t 10.0.0.1:80",
        C::Flush => "-C",
        C::List => "-L",
        C::AddServer => "-a -t 10.0.0.1:80 -r 10.0.0.9:80",
        C::DeleteServer => "-d -t 10.0.0.1:80 -r 10.0.0.2:80",
        C::EditServer => "-e -t 10.0.0.1:80 -r 10.0.0.2:80",
        C::Set => "--set 100 200 300",
        C::StartDaemon => "--start-daemon backup",
        C::StopDaemon => "--stop-daemon backup",
        C::Restore => "-R",
        C::Save => "-S",
        C::Check => "--check",
        C::CheckRealServer => "--check-real-server -t 10.0.0.1:80",
        C::Zero => "-Z",
        C::Help => "-h",
        C::Version => "-v",
    }
}

/// The rows of the options that both programs have.
pub fn option_rows() -> impl Iterator<Item = &'static OptionSpec> {
    OPTIONS
        .iter()
        .filter(|row| !matches!(row.role, Role::Command(_)) && row.since == Since::C)
}

/// The shortest spelling of the option.
pub fn spelling(row: &OptionSpec) -> String {
    row.spellings().next().expect("a spelling")
}

/// The option with a good value.
pub fn with_value(row: &OptionSpec) -> String {
    let value = match row.long {
        "tcp-service" | "udp-service" | "sctp-service" => "10.0.0.1:80",
        "fwmark-service" => "7",
        "scheduler" => "wrr",
        "persistent" => "300",
        "netmask" => "255.255.255.0",
        "pe" => "sip",
        "sched-flags" => "flag-1",
        "real-server" => "10.0.0.2:80",
        "tun-type" => "gue",
        "mcast-interface" => "eth0",
        "mcast-group" => "224.0.0.99",
        _ => "5",
    };
    match row.takes_value() {
        false => spelling(row),
        true => format!("{} {value}", spelling(row)),
    }
}

fn pairs(cases: &mut Cases) {
    cases.given(TABLE);
    for command in commands() {
        for row in option_rows() {
            cases.same(format!("{} {}", shortest(command), with_value(row)));
        }
        // To the reference, an option that only we have is unknown; to us it is, with
        // a command that never takes it.
        for row in OPTIONS.iter().filter(|row| !row.is_known_to(command)) {
            cases.same(format!("{} -n {}=5 -w x", shortest(command), spelling(row)));
        }
    }
    let unknown_to_flush = |row: &&OptionSpec| !row.is_known_to(CommandName::Flush);
    for row in OPTIONS.iter().filter(unknown_to_flush) {
        cases.same(format!("-C -w x {}", spelling(row)));
        cases.same(format!("-C {} 5", spelling(row)));
    }
}

fn without_needs(cases: &mut Cases) {
    cases.given(TABLE);
    for command in ["-A", "-a", "-d", "--set"] {
        cases.same(command);
        for row in option_rows() {
            cases.same(format!("{command} {}", with_value(row)));
        }
    }
    for command in ["-E", "-D", "-e"] {
        cases.same(command);
        cases.same(format!("{command} -b flag-1"));
    }
    for command in ["-a", "-e", "-d"] {
        cases.same(format!("{command} -t 10.0.0.1:80"));
        cases.same(format!("{command} -f 1"));
    }
}

/// Two views, or a view and something that is none.
#[rustfmt::skip] // several cases a line
fn listings(cases: &mut Cases) {
    cases.given(TABLE);
    let options = [
        "-n", "-c", "-t 10.0.0.1:80", "--timeout", "--daemon", "--stats", "--rate",
        "--thresholds", "--persistent-conn", "--nosort", "--syncid 1", "-X", "--tun-info",
    ];
    for (i, first) in options.iter().enumerate() {
        for second in &options[i + 1..] {
            cases.same(format!("-L {first} {second}"));
        }
    }
    for three in [
        "-c --stats --daemon", "--timeout --daemon -c", "-c -n --persistent-conn",
        "--stats --rate --thresholds", "--timeout --tun-info -X", "--daemon --nosort --syncid 5",
        "--rate --timeout -w 5", "-c --timeout --stats",
    ] {
        cases.same(format!("-L {three}"));
        cases.same(format!("-l {three}"));
    }
}

fn tunnels(cases: &mut Cases) {
    cases.given(TABLE);
    let details = [
        "",
        "--tun-port 6080",
        "--tun-nocsum",
        "--tun-csum",
        "--tun-remcsum",
    ];
    for method in ["-i", "-g", ""] {
        for kind in ["", "--tun-type ipip", "--tun-type gue", "--tun-type gre"] {
            for (i, first) in details.iter().enumerate() {
                for second in &details[i..] {
                    let second = if first == second { "" } else { second };
                    cases.same(format!(
                        "-a -t 10.0.0.1:80 -r 10.0.0.9 {method} {kind} {first} {second}"
                    ));
                }
            }
        }
    }
    cases.same("-e -t 10.0.0.1:80 -r 10.0.0.2 -m --tun-type gue --tun-port 5");
    cases.same("-a -t 10.0.0.1:80 -r 10.0.0.9 -i --tun-type gue --tun-port 5 --tun-nocsum --tun-csum --tun-remcsum");
    cases.same("-d -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue --tun-port 5");
}

/// Everything that a command may have, and then one thing more.
fn all_at_once(cases: &mut Cases) {
    cases.given(TABLE);
    for line in [
        "-A -t 10.0.0.9:80 -s sh -p 300 -M 255.255.0.0 --pe sip -b sh-port",
        "-A -u 10.0.0.9:5060 -s sh -p 300 -M 255.255.0.0 --pe sip -o -b sh-port,sh-fallback",
        "-E -t 10.0.0.1:80 -s mh -p 300 -M 255.255.0.0 -b mh-port",
        "-A -f 9 -6 -s wrr -p 5 -M 64 -o --pe sip",
        "-a -t 10.0.0.1:80 -r 10.0.0.9 -i -w 7 -x 9 -y 3 --tun-type gue --tun-port 9 --tun-remcsum",
        "-e -t 10.0.0.1:80 -r 10.0.0.2 -m -w 7 -x 9 -y 3",
        "-L -t 10.0.0.1:80 -n --stats --exact --nosort",
        "--start-daemon master --mcast-interface eth0 --syncid 7 --sync-maxlen 1400 \
         --mcast-group 224.0.0.99 --mcast-port 9999 --mcast-ttl 7",
        "--start-daemon backup --mcast-interface eth0 --syncid 7 --sync-maxlen 1400 \
         --mcast-group ff02::99 --mcast-port 9999 --mcast-ttl 7",
    ] {
        cases.same(line);
        cases.same(format!("{line} -C"));
        cases.same(format!("{line} --sort --sort"));
        cases.same(format!("{line} stray"));
        cases.same(format!("{line} -Q"));
    }
}
