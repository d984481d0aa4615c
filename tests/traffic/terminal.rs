//! A terminal with a program in it, driven by tmux.

use crate::cluster::Cluster;
use crate::cluster::table::eventually;
use anyhow::{Result, ensure};

/// A terminal of tmux on the director, with a shell script in it.
pub struct Terminal<'a> {
    cluster: &'a Cluster,
    socket: &'static str,
}

impl<'a> Terminal<'a> {
    pub fn open(
        cluster: &'a Cluster,
        socket: &'static str,
        (width, height): (u16, u16),
        script: &str,
    ) -> Result<Terminal<'a>> {
        let terminal = Terminal { cluster, socket };
        let (width, height) = (width.to_string(), height.to_string());
        let words = [
            "-u",
            "new-session",
            "-d",
            "-x",
            &width,
            "-y",
            &height,
            script,
        ];
        terminal.tmux(&words)?;
        Ok(terminal)
    }

    /// The same with `command` in it; the terminal's settings are printed before
    /// and after it, and its exit status.
    pub fn run(
        cluster: &'a Cluster,
        socket: &'static str,
        size: (u16, u16),
        command: &str,
    ) -> Result<Terminal<'a>> {
        let settings = "stty -g | cksum";
        let script = format!("{settings}; {command}; echo status $?; {settings}; sleep 600");
        Terminal::open(cluster, socket, size, &script)
    }

    pub fn tmux(&self, words: &[&str]) -> Result<String> {
        let words = [&["-L", self.socket, "-f", "/dev/null"], words].concat();
        self.cluster.director.run("tmux", &words, "")
    }

    pub fn keys(&self, keys: &[&str]) -> Result<()> {
        self.tmux(&[&["send-keys"], keys].concat()).map(drop)
    }

    pub fn screen(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen is as `right` says.
    pub fn wait(&self, what: &str, right: impl Fn(&str) -> bool) -> Result<String> {
        eventually(|| {
            let screen = self.screen()?;
            ensure!(right(&screen), "{what}:\n{screen}");
            Ok(screen)
        })
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}

/// The shell has printed its last line.
pub fn is_at_its_end(screen: &str) -> bool {
    let mut lines = screen.lines();
    lines.any(|line| line.starts_with("status ")) && lines.any(|line| !line.is_empty())
}

/// The terminal's settings are those from before, and the screen is the shell's,
/// with `said` and the exit status on it.
pub fn assert_given_back(screen: &str, said: &[&str], status: u8) {
    let lines: Vec<&str> = screen.lines().filter(|line| !line.is_empty()).collect();
    let [before, middle @ .., after] = &lines[..] else {
        panic!("{screen}")
    };
    assert_eq!(before, after, "{screen}");
    let status = format!("status {status}");
    assert_eq!(middle, [said, &[&status]].concat(), "{screen}");
}
