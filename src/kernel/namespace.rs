//! Everything of the kernel that this program opens: netlink sockets,
//! /proc/net, /proc/sys. Nothing else in the program opens any of these, so
//! that all of them belong to one network namespace.

use super::channel::Channel;
use super::connections::Connections;
use std::fs::{self, File};
use std::io;

/// A network namespace.
#[derive(Clone, Copy, Debug)]
pub struct Namespace(());

impl Namespace {
    /// Where the kernel has its connections.
    pub const CONNECTIONS: &str = "/proc/net/ip_vs_conn";

    /// That of this process.
    pub fn current() -> Namespace {
        Namespace(())
    }

    /// A new generic netlink socket.
    pub(super) fn channel(self) -> io::Result<Channel> {
        Channel::open()
    }

    /// The table of connections. Anybody may open it.
    pub fn connections(self) -> io::Result<Connections> {
        Connections::start(File::open(Self::CONNECTIONS)?)
    }

    /// The value of the setting `net.ipv4.vs.NAME`; not all kernels have all.
    pub fn setting(self, name: &str) -> io::Result<String> {
        let value = fs::read_to_string(format!("/proc/sys/net/ipv4/vs/{name}"))?;
        Ok(value.trim_end().to_owned())
    }
}
