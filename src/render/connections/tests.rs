//! The table byte by byte, and what happens when it is not as it should be.

use super::super::sample::Named;
use super::*;
use crate::names::Numeric;

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
    let table = format!("{TITLES}{rows}");
    let mut out = Vec::new();
    let input = Pages {
        bytes: table.as_bytes(),
        page: 4092,
    };
    let result = connections(input, &mut out, &mut Numeric, with_pe);
    (String::from_utf8(out).unwrap(), result)
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
