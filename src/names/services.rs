//! /etc/services.

use ipvs::Protocol;
use nom::bytes::complete::{tag, take_till, take_while, take_while1};
use nom::character::complete::u16 as port_number;
use nom::multi::many0;
use nom::sequence::terminated;
use nom::{IResult, Parser};
use std::collections::HashMap;

/// The names of ports. For each question the first line that answers counts.
#[derive(Debug, Default)]
pub struct Services {
    names: HashMap<(u16, Protocol), Box<[u8]>>,
    ports: HashMap<(Box<[u8]>, Protocol), u16>,
}

impl Services {
    /// The services in `text`; other lines are skipped.
    pub fn parse(text: &[u8]) -> Services {
        let mut services = Services::default();
        for line in text.split(|byte| *byte == b'\n') {
            if let Some((names, port, protocol)) = service(line) {
                services.add(&names, port, protocol);
            }
        }
        services
    }

    fn add(&mut self, names: &[&[u8]], port: u16, protocol: Protocol) {
        if let Some(name) = names.first() {
            self.names
                .entry((port, protocol))
                .or_insert_with(|| (*name).into());
        }
        for name in names {
            self.ports.entry(((*name).into(), protocol)).or_insert(port);
        }
    }

    /// The same without the names that stand for another port.
    pub fn read_back(mut self) -> Services {
        let ports = &self.ports;
        self.names.retain(|(port, protocol), name| {
            // A key of the map owns its name.
            ports.get(&(name.clone(), *protocol)) == Some(port)
        });
        self
    }

    /// The name of a port; aliases are not used.
    pub fn name(&self, port: u16, protocol: Protocol) -> Option<&[u8]> {
        self.names.get(&(port, protocol)).map(|name| &**name)
    }

    /// The port of a name or an alias, capitals as in the file.
    pub fn port(&self, name: &[u8], protocol: Protocol) -> Option<u16> {
        self.ports.get(&(name.into(), protocol)).copied()
    }
}

/// The name with its aliases, the port and the protocol of a line, when IPVS
/// balances that protocol.
fn service(line: &[u8]) -> Option<(Vec<&[u8]>, u16, Protocol)> {
    let (_, line) = before_comment(line).ok()?;
    let (_, (_, name, port, _, protocol, aliases)) =
        (blanks, word, port_number, tag("/"), word, many0(word))
            .parse(line)
            .ok()?;
    let protocol = Protocol::from_name(protocol)?;
    let names = std::iter::once(name).chain(aliases).collect();
    Some((names, port, protocol))
}

fn before_comment(line: &[u8]) -> IResult<&[u8], &[u8]> {
    take_till(|byte| byte == b'#').parse(line)
}

fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(take_while1(|byte| !is_blank(byte)), blanks).parse(input)
}

fn blanks(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while(is_blank).parse(input)
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

#[cfg(test)]
mod tests {
    use super::*;
    use Protocol::{Sctp, Tcp, Udp};

    const TEXT: &[u8] = b"# services\n\
        http\t\t80/tcp\t\twww web # WorldWideWeb\n\
        other 80/tcp\n\
        domain 53/udp\n\
        domain 53/tcp\n\
        \n\
        www 8080/tcp\n\
        diameter 3868/sctp\r\n\
          indented  99/udp alias#comment\n\
        big 65536/tcp\n\
        none/tcp\n\
        raw 7/ddp\n\
        last 70/tcp";

    #[test]
    fn the_first_line_that_answers_counts() {
        let services = Services::parse(TEXT);
        assert_eq!(services.name(80, Tcp), Some(&b"http"[..]));
        assert_eq!(services.name(80, Udp), None);
        assert_eq!(services.name(3868, Sctp), Some(&b"diameter"[..]));
        assert_eq!(services.name(99, Udp), Some(&b"indented"[..]));
        assert_eq!(services.name(70, Tcp), Some(&b"last"[..]));
        assert_eq!(services.name(7, Tcp), None);
        assert_eq!(services.name(0, Tcp), None);
    }

    #[test]
    fn some_names_do_not_lead_back() {
        let text = b"acr-nema 104/tcp dicom\ndicom 11112/tcp\ndicom 11112/udp\n";
        let services = Services::parse(text);
        assert_eq!(services.name(11112, Tcp), Some(&b"dicom"[..]));
        assert_eq!(services.port(b"dicom", Tcp), Some(104));
        let services = services.read_back();
        assert_eq!(services.name(11112, Tcp), None);
        assert_eq!(services.name(11112, Udp), Some(&b"dicom"[..]));
        assert_eq!(services.name(104, Tcp), Some(&b"acr-nema"[..]));
        assert_eq!(services.port(b"dicom", Tcp), Some(104));
    }

    #[test]
    fn names_and_aliases_have_ports() {
        let services = Services::parse(TEXT);
        assert_eq!(services.port(b"http", Tcp), Some(80));
        assert_eq!(services.port(b"www", Tcp), Some(80));
        assert_eq!(services.port(b"alias", Udp), Some(99));
        assert_eq!(services.port(b"HTTP", Tcp), None);
        assert_eq!(services.port(b"http", Udp), None);
        assert_eq!(services.port(b"big", Tcp), None);
        assert_eq!(services.port(b"", Tcp), None);
    }
}
