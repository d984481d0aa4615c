//! gethostbyname, safe to call.
//!
//! C ipvsadm takes the first address that gethostbyname gives for a name.
//! getaddrinfo, which is what std and the crates for name look-ups offer, sorts
//! the addresses by RFC 6724, so that the first one depends on the machine's
//! routes. No maintained crate offers gethostbyname, and it cannot be called
//! without `unsafe`. So it has a crate of its own, to which nothing else may be
//! added.

use libc::{c_char, c_int, hostent};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::net::Ipv4Addr;
use std::ptr;

/// `TRY_AGAIN` (netdb.h).
const TRY_AGAIN: c_int = 2;

/// Room for an answer: most fit the first, the largest of DNS the last.
const ROOM: [usize; 4] = [1 << 10, 1 << 13, 1 << 16, 1 << 20];

unsafe extern "C" {
    // As in the netdb.h of glibc and musl. The libc crate does not have it.
    fn gethostbyname_r(
        name: *const c_char,
        entry: *mut hostent,
        buffer: *mut c_char,
        size: usize,
        result: *mut *mut hostent,
        h_errno: *mut c_int,
    ) -> c_int;
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAddress {
    /// There is no such host, or it has no IPv4 address.
    Unknown,
    /// The name service did not answer.
    NoAnswer,
}

/// The IPv4 addresses of `name`, in the order of the name service; at least one.
pub fn addresses(name: &CStr) -> Result<Vec<Ipv4Addr>, NoAddress> {
    ROOM.into_iter()
        .find_map(|size| ask(name, size))
        .unwrap_or(Err(NoAddress::Unknown))
}

/// `None` where the answer does not fit `size` bytes.
fn ask(name: &CStr, size: usize) -> Option<Result<Vec<Ipv4Addr>, NoAddress>> {
    let mut entry = MaybeUninit::<hostent>::uninit();
    let mut buffer: Vec<c_char> = vec![0; size];
    let mut found = ptr::null_mut();
    let mut h_errno = 0;
    // SAFETY: `name` ends with a NUL, `buffer` has `size` bytes, and all of the
    // pointers are valid during the call.
    let status = unsafe {
        gethostbyname_r(
            name.as_ptr(),
            entry.as_mut_ptr(),
            buffer.as_mut_ptr(),
            size,
            &mut found,
            &mut h_errno,
        )
    };
    if status == libc::ERANGE {
        return None;
    }
    if status != 0 || found.is_null() {
        return Some(Err(match h_errno {
            TRY_AGAIN => NoAddress::NoAnswer,
            _ => NoAddress::Unknown,
        }));
    }
    // SAFETY: on success `found` points to `entry`, which is filled in; what it
    // points to is in `buffer`. Both live until the end of this function.
    let entry = unsafe { &*found };
    if entry.h_addrtype != libc::AF_INET || entry.h_length != 4 || entry.h_addr_list.is_null() {
        return Some(Err(NoAddress::Unknown));
    }
    let mut addresses = Vec::new();
    let mut at = entry.h_addr_list;
    // SAFETY: the list ends with a null pointer, behind which nothing is read; what
    // comes before points to `h_length` bytes, at no particular alignment.
    unsafe {
        while !(*at).is_null() {
            addresses.push((*at).cast::<[u8; 4]>().read_unaligned().into());
            at = at.add(1);
        }
    }
    Some(match addresses.is_empty() {
        true => Err(NoAddress::Unknown),
        false => Ok(addresses),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_known_and_nonsense_is_not() {
        // Twice where /etc/hosts has ::1 as well: to gethostbyname it is the same.
        let localhost = addresses(c"localhost").expect("/etc/hosts has localhost");
        assert!(localhost.iter().all(|address| address.is_loopback()));
        let figures = Ipv4Addr::new(10, 1, 2, 3);
        assert_eq!(addresses(c"10.1.2.3"), Ok(vec![figures]));
        assert_eq!(addresses(c""), Err(NoAddress::Unknown));
        assert_eq!(addresses(c"::ffff:10.1.2.3"), Err(NoAddress::Unknown));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_no_answer() {
        assert_eq!(ask(c"localhost", 8), None);
    }
}
