//! /proc/net/ip_vs_status: how full the connection table is. Linux has it since
//! 7.2, and only root may read it.

use super::text::line;
use super::{malformed, read_net_file};
use ipvs::Namespace;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{char, u64 as number};
use nom::multi::many0;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use std::io;

/// The kernel tells apart buckets without an entry, with one to six of them, and
/// with more.
pub const CHAINS: usize = 8;

/// What is known of the table of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Connections and templates.
    pub connections: u64,
    /// How many buckets have 0, 1, 2 and so on entries. A connection that is
    /// masqueraded has two. `None` if the table grew while they were counted.
    pub buckets: Option<[u64; CHAINS]>,
}

/// Where the kernel has it.
pub const STATUS: &str = "/proc/net/ip_vs_status";

/// The status of `namespace`; `None` where the kernel has none, or does not show
/// it to this user.
pub fn status(namespace: &Namespace) -> io::Result<Option<Status>> {
    let text = match read_net_file(namespace, "ip_vs_status") {
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Ok(None),
                _ => Err(error),
            };
        }
        Ok(text) => text,
    };
    parse(&text).map(Some).ok_or_else(malformed)
}

/// Lines of a name and a number, after which there may be more.
fn parse(text: &[u8]) -> Option<Status> {
    let name = terminated(take_till(|byte| byte == b':' || byte == b'\n'), char(':'));
    let value = preceded(char('\t'), terminated(number, line));
    let (rest, lines) = many0((name, value)).parse(text).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let mut connections = None;
    let mut size = None;
    let mut buckets = [0; CHAINS];
    let mut counted = false;
    for (name, value) in lines {
        match name {
            b"Conns" => connections = Some(value),
            b"Conn buckets" => size = Some(value),
            b"Conn buckets empty" => {
                buckets[0] = value;
                counted = true;
            }
            name => {
                if let Ok((b"", length)) = length(name) {
                    *buckets.get_mut(length)? = value;
                }
            }
        }
    }
    let connections = connections?;
    // Those of a table without connections are not counted.
    if connections == 0 && !counted {
        buckets[0] = size?;
        counted = true;
    }
    Some(Status {
        connections,
        buckets: counted.then_some(buckets),
    })
}

/// `Conn buckets len-2`: how many entries these buckets have.
fn length(name: &[u8]) -> IResult<&[u8], usize> {
    let (rest, length) = preceded(tag("Conn buckets len-"), number).parse(name)?;
    Ok((rest, usize::try_from(length).unwrap_or(CHAINS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Conns:\t7
Conn buckets:\t256 (8 bits, lfactor -4)
Conn buckets empty:\t243 (94%)
Conn buckets len-1:\t11 (92%)
Conn buckets len-2:\t1 (7%)
Conn buckets len-7:\t1 (7%)
Services:\t10
Service buckets:\t128 (7 bits, lfactor -3)
Service buckets empty:\t119 (92%)
Service buckets len-1:\t8 (88%)
Stats thread slots:\t1 (max 8)
";

    #[test]
    fn connections_and_buckets_are_read() {
        let status = parse(TEXT.as_bytes()).unwrap();
        assert_eq!(status.connections, 7);
        assert_eq!(status.buckets, Some([243, 11, 1, 0, 0, 0, 0, 1]));
    }

    #[test]
    fn a_table_without_connections_has_empty_buckets() {
        let text = "Conns:\t0\nConn buckets:\t256 (8 bits, lfactor -4)\nServices:\t0\n";
        let status = parse(text.as_bytes()).unwrap();
        assert_eq!(status.buckets, Some([256, 0, 0, 0, 0, 0, 0, 0]));
    }

    #[test]
    fn buckets_that_were_not_counted_are_not_told() {
        let text = "Conns:\t9\nConn buckets:\t256 (8 bits, lfactor -4)\nServices:\t0\n";
        let status = parse(text.as_bytes()).unwrap();
        assert_eq!((status.connections, status.buckets), (9, None));
    }

    #[test]
    fn what_is_not_a_status_is_refused() {
        for text in [
            "",
            "Services:\t10\n",
            "Conns:\tx\n",
            "Conns:\t7",
            "Conns 7\n",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        let long = TEXT.replace("len-7", "len-8");
        assert_eq!(parse(long.as_bytes()), None);
    }
}
