//! The kernel's table of connections, /proc/net/ip_vs_conn, read in blocks.
//!
//! The table may have millions of rows: only one block of them is held at a
//! time, and connections borrow from it. A row that the kernel repeats because
//! others were added meanwhile is handed out once. Rows that were not asked for
//! are not even remembered.

use super::recent::Recent;
use super::row::{Layout, Row, take_line, take_row};
use super::{Connection, ConnectionFilter};
use crate::procfs;
use ipvs::Namespace;
use memchr::memrchr;
use std::fs::File;
use std::io::{self, Read};
use std::iter;
use std::net::IpAddr;

/// Where the kernel has the table.
pub const TABLE: &str = "/proc/net/ip_vs_conn";

/// Up to 6.12 the kernel walks its table from the start for each read, and
/// hands out one page at most (64 KiB on some machines): no read is ever
/// shorter than that.
const SHORTEST_READ: usize = 64 * 1024;
const BUFFER: usize = 2 * SHORTEST_READ;

/// How often a read is tried that fails for a moment.
const TRIES: usize = 3;

/// The table on its way through.
#[derive(Debug)]
pub struct Connections<R = File> {
    input: R,
    /// Whether all of the input has been read.
    ended: bool,
    buffer: Vec<u8>,
    /// How much of the buffer has been read into.
    filled: usize,
    /// How much of that has been handed out.
    used: usize,
    /// Inside a line that is not a row: the titles, or one too long.
    skipping: bool,
    recent: Recent,
    layout: Layout,
    /// `None` matches all rows.
    filter: Option<ConnectionFilter>,
}

impl Connections {
    /// Opens the table, of which `filter` matches some rows. Anybody may.
    pub fn open(namespace: &Namespace, filter: ConnectionFilter) -> io::Result<Connections> {
        let file = procfs::net_file(namespace, "ip_vs_conn")?;
        Connections::start(file, filter, Layout::Plain)
    }

    /// The same with who made each connection, for which the kernel has another
    /// file.
    pub fn open_with_origin(
        namespace: &Namespace,
        filter: ConnectionFilter,
    ) -> io::Result<Connections> {
        let file = procfs::net_file(namespace, "ip_vs_conn_sync")?;
        Connections::start(file, filter, Layout::WithOrigin)
    }
}

impl<R: Read> Connections<R> {
    /// Reads the start of the table, of which `filter` matches some rows.
    fn start(input: R, filter: ConnectionFilter, layout: Layout) -> io::Result<Connections<R>> {
        let mut connections = Connections {
            input,
            ended: false,
            buffer: vec![0; BUFFER],
            filled: 0,
            used: 0,
            skipping: true,
            recent: Recent::default(),
            layout,
            filter: Some(filter).filter(|filter| *filter != ConnectionFilter::default()),
        };
        connections.fill()?;
        if connections.filled == 0 {
            return Err(io::Error::other("no line of titles"));
        }
        Ok(connections)
    }

    /// The next rows in the kernel's order; `None` when there are no more.
    pub fn next_rows(&mut self) -> io::Result<Option<Rows<'_>>> {
        let mut too_long = false;
        let whole = loop {
            self.fill()?;
            let bytes = &self.buffer[..self.filled];
            match memrchr(b'\n', bytes) {
                // The last line need not have a newline.
                _ if self.ended => break self.filled,
                Some(newline) => break newline + 1,
                None => {
                    too_long |= !self.skipping;
                    self.skipping = true;
                    self.used = self.filled;
                }
            }
        };
        self.used = whole;
        let mut lines = &self.buffer[..whole];
        if self.skipping {
            take_line(&mut lines);
            self.skipping = false;
        }
        let rows = Rows {
            lines,
            too_long,
            recent: &mut self.recent,
            layout: self.layout,
            filter: self.filter.as_ref(),
        };
        Ok((whole > 0 || too_long).then_some(rows))
    }

    /// Drops what was handed out, and reads until there is room for no further
    /// read, or nothing left to read.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        let mut tries = 1..TRIES;
        while !self.ended && BUFFER - self.filled >= SHORTEST_READ {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The kernel has lost nothing: it had no time or no memory.
                Err(error) if is_passing(&error) && tries.next().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn is_passing(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::WouldBlock, io::ErrorKind::OutOfMemory];
    kinds.contains(&error.kind())
}

/// A row that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Rows that were read together.
#[derive(Debug)]
pub struct Rows<'a> {
    lines: &'a [u8],
    /// Whether there was one row more, which did not fit the buffer.
    too_long: bool,
    recent: &'a mut Recent,
    layout: Layout,
    filter: Option<&'a ConnectionFilter>,
}

impl<'a> Rows<'a> {
    /// The connections to come, for a look ahead: some may be repetitions.
    pub fn peek(&self) -> impl Iterator<Item = Connection<'a>> {
        let (mut lines, layout, filter) = (self.lines, self.layout, self.filter);
        let rows = iter::from_fn(move || (!lines.is_empty()).then(|| take_row(&mut lines, layout)));
        let connections = rows.flatten().map(|row| row.connection);
        connections.filter(move |row| matches(filter, row))
    }

    /// The addresses in the rows to come.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.peek().flat_map(|connection| connection.addresses())
    }
}

impl Rows<'_> {
    /// Whether the row was not handed out before. Templates of a persistence engine
    /// may differ in its data alone, of which the file with origins has none.
    fn is_new(&mut self, row: &Row) -> bool {
        let is_certain = self.layout == Layout::Plain || !row.connection.is_template();
        !is_certain || self.recent.is_new(row.identity)
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Connection<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.too_long) {
            return Some(Err(Unreadable));
        }
        while !self.lines.is_empty() {
            let Some(row) = take_row(&mut self.lines, self.layout) else {
                return Some(Err(Unreadable));
            };
            if matches(self.filter, &row.connection) && self.is_new(&row) {
                return Some(Ok(row.connection));
            }
        }
        None
    }
}

fn matches(filter: Option<&ConnectionFilter>, row: &Connection) -> bool {
    filter.is_none_or(|filter| filter.matches(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::{EndpointFilter, Network};

    const ALL: ConnectionFilter = ConnectionFilter {
        protocol: None,
        service: None,
        server: None,
        client: None,
        states: None,
        origins: None,
    };

    const TITLES: &str =
        "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";

    /// The row of the client's port `number`; after 60,000 they begin anew.
    fn row(number: usize) -> String {
        let port = number % 60_000;
        format!("TCP 0A000009 {port:04X} 0A000001 0050 0A000002 1F90 ESTABLISHED     899\n")
    }

    fn table(numbers: impl IntoIterator<Item = usize>) -> String {
        numbers.into_iter().map(row).collect()
    }

    /// A reader that hands out `page` bytes at most, as the kernel does.
    struct Pages<'a> {
        bytes: &'a [u8],
        page: usize,
    }

    impl Read for Pages<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(buffer.len() >= 65_536, "a short read walks the table again");
            let now = self.page.min(buffer.len()).min(self.bytes.len());
            buffer[..now].copy_from_slice(&self.bytes[..now]);
            self.bytes = &self.bytes[now..];
            Ok(now)
        }
    }

    /// The clients' ports.
    fn ports(rows: Rows) -> Vec<Result<u16, Unreadable>> {
        rows.map(|row| row.map(|row| row.client.port)).collect()
    }

    /// How many rows of the table are as [`row`], and how many unreadable.
    fn read(rows: &str) -> (usize, usize) {
        let table = [TITLES, rows].concat();
        let counts = [4096, 4092, 65_536, usize::MAX].map(|page| {
            let bytes = table.as_bytes();
            let mut connections =
                Connections::start(Pages { bytes, page }, ALL, Layout::Plain).unwrap();
            let (mut read, mut unreadable) = (0, 0);
            while let Some(rows) = connections.next_rows().unwrap() {
                let before = read;
                let ahead = rows.peek().count();
                for row in rows {
                    match row {
                        Ok(row) if usize::from(row.client.port) == read % 60_000 => read += 1,
                        Ok(row) => panic!("{row:?} after {read} rows"),
                        Err(Unreadable) => unreadable += 1,
                    }
                }
                assert!(read - before <= ahead);
            }
            assert!(connections.next_rows().unwrap().is_none());
            (read, unreadable)
        });
        assert_eq!(counts, [counts[0]; 4]);
        counts[0]
    }

    #[test]
    fn a_table_of_any_length_goes_through() {
        for count in [0, 1, 2, 900, 20_000] {
            assert_eq!(read(&table(0..count)), (count, 0));
        }
        assert_eq!(read(row(0).trim_end()), (1, 0));
        assert_eq!(read(table(0..2).trim_end()), (2, 0));
    }

    #[test]
    fn repeated_rows_are_handed_out_once() {
        for (count, back) in [(10usize, 1), (100, 60), (20_000, 8000), (150_000, 1)] {
            let steps = (0..count).flat_map(|at| [at, (at + 1).saturating_sub(back)]);
            assert_eq!(read(&table(steps)), (count, 0), "{count} {back}");
        }
    }

    #[test]
    fn rows_that_differ_in_their_engines_data_are_all_handed_out() {
        let template = "UDP 0A000000 0000 0A000001 13C4 0A000002 13C4 ASSURED          59 sip";
        let table = ["titles", "a x", "b x", "a y", "a x", "b x"];
        let table = table.map(|id| format!("{template} {id}\n")).concat();
        let mut connections = Connections::start(table.as_bytes(), ALL, Layout::Plain).unwrap();
        let rows = connections.next_rows().unwrap();
        assert_eq!(rows.map_or(0, |rows| ports(rows).len()), 3);
    }

    #[test]
    fn rows_that_do_not_match_the_filter_are_left_out() {
        let client = EndpointFilter {
            network: Network::of([10, 0, 0, 0].into(), 8),
            port: Some(7),
        };
        let client = Some(client);
        let filter = ConnectionFilter { client, ..ALL };
        let rows = [TITLES, "x\n", &table([1, 7, 8, 7, 9])].concat();
        let mut connections = Connections::start(rows.as_bytes(), filter, Layout::Plain).unwrap();
        let rows = connections.next_rows().unwrap().unwrap();
        assert_eq!(rows.peek().count(), 2, "ahead, with the repetition");
        assert_eq!(ports(rows), [Err(Unreadable), Ok(7)]);
    }

    #[test]
    fn an_unreadable_row_does_not_affect_others() {
        let [first, second] = [row(0), row(1)];
        for bad in ["\n", "x\n", "TCP 0A000009\n"] {
            assert_eq!(read(&format!("{first}{bad}{second}")), (2, 1), "{bad:?}");
            assert_eq!(read(&format!("{bad}{first}{bad}")), (1, 2), "{bad:?}");
        }
    }

    #[test]
    fn a_row_longer_than_the_buffer_is_skipped_and_counted() {
        let [first, second] = [row(0), row(1)];
        let endless = "x".repeat(3 * BUFFER);
        assert_eq!(read(&format!("{first}{endless}\n{second}")), (2, 1));
        assert_eq!(read(&format!("{endless}\n{endless}\n{first}")), (1, 2));
        assert_eq!(read(&format!("{first}{endless}")), (1, 1));
        assert_eq!(read(&endless), (0, 1));
    }

    #[test]
    fn long_rows_fit() {
        let blanks = " ".repeat(SHORTEST_READ - 100);
        let long = |number| format!("{}{blanks}\n", row(number).trim_end());
        assert_eq!(read(&(0..9).map(long).collect::<String>()), (9, 0));
    }

    #[test]
    fn titles_alone_are_an_empty_table_and_no_bytes_an_error() {
        let read = |bytes| Connections::start(Pages { bytes, page: 4096 }, ALL, Layout::Plain);
        assert!(read(b"").is_err());
        for titles in [TITLES, TITLES.trim_end()] {
            let mut connections = read(titles.as_bytes()).unwrap();
            let rows = connections.next_rows().unwrap();
            assert_eq!(rows.map_or(0, |rows| ports(rows).len()), 0);
            assert!(connections.next_rows().unwrap().is_none());
        }
    }
}
