//! Adding and scaling rows: the small change of the other kernels.

use crate::simd::Simd;

/// `to += row`
#[inline(always)]
pub(crate) fn add_row<S: Simd>(simd: S, to: &mut [f32], row: &[f32]) {
    let (tos, to_rest) = simd.chunks_mut(to);
    let (rows, row_rest) = simd.chunks(row);
    for (to, row) in tos.iter_mut().zip(rows) {
        simd.store(to, simd.add(simd.load(to), simd.load(row)));
    }
    let sum = simd.add(simd.load_partial(to_rest, 0.0), simd.load_partial(row_rest, 0.0));
    simd.store_partial(to_rest, sum);
}

/// `to *= factors`
#[inline(always)]
pub(crate) fn multiply_row<S: Simd>(simd: S, to: &mut [f32], factors: &[f32]) {
    let (tos, to_rest) = simd.chunks_mut(to);
    let (rows, row_rest) = simd.chunks(factors);
    for (to, row) in tos.iter_mut().zip(rows) {
        simd.store(to, simd.mul(simd.load(to), simd.load(row)));
    }
    let product = simd.mul(simd.load_partial(to_rest, 0.0), simd.load_partial(row_rest, 0.0));
    simd.store_partial(to_rest, product);
}
