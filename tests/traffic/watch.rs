//! `-L --watch`: rates that are what was sent, and the screen in a terminal
//! driven by tmux.

use crate::Test;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::{Cluster, Family, host};
use crate::terminal::{Terminal, assert_given_back, is_at_its_end};
use anyhow::{Context, Result};
use std::cell::Cell;
use std::thread::{self, sleep};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("watch_counts_what_was_sent", counts_what_was_sent),
    ("watch_says_that_counters_stand_still", counters_stand_still),
    ("watch_in_a_terminal", in_a_terminal),
    ("watch_is_stopped_and_continued", stopped_and_continued),
];

fn program() -> Result<String> {
    let copy = host::in_memory(env!("CARGO_BIN_EXE_ipvsadm"))?;
    Ok(copy.to_string_lossy().into_owned())
}

fn counts_what_was_sent() -> Result<()> {
    const CALLS: usize = 80;
    let cluster = Cluster::masquerading(1)?;
    let web = Family::V4.web();
    cluster.serve(Family::V4, Tcp, 8080)?;
    cluster.director.rules(&format!(
        "-A -t {web} -s rr\n-a -t {web} -r 10.0.0.11:8080 -m\n-A -t {web}1\n"
    ))?;
    let program = program()?;
    let words = ["-Ln", "--rate", "--watch", "4", "--samples", "3"];
    let text = thread::scope(|scope| {
        let watch = scope.spawn(|| cluster.director.run(&program, &words, ""));
        sleep(Duration::from_secs(1));
        let calls = cluster.client.calls(CALLS, Tcp, web)?;
        drop(calls);
        watch.join().expect("no panic")
    })?;
    for row in [format!("TCP  {web} "), "  -> 10.0.0.11:8080 ".into()] {
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with(&row)).collect();
        assert_eq!(rows.len(), 3, "{text}");
        let mut connections = 0;
        for row in rows {
            let rate = row
                .split_whitespace()
                .nth(2)
                .with_context(|| text.clone())?;
            connections += 4 * rate.parse::<usize>()?;
        }
        // Rates are whole numbers.
        assert!(connections.abs_diff(CALLS) <= 6, "{connections}: {text}");
    }
    Ok(())
}

fn counters_stand_still() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let said = cluster.director.stop_counters()?;
    let words = ["-Ln", "--rate", "--watch", "0.1", "--samples", "3"];
    let output = cluster.director.output(&program()?, &words, "")?;
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    Ok(())
}

const RULES: &str = "\
-A -t 203.0.113.1:80 -s rr
-a -t 203.0.113.1:80 -r 10.0.0.11:80 -m -w 7
-A -f 7 -s sh
";

fn in_a_terminal() -> Result<()> {
    let program = program()?;
    let cluster = Cluster::masquerading(1)?;
    cluster.director.rules(RULES)?;
    let terminal = Terminal::run(
        &cluster,
        "keys",
        (80, 24),
        &format!("{program} -Ln --watch 0.5"),
    )?;
    let shown = [
        "q quits",
        "TCP  203.0.113.1:80 rr",
        "10.0.0.11:80",
        "FWM  7 sh",
    ];
    terminal.wait("the table", |screen| {
        shown.iter().all(|text| screen.contains(text))
    })?;
    let marked = || terminal.tmux(&["capture-pane", "-p", "-e"]);
    let weight = Cell::new(8);
    terminal.wait("a mark", |_| {
        weight.set(weight.get() + 1);
        let weight = weight.get();
        let edit = format!("-e -t 203.0.113.1:80 -r 10.0.0.11:80 -m -w {weight}");
        let changed = cluster.director.ipvsadm(&edit).is_ok();
        // It is there from the next look to the one after.
        let mark = format!("\x1b[7m{weight}");
        let seen = || {
            sleep(Duration::from_millis(100));
            marked().is_ok_and(|screen| screen.contains(&mark))
        };
        changed && (0..10).any(|_| seen())
    })?;
    // More than there is room for.
    let rules = (100..200).map(|mark| format!("-A -f {mark} -s rr\n"));
    cluster.director.rules(&rules.collect::<String>())?;
    terminal.wait("a part", |screen| screen.contains("lines 1-23 of 106"))?;
    terminal.keys(&["End"])?;
    terminal.wait("the end", |screen| {
        screen.contains("lines 84-106 of 106") && screen.contains("FWM  199 rr")
    })?;
    terminal.keys(&["Home"])?;
    terminal.wait("the beginning", |screen| screen.contains("203.0.113.1:80"))?;
    for (size, wanted) in [
        (["-x", "132", "-y", "45"], "lines 1-44 of 106"),
        (["-x", "30", "-y", "5"], "IP Virtual Server version"),
        (["-x", "80", "-y", "24"], "lines 1-23 of 106"),
    ] {
        terminal.tmux(&[&["resize-window"], &size[..]].concat())?;
        terminal.wait(wanted, |screen| screen.contains(wanted))?;
    }
    cluster.director.ipvsadm("-C")?;
    terminal.wait("an empty table", |screen| {
        !screen.contains("FWM") && !screen.contains("lines")
    })?;
    terminal.keys(&["q"])?;
    let screen = terminal.wait("the end", is_at_its_end)?;
    assert_given_back(&screen, &[], 0);
    let command = format!("{program} -L --watch 86400");
    for (name, status) in [("C-c", 0), ("TERM", 143), ("HUP", 129)] {
        let terminal = Terminal::run(&cluster, name, (80, 24), &command)?;
        terminal.wait("the table", |screen| screen.contains("q quits"))?;
        match name {
            "C-c" => terminal.keys(&[name])?,
            _ => {
                let words = ["-x", &format!("-{name}"), "ipvsadm"];
                cluster.director.run("pkill", &words, "")?;
            }
        }
        let screen = terminal.wait("the end", is_at_its_end)?;
        assert_given_back(&screen, &[], status);
    }
    // The last of a number of looks is left behind.
    let command = format!("{program} -L --timeout --watch 0.1 --samples 2");
    let terminal = Terminal::run(&cluster, "samples", (80, 24), &command)?;
    let screen = terminal.wait("the end", is_at_its_end)?;
    assert!(screen.contains("Timeout (tcp tcpfin udp): "), "{screen}");
    Ok(())
}

fn stopped_and_continued() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    cluster.director.rules(RULES)?;
    let program = program()?;
    let script = format!(
        "bash -c 'set -m; stty -g | cksum; {program} -Ln --watch 0.5; echo stopped; \
         stty -g | cksum; read; fg; echo status $?; stty -g | cksum; sleep 600'"
    );
    let terminal = Terminal::open(&cluster, "stop", (80, 24), &script)?;
    let is_shown = |screen: &str| screen.contains("q quits") && screen.contains("FWM  7 sh");
    terminal.wait("the table", is_shown)?;
    terminal.keys(&["C-z"])?;
    let screen = terminal.wait("the shell", |screen| {
        let after = screen
            .lines()
            .skip_while(|line| !line.starts_with("stopped"));
        after.filter(|line| !line.is_empty()).count() == 2
    })?;
    let sums: Vec<&str> = screen.lines().filter(|line| is_sum(line)).collect();
    assert_eq!(sums.len(), 2, "{screen}");
    assert_eq!(sums[0], sums[1], "{screen}");
    terminal.keys(&["Enter"])?;
    terminal.wait("the table again", is_shown)?;
    terminal.keys(&["q"])?;
    let screen = terminal.wait("the end", |screen| {
        screen.lines().filter(|line| is_sum(line)).count() == 3
    })?;
    let sums: Vec<&str> = screen.lines().filter(|line| is_sum(line)).collect();
    assert_eq!(sums[0], sums[2], "{screen}");
    assert!(screen.contains("status 0"), "{screen}");
    Ok(())
}

/// Whether cksum has printed this.
fn is_sum(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.len() == 2 && words.iter().all(|word| word.parse::<u64>().is_ok())
}
