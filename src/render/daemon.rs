//! `-L --timeout` and `-L --daemon`.
//!
//! This module must not know which daemons there are or in what order they
//! are printed.

use super::address;
use super::line::{Line, Sink};
use crate::model::{Daemon, Timeouts};
use std::io::{self, Write};

/// The line of the session time-outs.
pub fn timeouts<W: Write + ?Sized>(out: &mut W, timeouts: &Timeouts) -> io::Result<()> {
    let mut line = Line::new(out);
    line.text(b"Timeout (tcp tcpfin udp):");
    for value in [timeouts.tcp, timeouts.tcp_fin, timeouts.udp] {
        line.push(b' ');
        line.number(u64::from(value));
    }
    line.end()
}

/// The line of a daemon.
pub fn daemon<W: Write + ?Sized>(out: &mut W, daemon: &Daemon) -> io::Result<()> {
    let config = &daemon.config;
    let mut line = Line::new(out);
    line.text(daemon.role.name().as_bytes());
    line.text(b" sync daemon (mcast=");
    if let Some(interface) = &config.interface {
        line.text(interface.as_bytes());
    }
    let numbers = [
        (", syncid=", Some(u64::from(config.sync_id))),
        (", maxlen=", config.max_len.map(u64::from)),
    ];
    named_numbers(&mut line, &numbers);
    if let Some(group) = &config.group {
        line.text(b", group=");
        address::address(&mut line, group);
    }
    let numbers = [
        (", port=", config.port.map(u64::from)),
        (", ttl=", config.ttl.map(u64::from)),
    ];
    named_numbers(&mut line, &numbers);
    line.push(b')');
    line.end()
}

fn named_numbers<W: Write + ?Sized>(line: &mut Line<W>, numbers: &[(&str, Option<u64>)]) {
    for (name, value) in numbers {
        if let Some(value) = value {
            line.text(name.as_bytes());
            line.number(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::written;
    use super::*;
    use crate::model::{DaemonConfig, DaemonRole, Name};

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
