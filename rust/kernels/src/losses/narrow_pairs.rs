//! Pairs of rows of a few vectors, which stay in registers: two pairs together, since each has two rows.

use super::pair_rows::{Job, Pair, PairSums};
use crate::rows::RowsMut;
use crate::rows::job::{Pass, RowJob, Stats, Through};
use crate::rows::narrow::{load_row, store_row};
use crate::rows::sweep::{Finish, ln4};
use crate::simd::Simd;

/// Runs a block of pairs of `vectors` vectors.
#[inline(always)]
pub(super) fn run<S: Simd, P: Pair>(simd: S, job: &mut Job<'_, P>, out: RowsMut<'_>, vectors: usize) {
    match vectors {
        1 => pairs::<S, P, 1>(simd, job, out),
        2 => pairs::<S, P, 2>(simd, job, out),
        3 => pairs::<S, P, 3>(simd, job, out),
        _ => pairs::<S, P, 4>(simd, job, out),
    }
}

#[inline(always)]
fn pairs<S: Simd, P: Pair, const V: usize>(simd: S, job: &mut Job<'_, P>, out: RowsMut<'_>) {
    let (n_rows, width) = (out.n_rows(), out.width());
    let out = out.into_data();
    let twos = n_rows / 2 * 2;
    for row in (0..twos).step_by(2) {
        together::<S, P, V, 2>(simd, job, row, width, out);
    }
    for row in twos..n_rows {
        together::<S, P, V, 1>(simd, job, row, width, out);
    }
}

/// `R` pairs, 2 or 1.
#[inline(always)]
fn together<S: Simd, P: Pair, const V: usize, const R: usize>(
    simd: S,
    job: &mut Job<'_, P>,
    row: usize,
    width: usize,
    out: &mut [f32],
) {
    let zero = simd.splat(0.0);
    let fill = PairSums::<P>::FILL;
    let mut kept = [[[zero; V]; 2]; R];
    let mut lanes = [simd.splat(f32::NEG_INFINITY); 4];
    for (i, kept) in kept.iter_mut().enumerate() {
        for (side, vectors) in kept.iter_mut().enumerate() {
            *vectors = load_row(simd, job.block.rows[side].row(row + i), fill[side]);
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
        let mut pass = Pass::new(simd, [maxima[2 * i], second], job.block.course.inverse);
        for (a, b) in a.iter_mut().zip(b.iter_mut()) {
            [*a, *b] = PairSums::<P>::add(simd, &mut pass, [*a, *b]);
        }
        [powers[2 * i], powers[2 * i + 1], dots[i]] = pass.sums;
    }
    let (sums, dots) = (simd.sum4(powers), simd.sum4(dots));
    let logs = ln4(simd, sums);
    for (i, [a, b]) in kept.iter_mut().enumerate() {
        let stats = Stats {
            maxima: [maxima[2 * i], maxima[2 * i + 1]],
            sums: [sums[2 * i], sums[2 * i + 1], dots[i]],
            logs: [logs[2 * i], logs[2 * i + 1], 0.0],
        };
        let made = job.finish(job.block.course.first + row + i, [&[]; 2], &stats, &mut [&mut [], &mut []]);
        let left_out = made.is_zero();
        for (a, &mut b) in a.iter_mut().zip(b.iter_mut()) {
            *a = if left_out { zero } else { made.apply(simd, [*a, b]) };
        }
        store_row(simd, out, (row + i) * width, width, a);
    }
}
