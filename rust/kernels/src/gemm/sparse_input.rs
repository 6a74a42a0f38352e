//! The gradient of what a maxout layer read.

use super::shape::MaxoutShape;
use super::sparse::Winners;
use crate::aligned::Aligned;
use crate::simd::Simd;

/// Columns that are summed in registers together.
const STRIP: usize = 96;
/// Outputs whose weights (96 columns of three pieces: 28 kB) stay in the first cache.
const OUTPUTS_AT_A_TIME: usize = 24;

/// Weights cut into strips of columns, one strip after the other, so that those of a few outputs lie close together.
///
/// Cut from rows as long as the layer is deep, they would fall on the same lines of the first cache and drive each other
/// out.
#[derive(Debug)]
pub(crate) struct Strips {
    numbers: Aligned,
    shape: MaxoutShape,
}

impl Strips {
    /// Copies weights (outputs × pieces × depth).
    pub fn new(weights: &[f32], shape: MaxoutShape) -> Strips {
        let mut numbers = Aligned::any(weights.len());
        let n_rows = shape.outputs * shape.pieces;
        for (column, strip) in (0..shape.depth).step_by(STRIP).zip(numbers.chunks_mut(n_rows * STRIP)) {
            let width = STRIP.min(shape.depth - column);
            for (to, row) in strip.chunks_exact_mut(width).zip(weights.chunks_exact(shape.depth)) {
                to.copy_from_slice(&row[column..column + width]);
            }
        }
        Strips { numbers, shape }
    }

    /// How many weights there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// Adds to `d_input`, at the start of each of `rows`, the sum over outputs of `d_best * weights[output][which]`.
#[inline(always)]
pub(crate) fn input_gradient<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    weights: &Strips,
    rows: &[u32],
    starts: &[u32],
    d_input: &mut [f32],
) {
    let MaxoutShape { outputs, pieces, depth } = weights.shape;
    let n_rows = outputs * pieces;
    for (first, numbers) in (0..depth).step_by(STRIP).zip(weights.numbers.chunks(n_rows * STRIP)) {
        let width = STRIP.min(depth - first);
        let strip = Strip { numbers, width, outputs, pieces, first };
        let mut column = 0;
        if width == STRIP {
            match S::LANES {
                16 => add_strip::<S, 6>(simd, winners, strip, rows, starts, d_input),
                8 => add_strip::<S, 12>(simd, winners, strip, rows, starts, d_input),
                _ => add_strip::<S, 24>(simd, winners, strip, rows, starts, d_input),
            }
            column += STRIP;
        }
        while column + S::LANES <= width {
            add_vector(simd, winners, strip, rows, starts, column, d_input);
            column += S::LANES;
        }
        if column < width {
            add_rest(winners, strip, rows, starts, column, d_input);
        }
    }
}

/// `width` columns, from `first` on, of the weights of all outputs and pieces.
#[derive(Clone, Copy)]
struct Strip<'a> {
    numbers: &'a [f32],
    width: usize,
    outputs: usize,
    pieces: usize,
    first: usize,
}

/// All columns of a strip that is `VECTORS` vectors wide.
#[inline(always)]
fn add_strip<S: Simd, const VECTORS: usize>(
    simd: S,
    winners: Winners<'_>,
    strip: Strip<'_>,
    rows: &[u32],
    starts: &[u32],
    d_input: &mut [f32],
) {
    let Strip { outputs, pieces, .. } = strip;
    // Of known length, so that finding a row's weights is a shift: a multiplication there costs a fifth of the speed.
    let all_weights = simd.chunks(strip.numbers).0.as_chunks::<VECTORS>().0;
    for first in (0..outputs).step_by(OUTPUTS_AT_A_TIME) {
        let last = outputs.min(first + OUTPUTS_AT_A_TIME);
        let weights = &all_weights[first * pieces..last * pieces];
        for &row in rows {
            let row = row as usize;
            let start = starts[row];
            let d = &winners.d_best[row * outputs + first..row * outputs + last];
            let which = &winners.which[row * outputs + first..row * outputs + last];
            let to = &mut d_input[start as usize + strip.first..][..VECTORS * S::LANES];
            let to = &mut simd.chunks_mut(to).0.as_chunks_mut::<VECTORS>().0[0];
            let mut sums = [simd.splat(0.0); VECTORS];
            for (sum, to) in sums.iter_mut().zip(to.iter()) {
                *sum = simd.load(to);
            }
            let mut output = 0;
            for (&d, &which) in d.iter().zip(which) {
                let from = &weights[output + which as usize];
                output += pieces;
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

/// One vector of columns of a narrower strip.
#[inline(always)]
fn add_vector<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    strip: Strip<'_>,
    rows: &[u32],
    starts: &[u32],
    column: usize,
    d_input: &mut [f32],
) {
    let Strip { outputs, pieces, width, .. } = strip;
    for &row in rows {
        let row = row as usize;
        let d = &winners.d_best[row * outputs..(row + 1) * outputs];
        let which = &winners.which[row * outputs..(row + 1) * outputs];
        let at = starts[row] as usize + strip.first + column;
        let mut sum = simd.load_at(d_input, at);
        for ((&d, &which), weights) in d.iter().zip(which).zip(strip.numbers.chunks_exact(pieces * width)) {
            let weights = simd.load_at(weights, which as usize * width + column);
            sum = simd.mul_add(simd.splat(d), weights, sum);
        }
        simd.store_at(d_input, at, sum);
    }
}

/// The columns that do not fill a vector, one by one.
#[inline(always)]
fn add_rest(
    winners: Winners<'_>,
    strip: Strip<'_>,
    rows: &[u32],
    starts: &[u32],
    column: usize,
    d_input: &mut [f32],
) {
    let Strip { outputs, pieces, width, .. } = strip;
    for &row in rows {
        let row = row as usize;
        let to = &mut d_input[starts[row] as usize + strip.first..][..width];
        for output in 0..outputs {
            let d = winners.d_best[row * outputs + output];
            let at = (output * pieces + winners.which[row * outputs + output] as usize) * width;
            for (to, weight) in to.iter_mut().zip(&strip.numbers[at..]).skip(column) {
                *to += d * weight;
            }
        }
    }
}
