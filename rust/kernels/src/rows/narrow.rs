//! Rows of a few vectors, which stay in registers from their only load to their only store.
//!
//! Four rows go together, so that their horizontal sums are one; their maxima are found before, their losses added
//! after. A row's last vector is stored whole where it can be:
//! what it writes of the next row is written again by that row.

use super::batches::Course;
use super::job::{ExpSum, Pass, Stats, Through};
use super::view::{Rows, RowsMut};
use crate::simd::{Simd, math};

/// How many vectors of a row are kept. Four rows of them take half of AVX-512's registers.
const MOST_VECTORS: usize = 4;

/// A job whose rows are multiples of their exponentials but for one column.
pub(crate) trait ScaledJob {
    /// Whether [`count`](ScaledJob::count) is called.
    const COUNTS: bool;
    /// How a row is made, from the sum of its exponentials.
    fn scaled(&mut self, row: usize, sum: f32) -> Scaled;
    /// Adds the loss of a row.
    fn count(&mut self, row: usize, logits: &[f32], stats: &Stats<1, 1>);
}

/// How a narrow row is made of its exponentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    /// What they are multiplied by; with 0 the row is zeros, whatever it holds.
    pub(crate) scale: f32,
    /// A column, and what is taken off there afterwards.
    pub(crate) less: Option<(usize, f32)>,
}

impl Scaled {
    /// A row that is left out.
    pub(crate) const ZERO: Scaled = Scaled { scale: 0.0, less: None };
}

/// The vectors of a row, if they are few enough.
#[inline(always)]
pub(crate) fn vectors_of<S: Simd>(width: usize) -> Option<usize> {
    let vectors = width.div_ceil(S::LANES);
    (1..=MOST_VECTORS).contains(&vectors).then_some(vectors)
}

/// The vectors of a row; lanes past its end hold `fill`.
#[inline(always)]
pub(crate) fn load_row<S: Simd, const V: usize>(simd: S, row: &[f32], fill: f32) -> [S::F32; V] {
    let mut vectors = [simd.splat(fill); V];
    for (k, vector) in vectors.iter_mut().enumerate() {
        let at = k * S::LANES;
        *vector = if k + 1 < V {
            simd.load_at(row, at)
        } else {
            simd.load_partial(&row[at.min(row.len())..], fill)
        };
    }
    vectors
}

/// Writes a row that starts at `start`; `out` goes to the end of the block.
#[inline(always)]
pub(crate) fn store_row<S: Simd, const V: usize>(
    simd: S,
    out: &mut [f32],
    start: usize,
    width: usize,
    vectors: &[S::F32; V],
) {
    for (k, &vector) in vectors.iter().enumerate() {
        let at = start + k * S::LANES;
        if k + 1 < V || at + S::LANES <= out.len() {
            simd.store_at(out, at, vector);
        } else {
            simd.store_partial(&mut out[at..start + width], vector);
        }
    }
}

/// Runs the job over a block of rows of `vectors` vectors.
#[inline(always)]
pub(crate) fn run<S: Simd, J: ScaledJob>(
    simd: S,
    job: &mut J,
    course: Course,
    x: Rows<'_>,
    out: RowsMut<'_>,
    vectors: usize,
) {
    match vectors {
        1 => block::<S, J, 1>(simd, job, course, x, out),
        2 => block::<S, J, 2>(simd, job, course, x, out),
        3 => block::<S, J, 3>(simd, job, course, x, out),
        _ => block::<S, J, 4>(simd, job, course, x, out),
    }
}

/// How many rows go through each step before the next one, so that no step waits for the one before it: a row's way
/// from maximum to scale is longer than what the CPU looks ahead.
const BATCH: usize = 64;

/// What is known of the rows of a batch.
struct Known {
    maxima: [f32; BATCH],
    sums: [f32; BATCH],
}

#[inline(always)]
fn block<S: Simd, J: ScaledJob, const V: usize>(
    simd: S,
    job: &mut J,
    course: Course,
    x: Rows<'_>,
    out: RowsMut<'_>,
) {
    let (first, out) = (course.first, out.into_data());
    let mut known = Known { maxima: [0.0; BATCH], sums: [1.0; BATCH] };
    for start in (0..x.n_rows()).step_by(BATCH) {
        let rows = x.slice(start..x.n_rows().min(start + BATCH));
        let (n_rows, fours) = (rows.n_rows(), rows.n_rows() / 4 * 4);
        let to = &mut out[start * x.width()..];
        for row in (0..n_rows).step_by(4) {
            known.maxima[row..row + 4].copy_from_slice(&maxima_of::<S, V>(simd, rows, row));
        }
        for row in (0..fours).step_by(4) {
            together::<S, J, V, 4>(simd, job, first + start, rows, row, to, course.inverse, &mut known);
        }
        for row in fours..n_rows {
            together::<S, J, V, 1>(simd, job, first + start, rows, row, to, course.inverse, &mut known);
        }
        if J::COUNTS {
            count(simd, job, first + start, rows, &known);
        }
    }
}

/// The largest numbers of four rows, or of as many as there are.
#[inline(always)]
fn maxima_of<S: Simd, const V: usize>(simd: S, rows: Rows<'_>, row: usize) -> [f32; 4] {
    let mut lanes = [simd.splat(f32::NEG_INFINITY); 4];
    for (i, lanes) in lanes.iter_mut().enumerate().take(rows.n_rows() - row) {
        for vector in load_row::<S, V>(simd, rows.row(row + i), f32::NEG_INFINITY) {
            *lanes = simd.max(vector, *lanes);
        }
    }
    simd.max_lane4(lanes)
}

/// `R` rows, 4 or 1, through the exponential and out.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // one loop body, cut out for its two sizes
fn together<S: Simd, J: ScaledJob, const V: usize, const R: usize>(
    simd: S,
    job: &mut J,
    first: usize,
    x: Rows<'_>,
    row: usize,
    out: &mut [f32],
    factor: f32,
    known: &mut Known,
) {
    let zero = simd.splat(0.0);
    let mut kept = [[zero; V]; R];
    let mut sums = [zero; 4];
    for (i, kept) in kept.iter_mut().enumerate() {
        let mut pass = Pass::new(simd, [known.maxima[row + i]], factor);
        for (vector, x) in kept.iter_mut().zip(load_row::<S, V>(simd, x.row(row + i), f32::NEG_INFINITY)) {
            [*vector] = ExpSum::add(simd, &mut pass, [x]);
        }
        [sums[i]] = pass.sums;
    }
    let sums = simd.sum4(sums);
    for (i, kept) in kept.iter_mut().enumerate() {
        known.sums[row + i] = sums[i];
        let made = job.scaled(first + row + i, sums[i]);
        let scale = simd.splat(made.scale);
        for vector in kept.iter_mut() {
            *vector = if made.scale == 0.0 { zero } else { simd.mul(*vector, scale) };
        }
        let start = (row + i) * x.width();
        store_row(simd, out, start, x.width(), kept);
        if let Some((column, less)) = made.less {
            out[start + column] -= less;
        }
    }
}

/// Adds the losses of a batch.
#[inline(always)]
fn count<S: Simd, J: ScaledJob>(simd: S, job: &mut J, first: usize, x: Rows<'_>, known: &Known) {
    let mut logs = known.sums;
    let (chunks, rest) = simd.chunks_mut(&mut logs);
    for chunk in chunks {
        simd.store(chunk, math::ln(simd, simd.load(chunk)));
    }
    debug_assert!(rest.is_empty(), "a batch is whole vectors");
    for (row, &ln_sum) in logs.iter().enumerate().take(x.n_rows()) {
        let stats = Stats { maxima: [known.maxima[row]], sums: [known.sums[row]], logs: [ln_sum] };
        job.count(first + row, x.row(row), &stats);
    }
}
