//! Commands that succeed, although what was asked for can hardly be meant.

use super::typed::{Asked, host};
use super::{are_wanted, print};
use crate::cli::opt::{CommandName, Opt};
use crate::cli::patch::Desired;
use crate::cli::{Action, Command, Invocation};
use ipvs::{Change, Netmask, ServerKey};
use std::net::Ipv4Addr;

/// What is doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// A persistence mask whose bits are not contiguous.
    Mask(Ipv4Addr),
    /// The port of the server is not the one typed.
    Port(u16),
}

/// Prints a hint on what `asked` for can hardly mean, after it was done. This runs
/// after every command that succeeds: it must cost nothing.
#[inline]
pub fn doubt(invocation: &Invocation, words: &[&[u8]]) {
    if let Some(doubt) = of(invocation) {
        explain(
            doubt,
            &Asked {
                words,
                meaning: Some(invocation),
            },
        );
    }
}

fn of(invocation: &Invocation) -> Option<Doubt> {
    let action = match &invocation.command {
        Command::Action(action) => action,
        Command::Reach { desired, .. } => return reached(invocation, desired),
        _ => return None,
    };
    match action {
        Action::Change(Change::AddService(_, config) | Change::EditService(_, config)) => {
            mask(config.netmask)
        }
        Action::Change(Change::AddServer(_, server, _) | Change::EditServer(_, server, _)) => {
            port(invocation, server)
        }
        Action::Reach(desired) => reached(invocation, desired),
        _ => None,
    }
}

fn reached(invocation: &Invocation, desired: &Desired) -> Option<Doubt> {
    match desired {
        Desired::Service(_, settings) => mask(settings.netmask()?),
        Desired::Server(_, server, _) => port(invocation, server),
        Desired::NoService(_) | Desired::NoServer(..) => None,
    }
}

fn mask(mask: Netmask) -> Option<Doubt> {
    match mask {
        Netmask::V4(mask) if !is_contiguous(mask) => Some(Doubt::Mask(mask)),
        _ => None,
    }
}

fn is_contiguous(mask: Ipv4Addr) -> bool {
    let bits = mask.to_bits();
    bits.leading_ones() + bits.trailing_zeros() >= u32::BITS
}

/// Direct routing and tunnels have taken the port of the service.
fn port(invocation: &Invocation, server: &ServerKey) -> Option<Doubt> {
    match invocation.server_port {
        Some(typed) if typed != 0 && typed != server.port => Some(Doubt::Port(server.port)),
        _ => None,
    }
}

#[cold]
fn explain(doubt: Doubt, asked: &Asked) {
    if are_wanted() {
        print(&match doubt {
            Doubt::Mask(mask) => of_mask(mask, asked),
            Doubt::Port(port) => of_port(port, asked),
        });
    }
}

fn of_mask(mask: Ipv4Addr, asked: &Asked) -> String {
    let typed = asked.value(Opt::Netmask).unwrap_or_default();
    // Whoever writes these means the first bits, or all but them.
    let length = match typed.parse() {
        Ok(length @ 1..=32) => Some(length),
        _ if is_contiguous(!mask) => Some((!mask).to_bits().leading_ones()),
        _ => completed(&typed),
    };
    let said = match typed.parse::<Ipv4Addr>() {
        Ok(_) => format!("the bits of the mask {mask} are not contiguous"),
        Err(_) => format!("the mask is {mask}"),
    };
    match length {
        Some(length) => {
            let right = Ipv4Addr::from_bits(u32::MAX << (32 - length));
            format!("{said}; for a /{length} write {right}")
        }
        None => said,
    }
}

/// The length of a mask whose last numbers were left out.
fn completed(typed: &str) -> Option<u32> {
    let missing = 3_usize.checked_sub(typed.matches('.').count())?;
    let mask: Ipv4Addr = (typed.to_owned() + &".0".repeat(missing)).parse().ok()?;
    (missing > 0 && is_contiguous(mask)).then(|| mask.to_bits().leading_ones())
}

fn of_port(port: u16, asked: &Asked) -> String {
    let (why, server) = (no_port(asked), with_port(port, asked));
    match asked.command() {
        Some(CommandName::EditServer) => format!("{why}: what was changed is {server}"),
        _ => format!("{why}: added as {server} (-m can change them)"),
    }
}

/// Why the port of a server is that of the service.
pub fn no_port(asked: &Asked) -> &'static str {
    match asked.option(Opt::ForwardingMethod) {
        Some(option) if option.row.short == Some(b'i') => "a tunnel does not change ports",
        _ => "direct routing does not change ports",
    }
}

/// The server that was named, with this `port`.
pub fn with_port(port: u16, asked: &Asked) -> String {
    let typed = asked.value(Opt::RealServer).unwrap_or_default();
    format!("{}:{port}", host(&typed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse;
    use crate::names::NoLookup;

    fn doubted(line: &str) -> Option<String> {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        let invocation = parse(b"ipvsadm", &words, false, &mut NoLookup).expect(line);
        let asked = Asked {
            words: &words,
            meaning: Some(&invocation),
        };
        of(&invocation).map(|doubt| match doubt {
            Doubt::Mask(mask) => of_mask(mask, &asked),
            Doubt::Port(port) => of_port(port, &asked),
        })
    }

    #[test]
    fn contiguous_masks_are_not_doubted() {
        for (mask, said) in [
            (
                "24",
                Some("the mask is 0.0.0.24; for a /24 write 255.255.255.0"),
            ),
            (
                "32",
                Some("the mask is 0.0.0.32; for a /32 write 255.255.255.255"),
            ),
            (
                "255.255.255",
                Some("the mask is 255.255.0.255; for a /24 write 255.255.255.0"),
            ),
            (
                "255.255.0.255",
                Some("the bits of the mask 255.255.0.255 are not contiguous"),
            ),
            (
                "0.0.0.255",
                Some(
                    "the bits of the mask 0.0.0.255 are not contiguous; for a /24 write 255.255.255.0",
                ),
            ),
            ("255.255.255.0", None),
            ("255.255.255.255", None),
            ("128.0.0.0", None),
            ("0.0.0.0", None),
        ] {
            for command in ["-A", "-E", "-E --keep", "-A --ensure", "-A --ensure --json"] {
                let line = format!("{command} -t 10.0.0.1:80 -p -M {mask}");
                assert_eq!(doubted(&line).as_deref(), said, "{line}");
            }
        }
        assert_eq!(doubted("-A -t [2001:db8::1]:80 -p -M 24"), None);
        assert_eq!(doubted("-E -t 10.0.0.1:80 --keep -p"), None);
    }

    #[test]
    fn a_port_that_is_dropped_is_doubted() {
        let direct = "direct routing does not change ports: ";
        for (options, said) in [
            (
                "-a -t 10.0.0.1:80 -r 10.0.0.2:8080",
                "added as 10.0.0.2:80 (-m can change them)",
            ),
            (
                "-e -t 10.0.0.1:80 -r 10.0.0.2:8080 -g",
                "what was changed is 10.0.0.2:80",
            ),
            (
                "-a -t [::1]:80 -r [::2]:8080 --ensure",
                "added as [::2]:80 (-m can change them)",
            ),
        ] {
            assert_eq!(
                doubted(options),
                Some(format!("{direct}{said}")),
                "{options}"
            );
        }
        for line in [
            "-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m",
            "-a -t 10.0.0.1:80 -r 10.0.0.2:80",
            "-a -t 10.0.0.1:80 -r 10.0.0.2:0",
            "-a -t 10.0.0.1:80 -r 10.0.0.2",
            "-a -f 1 -r 10.0.0.2:8080",
            "-d -t 10.0.0.1:80 -r 10.0.0.2:8080",
        ] {
            assert_eq!(doubted(line), None, "{line}");
        }
    }
}
