//! Softmax and log-softmax.

use super::blocks::Machine;
use super::blocks::{each_block, is_streamed, with_scratch};
use super::exponentials::{Made, RowJob, RowStats, run};
use super::narrow::Scaled;
use super::sweep::{Affine, Centred};
use super::view::{Rows, RowsMut};
use crate::simd::Simd;

struct Normalize;

impl RowJob for Normalize {
    type Finish = Affine<1>;
    const FROM_EXP: bool = true;
    const WANTS_LN: bool = false;
    #[inline(always)]
    fn finish(
        &mut self,
        _row: usize,
        _logits: &[f32],
        stats: RowStats,
        _kept: &mut [f32],
    ) -> Made<Affine<1>> {
        Made::all(Affine { scale: [1.0 / stats.sum], shift: 0.0 })
    }
    #[inline(always)]
    fn is_scaled(&self) -> bool {
        true
    }
    #[inline(always)]
    fn scaled(&mut self, _row: usize, sum: f32) -> Scaled {
        Scaled { scale: 1.0 / sum, less: None }
    }
}

struct LogNormalize {
    factor: f32,
}

impl RowJob for LogNormalize {
    type Finish = Centred;
    const FROM_EXP: bool = false;
    const WANTS_LN: bool = true;
    #[inline(always)]
    fn finish(&mut self, _row: usize, _logits: &[f32], stats: RowStats, _kept: &mut [f32]) -> Made<Centred> {
        Made::all(Centred { centre: stats.max, scale: self.factor, shift: -stats.ln_sum })
    }
}

#[inline(always)]
fn softmax_body<S: Simd>(simd: S, x: Rows<'_>, out: RowsMut<'_>, factor: f32, scratch: Option<&mut [f32]>) {
    run(simd, &mut Normalize, 0, x, out, factor, scratch);
}

#[inline(always)]
fn log_softmax_body<S: Simd>(
    simd: S,
    x: Rows<'_>,
    out: RowsMut<'_>,
    factor: f32,
    scratch: Option<&mut [f32]>,
) {
    run(simd, &mut LogNormalize { factor }, 0, x, out, factor, scratch);
}

crate::dispatch! {
    fn softmax_block(x: Rows<'_>, out: RowsMut<'_>, factor: f32, scratch: Option<&mut [f32]>) -> () = softmax_body;
}
crate::dispatch! {
    fn log_softmax_block(x: Rows<'_>, out: RowsMut<'_>, factor: f32, scratch: Option<&mut [f32]>) -> () =
        log_softmax_body;
}

pub(super) fn softmax(machine: Machine<'_>, x: Rows<'_>, out: RowsMut<'_>, temperature: f32) {
    let streamed = is_streamed(x.n_rows(), x.width());
    each_block(machine, out, |rows, out| {
        let x = x.slice(rows);
        if streamed {
            with_scratch(x.width(), |scratch| {
                softmax_block(machine.isa, x, out, 1.0 / temperature, Some(scratch))
            });
        } else {
            softmax_block(machine.isa, x, out, 1.0 / temperature, None);
        }
    });
}

pub(super) fn log_softmax(machine: Machine<'_>, x: Rows<'_>, out: RowsMut<'_>, temperature: f32) {
    let streamed = is_streamed(x.n_rows(), x.width());
    each_block(machine, out, |rows, out| {
        let x = x.slice(rows);
        let mut none = [];
        log_softmax_block(machine.isa, x, out, 1.0 / temperature, streamed.then_some(&mut none));
    });
}
