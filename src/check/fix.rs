//! The commands that fix findings, as they are typed: they can be pasted where
//! `--check` was typed, also when it looked into another network namespace.

use crate::render::Buffer;
use crate::render::shell;
use crate::render::text::rules::{self, rule};
use ipvs::{Change, Daemon, ServiceKey};
use std::ffi::OsStr;

/// A command that fixes what was found. Words in capitals are for the user to
/// fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// `ipvsadm`, with the options that make this change.
    Change(Change),
    /// `ipvsadm -a` for this service, with a server of the user's.
    AddServer(ServiceKey),
    /// `ipvsadm` starts this daemon with an id of the user's.
    StartWithId(Daemon),
    /// Another command of the network namespace: words with a blank between them,
    /// not quoted.
    Command(String),
    /// A command line for the whole machine, as it is typed.
    Machine(String),
    /// The start of the program that is to answer.
    Start,
}

impl Fix {
    /// The command line, for the network namespace `netns` if one was named.
    pub fn command_line(&self, netns: Option<&OsStr>) -> String {
        let mut out = Buffer::default();
        match self {
            Fix::Change(change) => {
                out.text("ipvsadm ");
                rule(&mut out, None, change);
            }
            Fix::AddServer(service) => {
                out.text("ipvsadm -a");
                rules::named(&mut out, service, None);
                out.text(" -r ADDRESS");
            }
            Fix::StartWithId(daemon) => {
                let mut start = Buffer::default();
                rule(&mut start, None, &Change::StartDaemon(*daemon));
                let id = format!(" --syncid {}", daemon.config.sync_id);
                let start = String::from_utf8_lossy(start.as_bytes()).replace(&id, " --syncid ID");
                out.text("ipvsadm ");
                out.text(start);
            }
            Fix::Command(command) => out.text(command),
            Fix::Machine(line) => return line.clone(),
            // A unit runs where it is configured to, not where it is started.
            Fix::Start => out.text(match netns {
                None => "systemctl start SERVICE",
                Some(_) => "PROGRAM",
            }),
        }
        shell::in_namespace(shell::command(out.as_bytes()), netns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{server_key, tcp};

    #[test]
    fn commands_go_to_the_namespace_that_was_checked() {
        let service = tcp("fd00::1", 80);
        let delete = Fix::Change(Change::DeleteServer(service, server_key("fd00::2", 80)));
        let command = |text: &str| Fix::Command(text.into());
        for (fix, here, named, by_path) in [
            (
                Fix::AddServer(tcp("192.0.2.1", 80)),
                "ipvsadm -a -t 192.0.2.1:80 -r ADDRESS",
                "ipvsadm -a -t 192.0.2.1:80 -r ADDRESS --netns 'a b'",
                "ipvsadm -a -t 192.0.2.1:80 -r ADDRESS --netns /proc/1/ns/net",
            ),
            (
                delete,
                "ipvsadm -d -t '[fd00::1]:80' -r '[fd00::2]:80'",
                "ipvsadm -d -t '[fd00::1]:80' -r '[fd00::2]:80' --netns 'a b'",
                "ipvsadm -d -t '[fd00::1]:80' -r '[fd00::2]:80' --netns /proc/1/ns/net",
            ),
            (
                command("ip link set dev $x up"),
                "ip link set dev '$x' up",
                "ip -n 'a b' link set dev '$x' up",
                "nsenter --net=/proc/1/ns/net ip link set dev '$x' up",
            ),
            (
                command("sysctl -w net.ipv4.ip_forward=1"),
                "sysctl -w net.ipv4.ip_forward=1",
                "ip netns exec 'a b' sysctl -w net.ipv4.ip_forward=1",
                "nsenter --net=/proc/1/ns/net sysctl -w net.ipv4.ip_forward=1",
            ),
            (
                Fix::Start,
                "systemctl start SERVICE",
                "ip netns exec 'a b' PROGRAM",
                "nsenter --net=/proc/1/ns/net PROGRAM",
            ),
            (
                Fix::Machine("echo 'x' > /etc/y".into()),
                "echo 'x' > /etc/y",
                "echo 'x' > /etc/y",
                "echo 'x' > /etc/y",
            ),
        ] {
            assert_eq!(fix.command_line(None), here);
            assert_eq!(fix.command_line(Some("a b".as_ref())), named);
            assert_eq!(fix.command_line(Some("/proc/1/ns/net".as_ref())), by_path);
        }
    }
}
