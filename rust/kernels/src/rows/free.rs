//! Rows through the exponential without their maxima, which nearly every row allows: its sum tells afterwards whether
//! it did. A row whose sum is out of bounds, or NaN, is done again [with care](run_with_care). So a row's result depends
//! on that row alone.
//!
//! Rows go in groups, and while a group goes through the exponential the one before it leaves. [Narrow](super::narrow)
//! rows and [wide](super::wide) ones differ in how.

use std::ops::RangeInclusive;

use super::batches::{self, Course, Task};
use super::job::RowJob;
use super::view::{Rows, RowsMut};
use super::{narrow, wide};
use crate::simd::{MOST_LANES, Simd, math::Powers};

/// Sums of exponentials that show that neither the largest nor any that counts was out of range: what is 2⁻⁸⁶ of the
/// largest is still a normal float.
const SUMS: RangeInclusive<f32> = 9.094_947e-13..=1.267_650_6e30;
/// Factors (1 / T) with which a number can be so small that it does not count, and so large that it shows.
const FACTORS: RangeInclusive<f32> = 1e-30..=1e30;

/// One number for each row of a group.
pub(crate) type PerRow = [f32; MOST_LANES];

/// How the rows of a group lie in what is kept of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// From a row to the next, if both begin alike.
    pub(super) stride: usize,
    /// How far into its first vector the first row begins, and of how many lanes; the next ones as they follow each other in
    /// the output.
    pub(super) pad: usize,
    pub(super) lanes: usize,
}

/// A group of rows that has been through the exponential: at most as many as a vector has lanes.
pub(crate) struct Group<S: Simd, const M: usize> {
    /// The number of its first row.
    pub(crate) first: usize,
    /// Lanes past those of its last row belong to none.
    pub(crate) n_rows: usize,
    pub(crate) width: usize,
    layout: Layout,
    /// What was summed, row by row.
    pub(crate) sums: [S::F32; M],
    /// 1 for rows that are to be done again with care, else 0.
    again: S::F32,
}

impl<S: Simd, const M: usize> Group<S, M> {
    /// A group with these sums, of which the first `logits` are of exponentials.
    #[inline(always)]
    pub(super) fn new(
        simd: S,
        (first, n_rows): (usize, usize),
        width: usize,
        layout: Layout,
        sums: &[PerRow; M],
        logits: usize,
    ) -> Self {
        let mut vectors = [simd.splat(0.0); M];
        for (vector, sums) in vectors.iter_mut().zip(sums) {
            *vector = simd.load_at(sums, 0);
        }
        let mut group = Self { first, n_rows, width, layout, sums: vectors, again: simd.splat(0.0) };
        for &sum in vectors.iter().take(logits) {
            group.keep_where(simd, simd.le(simd.splat(*SUMS.start()), sum));
            group.keep_where(simd, simd.le(sum, simd.splat(*SUMS.end())));
        }
        group
    }

    /// Where in what is kept the row `i` of the group begins.
    #[inline(always)]
    pub(crate) fn start_of(&self, i: usize) -> usize {
        let Layout { stride, pad, lanes } = self.layout;
        i * stride + (pad + i * self.width) % lanes
    }

    /// Rows for which this is false are done again with care.
    #[inline(always)]
    pub(crate) fn keep_where(&mut self, simd: S, mask: S::Mask) {
        self.again = simd.select(mask, self.again, simd.splat(1.0));
    }

    /// Whether any of its rows is to be done again.
    #[inline(always)]
    pub(super) fn is_to_do_again(&self, simd: S) -> bool {
        simd.any(simd.lt(simd.splat(0.0), self.again))
    }

    /// The number, or 0 for rows that are to be done again.
    #[inline(always)]
    pub(crate) fn if_kept(&self, simd: S, number: S::F32) -> S::F32 {
        let zero = simd.splat(0.0);
        simd.select(simd.eq(self.again, zero), number, zero)
    }

    /// The numbers that belong to its rows, or 1 where there are none; 0 past its last row.
    #[inline(always)]
    pub(crate) fn numbers(&self, simd: S, all: Option<&[f32]>) -> S::F32 {
        match all {
            Some(all) => simd.load_partial(&all[self.first..][..self.n_rows], 0.0),
            None if self.n_rows == S::LANES => simd.splat(1.0),
            None => simd.load_partial(&[1.0; MOST_LANES][..self.n_rows], 0.0),
        }
    }
}

/// One number for each lane, in memory.
#[inline(always)]
pub(crate) fn per_row<S: Simd>(simd: S, numbers: S::F32) -> PerRow {
    let mut all = [0.0; MOST_LANES];
    simd.store_at(&mut all, 0, numbers);
    all
}

/// A job that can do without maxima.
pub(crate) trait FreeJob<const N: usize, const M: usize>: RowJob<N, M> {
    /// Which of the things summed the result is made of.
    const MADE_OF: [usize; N];
    /// What is summed of one vector of each of the `N` inputs. The first [`LOGITS`](RowJob::LOGITS) are exponentials.
    fn terms<S: Simd>(simd: S, powers: &Powers<S>, x: [S::F32; N]) -> [S::F32; M];

    /// What the things that the result is made of are multiplied by, row by row, to be added up. Rows may be marked to
    /// be done again. `kept`, the first of these things, may be changed.
    fn scales<S: Simd>(&mut self, simd: S, group: &mut Group<S, M>, kept: &mut [f32]) -> [S::F32; N];
}

/// How many numbers of scratch [`run`] needs for `n` rows that belong together, of which `m` things are summed; it is
/// enough for [`batches::run`] too.
pub(crate) fn scratch_for(n: usize, m: usize, width: usize) -> usize {
    let groups =
        if narrow::is_narrow(width) { narrow::scratch_for(n, m, width) } else { wide::scratch_for(n, width) };
    groups + batches::scratch_for(n, width)
}

/// Runs the job over a block of rows.
#[inline(always)]
pub(crate) fn run<S: Simd, J: FreeJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    job: &mut J,
    task: Task<'_, N>,
) {
    let width = task.out.width();
    // A single column has probability 1 exactly.
    if width < 2 || !FACTORS.contains(&task.course.inverse) {
        batches::run(simd, job, task);
    } else if narrow::is_narrow(width) {
        narrow::run(simd, job, task);
    } else {
        wide::run(simd, job, task);
    }
}

/// Does the rows of a group again that need it, with their maxima, into `out`, which begins with the group.
#[inline(always)]
pub(super) fn run_with_care<S: Simd, J: FreeJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    job: &mut J,
    course: Course,
    rows: [Rows<'_>; N],
    group: &Group<S, M>,
    out: &mut [f32],
    scratch: &mut [f32],
) {
    if !group.is_to_do_again(simd) {
        return;
    }
    let again = per_row(simd, group.again);
    let all = out.chunks_exact_mut(group.width).take(group.n_rows);
    for (i, out) in all.enumerate().filter(|&(i, _)| again[i] > 0.0) {
        let first = group.first + i;
        let at = first - course.first;
        let Ok(out) = RowsMut::new(out, 1, group.width) else { continue };
        let course = Course { first, ..course };
        let rows = rows.map(|rows| rows.slice(at..at + 1));
        batches::run(simd, job, Task { course, rows, out, scratch: &mut *scratch });
    }
}
