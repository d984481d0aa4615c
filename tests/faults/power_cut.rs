//! The power is cut right after the rules were saved: the file has them at the next
//! boot, on ext4 and on XFS. For comparison the same with a service that does not
//! wait for the disk; there, the rules are lost.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Sets `rules` for the file of rules, and `service` for the service, of each file
/// system; those without `sync` come last, so that they have the least time.
const EACH: &str = "
    set -e
    each() {
        for disk in 'vdc ext4 synced' 'vdd xfs synced' 'vde ext4 unsynced' 'vdf xfs unsynced'; do
            set -- $disk \"$@\"
            rules=/mnt/$2-$3/ipvsadm.rules service=/tmp/service-$2-$3
            \"$4\" \"$@\"
            shift 3
        done
    }
    mount_it() {
        mkdir /mnt/$2-$3
        mount -t $2 /dev/$1 /mnt/$2-$3
    }
";

/// Makes the file systems, saves the rules in each, and resets the machine, which
/// writes nothing any more. Before that, everything else has been on the disks for
/// long.
const SAVE_AND_CUT: &str = r#"
    make_it() {
        mkfs.$2 -q /dev/$1
        mount_it "$@"
        echo '# the rules of before' >"$rules"
        sed "s|@SBINDIR@|$(dirname "$ipvsadm")|; s|@RULES@|$rules|; s|@SETTINGS@|/nonexistent|
            s|@AUTO@|true|; s|@SAVE@|true|" packaging/ipvsadm-service >"$service"
        [ "$(grep -c 'sync "' "$service")" = 2 ]
        [ "$3" = synced ] || sed -i 's/sync "/true "/' "$service"
    }
    save_it() {
        sh "$service" save
    }
    each make_it
    "$ipvsadm" -A -t 192.0.2.1:80 -s rr
    sync
    each save_it
    echo b >/proc/sysrq-trigger
    sleep 60
"#;

/// What is in the directories.
const LOOK: &str = r#"
    look_at_it() {
        mount_it "$@"
        for file in /mnt/$2-$3/ipvsadm.rules*; do
            echo "$2 $3 ${file##*/}: $(tr '\n' ';' <"$file")"
        done
    }
    each look_at_it
"#;

fn lab(disks: &[String], script: &str) -> Output {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = format!("ipvsadm={}\n{EACH}{script}", env!("CARGO_BIN_EXE_ipvsadm"));
    Command::new(repository.join("tests/lab/lab"))
        .current_dir(repository)
        .arg("run")
        .args(disks.iter().flat_map(|disk| ["--disk", disk]))
        .args(["--", "bash", "-c", &script])
        .stdin(Stdio::null())
        .output()
        .expect("the lab")
}

#[test]
fn saved_rules_survive_a_power_cut() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("power-cut");
    fs::create_dir_all(&dir).expect("a directory");
    let disks: Vec<_> = (0..4)
        .map(|number| dir.join(format!("disk{number}")))
        .map(|path| {
            // XFS has no smaller file systems.
            let file = File::create(&path).expect("a file");
            file.set_len(320 << 20).expect("a sparse file");
            path.display().to_string()
        })
        .collect();

    let cut = lab(&disks, SAVE_AND_CUT);
    let stdout = String::from_utf8_lossy(&cut.stdout);
    let stderr = String::from_utf8_lossy(&cut.stderr);
    assert_eq!(
        stdout.matches("rules saved to").count(),
        4,
        "{stdout}{stderr}"
    );
    // The machine is gone before it can say how the command ended.
    assert_eq!(cut.status.code(), Some(125), "{stdout}{stderr}");

    let found = lab(&disks, LOOK);
    let stdout = String::from_utf8_lossy(&found.stdout);
    let stderr = String::from_utf8_lossy(&found.stderr);
    assert!(found.status.success(), "{stdout}{stderr}");
    let saved = "ipvsadm.rules: -A -t 192.0.2.1:80 -s rr;";
    for system in ["ext4", "xfs"] {
        let lines = |how: &str| -> Vec<_> {
            let start = format!("{system} {how} ");
            let lines = stdout.lines().filter_map(|line| line.strip_prefix(&start));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(lines("synced"), [saved], "{stdout}");
        assert_ne!(lines("unsynced"), [saved], "{stdout}");
    }
    fs::remove_dir_all(&dir).expect("a directory");
}
