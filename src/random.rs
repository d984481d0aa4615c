//! Random numbers for tests, the same in every run: xorshift. Nothing else may
//! use them.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        // From 0 only 0 would follow.
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`; 0 where there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }
}
