//! One number a row: log-sum-exp and argmax.

use super::blocks::Machine;
use super::blocks::sum_blocks;
use super::job::{ExpSum, Pass};
use super::sweep::max;
use super::through::through;
use super::view::{Rows, RowsMut};
use crate::KernelError;
use crate::simd::{Simd, math};

#[inline(always)]
fn logsumexp_body<S: Simd>(simd: S, x: Rows<'_>, out: &mut [f32]) {
    for (i, out) in out.iter_mut().enumerate() {
        let row = x.row(i);
        let largest = simd.max_lane(max(simd, row));
        let mut pass = Pass::new(simd, [largest], 1.0);
        through::<S, ExpSum, 1, 1, false>(simd, &mut pass, 0, [row], &mut [&mut []]);
        let ln_sum = math::ln(simd, simd.splat(simd.sum(pass.sums[0])));
        let value = largest + simd.max_lane(ln_sum);
        // With an infinity as the maximum, inf - inf has made a NaN of rows that hold none.
        *out = if value.is_nan() && !has_nan(simd, row) { largest } else { value };
    }
}

#[inline(always)]
fn has_nan<S: Simd>(simd: S, row: &[f32]) -> bool {
    let (chunks, rest) = simd.chunks(row);
    // 0 for numbers; a NaN stays one through the sum.
    let mut sum = simd.splat(0.0);
    let (zero, nan) = (simd.splat(0.0), simd.splat(f32::NAN));
    for chunk in chunks {
        let x = simd.load(chunk);
        sum = simd.add(sum, simd.select(simd.eq(x, x), zero, nan));
    }
    simd.sum(sum).is_nan() || rest.iter().any(|x| x.is_nan())
}

#[inline(always)]
fn argmax_body<S: Simd>(simd: S, x: Rows<'_>, out: &mut [i64]) {
    for (i, out) in out.iter_mut().enumerate() {
        let row = x.row(i);
        let largest = simd.max_lane(max(simd, row));
        let best = if has_nan(simd, row) {
            row.iter().position(|x| x.is_nan())
        } else {
            first_equal(simd, row, largest)
        };
        *out = best.unwrap_or(0) as i64;
    }
}

#[inline(always)]
fn first_equal<S: Simd>(simd: S, row: &[f32], wanted: f32) -> Option<usize> {
    let (chunks, _) = simd.chunks(row);
    let wanted_lanes = simd.splat(wanted);
    let mut start = chunks.len() * S::LANES;
    for (i, chunk) in chunks.iter().enumerate() {
        if simd.any(simd.eq(simd.load(chunk), wanted_lanes)) {
            start = i * S::LANES;
            break;
        }
    }
    row[start..].iter().position(|x| *x == wanted).map(|i| start + i)
}

crate::dispatch! {
    fn logsumexp_block(x: Rows<'_>, out: &mut [f32]) -> () = logsumexp_body;
}
crate::dispatch! {
    fn argmax_block(x: Rows<'_>, out: &mut [i64]) -> () = argmax_body;
}

pub(super) fn logsumexp(machine: Machine<'_>, x: Rows<'_>, out: &mut [f32]) {
    per_row(machine, x, out, |x, out| logsumexp_block(machine.isa, x, out));
}

pub(super) fn argmax(machine: Machine<'_>, x: Rows<'_>, out: &mut [i64]) {
    per_row(machine, x, out, |x, out| argmax_block(machine.isa, x, out));
}

/// Gives each block of rows with its part of `out` to `work`.
fn per_row<T: Send>(
    machine: Machine<'_>,
    x: Rows<'_>,
    out: &mut [T],
    work: impl Fn(Rows<'_>, &mut [T]) + Sync,
) {
    let n_rows = out.len();
    let Ok(out) = RowsMut::new(out, n_rows, 1) else { return };
    sum_blocks(machine, out, |rows, block| {
        work(x.slice(rows), block.into_data());
        0.0
    });
}

pub(super) fn check_out(what: &'static str, n_rows: usize, found: usize) -> Result<(), KernelError> {
    if n_rows == found {
        return Ok(());
    }
    Err(KernelError::Shape {
        what,
        expected: format!("{n_rows} numbers, one a row"),
        found: format!("{found}"),
    })
}
