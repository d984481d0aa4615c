//! The terminal: taken over as a whole, and given back as it was, whatever
//! happens.

use crate::draw::Capabilities;
use ipvsadm::run::cannot_draw;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use std::env;
use std::io::{self, IsTerminal, Stdout};
use std::panic;

/// Whether there is a terminal; if not, what is wrong.
pub fn check() -> Result<(), String> {
    for (is_terminal, name) in [
        (io::stdin().is_terminal(), "standard input"),
        (io::stdout().is_terminal(), "standard output"),
    ] {
        if !is_terminal {
            return Err(format!("{name} is not a terminal; -b prints plain text"));
        }
    }
    if let Some(why) = cannot_draw() {
        return Err(format!(
            "{why}: this terminal has no screen to draw on; -b prints plain text"
        ));
    }
    Ok(())
}

/// The screen. It is given back when this is dropped, and when the program
/// panics.
pub struct Screen {
    pub terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    pub fn enter() -> io::Result<Screen> {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A release does not unwind, so that nothing is dropped.
            give_back();
            hook(info);
        }));
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let screen = Screen { terminal };
        take()?;
        Ok(screen)
    }

    /// Lets `pause` have the terminal, or whoever has already taken it, and
    /// takes it again.
    pub fn lend(&mut self, pause: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        give_back();
        pause()?;
        take()?;
        self.terminal.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, Hide)
}

/// Does what it can: the terminal may be gone.
fn give_back() {
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// What the terminal can show, by the environment.
pub fn capabilities() -> Capabilities {
    let var = |name: &str| env::var(name).unwrap_or_default();
    capabilities_by(var)
}

fn capabilities_by(var: impl Fn(&str) -> String) -> Capabilities {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(&var);
    let locale = locale.iter().find(|value| !value.is_empty());
    let locale = locale.map(|value| value.to_lowercase().replace('-', ""));
    Capabilities {
        colour: var("NO_COLOR").is_empty() && has_colour(&var("TERM")),
        unicode: locale.is_some_and(|locale| locale.ends_with("utf8")),
    }
}

/// Terminals without colour are few by now.
fn has_colour(term: &str) -> bool {
    let old = ["vt52", "vt100", "vt102", "vt220", "vt320", "dumb", ""].contains(&term);
    let said = term.split('-').any(|part| part == "m" || part == "mono");
    !old && !said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour_and_unicode(variables: &[(&str, &str)]) -> (bool, bool) {
        let can = capabilities_by(|name| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map_or(String::new(), |(_, value)| value.to_string())
        });
        (can.colour, can.unicode)
    }

    #[test]
    fn the_environment_says_what_the_terminal_can() {
        for (variables, wanted) in [
            (&[][..], (false, false)),
            (
                &[("TERM", "xterm-256color"), ("LANG", "C.UTF-8")],
                (true, true),
            ),
            (&[("TERM", "linux"), ("LANG", "de_DE.utf8")], (true, true)),
            (&[("TERM", "screen"), ("LANG", "C")], (true, false)),
            (
                &[("TERM", "tmux"), ("LANG", "en_US.UTF-8"), ("LC_ALL", "C")],
                (true, false),
            ),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], (false, false)),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], (true, false)),
            (&[("TERM", "vt100")], (false, false)),
            (&[("TERM", "dumb")], (false, false)),
            (&[("TERM", "xterm-mono")], (false, false)),
            (&[("TERM", "ansi-m")], (false, false)),
        ] {
            assert_eq!(colour_and_unicode(variables), wanted, "{variables:?}");
        }
    }
}
