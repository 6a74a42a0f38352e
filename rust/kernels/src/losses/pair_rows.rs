//! Pairs of rows through the exponential: what is summed over them, and how the gradient is made.

use std::f32::consts::LN_2;
use std::marker::PhantomData;

use super::narrow_pairs;
use crate::rows::batches::{self, Course};
use crate::rows::job::{Pass, RowJob, Stats, Through};
use crate::rows::narrow::vectors_of;
use crate::rows::sweep::Affine;
use crate::rows::{Rows, RowsMut};
use crate::simd::{Simd, math};

/// What is kept of the second row, and what is summed over it.
pub(super) trait Pair {
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
        let (kept, dot) = P::keep(simd, power_a, a, power_b, b);
        for (sum, more) in pass.sums.iter_mut().zip([power_a, power_b, dot]) {
            *sum = simd.add(*sum, more);
        }
        [power_a, kept]
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
        let (loss, scale) = P::finish([a, b, dot * LN_2], [stats.logs[0], stats.logs[1]], gradient);
        self.loss += f64::from(weight) * f64::from(loss);
        Affine { scale, shift: 0.0 }
    }
}

#[inline(always)]
fn run<S: Simd, P: Pair>(simd: S, block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 {
    let mut job = Job::<P> { block, loss: 0.0, pair: PhantomData };
    match vectors_of::<S>(out.width()) {
        Some(vectors) => narrow_pairs::run(simd, &mut job, out, vectors),
        None => batches::run(simd, &mut job, block.course, block.rows, out, scratch),
    }
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
