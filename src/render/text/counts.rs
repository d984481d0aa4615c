//! `-L -c --by`: how many connections there are of each kind.

use super::Text;
use super::endpoint::{IPV6_LIMIT, endpoint};
use crate::connections::{Count, Endpoint, Key, KeyValue, Keys};
use crate::render::buffer::Buffer;
use crate::render::words::count;
use crate::render::{Rest, address};
use crate::selection::Network;
use ipvs::Protocol;

const CONNECTIONS: &str = "connections";
const TEMPLATES: &str = "templates";
const PROTOCOL_WIDTH: usize = 4;

fn width(key: Key) -> usize {
    match key {
        Key::Service => 26,
        Key::Server => 21,
        Key::Host | Key::Client(_) => 18,
        Key::State => 11,
        Key::Protocol => 8,
        Key::Origin => 6,
    }
}

impl Text<'_> {
    /// The line of titles.
    pub(super) fn count_titles(&self, out: &mut Buffer, keys: Keys) {
        out.text(CONNECTIONS);
        out.text("  ");
        out.text(TEMPLATES);
        self.columns(out, keys.iter().map(|key| (key, key)), |_, out, key| {
            out.text(key.name());
        });
    }

    /// How many connections have `common` in common.
    pub(super) fn count_row(&self, out: &mut Buffer, count: Count, common: &[KeyValue]) {
        numbers(out, count);
        let cells = common.iter().map(|common| (common.key(), common));
        self.columns(out, cells, |text, out, common| text.common(out, common));
    }

    /// How many there are that have no row, and how many in all.
    pub(super) fn count_total(&self, out: &mut Buffer, rest: Option<Rest>, total: Count) {
        if let Some(rest) = rest {
            numbers(out, rest.count);
            out.text("  the rest, ");
            out.text(count(rest.groups, "row"));
            out.end_line();
        }
        numbers(out, total);
        out.text("  total");
        out.end_line();
    }

    /// Cells of the widths of their keys, and the end of the line.
    fn columns<T>(
        &self,
        out: &mut Buffer,
        cells: impl Iterator<Item = (Key, T)>,
        write: impl Fn(&Self, &mut Buffer, T),
    ) {
        let mut padded = out.len();
        for (key, cell) in cells {
            out.blanks(padded.saturating_sub(out.len()));
            out.text("  ");
            padded = out.len() + width(key);
            write(self, out, cell);
        }
        out.end_line();
    }

    fn common(&self, out: &mut Buffer, common: &KeyValue) {
        match common {
            KeyValue::Service(at, name) => {
                out.column(name.as_bytes(), PROTOCOL_WIDTH);
                self.endpoint_of(out, Protocol::from_kernel_name(name.as_bytes()), at);
            }
            KeyValue::Server(at) => self.endpoint_of(out, None, at),
            KeyValue::Host(address) => self.network(out, &Network::host(*address)),
            KeyValue::Client(network) => self.network(out, network),
            KeyValue::State(name) | KeyValue::Protocol(name) => out.text(name.as_bytes()),
            KeyValue::Origin(origin) => out.text(origin.name()),
        }
    }

    fn endpoint_of(&self, out: &mut Buffer, protocol: Option<Protocol>, at: &Endpoint) {
        let names = self.names.as_deref();
        endpoint(out, names, protocol, &at.address, at.port, IPV6_LIMIT);
    }

    fn network(&self, out: &mut Buffer, network: &Network) {
        let names = self.names.as_deref();
        let address = network.first();
        match network.prefix() {
            Some(prefix) => {
                address::address(out, &address);
                out.push(b'/');
                out.number(prefix);
            }
            None => match names.and_then(|names| names.host(&address)) {
                Some(name) => out.text(name),
                None => address::address(out, &address),
            },
        }
    }
}

fn numbers(out: &mut Buffer, count: Count) {
    out.right_number(count.connections, CONNECTIONS.len());
    out.text("  ");
    out.right_number(count.templates, TEMPLATES.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Style;
    use crate::render::sample::{Named, written};

    fn endpoint(address: &str, port: u16) -> Endpoint {
        Endpoint {
            address: address.parse().unwrap(),
            port,
        }
    }

    fn all() -> [KeyValue; 5] {
        [
            KeyValue::Service(endpoint("10.0.0.1", 80), "TCP".into()),
            KeyValue::Client(Network::of([10, 0, 1, 0].into(), 24)),
            KeyValue::Server(endpoint("2001:db8::1", 8080)),
            KeyValue::State("ESTABLISHED".into()),
            KeyValue::Protocol("TCP".into()),
        ]
    }

    #[test]
    fn counts_stand_before_what_they_count() {
        let text = Text::new(Style::default(), None);
        let mut keys = Keys::default();
        assert!(all().iter().all(|common| keys.insert(common.key())));
        let count = |connections, templates| Count {
            connections,
            templates,
        };
        let shown = written(|out| {
            text.count_titles(out, keys);
            text.count_row(out, count(12, 3), &all());
            let rest = Rest {
                groups: 2,
                count: count(4, 0),
            };
            text.count_total(out, Some(rest), count(16, 3));
        });
        assert_eq!(
            shown,
            "connections  templates  service                     client              \
             server                 state        protocol\n         \
             12          3  TCP  10.0.0.1:80            10.0.1.0/24         \
             [2001:db8::1]:8080     ESTABLISHED  TCP\n          \
             4          0  the rest, 2 rows\n         \
             16          3  total\n"
        );
    }

    #[test]
    fn names_are_those_of_hosts_and_never_of_networks() {
        let mut named = Named("a");
        let text = Text::new(Style::default(), Some(&mut named));
        let said = |common: KeyValue| written(|out| text.common(out, &common));
        assert_eq!(
            all().map(said),
            [
                "TCP  a:http",
                "10.0.1.0/24",
                "[a]:8080",
                "ESTABLISHED",
                "TCP"
            ]
        );
        let client = KeyValue::Client(Network::host([10, 0, 1, 1].into()));
        assert_eq!(said(client), "a");
    }
}
