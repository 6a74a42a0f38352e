//! Softmax and log-softmax.

use super::batches::{self, Course, Task};
use super::blocks::{Machine, each_block, is_streamed, with_scratch};
use super::free::{self, FreeJob, Group};
use super::job::{ExpSum, RowJob, Stats};
use super::sweep::{Affine, Centred};
use super::view::{Rows, RowsMut};
use crate::simd::{Simd, math::Powers};

struct Normalize;

impl RowJob<1, 1> for Normalize {
    type Through = ExpSum;
    type Finish = Affine<1>;
    const KEEP: bool = true;
    const LOGITS: usize = 1;
    const LOGS: usize = 0;
    #[inline(always)]
    fn finish(
        &mut self,
        _: usize,
        _: [&[f32]; 1],
        stats: &Stats<1, 1>,
        _: &mut [&mut [f32]; 1],
    ) -> Affine<1> {
        Affine { scale: [1.0 / stats.sums[0]], shift: 0.0 }
    }
}

impl FreeJob<1, 1> for Normalize {
    const MADE_OF: [usize; 1] = [0];
    #[inline(always)]
    fn terms<S: Simd>(simd: S, powers: &Powers<S>, [x]: [S::F32; 1]) -> [S::F32; 1] {
        [powers.of(simd, x)]
    }
    #[inline(always)]
    fn scales<S: Simd>(&mut self, simd: S, group: &mut Group<S, 1>, _: &mut [f32]) -> [S::F32; 1] {
        [simd.div(simd.splat(1.0), group.sums[0])]
    }
}

struct LogNormalize {
    factor: f32,
}

impl RowJob<1, 1> for LogNormalize {
    type Through = ExpSum;
    type Finish = Centred;
    const KEEP: bool = false;
    const LOGITS: usize = 1;
    const LOGS: usize = 1;
    #[inline(always)]
    fn finish(&mut self, _: usize, _: [&[f32]; 1], stats: &Stats<1, 1>, _: &mut [&mut [f32]; 1]) -> Centred {
        Centred { centre: stats.maxima[0], scale: self.factor, shift: -stats.logs[0] }
    }
}

#[inline(always)]
fn softmax_body<S: Simd>(simd: S, course: Course, x: Rows<'_>, out: RowsMut<'_>, scratch: &mut [f32]) {
    free::run(simd, &mut Normalize, Task { course, rows: [x], out, scratch });
}

#[inline(always)]
fn log_softmax_body<S: Simd>(simd: S, course: Course, x: Rows<'_>, out: RowsMut<'_>) {
    let task = Task { course, rows: [x], out, scratch: &mut [] };
    batches::run(simd, &mut LogNormalize { factor: course.inverse }, task);
}

crate::dispatch! {
    fn softmax_block(course: Course, x: Rows<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> () = softmax_body;
}
crate::dispatch! {
    fn log_softmax_block(course: Course, x: Rows<'_>, out: RowsMut<'_>) -> () = log_softmax_body;
}

fn course_of(x: Rows<'_>, temperature: f32) -> Course {
    Course { first: 0, inverse: 1.0 / temperature, streamed: is_streamed(x.n_rows(), x.width(), 1) }
}

pub(super) fn softmax(machine: Machine<'_>, x: Rows<'_>, out: RowsMut<'_>, temperature: f32) {
    let course = course_of(x, temperature);
    each_block(machine, out, |rows, out| {
        with_scratch(free::scratch_for(1, 1, x.width()), |scratch| {
            softmax_block(machine.isa, course, x.slice(rows), out, scratch);
        });
    });
}

pub(super) fn log_softmax(machine: Machine<'_>, x: Rows<'_>, out: RowsMut<'_>, temperature: f32) {
    let course = course_of(x, temperature);
    each_block(machine, out, |rows, out| log_softmax_block(machine.isa, course, x.slice(rows), out));
}
