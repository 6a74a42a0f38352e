//! Back through one layer, over the rows of a group: residual, dropout, layer norm, maxout, window.

use std::ops::Range;

use super::grads::RowGrads;
use super::trace::{KeptMaxout, LevelRows};
use crate::encoder::level::fours;
use crate::gemm::sparse::{Winners, bias_gradient};
use crate::gemm::sparse_input::input_gradient;
use crate::layers::dropout::Dropout;
use crate::layers::four_rows::backprop_rows;
use crate::layers::rowwise::multiply_row;
use crate::simd::Simd;

/// A layer going backward over some rows.
pub(crate) struct Step<'a> {
    pub kept: &'a KeptMaxout,
    pub dropout: Option<Dropout>,
    /// The number of the first row, for the dropout mask.
    pub first_row: u64,
    /// Where in a row's window the residual begins.
    pub residual: Option<usize>,
}

/// Which rows of a level were calculated and which of these have a gradient to pass on, and where each of all its rows
/// begins in what it read.
#[derive(Clone, Copy)]
pub(crate) struct Reads<'a> {
    pub calculated: &'a [Range<usize>],
    pub rows: &'a [u32],
    pub starts: &'a [u32],
}

/// A pass over the rows of one level: `d` holds the gradient of the level's output and gets that of the maxout's;
/// `d_below` gets the gradient of what the level read.
#[inline(always)]
fn step_down_body<S: Simd>(
    simd: S,
    step: &Step<'_>,
    rows: LevelRows<'_>,
    reads: Reads<'_>,
    d: &mut [f32],
    d_below: &mut [f32],
    grads: &mut RowGrads,
) {
    let width = step.kept.shape.outputs;
    let mut n_filled = 0;
    let mut factors = vec![0.0; width];
    for four in fours(reads.calculated) {
        for row in four.clone() {
            let d = &mut d[row * width..(row + 1) * width];
            if let Some(offset) = step.residual {
                let to = reads.starts[row] as usize + offset;
                d_below[n_filled..to].fill(0.0);
                d_below[to..to + width].copy_from_slice(d);
                n_filled = to + width;
            }
            if let Some(dropout) = step.dropout {
                dropout.fill_row(step.first_row + row as u64, &mut factors);
                multiply_row(simd, d, &factors);
            }
        }
        let numbers = four.start * width..four.end * width;
        let (d, normalized) = (&mut d[numbers.clone()], &rows.normalized[numbers.clone()]);
        let (scales, RowGrads { gain, shift, bias }) = (&rows.scales[four], &mut *grads);
        backprop_rows(simd, d, normalized, scales, &step.kept.gain, gain, shift);
        for (d, which) in d.chunks_exact(width).zip(rows.which[numbers].chunks_exact(width)) {
            bias_gradient(d, which, bias);
        }
    }
    d_below[n_filled..].fill(0.0);
    let winners = Winners { d_best: d, which: rows.which };
    input_gradient(simd, winners, &step.kept.weights, reads.rows, reads.starts, d_below);
}

crate::dispatch! {
    /// Goes back through a layer over some rows.
    pub(crate) fn step_down(
        step: &Step<'_>,
        rows: LevelRows<'_>,
        reads: Reads<'_>,
        d: &mut [f32],
        d_below: &mut [f32],
        grads: &mut RowGrads,
    ) -> () = step_down_body;
}
