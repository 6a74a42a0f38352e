//! Pairs of rows through the exponential: what is summed over them, and how the gradient is made.

use std::f32::consts::LN_2;
use std::marker::PhantomData;

use crate::rows::batches::{Course, Task};
use crate::rows::free::{self, FreeJob, Group, per_row};
use crate::rows::job::{Pass, RowJob, Stats, Through};
use crate::rows::sweep::Affine;
use crate::rows::{Rows, RowsMut};
use crate::simd::{MOST_LANES, Simd, math, math::Powers};

/// What is kept of the second row, and what is summed over it.
pub(super) trait Pair {
    /// Whether the second row are logits too, to be taken through the exponential.
    const BOTH_LOGITS: bool;
    /// Whether the gradient is made of `e^a` and the terms of the dot product, or else of `e^a` and `e^b`.
    const MADE_OF_DOT: bool;
    /// From `e^a`, `a`, `e^b` and `b` in any unit: two factors, whose product is a term of the dot product. The term is 0
    /// where the first factor is.
    fn dot<S: Simd>(simd: S, ea: S::F32, a: S::F32, eb: S::F32, b: S::F32) -> [S::F32; 2];
    /// Loss, and what the two that make the gradient of a row are multiplied by; the gradient is multiplied by
    /// `factor`. The dot product is in nats, its terms in `unit` of them. `log` is `ln Σe^a`, less `ln Σe^b` if both
    /// are logits.
    fn finish(sums: [f32; 3], log: f32, factor: f32, unit: f32) -> (f32, [f32; 2]);
}

/// `weight * number`, or 0 where the weight is 0, so that 0 times infinity is nothing.
#[inline(always)]
fn unless_zero<S: Simd>(simd: S, [weight, number]: [S::F32; 2]) -> S::F32 {
    let zero = simd.splat(0.0);
    simd.select(simd.eq(weight, zero), zero, simd.mul(weight, number))
}

/// `e^b` stands for the target itself.
struct SoftTargets;

impl Pair for SoftTargets {
    const BOTH_LOGITS: bool = false;
    const MADE_OF_DOT: bool = false;
    #[inline(always)]
    fn dot<S: Simd>(_: S, _ea: S::F32, a: S::F32, eb: S::F32, _b: S::F32) -> [S::F32; 2] {
        [eb, a]
    }
    #[inline(always)]
    fn finish([sum_a, sum_b, dot]: [f32; 3], ln_a: f32, factor: f32, _: f32) -> (f32, [f32; 2]) {
        (sum_b * ln_a - dot, [factor * sum_b / sum_a, -factor])
    }
}

struct Forward;

impl Pair for Forward {
    const BOTH_LOGITS: bool = true;
    const MADE_OF_DOT: bool = false;
    #[inline(always)]
    fn dot<S: Simd>(simd: S, _ea: S::F32, a: S::F32, eb: S::F32, b: S::F32) -> [S::F32; 2] {
        [eb, simd.sub(b, a)]
    }
    #[inline(always)]
    fn finish([sum_a, sum_b, dot]: [f32; 3], log: f32, factor: f32, _: f32) -> (f32, [f32; 2]) {
        let loss = dot / sum_b + log;
        (if loss < 0.0 { 0.0 } else { loss }, [factor / sum_a, -factor / sum_b])
    }
}

struct Reverse;

impl Pair for Reverse {
    const BOTH_LOGITS: bool = true;
    const MADE_OF_DOT: bool = true;
    #[inline(always)]
    fn dot<S: Simd>(simd: S, ea: S::F32, a: S::F32, _eb: S::F32, b: S::F32) -> [S::F32; 2] {
        [ea, simd.sub(a, b)]
    }
    #[inline(always)]
    fn finish([sum_a, _, dot]: [f32; 3], log: f32, factor: f32, unit: f32) -> (f32, [f32; 2]) {
        let loss = dot / sum_a - log;
        let share = factor / sum_a;
        // (a - b) - log - loss, of which the first is kept.
        (if loss < 0.0 { 0.0 } else { loss }, [-share * (dot / sum_a), share * unit])
    }
}

/// A pair's way through the exponential: the sums of `2^a` and `2^b`, and of the dot product in powers of two.
pub(super) struct PairSums<P: Pair>(PhantomData<P>);

impl<P: Pair> Through<2, 3> for PairSums<P> {
    // Past the end: probabilities of 0 on both sides.
    const FILL: [f32; 2] = [f32::NEG_INFINITY, if P::BOTH_LOGITS { f32::NEG_INFINITY } else { 0.0 }];

    #[inline(always)]
    fn add<S: Simd>(simd: S, pass: &mut Pass<S, 2, 3>, [a, b]: [S::F32; 2]) -> [S::F32; 2] {
        let a = pass.exponent(simd, 0, a);
        let power_a = math::exp2(simd, a);
        let (b, power_b) = if P::BOTH_LOGITS {
            let b = pass.exponent(simd, 1, b);
            (b, math::exp2(simd, b))
        } else {
            (b, b)
        };
        let dot = unless_zero(simd, P::dot(simd, power_a, a, power_b, b));
        for (sum, more) in pass.sums.iter_mut().zip([power_a, power_b, dot]) {
            *sum = simd.add(*sum, more);
        }
        [power_a, if P::MADE_OF_DOT { dot } else { power_b }]
    }
}

/// What a block of pairs is run with.
pub(super) struct Block<'a> {
    pub(super) rows: [Rows<'a>; 2],
    pub(super) row_weights: Option<&'a [f32]>,
    pub(super) course: Course,
    /// What multiplies loss and gradient of each row.
    pub(super) factor: f64,
}

pub(super) struct Job<'a, P: Pair> {
    pub(super) block: &'a Block<'a>,
    /// `Σ w_r l_r` so far.
    loss: f64,
    pair: PhantomData<P>,
}

impl<P: Pair> RowJob<2, 3> for Job<'_, P> {
    type Through = PairSums<P>;
    type Finish = Affine<2>;
    const KEEP: bool = true;
    const LOGITS: usize = if P::BOTH_LOGITS { 2 } else { 1 };
    const LOGS: usize = Self::LOGITS;

    #[inline(always)]
    fn finish(
        &mut self,
        row: usize,
        _: [&[f32]; 2],
        stats: &Stats<2, 3>,
        _: &mut [&mut [f32]; 2],
    ) -> Affine<2> {
        let weight = self.block.row_weights.map_or(1.0, |weights| weights[row]);
        if weight == 0.0 {
            return Affine::ZERO;
        }
        let gradient = (f64::from(weight) * self.block.factor) as f32 * self.block.course.inverse;
        let [a, b, dot] = stats.sums;
        let log = stats.logs[0] - if P::BOTH_LOGITS { stats.logs[1] } else { 0.0 };
        let (loss, scale) = P::finish([a, b, dot * LN_2], log, gradient, LN_2);
        self.loss += f64::from(weight) * f64::from(loss);
        Affine { scale, shift: 0.0 }
    }
}

impl<P: Pair> FreeJob<2, 3> for Job<'_, P> {
    const MADE_OF: [usize; 2] = [0, if P::MADE_OF_DOT { 2 } else { 1 }];

    #[inline(always)]
    fn terms<S: Simd>(simd: S, powers: &Powers<S>, [a, b]: [S::F32; 2]) -> [S::F32; 3] {
        let power_a = powers.of(simd, a);
        let power_b = if P::BOTH_LOGITS { powers.of(simd, b) } else { b };
        // 0 times infinity is NaN here, and the row is done again.
        let [weight, number] = P::dot(simd, power_a, a, power_b, b);
        [power_a, power_b, simd.mul(weight, number)]
    }

    #[inline(always)]
    fn scales<S: Simd>(&mut self, simd: S, group: &mut Group<S, 3>, _: &mut [f32]) -> [S::F32; 2] {
        let inverse = self.block.course.inverse;
        let [a, b, dot] = group.sums;
        let log = math::ln(simd, if P::BOTH_LOGITS { simd.div(a, b) } else { a });
        // A difference with itself is NaN for infinities.
        group.keep_where(simd, simd.eq(simd.sub(dot, dot), simd.splat(0.0)));
        let weights = per_row(simd, group.numbers(simd, self.block.row_weights));
        let (a, b, dot, log) = (per_row(simd, a), per_row(simd, b), per_row(simd, dot), per_row(simd, log));
        let (mut losses, mut made) = ([0.0; MOST_LANES], [[0.0; MOST_LANES]; 2]);
        for i in 0..S::LANES {
            let gradient = (f64::from(weights[i]) * self.block.factor) as f32 * inverse;
            let (loss, scales) = P::finish([a[i], b[i], dot[i] * inverse], log[i], gradient, inverse);
            let counts = weights[i] != 0.0;
            [made[0][i], made[1][i]] = if counts { scales } else { [0.0; 2] };
            losses[i] = if counts { weights[i] * loss } else { 0.0 };
        }
        self.loss += f64::from(simd.sum(group.if_kept(simd, simd.load_at(&losses, 0))));
        [simd.load_at(&made[0], 0), simd.load_at(&made[1], 0)]
    }
}

#[inline(always)]
fn run<S: Simd, P: Pair>(simd: S, block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 {
    let mut job = Job::<P> { block, loss: 0.0, pair: PhantomData };
    let task = Task { course: block.course, rows: block.rows, out, scratch };
    free::run(simd, &mut job, task);
    job.loss
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
