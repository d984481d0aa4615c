//! Lines of shell that people have in their scripts: what ipvsadm reads and does
//! not read, and what others make of its output.

use crate::Test;
use crate::support::machine::Machine;
use crate::support::programs::{OURS, REFERENCE};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

pub const TESTS: &[Test] = &[
    ("pipes::only_rules_are_read", only_rules_are_read),
    (
        "pipes::rules_as_people_write_them",
        rules_as_people_write_them,
    ),
    ("pipes::the_words_of_its_output", the_words_of_its_output),
    (
        "pipes::rules_of_the_service_are_for_both",
        rules_of_the_service_are_for_both,
    ),
];

/// What a shell prints at `line` with the ipvsadm of `program` first in its path;
/// its errors, too.
fn shell(program: &str, line: &str) -> Result<String> {
    let programs = Path::new(program).parent().context("a directory")?;
    let line = format!("PATH={}:$PATH; exec 2>&1; {line}", programs.display());
    let output = Command::new("/bin/sh").args(["-c", &line]).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

const TABLE: &str = "-A -t 10.0.9.1:80 -s rr\n-a -t 10.0.9.1:80 -r 10.0.9.2:80 -m -w 1\n";

/// Another command in a loop that reads would eat the loop's next lines.
fn only_rules_are_read() -> Result<()> {
    let machine = Machine::new();
    machine.feed("-R", TABLE);
    let list = "10.0.9.1:1\n10.0.9.1:2\n10.0.9.1:3\n";
    let each = format!(
        "printf '{list}' | while read vip; do ipvsadm -A -t $vip -s rr; ipvsadm -a -t $vip -r 10.0.9.2 -m; done"
    );
    ensure!(shell(OURS, &each)?.is_empty());
    ensure!(machine.ipvsadm("-Sn").lines().count() == 2 + 2 * 3);
    for line in [
        "",
        "-L",
        "-Ln",
        "-Lcn",
        "-L --timeout",
        "-L --daemon",
        "-Lj",
        "-L --openmetrics",
        "-S",
        "-Sn --all",
        "-L --watch 0.01 --samples 2",
        "-S --watch 0.01 --samples 2",
        "-A -t 10.0.9.1:4 -s rr",
        "-A -t 10.0.9.1:4 -s rr --ensure",
        "-E -t 10.0.9.1:4 -s wrr",
        "-E -t 10.0.9.1:4 -s rr --keep",
        "-a -t 10.0.9.1:4 -r 10.0.9.3 -m",
        "-e -t 10.0.9.1:4 -r 10.0.9.3 -m -w 3",
        "-Z",
        "-d -t 10.0.9.1:4 -r 10.0.9.3 --drain 5",
        "-D -t 10.0.9.1:4",
        "--set 800 0 0",
        "--check",
        "--check-real-server -t 10.0.9.1:80",
        "--start-daemon master --mcast-interface lo",
        "--stop-daemon master",
        "-h",
        "-v",
        "-A",
        "-Q",
        "-D -t 10.0.9.9:9",
        "-C",
    ] {
        let rest = shell(
            OURS,
            &format!("printf '{list}' | {{ ipvsadm {line} >/dev/null 2>&1; cat; }}"),
        )?;
        ensure!(rest == list, "ipvsadm {line} has read, and left {rest:?}");
    }
    for program in [
        "ipvsadm-save",
        "ipvsadm-save -n --all",
        "ipvsadm-restore -h",
        "ipvstop -b -n 1 -d 0.01",
    ] {
        let rest = shell(
            OURS,
            &format!("printf '{list}' | {{ {program} >/dev/null 2>&1; cat; }}"),
        )?;
        ensure!(rest == list, "{program} has read, and left {rest:?}");
    }
    for program in ["ipvsadm -R", "ipvsadm-restore"] {
        let rest = shell(OURS, &format!("echo -C | {{ {program}; cat; }}"))?;
        ensure!(rest.is_empty(), "{program} has left {rest:?}");
    }
    Ok(())
}

/// Blank lines and blanks, comments, the program's name: none of it matters, to
/// the reference only as far as it takes it.
fn rules_as_people_write_them() -> Result<()> {
    let machine = Machine::new();
    let bare = TABLE;
    let rules: String = bare
        .lines()
        .map(|line| format!(" \\t {line}  \\n\\n"))
        .collect();
    let named: String = bare
        .lines()
        .map(|line| format!("ipvsadm {line}\\n"))
        .collect();
    for (line, by_reference) in [
        (format!("printf '\\n{rules}' | ipvsadm -R"), true),
        (format!("printf '{named}' | ipvsadm -R"), true),
        (
            "(echo ''; printf 'ipvsadm -C\\n'; cat) <<X | ipvsadm -R\n@X".into(),
            true,
        ),
        (
            "ipvsadm -R <<X\n# BEGIN ANSIBLE MANAGED BLOCK\n@# END ANSIBLE MANAGED BLOCK\nX".into(),
            false,
        ),
        (
            "ipvsadm-restore <<X\n# BEGIN ANSIBLE MANAGED BLOCK\n@# END ANSIBLE MANAGED BLOCK\nX"
                .into(),
            true,
        ),
        ("ipvsadm-restore <<X\n\n#\n@\nX".into(), true),
        (
            "{ printf '\\357\\273\\277'; cat; } <<X | ipvsadm -R\n@X".into(),
            false,
        ),
        (
            "{ printf '\\357\\273\\277'; cat; } <<X | ipvsadm -R --replace\n@X".into(),
            false,
        ),
        ("sed 's/$/\\r/' <<X | ipvsadm -R\n@X".into(), true),
    ] {
        let line = line.replace('@', bare);
        for program in [OURS, REFERENCE]
            .into_iter()
            .take(1 + usize::from(by_reference))
        {
            let said = shell(program, &line)?;
            ensure!(said.is_empty(), "{program}: {line}\n{said}");
            ensure!(machine.ipvsadm("-Sn") == bare, "{program}: {line}");
            machine.ipvsadm("-C");
        }
    }
    // An input of nothing but a byte order mark is empty.
    machine.feed("-R", bare);
    let said = shell(OURS, "printf '\\357\\273\\277' | ipvsadm -R --replace")?;
    ensure!(said.starts_with("the input is empty"), "{said}");
    ensure!(machine.ipvsadm("-Sn") == bare);
    // Within the text it is shown.
    let said = shell(OURS, "printf '\\n\\357\\273\\277-C\\n' | ipvsadm -R")?;
    ensure!(said == "line 2: no command in `\\u{feff}-C'\n", "{said}");
    ensure!(machine.ipvsadm("-Sn") == bare);
    Ok(())
}

/// Versions that are stored, sums that raise alarms, columns that are cut out.
fn the_words_of_its_output() -> Result<()> {
    let machine = Machine::new();
    machine.feed("-R", TABLE);
    machine.feed(
        "-R",
        "-A -u 10.0.9.1:53 -s wlc -p 60 -o\n-A -f 7 -s sh\n-A -t [2001:db8::1]:80 -s rr\n",
    );
    for line in [
        "ipvsadm -v | awk '{print $2}'",
        "ipvsadm --version | grep -o 'v[0-9.]*' | head -1",
        "ipvsadm -Ln | awk '{print $1,$2}' | md5sum",
        "ipvsadm -Ln | md5sum",
        "ipvsadm -Sn | md5sum",
        "ipvsadm -ln | awk '/^TCP/ {print $2}'",
        "ipvsadm -Ln | grep -c '  ->'",
        "ipvsadm -L -n -t 10.0.9.1:80 | tail -n +4 | awk '{print $2\" \"$4}'",
        "ipvsadm -Ln | grep -q 10.0.9.2 || echo missing",
        "ipvsadm -Ln --stats | awk 'NR>3 {print $2\":\"$3}'",
        "ipvsadm-save -n | grep -c -- ^-A",
    ] {
        let (ours, reference) = (shell(OURS, line)?, shell(REFERENCE, line)?);
        ensure!(ours == reference, "{line}\n{ours}not\n{reference}");
        ensure!(!reference.is_empty() || line.contains("missing"), "{line}");
    }
    ensure!(shell(OURS, "ipvsadm -v | awk '{print $2}'")? == "v1.31\n");
    Ok(())
}

const SERVICE: &str = include_str!("../../packaging/ipvsadm-service");

/// The way back to the reference: its `-R` refuses comments.
fn rules_of_the_service_are_for_both() -> Result<()> {
    const FOLDER: &str = "/run/ipvsadm-pipes";
    let machine = Machine::new();
    let programs = Path::new(OURS).parent().context("a directory")?;
    let script = SERVICE
        .replace("@SBINDIR@", &programs.display().to_string())
        .replace("@SETTINGS@", "/nonexistent")
        .replace("@RULES@", &format!("{FOLDER}/rules"));
    fs::create_dir_all(FOLDER)?;
    let service = format!("{FOLDER}/service");
    fs::write(&service, script)?;
    // The script writes only where others than root cannot.
    fs::set_permissions("/", fs::Permissions::from_mode(0o755))?;
    let save = || {
        let said = shell(OURS, &format!("sh {service} save"))?;
        ensure!(
            said == format!("ipvsadm: rules saved to {FOLDER}/rules\n"),
            "{said}"
        );
        Ok(fs::read_to_string(format!("{FOLDER}/rules"))?)
    };
    machine.feed("-R", TABLE);
    ensure!(save()? == TABLE);
    for program in [REFERENCE, OURS] {
        let line = format!("ipvsadm -C; ipvsadm -R <{FOLDER}/rules");
        ensure!(shell(program, &line)?.is_empty());
        ensure!(machine.ipvsadm("-Sn") == TABLE);
    }
    // A file of no bytes is what a full disk leaves; this one is not.
    machine.ipvsadm("-C");
    ensure!(save()? == "# no IPVS rules\n");
    machine.feed("-R", TABLE);
    ensure!(shell(OURS, &format!("ipvsadm-restore --replace <{FOLDER}/rules"))?.is_empty());
    ensure!(machine.ipvsadm("-Sn").is_empty());
    fs::remove_dir_all(FOLDER)?;
    Ok(())
}
