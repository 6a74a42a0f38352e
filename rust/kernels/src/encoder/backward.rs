//! The encoder's gradients.
//!
//! Two passes. The first goes down the levels, a group of documents at a time, and leaves the gradient of every maxout
//! output; the second sums the weights' gradients over all rows, a few outputs at a time. Each sum is made by one task
//! in row order, and tasks do not depend on the number of threads, so neither do the bits.

use std::ops::Range;

use super::batch::Group;
use super::embed::{TableUse, backprop_table};
use super::forward::TYPES_PER_TASK;
use super::params::{EncoderParams, MaxoutParams};
use super::train::{LevelTrace, Trace, cut, scatter_tokens};
use crate::KernelError;
use crate::gemm::maxout::RowStarts;
use crate::gemm::sparse::{MaxoutShape, Winners, input_gradient, weight_gradient};
use crate::layers::dropout::Dropout;
use crate::layers::layer_norm::backprop_row;
use crate::layers::rowwise::{add_row, multiply_row};
use crate::simd::Simd;
use crate::threads::Threads;

/// Where a maxout layer's gradients are added.
#[derive(Debug)]
pub struct MaxoutGrads<'a> {
    /// Like [`MaxoutParams::weights`].
    pub weights: &'a mut [f32],
    /// Like [`MaxoutParams::bias`].
    pub bias: &'a mut [f32],
    /// Like [`MaxoutParams::gain`].
    pub gain: &'a mut [f32],
    /// Like [`MaxoutParams::shift`].
    pub shift: &'a mut [f32],
}

/// Where the encoder's gradients are added.
#[derive(Debug)]
pub struct EncoderGrads<'a> {
    /// One slice a table.
    pub tables: Vec<&'a mut [f32]>,
    /// The mix layer's.
    pub mix: MaxoutGrads<'a>,
    /// The window layers', first to last.
    pub layers: Vec<MaxoutGrads<'a>>,
}

impl EncoderGrads<'_> {
    fn check(&self, params: &EncoderParams<'_>) -> Result<(), KernelError> {
        KernelError::expect_len("encoder: the tables' gradients", params.tables.len(), self.tables.len())?;
        for (table, grad) in params.tables.iter().zip(&self.tables) {
            KernelError::expect_len("encoder: a table's gradient", table.rows.len(), grad.len())?;
        }
        KernelError::expect_len("encoder: the layers' gradients", params.layers.len(), self.layers.len())?;
        let layers = params.layers.iter().zip(&self.layers);
        for (layer, grads) in layers.chain(std::iter::once((&params.mix, &self.mix))) {
            KernelError::expect_len("encoder: a weight gradient", layer.weights.len(), grads.weights.len())?;
            KernelError::expect_len("encoder: a bias gradient", layer.bias.len(), grads.bias.len())?;
            KernelError::expect_len("encoder: a gain gradient", layer.gain.len(), grads.gain.len())?;
            KernelError::expect_len("encoder: a shift gradient", layer.shift.len(), grads.shift.len())?;
        }
        Ok(())
    }
}

/// Outputs whose weight gradients are one task.
const OUTPUTS_PER_TASK: usize = 16;

/// A layer going backward over some rows.
struct Step<'a> {
    params: &'a MaxoutParams<'a>,
    shape: MaxoutShape,
    dropout: Option<Dropout>,
    first_row: u64,
    /// Where in a row's window the residual begins.
    residual: Option<usize>,
}

/// What the first pass reads of a level, for some rows.
#[derive(Clone, Copy)]
struct LevelRows<'a> {
    normalized: &'a [f32],
    scales: &'a [f32],
    which: &'a [u8],
}

/// Gradients of a layer norm's parameters over some rows.
struct NormGrads {
    gain: Vec<f32>,
    shift: Vec<f32>,
}

/// A pass over the rows of one level: `d` holds the gradient of the level's output and gets that of the maxout's;
/// `d_below` gets the gradient of what the level read.
#[inline(always)]
fn step_down_body<S: Simd>(
    simd: S,
    step: &Step<'_>,
    rows: LevelRows<'_>,
    starts: &[u32],
    d: &mut [f32],
    d_below: &mut [f32],
    grads: &mut NormGrads,
) {
    let width = step.shape.outputs;
    d_below.fill(0.0);
    let mut factors = vec![0.0; width];
    let each =
        d.chunks_exact_mut(width).zip(rows.normalized.chunks_exact(width)).zip(rows.scales).zip(starts);
    for (row, (((d, normalized), &scale), &start)) in each.enumerate() {
        if let Some(offset) = step.residual {
            d_below[start as usize + offset..][..width].copy_from_slice(d);
        }
        if let Some(dropout) = step.dropout {
            dropout.fill_row(step.first_row + row as u64, &mut factors);
            multiply_row(simd, d, &factors);
        }
        backprop_row(simd, d, normalized, scale, step.params.gain, &mut grads.gain, &mut grads.shift);
    }
    let winners = Winners { d_best: d, which: rows.which };
    input_gradient(simd, winners, step.params.weights, step.shape, starts, d_below);
}

crate::dispatch! {
    fn step_down(
        step: &Step<'_>,
        rows: LevelRows<'_>,
        starts: &[u32],
        d: &mut [f32],
        d_below: &mut [f32],
        grads: &mut NormGrads,
    ) -> () = step_down_body;
}

#[inline(always)]
fn sum_weights_body<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    input: RowStarts<'_>,
    shape: MaxoutShape,
    outputs: Range<usize>,
    d_weights: &mut [f32],
    d_bias: &mut [f32],
) {
    weight_gradient(simd, winners, input, shape, outputs, d_weights, d_bias);
}

crate::dispatch! {
    fn sum_weights(
        winners: Winners<'_>,
        input: RowStarts<'_>,
        shape: MaxoutShape,
        outputs: Range<usize>,
        d_weights: &mut [f32],
        d_bias: &mut [f32],
    ) -> () = sum_weights_body;
}

#[inline(always)]
fn add_body<S: Simd>(simd: S, to: &mut [f32], row: &[f32]) {
    add_row(simd, to, row);
}

crate::dispatch! {
    fn add(to: &mut [f32], row: &[f32]) -> () = add_body;
}

/// What a task of the second pass sums.
enum Sum<'a> {
    Weights {
        winners: Winners<'a>,
        input: RowStarts<'a>,
        shape: MaxoutShape,
        outputs: Range<usize>,
        d_weights: &'a mut [f32],
        d_bias: &'a mut [f32],
    },
    Table {
        table: TableUse<'a>,
        width: usize,
        d_table: &'a mut [f32],
    },
}

impl Trace {
    /// Adds the gradients of all parameters, given that of the tokens' rows (n_tokens × width).
    ///
    /// `params` must be those of the forward pass, unchanged.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if `d_out`, `params` or `grads` do not fit the forward pass. Nothing is added then.
    pub fn backprop(
        &self,
        threads: Threads<'_>,
        params: &EncoderParams<'_>,
        d_out: &[f32],
        grads: &mut EncoderGrads<'_>,
    ) -> Result<(), KernelError> {
        params.check()?;
        grads.check(params)?;
        let width = self.layout.width;
        KernelError::expect_len(
            "encoder: the gradient of the output",
            self.types.len() * width,
            d_out.len(),
        )?;
        KernelError::expect_len("encoder: the width", width, params.width())?;
        KernelError::expect_len("encoder: the window layers", self.layout.depth, params.layers.len())?;
        KernelError::expect_len("encoder: the window", self.layout.window, params.window)?;
        let n_types = self.mix.scales.len();
        KernelError::expect_len(
            "encoder: the embedded vectors",
            n_types * params.embed_width(),
            self.embedded.len(),
        )?;

        let mut d_levels: Vec<Vec<f32>> =
            (1..=self.layout.depth).map(|level| vec![0.0; self.layout.n_rows(level) * width]).collect();
        if let Some(top) = d_levels.last_mut() {
            top.copy_from_slice(d_out);
        }
        let mut d_tokens = vec![0.0; d_out.len()];
        self.down_levels(threads, params, &mut d_levels, &mut d_tokens, &mut grads.layers);

        let mut d_types = vec![0.0; n_types * width];
        scatter_tokens(self.isa, &self.types, &mut d_tokens, width, self.mix.dropout, &mut d_types);
        let mut d_embedded = vec![0.0; self.embedded.len()];
        self.down_mix(threads, params, &mut d_types, &mut d_embedded, &mut grads.mix);

        self.sum_parameters(threads, params, &d_levels, &d_types, &d_embedded, grads);
        Ok(())
    }

    fn down_levels(
        &self,
        threads: Threads<'_>,
        params: &EncoderParams<'_>,
        d_levels: &mut [Vec<f32>],
        d_tokens: &mut [f32],
        grads: &mut [MaxoutGrads<'_>],
    ) {
        let layout = &self.layout;
        let width = layout.width;
        let mut d_rows: Vec<_> = d_levels.iter_mut().map(Vec::as_mut_slice).collect();
        let mut d_tokens = d_tokens;
        let mut norm_grads: Vec<Vec<NormGrads>> = layout
            .groups
            .iter()
            .map(|_| (0..layout.depth).map(|_| NormGrads::new(width)).collect())
            .collect();
        let mut first_rows = vec![0; layout.depth];
        let mut tasks = Vec::with_capacity(layout.groups.len());
        for (group, norm_grads) in layout.groups.iter().zip(&mut norm_grads) {
            let rows: Vec<_> = (1..)
                .zip(&mut d_rows)
                .map(|(level, rows)| cut(rows, layout.group_rows(level, group) * width))
                .collect();
            tasks.push((
                group,
                rows,
                cut(&mut d_tokens, group.tokens.len() * width),
                norm_grads,
                first_rows.clone(),
            ));
            for (level, first) in (1..).zip(&mut first_rows) {
                *first += layout.group_rows(level, group);
            }
        }
        threads.each(tasks, |(group, d_rows, d_tokens, norm_grads, first_rows)| {
            self.down_group(params, group, d_rows, d_tokens, norm_grads, &first_rows);
        });
        for group in &norm_grads {
            for (grads, sums) in grads.iter_mut().zip(group) {
                add(self.isa, grads.gain, &sums.gain);
                add(self.isa, grads.shift, &sums.shift);
            }
        }
    }

    fn down_group(
        &self,
        params: &EncoderParams<'_>,
        group: &Group,
        mut d_rows: Vec<&mut [f32]>,
        d_tokens: &mut [f32],
        norm_grads: &mut [NormGrads],
        first_rows: &[usize],
    ) {
        let layout = &self.layout;
        let width = layout.width;
        let mut starts = Vec::new();
        let mut bottom = vec![0.0; layout.group_rows(0, group) * width];
        for level in (1..=layout.depth).rev() {
            let layer = &params.layers[level - 1];
            let first = first_rows[level - 1];
            layout.starts(level, group.docs.clone(), &mut starts);
            let step = Step {
                params: layer,
                shape: layer.shape(),
                dropout: self.levels[level - 1].dropout,
                first_row: first as u64,
                residual: Some(layout.window * width),
            };
            let rows = self.levels[level - 1].rows(width, first..first + starts.len());
            let (below, above) = d_rows.split_at_mut(level - 1);
            let d_below = below.last_mut().map_or(&mut *bottom, |rows| &mut **rows);
            step_down(self.isa, &step, rows, &starts, &mut *above[0], d_below, &mut norm_grads[level - 1]);
        }
        for (row, d_token) in layout.token_rows(0, group.docs.clone()).zip(d_tokens.chunks_exact_mut(width)) {
            d_token.copy_from_slice(&bottom[row * width..][..width]);
        }
    }

    fn down_mix(
        &self,
        threads: Threads<'_>,
        params: &EncoderParams<'_>,
        d_types: &mut [f32],
        d_embedded: &mut [f32],
        grads: &mut MaxoutGrads<'_>,
    ) {
        let shape = params.mix.shape();
        let starts: Vec<u32> = (0..TYPES_PER_TASK).map(|row| (row * shape.depth) as u32).collect();
        let mut norm_grads: Vec<_> =
            d_types.chunks(TYPES_PER_TASK * shape.outputs).map(|_| NormGrads::new(shape.outputs)).collect();
        let tasks: Vec<_> = (d_types.chunks_mut(TYPES_PER_TASK * shape.outputs))
            .zip(d_embedded.chunks_mut(TYPES_PER_TASK * shape.depth))
            .zip(&mut norm_grads)
            .enumerate()
            .collect();
        threads.each(tasks, |(index, ((d, d_below), norm_grads))| {
            let first = index * TYPES_PER_TASK;
            let n_rows = d.len() / shape.outputs;
            let step = Step { params: &params.mix, shape, dropout: None, first_row: 0, residual: None };
            let rows = self.mix.rows(shape.outputs, first..first + n_rows);
            step_down(self.isa, &step, rows, &starts[..n_rows], d, d_below, norm_grads);
        });
        for sums in &norm_grads {
            add(self.isa, grads.gain, &sums.gain);
            add(self.isa, grads.shift, &sums.shift);
        }
    }

    fn sum_parameters(
        &self,
        threads: Threads<'_>,
        params: &EncoderParams<'_>,
        d_levels: &[Vec<f32>],
        d_types: &[f32],
        d_embedded: &[f32],
        grads: &mut EncoderGrads<'_>,
    ) {
        let layout = &self.layout;
        let embed_width = params.embed_width();
        let type_starts: Vec<u32> =
            (0..self.mix.scales.len()).map(|row| (row * embed_width) as u32).collect();
        let mut starts = vec![Vec::new(); layout.depth];
        for (level, starts) in (1..).zip(&mut starts) {
            layout.starts(level, 0..layout.n_docs(), starts);
        }
        let mut tasks = Vec::new();
        for (level, grads) in grads.layers.iter_mut().enumerate() {
            let winners = Winners { d_best: &d_levels[level], which: &self.levels[level].which };
            let input = RowStarts { numbers: &self.inputs[level], starts: &starts[level] };
            push_weight_tasks(&mut tasks, winners, input, params.layers[level].shape(), grads);
        }
        let winners = Winners { d_best: d_types, which: &self.mix.which };
        let input = RowStarts { numbers: &self.embedded, starts: &type_starts };
        push_weight_tasks(&mut tasks, winners, input, params.mix.shape(), &mut grads.mix);
        let mut column = 0;
        for (index, (table, d_table)) in params.tables.iter().zip(&mut grads.tables).enumerate() {
            let (hashed, n_tables) = (self.hashed.as_slice(), params.tables.len());
            let rows = TableUse { hashed, n_tables, table: index, column, stride: embed_width };
            tasks.push(Sum::Table { table: rows, width: table.width, d_table });
            column += table.width;
        }
        threads.each(tasks, |task| match task {
            Sum::Weights { winners, input, shape, outputs, d_weights, d_bias } => {
                sum_weights(self.isa, winners, input, shape, outputs, d_weights, d_bias);
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
    shape: MaxoutShape,
    grads: &'a mut MaxoutGrads<'_>,
) {
    let biases = grads.bias.chunks_mut(OUTPUTS_PER_TASK * shape.pieces);
    let weights = grads.weights.chunks_mut(OUTPUTS_PER_TASK * shape.pieces * shape.depth);
    for (index, (d_weights, d_bias)) in weights.zip(biases).enumerate() {
        let first = index * OUTPUTS_PER_TASK;
        let outputs = first..first + d_bias.len() / shape.pieces;
        tasks.push(Sum::Weights { winners, input, shape, outputs, d_weights, d_bias });
    }
}

impl LevelTrace {
    fn rows(&self, width: usize, rows: Range<usize>) -> LevelRows<'_> {
        LevelRows {
            normalized: &self.normalized[rows.start * width..rows.end * width],
            scales: &self.scales[rows.clone()],
            which: &self.which[rows.start * width..rows.end * width],
        }
    }
}

impl NormGrads {
    fn new(width: usize) -> NormGrads {
        NormGrads { gain: vec![0.0; width], shift: vec![0.0; width] }
    }
}
