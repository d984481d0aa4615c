//! The columns: what they show, how wide they are, what they sort by.

use ipvsadm::rates::Rates;

/// A column that can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Name,
    Forwarding,
    Weight,
    Upper,
    Lower,
    Services,
    Idle,
    Conns,
    Packets,
    Bytes,
    InPackets,
    OutPackets,
    InBytes,
    OutBytes,
    Active,
    Inactive,
}

use Column::*;

/// Narrower screens have less of them.
pub const WIDE: u16 = 120;

/// The columns for services, on a screen of this width.
pub fn for_services(width: u16) -> &'static [Column] {
    if width < WIDE {
        &[Name, Conns, Packets, Bytes, Active, Inactive]
    } else {
        &[
            Name, Conns, InPackets, OutPackets, InBytes, OutBytes, Active, Inactive,
        ]
    }
}

/// The columns for real servers.
pub fn for_servers(width: u16) -> &'static [Column] {
    if width < WIDE {
        &[
            Name, Forwarding, Weight, Upper, Lower, Conns, Active, Inactive,
        ]
    } else {
        &[
            Name, Forwarding, Weight, Upper, Lower, Conns, InPackets, OutPackets, InBytes,
            OutBytes, Active, Inactive,
        ]
    }
}

/// The columns for the services of a host, whose names are longer.
pub fn for_members(width: u16) -> &'static [Column] {
    if width < WIDE {
        &[Name, Forwarding, Weight, Conns, Active, Inactive]
    } else {
        for_servers(width)
    }
}

/// The columns for hosts.
pub fn for_hosts(width: u16) -> &'static [Column] {
    if width < WIDE {
        &[
            Name, Services, Idle, Conns, Packets, Bytes, Active, Inactive,
        ]
    } else {
        &[
            Name, Services, Idle, Conns, InPackets, OutPackets, InBytes, OutBytes, Active, Inactive,
        ]
    }
}

impl Column {
    pub fn title(self) -> &'static str {
        match self {
            Name => "",
            Forwarding => "Fwd",
            Weight => "Weight",
            Upper => "Upper",
            Lower => "Lower",
            Services => "Svcs",
            Idle => "Wt=0",
            Conns => "Conn/s",
            Packets => "Pkt/s",
            Bytes => "Byte/s",
            InPackets => "InPkt/s",
            OutPackets => "OutPkt/s",
            InBytes => "InB/s",
            OutBytes => "OutB/s",
            Active => "Active",
            Inactive => "InAct",
        }
    }

    /// How wide it is; 0 for the name, which takes what is left.
    pub fn width(self) -> u16 {
        match self {
            Name => 0,
            Forwarding | Weight | Conns | Packets | Bytes | Active | Inactive => 6,
            Upper | Lower | Services | Idle => 5,
            InPackets | OutPackets => 8,
            InBytes | OutBytes => 7,
        }
    }

    /// What it shows of `row`; `None` where that is not a number, or unknown.
    pub fn value(self, row: &Numbers) -> Option<f64> {
        let rate = |of: fn(Rates) -> f64| row.rates.map(of);
        match self {
            Name | Forwarding => None,
            Weight => Some(row.weight),
            Upper => Some(row.upper),
            Lower => Some(row.lower),
            Services => Some(row.services),
            Idle => Some(row.idle),
            Conns => rate(|rates| rates.conns),
            Packets => rate(|rates| rates.in_packets + rates.out_packets),
            Bytes => rate(|rates| rates.in_bytes + rates.out_bytes),
            InPackets => rate(|rates| rates.in_packets),
            OutPackets => rate(|rates| rates.out_packets),
            InBytes => rate(|rates| rates.in_bytes),
            OutBytes => rate(|rates| rates.out_bytes),
            Active => Some(row.active),
            Inactive => Some(row.inactive),
        }
    }

    /// The column that shares are of when the table is sorted by this one.
    pub fn shared(self) -> Column {
        match self {
            Name | Forwarding | Upper | Lower | Services | Idle => Conns,
            other => other,
        }
    }
}

/// The numbers of a service, a server or a host.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    pub rates: Option<Rates>,
    pub active: f64,
    pub inactive: f64,
    pub weight: f64,
    pub upper: f64,
    pub lower: f64,
    pub services: f64,
    pub idle: f64,
}

/// `value` in at most six places: `0.5`, `12`, `99999`, `123K`, `1.23M`.
pub fn short(value: f64) -> String {
    if value.fract() != 0.0 && value < 9.95 {
        return format!("{value:.1}");
    }
    if value < 99_999.5 {
        return format!("{value:.0}");
    }
    let mut value = value;
    let mut unit = "";
    for next in ["K", "M", "G", "T", "P", "E"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let places = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.places$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_their_columns() {
        for (value, text) in [
            (0.0, "0"),
            (0.04, "0.0"),
            (1.5, "1.5"),
            (9.96, "10"),
            (12.4, "12"),
            (99_999.0, "99999"),
            (99_999.9, "100K"),
            (123_456.0, "123K"),
            (999_700.0, "1.00M"),
            (1_234_567.0, "1.23M"),
            (12_345_678.0, "12.3M"),
            (5e9, "5.00G"),
            (1e20, "100E"),
        ] {
            assert_eq!(short(value), text);
        }
        for power in 0..19 {
            for digit in [1.0, 4.567, 9.994, 9.996, 9.9999] {
                let text = short(digit * 10f64.powi(power));
                assert!(text.len() <= 5, "{text}");
            }
        }
    }

    #[test]
    fn columns_leave_room_for_names_and_shares() {
        for (columns, width) in [
            (for_services(80), 80),
            (for_servers(80), 80),
            (for_services(WIDE), WIDE),
            (for_servers(WIDE), WIDE),
            (for_hosts(80), 80),
            (for_hosts(WIDE), WIDE),
        ] {
            let used: u16 = columns.iter().map(|column| column.width() + 1).sum();
            assert!(width - used >= 21 + 11, "{columns:?}");
        }
    }
}
