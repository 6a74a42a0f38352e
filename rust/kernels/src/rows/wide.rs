//! Rows of many columns: one after the other, and while one goes through the exponential the one before it leaves, so
//! that arithmetic and both directions of the memory bus are busy together.
//!
//! What is kept of a row is cut into vectors where the row's place in the output is cut into lines of memory, so it is
//! read as it was written and leaves in whole lines. A load that takes parts of two stores waits until both are in the
//! cache, and a line that is written past the caches in parts waits for memory.

use std::marker::PhantomData;

use super::batches::Task;
use super::blocks::PAGE_NUMBERS;
use super::free::{FreeJob, Group, Layout, PerRow, run_with_care};
use super::job::Through as _;
use crate::simd::{Kernel, MOST_LANES, Simd, math::Powers};

/// About how many numbers a group holds: more would push what is kept of it out of an L1 cache.
const GROUP_NUMBERS: usize = 1024;

/// Rows of a group, of which there is a number in a lane each.
fn rows_per_group(width: usize, lanes: usize) -> usize {
    (GROUP_NUMBERS / width.max(1)).clamp(1, lanes)
}

/// Room for what is kept of a row, wherever it begins in its first vector.
fn stride_of(width: usize) -> usize {
    (width + MOST_LANES - 1).next_multiple_of(MOST_LANES)
}

pub(super) fn scratch_for(n: usize, width: usize) -> usize {
    n * part_of(rows_per_group(width, MOST_LANES), width)
}

/// Room for so many rows. Whole pages: a load right behind a store whose address has the same last 12 bits waits for it,
/// so what is kept of two inputs is stored at the same place of a page, after the loads from there.
fn part_of(n_rows: usize, width: usize) -> usize {
    (n_rows * stride_of(width)).next_multiple_of(PAGE_NUMBERS)
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
    let out = out.into_data();
    let (step, stride) = (rows_per_group(width, S::LANES), stride_of(width));
    let (parts, scratch) = scratch.split_at_mut(N * part_of(step, width));
    let mut parts = parts.chunks_exact_mut(part_of(step, width));
    let mut kept: [&mut [f32]; N] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let before_first = (S::LANES - simd.lines_mut(out).0.len()) % S::LANES;
    // How many numbers of its first line belong to the row before.
    let pad_of = |row: usize| (before_first + row * width) % S::LANES;
    let mut open = [0.0; MOST_LANES];
    let mut leaving: Option<Group<S, M>> = None;
    let mut scales = [[0.0; MOST_LANES]; N];
    // One turn more than there are groups: the last one leaves in it.
    for start in (0..n_rows + step).step_by(step) {
        let left = leaving.take();
        let (count, leave) =
            (n_rows.saturating_sub(start).min(step), left.as_ref().map_or(0, |group| group.n_rows));
        let mut sums: [PerRow; M] = [[1.0; MOST_LANES]; M];
        for i in 0..count.max(leave) {
            let before = (start + i).saturating_sub(step);
            let pads = (pad_of(before), pad_of(start + i));
            let begin = (before * width).saturating_sub(pads.0);
            let found = simd.apart(Turn::<'_, J, N, M> {
                inverse: course.inverse,
                streamed: course.streamed,
                width,
                x: rows.map(|rows| if i < count { rows.row(start + i) } else { &[] }),
                pads,
                kept: kept.each_mut().map(|part| &mut part[i * stride..][..stride]),
                scales: std::array::from_fn(|n| scales[n][i]),
                out: if i < leave { &mut out[begin..(before + 1) * width] } else { &mut [] },
                open: &mut open,
                job: PhantomData,
            });
            if i < count {
                for (sums, found) in sums.iter_mut().zip(found) {
                    sums[i] = found;
                }
            }
        }
        if let Some(group) = left {
            let again = group.is_to_do_again(simd);
            if count == 0 || again {
                let (begin, end) = ((start - step) * width, (start - step + leave) * width);
                let last = end - pad_of(start - step + leave).min(width);
                out[last..end].copy_from_slice(&open[..end - last]);
                if again {
                    run_with_care(simd, job, course, rows, &group, &mut out[begin..], scratch);
                    open[..end - last].copy_from_slice(&out[last..end]);
                }
            }
        }
        if count > 0 {
            let layout = Layout { stride, pad: pad_of(start), lanes: S::LANES };
            let mut group = Group::new(simd, (course.first + start, count), width, layout, &sums, J::LOGITS);
            for (scales, made) in scales.iter_mut().zip(job.scales(simd, &mut group, kept[0])) {
                simd.store_at(scales, 0, made);
            }
            leaving = Some(group);
        }
    }
}

/// A row through the exponential (`x` to `kept`) while another one leaves (`kept` to `out`); either may be empty.
/// Returns the sums.
struct Turn<'a, J, const N: usize, const M: usize> {
    inverse: f32,
    /// Whether the row leaves past the caches.
    streamed: bool,
    width: usize,
    x: [&'a [f32]; N],
    /// How far into its first vector the row begins that leaves, and that comes.
    pads: (usize, usize),
    kept: [&'a mut [f32]; N],
    scales: [f32; N],
    /// The row that leaves, and what lies before it in its first line unless that is before the block.
    out: &'a mut [f32],
    /// The line that the last row ended in and the next one begins in.
    open: &'a mut PerRow,
    job: PhantomData<J>,
}

impl<J: FreeJob<N, M>, const N: usize, const M: usize> Kernel for Turn<'_, J, N, M> {
    type Output = [f32; M];
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f32; M] {
        match (self.out.is_empty(), self.x[0].is_empty(), self.streamed) {
            (true, ..) => self.both::<S, false, true, false>(simd),
            (false, true, true) => self.both::<S, true, false, true>(simd),
            (false, true, false) => self.both::<S, true, false, false>(simd),
            (false, false, true) => self.both::<S, true, true, true>(simd),
            (false, false, false) => self.both::<S, true, true, false>(simd),
        }
    }
}

impl<J: FreeJob<N, M>, const N: usize, const M: usize> Turn<'_, J, N, M> {
    #[inline(always)]
    fn both<S: Simd, const LEAVE: bool, const COME: bool, const STREAM: bool>(self, simd: S) -> [f32; M] {
        let Self { width, x, pads: (pad_left, pad), .. } = self;
        let mut coming = Coming::<S, J, N, M>::new(simd, self.inverse);
        let mut scales = [simd.splat(0.0); N];
        for (vector, scale) in scales.iter_mut().zip(self.scales) {
            *vector = simd.splat(scale);
        }
        let mut kept = self.kept.map(|kept| simd.chunks_mut(kept).0);
        let (head, mut lines, tail) = simd.lines_mut(self.out);
        let mut at = 0;
        if pad_left > 0 || pad > 0 {
            if LEAVE {
                let made = left(simd, &kept, 0, &scales);
                if !head.is_empty() {
                    simd.store_partial(head, simd.rotate(made, pad_left));
                } else if let Some((line, others)) = std::mem::take(&mut lines).split_first_mut() {
                    let is_open = simd.lt(simd.lane_numbers(), simd.splat(pad_left as f32));
                    put::<S, STREAM>(simd, line, simd.select(is_open, simd.load_at(self.open, 0), made));
                    lines = others;
                }
            }
            if COME {
                let mut vectors = coming.load_partial(simd, x, 0, (S::LANES - pad).min(width));
                for vector in &mut vectors {
                    *vector = simd.rotate(*vector, S::LANES - pad);
                }
                coming.add(simd, vectors, &mut kept, 0);
            }
            at = 1;
        }
        let whole = (width + pad) / S::LANES - at;
        let count = if LEAVE && COME {
            whole.min(lines.len())
        } else if COME {
            whole
        } else {
            lines.len()
        };
        {
            // Slices of one known length need no checks in the loop.
            let x = x.map(|x| if COME { &simd.chunks(&x[at * S::LANES - pad..]).0[..count] } else { &[] });
            let mut kept = kept.each_mut().map(|kept| &mut kept[at..][..count]);
            let lines = if LEAVE { &mut lines[..count] } else { &mut [] };
            for i in 0..count {
                let made = if LEAVE { left(simd, &kept, i, &scales) } else { simd.splat(0.0) };
                let mut vectors = [simd.splat(0.0); N];
                if COME {
                    for (vector, x) in vectors.iter_mut().zip(x) {
                        *vector = simd.load(&x[i]);
                    }
                }
                // After the loads, for rows of 1024 numbers are a page each; before what is kept is stored, which a job
                // may read at once.
                if LEAVE {
                    put::<S, STREAM>(simd, &mut lines[i], made);
                }
                if COME {
                    coming.add(simd, vectors, &mut kept, i);
                }
            }
        }
        at += count;
        if LEAVE {
            for (i, line) in lines[count..].iter_mut().enumerate() {
                put::<S, STREAM>(simd, line, left(simd, &kept, at + i, &scales));
            }
            if !tail.is_empty() {
                let made = left(simd, &kept, at + lines.len() - count, &scales);
                simd.store_at(self.open, 0, made);
            }
        }
        if COME {
            for at in at..(width + pad).div_ceil(S::LANES) {
                let from = at * S::LANES - pad;
                let vectors = coming.load_partial(simd, x, from, (from + S::LANES).min(width));
                coming.add(simd, vectors, &mut kept, at);
            }
        }
        coming.sums(simd, pad)
    }
}

/// Writes a line, past the caches if `STREAM`.
#[inline(always)]
fn put<S: Simd, const STREAM: bool>(simd: S, line: &mut S::Line, value: S::F32) {
    if STREAM { simd.stream(line, value) } else { simd.store_line(line, value) }
}

/// Vector `at` of the row that leaves.
#[inline(always)]
fn left<S: Simd, const N: usize>(
    simd: S,
    kept: &[&mut [S::Chunk]; N],
    at: usize,
    scales: &[S::F32; N],
) -> S::F32 {
    let mut made = simd.mul(simd.load(&kept[0][at]), scales[0]);
    for n in 1..N {
        made = simd.mul_add(simd.load(&kept[n][at]), scales[n], made);
    }
    made
}

/// The row that comes: the exponential, and the sums so far.
struct Coming<S: Simd, J, const N: usize, const M: usize> {
    powers: Powers<S>,
    sums: [S::F32; M],
    job: PhantomData<J>,
}

impl<S: Simd, J: FreeJob<N, M>, const N: usize, const M: usize> Coming<S, J, N, M> {
    #[inline(always)]
    fn new(simd: S, inverse: f32) -> Self {
        let powers = Powers::new(simd, inverse * std::f32::consts::LOG2_E);
        Self { powers, sums: [simd.splat(0.0); M], job: PhantomData }
    }

    /// The numbers `from..to`, at most a vector, and what adds nothing.
    #[inline(always)]
    fn load_partial(&self, simd: S, x: [&[f32]; N], from: usize, to: usize) -> [S::F32; N] {
        let mut vectors = [simd.splat(0.0); N];
        for ((vector, x), fill) in vectors.iter_mut().zip(x).zip(J::Through::FILL) {
            // Finite: a difference of two must not be NaN.
            *vector = simd.load_partial(&x[from..to], fill.max(f32::MIN));
        }
        vectors
    }

    /// Takes a vector of each input through; what is kept of it becomes vector `at`.
    #[inline(always)]
    fn add(&mut self, simd: S, x: [S::F32; N], kept: &mut [&mut [S::Chunk]; N], at: usize) {
        let terms = J::terms(simd, &self.powers, x);
        for (sum, term) in self.sums.iter_mut().zip(terms) {
            *sum = simd.add(*sum, term);
        }
        for (kept, part) in kept.iter_mut().zip(J::MADE_OF) {
            simd.store(&mut kept[at], terms[part]);
        }
    }

    /// The sums of a row that begins with lane `pad`: added in an order that does not depend on it.
    #[inline(always)]
    fn sums(&self, simd: S, pad: usize) -> [f32; M] {
        let mut sums = [0.0; M];
        for (sum, &lanes) in sums.iter_mut().zip(&self.sums) {
            *sum = simd.sum(simd.rotate(lanes, pad));
        }
        sums
    }
}
