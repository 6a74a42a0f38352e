//! Affine + maxout over windows of three rows, two windows at a time, with a third fewer multiply-adds.
//!
//! Winograd's minimal filtering F(2, 3): for rows `x0 x1 x2 x3` and weights `w0 w1 w2`, the sums
//! `y0 = w0·x0 + w1·x1 + w2·x2` and `y1 = w0·x1 + w1·x2 + w2·x3` are
//! `m0 + m1 + m2` and `m1 - m2 + m3` with
//!
//! ```text
//! m0 = w0 · (x0 - x2)                   m1 = (w0 + w1 + w2)/2 · (x1 + x2)
//! m3 = w2 · (x3 - x1)                   m2 = (w0 - w1 + w2)/2 · (x2 - x1)
//! ```
//!
//! Four products where the plain way has six. Rounding errors grow by about two (Lavin & Gray 2016).

use super::maxout::{load, store, store_winners};
use super::pack::{MaxoutWeights, pack_windows};
use super::panels::Panels;
use super::sparse::MaxoutShape;
use super::tile::{for_row_blocks, tile};
use crate::aligned::Aligned;
use crate::simd::{Isa, Simd};

/// The weights of the four products, packed.
#[derive(Clone, Debug)]
pub(crate) struct WindowPairs {
    panels: Box<[Panels; 4]>,
    width: usize,
}

impl WindowPairs {
    /// Packs maxout weights `(outputs, pieces, 3 * width)` and their bias.
    pub fn new(isa: Isa, weights: &[f32], bias: &[f32], pieces: usize) -> WindowPairs {
        let width = weights.len() / bias.len().max(1) / 3;
        let shape = MaxoutShape { outputs: bias.len() / pieces.max(1), pieces, depth: width };
        let mut panels = Box::new([(); 4].map(|()| Panels::empty_maxout(isa, shape)));
        // The bias is in both sums once.
        panels[1].set_starts(bias);
        let shape = MaxoutShape { depth: 3 * width, ..shape };
        pack_windows(isa, MaxoutWeights { numbers: weights, shape }, &mut panels);
        WindowPairs { panels, width }
    }
}

/// Two neighbouring windows: where the first begins in the input, to which row of the output it goes, and whether there
/// is a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub start: usize,
    pub row: usize,
    pub both: bool,
}

/// Writes the largest piece of each output to `best`, rows × outputs, for the rows of all pairs, and which piece it was
/// to `which` unless that is empty.
#[inline(always)]
pub(crate) fn maxout_pairs<S: Simd>(
    simd: S,
    input: &[f32],
    pairs: &[Pair],
    weights: &WindowPairs,
    best: &mut [f32],
    which: &mut [u8],
) {
    match weights.panels[0].vectors() {
        1 => pieces::<S, 1>(simd, input, pairs, weights, best, which),
        2 => pieces::<S, 2>(simd, input, pairs, weights, best, which),
        3 => pieces::<S, 3>(simd, input, pairs, weights, best, which),
        n => panic!("maxout_pairs: 1 to 3 pieces, not {n}"),
    }
}

#[inline(always)]
fn pieces<S: Simd, const PIECES: usize>(
    simd: S,
    input: &[f32],
    pairs: &[Pair],
    weights: &WindowPairs,
    best: &mut [f32],
    which: &mut [u8],
) {
    let width = weights.width;
    let sums = PIECES * S::LANES;
    let mut scratch = Aligned::any(pairs.len() * (4 * width + 2 * sums));
    let (mixed, rest) = scratch.split_at_mut(pairs.len() * 4 * width);
    let (plus, minus) = rest.split_at_mut(pairs.len() * sums);
    for (pair, mixed) in pairs.iter().zip(mixed.chunks_exact_mut(4 * width)) {
        // Without a second window there is no fourth row, and its product is not used.
        let n_rows = if pair.both { 4 } else { 3 };
        mix_rows(simd, &input[pair.start..][..n_rows * width], width, mixed);
    }
    let outputs = weights.panels[0].columns();
    let n_pairs = pairs.len();
    // One product after the other for all pairs: so its panel stays in the first cache, and no sums wait in registers.
    for index in 0..weights.panels[0].n_panels() {
        let used = S::LANES.min(outputs - index * S::LANES);
        let column = index * S::LANES;
        let (bias, panel) = weights.panels[1].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_pairs, row, ROWS => {
            let rows = mixed_rows::<ROWS>(mixed, width, 1, row);
            let m1 = tile::<S, ROWS, PIECES>(simd, &rows, panel, [bias; ROWS]);
            for (m1, to) in m1.iter().zip(plus[row * sums..].chunks_exact_mut(sums)) {
                for (m1, to) in m1.iter().zip(simd.chunks_mut(to).0) {
                    simd.store(to, *m1);
                }
            }
        });
        let (zeros, panel) = weights.panels[2].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_pairs, row, ROWS => {
            let rows = mixed_rows::<ROWS>(mixed, width, 2, row);
            let m2 = tile::<S, ROWS, PIECES>(simd, &rows, panel, [zeros; ROWS]);
            let both = plus[row * sums..].chunks_exact_mut(sums).zip(minus[row * sums..].chunks_exact_mut(sums));
            for (m2, (plus, minus)) in m2.iter().zip(both) {
                let both = simd.chunks_mut(plus).0.iter_mut().zip(simd.chunks_mut(minus).0);
                for (&m2, (plus, minus)) in m2.iter().zip(both) {
                    let m1 = simd.load(plus);
                    simd.store(plus, simd.add(m1, m2));
                    simd.store(minus, simd.sub(m1, m2));
                }
            }
        });
        let (_, panel) = weights.panels[0].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_pairs, row, ROWS => {
            let rows = mixed_rows::<ROWS>(mixed, width, 0, row);
            let start = load_sums::<S, ROWS, PIECES>(simd, &plus[row * sums..], zeros);
            let y0 = tile::<S, ROWS, PIECES>(simd, &rows, panel, start);
            for (pair, y0) in pairs[row..].iter().zip(&y0) {
                store_winners(simd, y0, pair.row * outputs + column, used, best, which);
            }
        });
        let (_, panel) = weights.panels[3].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_pairs, row, ROWS => {
            let rows = mixed_rows::<ROWS>(mixed, width, 3, row);
            let start = load_sums::<S, ROWS, PIECES>(simd, &minus[row * sums..], zeros);
            let y1 = tile::<S, ROWS, PIECES>(simd, &rows, panel, start);
            for (pair, y1) in pairs[row..].iter().zip(&y1) {
                if pair.both {
                    store_winners(simd, y1, (pair.row + 1) * outputs + column, used, best, which);
                }
            }
        });
    }
}

/// The rows of one of the four mixtures, for some pairs.
#[inline(always)]
fn mixed_rows<const ROWS: usize>(mixed: &[f32], width: usize, which: usize, first: usize) -> [&[f32]; ROWS] {
    let mut rows = [&mixed[..0]; ROWS];
    for (offset, row) in rows.iter_mut().enumerate() {
        *row = &mixed[((first + offset) * 4 + which) * width..][..width];
    }
    rows
}

#[inline(always)]
fn load_sums<S: Simd, const ROWS: usize, const PIECES: usize>(
    simd: S,
    from: &[f32],
    zeros: [S::F32; PIECES],
) -> [[S::F32; PIECES]; ROWS] {
    let mut sums = [zeros; ROWS];
    for (sums, from) in sums.iter_mut().zip(from.chunks_exact(PIECES * S::LANES)) {
        for (sum, from) in sums.iter_mut().zip(simd.chunks(from).0) {
            *sum = simd.load(from);
        }
    }
    sums
}

/// `x0 - x2`, `x1 + x2`, `x2 - x1` and `x3 - x1`, one after the other; without `x3` the last is left as it is.
#[inline(always)]
fn mix_rows<S: Simd>(simd: S, rows: &[f32], width: usize, mixed: &mut [f32]) {
    let (x0, rest) = rows.split_at(width);
    let (x1, rest) = rest.split_at(width);
    let (x2, x3) = rest.split_at(width);
    let mut column = 0;
    while column < width {
        let used = S::LANES.min(width - column);
        let (v1, v2) = (load(simd, &x1[column..column + used]), load(simd, &x2[column..column + used]));
        store(simd, &mut mixed[column..column + used], simd.sub(load(simd, &x0[column..column + used]), v2));
        store(simd, &mut mixed[width + column..][..used], simd.add(v1, v2));
        store(simd, &mut mixed[2 * width + column..][..used], simd.sub(v2, v1));
        if !x3.is_empty() {
            store(
                simd,
                &mut mixed[3 * width + column..][..used],
                simd.sub(load(simd, &x3[column..column + used]), v1),
            );
        }
        column += S::LANES;
    }
}
