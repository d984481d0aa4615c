//! Every finding of `--check` on a real kernel, and what it tells people to type.
//!
//! A row has the commands that make a fault. The fault is found; what was printed
//! is pasted into a shell as it stands, but for the words in capitals; and then
//! nothing is found. All of this in the machine's own network namespace, and again
//! in another one by `--netns`, whose name a shell would take apart.

use super::Said;
use super::director::add_server_at_port;
use crate::cluster::host::{self, Host, run_here};
use crate::support::{lab, machine};
use anyhow::{Context, Result, ensure};
use ipvsadm::check::{Kind, Severity};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The kernels of the lab that can have a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kernels {
    All,
    /// Those with this setting.
    With(&'static str),
    /// All before Linux 7, which enlarges its table of connections by itself.
    FixedTable,
}

/// A fault and what it takes to be rid of it.
struct Row {
    id: &'static str,
    /// The check that finds it.
    check: &'static str,
    /// What brings it about in a namespace with a sound [`NETWORK`].
    before: &'static str,
    /// What stands for the words in capitals in the fixes.
    words: &'static [(&'static str, &'static str)],
    kernels: Kernels,
    /// Whether connections remain, which end with the kernel's module only.
    connections: bool,
    /// What no command does.
    also: Option<fn() -> Result<()>>,
    /// What makes the fix take effect.
    again: &'static str,
}

const fn row(id: &'static str, check: &'static str, before: &'static str) -> Row {
    Row {
        id,
        check,
        before,
        words: &[],
        kernels: Kernels::All,
        connections: false,
        also: None,
        again: "",
    }
}

/// A fault of a director.
const fn director(id: &'static str, before: &'static str) -> Row {
    row(id, "--check", before)
}

impl Row {
    const fn with(mut self, words: &'static [(&'static str, &'static str)]) -> Row {
        self.words = words;
        self
    }

    const fn on(mut self, kernels: Kernels) -> Row {
        self.kernels = kernels;
        self
    }

    const fn connects(mut self) -> Row {
        self.connections = true;
        self
    }

    const fn also(mut self, work: fn() -> Result<()>) -> Row {
        self.also = Some(work);
        self
    }

    const fn again(mut self, script: &'static str) -> Row {
        self.again = script;
        self
    }

    /// Whether this kernel can have the fault.
    fn is_possible(&self) -> Result<bool> {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        Ok(match self.kernels {
            Kernels::All => true,
            Kernels::With(setting) => Path::new("/proc/sys").join(setting).exists(),
            Kernels::FixedTable => !release.starts_with("7."),
        })
    }
}

/// One interface to other machines, without a carrier.
const NETWORK: &str = "\
ip -batch - << END
link set lo up
link add e0 type bridge
link set e0 up
addr add 10.9.0.1/24 dev e0
addr add 10.9.0.100/32 dev e0
addr add fd09::1/64 dev e0 nodad
END
";

/// Sets back what rows have changed.
const RESET: &str = "\
printf '%s\\n' -C '--stop-daemon master' '--stop-daemon backup' | ipvsadm -R
[ ! -e $DIR/listener ] || kill $(cat $DIR/listener)
rm -f $DIR/listener /etc/modprobe.d/ip_vs.conf
[ ! -d /sys/module/xt_ipvs ] || iptables -t nat -F
printf '%s\\n' 'link del e0' 'link del d0' 'addr flush dev lo scope global' | ip -force -batch -
for module in ipip sit ip6_tunnel ip_gre ip6_gre fou6 fou gre; do
    [ ! -d /sys/module/$module ] || rmmod $module
done
cd /proc/sys/net
for setting in ipv4/ip_forward ipv6/conf/all/forwarding \
    ipv4/conf/all/arp_ignore ipv4/conf/all/arp_announce ipv4/conf/all/rp_filter \
    ipv4/vs/drop_entry ipv4/vs/drop_packet ipv4/vs/secure_tcp ipv4/vs/sloppy_tcp \
    ipv4/vs/expire_nodest_conn ipv4/vs/expire_quiescent_template ipv4/vs/conntrack \
    ipv4/vs/sync_refresh_period; do echo 0 > $setting; done
for setting in ipv4/conf/all/send_redirects ipv4/vs/pmtu_disc ipv4/vs/run_estimation \
    ipv4/vs/sync_version; do echo 1 > $setting; done
";

const DIRECT: &str = "--check-real-server -t 10.9.0.100:80 -g";
const TUNNEL: &str = "--check-real-server -t 10.9.0.100:80 -i";

const SERVER: &[(&str, &str)] = &[("ADDRESS", "10.9.0.11")];

/// By the order of [`Kind::ALL`].
#[rustfmt::skip] // a row is a few lines
const ROWS: &[Row] = &[
    director("no-servers", "ipvsadm -A -t 10.9.0.100:80").with(SERVER),
    director("no-servers", "ipvsadm -A --sctp-service 10.9.0.100:80").with(SERVER),
    director("no-servers", "ipvsadm -A -u [fd09::1]:53").with(&[("ADDRESS", "fd09::11")]),
    director("no-servers", "ipvsadm -A -f 666 -6").with(&[("ADDRESS", "fd09::11")]),
    director("no-weight", "web; ipvsadm -e -t 10.9.0.100:80 -r 10.9.0.11 -w 0"),
    director("all-full", "udp; ipvsadm -e -u 10.9.0.100:0 -r 10.9.0.11 -x 1; send 53").connects(),
    director("address-missing", "ipvsadm -A -t 10.9.0.101:80; ipvsadm -a -t 10.9.0.101:80 -r 10.9.0.11"),
    director("address-missing", "ipvsadm -A -t [fd09::9]:80; ipvsadm -a -t [fd09::9]:80 -r [fd09::11]:80"),
    director("address-down", "ip link add d0 type dummy; ip addr add 198.18.0.1/32 dev d0; \
        ip link set d0 up; ip link set d0 down; \
        ipvsadm -A -t 198.18.0.1:80; ipvsadm -a -t 198.18.0.1:80 -r 10.9.0.11"),
    director("network-on-loopback", "ip addr add 10.9.0.102/24 dev lo; \
        ipvsadm -A -t 10.9.0.102:80; ipvsadm -a -t 10.9.0.102:80 -r 10.9.0.11"),
    // Without a carrier it is never found to be the only one.
    director("address-unusable", "ip addr add fd09::9/64 dev e0; \
        ipvsadm -A -t [fd09::9]:80; ipvsadm -a -t [fd09::9]:80 -r [fd09::11]:80"),
    director("forwarding-off", "quiet; web; ipvsadm -a -t 10.9.0.100:80 -r 10.9.0.12:8080 -m"),
    director("forwarding-off", "quiet; web; ipvsadm -a -t 10.9.0.100:80 -r 10.9.0.12:8080 -m; \
        sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.e0.forwarding=0"),
    director("forwarding-off", "ipvsadm -A -t [fd09::1]:80; ipvsadm -a -t [fd09::1]:80 -r [fd09::11]:8080 -m"),
    director("server-unreachable", "web; ipvsadm -a -t 10.9.0.100:80 -r 198.18.9.1 -i").with(&[("ROUTER", "10.9.0.254")]),
    director("server-unreachable", "ipvsadm -A -t [fd09::1]:80; ipvsadm -a -t [fd09::1]:80 -r [2001:db8::9]:80 -i")
        .with(&[("ROUTER", "fd09::fe")]),
    director("server-not-on-link", "ip route add 198.18.9.0/24 via 10.9.0.254; \
        web; ipvsadm -a -t 10.9.0.100:80 -r 198.18.9.1 -g"),
    director("server-loopback", "web; ipvsadm -a -t 10.9.0.100:80 -r 127.0.0.1:8080 -m"),
    director("sync-interface", "ip link add d0 type dummy; ip addr add 198.18.0.1/24 dev d0; ip link set d0 up; \
        ipvsadm --start-daemon master --mcast-interface d0 --syncid 1; ip addr flush dev d0")
        .with(&[("ADDRESS", "198.18.0.1/24")]),
    director("sync-interface", "ip link add d0 type dummy; ip addr add 198.18.0.1/24 dev d0; ip link set d0 up; \
        ipvsadm --start-daemon master --mcast-interface d0 --syncid 1; ip link set d0 down"),
    director("sync-interface", "ip link add d0 type dummy; ip addr add 198.18.0.1/24 dev d0; ip link set d0 up; \
        ipvsadm --start-daemon backup --mcast-interface d0 --syncid 9 --mcast-group 224.0.0.99; ip link del d0")
        .with(&[("INTERFACE", "e0")]),
    director("connections-full", "udp; sysctl -qw net.ipv4.vs.conn_max=4; send 53 54 55 56 57 58")
        .on(Kernels::With("net/ipv4/vs/conn_max")).connects(),
    director("flags-ignored", "web; ipvsadm -E -t 10.9.0.100:80 -s rr -b flag-1,flag-3"),
    director("weights-ignored", "web; ipvsadm -E -t 10.9.0.100:80 -s lc; ipvsadm -a -t 10.9.0.100:80 -r 10.9.0.12 -w 2"),
    // No option of ipvsadm makes it; other programs can.
    director("port-ignored", "web").also(|| add_server_at_port([10, 9, 0, 100], 8080)),
    director("server-past-director", "quiet; web; sysctl -qw net.ipv4.ip_forward=1; \
        ip route add default via 10.9.0.254; ipvsadm -a -t 10.9.0.100:80 -r 198.18.9.1:8080 -m"),
    director("redirects", "sysctl -qw net.ipv4.ip_forward=1; web; ipvsadm -a -t 10.9.0.100:80 -r 10.9.0.12:8080 -m"),
    director("tunnel-fragments", "sysctl -qw net.ipv4.vs.pmtu_disc=0; web; ipvsadm -a -t 10.9.0.100:80 -r 10.9.0.12 -i"),
    director("quiescent-clients", "udp; send 53; ipvsadm -e -u 10.9.0.100:0 -r 10.9.0.11 -w 0; \
        ipvsadm -a -u 10.9.0.100:0 -r 10.9.0.12").connects(),
    director("gone-servers", "udp; send 53; ipvsadm -a -u 10.9.0.100:0 -r 10.9.0.12; \
        ipvsadm -d -u 10.9.0.100:0 -r 10.9.0.11").connects(),
    director("nat-unseen", "quiet; web; sysctl -qw net.ipv4.ip_forward=1; \
        ipvsadm -a -t 10.9.0.100:80 -r 10.9.0.12:8080 -m; \
        iptables -t nat -A POSTROUTING -m ipvs --vaddr 10.9.0.100 -j MASQUERADE"),
    // 2, with memory short, comes from the kernel alone.
    director("drop-entry", "sysctl -qw net.ipv4.vs.drop_entry=3"),
    director("drop-packet", "sysctl -qw net.ipv4.vs.drop_packet=3"),
    director("secure-tcp", "sysctl -qw net.ipv4.vs.secure_tcp=3"),
    director("sloppy-tcp", "sysctl -qw net.ipv4.vs.sloppy_tcp=1"),
    director("counters-off", "web; sysctl -qw net.ipv4.vs.run_estimation=0")
        .on(Kernels::With("net/ipv4/vs/run_estimation")),
    // 256 buckets are the fewest that the module takes.
    director("table-small", "unload; modprobe ip_vs conn_tab_bits=8; udp; send $(seq 1000 3100)")
        .again("ipvsadm -C; unload; udp; send $(seq 1000 3100)").on(Kernels::FixedTable).connects(),
    director("sync-same-id", "ipvsadm --start-daemon master --mcast-interface e0 --syncid 1; \
        ipvsadm --start-daemon backup --mcast-interface e0 --syncid 1").with(&[("ID", "2")]),
    director("sync-version", "ipvsadm --start-daemon master --mcast-interface e0 --syncid 1; \
        sysctl -qw net.ipv4.vs.sync_version=0"),
    director("sync-missing", "sysctl -qw net.ipv4.vs.sync_refresh_period=10")
        .with(&[("INTERFACE", "e0"), ("ID", "1")]),
    row("no-address", "--check-real-server -t 198.18.0.1:80 -g", "silent; serve"),
    row("network-on-loopback", "--check-real-server -t 10.9.0.102:80 -g",
        "silent; serve; ip addr add 10.9.0.102/24 dev lo"),
    row("answers-arp", DIRECT, "silent; on_lo; serve; sysctl -qw net.ipv4.conf.all.arp_ignore=0"),
    row("answers-arp", DIRECT, "silent; serve"),
    row("answers-arp", "--check-real-server -t [fd09::9]:80 -g", "serve; ip addr add fd09::9/128 dev e0 nodad"),
    row("announces-arp", DIRECT, "silent; on_lo; serve; sysctl -qw net.ipv4.conf.all.arp_announce=1"),
    row("no-tunnel", TUNNEL, "silent; on_lo; serve"),
    row("no-tunnel", "--check-real-server -t 10.9.0.100:80 -i --tun-type gue --tun-port 6080",
        "silent; on_lo; serve; modprobe ipip; ip link set tunl0 up"),
    row("no-tunnel", "--check-real-server -t 10.9.0.100:80 -i --tun-type gre", "silent; on_lo; serve"),
    row("no-tunnel", "--check-real-server -t 10.9.0.100:80 -r [fd09::1]:80 -i",
        "silent; on_lo; serve; modprobe ip6_tunnel; ip link set ip6tnl0 up"),
    row("no-tunnel", "--check-real-server -t [fd09::9]:80 -r 10.9.0.1:80 -i",
        "ip addr add fd09::9/128 dev lo; serve"),
    row("tunnel-down", TUNNEL, "silent; on_lo; serve; modprobe ipip"),
    row("tunnel-filtered", TUNNEL, "silent; on_lo; serve; modprobe ipip; ip link set tunl0 up; \
        sysctl -qw net.ipv4.conf.all.rp_filter=1"),
    row("no-way-back", "--check-real-server -t 203.0.113.9:80 -r 10.9.0.1:80 -m", "serve")
        .with(&[("DIRECTOR", "10.9.0.254")]),
    row("no-way-back", "--check-real-server -t [2001:db8::9]:80 -r [fd09::1]:80 -m", "serve")
        .with(&[("DIRECTOR", "fd09::fe")]),
    // There is no systemd in the lab: a program of its name starts what answers.
    row("not-listening", DIRECT, "silent; on_lo").with(&[("SERVICE", "web"), ("PROGRAM", "serve")]),
];

/// Words of the rows.
const WORDS: &str = "\
web() { ipvsadm -A -t 10.9.0.100:80; ipvsadm -a -t 10.9.0.100:80 -r 10.9.0.11; }
udp() { ipvsadm -A -u 10.9.0.100:0 -s rr -p; ipvsadm -a -u 10.9.0.100:0 -r 10.9.0.11; }
quiet() { sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.e0.send_redirects=0; }
silent() { sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2; }
on_lo() { ip addr del 10.9.0.100/32 dev e0; ip addr add 10.9.0.100/32 dev lo; }
unload() { rmmod $(lsmod | awk '/^(ip_vs_|xt_ipvs)/ { print $1 }') ip_vs; }
";

/// Programs of the rows, beside ours.
const PROGRAMS: [(&str, &str); 3] = [
    (
        "serve",
        "#!/bin/sh
        socat TCP6-LISTEN:80,ipv6only=0,reuseaddr,fork PIPE > /dev/null 2>&1 &
        echo $! > $DIR/listener
        until ss -ltn | grep -q ':80 '; do sleep 0.05; done
        ",
    ),
    ("systemctl", "#!/bin/sh\nexec serve\n"),
    (
        "send",
        "#!/usr/bin/env python3
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in sys.argv[1:]:
    client.sendto(b'x', ('10.9.0.100', int(port)))
",
    ),
];

/// A shell takes it apart unless it is quoted.
const NAME: &str = "it's $(false) & co";

/// Where faults are made and looked for.
enum Place {
    /// The machine's own network namespace, where the commands are typed.
    Own,
    /// Another one.
    Other(Host),
}

impl Place {
    /// A check, typed in the machine's own namespace.
    fn check(&self, line: &str) -> Result<Said> {
        let mut words: Vec<_> = line.split_whitespace().collect();
        if let Place::Other(host) = self {
            words.extend(["--netns", &host.name]);
        }
        Said::of(machine::run(host::program(), &words, "")?)
    }

    fn is_sound(&self, line: &str) -> Result<()> {
        let said = self.check(line)?;
        let is_sound = said.status == Some(0) && said.found.is_empty();
        ensure!(is_sound, "{line}: {}", said.text);
        Ok(())
    }

    /// Runs a script of the rows' words in it.
    fn script(&self, script: &str) -> Result<()> {
        let script = format!("{WORDS}{script}");
        self.enter(|| typed(&script))
    }

    fn enter(&self, work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
        match self {
            Place::Own => work(),
            Place::Other(host) => host.enter(work),
        }
    }

    /// Makes a fault, finds it, types what is printed, and sees it gone.
    fn run(&self, row: &Row) -> Result<()> {
        self.script(&format!("{NETWORK}{}", row.before))?;
        if let Some(work) = row.also {
            self.enter(work)?;
        }
        let said = self.check(row.check)?;
        ensure!(said.found.keys().eq([row.id]), "{}", said.text);
        let kind = Kind::named(row.id.as_bytes()).context("a kind")?;
        let (status, summary) = match kind.severity() {
            Severity::Error => (3, format!(": 1 error (1 {}), 0 warnings\n", row.id)),
            Severity::Warning => (1, format!(": 0 errors, 1 warning (1 {})\n", row.id)),
        };
        ensure!(said.status == Some(status), "{:?}", said.status);
        let first = said.text.split_inclusive('\n').next().unwrap_or_default();
        ensure!(first.ends_with(&summary), "{}", said.text);
        let fixes = &said.found[row.id];
        ensure!(!fixes.is_empty(), "{}", said.text);
        let mut script = fixes.join("\n");
        for (word, value) in row.words {
            script = script.replace(word, value);
        }
        typed(&script)?;
        self.script(row.again)?;
        self.is_sound(row.check)
            .with_context(|| format!("after {script}"))
    }

    fn reset(&self, row: &Row) -> Result<()> {
        self.script(&format!("set +e; exec > /dev/null 2>&1\n{RESET}\n:"))?;
        match row.connections {
            true => self.script("unload"),
            false => Ok(()),
        }
    }
}

/// Runs `script` in the namespace of this thread, as if it were typed.
fn typed(script: &str) -> Result<()> {
    let directory = directory();
    let script = format!(
        "set -e; DIR={0} PATH={0}:$PATH; export DIR PATH\n{script}",
        directory.display()
    );
    run_here("sh", &["-c", &script], "").map(drop)
}

/// Where the programs are.
fn directory() -> &'static Path {
    Path::new(host::program()).parent().expect("a directory")
}

pub fn fixes_here() -> Result<()> {
    every_finding(|| Ok(Place::Own))
}

pub fn fixes_elsewhere() -> Result<()> {
    every_finding(|| {
        run_here("ip", &["netns", "add", NAME], "")?;
        Ok(Place::Other(Host::open(NAME)?))
    })
}

fn every_finding(place: impl FnOnce() -> Result<Place>) -> Result<()> {
    let mut kinds = Kind::ALL.iter();
    let without = kinds.find(|kind| ROWS.iter().all(|row| row.id != kind.id()));
    ensure!(without.is_none(), "no row makes {without:?}");
    host::prepare();
    for (name, text) in PROGRAMS {
        let file = directory().join(name);
        fs::write(&file, text)?;
        fs::set_permissions(&file, Permissions::from_mode(0o755))?;
    }
    let place = place()?;
    place.script(NETWORK)?;
    place.is_sound("--check")?;
    place.reset(&ROWS[0])?;
    let mut wrong = String::new();
    for row in ROWS {
        // Also so that nobody takes it for stuck.
        match row.is_possible()? {
            true => eprint!("."),
            false => {
                eprintln!("{}: this kernel cannot have it", row.id);
                continue;
            }
        }
        let fault = || format!("{}: {}", row.id, row.before);
        if let Err(error) = place.run(row).with_context(fault) {
            wrong += &format!("{error:#}\n\n");
        }
        place.reset(row).with_context(fault)?;
    }
    drop(place);
    for (name, _) in PROGRAMS {
        fs::remove_file(directory().join(name))?;
    }
    lab::load_schedulers()?;
    ensure!(wrong.is_empty(), "{wrong}");
    Ok(())
}
