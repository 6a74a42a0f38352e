//! The second pass: the gradients of weights and tables, summed over all rows, a few outputs at a time.

use std::ops::Range;

use super::grads::{EncoderGrads, MaxoutGrads};
use super::trace::Trace;
use crate::aligned::Aligned;
use crate::encoder::embed::{TableUse, backprop_table};
use crate::gemm::maxout::RowStarts;
use crate::gemm::shape::MaxoutShape;
use crate::gemm::sparse::Winners;
use crate::gemm::sparse_weights::weight_gradient;
use crate::layers::rowwise::add_row;
use crate::simd::Simd;
use crate::threads::Threads;

/// Outputs whose weight gradients are one task.
const OUTPUTS_PER_TASK: usize = 16;

#[inline(always)]
fn sum_weights_body<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    input: RowStarts<'_>,
    rows: &[u32],
    shape: MaxoutShape,
    outputs: Range<usize>,
    d_weights: &mut [f32],
) {
    // The caller's array may begin anywhere, and each of its vectors is read and written for every block of rows.
    let mut sums = Aligned::zeros(d_weights.len());
    weight_gradient(simd, winners, input, rows, shape, outputs, &mut sums);
    add_row(simd, d_weights, &sums);
}

crate::dispatch! {
    fn sum_weights(
        winners: Winners<'_>,
        input: RowStarts<'_>,
        rows: &[u32],
        shape: MaxoutShape,
        outputs: Range<usize>,
        d_weights: &mut [f32],
    ) -> () = sum_weights_body;
}

/// What a task of the second pass sums.
enum Sum<'a> {
    Weights {
        winners: Winners<'a>,
        input: RowStarts<'a>,
        rows: &'a [u32],
        shape: MaxoutShape,
        outputs: Range<usize>,
        d_weights: &'a mut [f32],
    },
    Table {
        table: TableUse<'a>,
        width: usize,
        d_table: &'a mut [f32],
    },
}

impl Trace {
    /// Adds the gradients of weights, biases of which [`RowGrads`](super::grads::RowGrads) has, and tables.
    pub(super) fn sum_parameters(
        &self,
        threads: Threads<'_>,
        d_levels: &[Aligned],
        d_types: &[f32],
        d_embedded: &[f32],
        grads: &mut EncoderGrads<'_>,
    ) {
        let layout = &self.layout;
        let mix = self.kept[layout.depth].shape;
        let embed_width = mix.depth;
        let all_types: Vec<u32> = (0..self.mix.scales.len() as u32).collect();
        let type_starts: Vec<u32> = all_types.iter().map(|row| row * embed_width as u32).collect();
        let mut reads = vec![(Vec::new(), Vec::new()); layout.depth];
        for (level, (rows, starts)) in (1..).zip(&mut reads) {
            *rows = layout.read(level, 0..layout.n_docs());
            layout.starts(level, 0..layout.n_docs(), starts);
        }
        let mut tasks = Vec::new();
        for (level, grads) in grads.layers.iter_mut().enumerate() {
            let winners = Winners { d_best: &d_levels[level], which: &self.levels[level].which };
            let (rows, starts) = &reads[level];
            let input = RowStarts { numbers: &self.inputs[level], starts };
            push_weight_tasks(&mut tasks, winners, input, rows, self.kept[level].shape, grads);
        }
        let winners = Winners { d_best: d_types, which: &self.mix.which };
        let input = RowStarts { numbers: &self.embedded, starts: &type_starts };
        push_weight_tasks(&mut tasks, winners, input, &all_types, mix, &mut grads.mix);
        let mut column = 0;
        for (index, (table, d_table)) in self.tables.iter().zip(&mut grads.tables).enumerate() {
            let (hashed, n_tables) = (self.hashed.as_slice(), self.tables.len());
            let rows = TableUse { hashed, n_tables, table: index, column, stride: embed_width };
            tasks.push(Sum::Table { table: rows, width: table.width, d_table });
            column += table.width;
        }
        threads.each(tasks, |task| match task {
            Sum::Weights { winners, input, rows, shape, outputs, d_weights } => {
                sum_weights(self.isa, winners, input, rows, shape, outputs, d_weights);
            }
            Sum::Table { table, width, d_table } => {
                backprop_table(self.isa, table, width, d_embedded, &self.factors, d_table);
            }
        });
    }
}

fn push_weight_tasks<'a>(
    tasks: &mut Vec<Sum<'a>>,
    winners: Winners<'a>,
    input: RowStarts<'a>,
    rows: &'a [u32],
    shape: MaxoutShape,
    grads: &'a mut MaxoutGrads<'_>,
) {
    let weights = grads.weights.chunks_mut(OUTPUTS_PER_TASK * shape.pieces * shape.depth);
    for (index, d_weights) in weights.enumerate() {
        let first = index * OUTPUTS_PER_TASK;
        let outputs = first..shape.outputs.min(first + OUTPUTS_PER_TASK);
        tasks.push(Sum::Weights { winners, input, rows, shape, outputs, d_weights });
    }
}
