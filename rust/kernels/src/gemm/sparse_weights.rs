//! The gradient of a maxout layer's weights.

use std::ops::Range;

use super::maxout::RowStarts;
use super::sparse::{MAX_PIECES, MaxoutShape, Winners};
use crate::simd::Simd;

/// Rows whose input (288 columns, overlapping) stays in the first cache; not more than a [`WonRows`] has bits.
const ROWS_AT_A_TIME: usize = 48;
/// Outputs whose winners are looked up together.
const OUTPUTS_AT_A_TIME: usize = 16;

/// A bit for each row of a block.
type WonRows = u64;

/// Adds the gradients of the weights of some outputs; `d_weights` begins at the first of these.
#[inline(always)]
pub(crate) fn weight_gradient<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    input: RowStarts<'_>,
    shape: MaxoutShape,
    outputs: Range<usize>,
    d_weights: &mut [f32],
) {
    let MaxoutShape { outputs: n_outputs, pieces, depth } = shape;
    for (block, starts) in input.starts.chunks(ROWS_AT_A_TIME).enumerate() {
        let first_row = block * ROWS_AT_A_TIME;
        for first in outputs.clone().step_by(OUTPUTS_AT_A_TIME) {
            let last = outputs.end.min(first + OUTPUTS_AT_A_TIME);
            let won = won_rows(&winners.which[first_row * n_outputs..], n_outputs, first..last, starts.len());
            for output in first..last {
                let d_best = &winners.d_best[first_row * n_outputs + output..];
                let rows = Rows { numbers: input.numbers, starts, d_best, stride: n_outputs };
                for (piece, won) in won.iter().enumerate().take(pieces) {
                    let index = (output - outputs.start) * pieces + piece;
                    add_rows(simd, rows, won[output - first], &mut d_weights[index * depth..][..depth]);
                }
            }
        }
    }
}

/// In which rows each piece of some outputs won.
#[inline(always)]
fn won_rows(
    which: &[u8],
    n_outputs: usize,
    outputs: Range<usize>,
    n_rows: usize,
) -> [[WonRows; OUTPUTS_AT_A_TIME]; MAX_PIECES] {
    let mut won = [[0; OUTPUTS_AT_A_TIME]; MAX_PIECES];
    for (bit, row) in which.chunks(n_outputs).take(n_rows).enumerate() {
        // An array of fixed size, so that all outputs are looked at in one step.
        let mut some = [u8::MAX; OUTPUTS_AT_A_TIME];
        some[..outputs.len()].copy_from_slice(&row[outputs.clone()]);
        for (piece, won) in won.iter_mut().enumerate() {
            for (won, which) in won.iter_mut().zip(some) {
                *won |= WonRows::from(which == piece as u8) << bit;
            }
        }
    }
    won
}

/// The rows of a block: where the input of each begins, and `stride` numbers apart its gradient.
#[derive(Clone, Copy)]
struct Rows<'a> {
    numbers: &'a [f32],
    starts: &'a [u32],
    d_best: &'a [f32],
    stride: usize,
}

/// `sums += Σ d * row`, over the rows in `won`, in order.
#[inline(always)]
fn add_rows<S: Simd>(simd: S, rows: Rows<'_>, won: WonRows, sums: &mut [f32]) {
    let depth = sums.len();
    let mut column = 0;
    // As many sums as there are registers for: each row is looked up once for all of them.
    while S::LANES == 16 && column + 288 <= depth {
        add_strip::<S, 18>(simd, rows, won, column, &mut sums[column..column + 288]);
        column += 288;
    }
    while column + 96 <= depth {
        let sums = &mut sums[column..column + 96];
        match S::LANES {
            16 => add_strip::<S, 6>(simd, rows, won, column, sums),
            8 => add_strip::<S, 12>(simd, rows, won, column, sums),
            _ => add_strip::<S, 24>(simd, rows, won, column, sums),
        }
        column += 96;
    }
    while column + S::LANES <= depth {
        add_strip::<S, 1>(simd, rows, won, column, &mut sums[column..column + S::LANES]);
        column += S::LANES;
    }
    let mut rest = won;
    while rest != 0 && column < depth {
        let row = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        let (start, d) = (rows.starts[row] as usize, rows.d_best[row * rows.stride]);
        for (sum, number) in sums.iter_mut().zip(&rows.numbers[start..]).skip(column) {
            *sum += d * number;
        }
    }
}

#[inline(always)]
fn add_strip<S: Simd, const VECTORS: usize>(
    simd: S,
    rows: Rows<'_>,
    won: WonRows,
    column: usize,
    sums: &mut [f32],
) {
    let to = &mut simd.chunks_mut(sums).0.as_chunks_mut::<VECTORS>().0[0];
    let mut sums = [simd.splat(0.0); VECTORS];
    for (sum, to) in sums.iter_mut().zip(to.iter()) {
        *sum = simd.load(to);
    }
    let mut rest = won;
    while rest != 0 {
        let row = rest.trailing_zeros() as usize;
        rest &= rest - 1;
        let from = &rows.numbers[rows.starts[row] as usize + column..][..VECTORS * S::LANES];
        let from = &simd.chunks(from).0.as_chunks::<VECTORS>().0[0];
        let d = simd.splat(rows.d_best[row * rows.stride]);
        for (sum, from) in sums.iter_mut().zip(from) {
            *sum = simd.mul_add(d, simd.load(from), *sum);
        }
    }
    for (to, &sum) in to.iter_mut().zip(&sums) {
        simd.store(to, sum);
    }
}
