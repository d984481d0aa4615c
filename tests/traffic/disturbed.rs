//! Programs that watch, while what they watch goes away: the table, the kernel's
//! module, the time. Nothing hangs, the terminal is given back, and one line
//! says what happened.

use crate::Test;
use crate::cluster::host::Host;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::table::eventually;
use crate::cluster::{Cluster, Family, host};
use crate::support::lab;
use crate::support::programs::{OURS, TOP};
use crate::terminal::{Terminal, assert_given_back, is_at_its_end};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wait_timeout::ChildExt;

pub const TESTS: &[Test] = &[
    ("watched_module_is_unloaded", module_is_unloaded),
    ("watched_table_is_emptied", table_is_emptied),
    ("clock_jumps_while_rates_are_counted", clock_jumps),
    ("ipvstop_gives_the_terminal_back_when_it_panics", panics),
];

const RULES: &str = "\
-A -t 203.0.113.1:80 -s rr
-a -t 203.0.113.1:80 -r 10.0.0.11:80 -m
-A -t 203.0.113.1:81 -s rr
-a -t 203.0.113.1:81 -r 10.0.0.12:80 -m
";

/// The programs, as commands of a shell.
fn programs() -> Result<[String; 2]> {
    let copy = |file| -> Result<String> { Ok(host::in_memory(file)?.display().to_string()) };
    let top = copy(&TOP)?;
    Ok([copy(OURS)?, format!("NO_COLOR=1 LC_ALL=C {top}")])
}

/// A command that runs without a terminal.
struct Running {
    command: String,
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    fn start(director: &Host, command: &str, number: usize) -> Result<Self> {
        let file = |name| std::env::temp_dir().join(format!("{name}.{number}"));
        let (out, err) = (file("out"), file("err"));
        let child = director.enter(|| {
            Command::new("/bin/sh")
                .args(["-c", &format!("exec env {command}")])
                .stdout(File::create(&out)?)
                .stderr(File::create(&err)?)
                .spawn()
        })?;
        let command = command.to_owned();
        Ok(Self {
            command,
            child,
            out,
            err,
        })
    }

    /// What it has printed.
    fn text(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.out)?)
    }

    /// Its exit status, and what it has said; it is to end by itself.
    fn end(&mut self) -> Result<(Option<i32>, String)> {
        let Some(status) = self.child.wait_timeout(Duration::from_secs(60))? else {
            bail!("it goes on: {}", self.command)
        };
        Ok((status.code(), fs::read_to_string(&self.err)?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(director: &Host, commands: &[String]) -> Result<Vec<Running>> {
    let numbered = commands.iter().enumerate();
    numbered
        .map(|(number, command)| Running::start(director, command, number))
        .collect()
}

/// All of them end with exit status 1, and say this.
fn ends_with(running: Vec<Running>, wanted: &str) -> Result<()> {
    for mut running in running {
        let (status, said) = running.end()?;
        assert_eq!((status, &*said), (Some(1), wanted), "{}", running.command);
    }
    Ok(())
}

/// A test that unloads IPVS loads it again.
struct Loaded;

impl Drop for Loaded {
    fn drop(&mut self) {
        lab::load_schedulers().expect("modules of IPVS");
    }
}

fn unload() -> Result<()> {
    let modules = fs::read_to_string("/proc/modules")?;
    let names = modules.lines().filter_map(|line| line.split(' ').next());
    // Rules with `-m ipvs` of other tests have loaded xt_ipvs.
    let is_ours = |name: &&str| name.starts_with("ip_vs") || *name == "xt_ipvs";
    let mut ours: Vec<&str> = names.filter(is_ours).collect();
    // The others need it.
    ours.sort_by_key(|name| *name == "ip_vs");
    host::run_here("rmmod", &ours, "").map(drop)
}

fn module_is_unloaded() -> Result<()> {
    const SAID: &str = "IPVS has gone: its kernel module was unloaded";
    let cluster = Cluster::masquerading(1)?;
    let director = &cluster.director;
    director.rules(RULES)?;
    let [ipvsadm, top] = programs()?;
    let commands = [
        format!("{top} -b -d 0.2"),
        format!("{ipvsadm} -Ln --watch 0.2"),
        format!("{ipvsadm} -Ln --rate --watch 0.2"),
        format!("{ipvsadm} -Lnj --watch 0.2"),
        format!("{ipvsadm} -Ln -t 203.0.113.1:80 --watch 0.2"),
        format!("{ipvsadm} -Lcn --watch 0.2"),
        format!("{ipvsadm} -L --timeout --watch 0.2"),
        format!("{ipvsadm} -L --daemon --watch 0.2"),
        format!("{ipvsadm} -S --watch 0.2"),
        format!("{ipvsadm} -S --all --watch 0.2"),
    ];
    let running = start(director, &commands)?;
    let on_screen = |socket, command: &str| Terminal::run(&cluster, socket, (80, 24), command);
    let terminals = [
        on_screen("top", &format!("{top} -d 0.2"))?,
        on_screen("open", &format!("{top} -d 0.2"))?,
        on_screen("list", &format!("{ipvsadm} -Ln --watch 0.2"))?,
    ];
    for terminal in &terminals {
        terminal.wait("the table", |screen| screen.contains("203.0.113.1:81"))?;
    }
    terminals[1].keys(&["Enter"])?;
    terminals[1].wait("the servers", |screen| screen.contains("10.0.0.1"))?;
    eventually(|| {
        // A log says nothing where nothing changes.
        director.ipvsadm("-A -f 1 -s rr")?;
        director.ipvsadm("-D -f 1")?;
        for running in &running {
            ensure!(!running.text()?.is_empty(), "{}", running.command);
        }
        Ok(())
    })?;
    director.ipvsadm("-D -t 203.0.113.1:81")?;
    let loaded = Loaded;
    director.ipvsadm("-C")?;
    // What watches a service looks once more before the module goes.
    let (of_service, of_table): (Vec<_>, Vec<_>) = running
        .into_iter()
        .partition(|running| running.command.contains(" -t "));
    ends_with(of_service, "No such service\n")?;
    eventually(unload)?;
    ends_with(of_table, &format!("{SAID}\n"))?;
    let [of_services, of_servers, list] = &terminals;
    for terminal in [of_services, of_servers] {
        let screen = terminal.wait("the end", is_at_its_end)?;
        assert_given_back(&screen, &[SAID], 1);
    }
    // The last listing stays, and what was said is below.
    let screen = list.wait("the end", is_at_its_end)?;
    assert!(
        screen.contains(&format!("\n{SAID}\nstatus 1\n")),
        "{screen}"
    );
    drop(loaded);
    // It is back, and so are they.
    director.rules(RULES)?;
    let text = director.run("sh", &["-c", &format!("{top} -b -n1 -d 0.1")], "")?;
    assert!(text.contains("2 services"), "{text}");
    Ok(())
}

fn table_is_emptied() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let director = &cluster.director;
    director.rules(RULES)?;
    let [_, top] = programs()?;
    let batch = &start(director, &[format!("{top} -b -d 0.2")])?[0];
    let terminal = Terminal::run(&cluster, "emptied", (80, 24), &format!("{top} -d 0.2"))?;
    let services = |count| format!("{count} service{}", if count == 1 { "" } else { "s" });
    let is_list = |screen: &str, count: usize| {
        screen.contains(&services(count)) && screen.matches("TCP 203.0.113.1:8").count() >= count
    };
    let ends_with = |count: &str| {
        let text = batch.text()?;
        let last = text
            .lines()
            .rfind(|line| line.ends_with(" services") || line.ends_with(" service"));
        ensure!(last.is_some_and(|line| line.contains(count)), "{text}");
        Ok(())
    };
    // A service that is deleted while it is looked into, then all of them.
    for (command, left) in [("-D -t 203.0.113.1:81", 1), ("-C", 0)] {
        director.rules(&format!("-C\n{RULES}"))?;
        terminal.wait("the services", |screen| is_list(screen, 2))?;
        eventually(|| ends_with("  2 services"))?;
        terminal.keys(&["/", ":81", "Enter", "Enter"])?;
        terminal.wait("its servers", |screen| screen.contains("10.0.0.12:80"))?;
        director.ipvsadm(command)?;
        terminal.wait("the others", |screen| {
            screen.contains(&services(left)) && !screen.contains("10.0.0.12:80")
        })?;
        terminal.keys(&["Escape"])?;
        terminal.wait("those that are left", |screen| is_list(screen, left))?;
        eventually(|| ends_with(&format!("  {}", services(left))))?;
    }
    terminal.keys(&["Enter", "Down", "End", "Enter", "Escape", "q"])?;
    let screen = terminal.wait("the end", is_at_its_end)?;
    assert_given_back(&screen, &[], 0);
    Ok(())
}

/// The clock on the wall, which is put right again when this is dropped.
#[derive(Default)]
struct Clock(i64);

impl Clock {
    fn jump(&mut self, seconds: i64) -> Result<()> {
        host::run_here("date", &["-s", &format!("{seconds} seconds")], "")?;
        self.0 += seconds;
        Ok(())
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.jump(-self.0).expect("a clock");
    }
}

fn clock_jumps() -> Result<()> {
    const CALLS: usize = 40;
    let cluster = Cluster::masquerading(1)?;
    let web = Family::V4.web();
    cluster.serve(Family::V4, Tcp, 8080)?;
    cluster.director.rules(&format!(
        "-A -t {web} -s rr\n-a -t {web} -r 10.0.0.11:8080 -m\n"
    ))?;
    let [ipvsadm, top] = programs()?;
    let commands = [
        format!("{ipvsadm} -Ln --rate --watch 4 --samples 3"),
        format!("{top} -b -d4 -n3"),
    ];
    let begun = Instant::now();
    let mut running = start(&cluster.director, &commands)?;
    let mut clock = Clock::default();
    // In the middle of the first interval, and of the second.
    for (second, jump) in [(2, 3600), (6, -7200)] {
        sleep(Duration::from_secs(second).saturating_sub(begun.elapsed()));
        drop(cluster.client.calls(CALLS, Tcp, web)?);
        clock.jump(jump)?;
    }
    for running in &mut running {
        let ended = running.end()?;
        let text = running.text()?;
        assert_eq!(ended, (Some(0), String::new()), "{text}");
        // The service, its name, and connections a second over four seconds, or
        // over more on a busy machine.
        let late = begun.elapsed().as_secs_f64() - 8.0;
        let mut connections = 0.0;
        for row in text.lines().filter(|line| line.starts_with("TCP ")) {
            let rate = row.split_whitespace().nth(2).context(text.clone())?;
            connections += 4.0 * rate.parse::<f64>()?;
        }
        let sent = 2.0 * CALLS as f64;
        let expected = sent * 4.0 / (4.0 + late) - 6.0..=sent + 6.0;
        assert!(expected.contains(&connections), "{connections}: {text}");
    }
    // Nor do the looks wait for the hour.
    assert!(begun.elapsed() < Duration::from_secs(120));
    Ok(())
}

/// No thread can be had for the keys. The kernel refuses it when the terminal
/// was taken already, and the standard library panics.
fn panics() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    let [_, top] = programs()?;
    let command = format!(
        "strace -f -o /dev/null -e trace=clone,clone3 \
         -e inject=clone,clone3:error=EAGAIN:when=2 env {top}"
    );
    let terminal = Terminal::run(&cluster, "top", (120, 40), &command)?;
    let screen = terminal.wait("the end", is_at_its_end)?;
    let lines: Vec<&str> = screen.lines().filter(|line| !line.is_empty()).collect();
    // The hook has given the terminal back before the message was printed, or
    // it would have gone with the other screen.
    for part in ["panicked at", "failed to spawn thread", "status 134"] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    assert_eq!(lines.first(), lines.last(), "{screen}");
    Ok(())
}
