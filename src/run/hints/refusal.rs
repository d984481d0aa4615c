//! Why the kernel probably refused.

use crate::cli::near::near;
use ipvs::{Change, Name, SCHEDULERS};
use libc::{EINVAL, ENOENT, ERANGE};

/// The likely cause, when the kernel refused `change` with `errno`.
pub fn hint(change: &Change, errno: i32) -> Option<String> {
    match (errno, change) {
        (ENOENT, Change::AddService(_, config) | Change::EditService(_, config)) => {
            Some(missing_module(&config.scheduler, config.engine.as_ref()))
        }
        (ERANGE, Change::AddServer(_, _, config) | Change::EditServer(_, _, config))
            if config.lower_threshold > config.upper_threshold =>
        {
            Some("the lower threshold (-y) is above the upper one (-x)".into())
        }
        (EINVAL, Change::AddServer(..) | Change::EditServer(..)) => Some(
            "is the address unicast, and has this network namespace any address up (ip link set lo up)?"
                .into(),
        ),
        _ => None,
    }
}

fn missing_module(scheduler: &Name, engine: Option<&Name>) -> String {
    let name = scheduler.to_string();
    if !SCHEDULERS.contains(&name.as_str()) {
        if let Some(known) = near(&name, &SCHEDULERS) {
            return format!("there is no scheduler {name}; did you mean {known}?");
        }
    }
    match engine {
        Some(engine) => format!(
            "the kernel module ip_vs_{name} or ip_vs_pe_{engine} is missing or cannot be loaded (modprobe)"
        ),
        None => {
            format!("the kernel module ip_vs_{name} is missing or cannot be loaded (modprobe)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_a_scheduler_is_seen() {
        let said = |name: &str| missing_module(&Name::from(name), None);
        assert_eq!(
            said("wllc"),
            "there is no scheduler wllc; did you mean wlc?"
        );
        assert_eq!(
            said("wrr"),
            "the kernel module ip_vs_wrr is missing or cannot be loaded (modprobe)"
        );
        assert!(said("xyzzy").starts_with("the kernel module ip_vs_xyzzy"));
    }
}
