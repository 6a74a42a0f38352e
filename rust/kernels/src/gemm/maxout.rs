//! Affine + maxout in one pass: the pieces never leave the registers.

use super::panels::Panels;
use super::tile::{for_row_blocks, tile};
use crate::simd::Simd;

/// Rows inside a flat input: row `r` begins at `starts[r]`. Rows may overlap, as the windows of a convolution do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowStarts<'a> {
    pub numbers: &'a [f32],
    pub starts: &'a [u32],
}

impl<'a> RowStarts<'a> {
    #[inline(always)]
    fn block<const ROWS: usize>(&self, first: usize) -> [&'a [f32]; ROWS] {
        let mut rows = [&self.numbers[..0]; ROWS];
        for (row, &start) in rows.iter_mut().zip(&self.starts[first..first + ROWS]) {
            *row = &self.numbers[start as usize..];
        }
        rows
    }
}

/// Writes the largest piece of each output to `best` (rows × outputs), and which piece it was to `which` unless that is
/// empty. Of equal pieces the first wins.
#[inline(always)]
pub(crate) fn maxout_rows<S: Simd>(
    simd: S,
    rows: RowStarts<'_>,
    panels: &Panels,
    best: &mut [f32],
    which: &mut [u8],
) {
    match panels.vectors() {
        1 => pieces::<S, 1>(simd, rows, panels, best, which),
        2 => pieces::<S, 2>(simd, rows, panels, best, which),
        3 => pieces::<S, 3>(simd, rows, panels, best, which),
        n => panic!("maxout_rows: 1 to 3 pieces, not {n}"),
    }
}

#[inline(always)]
fn pieces<S: Simd, const PIECES: usize>(
    simd: S,
    rows: RowStarts<'_>,
    panels: &Panels,
    best: &mut [f32],
    which: &mut [u8],
) {
    let n_rows = rows.starts.len();
    for index in 0..panels.n_panels() {
        let (start, panel) = panels.panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_rows, row, ROWS => {
            let sums = tile::<S, ROWS, PIECES>(simd, &rows.block::<ROWS>(row), panel, [start; ROWS]);
            for (offset, sums) in sums.iter().enumerate() {
                let at = (row + offset) * panels.columns() + index * S::LANES;
                let used = S::LANES.min(panels.columns() - index * S::LANES);
                store_winners(simd, sums, at, used, best, which);
            }
        });
    }
}

/// Writes the largest of some sums, lane by lane, to `best[at..at + used]`, and which it was to `which` unless that is
/// empty.
#[inline(always)]
pub(crate) fn store_winners<S: Simd>(
    simd: S,
    sums: &[S::F32],
    at: usize,
    used: usize,
    best: &mut [f32],
    which: &mut [u8],
) {
    let best = &mut best[at..at + used];
    if which.is_empty() {
        store_largest(simd, sums, best);
    } else {
        store_argmax(simd, sums, best, &mut which[at..at + used]);
    }
}

/// Writes the largest of some sums, lane by lane.
#[inline(always)]
pub(crate) fn store_largest<S: Simd>(simd: S, sums: &[S::F32], best: &mut [f32]) {
    let mut largest = sums[0];
    for &sum in &sums[1..] {
        largest = simd.max(sum, largest);
    }
    store(simd, best, largest);
}

/// Reads as many lanes as `from` has, which must not be more than there are.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, from: &[f32]) -> S::F32 {
    if from.len() == S::LANES { simd.load_at(from, 0) } else { simd.load_partial(from, 0.0) }
}

/// Writes as many lanes as `to` has room for, which must not be more than there are.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, to: &mut [f32], value: S::F32) {
    if to.len() == S::LANES {
        simd.store_at(to, 0, value);
    } else {
        simd.store_partial(to, value);
    }
}

#[inline(always)]
fn store_argmax<S: Simd>(simd: S, sums: &[S::F32], best: &mut [f32], which: &mut [u8]) {
    let mut largest = sums[0];
    let mut winner = simd.splat(0.0);
    for (piece, &sum) in sums.iter().enumerate().skip(1) {
        let larger = simd.lt(largest, sum);
        largest = simd.select(larger, sum, largest);
        winner = simd.select(larger, simd.splat(piece as f32), winner);
    }
    store(simd, best, largest);
    simd.store_bytes(which, winner);
}
