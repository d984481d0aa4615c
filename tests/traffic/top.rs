//! ipvstop: rates that are what was sent, and a terminal driven by tmux.

use crate::Test;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::{Cluster, Family, host};
use crate::support::programs::TOP;
use crate::terminal::{Terminal, assert_given_back, is_at_its_end};
use anyhow::{Result, ensure};
use std::thread::{self, sleep};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("ipvstop_counts_what_was_sent", ipvstop_counts_what_was_sent),
    (
        "ipvstop_says_that_counters_stand_still",
        ipvstop_says_that_counters_stand_still,
    ),
    ("ipvstop_in_a_terminal", ipvstop_in_a_terminal),
    (
        "ipvstop_on_a_terminal_without_a_screen",
        ipvstop_on_a_terminal_without_a_screen,
    ),
    (
        "ipvstop_with_ten_thousand_services",
        ipvstop_with_ten_thousand_services,
    ),
];

fn program() -> Result<String> {
    let copy = host::in_memory(&TOP)?;
    Ok(copy.to_string_lossy().into_owned())
}

fn ipvstop_counts_what_was_sent() -> Result<()> {
    const CALLS: usize = 60;
    let cluster = Cluster::masquerading(1)?;
    let web = Family::V4.web();
    cluster.serve(Family::V4, Tcp, 8080)?;
    cluster.director.rules(&format!(
        "-A -t {web} -s rr\n-a -t {web} -r 10.0.0.11:8080 -m\n\
         -A -t {web}1\n-a -t {web}1 -r 10.0.0.11:8080 -m -w 0\n"
    ))?;
    let program = program()?;
    let (services, hosts) = thread::scope(|scope| {
        let top =
            |options: &'static [&str]| scope.spawn(|| cluster.director.run(&program, options, ""));
        let services = top(&["-b", "-d4", "-n3"]);
        let hosts = top(&["-b", "-d4", "-n3", "--hosts"]);
        sleep(Duration::from_secs(1));
        let calls = cluster.client.calls(CALLS, Tcp, web)?;
        drop(calls);
        let services = services.join().expect("no panic")?;
        Ok::<_, anyhow::Error>((services, hosts.join().expect("no panic")?))
    })?;
    let rows = |text: &str, name: &str| -> Vec<Vec<String>> {
        let rows = text.lines().filter(|line| line.starts_with(name));
        rows.map(|row| row.split_whitespace().map(str::to_owned).collect())
            .collect()
    };
    let connections = |rows: &[Vec<String>], column: usize| -> Result<f64> {
        let rates = rows.iter().map(|row| row[column].parse::<f64>());
        Ok(4.0 * rates.sum::<Result<f64, _>>()?)
    };
    let idle = rows(&services, &format!("TCP {web}1 "));
    assert_eq!(idle.len(), 3, "{services}");
    let busy = rows(&services, &format!("TCP {web} "));
    let host = rows(&hosts, "10.0.0.11 ");
    assert_eq!((busy.len(), host.len()), (3, 3), "{services}{hosts}");
    // In two services, in one of them with weight 0.
    assert!(host.iter().all(|row| row[1..3] == ["2", "1"]), "{hosts}");
    // Rates are printed with one decimal.
    for connections in [connections(&busy, 2)?, connections(&host, 3)?] {
        assert!(
            (connections - CALLS as f64).abs() < 1.5,
            "{connections}: {services}{hosts}"
        );
    }
    Ok(())
}

fn ipvstop_says_that_counters_stand_still() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let said = cluster.director.stop_counters()?;
    let output = cluster.director.output(&program()?, &["-b", "-n2"], "")?;
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    Ok(())
}

fn command() -> Result<String> {
    Ok(format!("NO_COLOR=1 LC_ALL=C {}", program()?))
}

fn ipvstop_in_a_terminal() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    cluster.director.rules(
        "-A -t 203.0.113.1:80 -s rr\n-a -t 203.0.113.1:80 -r 10.0.0.11:80 -m -w 7 -x 9 -y 3\n\
         -A -u 203.0.113.2:53 -s wlc -p 60\n-A -f 7 -s sh\n",
    )?;
    let terminal = Terminal::run(&cluster, "small", (80, 24), &command()?)?;
    // A screen may be seen while it is being drawn.
    let services = [
        "0 conn/s",
        "3 services",
        "TCP 203.0.113.1:80",
        "UDP 203.0.113.2:53",
        "FWM 7",
    ];
    terminal.wait("services with rates", |screen| {
        services.iter().all(|text| screen.contains(text))
    })?;
    terminal.keys(&["Enter"])?;
    let server = ["10.0.0.11:80", "Masq", "7", "9", "3"];
    terminal.wait("the server", |screen| {
        screen
            .lines()
            .any(|line| line.split_whitespace().take(5).eq(server))
    })?;
    terminal.keys(&["Escape"])?;
    terminal.keys(&["/", "fwm", "Enter"])?;
    terminal.wait("a filter", |screen| {
        screen.contains("filter: fwm") && !screen.contains("203.0.113")
    })?;
    terminal.keys(&["Escape"])?;
    terminal.keys(&["h"])?;
    let host = ["10.0.0.11", "1", "0"];
    terminal.wait("hosts", |screen| {
        screen.contains("1 host, 3 services")
            && screen
                .lines()
                .any(|line| line.split_whitespace().take(3).eq(host))
    })?;
    terminal.keys(&["Enter"])?;
    let service = ["TCP", "203.0.113.1:80", "Masq", "7"];
    terminal.wait("its services", |screen| {
        screen.contains("10.0.0.11  in 1 service")
            && screen
                .lines()
                .any(|line| line.split_whitespace().take(4).eq(service))
    })?;
    terminal.keys(&["h"])?;
    terminal.wait("services again", |screen| {
        screen.contains("3 services, 1 real server")
    })?;
    terminal.keys(&["?"])?;
    terminal.wait("help", |screen| screen.contains("turn the order round"))?;
    terminal.keys(&["x", "f"])?;
    terminal.wait("frozen", |screen| screen.contains("FROZEN"))?;
    terminal.keys(&["f"])?;
    // Sizes that change, also to what is too small.
    terminal.tmux(&["resize-window", "-x", "132", "-y", "45"])?;
    terminal.wait("wide", |screen| screen.contains("OutPkt/s"))?;
    terminal.tmux(&["resize-window", "-x", "40", "-y", "10"])?;
    terminal.wait("too small", |screen| screen.contains("too small"))?;
    terminal.tmux(&["resize-window", "-x", "80", "-y", "24"])?;
    terminal.wait("as before", |screen| screen.contains("3 services"))?;
    // A table that is emptied meanwhile.
    cluster.director.ipvsadm("-C")?;
    terminal.wait("no services", |screen| screen.contains("0 services"))?;
    terminal.keys(&["q"])?;
    let screen = terminal.wait("the end", is_at_its_end)?;
    assert_given_back(&screen, &[], 0);
    for (signal, status) in [("TERM", 143), ("HUP", 129)] {
        let terminal = Terminal::run(&cluster, signal, (80, 24), &command()?)?;
        terminal.wait("services", |screen| screen.contains("0 services"))?;
        cluster
            .director
            .run("pkill", &["-x", &format!("-{signal}"), "ipvstop"], "")?;
        let screen = terminal.wait("the end", is_at_its_end)?;
        assert_given_back(&screen, &[], status);
    }
    Ok(())
}

/// Escape sequences would be all that such a terminal shows.
fn ipvstop_on_a_terminal_without_a_screen() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    for (socket, environment, why) in [
        ("unset", "env -u TERM", "TERM is not set"),
        ("dumb", "env TERM=dumb", "TERM is `dumb'"),
        ("unknown", "env TERM=unknown", "TERM is `unknown'"),
    ] {
        let command = format!("{environment} {}", program()?);
        let terminal = Terminal::run(&cluster, socket, (132, 24), &command)?;
        let screen = terminal.wait("the end", is_at_its_end)?;
        let said =
            format!("ipvstop: {why}: this terminal has no screen to draw on; -b prints plain text");
        assert_given_back(&screen, &[&said], 2);
        let plain = format!("{environment} {} -b -n 1 -d 0.1", program()?);
        ensure!(
            cluster
                .director
                .run("bash", &["-c", &plain], "")?
                .contains("0 services")
        );
    }
    Ok(())
}

fn ipvstop_with_ten_thousand_services() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let mut rules = String::new();
    for number in 0..10_000 {
        let service = format!("-t 198.18.{}.{}:80", number >> 8, number & 255);
        rules += &format!("-A {service} -s rr\n-a {service} -r 10.0.0.11:80 -m\n");
    }
    cluster.director.rules(&rules)?;
    for (socket, size) in [("small", (80, 24)), ("large", (132, 50))] {
        let terminal = Terminal::run(&cluster, socket, size, &command()?)?;
        let rows = usize::from(size.1) - if size.1 < 40 { 8 } else { 11 };
        terminal.wait("services on all of the screen", |screen| {
            let shown = screen.lines().filter(|line| line.starts_with("TCP "));
            screen.contains("10000 services") && shown.count() == rows
        })?;
        terminal.keys(&["End"])?;
        terminal.wait("the last", |screen| screen.contains("198.18.39.15:80"))?;
        terminal.keys(&["q"])?;
        let screen = terminal.wait("the end", is_at_its_end)?;
        assert_given_back(&screen, &[], 0);
    }
    Ok(())
}
