//! What starts ipvsadm at boot, and other shell scripts.

use crate::Test;
use crate::cluster::host::Host;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::{Cluster, Family};
use crate::installed::same_with_both;
use anyhow::{Context, Result};
use std::cell::RefCell;
use std::fs;

pub const TESTS: &[Test] = &[
    ("debian_init_script", debian_init_script),
    (
        "debian_init_script_with_a_bad_file",
        debian_init_script_with_a_bad_file,
    ),
    ("debian_unit", debian_unit),
    ("red_hat_unit", red_hat_unit),
    (
        "commands_through_ip_netns_exec",
        commands_through_ip_netns_exec,
    ),
];

const RULES: &str = "\
# ipvsadm.rules
-A -t 203.0.113.128:80 -s wrr -p 300
-a -t 203.0.113.128:80 -r 10.0.0.11:80 -m -w 2
-a -t 203.0.113.128:80 -r 10.0.0.12:80 -m -w 3
# a comment between
-A -u 203.0.113.128:53 -s rr -o

-a -u 203.0.113.128:53 -r 10.0.0.11:53 -g -w 1
-A -t [2001:db8:3::80]:80 -s sh -b sh-port
-a -t [2001:db8:3::80]:80 -r [fd00::11]:80 -i -w 1 --tun-type ipip
-A -f 9 -s mh
";

/// Runs a script on the director: what it is, its status, what it writes.
fn shell(director: &Host, script: &str) -> Result<String> {
    let output = director.output("bash", &["-c", script], "")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(format!(
        "$ {script}\n{}{}{}\n",
        text(&output.stdout),
        text(&output.stderr),
        output.status
    ))
}

/// Runs scripts one after the other, and gives the whole session.
fn session(scripts: &[&str]) -> Result<String> {
    let cluster = Cluster::masquerading(1)?;
    scripts
        .iter()
        .map(|script| shell(&cluster.director, script))
        .collect()
}

/// The table and the daemons.
const STATE: &str = "ipvsadm -Sn; ipvsadm -L --daemon";

fn debian_init_script() -> Result<()> {
    let told = same_with_both(|| {
        fs::write(
            "/etc/default/ipvsadm",
            "AUTO=\"true\"\nDAEMON=\"both\"\nIFACE=\"eth0\"\nSYNCID=\"5\"\n",
        )?;
        fs::write("/etc/ipvsadm.rules", RULES)?;
        session(&[
            "/etc/init.d/ipvsadm start",
            STATE,
            "/etc/init.d/ipvsadm start",
            "/etc/init.d/ipvsadm status",
            "/etc/init.d/ipvsadm rate",
            "ipvsadm -A -t 203.0.113.128:443 -s lc; /etc/init.d/ipvsadm save",
            "cat /etc/ipvsadm.rules",
            "/etc/init.d/ipvsadm restart",
            STATE,
            "ipvsadm -C; /etc/init.d/ipvsadm load",
            STATE,
            "/etc/init.d/ipvsadm force-reload",
            "/etc/init.d/ipvsadm stop",
            STATE,
            "/etc/init.d/ipvsadm stop",
            "sed -i s/both/master/ /etc/default/ipvsadm; /etc/init.d/ipvsadm start",
            STATE,
            "/etc/init.d/ipvsadm stop",
            "echo > /etc/default/ipvsadm; /etc/init.d/ipvsadm start",
            "echo '# nothing' > /etc/ipvsadm.rules; /etc/init.d/ipvsadm load",
            STATE,
        ])
    })?;
    assert_eq!(told.matches("-A -f 9 -s mh\n").count(), 5, "{told}");
    assert!(
        told.contains("master sync daemon (mcast=eth0, syncid=5"),
        "{told}"
    );
    assert!(told.contains("Daemon has already run"), "{told}");
    Ok(())
}

/// A file with a wrong line: the script says so both times. What is left in
/// the table differs on purpose: the reference has loaded what was before the
/// line, ours has changed nothing.
fn debian_init_script_with_a_bad_file() -> Result<()> {
    fs::write("/etc/default/ipvsadm", "AUTO=\"true\"\n")?;
    fs::write("/etc/ipvsadm.rules", RULES.replace("-s mh", "-s mh -w 99"))?;
    let tables = RefCell::new(Vec::new());
    let told = same_with_both(|| {
        let told = session(&["/etc/init.d/ipvsadm load", "ipvsadm -Sn"])?;
        let (script, table) = told.split_once("$ ipvsadm -Sn\n").context(told.clone())?;
        tables.borrow_mut().push(table.to_owned());
        // Ours says which line it is that the script has passed on.
        Ok(script.replace("\nline 9: ", "\n"))
    })?;
    assert!(told.contains("failed"), "{told}");
    let tables = tables.into_inner();
    assert!(
        tables[0].contains("-A -t 203.0.113.128:80"),
        "{}",
        tables[0]
    );
    assert!(!tables[1].contains("-A "), "{}", tables[1]);
    Ok(())
}

/// What the systemd unit of Debian's later packages runs, without its scripts.
fn debian_unit() -> Result<()> {
    let told = same_with_both(|| {
        fs::write("/etc/ipvsadm.rules", RULES)?;
        session(&[
            "ipvsadm -C && grep -v '^#' /etc/ipvsadm.rules | ipvsadm -R",
            "ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 5",
            STATE,
            "ipvsadm --stop-daemon backup",
            "ipvsadm -C",
            STATE,
            "ipvsadm --stop-daemon backup",
            "true | ipvsadm -R",
        ])
    })?;
    assert!(told.contains("-A -f 9 -s mh\n"), "{told}");
    Ok(())
}

/// The three commands of Red Hat's unit.
fn red_hat_unit() -> Result<()> {
    const START: &str = "exec /sbin/ipvsadm-restore < /tmp/sysconfig-ipvsadm";
    const SAVE: &str = "exec /sbin/ipvsadm-save -n > /tmp/sysconfig-ipvsadm";
    let told = same_with_both(|| {
        fs::write("/tmp/sysconfig-ipvsadm", RULES)?;
        session(&[
            START,
            STATE,
            "ipvsadm -a -f 9 -r 10.0.0.13 -m -w 7",
            SAVE,
            "/sbin/ipvsadm -C",
            "cat /tmp/sysconfig-ipvsadm",
            START,
            STATE,
            START,
            "ipvsadm -C; ipvsadm-save -n > /tmp/sysconfig-ipvsadm; wc -c < /tmp/sysconfig-ipvsadm",
            START,
            STATE,
            "ipvsadm-save --nonsense 2>/dev/null",
        ])
    })?;
    assert_eq!(
        told.matches("-a -f 9 -r 10.0.0.13:0 -m -w 7\n").count(),
        2,
        "{told}"
    );
    Ok(())
}

/// Octavia, SUNET's agent, Docker's users and the kernel's own selftest reach
/// into namespaces from outside; and what they set up carries packets.
fn commands_through_ip_netns_exec() -> Result<()> {
    same_with_both(|| {
        let cluster = Cluster::masquerading(1)?;
        cluster.serve(Family::V4, Tcp, 80)?;
        let outside = "ip netns exec director ipvsadm";
        let told: String = [
            "-A -t 203.0.113.128:80 -s rr",
            "-a -t 203.0.113.128:80 -r 10.0.0.11:80 -m",
            "-Ln",
            "-Ln --stats --exact",
        ]
        .iter()
        .map(|command| shell(&cluster.servers[0], &format!("{outside} {command}")))
        .collect::<Result<_>>()?;
        assert_eq!(cluster.client.call(Tcp, Family::V4.web())?.server, "s1");
        Ok(told)
    })?;
    Ok(())
}
