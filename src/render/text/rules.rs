//! Rules: the command lines that make a change, as `-S` saves them and as
//! `--dry-run` shows them.
//!
//! Reading such a line gives the same change again; only what has no effect is
//! left out (a netmask without persistence), as C ipvsadm does. This module
//! must not know how command lines are read.

use super::views::plain;
use crate::names::Names;
use crate::render::buffer::Buffer;
use crate::render::{TableReport, address, sched_flags};
use ipvs::{
    Change, Daemon, DaemonConfig, Family, Forwarding, Protocol, Server, ServerConfig, ServerKey,
    Service, ServiceConfig, ServiceKey, Timeouts, Tunnel, TunnelChecksum,
};
use std::net::IpAddr;

/// `-S`: the rules that make the table.
pub struct Rules<'a> {
    names: Option<&'a mut dyn Names>,
    unsaved: Buffer,
    /// Whether the services themselves are left out.
    pub servers_only: bool,
}

impl<'a> Rules<'a> {
    /// Rules with names for addresses and ports, or without.
    pub fn new(names: Option<&'a mut dyn Names>) -> Rules<'a> {
        Rules {
            names,
            unsaved: Buffer::default(),
            servers_only: false,
        }
    }

    /// What no rule can make, a line each.
    pub fn unsaved(&self) -> &[u8] {
        self.unsaved.as_bytes()
    }

    fn save(&mut self, out: &mut Buffer, change: &Change) {
        let out = match change.is_known() {
            true => out,
            false => &mut self.unsaved,
        };
        let names = self.names.as_deref();
        RuleWriter { out, names }.change(change);
        out.end_line();
    }
}

impl TableReport for Rules<'_> {
    fn names(&mut self) -> Option<&mut dyn Names> {
        match &mut self.names {
            Some(names) => Some(&mut **names),
            None => None,
        }
    }

    fn service(&mut self, out: &mut Buffer, service: &Service) {
        if !self.servers_only {
            self.save(out, &Change::AddService(service.key, service.config));
        }
    }

    fn server(&mut self, out: &mut Buffer, service: &ServiceKey, server: &Server) {
        self.save(out, &Change::AddServer(*service, server.key, server.config));
    }
}

/// The command line that makes `change`, with the names from `names`
/// that are read back as the same address or port; a comment where no command
/// line makes it.
pub fn rule(out: &mut Buffer, names: Option<&dyn Names>, change: &Change) {
    if !change.is_known() {
        out.text("# ");
    }
    RuleWriter { out, names }.change(change);
    out.end_line();
}

/// The command line that makes `change`, with numbers, alone.
pub fn command(change: &Change) -> String {
    let mut out = Buffer::default();
    RuleWriter {
        out: &mut out,
        names: None,
    }
    .change(change);
    String::from_utf8_lossy(out.as_bytes()).into_owned()
}

/// The command line that makes `change`, with numbers, and behind it as a
/// comment when that was.
pub fn timed_rule(out: &mut Buffer, change: &Change, time: &str) {
    if !change.is_known() {
        out.text("# ");
    }
    RuleWriter { out, names: None }.change(change);
    out.text("  # ");
    out.text(time);
    out.end_line();
}

/// ` -t SERVICE` and ` -r SERVER`: the options that name them, in numbers.
pub(crate) fn named(out: &mut Buffer, service: &ServiceKey, server: Option<&ServerKey>) {
    let mut writer = RuleWriter { out, names: None };
    match server {
        Some(server) => writer.with_server("", service, server),
        None => writer.with_service("", service),
    }
}

/// A rule that is being written.
struct RuleWriter<'a> {
    out: &'a mut Buffer,
    names: Option<&'a dyn Names>,
}

impl RuleWriter<'_> {
    fn change(&mut self, change: &Change) {
        match change {
            Change::AddService(key, config) => self.service("-A", key, config),
            Change::EditService(key, config) => self.service("-E", key, config),
            Change::DeleteService(key) => self.with_service("-D", key),
            Change::Flush => self.text("-C"),
            Change::AddServer(service, key, config) => self.server("-a", service, key, config),
            Change::EditServer(service, key, config) => self.server("-e", service, key, config),
            Change::DeleteServer(service, key) => self.with_server("-d", service, key),
            Change::Zero(None) => self.text("-Z"),
            Change::Zero(Some(key)) => self.with_service("-Z", key),
            Change::SetTimeouts(timeouts) => self.timeouts(timeouts),
            Change::StartDaemon(daemon) => self.start_daemon(daemon),
            Change::StopDaemon(daemon) => self.stop_daemon(daemon),
        }
    }

    fn text(&mut self, text: &str) {
        self.out.text(text);
    }

    fn number(&mut self, option: &str, value: impl itoa::Integer) {
        self.text(option);
        self.out.number(value);
    }

    fn with_service(&mut self, command: &str, key: &ServiceKey) {
        self.text(command);
        match key {
            ServiceKey::Address {
                protocol,
                address,
                port,
            } => {
                self.service_option(*protocol);
                self.endpoint(Some(*protocol), address, *port);
            }
            ServiceKey::Fwmark { mark, family } => {
                self.number(" -f ", mark.get());
                if *family == Family::Inet6 {
                    self.text(" -6");
                }
            }
        }
    }

    fn service_option(&mut self, protocol: Protocol) {
        let option = match protocol {
            Protocol::Tcp => " -t ",
            Protocol::Udp => " -u ",
            Protocol::Sctp => " --sctp-service ",
            Protocol::Other(number) => {
                self.number(" (protocol ", number);
                ") "
            }
        };
        self.text(option);
    }

    /// `Local` is the kernel's own choice, which it makes again when the server
    /// is added as direct routing.
    fn forwarding_option(&mut self, forwarding: Forwarding) {
        let option = match forwarding {
            Forwarding::Masq => " -m",
            Forwarding::Tunnel(_) => " -i",
            Forwarding::Route | Forwarding::Local | Forwarding::Bypass => " -g",
            Forwarding::Other { method, .. } => {
                self.number(" (forwarding method ", method);
                ")"
            }
        };
        self.text(option);
    }

    fn with_server(&mut self, command: &str, service: &ServiceKey, key: &ServerKey) {
        self.with_service(command, service);
        self.text(" -r ");
        self.endpoint(service.protocol(), &key.address, key.port);
    }

    /// Names are printed whole, and only where they can be read back.
    fn endpoint(&mut self, protocol: Option<Protocol>, ip: &IpAddr, port: u16) {
        let Some(names) = self.names else {
            return address::numeric(self.out, ip, port, 0);
        };
        let host = names.host(ip).filter(|name| reads_as_host(name, ip));
        let service = protocol
            .and_then(|protocol| names.service(port, protocol))
            .filter(|name| reads_as_service(name));
        match host {
            Some(host) => {
                self.out.text(host);
                self.out.push(b':');
            }
            None => address::host_and_colon(self.out, ip),
        }
        match service {
            Some(service) => self.out.text(service),
            None => self.out.number(port),
        }
    }

    fn service(&mut self, command: &str, key: &ServiceKey, config: &ServiceConfig) {
        self.with_service(command, key);
        self.text(" -s ");
        self.out.text(config.scheduler.as_bytes());
        if config.flags.persistent() {
            self.number(" -p ", config.timeout);
            if !config.netmask.is_host() {
                self.text(" -M ");
                plain::netmask(self.out, &config.netmask);
            }
        }
        if let Some(engine) = config.engine.filter(|engine| !engine.is_empty()) {
            self.text(" --pe ");
            self.out.text(engine.as_bytes());
        }
        if config.flags.one_packet() {
            self.text(" -o");
        }
        self.sched_flags(config);
    }

    /// A flag that the scheduler has no name for is written as `flag-N`, which
    /// every scheduler accepts.
    fn sched_flags(&mut self, config: &ServiceConfig) {
        for (index, flag) in sched_flags::of_scheduler(config.flags).enumerate() {
            self.text(if index == 0 { " -b " } else { "," });
            let name = sched_flags::name(flag, &config.scheduler);
            self.text(name.unwrap_or_else(|| sched_flags::general_name(flag)));
        }
    }

    fn server(
        &mut self,
        command: &str,
        service: &ServiceKey,
        key: &ServerKey,
        config: &ServerConfig,
    ) {
        self.with_server(command, service, key);
        self.forwarding_option(config.forwarding);
        self.text(" -w ");
        plain::weight(self.out, config.weight, 0);
        if let Forwarding::Tunnel(tunnel) = config.forwarding {
            self.tunnel(tunnel);
        }
        // Last: up to here the line is what C ipvsadm saves.
        if config.upper_threshold != 0 {
            self.number(" -x ", config.upper_threshold);
        }
        if config.lower_threshold != 0 {
            self.number(" -y ", config.lower_threshold);
        }
    }

    fn tunnel(&mut self, tunnel: Tunnel) {
        match tunnel {
            Tunnel::Ipip => self.text(" --tun-type ipip"),
            Tunnel::Gue { port, checksum } => {
                self.number(" --tun-type gue --tun-port ", port);
                self.text(checksum_option(checksum));
            }
            Tunnel::Gre { checksum } => {
                self.text(" --tun-type gre");
                self.text(checksum_option(checksum));
            }
            Tunnel::Other { kind, port, flags } => {
                self.number(" (tunnel type ", kind);
                self.number(", port ", port);
                self.number(", flags ", flags);
                self.text(")");
            }
        }
    }

    fn timeouts(&mut self, timeouts: &Timeouts) {
        self.number("--set ", timeouts.tcp);
        self.number(" ", timeouts.tcp_fin);
        self.number(" ", timeouts.udp);
    }

    fn start_daemon(&mut self, daemon: &Daemon) {
        let DaemonConfig {
            interface,
            sync_id,
            max_len,
            group,
            port,
            ttl,
        } = daemon.config;
        self.text("--start-daemon ");
        self.text(daemon.role.name());
        if let Some(interface) = interface.filter(|name| !name.is_empty()) {
            self.text(" --mcast-interface ");
            self.out.text(interface.as_bytes());
        }
        self.number(" --syncid ", sync_id);
        self.optional(" --sync-maxlen ", max_len);
        if let Some(group) = group {
            self.text(" --mcast-group ");
            address::address(self.out, &group);
        }
        self.optional(" --mcast-port ", port);
        self.optional(" --mcast-ttl ", ttl);
    }

    fn stop_daemon(&mut self, daemon: &Daemon) {
        self.text("--stop-daemon ");
        self.text(daemon.role.name());
        self.number(" --syncid ", daemon.config.sync_id);
    }

    fn optional(&mut self, option: &str, value: Option<impl itoa::Integer>) {
        if let Some(value) = value {
            self.number(option, value);
        }
    }
}

fn checksum_option(checksum: TunnelChecksum) -> &'static str {
    match checksum {
        TunnelChecksum::None => " --tun-nocsum",
        TunnelChecksum::Checksum => " --tun-csum",
        TunnelChecksum::Remote => " --tun-remcsum",
    }
}

/// Whether a rule with this name can be read back. Names are looked up as IPv4
/// only, and what looks like an address is taken for one: a name server must
/// not be able to put another address into a saved rule.
fn reads_as_host(name: &[u8], ip: &IpAddr) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let number = |label: &[u8]| {
        let digits = label.strip_prefix(b"0x").or(label.strip_prefix(b"0X"));
        match digits {
            Some(digits) => digits.iter().all(u8::is_ascii_hexdigit),
            None => label.iter().all(u8::is_ascii_digit),
        }
    };
    ip.is_ipv4() && name.iter().all(fits) && !name.split(|b| *b == b'.').all(number)
}

/// Whether this name of a port is read back as a name: not as a number, nor as
/// part of an address.
fn reads_as_service(name: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_graphic() && !b":#[]".contains(byte);
    name.iter().all(fits) && !name.iter().all(|b| b.is_ascii_digit() || b"+-".contains(b))
}

#[cfg(test)]
mod tests;
