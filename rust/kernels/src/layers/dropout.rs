//! Dropout masks from a counter: the same seed, layer, row and column always give the same number, on any thread.

use super::rowwise::multiply_row;
use crate::KernelError;
use crate::rows::{Rows, RowsMut, check_like};
use crate::simd::{Isa, Simd};

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

#[inline(always)]
fn apply_body<S: Simd>(simd: S, dropout: &Dropout, x: Rows<'_>, mut out: RowsMut<'_>) {
    let mut factors = vec![0.0; x.width()];
    for row in 0..x.n_rows() {
        dropout.fill_row(row as u64, &mut factors);
        let to = out.row_mut(row);
        to.copy_from_slice(x.row(row));
        multiply_row(simd, to, &factors);
    }
}

crate::dispatch! {
    fn run_apply(dropout: &Dropout, x: Rows<'_>, out: RowsMut<'_>) -> () = apply_body;
}

/// Writes `x` without the numbers that `dropout` drops, the others scaled. The gradient goes the same way back.
///
/// # Errors
/// [`KernelError::Shape`] if the shapes differ.
pub fn apply(isa: Isa, dropout: &Dropout, x: Rows<'_>, out: RowsMut<'_>) -> Result<(), KernelError> {
    check_like("dropout: out", x, out.n_rows(), out.width())?;
    run_apply(isa, dropout, x, out);
    Ok(())
}

/// [`apply`] for a rate that drops nothing: a copy.
///
/// # Errors
/// [`KernelError::Shape`] if the shapes differ.
pub fn keep_all(x: Rows<'_>, out: RowsMut<'_>) -> Result<(), KernelError> {
    check_like("dropout: out", x, out.n_rows(), out.width())?;
    out.into_data().copy_from_slice(x.data());
    Ok(())
}

/// Writes thinc's mask of given coin flips: 0 where a number of `flips` is below `rate`, else `1 / (1 - rate)`.
///
/// # Errors
/// [`KernelError::Shape`] if the lengths differ.
pub fn mask_of_flips(flips: &[f64], rate: f64, out: &mut [f32]) -> Result<(), KernelError> {
    KernelError::expect_len("dropout mask: out", flips.len(), out.len())?;
    let kept = (1.0 / (1.0 - rate)) as f32;
    for (out, &flip) in out.iter_mut().zip(flips) {
        *out = if flip >= rate { kept } else { 0.0 };
    }
    Ok(())
}

/// SplitMix64's finish: every bit of the input reaches every bit of the output.
#[inline]
fn mix(mut key: u64) -> u64 {
    key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}
