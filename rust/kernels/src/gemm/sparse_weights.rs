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

/// The lowest bit of each byte.
const LOW_BITS: u64 = 0x0101_0101_0101_0101;

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
        for (part, rows) in rows.chunks(8).enumerate() {
            // A byte for each output, in it a bit for each row: where the second and where the third piece won.
            let mut second = [0_u64; OUTPUTS_AT_A_TIME / 8];
            let mut third = second;
            for (bit, &row) in rows.iter().enumerate() {
                let which = self.take_row(winners, row as usize * n_outputs, outputs.clone(), part * 8 + bit);
                for ((second, third), which) in second.iter_mut().zip(&mut third).zip(which.as_chunks().0) {
                    let which = u64::from_le_bytes(*which);
                    *second |= (which & LOW_BITS) << bit;
                    *third |= (which >> 1 & LOW_BITS) << bit;
                }
            }
            let all = u8::MAX >> (8 - rows.len());
            let [first, seconds, thirds] = &mut self.won;
            let pieces = first
                .as_chunks_mut::<8>()
                .0
                .iter_mut()
                .zip(seconds.as_chunks_mut::<8>().0)
                .zip(thirds.as_chunks_mut::<8>().0);
            for (((first, seconds), thirds), (second, third)) in pieces.zip(second.iter().zip(third)) {
                let (second, third) = (second.to_le_bytes(), third.to_le_bytes());
                for output in 0..8 {
                    let (second, third) = (second[output], third[output]);
                    first[output] |= WonRows::from(all & !(second | third)) << (8 * part);
                    seconds[output] |= WonRows::from(second) << (8 * part);
                    thirds[output] |= WonRows::from(third) << (8 * part);
                }
            }
        }
    }

    /// Copies the gradients of some outputs of a row that begins at `at`, and says which of their pieces won.
    #[inline(always)]
    fn take_row(
        &mut self,
        winners: Winners<'_>,
        at: usize,
        outputs: Range<usize>,
        number: usize,
    ) -> [u8; OUTPUTS_AT_A_TIME] {
        let from = at + outputs.start..at + outputs.end;
        // Arrays of fixed size, so that all outputs are looked at in one step.
        let (which, d) = (&winners.which[from.clone()], &winners.d_best[from]);
        let to = &mut self.d[number % ROOM];
        match (which.first_chunk(), d.first_chunk()) {
            (Some(which), Some(d)) => {
                *to = *d;
                *which
            }
            _ => {
                let mut some = [0; OUTPUTS_AT_A_TIME];
                some[..which.len()].copy_from_slice(which);
                to[..d.len()].copy_from_slice(d);
                some
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
