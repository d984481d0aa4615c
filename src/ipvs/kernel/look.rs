//! What became of a change whose answer did not arrive: a look at the table.
//!
//! The table shows what is, not who made it so: something that was there before
//! in exactly this way counts as made, and something deleted that never was as
//! deleted.

use super::error::{Errno, KernelError};
use super::listing::Listings;
use super::transport::Transport;
use crate::model::{Change, ServerConfig, ServerKey, ServiceConfig, ServiceKey};
use crate::wire::{Request, parse_service, parse_timeouts};

/// Whether the table is as `change` makes it; `None` if it cannot be told.
pub(super) fn is_made(
    transport: &mut Transport,
    listings: &mut Listings,
    change: &Change,
) -> Option<bool> {
    match change {
        Change::AddService(key, config) | Change::EditService(key, config) => {
            let present = service(transport, key)?;
            Some(present.is_some_and(|present| present.is_same(config)))
        }
        Change::DeleteService(key) => Some(service(transport, key)?.is_none()),
        Change::Flush => Some(listings.services(transport).ok()?.is_empty()),
        Change::AddServer(key, server, config) | Change::EditServer(key, server, config) => {
            let present = self::server(transport, listings, key, server)?;
            Some(present.is_some_and(|present| present.is_same(config)))
        }
        Change::DeleteServer(key, server) => {
            Some(self::server(transport, listings, key, server)?.is_none())
        }
        // Counters that are 0 need not have been reset, and others may have been.
        Change::Zero(_) => None,
        Change::SetTimeouts(wanted) => {
            let parse = |attributes: &[u8]| Some(parse_timeouts(attributes));
            let now = transport.ask(Request::Timeouts, parse).ok()?;
            let is_so = |wanted, now| wanted == 0 || wanted == now;
            Some(
                is_so(wanted.tcp, now.tcp)
                    && is_so(wanted.tcp_fin, now.tcp_fin)
                    && is_so(wanted.udp, now.udp),
            )
        }
        Change::StartDaemon(daemon) => {
            let running = listings.daemons(transport).ok()?;
            let mut same = running.iter().filter(|now| now.role == daemon.role);
            Some(same.any(|now| now.config.is_as_asked(&daemon.config)))
        }
        Change::StopDaemon(daemon) => {
            let running = listings.daemons(transport).ok()?;
            Some(running.iter().all(|now| now.role != daemon.role))
        }
    }
}

/// The set-up of a service, if there is one of that name.
fn service(transport: &mut Transport, key: &ServiceKey) -> Option<Option<ServiceConfig>> {
    match transport.ask(Request::Service(*key), parse_service) {
        Ok(service) => Some(Some(service.config)),
        Err(KernelError::Refused(Errno(libc::ESRCH))) => Some(None),
        Err(_) => None,
    }
}

fn server(
    transport: &mut Transport,
    listings: &mut Listings,
    service: &ServiceKey,
    key: &ServerKey,
) -> Option<Option<ServerConfig>> {
    let mut servers = Vec::new();
    match listings.servers(transport, service, &mut servers) {
        Err(error) if !error.is_absence() => None,
        _ => {
            let found = servers.iter().find(|server| server.key == *key);
            Some(found.map(|server| server.config))
        }
    }
}

/// Whether a look after all changes in `later` can show what became of `change`.
pub(super) fn can_show(change: &Change, later: &[Change]) -> bool {
    !matches!(change, Change::Zero(_)) && !later.iter().any(|later| hides(later, change))
}

/// Whether `later` can alter what a look would have shown of `change`.
fn hides(later: &Change, change: &Change) -> bool {
    use Change::*;
    let of_service = |change: &Change| match change {
        AddService(key, _) | EditService(key, _) | DeleteService(key) => Some(*key),
        _ => None,
    };
    let of_server = |change: &Change| match change {
        AddServer(key, server, _) | EditServer(key, server, _) | DeleteServer(key, server) => {
            Some((*key, *server))
        }
        _ => None,
    };
    match (later, change) {
        (Zero(_), _) => false,
        (SetTimeouts(_), SetTimeouts(_)) => true,
        (StartDaemon(a) | StopDaemon(a), StartDaemon(b) | StopDaemon(b)) => a.role == b.role,
        (Flush, _) => of_service(change).is_some() || of_server(change).is_some(),
        (AddService(..), Flush) => true,
        _ => match (of_service(later), of_server(later)) {
            (Some(key), _) => {
                of_service(change) == Some(key)
                    || of_server(change).is_some_and(|(service, _)| service == key)
            }
            (_, Some(server)) => of_server(change) == Some(server),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, Forwarding, Protocol};

    #[test]
    fn later_changes_of_the_same_thing_hide_what_became_of_a_change() {
        let service = |port| {
            let at = std::net::SocketAddr::from(([192, 0, 2, 1], port));
            ServiceKey::new(Protocol::Tcp, at)
        };
        let server = |host| ServerKey::from(std::net::SocketAddr::from(([10, 0, 0, host], 80)));
        let config = ServerConfig::new(Forwarding::Masq);
        let add_service =
            |port| Change::AddService(service(port), ServiceConfig::new("rr", Family::Inet));
        let add_server = |port, host| Change::AddServer(service(port), server(host), config);
        for (change, later, hidden) in [
            (add_service(80), add_server(80, 1), false),
            (add_service(80), add_service(81), false),
            (add_service(80), Change::DeleteService(service(80)), true),
            (add_service(80), Change::Flush, true),
            (add_server(80, 1), add_server(80, 2), false),
            (add_server(80, 1), add_server(81, 1), false),
            (add_server(80, 1), add_server(80, 1), true),
            (add_server(80, 1), Change::DeleteService(service(80)), true),
            (add_server(80, 1), Change::Zero(None), false),
            (Change::Flush, add_service(80), true),
            (Change::Flush, add_server(80, 1), false),
        ] {
            assert_eq!(hides(&later, &change), hidden, "{change:?} {later:?}");
        }
    }
}
