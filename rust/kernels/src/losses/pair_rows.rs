//! Pairs of rows through the exponential, four pairs together or each while its neighbours are written and read.
//!
//! Exponents are kept in powers of two, `a = (x - max) / (T ln 2)`, for `2^a` is cheaper than `e^a`.

use std::f32::consts::{LN_2, LOG2_E};
use std::marker::PhantomData;

use super::narrow_pairs;
use crate::rows::narrow::vectors_of;
use crate::rows::sweep::{Affine, Finish, ln4, max, write};
use crate::rows::through::{Done, Through, leave, overlapped, through, through4};
use crate::rows::{Rows, RowsMut};
use crate::simd::{Simd, math};

/// What is kept of the second row, and what is summed over it.
pub(super) trait Pair: Copy {
    /// Whether the second row are logits too, to be taken through the exponential.
    const BOTH_LOGITS: bool;
    /// From `2^a`, `a`, `2^b` and `b`: what to keep beside `2^a`, and what to add to the dot product.
    fn keep<S: Simd>(simd: S, ea: S::F32, a: S::F32, eb: S::F32, b: S::F32) -> (S::F32, S::F32);
    /// Loss, and how `2^a` and what was kept make the gradient of a row whose gradient is multiplied by `factor`. The
    /// dot product is in nats.
    fn finish(sums: [f32; 3], logs: [f32; 2], factor: f32) -> (f32, [f32; 2]);
}

/// `weight * number`, or 0 where the weight is 0, so that 0 times infinity is nothing.
#[inline(always)]
fn unless_zero<S: Simd>(simd: S, weight: S::F32, number: S::F32) -> S::F32 {
    let zero = simd.splat(0.0);
    simd.select(simd.eq(weight, zero), zero, simd.mul(weight, number))
}

/// `2^b` stands for the target itself.
#[derive(Clone, Copy)]
struct SoftTargets;

impl Pair for SoftTargets {
    const BOTH_LOGITS: bool = false;
    #[inline(always)]
    fn keep<S: Simd>(simd: S, _ea: S::F32, a: S::F32, eb: S::F32, _b: S::F32) -> (S::F32, S::F32) {
        (eb, unless_zero(simd, eb, a))
    }
    #[inline(always)]
    fn finish([sum_a, sum_b, dot]: [f32; 3], [ln_a, _]: [f32; 2], factor: f32) -> (f32, [f32; 2]) {
        (sum_b * ln_a - dot, [factor * sum_b / sum_a, -factor])
    }
}

#[derive(Clone, Copy)]
struct Forward;

impl Pair for Forward {
    const BOTH_LOGITS: bool = true;
    #[inline(always)]
    fn keep<S: Simd>(simd: S, _ea: S::F32, a: S::F32, eb: S::F32, b: S::F32) -> (S::F32, S::F32) {
        (eb, unless_zero(simd, eb, simd.sub(b, a)))
    }
    #[inline(always)]
    fn finish([sum_a, sum_b, dot]: [f32; 3], [ln_a, ln_b]: [f32; 2], factor: f32) -> (f32, [f32; 2]) {
        let loss = dot / sum_b - ln_b + ln_a;
        (if loss < 0.0 { 0.0 } else { loss }, [factor / sum_a, -factor / sum_b])
    }
}

#[derive(Clone, Copy)]
struct Reverse;

impl Pair for Reverse {
    const BOTH_LOGITS: bool = true;
    #[inline(always)]
    fn keep<S: Simd>(simd: S, ea: S::F32, a: S::F32, _eb: S::F32, b: S::F32) -> (S::F32, S::F32) {
        let kept = unless_zero(simd, ea, simd.sub(a, b));
        (kept, kept)
    }
    #[inline(always)]
    fn finish([sum_a, _, dot]: [f32; 3], [ln_a, ln_b]: [f32; 2], factor: f32) -> (f32, [f32; 2]) {
        let loss = dot / sum_a - ln_a + ln_b;
        let share = factor / sum_a;
        // (a - b) - ln_a + ln_b - loss, of which the first is kept, in powers of two.
        (if loss < 0.0 { 0.0 } else { loss }, [-share * (dot / sum_a), share * LN_2])
    }
}

/// A pair of rows on its way through the exponential.
#[derive(Clone, Copy)]
pub(super) struct Sums<S: Simd, P: Pair> {
    maxima: [S::F32; 2],
    scale: S::F32,
    pub(super) a: S::F32,
    pub(super) b: S::F32,
    pub(super) dot: S::F32,
    pair: PhantomData<P>,
}

impl<S: Simd, P: Pair> Sums<S, P> {
    /// For rows with these largest numbers; `inverse` is 1 / T.
    #[inline(always)]
    pub(super) fn new(simd: S, maxima: [f32; 2], inverse: f32) -> Self {
        let zero = simd.splat(0.0);
        let maxima = [simd.splat(maxima[0]), simd.splat(maxima[1])];
        Self { maxima, scale: simd.splat(inverse * LOG2_E), a: zero, b: zero, dot: zero, pair: PhantomData }
    }

    /// The sums of `2^a`, `2^b` and, in nats, of the dot product; the logarithms of the first two.
    #[inline(always)]
    fn totals(&self, simd: S) -> ([f32; 3], [f32; 2]) {
        let [a, b, dot, _] = simd.sum4([self.a, self.b, self.dot, self.a]);
        let logs = ln4(simd, [a, b, 1.0, 1.0]);
        ([a, b, dot * LN_2], [logs[0], logs[1]])
    }
}

impl<S: Simd, P: Pair> Through<S, 2> for Sums<S, P> {
    // Past the end: probabilities of 0 on both sides.
    const FILL: [f32; 2] = [f32::NEG_INFINITY, if P::BOTH_LOGITS { f32::NEG_INFINITY } else { 0.0 }];

    #[inline(always)]
    fn add(&mut self, simd: S, [a, b]: [S::F32; 2]) -> [S::F32; 2] {
        let a = simd.mul(simd.sub(a, self.maxima[0]), self.scale);
        let power_a = math::exp2(simd, a);
        let (b, power_b) = if P::BOTH_LOGITS {
            let b = simd.mul(simd.sub(b, self.maxima[1]), self.scale);
            (b, math::exp2(simd, b))
        } else {
            (b, b)
        };
        let (kept, dot) = P::keep(simd, power_a, a, power_b, b);
        self.a = simd.add(self.a, power_a);
        self.b = simd.add(self.b, power_b);
        self.dot = simd.add(self.dot, dot);
        [power_a, kept]
    }
}

/// What a block of pairs is run with.
pub(super) struct Block<'a> {
    pub(super) rows: [Rows<'a>; 2],
    pub(super) row_weights: Option<&'a [f32]>,
    /// The number of the first row.
    pub(super) first: usize,
    /// `1 / T`
    pub(super) inverse: f32,
    /// What multiplies loss and gradient of each row.
    pub(super) factor: f64,
    pub(super) streamed: bool,
}

/// How many numbers of scratch a block needs.
pub(super) fn scratch_for(width: usize, streamed: bool) -> usize {
    if streamed { 2 * width } else { 8 * width }
}

impl Block<'_> {
    /// Loss and gradient of a row whose sums are known.
    #[inline(always)]
    pub(super) fn finish<P: Pair>(&self, row: usize, sums: [f32; 3], logs: [f32; 2]) -> (f64, Affine<2>) {
        let weight = self.row_weights.map_or(1.0, |weights| weights[self.first + row]);
        if weight == 0.0 {
            return (0.0, Affine::ZERO);
        }
        let gradient = (f64::from(weight) * self.factor) as f32 * self.inverse;
        let (loss, scale) = P::finish(sums, logs, gradient);
        (f64::from(weight) * f64::from(loss), Affine { scale, shift: 0.0 })
    }

    #[inline(always)]
    fn pair(&self, row: usize) -> [&[f32]; 2] {
        [self.rows[0].row(row), self.rows[1].row(row)]
    }
}

#[inline(always)]
fn run<S: Simd, P: Pair>(simd: S, block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 {
    let (kept_a, kept_b) = scratch.split_at_mut(scratch.len() / 2);
    if block.streamed {
        streamed::<S, P>(simd, block, out, [kept_a, kept_b])
    } else if let Some(vectors) = vectors_of::<S>(out.width()) {
        narrow_pairs::run::<S, P>(simd, block, out, vectors)
    } else {
        grouped::<S, P>(simd, block, out, [kept_a, kept_b])
    }
}

#[inline(always)]
fn grouped<S: Simd, P: Pair>(
    simd: S,
    block: &Block<'_>,
    mut out: RowsMut<'_>,
    [kept_a, kept_b]: [&mut [f32]; 2],
) -> f64 {
    let width = out.width();
    let mut loss = 0.0;
    let fours = out.n_rows() / 4 * 4;
    for row in (0..fours).step_by(4) {
        let mut maxima = [[0.0; 4]; 2];
        for (rows, maxima) in block.rows.iter().zip(&mut maxima).take(if P::BOTH_LOGITS { 2 } else { 1 }) {
            let mut lanes = [simd.splat(0.0); 4];
            for (i, lanes) in lanes.iter_mut().enumerate() {
                *lanes = max(simd, rows.row(row + i));
            }
            *maxima = simd.max_lane4(lanes);
        }
        let [a, b] = maxima;
        let mut passes = [Sums::<S, P>::new(simd, [0.0; 2], block.inverse); 4];
        for (pass, maxima) in passes.iter_mut().zip(a.into_iter().zip(b)) {
            *pass = Sums::new(simd, [maxima.0, maxima.1], block.inverse);
        }
        let four = row..row + 4;
        let rows = [block.rows[0].slice(four.clone()).data(), block.rows[1].slice(four).data()];
        through4::<S, _, 2, true>(simd, &mut passes, width, rows, [&mut *kept_a, &mut *kept_b]);
        let [p0, p1, p2, p3] = &passes;
        let a = simd.sum4([p0.a, p1.a, p2.a, p3.a]);
        let b = simd.sum4([p0.b, p1.b, p2.b, p3.b]);
        let dot = simd.sum4([p0.dot, p1.dot, p2.dot, p3.dot]);
        let (ln_a, ln_b) = (ln4(simd, a), ln4(simd, b));
        for i in 0..4 {
            let (sums, logs) = ([a[i], b[i], dot[i] * LN_2], [ln_a[i], ln_b[i]]);
            let (row_loss, made) = block.finish::<P>(row + i, sums, logs);
            loss += row_loss;
            let kept = [&kept_a[i * width..][..width], &kept_b[i * width..][..width]];
            write_made(simd, made, kept, out.row_mut(row + i));
        }
    }
    for row in fours..out.n_rows() {
        let rows = block.pair(row);
        let mut maxima = [simd.max_lane(max(simd, rows[0])), 0.0];
        if P::BOTH_LOGITS {
            maxima[1] = simd.max_lane(max(simd, rows[1]));
        }
        let mut pass = Sums::<S, P>::new(simd, maxima, block.inverse);
        through::<S, _, 2, true>(simd, &mut pass, rows, [&mut *kept_a, &mut *kept_b]);
        let (sums, logs) = pass.totals(simd);
        let (row_loss, made) = block.finish::<P>(row, sums, logs);
        loss += row_loss;
        write_made(simd, made, [&kept_a[..width], &kept_b[..width]], out.row_mut(row));
    }
    loss
}

#[inline(always)]
fn write_made<S: Simd>(simd: S, made: Affine<2>, kept: [&[f32]; 2], out: &mut [f32]) {
    if made.is_zero() {
        out.fill(0.0);
    } else {
        write(simd, made, kept, out);
    }
}

#[inline(always)]
fn streamed<S: Simd, P: Pair>(
    simd: S,
    block: &Block<'_>,
    mut out: RowsMut<'_>,
    [kept_a, kept_b]: [&mut [f32]; 2],
) -> f64 {
    let Some(last) = out.n_rows().checked_sub(1) else { return 0.0 };
    let mut loss = 0.0;
    let mut pending: Option<Affine<2>> = None;
    let rows = block.pair(0);
    let mut lanes = [max(simd, rows[0]), max(simd, rows[1])];
    for row in 0..=last {
        let rows = block.pair(row);
        // The last row is read once more for want of a next one.
        let next = block.pair((row + 1).min(last));
        let second = if P::BOTH_LOGITS { simd.max_lane(lanes[1]) } else { 0.0 };
        let mut pass = Sums::<S, P>::new(simd, [simd.max_lane(lanes[0]), second], block.inverse);
        let kept = [&mut *kept_a, &mut *kept_b];
        lanes = match pending {
            Some(made) => {
                let done = Done { made, sources: [&[], &[]], out: out.row_mut(row - 1) };
                overlapped::<S, _, _, 2, true>(simd, done, &mut pass, rows, kept, next)
            }
            None => {
                through::<S, _, 2, true>(simd, &mut pass, rows, kept);
                [max(simd, next[0]), max(simd, next[1])]
            }
        };
        let (sums, logs) = pass.totals(simd);
        let (row_loss, made) = block.finish::<P>(row, sums, logs);
        loss += row_loss;
        if made.is_zero() {
            kept_a.fill(0.0);
            kept_b.fill(0.0);
        }
        pending = Some(made);
    }
    if let Some(made) = pending {
        leave(simd, made, [&*kept_a, &*kept_b], out.row_mut(last));
    }
    loss
}

#[inline(always)]
fn soft_body<S: Simd>(simd: S, block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 {
    run::<S, SoftTargets>(simd, block, out, scratch)
}

#[inline(always)]
fn forward_body<S: Simd>(simd: S, block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 {
    run::<S, Forward>(simd, block, out, scratch)
}

#[inline(always)]
fn reverse_body<S: Simd>(simd: S, block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 {
    run::<S, Reverse>(simd, block, out, scratch)
}

crate::dispatch! {
    pub(super) fn soft_block(block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 = soft_body;
}
crate::dispatch! {
    pub(super) fn forward_block(block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 = forward_body;
}
crate::dispatch! {
    pub(super) fn reverse_block(block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 = reverse_body;
}
