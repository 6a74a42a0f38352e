//! Sequences of rows, each row weighed by a softmax over its sequence, and summed to one row.
//!
//! The numbers are those of thinc's `ParametricAttention` under `reduce_sum`. A sequence of no rows has sum 0.

use super::ragged::{check_lengths, check_total};
use crate::KernelError;
use crate::rows::{Rows, RowsMut};
use crate::simd::{Isa, Simd};

/// As in thinc, scores are kept within this before the exponential.
const LIMIT: f32 = 20.0;

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (simd.chunks(a), simd.chunks(b));
    let mut sums = simd.mul(simd.load_partial(a_rest, 0.0), simd.load_partial(b_rest, 0.0));
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        sums = simd.mul_add(simd.load(a), simd.load(b), sums);
    }
    simd.sum(sums)
}

/// `to += row * factor`
#[inline(always)]
fn add_scaled<S: Simd>(simd: S, to: &mut [f32], row: &[f32], factor: f32) {
    let factors = simd.splat(factor);
    let ((tos, to_rest), (rows, row_rest)) = (simd.chunks_mut(to), simd.chunks(row));
    for (to, row) in tos.iter_mut().zip(rows) {
        simd.store(to, simd.mul_add(simd.load(row), factors, simd.load(to)));
    }
    let sum = simd.mul_add(simd.load_partial(row_rest, 0.0), factors, simd.load_partial(to_rest, 0.0));
    simd.store_partial(to_rest, sum);
}

#[inline(always)]
fn body<S: Simd>(
    simd: S,
    keys: Rows<'_>,
    values: Rows<'_>,
    query: &[f32],
    lengths: &[i32],
    mut out: RowsMut<'_>,
) {
    let mut weights = Vec::new();
    let mut start = 0;
    for (i, &length) in lengths.iter().enumerate() {
        let end = start + length as usize;
        weights.clear();
        let mut total = 0.0;
        for row in start..end {
            let weight = dot(simd, keys.row(row), query).clamp(-LIMIT, LIMIT).exp();
            total += weight;
            weights.push(weight);
        }
        let to = out.row_mut(i);
        to.fill(0.0);
        for (row, weight) in (start..end).zip(&weights) {
            add_scaled(simd, to, values.row(row), weight / total);
        }
        start = end;
    }
}

crate::dispatch! {
    fn run(
        keys: Rows<'_>, values: Rows<'_>, query: &[f32], lengths: &[i32], out: RowsMut<'_>,
    ) -> () = body;
}

/// Writes for each sequence the sum of its rows of `values`, weighed by the softmax of the products of `keys` and `query`.
///
/// # Errors
/// [`KernelError::Shape`] if the sizes do not fit or the lengths do not sum up to the rows, [`KernelError::Value`] for a
/// negative length.
pub fn attended_sums(
    isa: Isa,
    keys: Rows<'_>,
    values: Rows<'_>,
    query: &[f32],
    lengths: &[i32],
    out: RowsMut<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("attended_sums: the rows of keys", values.n_rows(), keys.n_rows())?;
    KernelError::expect_len("attended_sums: query", keys.width(), query.len())?;
    KernelError::expect_len("attended_sums: the rows of out", lengths.len(), out.n_rows())?;
    KernelError::expect_len("attended_sums: the width of out", values.width(), out.width())?;
    let total = check_lengths("attended_sums: lengths", lengths, 0)?;
    check_total("attended_sums: lengths", total, values.n_rows())?;
    run(isa, keys, values, query, lengths, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{WIDTHS, assert_close, for_every_isa, numbers, wide};

    /// `f32` against `f64` over rows of up to 129.
    const CLOSE: f64 = 2e-5;

    /// A plain loop in `f64`.
    fn reference(keys: &[f64], values: &[f64], query: &[f64], lengths: &[i32]) -> Vec<f64> {
        let width = query.len();
        let (mut out, mut start) = (Vec::new(), 0);
        for &length in lengths {
            let rows = start..start + length as usize;
            let weight = |row: usize| {
                let product: f64 = (0..width).map(|k| keys[row * width + k] * query[k]).sum();
                product.clamp(-20.0, 20.0).exp()
            };
            let total: f64 = rows.clone().map(weight).sum();
            out.extend(
                (0..width).map(|k| {
                    rows.clone().map(|row| weight(row) / total * values[row * width + k]).sum::<f64>()
                }),
            );
            start = rows.end;
        }
        out
    }

    for_every_isa! {
        fn sums_are_those_of_plain_loops(isa) {
            let lengths = [3, 0, 1, 5];
            for width in WIDTHS {
                let (keys, values) = (numbers(9 * width, 1, 3.0), numbers(9 * width, 2, 1.0));
                let query = numbers(width, 3, 3.0);
                let mut out = vec![f32::NAN; 4 * width];
                attended_sums(
                    isa,
                    Rows::new(&keys, 9, width).unwrap(),
                    Rows::new(&values, 9, width).unwrap(),
                    &query,
                    &lengths,
                    RowsMut::new(&mut out, 4, width).unwrap(),
                ).unwrap();
                let expected = reference(&wide(&keys), &wide(&values), &wide(&query), &lengths);
                assert_close(&out, &expected, CLOSE, CLOSE);
            }
        }

        fn sizes_that_do_not_fit_are_refused(isa) {
            let (x, mut out) = ([1.0; 6], [0.0; 4]);
            let rows = || Rows::new(&x, 3, 2).unwrap();
            let mut run = |query: &[f32], lengths: &[i32]| {
                attended_sums(isa, rows(), rows(), query, lengths, RowsMut::new(&mut out, 2, 2).unwrap())
            };
            assert!(run(&[1.0, 1.0], &[1, 2]).is_ok());
            assert!(run(&[1.0], &[1, 2]).is_err());
            assert!(run(&[1.0, 1.0], &[1, 1]).is_err());
            assert!(run(&[1.0, 1.0], &[4, -1]).is_err());
            assert!(run(&[1.0, 1.0], &[3]).is_err());
        }
    }
}
