//! The second and later window layers, when predicting.

use std::ops::Range;

use crate::aligned::Aligned;
use crate::encoder::batch::{Group, Layout};
use crate::encoder::level::{Norm, PackedMaxout, PackedWeights, fill_gaps, fours};
use crate::gemm::byte_pairs::Pair;
use crate::gemm::maxout::{RowStarts, maxout_rows};
use crate::gemm::winograd::{Blocks, maxout_windows};
use crate::layers::four_rows::normalize_and_add;
use crate::simd::{Isa, Simd};

/// Buffers for one group, used for level after level.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub starts: Vec<u32>,
    blocks: Blocks,
    pub pairs: Vec<Pair>,
    pub bytes: Vec<u8>,
}

/// Writes the rows of a level to `above`, from those of the level below.
pub(crate) fn run_window_level(
    isa: Isa,
    layer: &PackedMaxout,
    layout: &Layout,
    (level, group): (usize, &Group),
    below: &[f32],
    scratch: &mut Scratch,
    above: &mut [f32],
) {
    layout.starts(level, group.docs.clone(), &mut scratch.starts);
    layout.blocks(level, group.docs.clone(), &mut scratch.blocks);
    let mut best = Aligned::any(above.len());
    let rows = RowStarts { numbers: below, starts: &scratch.starts };
    largest_pieces(isa, rows, &scratch.blocks, &layer.weights, &mut best);
    let windows = Windows {
        below,
        starts: &scratch.starts,
        middle: layout.window * layout.width,
        calculated: &layout.calculated(level, group.docs.clone()),
    };
    finish_rows(isa, &layer.norm, windows, &best, above);
}

/// The windows of a level.
#[derive(Clone, Copy)]
pub(crate) struct Windows<'a> {
    /// The level below.
    pub below: &'a [f32],
    /// Where in it the window of each row begins.
    pub starts: &'a [u32],
    /// Where in a window the row is that is added to the result.
    pub middle: usize,
    /// Rows that are calculated; the others become zeros.
    pub calculated: &'a [Range<usize>],
}

#[inline(always)]
fn largest_pieces_body<S: Simd>(
    simd: S,
    rows: RowStarts<'_>,
    blocks: &Blocks,
    weights: &PackedWeights,
    best: &mut [f32],
) {
    match weights {
        PackedWeights::Plain(panels) => maxout_rows(simd, rows, panels, best, &mut []),
        PackedWeights::Windows(weights) => {
            maxout_windows(simd, rows.numbers, blocks, weights, best, &mut []);
        }
    }
}

crate::dispatch! {
    /// The largest piece of each output of each window. `blocks` are the same windows, for weights that are packed so.
    fn largest_pieces(
        rows: RowStarts<'_>,
        blocks: &Blocks,
        weights: &PackedWeights,
        best: &mut [f32],
    ) -> () = largest_pieces_body;
}

#[inline(always)]
fn finish_rows_body<S: Simd>(simd: S, norm: &Norm, windows: Windows<'_>, best: &[f32], above: &mut [f32]) {
    let width = norm.gain.len();
    fill_gaps(windows.calculated, width, above);
    for rows in fours(windows.calculated) {
        let numbers = rows.start * width..rows.end * width;
        let (best, above, starts) = (&best[numbers.clone()], &mut above[numbers], &windows.starts[rows]);
        let mut residuals = [&windows.below[..0]; 4];
        for (residual, &start) in residuals.iter_mut().zip(starts) {
            *residual = &windows.below[start as usize + windows.middle..][..width];
        }
        normalize_and_add(simd, best, &norm.gain, &norm.shift, residuals, above);
    }
}

crate::dispatch! {
    /// Layer norm of the largest pieces, and the row in the middle of the window added.
    pub(crate) fn finish_rows(
        norm: &Norm,
        windows: Windows<'_>,
        best: &[f32],
        above: &mut [f32],
    ) -> () = finish_rows_body;
}
