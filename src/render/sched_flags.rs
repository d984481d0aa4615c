//! The flags of schedulers by their names: C ipvsadm has some for sh and mh, and
//! numbers for the others.

use ipvs::{Name, ServiceFlags};

/// The name of a flag, and the only scheduler that the name is for.
pub const SCHED_FLAGS: [(&str, ServiceFlags, Option<&str>); 7] = [
    ("sh-fallback", ServiceFlags::SCHED1, Some("sh")),
    ("sh-port", ServiceFlags::SCHED2, Some("sh")),
    ("mh-fallback", ServiceFlags::SCHED1, Some("mh")),
    ("mh-port", ServiceFlags::SCHED2, Some("mh")),
    ("flag-1", ServiceFlags::SCHED1, None),
    ("flag-2", ServiceFlags::SCHED2, None),
    ("flag-3", ServiceFlags::SCHED3, None),
];

/// The flags of schedulers in `flags`, in the order in which they are listed.
pub fn of_scheduler(flags: ServiceFlags) -> impl Iterator<Item = ServiceFlags> {
    (flags & ServiceFlags::SCHED).iter()
}

/// The name of `flag` for `scheduler`; `None` where that has names of its own, but
/// not for this flag.
pub fn name(flag: ServiceFlags, scheduler: &Name) -> Option<&'static str> {
    let mut owners = SCHED_FLAGS.iter().filter_map(|(_, _, owner)| *owner);
    name_for(
        flag,
        owners.find(|owner| owner.as_bytes() == scheduler.as_bytes()),
    )
}

/// The name of `flag` that every scheduler takes.
pub fn general_name(flag: ServiceFlags) -> &'static str {
    name_for(flag, None).unwrap_or_default()
}

fn name_for(flag: ServiceFlags, scheduler: Option<&str>) -> Option<&'static str> {
    let mut rows = SCHED_FLAGS.iter();
    let row = rows.find(|(_, bit, owner)| *bit == flag && *owner == scheduler);
    row.map(|(name, ..)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sh_and_mh_have_names_of_their_own() {
        let names = |scheduler: &str| {
            let scheduler = Name::from(scheduler);
            let flags = of_scheduler(ServiceFlags::all());
            flags
                .filter_map(|flag| name(flag, &scheduler))
                .collect::<Vec<_>>()
        };
        assert_eq!(names("sh"), ["sh-fallback", "sh-port"]);
        assert_eq!(names("mh"), ["mh-fallback", "mh-port"]);
        assert_eq!(names("rr"), ["flag-1", "flag-2", "flag-3"]);
    }
}
