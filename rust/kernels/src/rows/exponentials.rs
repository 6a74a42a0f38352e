//! Rows through `max`, `exp` and `sum`: softmax, log-softmax and cross-entropy differ only in how a row is finished.
//!
//! Narrow rows go four together, so that their horizontal sums are one. Wide rows of a large output are written
//! past the caches, each while the next is read.

use super::sweep::{Finish, exp_sum, ln4, max, rescale, stream_and_max, write};
use super::view::{Rows, RowsMut};
use crate::simd::Simd;

/// What is known of a row when its exponentials have been taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowStats {
    /// The largest number.
    pub(crate) max: f32,
    /// `Σ exp((x - max) / T)`
    pub(crate) sum: f32,
    /// `ln sum`, if the job asks for it.
    pub(crate) ln_sum: f32,
}

/// How a row is finished.
pub(crate) trait RowJob {
    /// Makes the result of what is kept.
    type Finish: Finish<1>;
    /// Whether the result is made of the exponentials, or else of the row itself.
    const FROM_EXP: bool;
    /// Whether [`RowStats::ln_sum`] is used.
    const WANTS_LN: bool;

    /// How row `row` is made. `kept` holds the exponentials (which may be changed here) if
    /// [`FROM_EXP`](Self::FROM_EXP), and is empty otherwise.
    fn finish(&mut self, row: usize, logits: &[f32], stats: RowStats, kept: &mut [f32]) -> Self::Finish;
}

/// Runs the job over a block of rows, `first` being the number of its first row. `scratch` has room for a row.
#[inline(always)]
pub(crate) fn run<S: Simd, J: RowJob>(
    simd: S,
    job: &mut J,
    first: usize,
    x: Rows<'_>,
    out: RowsMut<'_>,
    factor: f32,
    scratch: Option<&mut [f32]>,
) {
    match scratch {
        Some(scratch) => streamed(simd, job, first, x, out, factor, scratch),
        None => grouped(simd, job, first, x, out, factor),
    }
}

#[inline(always)]
fn grouped<S: Simd, J: RowJob>(
    simd: S,
    job: &mut J,
    first: usize,
    x: Rows<'_>,
    mut out: RowsMut<'_>,
    factor: f32,
) {
    let fours = x.n_rows() / 4 * 4;
    for row in (0..fours).step_by(4) {
        let logits: [&[f32]; 4] = [x.row(row), x.row(row + 1), x.row(row + 2), x.row(row + 3)];
        let mut maxima = [simd.splat(0.0); 4];
        for (maximum, row) in maxima.iter_mut().zip(logits) {
            *maximum = max(simd, row);
        }
        let maxima = simd.max_lane4(maxima);
        let mut sums = [simd.splat(0.0); 4];
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = if J::FROM_EXP {
                exp_sum::<S, true>(simd, logits[i], maxima[i], factor, out.row_mut(row + i))
            } else {
                exp_sum::<S, false>(simd, logits[i], maxima[i], factor, &mut [])
            };
        }
        let sums = simd.sum4(sums);
        let logs = if J::WANTS_LN { ln4(simd, sums) } else { [0.0; 4] };
        for i in 0..4 {
            let stats = RowStats { max: maxima[i], sum: sums[i], ln_sum: logs[i] };
            finish(simd, job, first, row + i, logits[i], stats, out.row_mut(row + i));
        }
    }
    for row in fours..x.n_rows() {
        let logits = x.row(row);
        let max = simd.max_lane(max(simd, logits));
        let kept = out.row_mut(row);
        let sum = if J::FROM_EXP {
            exp_sum::<S, true>(simd, logits, max, factor, kept)
        } else {
            exp_sum::<S, false>(simd, logits, max, factor, &mut [])
        };
        // Through the same lanes as four rows: a row's bits do not depend on its neighbours.
        let sum = simd.sum4([sum; 4])[0];
        let ln_sum = if J::WANTS_LN { ln4(simd, [sum; 4])[0] } else { 0.0 };
        finish(simd, job, first, row, logits, RowStats { max, sum, ln_sum }, kept);
    }
}

#[inline(always)]
fn finish<S: Simd, J: RowJob>(
    simd: S,
    job: &mut J,
    first: usize,
    row: usize,
    logits: &[f32],
    stats: RowStats,
    out: &mut [f32],
) {
    if J::FROM_EXP {
        let made = job.finish(first + row, logits, stats, out);
        if made.is_zero() {
            out.fill(0.0);
        } else {
            rescale(simd, made, out);
        }
    } else {
        let made = job.finish(first + row, logits, stats, &mut []);
        write(simd, made, [logits], out);
    }
}

#[inline(always)]
fn streamed<S: Simd, J: RowJob>(
    simd: S,
    job: &mut J,
    first: usize,
    x: Rows<'_>,
    mut out: RowsMut<'_>,
    factor: f32,
    scratch: &mut [f32],
) {
    let mut pending: Option<J::Finish> = None;
    for row in 0..x.n_rows() {
        let logits = x.row(row);
        let maxima = match pending {
            Some(made) => {
                let source = if J::FROM_EXP { &*scratch } else { x.row(row - 1) };
                stream_and_max(simd, made, [source], out.row_mut(row - 1), [logits])[0]
            }
            None => max(simd, logits),
        };
        let max = simd.max_lane(maxima);
        let sum = if J::FROM_EXP {
            exp_sum::<S, true>(simd, logits, max, factor, scratch)
        } else {
            exp_sum::<S, false>(simd, logits, max, factor, &mut [])
        };
        let sum = simd.sum4([sum; 4])[0];
        let ln_sum = if J::WANTS_LN { ln4(simd, [sum; 4])[0] } else { 0.0 };
        let stats = RowStats { max, sum, ln_sum };
        let made = job.finish(first + row, logits, stats, if J::FROM_EXP { &mut *scratch } else { &mut [] });
        if J::FROM_EXP && made.is_zero() {
            scratch.fill(0.0);
        }
        pending = Some(made);
    }
    if let Some(made) = pending {
        let last = x.n_rows() - 1;
        let source = if J::FROM_EXP { &*scratch } else { x.row(last) };
        stream_and_max(simd, made, [source], out.row_mut(last), []);
    }
}
