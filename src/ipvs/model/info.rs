//! Facts about the kernel's IPVS.

/// What the kernel says about its IPVS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// The version, a byte each for major, minor and patch: 1.2.1 is 0x010201.
    pub version: u32,
    /// Buckets of the connection table; newer kernels change it as they go.
    pub conn_tab_size: u32,
}

impl Info {
    /// Of this version, with so many buckets.
    pub const fn new(version: u32, conn_tab_size: u32) -> Info {
        Info {
            version,
            conn_tab_size,
        }
    }

    /// Major, minor and patch.
    pub fn version_parts(&self) -> [u8; 3] {
        let [_, major, minor, patch] = self.version.to_be_bytes();
        [major, minor, patch]
    }
}
