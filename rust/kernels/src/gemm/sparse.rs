//! The gradients of an affine layer under a maxout: only the winning piece of each output has one.
//!
//! That is a third of the multiply-adds of the dense products with three pieces. Sums run over outputs (for the input)
//! and over rows (for the weights) in order, however the work is cut.

use std::ops::Range;

use super::maxout::RowStarts;
use crate::simd::Simd;

/// The sizes of a maxout layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaxoutShape {
    pub outputs: usize,
    pub pieces: usize,
    pub depth: usize,
}

/// Gradient rows and which piece won in each of their numbers (both rows × outputs).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Winners<'a> {
    pub d_best: &'a [f32],
    pub which: &'a [u8],
}

/// Outputs whose weights (for 96 columns and three pieces) stay in the first cache.
const OUTPUTS_AT_A_TIME: usize = 24;
/// Rows whose input (96 columns) stays in the first cache.
const ROWS_AT_A_TIME: usize = 64;
/// The most pieces that the fused layers take.
pub(crate) const MAX_PIECES: usize = 3;

/// Adds to `d_input`, at each row's start, the sum over outputs of `d_best * weights[output][which]`.
#[inline(always)]
pub(crate) fn input_gradient<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    weights: &[f32],
    shape: MaxoutShape,
    starts: &[u32],
    d_input: &mut [f32],
) {
    let mut column = 0;
    while column + 96 <= shape.depth {
        match S::LANES {
            16 => input_strip::<S, 6>(simd, winners, weights, shape, starts, column, d_input),
            8 => input_strip::<S, 12>(simd, winners, weights, shape, starts, column, d_input),
            _ => input_strip::<S, 24>(simd, winners, weights, shape, starts, column, d_input),
        }
        column += 96;
    }
    while column + S::LANES <= shape.depth {
        input_strip::<S, 1>(simd, winners, weights, shape, starts, column, d_input);
        column += S::LANES;
    }
    if column < shape.depth {
        input_rest(winners, weights, shape, starts, column, d_input);
    }
}

#[inline(always)]
fn input_strip<S: Simd, const VECTORS: usize>(
    simd: S,
    winners: Winners<'_>,
    weights: &[f32],
    shape: MaxoutShape,
    starts: &[u32],
    column: usize,
    d_input: &mut [f32],
) {
    let MaxoutShape { outputs, pieces, depth } = shape;
    let columns = VECTORS * S::LANES;
    for first in (0..outputs).step_by(OUTPUTS_AT_A_TIME) {
        let last = outputs.min(first + OUTPUTS_AT_A_TIME);
        for (row, &start) in starts.iter().enumerate() {
            let d = &winners.d_best[row * outputs + first..row * outputs + last];
            let which = &winners.which[row * outputs + first..row * outputs + last];
            let to = &mut d_input[start as usize + column..][..columns];
            let to = &mut simd.chunks_mut(to).0.as_chunks_mut::<VECTORS>().0[0];
            let mut sums = [simd.splat(0.0); VECTORS];
            for (sum, to) in sums.iter_mut().zip(to.iter()) {
                *sum = simd.load(to);
            }
            for (output, (&d, &which)) in (first..last).zip(d.iter().zip(which)) {
                let at = (output * pieces + which as usize) * depth + column;
                let from = &simd.chunks(&weights[at..][..columns]).0.as_chunks::<VECTORS>().0[0];
                let d = simd.splat(d);
                for (sum, from) in sums.iter_mut().zip(from) {
                    *sum = simd.mul_add(d, simd.load(from), *sum);
                }
            }
            for (to, &sum) in to.iter_mut().zip(&sums) {
                simd.store(to, sum);
            }
        }
    }
}

/// The columns that do not fill a vector, one by one.
#[inline(always)]
fn input_rest(
    winners: Winners<'_>,
    weights: &[f32],
    shape: MaxoutShape,
    starts: &[u32],
    column: usize,
    d_input: &mut [f32],
) {
    let MaxoutShape { outputs, pieces, depth } = shape;
    for (row, &start) in starts.iter().enumerate() {
        for output in 0..outputs {
            let d = winners.d_best[row * outputs + output];
            let at = (output * pieces + winners.which[row * outputs + output] as usize) * depth;
            for k in column..depth {
                d_input[start as usize + k] += d * weights[at + k];
            }
        }
    }
}

/// The rows of a block in which one piece of one output won: where each row begins, and the gradient there.
type WinList = [(u32, f32); ROWS_AT_A_TIME];

/// Sorts the rows of a block by the piece of one output that won. Gives how many rows each piece has.
#[inline(always)]
fn sort_by_winner(
    winners: Winners<'_>,
    n_outputs: usize,
    output: usize,
    first_row: usize,
    starts: &[u32],
    lists: &mut [WinList; MAX_PIECES],
) -> [usize; MAX_PIECES] {
    let mut n = [0; MAX_PIECES];
    let at = first_row * n_outputs + output;
    let columns =
        winners.which[at..].iter().step_by(n_outputs).zip(winners.d_best[at..].iter().step_by(n_outputs));
    for (&start, (&which, &d)) in starts.iter().zip(columns) {
        // Every list gets the row and only the winner's keeps it: no branch, no counter in memory.
        for (piece, (list, n)) in lists.iter_mut().zip(&mut n).enumerate() {
            list[*n % ROWS_AT_A_TIME] = (start, d);
            *n += usize::from(usize::from(which) == piece);
        }
    }
    n
}

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
    let mut lists = [[(0, 0.0); ROWS_AT_A_TIME]; MAX_PIECES];
    for (block, starts) in input.starts.chunks(ROWS_AT_A_TIME).enumerate() {
        let first_row = block * ROWS_AT_A_TIME;
        for output in outputs.clone() {
            let n = sort_by_winner(winners, n_outputs, output, first_row, starts, &mut lists);
            for (piece, (list, n)) in lists.iter().zip(n).enumerate().take(pieces) {
                let index = (output - outputs.start) * pieces + piece;
                add_rows(simd, &list[..n], input.numbers, &mut d_weights[index * depth..][..depth]);
            }
        }
    }
}

/// Adds a row's gradient to that of the biases: `d_bias` is pieces × outputs.
#[inline(always)]
pub(crate) fn bias_gradient(d_best: &[f32], which: &[u8], d_bias: &mut [f32]) {
    let n_outputs = d_best.len().max(1);
    for (piece, d_bias) in d_bias.chunks_exact_mut(n_outputs).enumerate() {
        for ((sum, &d), &which) in d_bias.iter_mut().zip(d_best).zip(which) {
            *sum += if usize::from(which) == piece { d } else { 0.0 };
        }
    }
}

/// `sums += Σ d * numbers[start..]`
#[inline(always)]
fn add_rows<S: Simd>(simd: S, wins: &[(u32, f32)], numbers: &[f32], sums: &mut [f32]) {
    let depth = sums.len();
    let mut column = 0;
    while column + 96 <= depth {
        let sums = &mut sums[column..column + 96];
        match S::LANES {
            16 => add_strip::<S, 6>(simd, wins, numbers, column, sums),
            8 => add_strip::<S, 12>(simd, wins, numbers, column, sums),
            _ => add_strip::<S, 24>(simd, wins, numbers, column, sums),
        }
        column += 96;
    }
    while column + S::LANES <= depth {
        add_strip::<S, 1>(simd, wins, numbers, column, &mut sums[column..column + S::LANES]);
        column += S::LANES;
    }
    for &(start, d) in wins {
        for k in column..depth {
            sums[k] += d * numbers[start as usize + k];
        }
    }
}

#[inline(always)]
fn add_strip<S: Simd, const VECTORS: usize>(
    simd: S,
    wins: &[(u32, f32)],
    numbers: &[f32],
    column: usize,
    sums: &mut [f32],
) {
    let to = &mut simd.chunks_mut(sums).0.as_chunks_mut::<VECTORS>().0[0];
    let mut sums = [simd.splat(0.0); VECTORS];
    for (sum, to) in sums.iter_mut().zip(to.iter()) {
        *sum = simd.load(to);
    }
    for &(start, d) in wins {
        let from = &numbers[start as usize + column..][..VECTORS * S::LANES];
        let from = &simd.chunks(from).0.as_chunks::<VECTORS>().0[0];
        let d = simd.splat(d);
        for (sum, from) in sums.iter_mut().zip(from) {
            *sum = simd.mul_add(d, simd.load(from), *sum);
        }
    }
    for (to, &sum) in to.iter_mut().zip(&sums) {
        simd.store(to, sum);
    }
}
