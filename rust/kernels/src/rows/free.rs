//! Rows through the exponential without their maxima, which nearly every row allows: its sum tells afterwards whether
//! it did. A row whose sum is out of bounds, or NaN, is done again [with care](run_with_care). So a row's result depends
//! on that row alone.
//!
//! Rows go in groups, and while a group goes through the exponential the one before it leaves. [Narrow](super::narrow)
//! rows and [wide](super::wide) ones differ in how.

use std::ops::RangeInclusive;

use super::batches::{self, Course};
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

/// A group of rows that has been through the exponential.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<const M: usize> {
    /// The number of its first row.
    pub(crate) first: usize,
    /// Numbers past those of its last row belong to none.
    pub(crate) n_rows: usize,
    pub(crate) width: usize,
    /// From a row that is kept to the next.
    pub(crate) stride: usize,
    /// What was summed.
    pub(crate) sums: [PerRow; M],
    /// Rows that are to be done again with care.
    pub(crate) again: [bool; MOST_LANES],
}

impl<const M: usize> Group<M> {
    /// A group with these sums, of which the first `logits` are of exponentials.
    #[inline(always)]
    pub(super) fn new(
        (first, n_rows): (usize, usize),
        (width, stride): (usize, usize),
        sums: [PerRow; M],
        logits: usize,
    ) -> Self {
        let mut again = [false; MOST_LANES];
        for sums in sums.iter().take(logits) {
            for (again, sum) in again.iter_mut().zip(sums) {
                *again |= !SUMS.contains(sum);
            }
        }
        Self { first, n_rows, width, stride, sums, again }
    }

    /// The numbers that belong to its rows, or `otherwise` where there are none; 0 past its last row.
    #[inline(always)]
    pub(crate) fn numbers(&self, all: Option<&[f32]>, otherwise: f32) -> PerRow {
        let mut numbers = [0.0; MOST_LANES];
        match all {
            Some(all) => numbers[..self.n_rows].copy_from_slice(&all[self.first..][..self.n_rows]),
            None => numbers[..self.n_rows].fill(otherwise),
        }
        numbers
    }
}

/// A job that can do without maxima.
pub(crate) trait FreeJob<const N: usize, const M: usize>: RowJob<N, M> {
    /// Which of the things summed the result is made of.
    const MADE_OF: [usize; N];
    /// What is summed of one vector of each of the `N` inputs. The first [`LOGITS`](RowJob::LOGITS) are exponentials.
    fn terms<S: Simd>(simd: S, powers: &Powers<S>, x: [S::F32; N]) -> [S::F32; M];

    /// What the things that the result is made of are multiplied by, row by row, to be added up. Rows may be marked to
    /// be done again. `kept`, the first of these things, may be changed.
    fn scales<S: Simd>(&mut self, simd: S, group: &mut Group<M>, kept: &mut [f32]) -> [PerRow; N];
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
    course: Course,
    rows: [Rows<'_>; N],
    out: RowsMut<'_>,
    scratch: &mut [f32],
) {
    let width = out.width();
    // A single column has probability 1 exactly. Two wide rows and what is kept of both are too much for an L1 cache.
    let no_gain = width < 2 || N > 1 && !narrow::is_narrow(width);
    if no_gain || !FACTORS.contains(&course.inverse) {
        batches::run(simd, job, course, rows, out, scratch);
    } else if narrow::is_narrow(width) {
        narrow::run(simd, job, course, rows, out, scratch);
    } else {
        wide::run(simd, job, course, rows, out, scratch);
    }
}

/// Does the rows of a group again that need it, with their maxima, into `out`, which begins with the group.
#[inline(always)]
pub(super) fn run_with_care<S: Simd, J: FreeJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    job: &mut J,
    course: Course,
    rows: [Rows<'_>; N],
    group: &Group<M>,
    out: &mut [f32],
    scratch: &mut [f32],
) {
    let all = out.chunks_exact_mut(group.width).take(group.n_rows);
    for (i, out) in all.enumerate().filter(|&(i, _)| group.again[i]) {
        let first = group.first + i;
        let at = first - course.first;
        let Ok(out) = RowsMut::new(out, 1, group.width) else { continue };
        batches::run(
            simd,
            job,
            Course { first, ..course },
            rows.map(|rows| rows.slice(at..at + 1)),
            out,
            scratch,
        );
    }
}
