//! On a terminal: keys, signals and looks at the table come in by one channel,
//! pictures go out.
//!
//! Three threads send: one reads the table when it is asked to, so that keys
//! are answered however large the table is; one reads keys; one waits for
//! signals. They end with the program.

use crate::command_line::Watch;
use crate::draw;
use crate::sample::Sample;
use crate::state::{Action, State};
use crate::terminal::{self, Screen};
use crate::{Looks, Stop};
use ipvs::Ipvs;
use ipvsadm::rates::Pace;
use ipvsadm::run::Failure;
use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

/// What the threads send.
enum Message {
    Sample(Result<Sample, Failure>),
    Key(KeyEvent),
    /// The screen has another size, or is to be drawn for another reason.
    Resize,
    Signal(i32),
    /// There is nothing to read keys from any more.
    NoKeys(io::Error),
}

/// Shows the table until the user quits.
pub fn run(ipvs: Ipvs, watch: &Watch) -> Result<(), Stop> {
    let (sender, messages) = mpsc::channel();
    wait_for_signals(sender.clone()).map_err(Stop::Terminal)?;
    let mut screen = Screen::enter().map_err(Stop::Terminal)?;
    read_keys(sender.clone());
    let mut top = Top {
        state: State::new(watch.delay, watch.hosts, watch.selectors.clone()),
        asking: ask(Looks::new(ipvs, watch.part), sender),
        asked: false,
        pace: Pace::new(watch.delay, watch.samples, Instant::now()),
    };
    top.run(&mut screen, &messages)
}

struct Top {
    state: State,
    /// For a look at the table.
    asking: Sender<()>,
    /// Whether one is under way.
    asked: bool,
    pace: Pace,
}

impl Top {
    fn run(&mut self, screen: &mut Screen, messages: &Receiver<Message>) -> Result<(), Stop> {
        let can = terminal::capabilities();
        loop {
            let size = screen.terminal.size().map_err(Stop::Terminal)?;
            self.state.resize(size.width, draw::page(size.height));
            screen
                .terminal
                .draw(|frame| draw::draw(frame, &self.state, can))
                .map_err(Stop::Terminal)?;
            if self.pace.due().is_none() && !self.asked {
                return Ok(());
            }
            let Some(first) = self.wait(messages) else {
                continue;
            };
            // All that has come meanwhile makes one picture.
            for message in std::iter::once(first).chain(messages.try_iter()) {
                if self.take(message, screen)? == Action::Quit {
                    return Ok(());
                }
            }
        }
    }

    /// The next message; none when a look is due.
    fn wait(&mut self, messages: &Receiver<Message>) -> Option<Message> {
        let idle = self.asked || self.state.frozen;
        let due = self.pace.due().filter(|_| !idle);
        let now = Instant::now();
        match due {
            Some(due) if due > now => messages.recv_timeout(due - now).ok(),
            Some(_) => {
                self.asked = self.asking.send(()).is_ok();
                self.pace.begin(now);
                messages.recv().ok()
            }
            None => messages.recv().ok(),
        }
    }

    fn take(&mut self, message: Message, screen: &mut Screen) -> Result<Action, Stop> {
        match message {
            Message::Sample(Err(failure)) => return Err(failure.into()),
            Message::Sample(Ok(sample)) => {
                self.asked = false;
                // One that was asked for before is shown when it goes on.
                if !self.state.frozen {
                    self.state.take(sample);
                }
            }
            Message::Key(key) => match self.state.key(key) {
                Action::Suspend => suspend(screen)?,
                Action::Redraw => screen.terminal.clear().map_err(Stop::Terminal)?,
                action => return Ok(action),
            },
            Message::Resize => {}
            Message::Signal(SIGTSTP) => suspend(screen)?,
            // The shell may have changed the terminal while the program was stopped.
            Message::Signal(SIGCONT) => screen.lend(|| Ok(())).map_err(Stop::Terminal)?,
            Message::Signal(signal) => return Err(Stop::Signal(signal)),
            Message::NoKeys(error) => return Err(Stop::Terminal(error)),
        }
        Ok(Action::Nothing)
    }
}

/// Stops the program, with the terminal as it was, until it is continued.
fn suspend(screen: &mut Screen) -> Result<(), Stop> {
    let stopped = screen.lend(|| emulate_default_handler(SIGTSTP));
    stopped.map_err(Stop::Terminal)
}

fn ask(mut looks: Looks, sender: Sender<Message>) -> Sender<()> {
    let (asking, asked) = mpsc::channel();
    thread::spawn(move || {
        for () in asked {
            if sender.send(Message::Sample(looks.next())).is_err() {
                return;
            }
        }
    });
    asking
}

fn read_keys(sender: Sender<Message>) {
    thread::spawn(move || {
        loop {
            let message = match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key),
                Ok(Event::Resize(..)) => Message::Resize,
                Ok(_) => continue,
                Err(error) => {
                    let _ = sender.send(Message::NoKeys(error));
                    return;
                }
            };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
}

fn wait_for_signals(sender: Sender<Message>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if sender.send(Message::Signal(signal)).is_err() {
                return;
            }
        }
    });
    Ok(())
}
