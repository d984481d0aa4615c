//! Why the kernel probably refused, and what to do instead.

use super::doubt::{no_port, with_port};
use super::present;
use super::spelling::{odd_character, single_dash};
use super::typed::Asked;
use crate::cli::near::near;
use crate::cli::opt::{CommandName, Opt};
use crate::render::shell;
use ipvs::{NamespaceError, SCHEDULERS};
use libc::{EEXIST, EINVAL, ENODEV, ENOENT, ENOPROTOOPT, EPERM, ERANGE, ESRCH};
use rustix::process::geteuid;
use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

/// The hint on `command`, refused with `errno`.
pub fn refused(command: CommandName, errno: i32, asked: &Asked) -> Option<String> {
    use CommandName as C;
    match (errno, command) {
        (ENOENT, C::AddService | C::EditService) => missing_module(asked),
        (EEXIST, C::AddService) => Some(change_it("-E", "-A")),
        (EEXIST, C::AddServer) => Some(server_exists(asked)),
        (ENOENT, C::EditServer | C::DeleteServer) => present::instead_of_server(asked),
        (ESRCH, C::StartDaemon | C::StopDaemon) => None,
        (ESRCH, _) => present::instead_of_service(asked),
        (ERANGE, C::AddServer | C::EditServer) => {
            Some("the lower threshold (-y) is above the upper one (-x)".into())
        }
        (EINVAL, C::AddServer | C::EditServer) => Some(no_real_server(asked)),
        (EEXIST, C::StartDaemon) => {
            let role = asked.command_option()?.value?;
            let role = String::from_utf8_lossy(role);
            let stop = format!("ipvsadm --stop-daemon {role}{}", asked.in_netns());
            Some(format!("`{stop}' stops it"))
        }
        (ENODEV, C::StartDaemon) => {
            let interface = asked.value(Opt::McastInterface);
            let interface = interface.as_deref().unwrap_or("eth0");
            Some(format!(
                "there is no network interface {interface} here: name one with --mcast-interface"
            ))
        }
        _ => None,
    }
}

fn change_it(edit: &str, add: &str) -> String {
    format!(
        "to change it, write {edit} for {add} (--keep leaves the rest as it is); \
         --ensure adds or changes"
    )
}

fn server_exists(asked: &Asked) -> String {
    match (asked.server_key(), asked.server_port()) {
        (Some(key), Some(typed)) if typed != 0 && typed != key.port => format!(
            "it is there as {}: {} (-m can)",
            with_port(key.port, asked),
            no_port(asked)
        ),
        _ => change_it("-e", "-a"),
    }
}

/// Names of schedulers elsewhere, and what does the same here.
const FOREIGN_SCHEDULERS: [(&str, &str); 9] = [
    ("roundrobin", "rr"),
    ("round-robin", "rr"),
    ("round_robin", "rr"),
    ("leastconn", "lc"),
    ("least_conn", "lc"),
    ("least-connection", "lc"),
    ("source", "sh"),
    ("ip_hash", "sh"),
    ("maglev", "mh"),
];

/// The kernel looks for the scheduler first, then for the engine.
fn missing_module(asked: &Asked) -> Option<String> {
    if let Some(hint) = odd_character(asked.words).or_else(|| single_dash(asked)) {
        return Some(hint);
    }
    let scheduler = asked.value(Opt::Scheduler);
    let scheduler = scheduler
        .as_deref()
        .filter(|name| !name.is_empty())
        .unwrap_or("wlc");
    if !is_loaded(&format!("ip_vs_{scheduler}")) {
        let foreign = FOREIGN_SCHEDULERS
            .iter()
            .find(|(name, _)| *name == scheduler);
        let meant = foreign
            .map(|(_, here)| *here)
            .or_else(|| near(scheduler, &SCHEDULERS));
        return Some(match meant {
            Some(meant) if meant != scheduler => {
                format!("there is no scheduler {scheduler}; did you mean {meant}?")
            }
            _ => missing(&format!("ip_vs_{scheduler}")),
        });
    }
    let engine = asked.value(Opt::Pe)?;
    Some(match near(&engine, &["sip"]) {
        Some(meant) if meant != engine => {
            format!("there is no persistence engine {engine}; did you mean {meant}?")
        }
        _ => missing(&format!("ip_vs_pe_{engine}")),
    })
}

fn missing(module: &str) -> String {
    format!("the kernel module {module} is missing or cannot be loaded (modprobe)")
}

/// Whether the kernel has `module`, loaded or built in.
fn is_loaded(module: &str) -> bool {
    if Path::new("/sys/module").join(module).exists() {
        return true;
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let built_in = format!("/lib/modules/{}/modules.builtin", release.trim());
    let built_in = fs::read_to_string(built_in);
    built_in.is_ok_and(|list| list.contains(&format!("/{module}.ko")))
}

fn no_real_server(asked: &Asked) -> String {
    let kind = match asked.server_key().map(|key| key.address) {
        Some(address) if address.is_unspecified() => Some("the unspecified address"),
        Some(address) if address.is_multicast() => Some("a multicast address"),
        Some(IpAddr::V4(address)) if address.is_broadcast() => Some("a broadcast address"),
        _ => None,
    };
    match (kind, asked.value(Opt::RealServer)) {
        (Some(kind), Some(typed)) => format!("{typed} is {kind}, not the address of a host"),
        _ => format!(
            "is the address unicast, and has this network namespace any address up ({})?",
            lo_up(asked.netns())
        ),
    }
}

/// The command that sets the loopback interface of `netns` up.
fn lo_up(netns: Option<&OsStr>) -> String {
    shell::in_namespace("ip link set lo up".into(), netns)
}

/// The hint where IPVS is missing, or is not for this user.
pub fn unavailable(errno: i32, asked: &Asked) -> Option<String> {
    match errno {
        EPERM if geteuid().is_root() => {
            let own = fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !is_initial(&map));
            Some(powerless_root(own).into())
        }
        ENOPROTOOPT if asked.command() == Some(CommandName::Flush) => {
            Some("this kernel has no IPVS loaded, so there is nothing to clear".into())
        }
        _ => None,
    }
}

/// Whether all users of this user namespace are those of the machine.
fn is_initial(uid_map: &str) -> bool {
    uid_map.split_whitespace().eq(["0", "0", "4294967295"])
}

fn powerless_root(in_own_user_namespace: bool) -> &'static str {
    match in_own_user_namespace {
        true => {
            "this is the root of a container with a user namespace of its own; IPVS needs \
             CAP_NET_ADMIN in the initial one"
        }
        false => "this root lacks the capability CAP_NET_ADMIN (docker run --cap-add NET_ADMIN)",
    }
}

/// Where ip-netns(8) has its namespaces.
const NAMESPACES: &str = "/var/run/netns";

/// The hint on a network namespace that cannot be used.
pub fn namespace(name: &OsStr, error: &NamespaceError) -> Option<String> {
    match error {
        NamespaceError::Open(error) if error.raw_os_error() == Some(ENOENT) => {
            let entries = fs::read_dir(NAMESPACES).into_iter().flatten().flatten();
            let known = entries.filter_map(|entry| entry.file_name().into_string().ok());
            Some(no_namespace(
                &name.to_string_lossy(),
                &known.collect::<Vec<_>>(),
            ))
        }
        _ => None,
    }
}

fn no_namespace(name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match near(name, &known) {
        Some(near) => format!("did you mean {near}?"),
        None => "`ip netns list' lists those that have names".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_without_the_capability_is_told_which_one_is_missing() {
        assert!(is_initial("         0          0 4294967295\n"));
        assert!(!is_initial("         0     100000      65536\n"));
        assert!(powerless_root(true).contains("initial"));
        assert!(powerless_root(false).contains("--cap-add"));
    }

    #[test]
    fn a_namespace_that_is_nearly_there_is_named() {
        let known = ["blue".to_owned(), "green".to_owned()];
        assert_eq!(no_namespace("bleu", &known), "did you mean blue?");
        assert!(no_namespace("xyz", &known).starts_with("`ip netns list'"));
    }
}
