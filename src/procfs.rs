//! What the kernel says in files: /proc/net and the settings in /proc/sys.
//!
//! Both show the network namespace of who opens them, so everything here is
//! opened inside a [`Namespace`].

mod stats;
mod status;
mod table;
mod text;

pub use stats::{STATS, Stats, stats};
pub use status::{CHAINS, STATUS, Status, status};
#[cfg(any(test, fuzzing))]
pub use table::fuzz as fuzz_table;
pub use table::{Seen, TABLE, table};

use ipvs::Namespace;
use std::fs::{self, File};
use std::io::{self, Read};

/// Opens a file below /proc/net.
pub fn net_file(namespace: &Namespace, name: &str) -> io::Result<File> {
    // /proc/net is that of the process, of which only one thread is elsewhere.
    let path = match namespace.is_current() {
        true => format!("/proc/net/{name}"),
        false => format!("/proc/thread-self/net/{name}"),
    };
    namespace.inside(|| File::open(path))?
}

/// All of a file below /proc/net.
fn read_net_file(namespace: &Namespace, name: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    net_file(namespace, name)?.read_to_end(&mut text)?;
    Ok(text)
}

/// What a file holds is not what the kernel writes there.
fn malformed() -> io::Error {
    io::Error::other("it cannot be understood")
}

/// The value of the setting `net.ipv4.vs.NAME`; not all kernels have all.
pub fn setting(namespace: &Namespace, name: &str) -> io::Result<String> {
    let mut values = sysctls(namespace, &[format!("net/ipv4/vs/{name}")])?;
    values.pop().unwrap_or(Err(io::ErrorKind::NotFound.into()))
}

/// The values of settings, in order, by their paths below /proc/sys.
pub fn sysctls(namespace: &Namespace, paths: &[String]) -> io::Result<Vec<io::Result<String>>> {
    let read = |path: &String| {
        let value = fs::read_to_string(format!("/proc/sys/{path}"))?;
        Ok(value.trim_end().to_owned())
    };
    Ok(namespace.inside(|| paths.iter().map(read).collect())?)
}
