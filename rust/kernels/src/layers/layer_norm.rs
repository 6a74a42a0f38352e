//! Layer normalization: each row to mean 0 and variance 1, then scaled and shifted.
//!
//! As in thinc, the variance is that of the whole row (divided by the width), plus 1e-8.

use crate::KernelError;
use crate::rows::{Rows, RowsMut};
use crate::simd::{Isa, Simd};

/// What is added to the variance.
pub(super) const EPSILON: f32 = 1e-8;

/// Overwrites a row with its normalized numbers and returns 1 / standard deviation.
#[inline(always)]
pub(crate) fn normalize<S: Simd>(simd: S, row: &mut [f32]) -> f32 {
    let width = row.len() as f32;
    let (chunks, rest) = simd.chunks(row);
    let mut sums = simd.load_partial(rest, 0.0);
    for chunk in chunks {
        sums = simd.add(sums, simd.load(chunk));
    }
    let mean = simd.sum(sums) / width;
    let means = simd.splat(mean);
    // Lanes that the row lacks hold the mean, so they add nothing.
    let off = simd.sub(simd.load_partial(rest, mean), means);
    let mut squares = simd.mul(off, off);
    for chunk in chunks {
        let off = simd.sub(simd.load(chunk), means);
        squares = simd.mul_add(off, off, squares);
    }
    let scale = 1.0 / (simd.sum(squares) / width + EPSILON).sqrt();
    let scales = simd.splat(scale);
    let (chunks, rest) = simd.chunks_mut(row);
    for chunk in chunks {
        let off = simd.sub(simd.load(chunk), means);
        simd.store(chunk, simd.mul(off, scales));
    }
    let off = simd.sub(simd.load_partial(rest, 0.0), means);
    simd.store_partial(rest, simd.mul(off, scales));
    scale
}

/// `row * gain + shift`, into `out`.
#[inline(always)]
pub(crate) fn rescale<S: Simd>(simd: S, row: &[f32], gain: &[f32], shift: &[f32], out: &mut [f32]) {
    let (rows, row_rest) = simd.chunks(row);
    let (gains, gain_rest) = simd.chunks(gain);
    let (shifts, shift_rest) = simd.chunks(shift);
    let (outs, out_rest) = simd.chunks_mut(out);
    for (((row, gain), shift), out) in rows.iter().zip(gains).zip(shifts).zip(outs) {
        simd.store(out, simd.mul_add(simd.load(row), simd.load(gain), simd.load(shift)));
    }
    let (row, gain) = (simd.load_partial(row_rest, 0.0), simd.load_partial(gain_rest, 0.0));
    simd.store_partial(out_rest, simd.mul_add(row, gain, simd.load_partial(shift_rest, 0.0)));
}

/// The gradient of the row before normalization, in place of `d_row`, the gradient of the normalized, rescaled row.
///
/// Adds to the gradients of gain and shift.
#[inline(always)]
pub(crate) fn backprop_row<S: Simd>(
    simd: S,
    d_row: &mut [f32],
    normalized: &[f32],
    scale: f32,
    gain: &[f32],
    d_gain: &mut [f32],
    d_shift: &mut [f32],
) {
    let width = d_row.len() as f32;
    let mut sums = simd.splat(0.0);
    let mut products = simd.splat(0.0);
    {
        let (d_rows, d_rest) = simd.chunks_mut(d_row);
        let (xs, x_rest) = simd.chunks(normalized);
        let (gains, gain_rest) = simd.chunks(gain);
        let (d_gains, d_gain_rest) = simd.chunks_mut(d_gain);
        let (d_shifts, d_shift_rest) = simd.chunks_mut(d_shift);
        for ((((d_row, x), gain), d_gain), d_shift) in
            d_rows.iter_mut().zip(xs).zip(gains).zip(d_gains).zip(d_shifts)
        {
            let (d, x) = (simd.load(d_row), simd.load(x));
            simd.store(d_gain, simd.mul_add(d, x, simd.load(d_gain)));
            simd.store(d_shift, simd.add(d, simd.load(d_shift)));
            let d = simd.mul(d, simd.load(gain));
            sums = simd.add(sums, d);
            products = simd.mul_add(d, x, products);
            simd.store(d_row, d);
        }
        let (d, x) = (simd.load_partial(d_rest, 0.0), simd.load_partial(x_rest, 0.0));
        simd.store_partial(d_gain_rest, simd.mul_add(d, x, simd.load_partial(d_gain_rest, 0.0)));
        simd.store_partial(d_shift_rest, simd.add(d, simd.load_partial(d_shift_rest, 0.0)));
        let d = simd.mul(d, simd.load_partial(gain_rest, 0.0));
        sums = simd.add(sums, d);
        products = simd.mul_add(d, x, products);
        simd.store_partial(d_rest, d);
    }
    let mean = simd.splat(simd.sum(sums) / width);
    let product = simd.splat(simd.sum(products) / width);
    let scale = simd.splat(scale);
    let (d_rows, d_rest) = simd.chunks_mut(d_row);
    let (xs, x_rest) = simd.chunks(normalized);
    for (d_row, x) in d_rows.iter_mut().zip(xs) {
        let centred = simd.sub(simd.load(d_row), mean);
        simd.store(d_row, simd.mul(simd.neg_mul_add(simd.load(x), product, centred), scale));
    }
    let centred = simd.sub(simd.load_partial(d_rest, 0.0), mean);
    let d = simd.neg_mul_add(simd.load_partial(x_rest, 0.0), product, centred);
    simd.store_partial(d_rest, simd.mul(d, scale));
}

#[inline(always)]
fn forward_body<S: Simd>(
    simd: S,
    x: Rows<'_>,
    gain: &[f32],
    shift: &[f32],
    normalized: &mut [f32],
    scales: &mut [f32],
    out: &mut [f32],
) {
    let width = x.width();
    normalized.copy_from_slice(x.data());
    if width == 0 {
        return;
    }
    for ((row, scale), out) in normalized.chunks_exact_mut(width).zip(scales).zip(out.chunks_exact_mut(width))
    {
        *scale = normalize(simd, row);
        rescale(simd, row, gain, shift, out);
    }
}

#[inline(always)]
fn backward_body<S: Simd>(
    simd: S,
    mut d: RowsMut<'_>,
    normalized: Rows<'_>,
    scales: &[f32],
    gain: &[f32],
    d_gain: &mut [f32],
    d_shift: &mut [f32],
) {
    for (row, &scale) in scales.iter().enumerate() {
        backprop_row(simd, d.row_mut(row), normalized.row(row), scale, gain, d_gain, d_shift);
    }
}

crate::dispatch! {
    fn forward(
        x: Rows<'_>,
        gain: &[f32],
        shift: &[f32],
        normalized: &mut [f32],
        scales: &mut [f32],
        out: &mut [f32],
    ) -> () = forward_body;
}

crate::dispatch! {
    fn backward(
        d: RowsMut<'_>,
        normalized: Rows<'_>,
        scales: &[f32],
        gain: &[f32],
        d_gain: &mut [f32],
        d_shift: &mut [f32],
    ) -> () = backward_body;
}

/// Normalizes each row of `x`, then multiplies with `gain` and adds `shift`.
///
/// `normalized` gets the rows before that and `scales` 1 / standard deviation of each: what
/// [`backprop_layer_norm`] needs.
///
/// # Errors
/// [`KernelError::Shape`] if a slice does not fit `x`.
pub fn layer_norm(
    isa: Isa,
    x: Rows<'_>,
    gain: &[f32],
    shift: &[f32],
    normalized: &mut [f32],
    scales: &mut [f32],
    out: &mut [f32],
) -> Result<(), KernelError> {
    KernelError::expect_len("layer_norm: gain", x.width(), gain.len())?;
    KernelError::expect_len("layer_norm: shift", x.width(), shift.len())?;
    KernelError::expect_len("layer_norm: normalized", x.data().len(), normalized.len())?;
    KernelError::expect_len("layer_norm: scales", x.n_rows(), scales.len())?;
    KernelError::expect_len("layer_norm: out", x.data().len(), out.len())?;
    forward(isa, x, gain, shift, normalized, scales, out);
    Ok(())
}

/// Turns `d`, the gradient of [`layer_norm`]'s output, into that of its input, in place; adds to `d_gain`, `d_shift`.
///
/// # Errors
/// [`KernelError::Shape`] if a slice does not fit `d`.
pub fn backprop_layer_norm(
    isa: Isa,
    d: RowsMut<'_>,
    normalized: Rows<'_>,
    scales: &[f32],
    gain: &[f32],
    d_gain: &mut [f32],
    d_shift: &mut [f32],
) -> Result<(), KernelError> {
    KernelError::expect_len("backprop_layer_norm: rows", d.n_rows(), normalized.n_rows())?;
    KernelError::expect_len("backprop_layer_norm: width", d.width(), normalized.width())?;
    KernelError::expect_len("backprop_layer_norm: scales", d.n_rows(), scales.len())?;
    KernelError::expect_len("backprop_layer_norm: gain", d.width(), gain.len())?;
    KernelError::expect_len("backprop_layer_norm: d_gain", d.width(), d_gain.len())?;
    KernelError::expect_len("backprop_layer_norm: d_shift", d.width(), d_shift.len())?;
    backward(isa, d, normalized, scales, gain, d_gain, d_shift);
    Ok(())
}
