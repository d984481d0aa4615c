//! Counters and rates.

/// What the kernel counts for a service or a server. It publishes the counters
/// every two seconds, with the rates over that time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections scheduled.
    pub conns: u64,
    /// Packets from clients.
    pub in_packets: u64,
    /// Packets to clients; only where they pass the director.
    pub out_packets: u64,
    /// Bytes from clients.
    pub in_bytes: u64,
    /// Bytes to clients.
    pub out_bytes: u64,
    /// Connections a second.
    pub cps: u64,
    /// Packets from clients a second.
    pub in_pps: u64,
    /// Packets to clients a second.
    pub out_pps: u64,
    /// Bytes from clients a second.
    pub in_bps: u64,
    /// Bytes to clients a second.
    pub out_bps: u64,
}
