//! `-L --watch`: rates that are what was sent, and listings drawn in a terminal
//! of tmux.

use crate::Test;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::{Cluster, Family, host};
use crate::terminal::{Terminal, is_at_its_end};
use anyhow::{Context, Result};
use std::cell::Cell;
use std::thread::{self, sleep};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("watch_counts_what_was_sent", counts_what_was_sent),
    ("watch_says_that_counters_stand_still", counters_stand_still),
    ("watch_marks_changes_in_a_terminal", marks_changes),
    ("watch_cuts_listings_to_the_window", cut_to_the_window),
    ("watch_ends_by_signals_in_a_terminal", ends_by_signals),
    ("watch_leaves_the_last_listing_in_a_terminal", last_listing),
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

fn marks_changes() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    cluster.director.rules(RULES)?;
    let command = format!("{} -Ln --watch 0.5", program()?);
    let terminal = Terminal::open(&cluster, "marks", (80, 24), &command)?;
    terminal.wait("the table", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        lines[0].ends_with('Z') && lines[4].starts_with("TCP  203.0.113.1:80 rr")
    })?;
    let marked = || terminal.tmux(&["capture-pane", "-p", "-e"]);
    let weight = Cell::new(8);
    terminal.wait("a mark", |_| {
        weight.set(weight.get() + 1);
        let weight = weight.get();
        let edit = format!("-e -t 203.0.113.1:80 -r 10.0.0.11:80 -m -w {weight}");
        let changed = cluster.director.ipvsadm(&edit).is_ok();
        // It is there from the next look to the one after.
        let mark = format!("\x1b[7m{}", weight % 10);
        let seen = || {
            sleep(Duration::from_millis(100));
            marked().is_ok_and(|screen| screen.contains(&mark))
        };
        changed && (0..10).any(|_| seen())
    })?;
    terminal.wait("no mark", |_| {
        marked().is_ok_and(|screen| !screen.contains("\x1b[7m"))
    })?;
    Ok(())
}

fn cut_to_the_window() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let rules = (100..200).map(|mark| format!("-A -f {mark} -s rr\n"));
    cluster.director.rules(&rules.collect::<String>())?;
    let command = format!("{} -Ln --watch 0.5", program()?);
    let terminal = Terminal::open(&cluster, "window", (80, 24), &command)?;
    // A time and 103 lines; the cursor has a line of its own.
    terminal.wait("a part", |screen| screen.contains("\n82 more lines\n"))?;
    for (size, wanted) in [
        (["-x", "132", "-y", "45"], "\n61 more lines\n"),
        (["-x", "9", "-y", "5"], "\nProt Loca\n101 more\n"),
        (["-x", "80", "-y", "24"], "\n82 more lines\n"),
    ] {
        terminal.tmux(&[&["resize-window"], &size[..]].concat())?;
        terminal.wait(wanted, |screen| screen.contains(wanted))?;
    }
    cluster.director.ipvsadm("-C")?;
    terminal.wait("an empty table", |screen| {
        screen.trim_end().lines().count() == 4
    })?;
    Ok(())
}

fn ends_by_signals() -> Result<()> {
    let program = program()?;
    let cluster = Cluster::masquerading(1)?;
    cluster.director.rules(RULES)?;
    // The shell lives on, and the program's signals have their default.
    let command = format!("trap : INT; {program} -Ln --watch 86400");
    for (name, status) in [("C-c", 130), ("TERM", 143), ("HUP", 129)] {
        let terminal = Terminal::run(&cluster, name, (80, 24), &command)?;
        terminal.wait("the table", |screen| screen.contains("FWM  7 sh"))?;
        match name {
            "C-c" => terminal.keys(&[name])?,
            _ => {
                let words = ["-x", &format!("-{name}"), "ipvsadm"];
                cluster.director.run("pkill", &words, "")?;
            }
        }
        // The listing is whole, and what follows begins on a line of its own.
        terminal.wait("the end", |screen| {
            let mut after = screen.lines().skip_while(|line| *line != "FWM  7 sh");
            after.any(|line| line.ends_with(&format!("status {status}"))) && after.any(is_sum)
        })?;
        // The terminal's settings, before and after: nothing was overwritten.
        let all = terminal.tmux(&["capture-pane", "-p", "-S", "-"])?;
        let sums: Vec<&str> = all.lines().filter(|line| is_sum(line)).collect();
        assert!(matches!(sums[..], [a, b] if a == b), "{all}");
    }
    Ok(())
}

fn last_listing() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let command = format!("{} -L --timeout --watch 0.1 --samples 2", program()?);
    let terminal = Terminal::run(&cluster, "samples", (80, 24), &command)?;
    let screen = terminal.wait("the end", is_at_its_end)?;
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[0].ends_with('Z'), "{screen}");
    assert!(
        lines[1].starts_with("Timeout (tcp tcpfin udp): "),
        "{screen}"
    );
    assert_eq!(lines[2], "status 0", "{screen}");
    // Where no cursor can be moved, one listing follows the other.
    for (socket, environment) in [("unset", "env -u TERM"), ("dumb", "env TERM=dumb")] {
        let terminal = Terminal::run(
            &cluster,
            socket,
            (80, 24),
            &format!("{environment} {command}"),
        )?;
        let screen = terminal.wait("the end", is_at_its_end)?;
        let listings = screen
            .lines()
            .filter(|line| line.starts_with("Timeout (tcp"));
        assert_eq!(listings.count(), 2, "{screen}");
        assert!(!screen.contains("[H"), "{screen}");
    }
    Ok(())
}

fn stopped_and_continued() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    cluster.director.rules(RULES)?;
    let program = program()?;
    let script = format!(
        "bash -c 'set -m; {program} -Ln --watch 0.5; echo stopped; read; fg; \
         echo status $?; sleep 600'"
    );
    let terminal = Terminal::open(&cluster, "stop", (80, 24), &script)?;
    let is_shown = |screen: &str| screen.contains("FWM  7 sh") && !screen.contains("stopped");
    terminal.wait("the table", is_shown)?;
    terminal.keys(&["C-z"])?;
    terminal.wait("the shell", |screen| {
        screen.contains("FWM  7 sh") && screen.lines().any(|line| line == "stopped")
    })?;
    terminal.keys(&["Enter"])?;
    terminal.wait("the table again", is_shown)?;
    let words = ["-x", "-TERM", "ipvsadm"];
    cluster.director.run("pkill", &words, "")?;
    terminal.wait("the end", |screen| screen.contains("status 143"))?;
    Ok(())
}

/// Whether cksum has printed this.
fn is_sum(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.len() == 2 && words.iter().all(|word| word.parse::<u64>().is_ok())
}
