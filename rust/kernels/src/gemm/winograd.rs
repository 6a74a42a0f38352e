//! Affine + maxout over windows of three rows, four windows at a time, with half the multiply-adds.
//!
//! Winograd's minimal filtering F(4, 3) (Lavin & Gray 2016): four windows over rows `x0` to `x5` with weights `w0 w1 w2`
//! are six products where the plain way has twelve. With `a = √½` and `b = √2`:
//!
//! ```text
//! m0 = w0 · (x0 - 5/2 x2 + x4)                             m5 = w2 · (x1 - 5/2 x3 + x5)
//! m1, m2 = (w0 ± a w1 + w2 / 2) · -2/3  ·  (x4 - 2 x2   ± a (x3 - 2 x1))
//! m3, m4 = (w0 ± b w1 + 2 w2) / 6       ·  (x4 - x2 / 2 ± b (x3 - x1 / 2))
//!
//! y0 = m0 + (m1 + m2) + (m3 + m4)                          y1 = a (m1 - m2) + b (m3 - m4)
//! y2 = (m1 + m2) / 2 + 2 (m3 + m4)                         y3 = a/2 (m1 - m2) + 2b (m3 - m4) + m5
//! ```
//!
//! One or two windows that are left over take four of the products, with the same weights, and rows `x0` to `x3`:
//!
//! ```text
//! m0 = w0 · (x0 - 2 x2)    m1, m2: -3/2 (x2 ± a x1)    m5 = w2 · (x3 - x1 / 2)
//! y0 = m0 + (m1 + m2)      y1 = a (m1 - m2) + m5
//! ```
//!
//! The points ±√½ and ±√2 keep rounding errors at those of the plain sums; with the usual ±1 and ±2 they are twice as
//! large.

use super::maxout::{load, store, store_winners};
use super::tile::{for_row_blocks, tile};
use super::window_weights::{A, B, M0, M1, M2, M3, M4, M5, WindowWeights};
use crate::aligned::Aligned;
use crate::simd::Simd;

/// Neighbouring windows: where the first begins in the input, to which row of the output it goes, and how many there
/// are.
#[derive(Clone, Copy, Debug)]
struct Block {
    start: usize,
    row: usize,
    n: usize,
}

/// The windows of a level, cut into blocks: of three or four, and of one or two that are left over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    fours: Vec<Block>,
    twos: Vec<Block>,
}

impl Blocks {
    pub fn clear(&mut self) {
        self.fours.clear();
        self.twos.clear();
    }

    /// Adds `n` windows over rows of `width` that follow each other, the first of which begins at `start` in the input
    /// and goes to `row`.
    pub fn add(&mut self, start: usize, row: usize, n: usize, width: usize) {
        for first in (0..n).step_by(4) {
            let block = Block { start: start + first * width, row: row + first, n: 4.min(n - first) };
            if block.n > 2 { &mut self.fours } else { &mut self.twos }.push(block);
        }
    }

    fn len(&self) -> usize {
        self.fours.len() + self.twos.len()
    }

    /// Those of three or four come first.
    #[inline(always)]
    fn get(&self, index: usize) -> Block {
        match self.fours.get(index) {
            Some(&four) => four,
            None => self.twos[index - self.fours.len()],
        }
    }
}

/// Writes the largest piece of each output to `best`, rows × outputs, for the rows of all blocks, and which piece it
/// was to `which` unless that is empty.
#[inline(always)]
pub(crate) fn maxout_windows<S: Simd>(
    simd: S,
    input: &[f32],
    blocks: &Blocks,
    weights: &WindowWeights,
    best: &mut [f32],
    which: &mut [u8],
) {
    match weights.panels[M0].vectors() {
        1 => pieces::<S, 1>(simd, input, blocks, weights, best, which),
        2 => pieces::<S, 2>(simd, input, blocks, weights, best, which),
        3 => pieces::<S, 3>(simd, input, blocks, weights, best, which),
        n => panic!("maxout_windows: 1 to 3 pieces, not {n}"),
    }
}

#[inline(always)]
fn pieces<S: Simd, const PIECES: usize>(
    simd: S,
    input: &[f32],
    blocks: &Blocks,
    weights: &WindowWeights,
    best: &mut [f32],
    which: &mut [u8],
) {
    let width = weights.width;
    let (n_blocks, n_fours) = (blocks.len(), blocks.fours.len());
    let sums = PIECES * S::LANES;
    let mut scratch = Aligned::any((4 * n_blocks + 2 * n_fours) * width + (2 * n_blocks + n_fours) * sums);
    let (mixed, rest) = scratch.split_at_mut((4 * n_blocks + 2 * n_fours) * width);
    let (even, rest) = rest.split_at_mut(n_blocks * sums);
    let (odd, held) = rest.split_at_mut(n_blocks * sums);
    let mixed = mix_blocks(simd, input, blocks, width, mixed);
    let outputs = weights.panels[M0].columns();
    // One product after the other for all blocks: so its panel stays in the first cache, and no sums wait in registers.
    for index in 0..weights.panels[M0].n_panels() {
        let column = index * S::LANES;
        let used = S::LANES.min(outputs - column);
        let zeros = [simd.splat(0.0); PIECES];
        let (_, panel) = weights.panels[M1].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_blocks, first, ROWS => {
            let m1 = tile::<S, ROWS, PIECES>(simd, &rows(mixed[M1], width, first), panel, [zeros; ROWS]);
            store_sums(simd, &m1, &mut even[first * sums..]);
        });
        let (_, panel) = weights.panels[M2].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_blocks, first, ROWS => {
            let m2 = tile::<S, ROWS, PIECES>(simd, &rows(mixed[M2], width, first), panel, [zeros; ROWS]);
            for (offset, m2) in m2.iter().enumerate() {
                let at = (first + offset) * sums;
                let (even, odd) = (&mut even[at..at + sums], &mut odd[at..at + sums]);
                let both = simd.chunks_mut(even).0.iter_mut().zip(simd.chunks_mut(odd).0);
                for (&m2, (even, odd)) in m2.iter().zip(both) {
                    let m1 = simd.load(even);
                    simd.store(even, simd.add(m1, m2));
                    simd.store(odd, simd.sub(m1, m2));
                }
            }
        });
        let (_, panel) = weights.panels[M3].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_fours, first, ROWS => {
            let m3 = tile::<S, ROWS, PIECES>(simd, &rows(mixed[M3], width, first), panel, [zeros; ROWS]);
            store_sums(simd, &m3, &mut held[first * sums..]);
        });
        let (bias, _) = weights.panels[M0].panel::<S, PIECES>(simd, index);
        let (_, panel) = weights.panels[M4].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_fours, first, ROWS => {
            let m4 = tile::<S, ROWS, PIECES>(simd, &rows(mixed[M4], width, first), panel, [zeros; ROWS]);
            for (offset, m4) in m4.iter().enumerate() {
                let block = blocks.fours[first + offset];
                let at = (first + offset) * sums;
                let (even, odd) = (&mut even[at..at + sums], &mut odd[at..at + sums]);
                let [y1, y2] = middle_of_four(simd, m4, &held[at..at + sums], bias, even, odd);
                store_winners(simd, &y1, (block.row + 1) * outputs + column, used, best, which);
                store_winners(simd, &y2, (block.row + 2) * outputs + column, used, best, which);
            }
        });
        let twos =
            even[n_fours * sums..].chunks_exact_mut(sums).zip(odd[n_fours * sums..].chunks_exact_mut(sums));
        for (even, odd) in twos {
            let both = simd.chunks_mut(even).0.iter_mut().zip(simd.chunks_mut(odd).0);
            for (&bias, (even, odd)) in bias.iter().zip(both) {
                simd.store(even, simd.add(simd.load(even), bias));
                simd.store(odd, simd.mul_add(simd.splat(A), simd.load(odd), bias));
            }
        }
        let (_, panel) = weights.panels[M0].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_blocks, first, ROWS => {
            let start = load_sums::<S, ROWS, PIECES>(simd, &even[first * sums..], zeros);
            let y0 = tile::<S, ROWS, PIECES>(simd, &rows(mixed[M0], width, first), panel, start);
            for (offset, y0) in y0.iter().enumerate() {
                let block = blocks.get(first + offset);
                store_winners(simd, y0, block.row * outputs + column, used, best, which);
            }
        });
        let (_, panel) = weights.panels[M5].panel::<S, PIECES>(simd, index);
        for_row_blocks!(S::LANES, n_blocks, first, ROWS => {
            let start = load_sums::<S, ROWS, PIECES>(simd, &odd[first * sums..], zeros);
            let last = tile::<S, ROWS, PIECES>(simd, &rows(mixed[M5], width, first), panel, start);
            for (offset, last) in last.iter().enumerate() {
                let block = blocks.get(first + offset);
                // The fourth of four or the second of two, where there is one.
                if block.n.is_multiple_of(2) {
                    store_winners(simd, last, (block.row + block.n - 1) * outputs + column, used, best, which);
                }
            }
        });
    }
}

/// `y1` and `y2` of four windows. `even` has `m1 + m2` and gets what `y0` begins with; `odd` has `m1 - m2` and gets what
/// `y3` begins with; `held` has `m3`.
#[inline(always)]
fn middle_of_four<S: Simd, const PIECES: usize>(
    simd: S,
    m4: &[S::F32; PIECES],
    held: &[f32],
    bias: [S::F32; PIECES],
    even: &mut [f32],
    odd: &mut [f32],
) -> [[S::F32; PIECES]; 2] {
    let (mut y1, mut y2) = (bias, bias);
    let both = simd.chunks_mut(even).0.iter_mut().zip(simd.chunks_mut(odd).0);
    let kept = simd.chunks(held).0.iter().zip(both);
    for (piece, ((&m4, &bias), (m3, (even, odd)))) in m4.iter().zip(&bias).zip(kept).enumerate() {
        let m3 = simd.load(m3);
        let (sum, difference) = (simd.add(m3, m4), simd.sub(m3, m4));
        let (even_a, odd_a) = (simd.load(even), simd.load(odd));
        let begin = simd.mul_add(simd.splat(A), odd_a, bias);
        y1[piece] = simd.mul_add(simd.splat(B), difference, begin);
        let begin = simd.mul_add(simd.splat(0.5), even_a, bias);
        y2[piece] = simd.mul_add(simd.splat(2.0), sum, begin);
        simd.store(even, simd.add(simd.add(even_a, sum), bias));
        let begin = simd.mul_add(simd.splat(A / 2.0), odd_a, bias);
        simd.store(odd, simd.mul_add(simd.splat(2.0 * B), difference, begin));
    }
    [y1, y2]
}

/// Some rows of the input of a product.
#[inline(always)]
fn rows<const ROWS: usize>(mixed: &[f32], width: usize, first: usize) -> [&[f32]; ROWS] {
    let mut rows = [&mixed[..0]; ROWS];
    for (offset, row) in rows.iter_mut().enumerate() {
        *row = &mixed[(first + offset) * width..][..width];
    }
    rows
}

#[inline(always)]
fn store_sums<S: Simd, const ROWS: usize, const PIECES: usize>(
    simd: S,
    sums: &[[S::F32; PIECES]; ROWS],
    to: &mut [f32],
) {
    for (row, sums) in sums.iter().enumerate() {
        let to = &mut to[row * PIECES * S::LANES..][..PIECES * S::LANES];
        for (&sum, to) in sums.iter().zip(simd.chunks_mut(to).0) {
            simd.store(to, sum);
        }
    }
}

#[inline(always)]
fn load_sums<S: Simd, const ROWS: usize, const PIECES: usize>(
    simd: S,
    from: &[f32],
    zeros: [S::F32; PIECES],
) -> [[S::F32; PIECES]; ROWS] {
    let mut sums = [zeros; ROWS];
    for (row, sums) in sums.iter_mut().enumerate() {
        let from = &from[row * PIECES * S::LANES..][..PIECES * S::LANES];
        for (sum, from) in sums.iter_mut().zip(simd.chunks(from).0) {
            *sum = simd.load(from);
        }
    }
    sums
}

/// The inputs of the products, a row for each block; those of `M3` and `M4` are for the fours alone.
#[inline(always)]
fn mix_blocks<'a, S: Simd>(
    simd: S,
    input: &[f32],
    blocks: &Blocks,
    width: usize,
    mixed: &'a mut [f32],
) -> [&'a [f32]; 6] {
    let (n_blocks, n_fours) = (blocks.len(), blocks.fours.len());
    let (m0, rest) = mixed.split_at_mut(n_blocks * width);
    let (m1, rest) = rest.split_at_mut(n_blocks * width);
    let (m2, rest) = rest.split_at_mut(n_blocks * width);
    let (m5, rest) = rest.split_at_mut(n_blocks * width);
    let (m3, m4) = rest.split_at_mut(n_fours * width);
    for index in 0..n_blocks {
        let block = blocks.get(index);
        let rows = &input[block.start..][..(block.n + 2) * width];
        let at = index * width;
        let common = [&mut m0[at..], &mut m1[at..], &mut m2[at..], &mut m5[at..]];
        if block.n > 2 {
            mix_four(simd, rows, width, common, [&mut m3[at..], &mut m4[at..]]);
        } else {
            mix_two(simd, rows, width, common);
        }
    }
    [m0, m1, m2, m3, m4, m5]
}

/// Some numbers of row `index`; zeros where there is no such row, whose product is not used then.
#[inline(always)]
fn part<S: Simd>(simd: S, rows: &[f32], width: usize, index: usize, column: usize, used: usize) -> S::F32 {
    match rows.get(index * width + column..index * width + column + used) {
        Some(part) => load(simd, part),
        None => simd.splat(0.0),
    }
}

#[inline(always)]
fn mix_four<S: Simd>(
    simd: S,
    x: &[f32],
    width: usize,
    [m0, m1, m2, m5]: [&mut [f32]; 4],
    [m3, m4]: [&mut [f32]; 2],
) {
    for column in (0..width).step_by(S::LANES) {
        let used = S::LANES.min(width - column);
        let to = column..column + used;
        let (x0, x1) = (part(simd, x, width, 0, column, used), part(simd, x, width, 1, column, used));
        let (x2, x3) = (part(simd, x, width, 2, column, used), part(simd, x, width, 3, column, used));
        let (x4, x5) = (part(simd, x, width, 4, column, used), part(simd, x, width, 5, column, used));
        let less = simd.splat(-2.5);
        store(simd, &mut m0[to.clone()], simd.mul_add(less, x2, simd.add(x0, x4)));
        store(simd, &mut m5[to.clone()], simd.mul_add(less, x3, simd.add(x1, x5)));
        let less = simd.splat(-2.0);
        let (even, odd) = (simd.mul_add(less, x2, x4), simd.mul_add(less, x1, x3));
        let odd = simd.mul(simd.splat(A), odd);
        store(simd, &mut m1[to.clone()], simd.add(even, odd));
        store(simd, &mut m2[to.clone()], simd.sub(even, odd));
        let less = simd.splat(-0.5);
        let (even, odd) = (simd.mul_add(less, x2, x4), simd.mul_add(less, x1, x3));
        let odd = simd.mul(simd.splat(B), odd);
        store(simd, &mut m3[to.clone()], simd.add(even, odd));
        store(simd, &mut m4[to], simd.sub(even, odd));
    }
}

#[inline(always)]
fn mix_two<S: Simd>(simd: S, x: &[f32], width: usize, [m0, m1, m2, m5]: [&mut [f32]; 4]) {
    for column in (0..width).step_by(S::LANES) {
        let used = S::LANES.min(width - column);
        let to = column..column + used;
        let (x0, x1) = (part(simd, x, width, 0, column, used), part(simd, x, width, 1, column, used));
        let (x2, x3) = (part(simd, x, width, 2, column, used), part(simd, x, width, 3, column, used));
        store(simd, &mut m0[to.clone()], simd.mul_add(simd.splat(-2.0), x2, x0));
        store(simd, &mut m5[to.clone()], simd.mul_add(simd.splat(-0.5), x1, x3));
        let (even, odd) = (simd.mul(simd.splat(-1.5), x2), simd.mul(simd.splat(-1.5 * A), x1));
        store(simd, &mut m1[to.clone()], simd.add(even, odd));
        store(simd, &mut m2[to], simd.sub(even, odd));
    }
}
