//! Rows of many columns: one after the other, and while one goes through the exponential another leaves, so that
//! arithmetic and both directions of the memory bus are busy together.

use std::marker::PhantomData;

use super::batches::{Course, Task};
use super::free::{FreeJob, Group, PerRow, run_with_care};
use super::job::Through as _;
use crate::simd::{Kernel, MOST_LANES, Simd, math::Powers};

/// About how many numbers a group holds: what is kept of it, twice, stays in an L1 cache if a row does.
const GROUP_NUMBERS: usize = 2048;
/// How many numbers ahead of their use memory is asked for, to read or to write: the CPU's own prefetching ends at
/// each page.
const AHEAD: usize = 512;

/// Rows of a group, of which there is a number in a lane each.
fn rows_per_group(width: usize, lanes: usize) -> usize {
    (GROUP_NUMBERS / width.max(1)).clamp(1, lanes)
}

fn stride_of(width: usize) -> usize {
    width.next_multiple_of(MOST_LANES)
}

pub(super) fn scratch_for(n: usize, width: usize) -> usize {
    2 * n * rows_per_group(width, MOST_LANES) * stride_of(width)
}

/// Runs the job over a block of rows.
#[inline(always)]
pub(super) fn run<S: Simd, J: FreeJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    job: &mut J,
    task: Task<'_, N>,
) {
    let Task { course, rows, out, scratch } = task;
    let (n_rows, width) = (out.n_rows(), out.width());
    let (step, stride) = (rows_per_group(width, S::LANES), stride_of(width));
    let (parts, scratch) = scratch.split_at_mut(2 * N * step * stride);
    let mut parts = parts.chunks_exact_mut(step * stride);
    let mut part = || parts.next().unwrap_or_default();
    let mut now: [&mut [f32]; N] = std::array::from_fn(|_| part());
    let mut before: [&mut [f32]; N] = std::array::from_fn(|_| part());
    let out = out.into_data();
    let mut leaving: Option<Group<S, M>> = None;
    let mut scales = [[0.0; MOST_LANES]; N];
    // One turn more than there are groups: the last one leaves in it.
    for start in (0..n_rows + step).step_by(step) {
        let left = leaving.take();
        let (count, leave) =
            (n_rows.saturating_sub(start).min(step), left.as_ref().map_or(0, |group| group.n_rows));
        let mut sums: [PerRow; M] = [[1.0; MOST_LANES]; M];
        for i in 0..count.max(leave) {
            let kept = i * stride..(i + 1) * stride;
            let found = simd.apart(Turn::<'_, J, N, M> {
                course,
                x: rows.map(|rows| if i < count { rows.row(start + i) } else { &[] }),
                now: now.each_mut().map(|part| &mut part[kept.clone()]),
                before: before.each_ref().map(|part| &part[kept.clone()]),
                scales: std::array::from_fn(|n| scales[n][i]),
                out: if i < leave { &mut out[(start - step + i) * width..][..width] } else { &mut [] },
                job: PhantomData,
            });
            if i < count {
                for (sums, found) in sums.iter_mut().zip(found) {
                    sums[i] = found;
                }
            }
        }
        if let Some(group) = left {
            run_with_care(simd, job, course, rows, &group, &mut out[(start - step) * width..], scratch);
        }
        if count > 0 {
            let mut group =
                Group::new(simd, (course.first + start, count), (width, stride), &sums, J::LOGITS);
            for (scales, made) in scales.iter_mut().zip(job.scales(simd, &mut group, now[0])) {
                simd.store_at(scales, 0, made);
            }
            leaving = Some(group);
            std::mem::swap(&mut now, &mut before);
        }
    }
}

/// A row through the exponential (`x` to `now`) while another one leaves (`before` to `out`); either may be empty.
/// Returns the sums.
struct Turn<'a, J, const N: usize, const M: usize> {
    course: Course,
    x: [&'a [f32]; N],
    now: [&'a mut [f32]; N],
    before: [&'a [f32]; N],
    scales: [f32; N],
    out: &'a mut [f32],
    job: PhantomData<J>,
}

impl<J: FreeJob<N, M>, const N: usize, const M: usize> Kernel for Turn<'_, J, N, M> {
    type Output = [f32; M];
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f32; M] {
        match (self.out.is_empty(), self.course.streamed) {
            (false, true) => self.streamed(simd),
            (false, false) => self.ordinary(simd),
            (true, _) => self.alone(simd),
        }
    }
}

impl<J: FreeJob<N, M>, const N: usize, const M: usize> Turn<'_, J, N, M> {
    /// The row comes and none leaves.
    #[inline(always)]
    fn alone<S: Simd>(self, simd: S) -> [f32; M] {
        let mut coming = Coming::<S, J, N, M>::new(simd, self.course.inverse, self.x, self.now);
        coming.rest(simd, 0);
        coming.sums(simd)
    }

    #[inline(always)]
    fn ordinary<S: Simd>(self, simd: S) -> [f32; M] {
        let leaving = Leaving::new(simd, self.before, self.scales);
        let comes = !self.x[0].is_empty();
        let mut coming = Coming::<S, J, N, M>::new(simd, self.course.inverse, self.x, self.now);
        let width = self.out.len();
        let body = width / S::LANES * S::LANES;
        if comes {
            for at in (0..body).step_by(S::LANES) {
                simd.prefetch(self.out, at + AHEAD);
                let made = leaving.at(simd, at);
                coming.add(simd, at);
                // After the loads: a load right behind a store whose address has the same last 12 bits waits for it, and
                // rows of 1024 numbers have the same everywhere.
                simd.store_at(self.out, at, made);
            }
            coming.rest(simd, body);
        } else {
            for at in (0..body).step_by(S::LANES) {
                simd.store_at(self.out, at, leaving.at(simd, at));
            }
        }
        simd.store_partial(&mut self.out[body..], leaving.end(simd, body, width));
        coming.sums(simd)
    }

    #[inline(always)]
    fn streamed<S: Simd>(self, simd: S) -> [f32; M] {
        let leaving = Leaving::new(simd, self.before, self.scales);
        let comes = !self.x[0].is_empty();
        let mut coming = Coming::<S, J, N, M>::new(simd, self.course.inverse, self.x, self.now);
        let (head, lines, tail) = simd.lines_mut(self.out);
        let (before, body) = (head.len(), lines.len() * S::LANES);
        simd.store_partial(head, leaving.end(simd, 0, before));
        let end = before + body + tail.len();
        simd.store_partial(tail, leaving.end(simd, before + body, end));
        if comes {
            for (i, line) in lines.iter_mut().enumerate() {
                let at = i * S::LANES;
                let made = leaving.at(simd, before + at);
                coming.add(simd, at);
                simd.stream(line, made);
            }
            coming.rest(simd, body);
        } else {
            for (i, line) in lines.iter_mut().enumerate() {
                simd.stream(line, leaving.at(simd, before + i * S::LANES));
            }
        }
        coming.sums(simd)
    }
}

/// The row that leaves.
struct Leaving<'a, S: Simd, const N: usize> {
    kept: [&'a [f32]; N],
    scales: [S::F32; N],
}

impl<'a, S: Simd, const N: usize> Leaving<'a, S, N> {
    #[inline(always)]
    fn new(simd: S, kept: [&'a [f32]; N], scales: [f32; N]) -> Self {
        let mut vectors = [simd.splat(0.0); N];
        for (vector, scale) in vectors.iter_mut().zip(scales) {
            *vector = simd.splat(scale);
        }
        Self { kept, scales: vectors }
    }

    #[inline(always)]
    fn made(&self, simd: S, kept: [S::F32; N]) -> S::F32 {
        let mut value = simd.mul(kept[0], self.scales[0]);
        for (kept, &scale) in kept.into_iter().zip(&self.scales).skip(1) {
            value = simd.mul_add(kept, scale, value);
        }
        value
    }

    /// The vector at `at`.
    #[inline(always)]
    fn at(&self, simd: S, at: usize) -> S::F32 {
        let mut kept = [simd.splat(0.0); N];
        for (vector, kept) in kept.iter_mut().zip(self.kept) {
            *vector = simd.load_at(kept, at);
        }
        self.made(simd, kept)
    }

    /// The numbers of `from..to`, fewer than a vector.
    #[inline(always)]
    fn end(&self, simd: S, from: usize, to: usize) -> S::F32 {
        let mut kept = [simd.splat(0.0); N];
        for (vector, kept) in kept.iter_mut().zip(self.kept) {
            *vector = simd.load_partial(&kept[from..to], 0.0);
        }
        self.made(simd, kept)
    }
}

/// The row that comes.
struct Coming<'a, S: Simd, J, const N: usize, const M: usize> {
    powers: Powers<S>,
    x: [&'a [f32]; N],
    kept: [&'a mut [f32]; N],
    sums: [S::F32; M],
    job: PhantomData<J>,
}

impl<'a, S: Simd, J: FreeJob<N, M>, const N: usize, const M: usize> Coming<'a, S, J, N, M> {
    #[inline(always)]
    fn new(simd: S, inverse: f32, x: [&'a [f32]; N], kept: [&'a mut [f32]; N]) -> Self {
        let powers = Powers::new(simd, inverse * std::f32::consts::LOG2_E);
        Self { powers, x, kept, sums: [simd.splat(0.0); M], job: PhantomData }
    }

    #[inline(always)]
    fn keep(&mut self, simd: S, at: usize, x: [S::F32; N]) {
        let terms = J::terms(simd, &self.powers, x);
        for (sum, term) in self.sums.iter_mut().zip(terms) {
            *sum = simd.add(*sum, term);
        }
        for (kept, part) in self.kept.iter_mut().zip(J::MADE_OF) {
            simd.store_at(kept, at, terms[part]);
        }
    }

    /// The vector at `at`.
    #[inline(always)]
    fn add(&mut self, simd: S, at: usize) {
        let mut vectors = [simd.splat(0.0); N];
        for (vector, x) in vectors.iter_mut().zip(self.x) {
            simd.prefetch(x, at + AHEAD);
            *vector = simd.load_at(x, at);
        }
        self.keep(simd, at, vectors);
    }

    /// The numbers from `at` on.
    #[inline(always)]
    fn rest(&mut self, simd: S, at: usize) {
        let mut at = at;
        let width = self.x[0].len();
        while at + S::LANES <= width {
            self.add(simd, at);
            at += S::LANES;
        }
        if at < width {
            let mut vectors = [simd.splat(0.0); N];
            for ((vector, x), fill) in vectors.iter_mut().zip(self.x).zip(J::Through::FILL) {
                *vector = simd.load_partial(&x[at..], fill);
            }
            self.keep(simd, at, vectors);
        }
    }

    #[inline(always)]
    fn sums(&self, simd: S) -> [f32; M] {
        let mut sums = [0.0; M];
        for (sum, &lanes) in sums.iter_mut().zip(&self.sums) {
            *sum = simd.sum(lanes);
        }
        sums
    }
}
