//! What ipvsadm says of the table, as values.

use super::host::Host;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The numbers of a line of `--stats` or `--rate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub connections: u64,
    pub packets_in: u64,
    pub packets_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// A line of `-Lcn`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    pub protocol: String,
    pub source: String,
    pub target: String,
    pub server: String,
    pub state: String,
    pub expires: Duration,
}

impl Host {
    /// The counters of every service and server, by address.
    pub fn stats(&self) -> Result<BTreeMap<String, Counters>> {
        counters(&self.ipvsadm("-Ln --stats --exact")?)
    }

    /// The present rates of every service and server, by address.
    pub fn rates(&self) -> Result<BTreeMap<String, Counters>> {
        counters(&self.ipvsadm("-Ln --rate --exact")?)
    }

    /// The table of connections, sorted.
    pub fn connections(&self) -> Result<Vec<Connection>> {
        let text = self.ipvsadm("-Lcn")?;
        let mut connections = text
            .lines()
            .skip(2)
            .map(connection)
            .collect::<Result<Vec<_>>>()?;
        connections.sort();
        Ok(connections)
    }
}

fn counters(text: &str) -> Result<BTreeMap<String, Counters>> {
    text.lines().skip(3).map(counter_row).collect()
}

/// `TCP  ADDRESS N N N N N` or `  -> ADDRESS N N N N N`.
fn counter_row(line: &str) -> Result<(String, Counters)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, address, numbers @ ..] = words.as_slice() else {
        bail!("short line: {line}")
    };
    let numbers: Vec<u64> = numbers
        .iter()
        .map(|word| word.parse())
        .collect::<Result<_, _>>()
        .context(line.to_owned())?;
    let [connections, packets_in, packets_out, bytes_in, bytes_out] = numbers[..] else {
        bail!("not five numbers: {line}")
    };
    Ok((
        (*address).to_owned(),
        Counters {
            connections,
            packets_in,
            packets_out,
            bytes_in,
            bytes_out,
        },
    ))
}

fn connection(line: &str) -> Result<Connection> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [protocol, expires, state, source, target, server] = words[..] else {
        bail!("not six words: {line}")
    };
    let (minutes, seconds) = expires.split_once(':').context("MM:SS")?;
    Ok(Connection {
        protocol: protocol.to_owned(),
        expires: Duration::from_secs(minutes.parse::<u64>()? * 60 + seconds.parse::<u64>()?),
        state: state.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
        server: server.to_owned(),
    })
}

/// Tries until `check` succeeds: the kernel publishes its counters every two
/// seconds, and a busy machine takes its time.
pub fn eventually<T>(check: impl FnMut() -> Result<T>) -> Result<T> {
    within(Duration::from_secs(40), check)
}

/// The same with another limit.
pub fn within<T>(limit: Duration, mut check: impl FnMut() -> Result<T>) -> Result<T> {
    let begin = Instant::now();
    loop {
        match check() {
            Ok(value) => return Ok(value),
            Err(error) if begin.elapsed() > limit => {
                return Err(error.context(format!("still so after {limit:?}")));
            }
            Err(_) => sleep(Duration::from_millis(200)),
        }
    }
}
