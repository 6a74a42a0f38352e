//! Rows through `max`, `exp` and `sum`: softmax, log-softmax and cross-entropy differ only in how a row is finished.
//!
//! Rows go four together, so that their horizontal sums are one; narrow ones stay in registers. Wide rows of a large output are written past the
//! caches, each while the next one is computed and the one after that is read.

use super::narrow::{self, Scaled};
use super::sweep::{Finish, ln4, max, rescale, write};
use super::through::{Done, ExpSum, leave, overlapped, through, through4};
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
    fn finish(&mut self, row: usize, logits: &[f32], stats: RowStats, kept: &mut [f32])
    -> Made<Self::Finish>;

    /// Whether every row is a multiple of its exponentials but for one column, so that [`scaled`](RowJob::scaled) says
    /// all there is to say.
    #[inline(always)]
    fn is_scaled(&self) -> bool {
        false
    }

    /// How a row of such a job is made, from the sum of its exponentials.
    #[inline(always)]
    fn scaled(&mut self, _row: usize, _sum: f32) -> Scaled {
        Scaled::ZERO
    }

    /// Adds the loss of a row of such a job, if it [wants logarithms](RowJob::WANTS_LN).
    #[inline(always)]
    fn count(&mut self, _row: usize, _logits: &[f32], _stats: RowStats) {}
}

/// How a row is made of what was kept.
pub(crate) struct Made<F> {
    /// Every number.
    pub(crate) finish: F,
    /// A column that is made of this number instead of the kept one.
    pub(crate) except: Option<(usize, f32)>,
}

impl<F> Made<F> {
    /// All numbers alike.
    pub(crate) fn all(finish: F) -> Self {
        Self { finish, except: None }
    }
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
        None => match narrow::vectors_of::<S>(x.width()).filter(|_| job.is_scaled()) {
            Some(vectors) => narrow::run(simd, job, first, x, out, factor, vectors),
            None => grouped(simd, job, first, x, out, factor),
        },
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
    let width = x.width();
    let fours = x.n_rows() / 4 * 4;
    for row in (0..fours).step_by(4) {
        let logits = x.slice(row..row + 4).data();
        let mut maxima = [simd.splat(0.0); 4];
        for (i, maximum) in maxima.iter_mut().enumerate() {
            *maximum = max(simd, x.row(row + i));
        }
        let maxima = simd.max_lane4(maxima);
        let mut passes = [ExpSum::new(simd, 0.0, factor); 4];
        for (pass, max) in passes.iter_mut().zip(maxima) {
            *pass = ExpSum::new(simd, max, factor);
        }
        if J::FROM_EXP {
            through4::<S, _, 1, true>(simd, &mut passes, width, [logits], [out.rows_mut(row..row + 4)]);
        } else {
            through4::<S, _, 1, false>(simd, &mut passes, width, [logits], [&mut []]);
        }
        let sums = simd.sum4([passes[0].sum, passes[1].sum, passes[2].sum, passes[3].sum]);
        let logs = if J::WANTS_LN { ln4(simd, sums) } else { [0.0; 4] };
        for i in 0..4 {
            let stats = RowStats { max: maxima[i], sum: sums[i], ln_sum: logs[i] };
            finish(simd, job, first, row + i, x.row(row + i), stats, out.row_mut(row + i));
        }
    }
    for row in fours..x.n_rows() {
        let logits = x.row(row);
        let max = simd.max_lane(max(simd, logits));
        let mut pass = ExpSum::new(simd, max, factor);
        if J::FROM_EXP {
            through::<S, _, 1, true>(simd, &mut pass, [logits], [out.row_mut(row)]);
        } else {
            through::<S, _, 1, false>(simd, &mut pass, [logits], [&mut []]);
        }
        let stats = stats_of::<S, J>(simd, max, pass);
        finish(simd, job, first, row, logits, stats, out.row_mut(row));
    }
}

/// What is known of a row that went alone.
#[inline(always)]
fn stats_of<S: Simd, J: RowJob>(simd: S, max: f32, pass: ExpSum<S>) -> RowStats {
    // Through the same lanes as four rows: a row's bits do not depend on its neighbours.
    let sum = simd.sum4([pass.sum; 4])[0];
    let ln_sum = if J::WANTS_LN { ln4(simd, [sum; 4])[0] } else { 0.0 };
    RowStats { max, sum, ln_sum }
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
    let kept = if J::FROM_EXP { &mut *out } else { &mut [] };
    let made = job.finish(first + row, logits, stats, kept);
    if made.finish.is_zero() {
        out.fill(0.0);
    } else if J::FROM_EXP {
        rescale(simd, made.finish, out);
        if let Some((column, kept)) = made.except {
            // Afterwards: the vectors read above would wait for a single number written before them.
            simd.store_partial(&mut out[column..=column], made.finish.apply(simd, [simd.splat(kept)]));
        }
    } else {
        write(simd, made.finish, [logits], out);
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
    let Some(last) = x.n_rows().checked_sub(1) else { return };
    let mut pending: Option<J::Finish> = None;
    let mut maxima = max(simd, x.row(0));
    for row in 0..=last {
        let logits = x.row(row);
        let largest = simd.max_lane(maxima);
        let mut pass = ExpSum::new(simd, largest, factor);
        // The last row is read once more for want of a next one.
        let next = x.row((row + 1).min(last));
        maxima = match pending {
            Some(made) => {
                let done = Done { made, sources: [x.row(row - 1)], out: out.row_mut(row - 1) };
                if J::FROM_EXP {
                    overlapped::<S, _, _, 1, true>(simd, done, &mut pass, [logits], [&mut *scratch], [next])
                        [0]
                } else {
                    overlapped::<S, _, _, 1, false>(simd, done, &mut pass, [logits], [&mut []], [next])[0]
                }
            }
            None if J::FROM_EXP => {
                through::<S, _, 1, true>(simd, &mut pass, [logits], [&mut *scratch]);
                max(simd, next)
            }
            None => {
                through::<S, _, 1, false>(simd, &mut pass, [logits], [&mut []]);
                max(simd, next)
            }
        };
        let stats = stats_of::<S, J>(simd, largest, pass);
        let made = job.finish(first + row, logits, stats, if J::FROM_EXP { &mut *scratch } else { &mut [] });
        if let Some((column, kept)) = made.except {
            scratch[column] = kept;
        }
        if J::FROM_EXP && made.finish.is_zero() {
            scratch.fill(0.0);
        }
        pending = Some(made.finish);
    }
    if let Some(made) = pending {
        let source = if J::FROM_EXP { &*scratch } else { x.row(last) };
        leave(simd, made, [source], out.row_mut(last));
    }
}
