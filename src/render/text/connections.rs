//! `-L -c`: the connections, one after the other.
//!
//! The table may have millions of rows, so that a row must cost hardly more
//! than copying its bytes. This module must not read the table.

use super::Text;
use super::endpoint::{IPV6_LIMIT, endpoint};
use crate::model::{Connection, Endpoint, Protocol, View};
use crate::render::address::two_digits;
use crate::render::buffer::Buffer;

const PROTOCOL_WIDTH: usize = 3;
const EXPIRE_WIDTH: usize = 6;
const STATE_WIDTH: usize = 11;
const ENDPOINT_WIDTH: usize = 18;
const NARROW_WIDTH: usize = 16;

/// Names of connections' hosts are cut alike in both families.
const LIMIT: usize = IPV6_LIMIT;

impl Text<'_> {
    /// Whether there are columns for persistence engines.
    fn shows_engines(&self) -> bool {
        self.style.view == View::PersistentConn
    }

    /// The two lines of titles.
    pub(super) fn connection_titles(&self, out: &mut Buffer) {
        out.text("IPVS connection entries\npro expire ");
        out.left("state", STATE_WIDTH);
        out.push(b' ');
        out.left("source", ENDPOINT_WIDTH);
        out.push(b' ');
        out.left("virtual", ENDPOINT_WIDTH);
        out.push(b' ');
        if self.shows_engines() {
            out.left("destination", ENDPOINT_WIDTH);
            out.push(b' ');
            out.left("pe name", NARROW_WIDTH);
            out.text(" pe_data");
        } else {
            out.text("destination");
        }
        out.end_line();
    }

    /// The row of a connection.
    pub(super) fn connection_row(&self, out: &mut Buffer, connection: &Connection) {
        out.left(connection.protocol, PROTOCOL_WIDTH);
        out.push(b' ');
        let start = out.len();
        minutes(out, connection.expires);
        out.pad(start, EXPIRE_WIDTH);
        out.push(b' ');
        out.left(connection.state, STATE_WIDTH);
        out.push(b' ');
        let protocol = protocol(connection.protocol);
        self.cell(out, protocol, &connection.client, ENDPOINT_WIDTH);
        self.cell(out, protocol, &connection.service, ENDPOINT_WIDTH);
        match connection.engine.filter(|_| self.shows_engines()) {
            None => self.cell(out, protocol, &connection.server, 0),
            Some((engine, data)) => {
                self.cell(out, protocol, &connection.server, NARROW_WIDTH);
                out.left(engine, ENDPOINT_WIDTH);
                out.push(b' ');
                out.text(data);
            }
        }
        out.end_line();
    }

    /// An endpoint; one with a width has a blank after it.
    #[inline]
    fn cell(&self, out: &mut Buffer, protocol: Option<Protocol>, at: &Endpoint, width: usize) {
        let start = out.len();
        endpoint(
            out,
            self.names.as_deref(),
            protocol,
            &at.address,
            at.port,
            LIMIT,
        );
        if width > 0 {
            out.pad(start, width);
            out.push(b' ');
        }
    }
}

/// Minutes and seconds, two digits each at least.
#[inline]
fn minutes(out: &mut Buffer, seconds: u64) {
    let (minutes, seconds) = (seconds / 60, (seconds % 60) as u8);
    match u8::try_from(minutes) {
        Ok(minutes @ 0..100) => out.fixed(two_digits(minutes), 2),
        _ => out.number(minutes),
    }
    let [tens, ones] = two_digits(seconds);
    out.fixed([b':', tens, ones], 3);
}

fn protocol(title: &[u8]) -> Option<Protocol> {
    match title {
        b"TCP" => Some(Protocol::Tcp),
        b"UDP" => Some(Protocol::Udp),
        b"SCTP" => Some(Protocol::Sctp),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
