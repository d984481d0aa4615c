//! `-L -c`: the kernel's table of connections, row by row as it comes.
//!
//! The table may have millions of rows, so that nothing is kept but one buffer,
//! and a row costs hardly more than looking at its bytes. This module must not
//! open the file or print complaints.

mod plain;

use super::line::{Line, Sink};
use super::listing::LIMIT;
use super::{address, number};
use crate::model::Protocol;
use crate::names::Names;
use crate::wire::conntab::{self, Endpoint, Row};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::IpAddr;

/// Up to 6.12 the kernel walks its table anew for each read, and hands out one
/// page at most (64 KiB on some machines): no read is ever shorter than that.
const SHORTEST_READ: usize = 64 * 1024;
const BUFFER: usize = 2 * SHORTEST_READ;

const PROTOCOL_WIDTH: usize = 3;
const EXPIRE_WIDTH: usize = 6;
const STATE_WIDTH: usize = 11;
const ENDPOINT_WIDTH: usize = 18;
const NARROW_WIDTH: usize = 16;

/// Why a table of connections was not printed, or not all of it.
#[derive(Debug)]
pub enum ConnectionsError {
    /// It cannot be read.
    Read(io::Error),
    /// The output cannot be written.
    Write(io::Error),
    /// Not even the line of titles is there.
    Empty,
    /// So many rows could not be understood; all others have been printed.
    Unreadable(u64),
}

impl fmt::Display for ConnectionsError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ConnectionsError::Read(error) | ConnectionsError::Write(error) => error.fmt(f),
            ConnectionsError::Empty => f.write_str("no line of titles"),
            ConnectionsError::Unreadable(1) => f.write_str("1 line cannot be understood"),
            ConnectionsError::Unreadable(n) => write!(f, "{n} lines cannot be understood"),
        }
    }
}

impl std::error::Error for ConnectionsError {}

/// Prints the connections in `input`, which is the kernel's
/// /proc/net/ip_vs_conn; `with_pe` adds persistence engines.
pub fn connections<R: Read, W: Write + ?Sized, N: Names + ?Sized>(
    mut input: R,
    out: &mut W,
    names: &mut N,
    with_pe: bool,
) -> Result<(), ConnectionsError> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = fill(&mut input, &mut buffer, 0)?;
    if filled == 0 {
        return Err(ConnectionsError::Empty);
    }
    titles(out, with_pe).map_err(ConnectionsError::Write)?;
    let mut table = Table {
        out,
        names,
        with_pe,
        skipping: true,
        unreadable: 0,
    };
    loop {
        let used = table
            .take(&buffer[..filled])
            .map_err(ConnectionsError::Write)?;
        buffer.copy_within(used..filled, 0);
        let kept = filled - used;
        filled = fill(&mut input, &mut buffer, kept)?;
        if filled == kept {
            return table.end(&buffer[..kept]);
        }
    }
}

/// Reads until there is room for no further read, or nothing left to read; how
/// many bytes the buffer then has.
fn fill<R: Read>(
    input: &mut R,
    buffer: &mut [u8],
    mut filled: usize,
) -> Result<usize, ConnectionsError> {
    while buffer.len() - filled >= SHORTEST_READ {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ConnectionsError::Read(error)),
        }
    }
    Ok(filled)
}

fn titles<W: Write + ?Sized>(out: &mut W, with_pe: bool) -> io::Result<()> {
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

/// The table on its way through.
struct Table<'a, W: Write + ?Sized, N: Names + ?Sized> {
    out: &'a mut W,
    names: &'a mut N,
    with_pe: bool,
    /// Inside a line that is not to be printed: the titles, or one too long.
    skipping: bool,
    unreadable: u64,
}

impl<W: Write + ?Sized, N: Names + ?Sized> Table<'_, W, N> {
    /// Prints the whole lines in `bytes`; how many bytes are done with.
    fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let newline = bytes.iter().rposition(|byte| *byte == b'\n');
        let (mut lines, part) = bytes.split_at(newline.map_or(0, |newline| newline + 1));
        let whole = lines.len();
        if whole > 0 && std::mem::take(&mut self.skipping) {
            lines = after_line(lines);
        }
        self.rows(lines)?;
        Ok(whole + self.part_of_a_line(part))
    }

    /// Drops the part where the whole will never fit, so that there is room for
    /// a read.
    fn part_of_a_line(&mut self, bytes: &[u8]) -> usize {
        if !self.skipping && bytes.len() <= BUFFER - SHORTEST_READ {
            return 0;
        }
        self.unreadable += u64::from(!self.skipping);
        self.skipping = true;
        bytes.len()
    }

    /// What is left at the end of the file is a line without a newline.
    fn end(mut self, bytes: &[u8]) -> Result<(), ConnectionsError> {
        self.rows(bytes).map_err(ConnectionsError::Write)?;
        match self.unreadable {
            0 => Ok(()),
            count => Err(ConnectionsError::Unreadable(count)),
        }
    }

    fn rows(&mut self, lines: &[u8]) -> io::Result<()> {
        self.names.prefetch(&mut addresses(lines));
        let mut rows = Rows { lines };
        while !rows.lines.is_empty() {
            if self.names.is_empty()
                && let Some((rest, row)) = conntab::plain(rows.lines)
            {
                plain::write(self.out, &row)?;
                rows.lines = rest;
                continue;
            }
            match rows.next_row() {
                Some(row) => self.row(&row)?,
                None => self.unreadable += 1,
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        let mut line = Line::new(self.out);
        line.left(row.protocol, PROTOCOL_WIDTH);
        line.push(b' ');
        let start = line.position();
        minutes(&mut line, row.expires);
        line.pad(start, EXPIRE_WIDTH);
        line.push(b' ');
        line.left(row.state, STATE_WIDTH);
        line.push(b' ');
        let protocol = protocol(row.protocol);
        let names = &*self.names;
        cell(&mut line, names, protocol, &row.client, ENDPOINT_WIDTH);
        cell(&mut line, names, protocol, &row.service, ENDPOINT_WIDTH);
        match row.engine.filter(|_| self.with_pe) {
            None => cell(&mut line, names, protocol, &row.server, 0),
            Some((engine, data)) => {
                cell(&mut line, names, protocol, &row.server, NARROW_WIDTH);
                line.left(engine, ENDPOINT_WIDTH);
                line.push(b' ');
                line.text(data);
            }
        }
        line.end()
    }
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

/// The rows of whole lines.
struct Rows<'a> {
    lines: &'a [u8],
}

impl<'a> Rows<'a> {
    /// The next row; `None` is one that cannot be understood.
    #[inline]
    fn next_row(&mut self) -> Option<Row<'a>> {
        match conntab::row(self.lines) {
            Ok((rest, row)) => {
                self.lines = rest.split_first().map_or(rest, |(_, rest)| rest);
                Some(row)
            }
            Err(_) => {
                self.lines = after_line(self.lines);
                None
            }
        }
    }
}

/// All rows that can be understood.
impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        while !self.lines.is_empty() {
            if let Some(row) = self.next_row() {
                return Some(row);
            }
        }
        None
    }
}

fn after_line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    end.map_or(&[], |end| &bytes[end + 1..])
}

fn addresses(lines: &[u8]) -> impl Iterator<Item = IpAddr> {
    Rows { lines }
        .flat_map(|row| [row.client, row.service, row.server])
        .map(|endpoint| endpoint.address)
}

#[cfg(test)]
mod tests;
