//! The two programs, how they are called, and what comes of it.

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use std::fmt::{self, Display, Formatter};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::Duration;
use wait_timeout::ChildExt;

/// A pipe that nobody reads.
pub fn unread_pipe() -> OwnedFd {
    pipe2(OFlag::O_CLOEXEC).expect("a pipe").1
}

/// Where Debian's package puts the program that ours is measured by.
pub const REFERENCE: &str = "/sbin/ipvsadm";
/// Our programs.
pub const OURS: &str = env!("CARGO_BIN_EXE_ipvsadm");
pub const SAVE: &str = env!("CARGO_BIN_EXE_ipvsadm-save");
pub const RESTORE: &str = env!("CARGO_BIN_EXE_ipvsadm-restore");

/// ipvstop, and the example of the package `ipvs`.
pub static TOP: LazyLock<String> = LazyLock::new(|| beside("ipvstop"));
pub static LIST: LazyLock<String> = LazyLock::new(|| beside("examples/list"));

/// A program of another package: cargo neither builds it for these tests nor says
/// where it is. `lab` builds it before the machine starts.
fn beside(name: &str) -> String {
    let path = Path::new(OURS).with_file_name(name);
    let shown = path.display().to_string();
    assert!(path.exists(), "no {shown}: run cargo build first");
    shown
}

/// The programs of the package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tool {
    #[default]
    Ipvsadm,
    Save,
    Restore,
}

impl Tool {
    pub const ALL: [Tool; 3] = [Tool::Ipvsadm, Tool::Save, Tool::Restore];

    pub fn name(self) -> &'static str {
        match self {
            Tool::Ipvsadm => "ipvsadm",
            Tool::Save => "ipvsadm-save",
            Tool::Restore => "ipvsadm-restore",
        }
    }

    pub fn reference(self) -> &'static str {
        match self {
            Tool::Ipvsadm => REFERENCE,
            Tool::Save => "/sbin/ipvsadm-save",
            Tool::Restore => "/sbin/ipvsadm-restore",
        }
    }

    pub fn ours(self) -> &'static str {
        match self {
            Tool::Ipvsadm => OURS,
            Tool::Save => SAVE,
            Tool::Restore => RESTORE,
        }
    }
}

/// A program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);
const NOBODY: u32 = 65534;

/// A command line and what comes with it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub tool: Tool,
    /// The words after the program's name.
    pub words: Vec<Vec<u8>>,
    /// What it reads; nothing if there is nothing.
    pub stdin: Vec<u8>,
    /// Environment variables, besides PATH.
    pub env: Vec<(String, String)>,
    /// Its own name, if that is not the tool's.
    pub name: Option<String>,
    /// Whether the user is nobody instead of root.
    pub nobody: bool,
    /// Where its output goes.
    pub stdout: Stdout,
}

/// Where the output of a program goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdout {
    /// To a file, which is looked at.
    #[default]
    File,
    FullDisk,
    /// Nowhere: the descriptor is closed.
    Closed,
    /// To a pipe from which nobody reads.
    ClosedPipe,
}

impl Call {
    /// A call with the words in `line`, see [`split`].
    pub fn new(line: impl AsRef<[u8]>) -> Call {
        Call {
            words: split(line.as_ref()),
            ..Call::default()
        }
    }

    /// A call with exactly these words.
    pub fn of_words(words: Vec<Vec<u8>>) -> Call {
        Call {
            words,
            ..Call::default()
        }
    }

    /// The program's own name.
    pub fn own_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.tool.name())
    }

    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Call {
        self.stdin = text.into();
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Call {
        self.env.push((name.into(), value.into()));
        self
    }

    pub fn name(mut self, name: &str) -> Call {
        self.name = Some(name.into());
        self
    }

    pub fn tool(mut self, tool: Tool) -> Call {
        self.tool = tool;
        self
    }

    pub fn stdout(mut self, stdout: Stdout) -> Call {
        self.stdout = stdout;
        self
    }

    /// Whether `text` stands on the command line or in what it reads.
    pub fn mentions(&self, text: &str) -> bool {
        let found = |bytes: &[u8]| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        found(&self.stdin) || self.words.iter().any(|word| found(word))
    }

    pub fn nobody(mut self) -> Call {
        self.nobody = true;
        self
    }
}

/// The words of a line: separated by blanks, and `'...'` is one word.
pub fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quoted = false;
    for &byte in line {
        match byte {
            b'\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            b' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

/// As one would type it.
impl Display for Call {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        if self.nobody {
            f.write_str("setpriv --reuid=65534 ")?;
        }
        for (name, value) in &self.env {
            write!(f, "{name}={value} ")?;
        }
        f.write_str(self.own_name())?;
        for word in &self.words {
            let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_=.,:/[]".contains(b);
            if !word.is_empty() && word.iter().all(plain) {
                write!(f, " {}", word.escape_ascii())?;
            } else {
                write!(f, " '{}'", word.escape_ascii())?;
            }
        }
        f.write_str(match self.stdout {
            Stdout::File => "",
            Stdout::FullDisk => " >/dev/full",
            Stdout::Closed => " >&-",
            Stdout::ClosedPipe => " | true",
        })?;
        if !self.stdin.is_empty() {
            write!(f, " <<EOF\n{}\nEOF", shown(&self.stdin))?;
        }
        Ok(())
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exit(i32),
    Signal(i32),
    Hang,
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> End {
        match status.code() {
            Some(code) => End::Exit(code),
            None => End::Signal(status.signal().unwrap_or_default()),
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub end: End,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Outcome {
    pub fn new(exit: i32, stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> Outcome {
        Outcome {
            end: End::Exit(exit),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(f, "{:?}", self.end)?;
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !bytes.is_empty() {
                writeln!(f, "{name}:\n{}", shown(bytes))?;
            }
        }
        Ok(())
    }
}

/// Lines of text, each indented, with whatever is not printable escaped, and
/// with a mark where the last newline is missing.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let (line, end) = match line.strip_suffix(b"\n") {
            Some(line) => (line, "\n"),
            None => (line, " (no newline)\n"),
        };
        let line = line.escape_ascii().to_string().replace("\\'", "'");
        text.extend(["    ", &line, end]);
    }
    text.pop();
    text
}

/// A program that can be called.
pub struct Program {
    path: PathBuf,
    files: PathBuf,
}

impl Program {
    /// Copies the program at `path` to `dir`, which is in memory: starting it
    /// from a share is slow.
    pub fn copied(path: impl AsRef<Path>, dir: &Path, name: &str) -> Program {
        let (path, files) = (path.as_ref(), dir.join(format!("{name}.files")));
        let copy = dir.join(name);
        fs::create_dir(&files).expect("a directory");
        fs::copy(path, &copy).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Program { path: copy, files }
    }

    /// Calls the program and waits for its end.
    pub fn call(&self, call: &Call) -> Outcome {
        self.start(call).finish()
    }

    /// Calls the program.
    pub fn start(&self, call: &Call) -> Running {
        let (stdout, stderr) = (self.file("stdout"), self.file("stderr"));
        let mut command = self.command(call);
        command
            .args(call.words.iter().map(|w| os(w)))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(call.env.iter().cloned())
            .stdin(self.stdin(&call.stdin))
            .stdout(match call.stdout {
                Stdout::FullDisk => File::create("/dev/full").expect("a device").into(),
                Stdout::ClosedPipe => Stdio::from(unread_pipe()),
                _ => Stdio::from(stdout.try_clone().expect("a descriptor")),
            })
            .stderr(stderr.try_clone().expect("a descriptor"));
        if call.nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", self.path.display()));
        Running {
            child,
            stdout,
            stderr,
        }
    }

    /// The command without its words.
    fn command(&self, call: &Call) -> Command {
        if call.stdout != Stdout::Closed {
            let mut command = Command::new(&self.path);
            command.arg0(call.own_name());
            return command;
        }
        // Only a shell can start a program like that.
        let mut command = Command::new("/bin/bash");
        command
            .args(["-c", r#"exec -a "$0" "$@" >&-"#, call.own_name()])
            .arg(&self.path);
        command
    }

    fn file(&self, name: &str) -> File {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        options
            .open(self.files.join(name))
            .expect("a file in memory")
    }

    fn stdin(&self, bytes: &[u8]) -> Stdio {
        if bytes.is_empty() {
            return Stdio::null();
        }
        let mut file = self.file("stdin");
        file.write_all(bytes).expect("room in memory");
        file.seek(SeekFrom::Start(0)).expect("a file");
        file.into()
    }
}

/// A program that was called.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Waits for its end.
    pub fn finish(mut self) -> Outcome {
        let child = &mut self.child;
        let end = match child.wait_timeout(LIMIT).expect("a child to wait for") {
            Some(status) => status.into(),
            None => {
                let killed = child.kill().and_then(|()| child.wait());
                killed.expect("a child to kill");
                End::Hang
            }
        };
        Outcome {
            end,
            stdout: content(&mut self.stdout),
            stderr: content(&mut self.stderr),
        }
    }
}

fn os(word: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(word)
}

fn content(file: &mut File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).expect("a file");
    file.read_to_end(&mut bytes).expect("a file");
    bytes
}
