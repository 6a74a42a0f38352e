//! Losses in which each number stands alone: binary cross-entropy and squared error.

use super::pairs::by_rows;
use super::{Reduction, Weights, plain_factor};
use crate::real::Real;
use crate::reference::losses as reference;
use crate::rows::blocks::sum_blocks;
use crate::rows::{Machine, Rows, RowsMut};
use crate::simd::{Simd, math};

/// What makes vector and reference code differ.
pub(super) trait Elementwise: Real {
    fn binary(
        machine: Machine<'_>,
        x: Rows<'_, Self>,
        targets: Rows<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> f64;
    fn squared(
        machine: Machine<'_>,
        x: Rows<'_, Self>,
        targets: Rows<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> f64;
}

impl Elementwise for f64 {
    fn binary(
        machine: Machine<'_>,
        x: Rows<'_, f64>,
        targets: Rows<'_, f64>,
        weights: Weights<'_, f64>,
        reduction: Reduction,
        out: RowsMut<'_, f64>,
    ) -> f64 {
        by_rows(machine, weights, reduction, out, |row, weight, out| {
            reference::binary_cross_entropy(x.row(row), targets.row(row), weights.classes, weight, out)
        })
    }
    fn squared(
        machine: Machine<'_>,
        x: Rows<'_, f64>,
        targets: Rows<'_, f64>,
        weights: Weights<'_, f64>,
        reduction: Reduction,
        out: RowsMut<'_, f64>,
    ) -> f64 {
        by_rows(machine, weights, reduction, out, |row, weight, out| {
            reference::squared_error(x.row(row), targets.row(row), weights.classes, weight, out)
        })
    }
}

/// A loss of one number and its target.
trait Element {
    /// A guess whose loss is 0 with the target 0, for the lanes past the end.
    const FILL: f32;
    /// Loss and gradient.
    fn both<S: Simd>(simd: S, x: S::F32, target: S::F32) -> (S::F32, S::F32);
}

struct Binary;

impl Element for Binary {
    const FILL: f32 = f32::NEG_INFINITY;
    #[inline(always)]
    fn both<S: Simd>(simd: S, x: S::F32, target: S::F32) -> (S::F32, S::F32) {
        let (zero, one) = (simd.splat(0.0), simd.splat(1.0));
        let decay = math::exp_clamped(simd, simd.sub(zero, simd.abs(x)));
        let below = simd.lt(x, zero);
        let sigmoid = simd.div(simd.select(below, decay, one), simd.add(one, decay));
        let taken = simd.select(simd.eq(target, zero), zero, simd.mul(target, x));
        let larger = simd.select(below, zero, x);
        (simd.add(simd.sub(larger, taken), math::ln_1p(simd, decay)), simd.sub(sigmoid, target))
    }
}

struct Squared;

impl Element for Squared {
    const FILL: f32 = 0.0;
    #[inline(always)]
    fn both<S: Simd>(simd: S, x: S::F32, target: S::F32) -> (S::F32, S::F32) {
        let difference = simd.sub(x, target);
        (simd.mul(difference, difference), simd.add(difference, difference))
    }
}

/// The losses of a row so far, and what its gradients are multiplied by.
struct Row<S: Simd> {
    total: S::F32,
    weight: S::F32,
}

impl<S: Simd> Row<S> {
    /// Adds the losses of a vector of guesses; gives their gradients.
    #[inline(always)]
    fn add<E: Element>(&mut self, simd: S, x: S::F32, target: S::F32, class: Option<S::F32>) -> S::F32 {
        let zero = simd.splat(0.0);
        let (mut loss, mut d_x) = E::both(simd, x, target);
        if let Some(class) = class {
            let unused = simd.eq(class, zero);
            loss = simd.select(unused, zero, simd.mul(loss, class));
            d_x = simd.select(unused, zero, simd.mul(d_x, class));
        }
        self.total = simd.add(self.total, loss);
        simd.mul(d_x, self.weight)
    }
}

/// Loss of a row of weight 1; writes the gradient times `weight`.
#[inline(always)]
fn row<S: Simd, E: Element>(
    simd: S,
    x: &[f32],
    targets: &[f32],
    class_weights: Option<&[f32]>,
    weight: f32,
    out: &mut [f32],
) -> f32 {
    let mut row = Row::<S> { total: simd.splat(0.0), weight: simd.splat(weight) };
    let ((x, x_rest), (targets, t_rest)) = (simd.chunks(x), simd.chunks(targets));
    let (lines, rest) = simd.chunks_mut(out);
    let chunks = lines.iter_mut().zip(x).zip(targets);
    let mut class_rest = None;
    if let Some(weights) = class_weights {
        let (classes, rest) = simd.chunks(weights);
        for (((line, x), target), class) in chunks.zip(classes) {
            let d_x = row.add::<E>(simd, simd.load(x), simd.load(target), Some(simd.load(class)));
            simd.store(line, d_x);
        }
        class_rest = Some(simd.load_partial(rest, 0.0));
    } else {
        for ((line, x), target) in chunks {
            simd.store(line, row.add::<E>(simd, simd.load(x), simd.load(target), None));
        }
    }
    if !rest.is_empty() {
        let (x, target) = (simd.load_partial(x_rest, E::FILL), simd.load_partial(t_rest, 0.0));
        simd.store_partial(rest, row.add::<E>(simd, x, target, class_rest));
    }
    simd.sum(row.total)
}

/// What a block of rows is run with.
struct Block<'a> {
    x: Rows<'a>,
    targets: Rows<'a>,
    weights: Weights<'a, f32>,
    /// The number of the first row.
    first: usize,
    /// What multiplies the gradient of each row.
    factor: f64,
}

#[inline(always)]
fn body<S: Simd, E: Element>(simd: S, block: &Block<'_>, mut out: RowsMut<'_>) -> f64 {
    let mut total = 0.0;
    for i in 0..out.n_rows() {
        let weight = f64::from(block.weights.row(block.first + i));
        if weight == 0.0 {
            out.row_mut(i).fill(0.0);
            continue;
        }
        let (x, targets) = (block.x.row(i), block.targets.row(i));
        let scale = (weight * block.factor) as f32;
        let loss = row::<S, E>(simd, x, targets, block.weights.classes, scale, out.row_mut(i));
        total += weight * f64::from(loss);
    }
    total
}

#[inline(always)]
fn binary_body<S: Simd>(simd: S, block: &Block<'_>, out: RowsMut<'_>) -> f64 {
    body::<S, Binary>(simd, block, out)
}

#[inline(always)]
fn squared_body<S: Simd>(simd: S, block: &Block<'_>, out: RowsMut<'_>) -> f64 {
    body::<S, Squared>(simd, block, out)
}

crate::dispatch! {
    fn binary_block(block: &Block<'_>, out: RowsMut<'_>) -> f64 = binary_body;
}
crate::dispatch! {
    fn squared_block(block: &Block<'_>, out: RowsMut<'_>) -> f64 = squared_body;
}

impl Elementwise for f32 {
    fn binary(
        machine: Machine<'_>,
        x: Rows<'_, f32>,
        targets: Rows<'_, f32>,
        weights: Weights<'_, f32>,
        reduction: Reduction,
        out: RowsMut<'_, f32>,
    ) -> f64 {
        by_blocks(machine, x, targets, weights, reduction, out, |block, out| {
            binary_block(machine.isa, block, out)
        })
    }
    fn squared(
        machine: Machine<'_>,
        x: Rows<'_, f32>,
        targets: Rows<'_, f32>,
        weights: Weights<'_, f32>,
        reduction: Reduction,
        out: RowsMut<'_, f32>,
    ) -> f64 {
        by_blocks(machine, x, targets, weights, reduction, out, |block, out| {
            squared_block(machine.isa, block, out)
        })
    }
}

fn by_blocks(
    machine: Machine<'_>,
    x: Rows<'_>,
    targets: Rows<'_>,
    weights: Weights<'_, f32>,
    reduction: Reduction,
    out: RowsMut<'_>,
    run: impl Fn(&Block<'_>, RowsMut<'_>) -> f64 + Sync,
) -> f64 {
    let factor = plain_factor(reduction, &weights, x.n_rows());
    let total = sum_blocks(machine, out, |rows, out| {
        let first = rows.start;
        let (x, targets) = (x.slice(rows.clone()), targets.slice(rows));
        run(&Block { x, targets, weights, first, factor }, out)
    });
    total * factor
}
