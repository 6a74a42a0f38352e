//! The gradient of a maxout layer's weights.

use std::ops::Range;

use super::maxout::RowStarts;
use super::shape::{MAX_PIECES, MaxoutShape};
use super::sparse::Winners;
use crate::simd::Simd;

/// Rows whose input (288 columns, overlapping) stays in the first cache.
const ROWS_AT_A_TIME: usize = 48;
/// Outputs whose winners are looked up together.
const OUTPUTS_AT_A_TIME: usize = 16;

/// A bit for each row of a block.
type WonRows = u64;
/// Room for a block's rows; a power of two, so that a row's number is masked instead of compared.
const ROOM: usize = WonRows::BITS as usize;

/// What a block of rows has for some outputs: their gradients, and in which rows each of their pieces won.
struct Block {
    d: [[f32; OUTPUTS_AT_A_TIME]; ROOM],
    won: [[WonRows; OUTPUTS_AT_A_TIME]; MAX_PIECES],
}

/// Adds the gradients of the weights of some outputs, summed over `rows`; `d_weights` begins at the first of these.
#[inline(always)]
pub(crate) fn weight_gradient<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    input: RowStarts<'_>,
    rows: &[u32],
    shape: MaxoutShape,
    outputs: Range<usize>,
    d_weights: &mut [f32],
) {
    let MaxoutShape { outputs: n_outputs, pieces, depth } = shape;
    let mut some = Block { d: [[0.0; OUTPUTS_AT_A_TIME]; ROOM], won: [[0; OUTPUTS_AT_A_TIME]; MAX_PIECES] };
    for rows in rows.chunks(ROWS_AT_A_TIME) {
        let columns = Columns { input, rows, depth };
        for first in outputs.clone().step_by(OUTPUTS_AT_A_TIME) {
            let last = outputs.end.min(first + OUTPUTS_AT_A_TIME);
            some.look_up(winners, rows, n_outputs, first..last);
            let to = &mut d_weights
                [(first - outputs.start) * pieces * depth..(last - outputs.start) * pieces * depth];
            add_columns(simd, &some, columns, pieces, to);
        }
    }
}

impl<'a> Columns<'a> {
    /// The input of one of the rows, from a column on.
    #[inline(always)]
    fn of_row(&self, row: u32, column: usize) -> &'a [f32] {
        &self.input.numbers[self.input.starts[row as usize] as usize + column..]
    }
}

impl Block {
    /// Looks up which rows each piece of some outputs won, and their gradients.
    #[inline(always)]
    fn look_up(&mut self, winners: Winners<'_>, rows: &[u32], n_outputs: usize, outputs: Range<usize>) {
        self.won = [[0; OUTPUTS_AT_A_TIME]; MAX_PIECES];
        for (bit, &row) in rows.iter().enumerate() {
            let from = row as usize * n_outputs + outputs.start..row as usize * n_outputs + outputs.end;
            // Arrays of fixed size, so that all outputs are looked at in one step.
            let (which, d) = (&winners.which[from.clone()], &winners.d_best[from]);
            let mut some = [u8::MAX; OUTPUTS_AT_A_TIME];
            match (which.first_chunk(), d.first_chunk()) {
                (Some(which), Some(d)) => (some, self.d[bit % ROOM]) = (*which, *d),
                _ => {
                    some[..which.len()].copy_from_slice(which);
                    self.d[bit % ROOM][..d.len()].copy_from_slice(d);
                }
            }
            for (piece, won) in self.won.iter_mut().enumerate() {
                for (won, which) in won.iter_mut().zip(some) {
                    *won |= WonRows::from(which == piece as u8) << bit;
                }
            }
        }
    }
}

/// The rows of the input that a block reads.
#[derive(Clone, Copy)]
struct Columns<'a> {
    input: RowStarts<'a>,
    rows: &'a [u32],
    depth: usize,
}

/// Adds what a block of rows gives to the weights of some outputs, a strip of columns after the other.
#[inline(always)]
fn add_columns<S: Simd>(simd: S, block: &Block, columns: Columns<'_>, pieces: usize, d_weights: &mut [f32]) {
    let depth = columns.depth;
    let mut column = 0;
    // As many sums as there are registers for: each row is looked up once for all of them.
    while S::LANES == 16 && column + 288 <= depth {
        add_strip::<S, 18>(simd, block, columns, column, pieces, d_weights);
        column += 288;
    }
    while column + 96 <= depth {
        match S::LANES {
            16 => add_strip::<S, 6>(simd, block, columns, column, pieces, d_weights),
            8 => add_strip::<S, 12>(simd, block, columns, column, pieces, d_weights),
            _ => add_strip::<S, 24>(simd, block, columns, column, pieces, d_weights),
        }
        column += 96;
    }
    while column + S::LANES <= depth {
        add_strip::<S, 1>(simd, block, columns, column, pieces, d_weights);
        column += S::LANES;
    }
    if column < depth {
        add_rest(block, columns, column, pieces, d_weights);
    }
}

#[inline(always)]
fn add_strip<S: Simd, const VECTORS: usize>(
    simd: S,
    block: &Block,
    columns: Columns<'_>,
    column: usize,
    pieces: usize,
    d_weights: &mut [f32],
) {
    let width = VECTORS * S::LANES;
    // Looked up once: in the loop below nothing is compared but the bits.
    let first = simd.chunks(&columns.of_row(columns.rows[0], column)[..width]).0;
    let mut rows = [&first.as_chunks::<VECTORS>().0[0]; ROOM];
    for (from, &row) in rows.iter_mut().zip(columns.rows) {
        *from = &simd.chunks(&columns.of_row(row, column)[..width]).0.as_chunks::<VECTORS>().0[0];
    }
    for (output, to) in d_weights.chunks_exact_mut(pieces * columns.depth).enumerate().take(OUTPUTS_AT_A_TIME)
    {
        for (won, to) in block.won.iter().zip(to.chunks_exact_mut(columns.depth)) {
            let mut rest = won[output];
            // From zero and not from `to`, which comes from the second cache: nothing waits for it.
            let mut sums = [simd.splat(0.0); VECTORS];
            while rest != 0 {
                let row = rest.trailing_zeros() as usize % ROOM;
                rest &= rest - 1;
                let d = simd.splat(block.d[row][output]);
                for (sum, from) in sums.iter_mut().zip(rows[row]) {
                    *sum = simd.mul_add(d, simd.load(from), *sum);
                }
            }
            let to = simd.chunks_mut(&mut to[column..column + width]).0;
            for (to, &sum) in to.iter_mut().zip(&sums) {
                let sum = simd.add(simd.load(to), sum);
                simd.store(to, sum);
            }
        }
    }
}

/// The columns that do not fill a vector, one by one.
#[inline(always)]
fn add_rest(block: &Block, columns: Columns<'_>, column: usize, pieces: usize, d_weights: &mut [f32]) {
    for (output, to) in d_weights.chunks_exact_mut(pieces * columns.depth).enumerate().take(OUTPUTS_AT_A_TIME)
    {
        for (won, to) in block.won.iter().zip(to.chunks_exact_mut(columns.depth)) {
            let mut rest = won[output];
            while rest != 0 {
                let row = rest.trailing_zeros() as usize % ROOM;
                rest &= rest - 1;
                let from = &columns.of_row(columns.rows[row], 0)[..columns.depth];
                for (sum, number) in to.iter_mut().zip(from).skip(column) {
                    *sum += block.d[row][output] * number;
                }
            }
        }
    }
}
