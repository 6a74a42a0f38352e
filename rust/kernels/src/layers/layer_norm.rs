//! Layer normalization: each row to mean 0 and variance 1, then scaled and shifted.
//!
//! As in thinc, the variance is that of the whole row (divided by the width), plus 1e-8.

use crate::KernelError;
use crate::rows::{Rows, RowsMut};
use crate::simd::{Isa, Simd};

/// What is added to the variance.
const EPSILON: f32 = 1e-8;

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

/// Normalizes and rescales up to four rows, adds `residuals` to them, and writes them to `out`.
///
/// Four at a time, because what is done once a row (two sums over lanes, a root) takes as long as the rest otherwise. A
/// row's numbers do not depend on the rows beside it.
#[inline(always)]
pub(crate) fn normalize_and_add<S: Simd>(
    simd: S,
    rows: &[f32],
    gain: &[f32],
    shift: &[f32],
    residuals: [&[f32]; 4],
    out: &mut [f32],
) {
    let width = gain.len();
    let n_rows = rows.len() / width;
    // Rows that are not there are the last one again, so that every row goes the same way.
    let mut four = [&rows[..0]; 4];
    let mut sums = [simd.splat(0.0); 4];
    for (index, (row, sum)) in four.iter_mut().zip(&mut sums).enumerate() {
        *row = &rows[index.min(n_rows - 1) * width..][..width];
        let (chunks, rest) = simd.chunks(row);
        *sum = simd.load_partial(rest, 0.0);
        for chunk in chunks {
            *sum = simd.add(*sum, simd.load(chunk));
        }
    }
    let mut means = simd.sum4(sums);
    for ((row, sum), mean) in four.iter().zip(&mut sums).zip(&mut means) {
        *mean /= width as f32;
        let means = simd.splat(*mean);
        let (chunks, rest) = simd.chunks(row);
        // Lanes that the row lacks hold the mean, so they add nothing.
        let off = simd.sub(simd.load_partial(rest, *mean), means);
        *sum = simd.mul(off, off);
        for chunk in chunks {
            let off = simd.sub(simd.load(chunk), means);
            *sum = simd.mul_add(off, off, *sum);
        }
    }
    let squares = simd.sum4(sums);
    let (gains, gain_rest) = simd.chunks(gain);
    let (shifts, shift_rest) = simd.chunks(shift);
    for (index, out) in out.chunks_exact_mut(width).take(n_rows).enumerate() {
        let means = simd.splat(means[index]);
        let scales = simd.splat(1.0 / (squares[index] / width as f32 + EPSILON).sqrt());
        let (chunks, rest) = simd.chunks(four[index]);
        let (residual, residual_rest) = simd.chunks(&residuals[index][..width]);
        let (outs, out_rest) = simd.chunks_mut(out);
        let columns = chunks.iter().zip(gains).zip(shifts).zip(residual).zip(outs);
        for ((((chunk, gain), shift), residual), out) in columns {
            let row = simd.mul(simd.sub(simd.load(chunk), means), scales);
            let row = simd.mul_add(row, simd.load(gain), simd.load(shift));
            simd.store(out, simd.add(row, simd.load(residual)));
        }
        let row = simd.mul(simd.sub(simd.load_partial(rest, 0.0), means), scales);
        let row = simd.mul_add(row, simd.load_partial(gain_rest, 0.0), simd.load_partial(shift_rest, 0.0));
        simd.store_partial(out_rest, simd.add(row, simd.load_partial(residual_rest, 0.0)));
    }
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

#[cfg(test)]
mod tests {
    use super::{normalize, normalize_and_add, rescale};
    use crate::layers::rowwise::add_row;
    use crate::simd::Simd;
    use crate::testing::{WIDTHS, for_every_isa, numbers};

    /// Sums of a row in another order.
    const ROUNDING: f32 = 1e-4;

    #[inline(always)]
    fn four_body<S: Simd>(simd: S, rows: &[f32], gain: &[f32], residuals: &[f32], out: &mut [f32]) {
        let mut four: [&[f32]; 4] = [&[]; 4];
        for (to, row) in four.iter_mut().zip(residuals.chunks_exact(gain.len())) {
            *to = row;
        }
        normalize_and_add(simd, rows, gain, gain, four, out);
    }
    crate::dispatch! {
        fn four(rows: &[f32], gain: &[f32], residuals: &[f32], out: &mut [f32]) -> () = four_body;
    }

    #[inline(always)]
    fn each_body<S: Simd>(simd: S, rows: &mut [f32], gain: &[f32], residuals: &[f32], out: &mut [f32]) {
        let width = gain.len();
        let each =
            rows.chunks_exact_mut(width).zip(residuals.chunks_exact(width)).zip(out.chunks_exact_mut(width));
        for ((row, residual), out) in each {
            normalize(simd, row);
            rescale(simd, row, gain, gain, out);
            add_row(simd, out, residual);
        }
    }
    crate::dispatch! {
        fn each(rows: &mut [f32], gain: &[f32], residuals: &[f32], out: &mut [f32]) -> () = each_body;
    }

    for_every_isa! {
        fn rows_four_at_a_time_are_those_one_by_one_and_do_not_depend_on_each_other(isa) {
            for width in WIDTHS.into_iter().filter(|&width| width > 1) {
                let (mut rows, gain) = (numbers(4 * width, 1, 2.0), numbers(width, 2, 1.0));
                let residuals = numbers(4 * width, 3, 1.0);
                let mut all = vec![0.0; 4 * width];
                four(isa, &rows, &gain, &residuals, &mut all);
                for n in 1..4 {
                    let mut some = vec![0.0; n * width];
                    four(isa, &rows[..n * width], &gain, &residuals, &mut some);
                    assert_eq!(some, all[..n * width], "{n} rows of {width}");
                }
                let mut expected = vec![0.0; 4 * width];
                each(isa, &mut rows, &gain, &residuals, &mut expected);
                for (a, b) in all.iter().zip(&expected) {
                    assert!((a - b).abs() < ROUNDING, "{width}: {a} and {b}");
                }
            }
        }
    }
}
