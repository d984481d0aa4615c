//! Where a command runs: a network namespace, its table, and a directory of files,
//! all put back after a run that changed them.

use crate::calls::ALLOCATION;
use crate::commands::{Case, Program};
use crate::support::machine::Machine;
use crate::support::netns;
use crate::support::programs::{OURS, RESTORE, SAVE, TOP};
use crate::support::state::{State, Table};
use crate::tracer::{self, Fault, Run, Start};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

/// The programs, in memory. Made once: they are large, and a namespace of mounts
/// keeps those of the one before it.
static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = netns::private_mounts();
    for (program, path) in [
        (Program::Ipvsadm, OURS),
        (Program::Save, SAVE),
        (Program::Restore, RESTORE),
        (Program::Top, &TOP),
    ] {
        fs::copy(path, dir.join(program.name())).expect("room in memory");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = fs::read_to_string(root.join("packaging/ipvsadm-service")).expect("the script");
    let script = script
        .replace("@SBINDIR@", &dir.to_string_lossy())
        .replace("@SETTINGS@", SETTINGS)
        .replace("@RULES@", &format!("{ETC}/ipvsadm.rules"))
        .replace("@AUTO@", "true")
        .replace("@SAVE@", "true");
    let service = dir.join(Program::Service.name());
    // A copy keeps the mode.
    fs::copy(root.join("packaging/ipvsadm-service"), &service).expect("room in memory");
    fs::write(&service, script).expect("room in memory");
    fs::write(SETTINGS, "DAEMON=none\n").expect("room in memory");
    dir
});

/// Where the service has its files: not where others than root could write.
const ETC: &str = "/etc/ipvsadm-tests";
const SETTINGS: &str = "/etc/ipvsadm-tests.settings";

/// A mark that the table was not saved, see packaging/ipvsadm-service.
const UNSAVED: &str = "/run/ipvsadm.unsaved";

/// The rules that the service finds in its file. They differ from every table.
const SAVED: &str =
    "# rules of before\n-A -t 10.0.9.1:8443 -s rr\n-a -t 10.0.9.1:8443 -r 10.0.9.2:443 -m -w 1\n";

pub struct Place {
    pub case: &'static Case,
    machine: Machine,
    table: Table,
    before: State,
    connections: Vec<(TcpListener, TcpStream)>,
    input: String,
}

/// The names and contents of the files that a command may leave behind.
pub type Files = BTreeMap<String, String>;

impl Place {
    pub fn new(case: &'static Case) -> Place {
        LazyLock::force(&PROGRAMS);
        let machine = Machine::new();
        machine.feed("-R", &(case.rules)());
        let table = Table::open().expect("IPVS");
        let before = table.state().expect("the table");
        let mut place = Place {
            case,
            machine,
            table,
            before,
            connections: Vec::new(),
            input: (case.input)(),
        };
        place.connect();
        place.put_files_back();
        place
    }

    /// One connection to each server of the first service, for as long as it lasts.
    fn connect(&mut self) {
        self.connections.clear();
        if !self.case.connected {
            return;
        }
        let listen = |host| TcpListener::bind(format!("10.0.9.{host}:8080")).expect("an address");
        for listener in [listen(2), listen(3)] {
            let stream = TcpStream::connect("10.0.9.1:80").expect("a server");
            self.connections.push((listener, stream));
        }
    }

    pub fn before(&self) -> String {
        self.before.to_string()
    }

    /// The table now.
    pub fn table(&self) -> String {
        self.table.state().expect("the table").to_string()
    }

    /// As the reference prints it.
    pub fn listing(&self) -> String {
        let output = self.machine.call("/sbin/ipvsadm", "-Sn", "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn files(&self) -> Files {
        let mut files = Files::new();
        for dir in [ETC, "/tmp"] {
            for entry in fs::read_dir(dir).expect("a directory") {
                let path = entry.expect("a directory").path();
                if path.is_file() {
                    let text = fs::read(&path).expect("a file");
                    let text = String::from_utf8_lossy(&text).into_owned();
                    files.insert(path.to_string_lossy().into_owned(), text);
                }
            }
        }
        if Path::new(UNSAVED).exists() {
            files.insert(UNSAVED.into(), String::new());
        }
        files
    }

    /// Puts back what a run has changed.
    pub fn put_back(&mut self, table: &str, files: &Files, files_before: &Files) {
        if table != self.before() {
            self.table.put_back(&self.before).expect("the table");
            assert_eq!(self.table(), self.before(), "the table is not put back");
            self.connect();
        }
        if files != files_before {
            self.put_files_back();
        }
    }

    fn put_files_back(&self) {
        let _ = fs::remove_dir_all(ETC);
        fs::create_dir(ETC).expect("a directory");
        fs::write(format!("{ETC}/ipvsadm.rules"), SAVED).expect("a file");
        let _ = fs::remove_file(UNSAVED);
        for entry in fs::read_dir("/tmp").expect("a directory") {
            let path = entry.expect("a directory").path();
            if path.is_file() {
                fs::remove_file(path).expect("a file");
            }
        }
    }

    /// Runs the command.
    pub fn run(&self, fault: Option<Fault>) -> Run {
        self.run_line(self.case.line, fault)
    }

    /// The same with other words.
    pub fn run_line(&self, line: &str, fault: Option<Fault>) -> Run {
        let program = PROGRAMS.join(self.case.program.name());
        let start = Start {
            program: &program.to_string_lossy(),
            words: line.split_whitespace().map(str::to_owned).collect(),
            env: &[],
            stdin: self.stdin(),
            stdout: file("stdout"),
            stderr: file("stderr"),
            unprivileged: self.case.unprivileged,
            with_loader: self.case.with_loader,
            with_memory: self.case.with_memory
                && fault.is_none_or(|fault| fault.call.number == ALLOCATION),
        };
        tracer::run(start, fault)
    }

    /// A pipe, as from another program, in which everything is.
    fn stdin(&self) -> Stdio {
        if self.input.is_empty() {
            return Stdio::null();
        }
        let (read, write) = pipe2(OFlag::O_CLOEXEC).expect("a pipe");
        let written = File::from(write).write(self.input.as_bytes());
        assert_eq!(written.ok(), Some(self.input.len()), "a pipe has 64 KiB");
        read.into()
    }
}

fn file(name: &str) -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    options.open(PROGRAMS.join(name)).expect("a file in memory")
}
