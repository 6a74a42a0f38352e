//! Losses between two rows, both through exponentials: soft cross-entropy and KL divergence.

use super::{Reduction, Weights, plain_factor};
use crate::KernelError;
use crate::real::Real;
use crate::reference::losses as reference;
use crate::rows::blocks::{is_streamed, sum_blocks, with_scratch};
use crate::rows::sweep::{Affine, Finish, ln4, max, stream_and_max, write};
use crate::rows::{Machine, Rows, RowsMut, check_like};
use crate::simd::{Simd, math};

/// Which way a KL divergence looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// KL(teacher ‖ student): the student must cover whatever the teacher thinks possible.
    Forward,
    /// KL(student ‖ teacher): the student must not go where the teacher does not.
    Reverse,
}

pub(super) fn check<T: Real>(
    what: &'static str,
    x: Rows<'_, T>,
    other: Rows<'_, T>,
    weights: &Weights<'_, T>,
    out: &RowsMut<'_, T>,
) -> Result<(), KernelError> {
    check_like(what, x, other.n_rows(), other.width())?;
    check_like("out", x, out.n_rows(), out.width())?;
    weights.check(x.n_rows(), x.width())
}

/// What makes vector and reference code differ.
pub(super) trait Pairs: Real {
    fn soft_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, Self>,
        targets: Rows<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> f64;
    fn kl_divergence(
        machine: Machine<'_>,
        student: Rows<'_, Self>,
        teacher: Rows<'_, Self>,
        setting: (Self, Direction),
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> f64;
}

impl Pairs for f64 {
    fn soft_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, f64>,
        targets: Rows<'_, f64>,
        weights: Weights<'_, f64>,
        reduction: Reduction,
        out: RowsMut<'_, f64>,
    ) -> f64 {
        by_rows(machine, weights, reduction, out, |row, weight, out| {
            reference::soft_cross_entropy(logits.row(row), targets.row(row), weights.classes, weight, out)
        })
    }

    fn kl_divergence(
        machine: Machine<'_>,
        student: Rows<'_, f64>,
        teacher: Rows<'_, f64>,
        (temperature, direction): (f64, Direction),
        weights: Weights<'_, f64>,
        reduction: Reduction,
        out: RowsMut<'_, f64>,
    ) -> f64 {
        by_rows(machine, weights, reduction, out, |row, weight, out| {
            reference::kl_divergence(student.row(row), teacher.row(row), temperature, direction, weight, out)
        })
    }
}

/// Runs a loss of the reference over all rows: `loss(row, weight, out)`.
pub(crate) fn by_rows<T: Real>(
    machine: Machine<'_>,
    weights: Weights<'_, T>,
    reduction: Reduction,
    out: RowsMut<'_, T>,
    loss: impl Fn(usize, T, &mut [T]) -> T + Sync,
) -> f64 {
    let factor = plain_factor(reduction, &weights, out.n_rows());
    let total = sum_blocks(machine, out, |rows, mut out| {
        let mut total = 0.0;
        for (i, row) in rows.enumerate() {
            let weight = weights.row(row).wide();
            if weight > 0.0 {
                total += weight * loss(row, T::of(weight * factor), out.row_mut(i)).wide();
            } else {
                out.row_mut(i).fill(T::ZERO);
            }
        }
        total
    });
    total * factor
}

/// What is kept of the second row, and what is summed over it.
trait Pair {
    /// Whether the second row are logits too, to be taken through the exponential.
    const BOTH_LOGITS: bool;
    /// From `e^a`, `a`, the second number and `e^b`, `b` of it: what to keep beside `e^a`, and what to add to the dot
    /// product.
    fn keep<S: Simd>(simd: S, ea: S::F32, a: S::F32, eb: S::F32, b: S::F32) -> (S::F32, S::F32);
    /// Loss, and how `e^a` and what was kept make the gradient of a row of weight 1.
    fn finish(sum_a: f32, sum_b: f32, ln_a: f32, ln_b: f32, dot: f32, factor: f32) -> (f32, [f32; 2]);
}

/// `weight * number`, or 0 where the weight is 0, so that 0 times infinity is nothing.
#[inline(always)]
fn unless_zero<S: Simd>(simd: S, weight: S::F32, number: S::F32) -> S::F32 {
    let zero = simd.splat(0.0);
    simd.select(simd.eq(weight, zero), zero, simd.mul(weight, number))
}

/// `e^b` stands for the target itself.
struct SoftTargets;

impl Pair for SoftTargets {
    const BOTH_LOGITS: bool = false;
    #[inline(always)]
    fn keep<S: Simd>(simd: S, _ea: S::F32, a: S::F32, eb: S::F32, _b: S::F32) -> (S::F32, S::F32) {
        (eb, unless_zero(simd, eb, a))
    }
    #[inline(always)]
    fn finish(sum_a: f32, sum_b: f32, ln_a: f32, _ln_b: f32, dot: f32, factor: f32) -> (f32, [f32; 2]) {
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
    fn finish(sum_a: f32, sum_b: f32, ln_a: f32, ln_b: f32, dot: f32, factor: f32) -> (f32, [f32; 2]) {
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
    fn finish(sum_a: f32, _sum_b: f32, ln_a: f32, ln_b: f32, dot: f32, factor: f32) -> (f32, [f32; 2]) {
        let loss = dot / sum_a - ln_a + ln_b;
        let share = factor / sum_a;
        // (a - b) - ln_a + ln_b - loss, of which the first is kept.
        (if loss < 0.0 { 0.0 } else { loss }, [-share * (dot / sum_a), share])
    }
}

struct Sums<S: Simd> {
    a: S::F32,
    b: S::F32,
    dot: S::F32,
}

/// The largest numbers of both rows, and `1 / T`.
#[derive(Clone, Copy)]
struct Scale<S: Simd> {
    maxima: [S::F32; 2],
    inverse: S::F32,
}

impl<S: Simd> Sums<S> {
    /// Takes one vector of each row through the exponential; gives what to keep of it.
    #[inline(always)]
    fn add<P: Pair>(&mut self, simd: S, scale: Scale<S>, a: S::F32, b: S::F32) -> (S::F32, S::F32) {
        let a = simd.mul(simd.sub(a, scale.maxima[0]), scale.inverse);
        let ea = math::exp_clamped(simd, a);
        let (b, eb) = if P::BOTH_LOGITS {
            let b = simd.mul(simd.sub(b, scale.maxima[1]), scale.inverse);
            (b, math::exp_clamped(simd, b))
        } else {
            (b, b)
        };
        let (kept, dot) = P::keep(simd, ea, a, eb, b);
        self.a = simd.add(self.a, ea);
        self.b = simd.add(self.b, eb);
        self.dot = simd.add(self.dot, dot);
        (ea, kept)
    }
}

/// Takes a pair of rows through the exponentials.
#[inline(always)]
fn pass<S: Simd, P: Pair>(
    simd: S,
    rows: [&[f32]; 2],
    maxima: [f32; 2],
    factor: f32,
    kept: [&mut [f32]; 2],
) -> Sums<S> {
    let zero = simd.splat(0.0);
    let scale =
        Scale::<S> { maxima: [simd.splat(maxima[0]), simd.splat(maxima[1])], inverse: simd.splat(factor) };
    let mut sums = Sums::<S> { a: zero, b: zero, dot: zero };
    let [a, b] = rows.map(|row| simd.chunks(row));
    let [kept_a, kept_b] = kept;
    let (out_a, rest_a) = simd.chunks_mut(kept_a);
    let (out_b, rest_b) = simd.chunks_mut(kept_b);
    for (((a, b), out_a), out_b) in a.0.iter().zip(b.0).zip(out_a).zip(out_b) {
        let (ea, eb) = sums.add::<P>(simd, scale, simd.load(a), simd.load(b));
        simd.store(out_a, ea);
        simd.store(out_b, eb);
    }
    if !rest_a.is_empty() {
        // Past the end: probabilities of 0 on both sides.
        let fill = if P::BOTH_LOGITS { f32::NEG_INFINITY } else { 0.0 };
        let (a, b) = (simd.load_partial(a.1, f32::NEG_INFINITY), simd.load_partial(b.1, fill));
        let (ea, eb) = sums.add::<P>(simd, scale, a, b);
        simd.store_partial(rest_a, ea);
        simd.store_partial(rest_b, eb);
    }
    sums
}

/// What a block of pairs is run with.
struct Block<'a> {
    rows: [Rows<'a>; 2],
    row_weights: Option<&'a [f32]>,
    /// The number of the first row.
    first: usize,
    /// `1 / T`
    inverse: f32,
    /// What multiplies loss and gradient of each row.
    factor: f64,
    streamed: bool,
}

impl Block<'_> {
    #[inline(always)]
    fn weight(&self, row: usize) -> f32 {
        self.row_weights.map_or(1.0, |weights| weights[self.first + row])
    }

    /// Loss and gradient of a row whose sums are known.
    #[inline(always)]
    fn finish<P: Pair>(&self, row: usize, sums: [f32; 3], logs: [f32; 2]) -> (f64, Affine<2>) {
        let weight = self.weight(row);
        if weight == 0.0 {
            return (0.0, Affine::ZERO);
        }
        let gradient = (f64::from(weight) * self.factor) as f32 * self.inverse;
        let (loss, scale) = P::finish(sums[0], sums[1], logs[0], logs[1], sums[2], gradient);
        (f64::from(weight) * f64::from(loss), Affine { scale, shift: 0.0 })
    }
}

#[inline(always)]
fn run<S: Simd, P: Pair>(simd: S, block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 {
    let (kept_a, kept_b) = scratch.split_at_mut(scratch.len() / 2);
    if block.streamed {
        streamed::<S, P>(simd, block, out, [kept_a, kept_b])
    } else {
        in_cache::<S, P>(simd, block, out, kept_a, kept_b)
    }
}

#[inline(always)]
fn maxima<S: Simd, P: Pair>(simd: S, lanes: [S::F32; 2]) -> [f32; 2] {
    [simd.max_lane(lanes[0]), if P::BOTH_LOGITS { simd.max_lane(lanes[1]) } else { 0.0 }]
}

#[inline(always)]
fn totals<S: Simd, P: Pair>(simd: S, sums: &Sums<S>) -> ([f32; 3], [f32; 2]) {
    let [a, b, dot, _] = simd.sum4([sums.a, sums.b, sums.dot, sums.a]);
    let logs = ln4(simd, [a, b, 1.0, 1.0]);
    ([a, b, dot], [logs[0], logs[1]])
}

#[inline(always)]
fn in_cache<S: Simd, P: Pair>(
    simd: S,
    block: &Block<'_>,
    mut out: RowsMut<'_>,
    kept_a: &mut [f32],
    kept_b: &mut [f32],
) -> f64 {
    let mut loss = 0.0;
    for row in 0..out.n_rows() {
        let rows = [block.rows[0].row(row), block.rows[1].row(row)];
        let lanes = [max(simd, rows[0]), if P::BOTH_LOGITS { max(simd, rows[1]) } else { simd.splat(0.0) }];
        let kept = [&mut *kept_a, &mut *kept_b];
        let sums = pass::<S, P>(simd, rows, maxima::<S, P>(simd, lanes), block.inverse, kept);
        let (sums, logs) = totals::<S, P>(simd, &sums);
        let (row_loss, made) = block.finish::<P>(row, sums, logs);
        loss += row_loss;
        if made.is_zero() {
            out.row_mut(row).fill(0.0);
        } else {
            write(simd, made, [&*kept_a, &*kept_b], out.row_mut(row));
        }
    }
    loss
}

#[inline(always)]
fn streamed<S: Simd, P: Pair>(
    simd: S,
    block: &Block<'_>,
    mut out: RowsMut<'_>,
    [kept_a, kept_b]: [&mut [f32]; 2],
) -> f64 {
    let mut loss = 0.0;
    let mut pending: Option<Affine<2>> = None;
    for row in 0..out.n_rows() {
        let rows = [block.rows[0].row(row), block.rows[1].row(row)];
        let lanes = match pending {
            Some(made) => stream_and_max(simd, made, [&*kept_a, &*kept_b], out.row_mut(row - 1), rows),
            None => [max(simd, rows[0]), max(simd, rows[1])],
        };
        let kept = [&mut *kept_a, &mut *kept_b];
        let sums = pass::<S, P>(simd, rows, maxima::<S, P>(simd, lanes), block.inverse, kept);
        let (sums, logs) = totals::<S, P>(simd, &sums);
        let (row_loss, made) = block.finish::<P>(row, sums, logs);
        loss += row_loss;
        if made.is_zero() {
            kept_a.fill(0.0);
            kept_b.fill(0.0);
        }
        pending = Some(made);
    }
    if let Some(made) = pending {
        let last = out.n_rows() - 1;
        stream_and_max(simd, made, [&*kept_a, &*kept_b], out.row_mut(last), []);
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
    fn soft_block(block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 = soft_body;
}
crate::dispatch! {
    fn forward_block(block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 = forward_body;
}
crate::dispatch! {
    fn reverse_block(block: &Block<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> f64 = reverse_body;
}

impl Pairs for f32 {
    fn soft_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, f32>,
        targets: Rows<'_, f32>,
        weights: Weights<'_, f32>,
        reduction: Reduction,
        out: RowsMut<'_, f32>,
    ) -> f64 {
        let width = logits.width();
        let factor = plain_factor(reduction, &weights, logits.n_rows());
        let streamed = is_streamed(logits.n_rows(), width);
        let total = sum_blocks(machine, out, |rows, out| {
            let weighted = weights.classes.map(|w| weighted(targets.slice(rows.clone()), w));
            let targets = match &weighted {
                Some(data) => {
                    Rows::new(data, rows.len(), width).unwrap_or_else(|_| targets.slice(rows.clone()))
                }
                None => targets.slice(rows.clone()),
            };
            let block = Block {
                first: rows.start,
                rows: [logits.slice(rows), targets],
                row_weights: weights.rows,
                inverse: 1.0,
                factor,
                streamed,
            };
            with_scratch(2 * width, |scratch| soft_block(machine.isa, &block, out, scratch))
        });
        total * factor
    }

    fn kl_divergence(
        machine: Machine<'_>,
        student: Rows<'_, f32>,
        teacher: Rows<'_, f32>,
        (temperature, direction): (f32, Direction),
        weights: Weights<'_, f32>,
        reduction: Reduction,
        out: RowsMut<'_, f32>,
    ) -> f64 {
        let width = student.width();
        let factor = plain_factor(reduction, &weights, student.n_rows());
        let streamed = is_streamed(student.n_rows(), width);
        let total = sum_blocks(machine, out, |rows, out| {
            let block = Block {
                first: rows.start,
                rows: [student.slice(rows.clone()), teacher.slice(rows)],
                row_weights: weights.rows,
                inverse: 1.0 / temperature,
                factor,
                streamed,
            };
            with_scratch(2 * width, |scratch| match direction {
                Direction::Forward => forward_block(machine.isa, &block, out, scratch),
                Direction::Reverse => reverse_block(machine.isa, &block, out, scratch),
            })
        });
        total * factor
    }
}

/// The targets times the class weights.
fn weighted(targets: Rows<'_>, class_weights: &[f32]) -> Vec<f32> {
    (0..targets.n_rows())
        .flat_map(|row| targets.row(row).iter().zip(class_weights).map(|(target, weight)| target * weight))
        .collect()
}
