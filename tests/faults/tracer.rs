//! Runs a program and fails one of its system calls, as `strace -e inject` does,
//! with ptrace.
//!
//! strace itself cannot shorten a read, take an answer away after it came, or fail
//! one call in one process only of those that a script starts; and most of the time
//! of a run would be its own.

use crate::calls::{ALLOCATION, Call, Kind};
use crate::memory::{self, Breakpoints};
use crate::support::programs::{End, Outcome};
use nix::errno::Errno;
use nix::libc::{c_long, user_regs_struct};
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// The n-th call of a name fails so. Calls are counted in all processes together,
/// and not before the dynamic linker has done its work: it is the same for all
/// programs.
#[derive(Clone, Copy)]
pub struct Fault {
    pub call: &'static Call,
    pub nth: usize,
    pub kind: Kind,
}

/// A call that a program made.
#[derive(Clone, Debug)]
pub struct Made {
    pub number: c_long,
    pub nth: usize,
    /// Its first argument, often a descriptor.
    pub first: u64,
    /// What came of it.
    pub result: i64,
    /// The program that made it: the name of its file.
    pub program: String,
    /// What the first argument stands for, if that is a descriptor.
    pub file: String,
}

/// A program to run.
pub struct Start<'a> {
    pub program: &'a str,
    pub words: Vec<String>,
    pub env: &'a [(&'a str, &'a str)],
    pub stdin: Stdio,
    pub stdout: File,
    pub stderr: File,
    /// As a user without any capability.
    pub unprivileged: bool,
    /// Whether the calls of the dynamic linker count, and only these.
    pub with_loader: bool,
    /// Whether allocations count, too. Only for programs of one thread.
    pub with_memory: bool,
}

/// What came of a run.
pub struct Run {
    pub outcome: Outcome,
    /// The calls that were made until the fault, or all if there was none.
    pub made: Vec<Made>,
    /// The one that failed.
    pub hit: Option<Made>,
}

/// A thread of a traced process.
struct Thread {
    /// Inside of a system call, with what is to be done at its end.
    inside: Option<Inside>,
    /// Whether the dynamic linker is done.
    started: bool,
    /// Where the dynamic linker is.
    loader: Vec<Range<u64>>,
    program: String,
    /// The end of the heap, which brk gives back if it cannot move it.
    heap: u64,
}

struct Inside {
    made: Option<usize>,
    end: AtEnd,
}

enum AtEnd {
    AsItIs,
    /// The call ends with this.
    With(u64),
    /// The third argument is put back, for the program relies on it.
    PutBack(u64),
}

/// A user and a group without any rights.
const NOBODY: u32 = 65534;

/// Kills the process group in here when its time is up.
static WATCHED: LazyLock<Mutex<Option<(Pid, Instant)>>> = LazyLock::new(|| {
    thread::spawn(|| {
        loop {
            thread::sleep(Duration::from_millis(500));
            let watched = *WATCHED.lock().expect("a lock");
            if let Some((group, until)) = watched {
                if Instant::now() >= until {
                    let _ = killpg(group, Signal::SIGKILL);
                }
            }
        }
    });
    Mutex::new(None)
});

/// Runs the program to its end and that of all processes that it has started.
#[expect(clippy::zombie_processes, reason = "the tracer waits for it")]
pub fn run(mut start: Start, fault: Option<Fault>) -> Run {
    // It waits for its tracer, and then becomes the program.
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "kill -STOP $$; exec \"$@\"", "sh", start.program])
        .args(&start.words)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .envs(start.env.iter().copied())
        .stdin(start.stdin)
        .stdout(start.stdout.try_clone().expect("a descriptor"))
        .stderr(start.stderr.try_clone().expect("a descriptor"))
        .process_group(0);
    if start.unprivileged {
        command.uid(NOBODY).gid(NOBODY);
    }
    let child = command.spawn().expect("a shell");
    let root = Pid::from_raw(child.id() as i32);
    let until = Instant::now() + LIMIT;
    *WATCHED.lock().expect("a lock") = Some((root, until));
    let stopped = waitpid(root, Some(WaitPidFlag::WUNTRACED)).expect("a child");
    assert!(matches!(stopped, WaitStatus::Stopped(..)), "{stopped:?}");
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(root, options).expect("a child that can be traced");
    kill(root, Signal::SIGCONT).expect("a child");
    let mut tracer = Tracer {
        root,
        fault,
        with_loader: start.with_loader,
        with_memory: start.with_memory,
        breakpoints: None,
        threads: HashMap::new(),
        counts: HashMap::new(),
        made: Vec::new(),
        hit: None,
        running: false,
    };
    let end = tracer.follow();
    *WATCHED.lock().expect("a lock") = None;
    let hangs = Instant::now() >= until;
    Run {
        outcome: Outcome {
            end: if hangs { End::Hang } else { end },
            stdout: content(&mut start.stdout),
            stderr: content(&mut start.stderr),
        },
        made: tracer.made,
        hit: tracer.hit,
    }
}

fn content(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().expect("a file");
    file.read_to_end(&mut bytes).expect("a file");
    bytes
}

struct Tracer {
    root: Pid,
    fault: Option<Fault>,
    with_loader: bool,
    with_memory: bool,
    breakpoints: Option<Breakpoints>,
    threads: HashMap<Pid, Thread>,
    /// How often each call was made.
    counts: HashMap<c_long, usize>,
    made: Vec<Made>,
    hit: Option<Made>,
    /// Whether the shell has become the program.
    running: bool,
}

impl Tracer {
    /// Follows all processes until none is left; how the first one ended.
    fn follow(&mut self) -> End {
        let mut end = End::Hang;
        loop {
            let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Ok(status) => status,
                Err(Errno::EINTR) => continue,
                Err(Errno::ECHILD) => return end,
                Err(error) => panic!("waitpid: {error}"),
            };
            let Some(pid) = status.pid() else { continue };
            match status {
                WaitStatus::Exited(_, code) => {
                    self.threads.remove(&pid);
                    if pid == self.root {
                        end = End::Exit(code);
                    }
                }
                WaitStatus::Signaled(_, signal, _) => {
                    self.threads.remove(&pid);
                    if pid == self.root {
                        end = End::Signal(signal as i32);
                    }
                }
                WaitStatus::PtraceSyscall(_) => {
                    self.system_call(pid);
                    self.resume(pid, None);
                }
                WaitStatus::PtraceEvent(_, _, event) => {
                    if event == Event::PTRACE_EVENT_EXEC as i32 {
                        self.running = true;
                        self.threads.insert(pid, Thread::after_exec(pid));
                    }
                    self.resume(pid, None);
                }
                WaitStatus::Stopped(_, Signal::SIGTRAP) if self.breakpoints.is_some() => {
                    self.allocation(pid);
                    self.resume(pid, None);
                }
                WaitStatus::Stopped(_, signal) => self.resume(pid, Some(signal)),
                _ => self.resume(pid, None),
            }
        }
    }

    /// Lets a thread go on, to its next call if that is of interest. It may be dead
    /// by now.
    fn resume(&self, pid: Pid, signal: Option<Signal>) {
        let lasting = matches!(self.fault.map(|fault| fault.kind), Some(Kind::FromNowOn(_)));
        // At the end of a failed call there is something to be done yet.
        let unfinished = self.threads.values().any(|thread| thread.inside.is_some());
        let _ = if self.running && (self.hit.is_none() || lasting || unfinished) {
            ptrace::syscall(pid, signal)
        } else {
            ptrace::cont(pid, signal)
        };
    }

    /// A thread is at the begin or at the end of a call.
    fn system_call(&mut self, pid: Pid) {
        let Ok(mut regs) = ptrace::getregs(pid) else {
            return;
        };
        let thread = self.threads.entry(pid).or_insert_with(|| Thread::new(pid));
        match thread.inside.take() {
            None if regs.rax as i64 == -(Errno::ENOSYS as i64) => {
                self.begin(pid, &mut regs);
            }
            // Of a call that began before the thread was traced.
            None => {}
            Some(inside) => self.end(pid, &inside, &mut regs),
        }
    }

    fn begin(&mut self, pid: Pid, regs: &mut user_regs_struct) {
        let thread = self.threads.get_mut(&pid).expect("a thread that is known");
        let in_loader = thread.loader.iter().any(|range| range.contains(&regs.rip));
        if !thread.started && !in_loader {
            thread.started = true;
            if self.with_memory {
                self.breakpoints = Breakpoints::set(pid);
            }
        }
        let mut inside = Inside {
            made: None,
            end: AtEnd::AsItIs,
        };
        let heap = thread.heap;
        if thread.started != self.with_loader {
            if let Some(kind) = self.count(pid, regs.orig_rax as i64, regs.rdi) {
                inside.end = fail(pid, kind, heap, regs);
            }
            inside.made = Some(self.made.len() - 1);
        }
        self.threads
            .entry(pid)
            .and_modify(|thread| thread.inside = Some(inside));
    }

    /// Notes a call, and says how it is to fail, if it is.
    fn count(&mut self, pid: Pid, number: c_long, first: u64) -> Option<Kind> {
        let nth = self.counts.entry(number).or_default();
        *nth += 1;
        let made = Made {
            number,
            nth: *nth,
            first,
            result: 0,
            program: self.threads[&pid].program.clone(),
            file: match self.fault {
                None => link(&format!("/proc/{pid}/fd/{first}")),
                Some(_) => String::new(),
            },
        };
        self.made.push(made.clone());
        let fault = self.fault.filter(|fault| fault.meets(&made))?;
        self.hit.get_or_insert(made);
        Some(fault.kind)
    }

    /// A process has met a breakpoint. It may be dead by now.
    fn allocation(&mut self, pid: Pid) -> Option<()> {
        let regs = self.breakpoints.as_ref()?.met(pid)?;
        let fails = self.count(pid, ALLOCATION, regs.rdi);
        let breakpoints = self.breakpoints.take()?;
        if fails.is_some() {
            breakpoints.remove(pid);
            return memory::fail(pid, regs);
        }
        breakpoints.step_over(pid, regs)?;
        self.breakpoints = Some(breakpoints);
        Some(())
    }

    fn end(&mut self, pid: Pid, inside: &Inside, regs: &mut user_regs_struct) {
        let thread = self.threads.get_mut(&pid).expect("a thread that is known");
        if let Some(made) = inside.made {
            self.made[made].result = regs.rax as i64;
            if self.made[made].number == nix::libc::SYS_brk {
                thread.heap = regs.rax;
            }
        } else if regs.orig_rax as i64 == nix::libc::SYS_brk {
            thread.heap = regs.rax;
        }
        match inside.end {
            AtEnd::AsItIs => return,
            AtEnd::With(result) => regs.rax = result,
            AtEnd::PutBack(third) => regs.rdx = third,
        }
        let _ = ptrace::setregs(pid, *regs);
    }
}

/// Does to a call that begins what is to be done.
fn fail(pid: Pid, kind: Kind, heap: u64, regs: &mut user_regs_struct) -> AtEnd {
    let error = |errno: Errno| -(errno as i64) as u64;
    let is_brk = regs.orig_rax as i64 == nix::libc::SYS_brk;
    let end = match kind {
        Kind::Kill => {
            let _ = kill(pid, Signal::SIGKILL);
            return AtEnd::AsItIs;
        }
        Kind::Lost => return AtEnd::With(error(Errno::ENOBUFS)),
        Kind::Short => {
            let third = regs.rdx;
            regs.rdx = third.min(1);
            AtEnd::PutBack(third)
        }
        // Linux gives the descriptor back whatever close says. One that stayed open
        // would be a fault that nobody has: the end of a pipe that never comes.
        Kind::Error(errno) if regs.orig_rax as i64 == nix::libc::SYS_close => {
            return AtEnd::With(error(errno));
        }
        Kind::Error(errno) | Kind::FromNowOn(errno) => {
            regs.orig_rax = u64::MAX;
            AtEnd::With(if is_brk { heap } else { error(errno) })
        }
    };
    let _ = ptrace::setregs(pid, *regs);
    end
}

impl Fault {
    /// Whether a program of ours must be able to go on as if nothing had been.
    /// Where a process or thread is to be made, EAGAIN says that there are too many.
    pub fn is_harmless(&self) -> bool {
        match self.kind {
            Kind::Error(Errno::EAGAIN) => !self.call.name.starts_with("clone"),
            Kind::Error(Errno::EINTR) | Kind::Short => true,
            _ => false,
        }
    }

    fn meets(&self, made: &Made) -> bool {
        let nth = match self.kind {
            Kind::FromNowOn(_) => made.nth >= self.nth,
            _ => made.nth == self.nth,
        };
        nth && self.call.number == made.number
    }
}

impl Thread {
    fn new(pid: Pid) -> Thread {
        let path = link(&format!("/proc/{pid}/exe"));
        Thread {
            inside: None,
            started: true,
            loader: Vec::new(),
            program: path.rsplit('/').next().unwrap_or_default().to_owned(),
            heap: 0,
        }
    }

    /// Of a new program, at the end of execve. Only the program and the dynamic
    /// linker are in memory.
    fn after_exec(pid: Pid) -> Thread {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let loader: Vec<_> = maps.lines().filter_map(of_loader).collect();
        Thread {
            inside: Some(Inside {
                made: None,
                end: AtEnd::AsItIs,
            }),
            started: loader.is_empty(),
            loader,
            ..Thread::new(pid)
        }
    }
}

fn link(path: &str) -> String {
    let target = fs::read_link(path).unwrap_or_default();
    target.to_string_lossy().into_owned()
}

fn of_loader(line: &str) -> Option<Range<u64>> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    rest.contains("/ld-linux")
        .then_some(number(from)?..number(to)?)
}
