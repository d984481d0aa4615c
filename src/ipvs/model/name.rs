//! The short names the kernel keeps in fixed arrays.

use std::fmt;

/// The name of a scheduler, a persistence engine or a network interface: at
/// most 16 bytes, any bytes but NUL.
///
/// The kernel's arrays are `IP_VS_SCHEDNAME_MAXLEN`, `IP_VS_PENAME_MAXLEN` and
/// `IP_VS_IFNAME_MAXLEN` (linux/ip_vs.h), 16 bytes each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    bytes: [u8; Name::CAPACITY],
    len: u8,
}

impl Name {
    /// The longest name, in bytes.
    pub const CAPACITY: usize = 16;

    /// The name in `bytes`, which ends at the first NUL and is cut after
    /// `limit` bytes (never more than [`Name::CAPACITY`]), as the C library's
    /// `strncpy` would.
    #[expect(clippy::cast_possible_truncation, reason = "at most CAPACITY")]
    pub fn cut(bytes: &[u8], limit: usize) -> Name {
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        let len = end.min(limit).min(Name::CAPACITY);
        let mut name = Name {
            bytes: [0; Name::CAPACITY],
            len: len as u8,
        };
        name.bytes[..len].copy_from_slice(&bytes[..len]);
        name
    }

    /// The bytes, without a NUL.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::cut(text.as_bytes(), Name::CAPACITY)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_at_nul_and_at_the_limit() {
        assert_eq!(Name::cut(b"wrr\0junk", 16).as_bytes(), b"wrr");
        assert_eq!(
            Name::cut(b"0123456789abcdefXYZ", 15).as_bytes(),
            b"0123456789abcde"
        );
        assert_eq!(
            Name::cut(b"0123456789abcdefXYZ", 99).as_bytes(),
            b"0123456789abcdef"
        );
        assert!(Name::cut(b"", 16).is_empty());
    }
}
