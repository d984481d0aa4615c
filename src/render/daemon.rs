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
