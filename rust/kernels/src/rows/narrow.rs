//! Rows of few columns, in groups of as many rows as a vector has lanes: a group is whole vectors whatever the width,
//! so no lane is idle, and the numbers of its rows (sums, scales) are one vector.

use std::marker::PhantomData;
use std::ops::Range;

use super::batches::Task;
use super::free::{FreeJob, Group, Layout, PerRow, run_with_care};
use super::view::Rows;
use crate::simd::{Kernel, MOST_LANES, Simd, math::Powers};

/// What is kept of a group stays in an L1 cache up to this width.
const MOST_COLUMNS: usize = 64;
/// How many numbers ahead of their use memory is asked for, to read or to write.
const AHEAD: usize = 512;

pub(super) fn is_narrow(width: usize) -> bool {
    width <= MOST_COLUMNS
}

pub(super) fn scratch_for(n: usize, m: usize, width: usize) -> usize {
    (m + n + 2) * width * MOST_LANES
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
    let size = width * S::LANES;
    let (parts, scratch) = scratch.split_at_mut((M + N + 2) * size);
    let mut parts = parts.chunks_exact_mut(size);
    let mut part = || parts.next().unwrap_or_default();
    let mut kept: [&mut [f32]; M] = std::array::from_fn(|_| part());
    let mut last_rows: [&mut [f32]; N] = std::array::from_fn(|_| part());
    let (last_out, row_of) = (part(), part());
    for (row, numbers) in row_of.chunks_exact_mut(width).enumerate() {
        numbers.fill(f32::from_bits(row as u32));
    }
    let out = out.into_data();
    let layout = Layout { stride: width, pad: 0, lanes: 1 };
    let mut leaving: Option<Group<S, M>> = None;
    let mut scales = [[0.0; MOST_LANES]; N];
    // One turn more than there are groups: the last one leaves in it.
    for start in (0..n_rows + S::LANES).step_by(S::LANES) {
        let count = n_rows.saturating_sub(start).min(S::LANES);
        let x =
            if count > 0 { whole_group(rows, start..start + count, &mut last_rows) } else { [&[][..]; N] };
        let left = leaving.take();
        let out_now = match left {
            Some(_) if count > 0 => &mut out[(start - S::LANES) * width..][..size],
            Some(_) => &mut *last_out,
            None => &mut [],
        };
        let sums = simd.apart(Turn::<'_, J, N, M> {
            inverse: course.inverse,
            width,
            x,
            kept: kept.each_mut().map(|part| &mut **part),
            row_of,
            scales: &scales,
            out: out_now,
            job: PhantomData,
        });
        if let Some(group) = left {
            let out = &mut out[(start - S::LANES) * width..];
            if count == 0 {
                out.copy_from_slice(&last_out[..out.len()]);
            }
            run_with_care(simd, job, course, rows, &group, out, scratch);
        }
        if count > 0 {
            let mut group = Group::new(simd, (course.first + start, count), width, layout, &sums, J::LOGITS);
            for (scales, made) in scales.iter_mut().zip(job.scales(simd, &mut group, kept[0])) {
                simd.store_at(scales, 0, made);
            }
            leaving = Some(group);
        }
    }
}

/// The numbers of some rows, of a whole group: `room` with zeros behind them if they are fewer.
#[inline(always)]
fn whole_group<'a, const N: usize>(
    rows: [Rows<'a>; N],
    wanted: Range<usize>,
    room: &'a mut [&mut [f32]; N],
) -> [&'a [f32]; N] {
    let mut group: [&[f32]; N] = [&[]; N];
    for ((group, rows), room) in group.iter_mut().zip(rows).zip(room) {
        let numbers = rows.slice(wanted.clone()).data();
        *group = if numbers.len() == room.len() {
            numbers
        } else {
            room[..numbers.len()].copy_from_slice(numbers);
            room[numbers.len()..].fill(0.0);
            room
        };
    }
    group
}

/// A group through the exponential (`x` to `kept`) while another one leaves (`kept` to `out`); either may be empty.
struct Turn<'a, J, const N: usize, const M: usize> {
    inverse: f32,
    width: usize,
    x: [&'a [f32]; N],
    kept: [&'a mut [f32]; M],
    /// The row that each number belongs to, as bits.
    row_of: &'a [f32],
    scales: &'a [PerRow; N],
    out: &'a mut [f32],
    job: PhantomData<J>,
}

impl<J: FreeJob<N, M>, const N: usize, const M: usize> Kernel for Turn<'_, J, N, M> {
    type Output = [PerRow; M];
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [PerRow; M] {
        match (self.out.is_empty(), self.x[0].is_empty()) {
            (false, false) => self.both::<S, true, true>(simd),
            (false, true) => self.both::<S, true, false>(simd),
            (true, _) => self.both::<S, false, true>(simd),
        }
    }
}

impl<J: FreeJob<N, M>, const N: usize, const M: usize> Turn<'_, J, N, M> {
    #[inline(always)]
    fn both<S: Simd, const LEAVE: bool, const COME: bool>(self, simd: S) -> [PerRow; M] {
        let powers = Powers::new(simd, self.inverse * std::f32::consts::LOG2_E);
        let zero = simd.splat(0.0);
        let mut scales = [zero; N];
        for (vector, scale) in scales.iter_mut().zip(self.scales) {
            *vector = simd.load_at(scale, 0);
        }
        let (row_of, _) = simd.chunks(self.row_of);
        let count = row_of.len();
        // Slices of one known length need no checks in the loop.
        let x = self.x.map(|x| if COME { &simd.chunks(x).0[..count] } else { &[] });
        let mut all_kept = self.kept;
        let mut kept = all_kept.each_mut().map(|kept| &mut simd.chunks_mut(kept).0[..count]);
        let out = if LEAVE { &mut simd.chunks_mut(self.out).0[..count] } else { &mut [] };
        for i in 0..count {
            let mut left = zero;
            if LEAVE {
                simd.prefetch(out[i].as_ref(), AHEAD);
                let row = simd.load(&row_of[i]);
                left = simd.mul(simd.load(&kept[J::MADE_OF[0]][i]), simd.pick(scales[0], row));
                for n in 1..N {
                    let term = simd.load(&kept[J::MADE_OF[n]][i]);
                    left = simd.mul_add(term, simd.pick(scales[n], row), left);
                }
            }
            if COME {
                let mut vectors = [simd.splat(0.0); N];
                for (vector, x) in vectors.iter_mut().zip(x) {
                    simd.prefetch(x[i].as_ref(), AHEAD);
                    *vector = simd.load(&x[i]);
                }
                for (kept, term) in kept.iter_mut().zip(J::terms(simd, &powers, vectors)) {
                    simd.store(&mut kept[i], term);
                }
            }
            if LEAVE {
                simd.store(&mut out[i], left);
            }
        }
        let mut sums = [[1.0; MOST_LANES]; M];
        if COME {
            for (sums, kept) in sums.iter_mut().zip(&all_kept) {
                *sums = sums_of_rows(simd, kept, self.width);
            }
        }
        sums
    }
}

/// The sums over the rows of a group that is `kept`, of `width` numbers each.
#[inline(always)]
fn sums_of_rows<S: Simd>(simd: S, kept: &[f32], width: usize) -> PerRow {
    match width.div_ceil(S::LANES) {
        1 => sums_of::<S, 1>(simd, kept, width),
        2 => sums_of::<S, 2>(simd, kept, width),
        3 => sums_of::<S, 3>(simd, kept, width),
        4 => sums_of::<S, 4>(simd, kept, width),
        _ => sums_of::<S, 0>(simd, kept, width),
    }
}

/// The same for rows of `V` vectors, or of any number if `V` is 0.
#[inline(always)]
fn sums_of<S: Simd, const V: usize>(simd: S, kept: &[f32], width: usize) -> PerRow {
    let vectors = if V == 0 { width.div_ceil(S::LANES) } else { V };
    let last = (vectors - 1) * S::LANES;
    let mut rows = [simd.splat(0.0); MOST_LANES];
    for i in 0..S::LANES {
        let row = &kept[i * width..][..width];
        rows[i] = simd.load_partial(&row[last..], 0.0);
        for v in 0..vectors - 1 {
            rows[i] = simd.add(rows[i], simd.load_at(row, v * S::LANES));
        }
    }
    let mut sums = [1.0; MOST_LANES];
    simd.store_at(&mut sums, 0, simd.sums(&rows));
    sums
}
