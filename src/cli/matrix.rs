//! Which options go together.
//!
//! An option is needed, allowed, or one of several that exclude each other, for
//! a command or for a type of tunnel. The check goes through the options in the
//! order of [`Opt`] and stops at the first mistake, since scripts see that
//! message. What a command takes stands in the option table.

use super::error::{Context, UsageError};
use super::opt::{Opt, OptSet};
use crate::cli::opt::TunnelType;

/// The options of one command or one tunnel type; all others are illegal.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Options that must be there.
    pub needs: OptSet,
    /// Options that may be there.
    pub may: OptSet,
    /// Options of which at most one may be there.
    pub one_of: OptSet,
}

impl Allowed {
    /// No options.
    pub const NOTHING: Allowed = allowed(&[], &[]);

    /// Whether `option` may be there.
    pub fn contains(&self, option: Opt) -> bool {
        self.needs
            .union(self.may)
            .union(self.one_of)
            .contains(option)
    }

    /// The same, with `option` illegal.
    pub const fn without(self, option: Opt) -> Allowed {
        Allowed {
            needs: self.needs.without(option),
            may: self.may.without(option),
            one_of: self.one_of.without(option),
        }
    }

    /// Checks the options `given` in `context`.
    pub fn check(&self, given: OptSet, context: Context) -> Result<(), UsageError> {
        check(self, Opt::ALL.iter().copied(), given, context)
    }
}

const fn allowed(needs: &[Opt], one_of: &[Opt]) -> Allowed {
    Allowed {
        needs: OptSet::of(needs),
        may: OptSet::of(&[]),
        one_of: OptSet::of(one_of),
    }
}

/// What `--without` can remove.
pub const REMOVABLE: [Opt; 5] = [
    Opt::Persistent,
    Opt::Netmask,
    Opt::Ops,
    Opt::Pe,
    Opt::SchedFlags,
];

const CHECKSUMS: &[Opt] = &[Opt::TunNocsum, Opt::TunCsum, Opt::TunRemcsum];

/// The options of which at most one says what a tunnel's header carries.
pub const CHECKSUM_OPTIONS: OptSet = OptSet::of(CHECKSUMS);

/// The options that describe a tunnel.
pub const TUNNEL_OPTIONS: OptSet =
    OptSet::of(&[Opt::TunType, Opt::TunPort]).union(OptSet::of(CHECKSUMS));

/// The tunnel options that depend on the type of the tunnel.
const TUNNEL_DETAILS: OptSet = OptSet::of(&[Opt::TunPort]).union(OptSet::of(CHECKSUMS));

fn allowed_in(tunnel: TunnelType) -> Allowed {
    match tunnel {
        TunnelType::Ipip => Allowed::NOTHING,
        TunnelType::Gue => allowed(&[Opt::TunPort], CHECKSUMS),
        TunnelType::Gre => allowed(&[], &[Opt::TunNocsum, Opt::TunCsum]),
    }
}

/// Checks the tunnel options among `given` for a tunnel of type `tunnel`.
pub fn check_tunnel(tunnel: TunnelType, given: OptSet) -> Result<(), UsageError> {
    let details = Opt::ALL.iter().copied();
    let details = details.filter(|option| TUNNEL_DETAILS.contains(*option));
    check(&allowed_in(tunnel), details, given, Context::Tunnel(tunnel))
}

fn check(
    allowed: &Allowed,
    options: impl Iterator<Item = Opt>,
    given: OptSet,
    context: Context,
) -> Result<(), UsageError> {
    // Fast path: nothing illegal or missing.
    if given.is_subset(allowed.needs.union(allowed.may)) && allowed.needs.is_subset(given) {
        return Ok(());
    }
    let mut chosen: Option<Opt> = None;
    for option in options {
        if !given.contains(option) {
            if allowed.needs.contains(option) {
                return Err(UsageError::MissingOption(option, context));
            }
        } else if allowed.one_of.contains(option) {
            if let Some(first) = chosen.replace(option) {
                return Err(UsageError::Conflict(first, option, context));
            }
        } else if !allowed.contains(option) {
            return Err(UsageError::IllegalOption(option, context));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_type_takes_its_own_options() {
        let said = |tunnel, given| check_tunnel(tunnel, given).map_err(|error| error.to_string());
        let port = OptSet::of(&[Opt::TunType, Opt::TunPort]);
        assert_eq!(
            said(TunnelType::Ipip, port),
            Err("Illegal 'tun-port' option with the 'ipip' tunnel type".into())
        );
        assert_eq!(
            said(TunnelType::Gue, OptSet::default()),
            Err("You need to supply the 'tun-port' option for the 'gue' tunnel type".into())
        );
        assert_eq!(said(TunnelType::Gue, port), Ok(()));
    }
}
