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
