//! Pairs of rows of a few vectors, which stay in registers: two pairs together, since each has two rows.

use super::pair_rows::{Block, Pair, Sums};
use crate::rows::RowsMut;
use crate::rows::narrow::{load_row, store_row};
use crate::rows::sweep::{Finish, ln4};
use crate::rows::through::Through;
use crate::simd::Simd;

/// Runs a block of pairs of `vectors` vectors; returns the loss.
#[inline(always)]
pub(super) fn run<S: Simd, P: Pair>(simd: S, block: &Block<'_>, out: RowsMut<'_>, vectors: usize) -> f64 {
    match vectors {
        1 => pairs::<S, P, 1>(simd, block, out),
        2 => pairs::<S, P, 2>(simd, block, out),
        3 => pairs::<S, P, 3>(simd, block, out),
        _ => pairs::<S, P, 4>(simd, block, out),
    }
}

#[inline(always)]
fn pairs<S: Simd, P: Pair, const V: usize>(simd: S, block: &Block<'_>, out: RowsMut<'_>) -> f64 {
    let (n_rows, width) = (out.n_rows(), out.width());
    let out = out.into_data();
    let mut loss = 0.0;
    let twos = n_rows / 2 * 2;
    for row in (0..twos).step_by(2) {
        loss += together::<S, P, V, 2>(simd, block, row, width, out);
    }
    for row in twos..n_rows {
        loss += together::<S, P, V, 1>(simd, block, row, width, out);
    }
    loss
}

/// `R` pairs, 2 or 1.
#[inline(always)]
fn together<S: Simd, P: Pair, const V: usize, const R: usize>(
    simd: S,
    block: &Block<'_>,
    row: usize,
    width: usize,
    out: &mut [f32],
) -> f64 {
    let zero = simd.splat(0.0);
    let fill = <Sums<S, P> as Through<S, 2>>::FILL;
    let mut kept = [[[zero; V]; 2]; R];
    let mut lanes = [simd.splat(f32::NEG_INFINITY); 4];
    for (i, kept) in kept.iter_mut().enumerate() {
        for (side, vectors) in kept.iter_mut().enumerate() {
            *vectors = load_row(simd, block.rows[side].row(row + i), fill[side]);
            if side == 0 || P::BOTH_LOGITS {
                for &vector in &*vectors {
                    lanes[2 * i + side] = simd.max(vector, lanes[2 * i + side]);
                }
            }
        }
    }
    let maxima = simd.max_lane4(lanes);
    let (mut powers, mut dots) = ([zero; 4], [zero; 4]);
    for (i, [a, b]) in kept.iter_mut().enumerate() {
        let second = if P::BOTH_LOGITS { maxima[2 * i + 1] } else { 0.0 };
        let mut pass = Sums::<S, P>::new(simd, [maxima[2 * i], second], block.inverse);
        for (a, b) in a.iter_mut().zip(b.iter_mut()) {
            [*a, *b] = pass.add(simd, [*a, *b]);
        }
        (powers[2 * i], powers[2 * i + 1], dots[i]) = (pass.a, pass.b, pass.dot);
    }
    let (sums, dots) = (simd.sum4(powers), simd.sum4(dots));
    let logs = ln4(simd, sums);
    let mut loss = 0.0;
    for (i, [a, b]) in kept.iter_mut().enumerate() {
        let of_row = [sums[2 * i], sums[2 * i + 1], dots[i] * std::f32::consts::LN_2];
        let (row_loss, made) = block.finish::<P>(row + i, of_row, [logs[2 * i], logs[2 * i + 1]]);
        loss += row_loss;
        let left_out = made.is_zero();
        for (a, &mut b) in a.iter_mut().zip(b.iter_mut()) {
            *a = if left_out { zero } else { made.apply(simd, [*a, b]) };
        }
        store_row(simd, out, (row + i) * width, width, a);
    }
    loss
}
