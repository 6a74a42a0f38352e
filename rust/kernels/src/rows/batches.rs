//! Rows through the exponential in batches, with their maxima: log-softmax, losses with smoothed or negative labels, and
//! the rows that [cannot go without](super::free). They differ only in their job.
//!
//! While a batch goes through the exponential, the one before it leaves and the one after it is searched for its
//! largest numbers, so no row waits for its own maximum or sum. Four rows are reduced together, so that four horizontal
//! sums cost about one.

use super::job::{Pass, RowJob, Stats};
use super::sweep::{Finish, ln_each, max};
use super::through::{Done, leave, overlapped, overlapped_streamed, rest};
use super::view::{Rows, RowsMut};
use crate::simd::Simd;

/// About how many numbers a batch holds: what is kept of it, it itself and the next one stay in an L1 cache.
const BATCH_NUMBERS: usize = 2048;
/// A batch has at most this many rows, a whole number of any CPU's vectors.
const MOST_ROWS: usize = 32;
/// What is kept of a row is a whole number of any CPU's vectors.
const ROW_STEP: usize = 16;

/// How the rows of a block are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// The number of the first row.
    pub(crate) first: usize,
    /// 1 / T
    pub(crate) inverse: f32,
    /// Whether the result goes past the caches.
    pub(crate) streamed: bool,
}

/// A block of rows on its way through a job.
pub(crate) struct Task<'a, const N: usize> {
    pub(crate) course: Course,
    /// What comes in: rows of one shape that belong together.
    pub(crate) rows: [Rows<'a>; N],
    /// Where the result goes.
    pub(crate) out: RowsMut<'a>,
    /// Room to work in, as much as the way of taking the rows says.
    pub(crate) scratch: &'a mut [f32],
}

fn rows_per_batch(width: usize) -> usize {
    let rows = (BATCH_NUMBERS / width.max(1)).clamp(1, MOST_ROWS);
    if rows < 4 { rows } else { rows & !3 }
}

fn stride_of(width: usize) -> usize {
    width.next_multiple_of(ROW_STEP)
}

/// How many numbers of scratch [`run`] needs for `n` rows that belong together.
pub(crate) fn scratch_for(n: usize, width: usize) -> usize {
    n * rows_per_batch(width) * stride_of(width)
}

/// Runs the job over a block of rows.
#[inline(always)]
pub(crate) fn run<S: Simd, J: RowJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    job: &mut J,
    task: Task<'_, N>,
) {
    let Task { course, rows, out, scratch } = task;
    let (n_rows, width) = (out.n_rows(), out.width());
    let (step, stride) = (rows_per_batch(width), stride_of(width));
    let mut parts = scratch.chunks_exact_mut(step * stride);
    let block = Block::<'_, J, N, M> {
        course,
        rows,
        out: out.into_data(),
        kept: std::array::from_fn(|_| parts.next().unwrap_or_default()),
        n_rows,
        width,
        step,
        stride,
        made: [None; MOST_ROWS],
        maxima: [[0.0; MOST_ROWS]; N],
        sums: [[1.0; MOST_ROWS]; M],
    };
    if course.streamed {
        block.run::<S, true>(simd, job);
    } else {
        block.run::<S, false>(simd, job);
    }
}

struct Block<'a, J: RowJob<N, M>, const N: usize, const M: usize> {
    course: Course,
    rows: [Rows<'a>; N],
    out: &'a mut [f32],
    /// For each of the `N`, `step` rows of `stride` numbers.
    kept: [&'a mut [f32]; N],
    n_rows: usize,
    width: usize,
    /// Rows of a batch.
    step: usize,
    stride: usize,
    /// How the rows of the batch before are made; None where there is none.
    made: [Option<J::Finish>; MOST_ROWS],
    /// Those of the batch to come.
    maxima: [[f32; MOST_ROWS]; N],
    sums: [[f32; MOST_ROWS]; M],
}

impl<J: RowJob<N, M>, const N: usize, const M: usize> Block<'_, J, N, M> {
    #[inline(always)]
    fn run<S: Simd, const STREAM: bool>(mut self, simd: S, job: &mut J) {
        for four in (0..self.step.min(self.n_rows)).step_by(4) {
            let mut lanes = [[simd.splat(0.0); 4]; N];
            for i in four..(four + 4).min(self.step).min(self.n_rows) {
                for (lanes, rows) in lanes.iter_mut().zip(self.rows).take(J::LOGITS) {
                    lanes[i - four] = max(simd, rows.row(i));
                }
            }
            self.set_maxima(simd, four, lanes);
        }
        // One turn more than there are batches: the last one leaves in it.
        for start in (0..self.n_rows + self.step).step_by(self.step) {
            let maxima = self.maxima;
            self.turn::<S, STREAM>(simd, start, &maxima);
            self.finish(simd, job, start, &maxima);
        }
    }

    /// Takes the batch at `start` through the exponential; the one before leaves and the one after is searched.
    #[inline(always)]
    fn turn<S: Simd, const STREAM: bool>(&mut self, simd: S, start: usize, maxima: &[[f32; MOST_ROWS]; N]) {
        for four in (0..self.step).step_by(4) {
            let mut sums = [[simd.splat(0.0); 4]; M];
            let mut lanes = [[simd.splat(0.0); 4]; N];
            for i in four..(four + 4).min(self.step) {
                let mut pass = self.pass(simd, maxima, i);
                let found = self.row::<S, STREAM>(simd, start, i, &mut pass);
                for (sums, sum) in sums.iter_mut().zip(pass.sums) {
                    sums[i - four] = sum;
                }
                for (lanes, found) in lanes.iter_mut().zip(found) {
                    lanes[i - four] = found;
                }
            }
            self.reduce(simd, four, sums, lanes);
        }
    }

    #[inline(always)]
    fn pass<S: Simd>(&self, simd: S, maxima: &[[f32; MOST_ROWS]; N], i: usize) -> Pass<S, N, M> {
        Pass::new(simd, std::array::from_fn(|n| maxima[n][i]), self.course.inverse)
    }

    #[inline(always)]
    fn reduce<S: Simd>(&mut self, simd: S, four: usize, sums: [[S::F32; 4]; M], lanes: [[S::F32; 4]; N]) {
        for (all, sums) in self.sums.iter_mut().zip(sums) {
            all[four..four + 4].copy_from_slice(&simd.sum4(sums));
        }
        self.set_maxima(simd, four, lanes);
    }

    /// Row `i` of each of the three batches. Returns the lanes' largest numbers of the last.
    #[inline(always)]
    fn row<S: Simd, const STREAM: bool>(
        &mut self,
        simd: S,
        start: usize,
        i: usize,
        pass: &mut Pass<S, N, M>,
    ) -> [S::F32; N] {
        let (width, row, all) = (self.width, start + i, self.rows);
        let mut kept = kept_of(&mut self.kept, i, if J::KEEP { self.stride } else { 0 });
        let done = self.made[i].take().map(|made| Done {
            made,
            sources: all.map(|rows| rows.row(row - self.step)),
            out: &mut self.out[(row - self.step) * width..],
        });
        let next = row + self.step;
        match done {
            Some(done) if next < self.n_rows => {
                let (rows, next) = (all.map(|rows| rows.row(row)), all.map(|rows| rows.row(next)));
                if STREAM {
                    overlapped_streamed::<S, J, N, M>(simd, done, pass, rows, &mut kept, next)
                } else {
                    overlapped::<S, J, N, M>(simd, done, pass, rows, &mut kept, next)
                }
            }
            done => {
                if let Some(done) = done {
                    leave::<S, J, N, M, STREAM>(simd, done, width, &kept);
                }
                if row < self.n_rows {
                    rest::<S, J, N, M>(simd, pass, 0, all.map(|rows| rows.row(row)), &mut kept);
                }
                let mut largest = [simd.splat(0.0); N];
                if next < self.n_rows {
                    for (largest, rows) in largest.iter_mut().zip(all).take(J::LOGITS) {
                        *largest = max(simd, rows.row(next));
                    }
                }
                largest
            }
        }
    }

    #[inline(always)]
    fn set_maxima<S: Simd>(&mut self, simd: S, four: usize, lanes: [[S::F32; 4]; N]) {
        for (all, lanes) in self.maxima.iter_mut().zip(lanes).take(J::LOGITS) {
            all[four..four + 4].copy_from_slice(&simd.max_lane4(lanes));
        }
    }

    /// Finds how the rows of the batch at `start` are made.
    #[inline(always)]
    fn finish<S: Simd>(&mut self, simd: S, job: &mut J, start: usize, maxima: &[[f32; MOST_ROWS]; N]) {
        let mut logs = self.sums;
        for logs in logs.iter_mut().take(J::LOGS) {
            ln_each(simd, logs);
        }
        for i in 0..self.step.min(self.n_rows.saturating_sub(start)) {
            let stats = Stats {
                maxima: std::array::from_fn(|n| maxima[n][i]),
                sums: std::array::from_fn(|m| self.sums[m][i]),
                logs: std::array::from_fn(|m| logs[m][i]),
            };
            let mut kept = kept_of(&mut self.kept, i, if J::KEEP { self.stride } else { 0 });
            let rows = self.rows.map(|rows| rows.row(start + i));
            let made = job.finish(self.course.first + start + i, rows, &stats, &mut kept);
            if made.is_zero() {
                // Whatever was kept, NaN included.
                kept.iter_mut().for_each(|kept| kept.fill(0.0));
            }
            self.made[i] = Some(made);
        }
    }
}

/// What is kept of row `i` of a batch.
#[inline(always)]
fn kept_of<'a, const N: usize>(kept: &'a mut [&mut [f32]; N], i: usize, stride: usize) -> [&'a mut [f32]; N] {
    kept.each_mut().map(|part| &mut part[i * stride..][..stride])
}
