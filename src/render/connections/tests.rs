//! The table byte by byte, and what happens when it is not as it should be.

use super::super::sample::Named;
use super::*;
use crate::names::Numeric;
use crate::random::Random;

const TITLES: &str =
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";

/// A reader that hands out `page` bytes at most, as the kernel does.
struct Pages<'a> {
    bytes: &'a [u8],
    page: usize,
}

impl Read for Pages<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(buffer.len() >= 4096, "a short read walks the table again");
        let now = self.page.min(buffer.len()).min(self.bytes.len());
        buffer[..now].copy_from_slice(&self.bytes[..now]);
        self.bytes = &self.bytes[now..];
        Ok(now)
    }
}

fn shown(rows: &str, with_pe: bool) -> (String, Result<(), ConnectionsError>) {
    let (out, result) = bytes_shown(rows.as_bytes(), with_pe, &mut Numeric);
    (String::from_utf8(out).unwrap(), result)
}

fn bytes_shown(
    rows: &[u8],
    with_pe: bool,
    names: &mut impl Names,
) -> (Vec<u8>, Result<(), ConnectionsError>) {
    let table = [TITLES.as_bytes(), rows].concat();
    let mut out = Vec::new();
    let input = Pages {
        bytes: &table,
        page: 4092,
    };
    let result = connections(input, &mut out, names, with_pe);
    (out, result)
}

fn rows(table: &str) -> &str {
    table.splitn(3, '\n').nth(2).unwrap()
}

const TCP: &str = "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 ESTABLISHED     899\n";
const TCP_SHOWN: &str =
    "TCP 14:59  ESTABLISHED 10.0.0.9:50000     10.0.0.1:80        10.0.0.2:8080\n";

#[test]
fn titles_of_both_tables() {
    assert_eq!(
        shown("", false).0,
        "IPVS connection entries\n\
         pro expire state       source             virtual            destination\n"
    );
    assert_eq!(
        shown("", true).0,
        "IPVS connection entries\n\
         pro expire state       source             virtual            destination        pe name          pe_data\n"
    );
}

#[test]
fn one_row_of_each_kind() {
    let table = "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 ESTABLISHED     899\n\
         UDP 0A000009 0035 0A000001 0035 0A000002 0035 UDP              59\n\
         IP  0A000009 0000 00000001 0000 0A000002 0000 NONE         360000\n\
         TCP 20010db8000000000000000000000001 0001 0A000001 0050 0A000002 0050 NONE 1\n\
         TCP 2001:0db8:0000:0000:0000:0000:0000:0009 C350 2001:0db8:0000:0000:0000:0000:0000:0001 01BB fd00:0000:0000:0000:0000:0000:0000:0002 01BB SYN_RECV         3\n\
         TCP 0A000009 C350 0A000001 0050 fd00:0000:0000:0000:0000:0000:0000:0002 0050 FIN_WAIT          0\n";
    let (out, result) = shown(table, false);
    assert!(matches!(result, Err(ConnectionsError::Unreadable(1))));
    assert_eq!(
        rows(&out),
        format!(
            "{TCP_SHOWN}\
         UDP 00:59  UDP         10.0.0.9:53        10.0.0.1:53        10.0.0.2:53\n\
         IP  6000:00 NONE        10.0.0.9:0         0.0.0.1:0          10.0.0.2:0\n\
         TCP 00:03  SYN_RECV    [2001:db8::9]:50000 [2001:db8::1]:443  [fd00::2]:443\n\
         TCP 00:00  FIN_WAIT    10.0.0.9:50000     10.0.0.1:80        [fd00::2]:80\n"
        )
    );
}

#[test]
fn persistence_engines_have_columns_of_their_own() {
    let table = "UDP 0A000009 0000 0A000001 13C4 0A000002 13C4 NONE             42 sip call id\n\
                 UDP 0A000009 13C4 0A000001 13C4 0A000002 13C4 UDP              42\n\
                 UDP 0A000009 13C4 0A000001 13C4 0A000002 13C4 UDP              42 sip \n";
    let plain = "UDP 00:42  UDP         10.0.0.9:5060      10.0.0.1:5060      10.0.0.2:5060\n";
    let (out, result) = shown(table, true);
    assert!(result.is_ok());
    assert_eq!(
        rows(&out),
        format!(
            "UDP 00:42  NONE        10.0.0.9:0         10.0.0.1:5060      10.0.0.2:5060    sip                call\n\
             {plain}{plain}"
        )
    );
    let (out, _) = shown(table, false);
    assert_eq!(
        rows(&out),
        format!(
            "UDP 00:42  NONE        10.0.0.9:0         10.0.0.1:5060      10.0.0.2:5060\n{plain}{plain}"
        )
    );
}

#[test]
fn a_bad_row_costs_only_itself() {
    for bad in [
        "\n",
        "x\n",
        "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE\n",
        "TCP 0A000009 C350 0A000001 0050 0A000002 1F90\n",
        "TCP 0A00000G C350 0A000001 0050 0A000002 1F90 NONE 1\n",
        "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE -1\n",
        "TCP 0A000009 C350 0A000001 0050 0A000002 1F90 NONE 99999999999999999999\n",
    ] {
        let (out, result) = shown(&format!("{TCP}{bad}{TCP}"), false);
        assert!(
            matches!(result, Err(ConnectionsError::Unreadable(1))),
            "{bad}"
        );
        assert_eq!(rows(&out), [TCP_SHOWN; 2].concat(), "{bad}");
    }
}

#[test]
fn a_table_of_any_length_goes_through() {
    let (out, result) = shown(&TCP.repeat(20_000), false);
    assert!(result.is_ok());
    assert_eq!(rows(&out), TCP_SHOWN.repeat(20_000));
    let endless = format!("{TCP}{}\n{TCP}", "x".repeat(3 * BUFFER));
    let (out, result) = shown(&endless, false);
    assert!(matches!(result, Err(ConnectionsError::Unreadable(1))));
    assert_eq!(rows(&out), TCP_SHOWN.repeat(2));
    let (out, result) = shown(TCP.trim_end(), false);
    assert!(result.is_ok());
    assert_eq!(rows(&out), TCP_SHOWN);
}

/// Nothing has a name, but that is not known before.
struct Nameless;

impl Names for Nameless {
    fn host(&self, _: &IpAddr) -> Option<&[u8]> {
        None
    }

    fn service(&self, _: u16, _: Protocol) -> Option<&[u8]> {
        None
    }
}

fn is_plain(row: &[u8]) -> bool {
    conntab::plain(row).is_some()
}

/// What is printed by a short way is what would be printed without it.
fn same_either_way(row: &[u8]) {
    let rows = [row, TCP.as_bytes()].concat();
    for with_pe in [false, true] {
        let plain = bytes_shown(&rows, with_pe, &mut Numeric);
        let wanted = bytes_shown(&rows, with_pe, &mut Nameless);
        assert_eq!(format!("{:?}", plain.1), format!("{:?}", wanted.1));
        assert!(plain.0 == wanted.0, "{}", row.escape_ascii());
    }
}

#[test]
fn plain_rows_are_printed_as_any_row_is() {
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let mut endpoint = || {
            let address = random.below(1 << 16) << 16 | random.below(1 << 16);
            let address = address >> random.below(32);
            let port = random.below(1 << 16) >> random.below(16);
            format!("{address:08X} {port:04X}")
        };
        let endpoints = [endpoint(), endpoint(), endpoint()].join(" ");
        let protocol = ["TCP", "UDP", "IP", "X"][random.below(4)];
        let state = ["NONE", "ESTABLISHED", "SYNACK"][random.below(3)];
        let expires = random.below(1_000_000) >> random.below(20);
        let row = format!("{protocol:3} {endpoints} {state:11} {expires:7}\n");
        assert!(is_plain(row.as_bytes()), "{row}");
        same_either_way(row.as_bytes());
    }
}

#[test]
fn what_is_hardly_plain_is_read_as_any_row_is() {
    let short = "IP  0A000009 0000 00000001 0000 0A000002 0000 NONE         360000\n";
    for known in [TCP.as_bytes(), short.as_bytes()] {
        let mut plain = 0;
        for at in 0..known.len() {
            for byte in 0..=255 {
                let mut row = known.to_vec();
                row[at] = byte;
                plain += usize::from(is_plain(&row));
                same_either_way(&row);
            }
            assert!(!is_plain(&known[..at]));
        }
        assert!((1_000..10_000).contains(&plain), "{plain}");
    }
}

#[test]
fn an_empty_file_is_no_table() {
    let result = connections(&b""[..], &mut Vec::new(), &mut Numeric, false);
    assert!(matches!(result, Err(ConnectionsError::Empty)));
}

#[test]
fn a_writer_that_fails_ends_it() {
    let table = format!("{TITLES}{TCP}");
    let mut room = [0; 120];
    let result = connections(table.as_bytes(), &mut &mut room[..], &mut Numeric, false);
    assert!(matches!(result, Err(ConnectionsError::Write(_))));
}

#[test]
fn names_stand_in_the_columns() {
    let table = format!("{TITLES}{TCP}IP  0A000009 0000 00000001 0000 0A000002 0000 NONE 1\n");
    let mut out = Vec::new();
    connections(table.as_bytes(), &mut out, &mut Named("a"), false).unwrap();
    assert_eq!(
        rows(&String::from_utf8(out).unwrap()),
        "TCP 14:59  ESTABLISHED a:http             a:http             a:http\n\
         IP  00:01  NONE        a:0                a:0                a:0\n"
    );
}
