//! The gradients through softmax and log-softmax.

use super::blocks::Machine;
use super::blocks::each_block;
use super::view::{Rows, RowsMut};
use crate::simd::{Simd, math};

/// `Σ y d` over a row, or `Σ d`.
#[inline(always)]
fn total<S: Simd, const LOG: bool>(simd: S, y: &[f32], d_y: &[f32]) -> f32 {
    let mut sum = simd.splat(0.0);
    let ((y, y_rest), (d_y, d_rest)) = (simd.chunks(y), simd.chunks(d_y));
    for (y, d) in y.iter().zip(d_y) {
        let d = simd.load(d);
        sum = if LOG { simd.add(sum, d) } else { simd.mul_add(simd.load(y), d, sum) };
    }
    let d = simd.load_partial(d_rest, 0.0);
    sum = if LOG { simd.add(sum, d) } else { simd.mul_add(simd.load_partial(y_rest, 0.0), d, sum) };
    simd.sum(sum)
}

#[inline(always)]
fn gradient<S: Simd, const LOG: bool>(
    simd: S,
    y: S::F32,
    d: S::F32,
    total: S::F32,
    factor: S::F32,
) -> S::F32 {
    let difference =
        if LOG { simd.neg_mul_add(math::exp(simd, y), total, d) } else { simd.mul(y, simd.sub(d, total)) };
    simd.mul(difference, factor)
}

#[inline(always)]
fn backward<S: Simd, const LOG: bool>(
    simd: S,
    y: Rows<'_>,
    d_y: Rows<'_>,
    mut out: RowsMut<'_>,
    factor: f32,
) {
    let factors = simd.splat(factor);
    for row in 0..y.n_rows() {
        let (y, d_y) = (y.row(row), d_y.row(row));
        let total = simd.splat(total::<S, LOG>(simd, y, d_y));
        let ((y, y_rest), (d_y, d_rest)) = (simd.chunks(y), simd.chunks(d_y));
        let (lines, rest) = simd.chunks_mut(out.row_mut(row));
        for ((line, y), d) in lines.iter_mut().zip(y).zip(d_y) {
            simd.store(line, gradient::<S, LOG>(simd, simd.load(y), simd.load(d), total, factors));
        }
        let (y, d) = (simd.load_partial(y_rest, 0.0), simd.load_partial(d_rest, 0.0));
        let last = gradient::<S, LOG>(simd, y, d, total, factors);
        simd.store_partial(rest, last);
    }
}

#[inline(always)]
fn softmax_body<S: Simd>(simd: S, y: Rows<'_>, d_y: Rows<'_>, out: RowsMut<'_>, factor: f32) {
    backward::<S, false>(simd, y, d_y, out, factor);
}

#[inline(always)]
fn log_softmax_body<S: Simd>(simd: S, y: Rows<'_>, d_y: Rows<'_>, out: RowsMut<'_>, factor: f32) {
    backward::<S, true>(simd, y, d_y, out, factor);
}

crate::dispatch! {
    fn softmax_block(y: Rows<'_>, d_y: Rows<'_>, out: RowsMut<'_>, factor: f32) -> () = softmax_body;
}
crate::dispatch! {
    fn log_softmax_block(y: Rows<'_>, d_y: Rows<'_>, out: RowsMut<'_>, factor: f32) -> () = log_softmax_body;
}

pub(super) fn softmax(machine: Machine<'_>, y: Rows<'_>, d_y: Rows<'_>, out: RowsMut<'_>, temperature: f32) {
    each_block(machine, out, |rows, out| {
        softmax_block(machine.isa, y.slice(rows.clone()), d_y.slice(rows), out, 1.0 / temperature);
    });
}

pub(super) fn log_softmax(
    machine: Machine<'_>,
    y: Rows<'_>,
    d_y: Rows<'_>,
    out: RowsMut<'_>,
    temperature: f32,
) {
    each_block(machine, out, |rows, out| {
        log_softmax_block(machine.isa, y.slice(rows.clone()), d_y.slice(rows), out, 1.0 / temperature);
    });
}
