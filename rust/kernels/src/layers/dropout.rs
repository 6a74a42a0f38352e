//! Dropout masks from a counter: the same seed, layer, row and column always give the same number, on any thread.

/// Which numbers of a layer are dropped.
///
/// Nothing is stored: the backward pass calculates the mask again.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    seed: u64,
    /// Hashes below it are dropped.
    threshold: u32,
    scale: f32,
}

impl Dropout {
    /// Drops a share `rate` of the numbers and scales the others by `1 / (1 - rate)`; `None` if nothing is dropped
    /// (`rate <= 0`). From 1 on everything is.
    #[must_use]
    pub fn new(rate: f32, seed: u64, layer: u64) -> Option<Dropout> {
        if rate.is_nan() || rate <= 0.0 {
            return None;
        }
        let seed = mix(seed ^ mix(layer.wrapping_add(1)));
        if rate >= 1.0 {
            return Some(Dropout { seed, threshold: u32::MAX, scale: 0.0 });
        }
        let threshold = (f64::from(rate) * 4_294_967_296.0) as u32;
        Some(Dropout { seed, threshold, scale: (1.0 / (1.0 - f64::from(rate))) as f32 })
    }

    /// Writes the factor of each number of a row: 0 or `1 / (1 - rate)`.
    #[inline(always)]
    pub fn fill_row(&self, row: u64, factors: &mut [f32]) {
        let key = mix(self.seed ^ row.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (low, high) = (key as u32, (key >> 32) as u32 | 1);
        for (column, factor) in factors.iter_mut().enumerate() {
            // The last steps of MurmurHash3 on an odd multiple of the column, which no two columns share.
            let mut hash = (column as u32).wrapping_mul(high).wrapping_add(low);
            hash ^= hash >> 16;
            hash = hash.wrapping_mul(0x85eb_ca6b);
            hash ^= hash >> 13;
            hash = hash.wrapping_mul(0xc2b2_ae35);
            hash ^= hash >> 16;
            *factor = if hash < self.threshold { 0.0 } else { self.scale };
        }
    }
}

/// SplitMix64's finish: every bit of the input reaches every bit of the output.
#[inline]
fn mix(mut key: u64) -> u64 {
    key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}
