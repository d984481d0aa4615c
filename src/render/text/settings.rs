//! `-L --timeout` and `-L --daemon`.

use crate::render::address;
use crate::render::buffer::Buffer;
use ipvs::{Daemon, Timeouts};

/// The line of the session time-outs.
pub fn timeouts(out: &mut Buffer, timeouts: &Timeouts) {
    out.text("Timeout (tcp tcpfin udp):");
    for value in [timeouts.tcp, timeouts.tcp_fin, timeouts.udp] {
        out.push(b' ');
        out.number(value);
    }
    out.end_line();
}

/// The lines of `daemons`.
pub fn daemons(out: &mut Buffer, daemons: &[Daemon]) {
    for each in daemons {
        daemon(out, each);
    }
}

/// The line of a daemon.
fn daemon(out: &mut Buffer, daemon: &Daemon) {
    let config = &daemon.config;
    out.text(daemon.role.name());
    out.text(" sync daemon (mcast=");
    if let Some(interface) = &config.interface {
        out.text(interface.as_bytes());
    }
    let numbers = [
        (", syncid=", Some(u64::from(config.sync_id))),
        (", maxlen=", config.max_len.map(u64::from)),
    ];
    named_numbers(out, &numbers);
    if let Some(group) = &config.group {
        out.text(", group=");
        address::address(out, group);
    }
    let numbers = [
        (", port=", config.port.map(u64::from)),
        (", ttl=", config.ttl.map(u64::from)),
    ];
    named_numbers(out, &numbers);
    out.push(b')');
    out.end_line();
}

fn named_numbers(out: &mut Buffer, numbers: &[(&str, Option<u64>)]) {
    for (name, value) in numbers {
        if let Some(value) = value {
            out.text(name);
            out.number(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::written;
    use ipvs::{DaemonConfig, DaemonRole, Name};

    #[test]
    fn three_timeouts() {
        let values = Timeouts {
            tcp: 900,
            tcp_fin: 120,
            udp: 300,
        };
        assert_eq!(
            written(|out| timeouts(out, &values)),
            "Timeout (tcp tcpfin udp): 900 120 300\n"
        );
    }

    #[test]
    fn a_daemon_shows_what_is_set() {
        let mut row = Daemon {
            role: DaemonRole::Master,
            config: DaemonConfig {
                interface: Some(Name::from("eth0")),
                sync_id: 5,
                ..DaemonConfig::default()
            },
        };
        assert_eq!(
            written(|out| daemon(out, &row)),
            "master sync daemon (mcast=eth0, syncid=5)\n"
        );
        row.role = DaemonRole::Backup;
        row.config.max_len = Some(1472);
        row.config.group = Some("ff02::1:2".parse().unwrap());
        row.config.port = Some(8848);
        row.config.ttl = Some(1);
        assert_eq!(
            written(|out| daemon(out, &row)),
            "backup sync daemon (mcast=eth0, syncid=5, maxlen=1472, group=ff02::1:2, port=8848, ttl=1)\n"
        );
    }
}
