//! `docs/mistakes.txt`: what people type, what C ipvsadm and ours say of it, and
//! what ours adds on a terminal. Each command line is given to both programs on the
//! same table; what they print is put in the form of the file, and must be what
//! stands there.
//!
//! After a change that is meant: `IPVSADM_UPDATE_MISTAKES=1 cargo test --test safety
//! mistakes::` writes `target/lab-out/mistakes.txt`; read the difference before it
//! takes the file's place.

use crate::Test;
use crate::name_server::private_files;
use crate::support::machine::Machine;
use crate::support::netns;
use crate::support::programs::{OURS, REFERENCE, split};
use ipvsadm::render::visible;
use nix::fcntl::OFlag;
use nix::pty::openpty;
use nix::unistd::pipe2;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

pub const TESTS: &[Test] = &[("mistakes::as_in_the_file", || {
    // In a thread of its own, whose /etc is nobody else's.
    let done = thread::scope(|scope| scope.spawn(as_in_the_file).join());
    if let Err(panic) = done {
        std::panic::resume_unwind(panic);
    }
})];

const HOSTS: &str = "127.0.0.1 localhost\n10.0.9.1 web\n";
const NO_NAME_SERVER: &str = "hosts: files\nservices: files\n";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    stdout: String,
    stderr: String,
    status: i32,
}

impl Ended {
    /// The lines of the file, with `who` before each.
    fn lines(&self, who: &str) -> String {
        let mut lines = String::new();
        for (mark, text) in [('>', &self.stdout), ('!', &self.stderr)] {
            for line in shown(text).lines() {
                let _ = writeln!(lines, "{}", format!("{who}{mark} {line}").trim_end());
            }
        }
        let _ = writeln!(lines, "{who}= {}", self.status);
        lines
    }
}

/// `text` with escapes for what cannot be seen, as terminals and the file get it.
fn shown(text: &str) -> String {
    let line = |line: &str| visible(line.as_bytes()) + "\n";
    text.lines().map(line).collect()
}

/// The words of a command line, as bash reads `'...'` and `$'...'` with the escapes
/// `\r` and `\uNNNN`.
fn words(line: &str) -> Vec<OsString> {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, quoted)) = rest.split_once("$'") {
        let (escaped, after) = quoted.split_once('\'').expect("the end of a quotation");
        plain += before;
        let mut parts = escaped.replace("\\r", "\r");
        while let Some(at) = parts.find("\\u") {
            let code = u32::from_str_radix(&parts[at + 2..at + 6], 16).expect("four digits");
            let character = char::from_u32(code).expect("a character").to_string();
            parts.replace_range(at..at + 6, &character);
        }
        plain += &parts;
        rest = after;
    }
    let words = split((plain + rest).as_bytes());
    words.into_iter().map(OsString::from_vec).collect()
}

/// The command in `line`, with `program` for ipvsadm.
fn command(line: &str, program: &str) -> Command {
    let mut words = words(line).into_iter();
    let mut command = match words.next().expect("a word") {
        name if name == "ipvsadm" => {
            let mut command = Command::new(program);
            command.arg0("ipvsadm");
            command
        }
        other => Command::new(other),
    };
    command
        .args(words.map(|word| {
            if word == "ipvsadm" {
                program.into()
            } else {
                word
            }
        }))
        .env_remove("IPVSADM_HINTS")
        .stdin(Stdio::null());
    command
}

/// What comes of `line` where nobody looks.
fn off_a_terminal(line: &str, program: &str) -> Ended {
    let output = command(line, program).output().expect(line);
    Ended {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: output.status.code().expect(line),
    }
}

/// Everything that `line` prints, as `2>&1 | cat` shows it.
fn in_one_pipe(line: &str, program: &str) -> String {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
    let mut command = command(line, program);
    command.stdout(writer.try_clone().expect("a pipe"));
    let mut child = command.stderr(writer).spawn().expect(line);
    drop(command);
    let mut said = Vec::new();
    File::from(reader).read_to_end(&mut said).expect("a pipe");
    child.wait().expect(line);
    String::from_utf8_lossy(&said).into_owned()
}

/// What ours prints on a terminal that is its stderr.
fn on_a_terminal(line: &str) -> String {
    let pty = openpty(None, None).expect("a terminal");
    let mut command = command(line, OURS);
    command.stdout(Stdio::null()).stderr(File::from(pty.slave));
    let mut child = command.spawn().expect(line);
    drop(command);
    child.wait().expect(line);
    let mut said = Vec::new();
    // Reading on fails when nobody has the terminal open any more.
    let _ = File::from(pty.master).read_to_end(&mut said);
    String::from_utf8_lossy(&said).replace("\r\n", "\n")
}

/// The table before each command line, and what is found of it after.
struct Table {
    machine: Machine,
    rules: String,
    changed: bool,
}

impl Table {
    fn prepare(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.machine.ipvsadm("-C");
            self.machine.feed("-R", &self.rules);
        }
    }

    /// Runs `call`, and says what is in the table then, if it succeeded.
    fn after(&mut self, call: impl FnOnce() -> Ended) -> (Ended, Option<String>) {
        self.prepare();
        let ended = call();
        self.changed = ended.status == 0;
        let saved = self.changed.then(|| self.machine.ipvsadm("-Sn"));
        (ended, saved)
    }
}

/// What is wrong with a command line, whatever stands in the file.
type Complaints = Vec<String>;

/// The lines of the file for the command `line`; with a `note`, ours may differ.
fn lines(table: &mut Table, line: &str, note: bool, wrong: &mut Complaints) -> String {
    let (theirs, their_table) = table.after(|| off_a_terminal(line, REFERENCE));
    let (ours, our_table) = table.after(|| off_a_terminal(line, OURS));
    let mut check = |right: bool, what: &str| {
        if !right {
            wrong.push(format!("$ {line}\n{what}\n"));
        }
    };
    let mut lines = theirs.lines("");
    if ours == theirs {
        check(our_table == their_table, "leaves another table");
        let [theirs, ours] = [REFERENCE, OURS].map(|program| {
            table.prepare();
            table.changed = ours.status == 0;
            in_one_pipe(line, program)
        });
        check(ours == theirs, "2>&1 is another");
    } else {
        check(note, "differs without a word why");
        lines += &ours.lines("ours");
    }
    table.prepare();
    table.changed = ours.status == 0;
    let said = on_a_terminal(line);
    let hints = said.strip_prefix(&shown(&ours.stderr));
    check(hints.is_some(), &said);
    let hints = hints.unwrap_or_default();
    check(hints.lines().all(|line| line.starts_with("hint: ")), hints);
    check(hints.lines().count() <= 2, hints);
    lines + hints
}

fn as_in_the_file() {
    let file = repository().join("docs/mistakes.txt");
    let text = fs::read_to_string(&file).expect("docs/mistakes.txt");
    let rules = text
        .lines()
        .filter_map(|line| line.strip_prefix("    ipvsadm "));
    let rules = rules.map(|rule| format!("{rule}\n")).collect();
    let mut table = Table {
        machine: Machine::new(),
        rules,
        changed: true,
    };
    let dir = private_files(HOSTS, "");
    netns::replace_file(&dir, "/etc/nsswitch.conf", NO_NAME_SERVER);
    let (mut fresh, mut count, mut wrong) = (String::new(), 0, Complaints::new());
    // A command line with its notes before it and its lines behind it.
    for block in text.split_inclusive("\n\n") {
        let Some((before, rest)) = block.split_once("$ ") else {
            fresh += block;
            continue;
        };
        let (line, stands) = rest.split_once('\n').expect("a line");
        let lines = lines(&mut table, line, before.starts_with("# "), &mut wrong);
        let _ = write!(fresh, "{before}$ {line}\n{lines}\n");
        if stands.trim_end() != lines.trim_end() {
            wrong.push(format!("$ {line}\n{lines}"));
        }
        count += 1;
        // The lab ends what is silent for too long.
        print!(".");
        std::io::stdout().flush().expect("stdout");
    }
    println!();
    assert!(count >= 150, "{count} command lines");
    if std::env::var_os("IPVSADM_UPDATE_MISTAKES").is_some() {
        let update: PathBuf = repository().join("target/lab-out/mistakes.txt");
        fs::write(update, fresh.trim_end().to_owned() + "\n").expect("target/lab-out");
        return;
    }
    assert!(
        wrong.is_empty(),
        "other than docs/mistakes.txt:\n{}",
        wrong.join("\n")
    );
}
