//! Which command takes which options.
//!
//! An option is needed, allowed, or one of several that exclude each other, for
//! a command or for a type of tunnel. The check goes through the options in
//! table order and stops at the first mistake, since scripts see that message.

use super::error::{Taker, UsageError};
use super::options::{CommandName, Opt, OptSet, TunnelType};

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
    /// These and more that may be there.
    const fn with(self, more: &[Opt]) -> Allowed {
        Allowed {
            may: self.may.union(OptSet::of(more)),
            ..self
        }
    }

    /// Whether `option` may be there.
    pub fn contains(&self, option: Opt) -> bool {
        self.needs
            .union(self.may)
            .union(self.one_of)
            .contains(option)
    }
}

const fn allowed(needs: &[Opt], may: &[Opt], one_of: &[Opt]) -> Allowed {
    Allowed {
        needs: OptSet::of(needs),
        may: OptSet::of(may),
        one_of: OptSet::of(one_of),
    }
}

const SERVICE_OPTIONS: &[Opt] = &[
    Opt::Scheduler,
    Opt::Persistent,
    Opt::Netmask,
    Opt::Ops,
    Opt::Pe,
    Opt::SchedFlags,
];
const SERVER_OPTIONS: &[Opt] = &[
    Opt::ForwardingMethod,
    Opt::Weight,
    Opt::UThreshold,
    Opt::LThreshold,
    Opt::TunType,
    Opt::TunPort,
    Opt::TunNocsum,
    Opt::TunCsum,
    Opt::TunRemcsum,
];
const CHECK_OPTIONS: &[Opt] = &[
    Opt::Json,
    Opt::Numeric,
    Opt::RealServer,
    Opt::ForwardingMethod,
    Opt::TunType,
    Opt::TunPort,
    Opt::TunNocsum,
    Opt::TunCsum,
    Opt::TunRemcsum,
];
/// The options of every listing, that of connections included.
const LIST_OPTIONS: &[Opt] = &[
    Opt::Numeric,
    Opt::PersistentConn,
    Opt::Nosort,
    Opt::SyncId,
    Opt::Exact,
    Opt::TunInfo,
    Opt::Json,
    Opt::Watch,
    Opt::Samples,
];
const TABLE_OPTIONS: &[Opt] = &[Opt::Stats, Opt::Rate, Opt::Thresholds, Opt::Openmetrics];
const SAVE_OPTIONS: &[Opt] = &[Opt::Numeric, Opt::All, Opt::Watch, Opt::Samples];
const DAEMON_OPTIONS: &[Opt] = &[
    Opt::McastInterface,
    Opt::SyncId,
    Opt::McastGroup,
    Opt::McastPort,
    Opt::McastTtl,
    Opt::SyncMaxlen,
];
const LISTINGS: &[Opt] = &[
    Opt::Connection,
    Opt::ServiceAddress,
    Opt::Timeout,
    Opt::Daemon,
];

const SERVICE: Allowed = allowed(&[Opt::ServiceAddress], SERVICE_OPTIONS, &[]);
const SERVER: Allowed = allowed(&[Opt::ServiceAddress, Opt::RealServer], SERVER_OPTIONS, &[]);

/// What `--without` can remove.
pub const REMOVABLE: &[Opt] = &[
    Opt::Persistent,
    Opt::Netmask,
    Opt::Ops,
    Opt::Pe,
    Opt::SchedFlags,
];

/// The options of everything that speaks to the kernel.
const ANY_OPTIONS: OptSet = OptSet::of(&[Opt::Netns]);

/// The options of `-L -c`, where one of them is ours: other listings do not take
/// them, and C ipvsadm has its own words for those that are its own.
pub const CONNECTION_OPTIONS: Allowed = allowed(&[Opt::Connection], LIST_OPTIONS, &[]).with(&[
    Opt::Netns,
    Opt::ServiceAddress,
    Opt::RealServer,
    Opt::Client,
    Opt::State,
    Opt::By,
    Opt::Top,
]);

/// The options of `command`; for `-L -c`, see also [`CONNECTION_OPTIONS`].
pub fn allowed_with(command: CommandName) -> Allowed {
    use CommandName as C;
    let own = match command {
        C::AddService => const { SERVICE.with(&[Opt::Keep, Opt::Without, Opt::Ensure]) },
        C::EditService => const { SERVICE.with(&[Opt::Keep, Opt::Without]) },
        C::DeleteService => const { allowed(&[Opt::ServiceAddress], &[Opt::Ensure], &[]) },
        C::AddServer => const { SERVER.with(&[Opt::Keep, Opt::Ensure]) },
        C::EditServer => const { SERVER.with(&[Opt::Keep]) },
        C::DeleteServer => {
            const {
                let may = &[Opt::Drain, Opt::Ensure];
                allowed(&[Opt::ServiceAddress, Opt::RealServer], may, &[])
            }
        }
        C::List => const { allowed(&[], LIST_OPTIONS, LISTINGS).with(TABLE_OPTIONS) },
        C::Zero => const { allowed(&[], &[Opt::ServiceAddress], &[]) },
        C::Save => const { allowed(&[], SAVE_OPTIONS, &[]) },
        C::Check => const { allowed(&[], &[Opt::ServiceAddress, Opt::Numeric, Opt::Json], &[]) },
        C::CheckRealServer => const { allowed(&[Opt::ServiceAddress], CHECK_OPTIONS, &[]) },
        C::Restore => const { allowed(&[], &[Opt::Replace, Opt::DryRun], &[]) },
        C::StartDaemon => const { allowed(&[], DAEMON_OPTIONS, &[]) },
        C::StopDaemon => const { allowed(&[], &[Opt::SyncId], &[]) },
        C::Flush | C::Set => const { allowed(&[], &[], &[]) },
        C::Help | C::Version => return const { allowed(&[], &[], &[]) },
    };
    Allowed {
        may: own.may.union(ANY_OPTIONS),
        ..own
    }
}

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
        TunnelType::Ipip => allowed(&[], &[], &[]),
        TunnelType::Gue => allowed(&[Opt::TunPort], &[], CHECKSUMS),
        TunnelType::Gre => allowed(&[], &[], &[Opt::TunNocsum, Opt::TunCsum]),
    }
}

/// Checks the options `given` to `command`.
pub fn check_command(command: CommandName, given: OptSet) -> Result<(), UsageError> {
    let options = || Opt::ALL.iter().copied();
    let taker = Taker::Command(command);
    match check(allowed_with(command), options(), given, taker) {
        Err(refused) if command == CommandName::List && given.contains(Opt::Connection) => {
            check(CONNECTION_OPTIONS, options(), given, taker).map_err(|_| refused)?;
        }
        result => result?,
    }
    let adds = matches!(command, CommandName::AddService | CommandName::AddServer);
    if adds && given.contains(Opt::Keep) && !given.contains(Opt::Ensure) {
        return Err(UsageError::IllegalOption(Opt::Keep, taker));
    }
    if given.contains(Opt::Without) && !given.contains(Opt::Keep) {
        return Err(UsageError::MissingOption(Opt::Keep, taker));
    }
    Ok(())
}

/// Checks the tunnel options among `given` for a tunnel of type `tunnel`.
pub fn check_tunnel(tunnel: TunnelType, given: OptSet) -> Result<(), UsageError> {
    let details = Opt::ALL.iter().copied();
    let details = details.filter(|option| TUNNEL_DETAILS.contains(*option));
    check(allowed_in(tunnel), details, given, Taker::Tunnel(tunnel))
}

fn check(
    allowed: Allowed,
    options: impl Iterator<Item = Opt>,
    given: OptSet,
    taker: Taker,
) -> Result<(), UsageError> {
    // Fast path: nothing illegal or missing.
    if given.is_subset(allowed.needs.union(allowed.may)) && allowed.needs.is_subset(given) {
        return Ok(());
    }
    let mut chosen: Option<Opt> = None;
    for option in options {
        if !given.contains(option) {
            if allowed.needs.contains(option) {
                return Err(UsageError::MissingOption(option, taker));
            }
        } else if allowed.one_of.contains(option) {
            if let Some(first) = chosen.replace(option) {
                return Err(UsageError::Conflict(first, option, taker));
            }
        } else if !allowed.contains(option) {
            return Err(UsageError::IllegalOption(option, taker));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(result: Result<(), UsageError>) -> String {
        result.map_or_else(|c| c.to_string(), |()| String::new())
    }

    #[test]
    fn the_first_thing_wrong_in_table_order_is_named() {
        let given = OptSet::of(&[Opt::SchedFlags]);
        assert_eq!(
            said(check_command(CommandName::DeleteService, given)),
            "You need to supply the 'service-address' option for the 'delete-service' command"
        );
        let given = OptSet::of(&[Opt::Timeout, Opt::Daemon]);
        assert_eq!(
            said(check_command(CommandName::List, given)),
            "The option 'daemon' conflicts with the 'timeout' option in the 'list' command"
        );
    }

    #[test]
    fn a_tunnel_type_takes_its_own_options() {
        let port = OptSet::of(&[Opt::TunType, Opt::TunPort]);
        assert_eq!(
            said(check_tunnel(TunnelType::Ipip, port)),
            "Illegal 'tun-port' option with the 'ipip' tunnel type"
        );
        assert_eq!(
            said(check_tunnel(TunnelType::Gue, OptSet::default())),
            "You need to supply the 'tun-port' option for the 'gue' tunnel type"
        );
        assert_eq!(said(check_tunnel(TunnelType::Gue, port)), "");
    }

    #[test]
    fn every_option_belongs_to_a_command() {
        for option in Opt::ALL {
            let taken = CommandName::ALL
                .iter()
                .any(|command| allowed_with(*command).contains(*option))
                || CONNECTION_OPTIONS.contains(*option);
            assert!(taken, "no command takes {}", option.name());
        }
    }
}
