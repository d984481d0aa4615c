//! `-L -c`: the connections, one after the other.
//!
//! The table may have millions of rows: a row must cost hardly more than
//! copying its bytes.

use super::Text;
use super::endpoint::{IPV6_LIMIT, named};
use crate::connections::{Connection, Endpoint};
use crate::render::View;
use crate::render::address::{self, two_digits};
use crate::render::buffer::Buffer;
use ipvs::Protocol;

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
        out.column("state", STATE_WIDTH);
        out.column("source", ENDPOINT_WIDTH);
        out.column("virtual", ENDPOINT_WIDTH);
        if self.shows_engines() {
            out.column("destination", ENDPOINT_WIDTH);
            out.left("pe name", NARROW_WIDTH);
            out.text(" pe_data");
        } else {
            out.text("destination");
        }
        out.end_line();
    }

    /// The row of a connection.
    pub(super) fn connection_row(&self, out: &mut Buffer, connection: &Connection) {
        out.column(connection.protocol, PROTOCOL_WIDTH);
        expire(out, connection.expires);
        out.column(connection.state, STATE_WIDTH);
        let protocol = connection.protocol;
        self.cell(out, protocol, &connection.client, ENDPOINT_WIDTH);
        self.cell(out, protocol, &connection.service, ENDPOINT_WIDTH);
        match connection.engine.filter(|_| self.shows_engines()) {
            None => self.cell(out, protocol, &connection.server, 0),
            Some((engine, data)) => {
                self.cell(out, protocol, &connection.server, NARROW_WIDTH);
                out.column(engine, ENDPOINT_WIDTH);
                out.text(data);
            }
        }
        out.end_line();
    }

    /// An endpoint of a connection of `protocol`; one with a width has a blank after
    /// it.
    #[inline(always)] // Three calls are 76 instructions a row, 1 % of -Lcn.
    fn cell(&self, out: &mut Buffer, protocol: &[u8], at: &Endpoint, width: usize) {
        match self.names.as_deref() {
            None => address::numeric(out, &at.address, at.port, width),
            Some(names) => {
                let start = out.len();
                let protocol = Protocol::from_kernel_name(protocol);
                named(out, names, protocol, &at.address, at.port, LIMIT);
                out.end_column(start, width);
            }
        }
    }
}

/// The column of minutes and seconds, two digits each at least.
fn expire(out: &mut Buffer, seconds: u64) {
    let start = out.len();
    match u16::try_from(seconds / 60) {
        Ok(minutes @ 0..100) => out.text(two_digits(minutes)),
        _ => out.number(seconds / 60),
    }
    out.push(b':');
    out.text(two_digits((seconds % 60) as u16));
    out.end_column(start, EXPIRE_WIDTH);
}

#[cfg(test)]
mod tests;
