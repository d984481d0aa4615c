//! `-L -c`: the connections, one after the other.
//!
//! The table may have millions of rows, so that a row must cost hardly more
//! than copying its bytes. This module must not read the table.

use super::line::{Line, Sink};
use super::listing::LIMIT;
use super::{address, number};
use crate::model::{Connection, Endpoint, Protocol};
use crate::names::Names;
use std::io::{self, Write};

const PROTOCOL_WIDTH: usize = 3;
const EXPIRE_WIDTH: usize = 6;
const STATE_WIDTH: usize = 11;
const ENDPOINT_WIDTH: usize = 18;
const NARROW_WIDTH: usize = 16;

/// The two lines of titles; `with_pe` adds columns for persistence engines.
pub fn connection_titles<W: Write + ?Sized>(out: &mut W, with_pe: bool) -> io::Result<()> {
    let mut line = Line::new(&mut *out);
    line.text(b"IPVS connection entries");
    line.end()?;
    let mut line = Line::new(out);
    line.text(b"pro expire ");
    line.left(b"state", STATE_WIDTH);
    line.push(b' ');
    line.left(b"source", ENDPOINT_WIDTH);
    line.push(b' ');
    line.left(b"virtual", ENDPOINT_WIDTH);
    line.push(b' ');
    if with_pe {
        line.left(b"destination", ENDPOINT_WIDTH);
        line.push(b' ');
        line.left(b"pe name", NARROW_WIDTH);
        line.text(b" pe_data");
    } else {
        line.text(b"destination");
    }
    line.end()
}

/// The row of a connection; `with_pe` adds its persistence engine, if it has one.
pub fn connection<W: Write + ?Sized, N: Names + ?Sized>(
    out: &mut W,
    names: &N,
    with_pe: bool,
    connection: &Connection,
) -> io::Result<()> {
    let mut line = Line::new(out);
    line.left(connection.protocol, PROTOCOL_WIDTH);
    line.push(b' ');
    let start = line.position();
    minutes(&mut line, connection.expires);
    line.pad(start, EXPIRE_WIDTH);
    line.push(b' ');
    line.left(connection.state, STATE_WIDTH);
    line.push(b' ');
    let protocol = protocol(connection.protocol);
    cell(
        &mut line,
        names,
        protocol,
        &connection.client,
        ENDPOINT_WIDTH,
    );
    cell(
        &mut line,
        names,
        protocol,
        &connection.service,
        ENDPOINT_WIDTH,
    );
    match connection.engine.filter(|_| with_pe) {
        None => cell(&mut line, names, protocol, &connection.server, 0),
        Some((engine, data)) => {
            cell(&mut line, names, protocol, &connection.server, NARROW_WIDTH);
            line.left(engine, ENDPOINT_WIDTH);
            line.push(b' ');
            line.text(data);
        }
    }
    line.end()
}

/// An endpoint; one with a width has a blank after it.
#[inline]
fn cell<W: Write + ?Sized, N: Names + ?Sized>(
    line: &mut Line<W>,
    names: &N,
    protocol: Option<Protocol>,
    endpoint: &Endpoint,
    width: usize,
) {
    let start = line.position();
    let Endpoint { address, port } = endpoint;
    address::endpoint(line, names, protocol, address, *port, LIMIT);
    if width > 0 {
        line.pad(start, width);
        line.push(b' ');
    }
}

/// Minutes and seconds, two digits each at least.
#[inline]
fn minutes<S: Sink>(sink: &mut S, seconds: u64) {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    if minutes < 100_000 {
        let (digits, len) = number::five_digits(minutes as u32, 2);
        sink.fixed(digits, len);
    } else {
        number::decimal(sink, minutes);
    }
    sink.push(b':');
    sink.fixed(number::pair(seconds), 2);
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
