//! One function of each number of an array, and its gradient: the loops that all activations share.

use crate::simd::Simd;

/// A function of one number, over vectors of them.
pub(super) trait Pointwise: Copy {
    /// The function at `x`.
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32;

    /// The gradient of `x`, given `d_y`, that of the function's value.
    fn gradient<S: Simd>(self, simd: S, d_y: S::F32, x: S::F32) -> S::F32;
}

/// Writes the function of each number of `x` to `out`, which is as long.
#[inline(always)]
pub(super) fn forward<S: Simd, F: Pointwise>(simd: S, function: F, x: &[f32], out: &mut [f32]) {
    let (xs, x_rest) = simd.chunks(x);
    let (outs, out_rest) = simd.chunks_mut(out);
    for (x, out) in xs.iter().zip(outs) {
        simd.store(out, function.value(simd, simd.load(x)));
    }
    simd.store_partial(out_rest, function.value(simd, simd.load_partial(x_rest, 0.0)));
}

/// Writes the gradient of each number of `x` to `out`; all three are of one length.
#[inline(always)]
pub(super) fn backward<S: Simd, F: Pointwise>(simd: S, function: F, d_y: &[f32], x: &[f32], out: &mut [f32]) {
    let (d_ys, d_y_rest) = simd.chunks(d_y);
    let (xs, x_rest) = simd.chunks(x);
    let (outs, out_rest) = simd.chunks_mut(out);
    for ((d_y, x), out) in d_ys.iter().zip(xs).zip(outs) {
        simd.store(out, function.gradient(simd, simd.load(d_y), simd.load(x)));
    }
    let (d_y, x) = (simd.load_partial(d_y_rest, 0.0), simd.load_partial(x_rest, 0.0));
    simd.store_partial(out_rest, function.gradient(simd, d_y, x));
}
