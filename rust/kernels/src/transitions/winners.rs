//! The way back through a maxout over single rows: only the piece that won has a gradient.
//!
//! The encoder's kernels do the same for windows of 288 columns. A state's rows are shorter and come from anywhere, so
//! here each is taken as it comes.

use crate::gemm::shape::MaxoutShape;
use crate::gemm::sparse::{Winners, bias_gradient};
use crate::layers::rowwise::add_row;
use crate::simd::Simd;

/// Vectors that are summed in registers together.
const STRIP: usize = 4;

/// A state, and the number of the row that it read.
pub(super) type Read = (u32, u32);

/// Adds to the row of each read the sum over outputs of gradient times the winner's weights (outputs × pieces × depth).
#[inline(always)]
fn to_rows_body<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    weights: &[f32],
    shape: MaxoutShape,
    reads: &[Read],
    d_rows: &mut [f32],
) {
    let MaxoutShape { pieces, depth, .. } = shape;
    if depth.is_multiple_of(STRIP * S::LANES) {
        return strips_to_rows::<S, STRIP>(simd, winners, weights, shape, reads, d_rows);
    }
    if depth.is_multiple_of(S::LANES) {
        return strips_to_rows::<S, 1>(simd, winners, weights, shape, reads, d_rows);
    }
    for &(state, row) in reads {
        let to = &mut d_rows[row as usize * depth..][..depth];
        let (d, which) = of_state(winners, shape, state);
        for ((&d, &which), weights) in d.iter().zip(which).zip(weights.chunks_exact(pieces * depth)) {
            let from = &weights[usize::from(which) * depth..][..depth];
            to.iter_mut().zip(from).for_each(|(to, weight)| *to += d * weight);
        }
    }
}

/// The same where rows are whole strips of `VECTORS` vectors.
#[inline(always)]
fn strips_to_rows<S: Simd, const VECTORS: usize>(
    simd: S,
    winners: Winners<'_>,
    weights: &[f32],
    shape: MaxoutShape,
    reads: &[Read],
    d_rows: &mut [f32],
) {
    let n_strips = shape.depth / (VECTORS * S::LANES);
    let weights = simd.chunks(weights).0.as_chunks::<VECTORS>().0;
    let d_rows = simd.chunks_mut(d_rows).0.as_chunks_mut::<VECTORS>().0;
    for strip in 0..n_strips {
        for &(state, row) in reads {
            let (d, which) = of_state(winners, shape, state);
            let ((d, last_d), (which, last)) = (d.as_chunks::<2>(), which.as_chunks::<2>());
            // Two sums, so that a multiply-add need not wait for the one before.
            let (mut even, mut odd) = ([simd.splat(0.0); VECTORS], [simd.splat(0.0); VECTORS]);
            let mut output = strip;
            for (&[d, next_d], &[which, next]) in d.iter().zip(which) {
                add_row_times(simd, d, &weights[output + usize::from(which) * n_strips], &mut even);
                output += shape.pieces * n_strips;
                add_row_times(simd, next_d, &weights[output + usize::from(next) * n_strips], &mut odd);
                output += shape.pieces * n_strips;
            }
            if let (&[d], &[which]) = (last_d, last) {
                add_row_times(simd, d, &weights[output + usize::from(which) * n_strips], &mut even);
            }
            let to = &mut d_rows[row as usize * n_strips + strip];
            for ((to, even), odd) in to.iter_mut().zip(even).zip(odd) {
                let sum = simd.add(simd.load(to), simd.add(even, odd));
                simd.store(to, sum);
            }
        }
    }
}

#[inline(always)]
fn add_row_times<S: Simd, const VECTORS: usize>(
    simd: S,
    factor: f32,
    row: &[S::Chunk; VECTORS],
    sums: &mut [S::F32; VECTORS],
) {
    let factor = simd.splat(factor);
    for (sum, from) in sums.iter_mut().zip(row) {
        *sum = simd.mul_add(factor, simd.load(from), *sum);
    }
}

/// Adds to the winner's weights of each output (outputs × pieces × depth) its gradient times the row that was read.
#[inline(always)]
fn to_weights_body<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    rows: &[f32],
    shape: MaxoutShape,
    reads: &[Read],
    d_weights: &mut [f32],
) {
    let MaxoutShape { pieces, depth, .. } = shape;
    if depth.is_multiple_of(STRIP * S::LANES) {
        return strips_to_weights::<S, STRIP>(simd, winners, rows, shape, reads, d_weights);
    }
    if depth.is_multiple_of(S::LANES) {
        return strips_to_weights::<S, 1>(simd, winners, rows, shape, reads, d_weights);
    }
    for &(state, row) in reads {
        let from = &rows[row as usize * depth..][..depth];
        let (d, which) = of_state(winners, shape, state);
        for ((&d, &which), d_weights) in d.iter().zip(which).zip(d_weights.chunks_exact_mut(pieces * depth)) {
            let to = &mut d_weights[usize::from(which) * depth..][..depth];
            to.iter_mut().zip(from).for_each(|(to, number)| *to += d * number);
        }
    }
}

#[inline(always)]
fn strips_to_weights<S: Simd, const VECTORS: usize>(
    simd: S,
    winners: Winners<'_>,
    rows: &[f32],
    shape: MaxoutShape,
    reads: &[Read],
    d_weights: &mut [f32],
) {
    let n_strips = shape.depth / (VECTORS * S::LANES);
    let rows = simd.chunks(rows).0.as_chunks::<VECTORS>().0;
    let d_weights = simd.chunks_mut(d_weights).0.as_chunks_mut::<VECTORS>().0;
    for strip in 0..n_strips {
        for &(state, row) in reads {
            let from = &rows[row as usize * n_strips + strip];
            let (d, which) = of_state(winners, shape, state);
            let mut output = strip;
            for (&d, &which) in d.iter().zip(which) {
                let factor = simd.splat(d);
                let to = &mut d_weights[output + usize::from(which) * n_strips];
                for (to, from) in to.iter_mut().zip(from) {
                    let sum = simd.mul_add(factor, simd.load(from), simd.load(to));
                    simd.store(to, sum);
                }
                output += shape.pieces * n_strips;
            }
        }
    }
}

/// A state's gradients and winners.
#[inline(always)]
fn of_state<'a>(winners: Winners<'a>, shape: MaxoutShape, state: u32) -> (&'a [f32], &'a [u8]) {
    let own = state as usize * shape.outputs..(state as usize + 1) * shape.outputs;
    (&winners.d_best[own.clone()], &winners.which[own])
}

#[inline(always)]
fn to_bias_body<S: Simd>(
    _simd: S,
    winners: Winners<'_>,
    n_outputs: usize,
    states: &[u32],
    d_bias: &mut [f32],
) {
    for &state in states {
        let own = state as usize * n_outputs..(state as usize + 1) * n_outputs;
        bias_gradient(&winners.d_best[own.clone()], &winners.which[own], d_bias);
    }
}

crate::dispatch! {
    pub(super) fn to_rows(
        winners: Winners<'_>,
        weights: &[f32],
        shape: MaxoutShape,
        reads: &[Read],
        d_rows: &mut [f32],
    ) -> () = to_rows_body;
}
crate::dispatch! {
    pub(super) fn to_weights(
        winners: Winners<'_>,
        rows: &[f32],
        shape: MaxoutShape,
        reads: &[Read],
        d_weights: &mut [f32],
    ) -> () = to_weights_body;
}
crate::dispatch! {
    /// Adds the gradients of the states to that of the bias, or of what stands for a row that is not there: pieces ×
    /// outputs, unlike the parameter.
    pub(super) fn to_bias(
        winners: Winners<'_>,
        n_outputs: usize,
        states: &[u32],
        d_bias: &mut [f32],
    ) -> () = to_bias_body;
}
crate::dispatch! {
    pub(super) fn add_to(sums: &mut [f32], numbers: &[f32]) -> () = add_row;
}

#[cfg(test)]
mod tests {
    use super::{MaxoutShape, Read, Winners, to_bias, to_rows, to_weights};
    use crate::testing::{assert_close, for_every_isa, numbers, wide};

    const N_STATES: usize = 5;
    const N_ROWS: usize = 4;
    /// Two states read the same row, one reads none.
    const READS: [Read; 4] = [(0, 2), (1, 0), (3, 2), (4, 3)];

    /// What plain loops add to rows, weights, and bias.
    fn add(winners: Winners<'_>, shape: MaxoutShape, from: [&[f32]; 2], to: [&mut [f64]; 3]) {
        let MaxoutShape { outputs, pieces, depth } = shape;
        let ([rows, weights], [d_rows, d_weights, d_bias]) = (from, to);
        for (state, row) in READS.map(|(state, row)| (state as usize, row as usize)) {
            for output in 0..outputs {
                let d = f64::from(winners.d_best[state * outputs + output]);
                let piece = winners.which[state * outputs + output] as usize;
                d_bias[piece * outputs + output] += d;
                for column in 0..depth {
                    let weight = (output * pieces + piece) * depth + column;
                    d_rows[row * depth + column] += d * f64::from(weights[weight]);
                    d_weights[weight] += d * f64::from(rows[row * depth + column]);
                }
            }
        }
    }

    for_every_isa! {
        fn rows_of_any_width_get_what_plain_loops_give(isa) {
            for depth in [1, 5, 16, 40, 64, 128] {
                for (outputs, pieces) in [(7, 3), (8, 2), (1, 1)] {
                    let shape = MaxoutShape { outputs, pieces, depth };
                    let d_best = numbers(N_STATES * outputs, 1, 1.0);
                    let which: Vec<u8> = (0..d_best.len()).map(|index| (index % pieces) as u8).collect();
                    let winners = Winners { d_best: &d_best, which: &which };
                    let (rows, weights) =
                        (numbers(N_ROWS * depth, 2, 1.0), numbers(outputs * pieces * depth, 3, 1.0));
                    let (mut d_rows, mut d_weights) =
                        (numbers(rows.len(), 4, 1.0), numbers(weights.len(), 5, 1.0));
                    let mut d_bias = numbers(outputs * pieces, 6, 1.0);
                    let mut expected = [wide(&d_rows), wide(&d_weights), wide(&d_bias)];
                    add(winners, shape, [&rows, &weights], expected.each_mut().map(|sums| &mut **sums));
                    to_rows(isa, winners, &weights, shape, &READS, &mut d_rows);
                    to_weights(isa, winners, &rows, shape, &READS, &mut d_weights);
                    to_bias(isa, winners, outputs, &READS.map(|(state, _)| state), &mut d_bias);
                    for (found, expected) in [&d_rows, &d_weights, &d_bias].into_iter().zip(&expected) {
                        assert_close(found, expected, 1e-5, 1e-5);
                    }
                }
            }
        }
    }
}
