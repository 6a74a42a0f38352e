//! Layer norm of up to four rows at a time.
//!
//! What is done once a row (two sums over lanes, a root) takes as long as the rest otherwise. A row's numbers do not
//! depend on the rows beside it.

use super::layer_norm::EPSILON;
use crate::simd::Simd;

/// Mean and 1 / standard deviation of each row; rows that are not there are the last one again, so that every row goes
/// the same way.
#[inline(always)]
fn moments<S: Simd>(simd: S, rows: &[f32], width: usize) -> ([f32; 4], [f32; 4]) {
    let n_rows = rows.len() / width;
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
    let mut scales = simd.sum4(sums);
    for scale in &mut scales {
        *scale = 1.0 / (*scale / width as f32 + EPSILON).sqrt();
    }
    (means, scales)
}

/// Normalizes and rescales up to four rows, adds `residuals` to them, and writes them to `out`.
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
    let (means, scales) = moments(simd, rows, width);
    let (gains, gain_rest) = simd.chunks(gain);
    let (shifts, shift_rest) = simd.chunks(shift);
    for (index, (row, out)) in rows.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate() {
        let (means, scales) = (simd.splat(means[index]), simd.splat(scales[index]));
        let (chunks, rest) = simd.chunks(row);
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

/// Overwrites up to four rows with their normalized numbers; `scales` gets 1 / standard deviation of each.
#[inline(always)]
pub(crate) fn normalize_rows<S: Simd>(simd: S, rows: &mut [f32], width: usize, scales: &mut [f32]) {
    let (means, all_scales) = moments(simd, rows, width);
    for (index, row) in rows.chunks_exact_mut(width).enumerate() {
        let (means, scale) = (simd.splat(means[index]), simd.splat(all_scales[index]));
        let (chunks, rest) = simd.chunks_mut(row);
        for chunk in chunks {
            let off = simd.sub(simd.load(chunk), means);
            simd.store(chunk, simd.mul(off, scale));
        }
        let off = simd.sub(simd.load_partial(rest, 0.0), means);
        simd.store_partial(rest, simd.mul(off, scale));
    }
    scales.copy_from_slice(&all_scales[..scales.len()]);
}

/// [`backprop_row`](super::layer_norm::backprop_row) of up to four rows: as many as `scales` has.
#[inline(always)]
pub(crate) fn backprop_rows<S: Simd>(
    simd: S,
    d_rows: &mut [f32],
    normalized: &[f32],
    scales: &[f32],
    gain: &[f32],
    d_gain: &mut [f32],
    d_shift: &mut [f32],
) {
    let width = gain.len();
    if scales.len() == 4 {
        return backprop_some::<S, 4>(simd, d_rows, normalized, scales, gain, d_gain, d_shift);
    }
    for ((d_row, normalized), scale) in
        d_rows.chunks_exact_mut(width).zip(normalized.chunks_exact(width)).zip(scales.chunks_exact(1))
    {
        backprop_some::<S, 1>(simd, d_row, normalized, scale, gain, d_gain, d_shift);
    }
}

#[inline(always)]
fn backprop_some<S: Simd, const ROWS: usize>(
    simd: S,
    d_rows: &mut [f32],
    normalized: &[f32],
    scales: &[f32],
    gain: &[f32],
    d_gain: &mut [f32],
    d_shift: &mut [f32],
) {
    let width = gain.len();
    let mut sums = [simd.splat(0.0); 4];
    let mut products = sums;
    let whole = width - width % S::LANES;
    for column in (0..whole).step_by(S::LANES) {
        let gains = simd.load_at(gain, column);
        let (mut d_gains, mut d_shifts) = (simd.load_at(d_gain, column), simd.load_at(d_shift, column));
        for row in 0..ROWS {
            let at = row * width + column;
            let (d, x) = (simd.load_at(d_rows, at), simd.load_at(normalized, at));
            d_gains = simd.mul_add(d, x, d_gains);
            d_shifts = simd.add(d, d_shifts);
            let d = simd.mul(d, gains);
            sums[row] = simd.add(sums[row], d);
            products[row] = simd.mul_add(d, x, products[row]);
            simd.store_at(d_rows, at, d);
        }
        simd.store_at(d_gain, column, d_gains);
        simd.store_at(d_shift, column, d_shifts);
    }
    if whole < width {
        let gains = simd.load_partial(&gain[whole..], 0.0);
        let (d_gain, d_shift) = (&mut d_gain[whole..], &mut d_shift[whole..]);
        let (mut d_gains, mut d_shifts) = (simd.load_partial(d_gain, 0.0), simd.load_partial(d_shift, 0.0));
        for row in 0..ROWS {
            let rest = row * width + whole..(row + 1) * width;
            let (d, x) = (
                simd.load_partial(&d_rows[rest.clone()], 0.0),
                simd.load_partial(&normalized[rest.clone()], 0.0),
            );
            d_gains = simd.mul_add(d, x, d_gains);
            d_shifts = simd.add(d, d_shifts);
            let d = simd.mul(d, gains);
            sums[row] = simd.add(sums[row], d);
            products[row] = simd.mul_add(d, x, products[row]);
            simd.store_partial(&mut d_rows[rest], d);
        }
        simd.store_partial(d_gain, d_gains);
        simd.store_partial(d_shift, d_shifts);
    }
    let (sums, products) = (simd.sum4(sums), simd.sum4(products));
    let rows = d_rows.chunks_exact_mut(width).zip(normalized.chunks_exact(width)).zip(scales);
    for (((d_row, normalized), &scale), (sum, product)) in rows.zip(sums.into_iter().zip(products)) {
        let (mean, product) = (simd.splat(sum / width as f32), simd.splat(product / width as f32));
        let scale = simd.splat(scale);
        let (d_chunks, d_rest) = simd.chunks_mut(d_row);
        let (xs, x_rest) = simd.chunks(normalized);
        for (d, x) in d_chunks.iter_mut().zip(xs) {
            let centred = simd.sub(simd.load(d), mean);
            simd.store(d, simd.mul(simd.neg_mul_add(simd.load(x), product, centred), scale));
        }
        let centred = simd.sub(simd.load_partial(d_rest, 0.0), mean);
        let d = simd.neg_mul_add(simd.load_partial(x_rest, 0.0), product, centred);
        simd.store_partial(d_rest, simd.mul(d, scale));
    }
}

#[cfg(test)]
mod tests {
    use super::{backprop_rows, normalize_and_add, normalize_rows};
    use crate::layers::layer_norm::{backprop_row, normalize, rescale};
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

        fn normalized_rows_and_their_gradients_are_those_one_by_one(isa) {
            for width in WIDTHS.into_iter().filter(|&width| width > 1) {
                let (rows, d_rows) = (numbers(4 * width, 1, 2.0), numbers(4 * width, 4, 1.0));
                let gain = numbers(width, 2, 1.0);
                for n in 1..=4 {
                    let mut found = Learned::new(&rows[..n * width], &d_rows[..n * width], width);
                    let mut expected = found.clone();
                    together(isa, &gain, &mut found);
                    apart(isa, &gain, &mut expected);
                    for (a, b) in found.all().zip(expected.all()) {
                        assert!((a - b).abs() < ROUNDING * (1.0 + b.abs()), "{n} rows of {width}: {a} and {b}");
                    }
                }
            }
        }
    }

    /// Some rows, and what going forward and backward makes of them.
    #[derive(Clone)]
    struct Learned {
        rows: Vec<f32>,
        scales: Vec<f32>,
        d_rows: Vec<f32>,
        d_gain: Vec<f32>,
        d_shift: Vec<f32>,
    }

    impl Learned {
        fn new(rows: &[f32], d_rows: &[f32], width: usize) -> Learned {
            Learned {
                rows: rows.to_vec(),
                scales: vec![0.0; rows.len() / width],
                d_rows: d_rows.to_vec(),
                d_gain: vec![0.5; width],
                d_shift: vec![0.25; width],
            }
        }

        fn all(&self) -> impl Iterator<Item = f32> + '_ {
            let parts = [&self.rows, &self.scales, &self.d_rows, &self.d_gain, &self.d_shift];
            parts.into_iter().flatten().copied()
        }
    }

    #[inline(always)]
    fn together_body<S: Simd>(simd: S, gain: &[f32], learned: &mut Learned) {
        let Learned { rows, scales, d_rows, d_gain, d_shift } = learned;
        normalize_rows(simd, rows, gain.len(), scales);
        backprop_rows(simd, d_rows, rows, scales, gain, d_gain, d_shift);
    }
    crate::dispatch! {
        fn together(gain: &[f32], learned: &mut Learned) -> () = together_body;
    }

    #[inline(always)]
    fn apart_body<S: Simd>(simd: S, gain: &[f32], learned: &mut Learned) {
        let Learned { rows, scales, d_rows, d_gain, d_shift } = learned;
        let rows = rows.chunks_exact_mut(gain.len()).zip(d_rows.chunks_exact_mut(gain.len()));
        for ((row, d_row), scale) in rows.zip(scales) {
            *scale = normalize(simd, row);
            backprop_row(simd, d_row, row, *scale, gain, d_gain, d_shift);
        }
    }
    crate::dispatch! {
        fn apart(gain: &[f32], learned: &mut Learned) -> () = apart_body;
    }
}
