//! The encoder's gradients.
//!
//! Two passes. The first goes down the levels, a group of documents at a time, and leaves the gradient of every maxout
//! output; the second sums the weights' gradients over all rows, a few outputs at a time. Each sum is made by one task
//! in row order, and tasks do not depend on the number of threads, so neither do the bits.

use std::ops::Range;
use std::slice::from_ref;

use super::batch::Group;
use super::embed::{TableUse, backprop_table};
use super::train::{
    KeptMaxout, LevelTrace, TYPES_AT_A_TIME, Tokens, Trace, cut, mask_tokens, scatter_tokens,
};
use crate::KernelError;
use crate::aligned::Aligned;
use crate::gemm::maxout::RowStarts;
use crate::gemm::sparse::{MaxoutShape, Winners, bias_gradient};
use crate::gemm::sparse_input::input_gradient;
use crate::gemm::sparse_weights::weight_gradient;
use crate::layers::dropout::Dropout;
use crate::layers::layer_norm::backprop_row;
use crate::layers::rowwise::{add_row, multiply_row};
use crate::simd::Simd;
use crate::threads::Threads;

/// Where a maxout layer's gradients are added.
#[derive(Debug)]
pub struct MaxoutGrads<'a> {
    /// Like [`MaxoutParams::weights`](super::MaxoutParams::weights).
    pub weights: &'a mut [f32],
    /// Like [`MaxoutParams::bias`](super::MaxoutParams::bias).
    pub bias: &'a mut [f32],
    /// Like [`MaxoutParams::gain`](super::MaxoutParams::gain).
    pub gain: &'a mut [f32],
    /// Like [`MaxoutParams::shift`](super::MaxoutParams::shift).
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
    fn check(&self, trace: &Trace) -> Result<(), KernelError> {
        KernelError::expect_len("encoder: the tables' gradients", trace.tables.len(), self.tables.len())?;
        for (table, grad) in trace.tables.iter().zip(&self.tables) {
            KernelError::expect_len("encoder: a table's gradient", table.n_numbers, grad.len())?;
        }
        KernelError::expect_len("encoder: the layers' gradients", trace.layout.depth, self.layers.len())?;
        for (kept, grads) in trace.kept.iter().zip(self.layers.iter().chain([&self.mix])) {
            let MaxoutShape { outputs, pieces, .. } = kept.shape;
            KernelError::expect_len("encoder: a weight gradient", kept.weights.len(), grads.weights.len())?;
            KernelError::expect_len("encoder: a bias gradient", outputs * pieces, grads.bias.len())?;
            KernelError::expect_len("encoder: a gain gradient", outputs, grads.gain.len())?;
            KernelError::expect_len("encoder: a shift gradient", outputs, grads.shift.len())?;
        }
        Ok(())
    }
}

/// Outputs whose weight gradients are one task.
const OUTPUTS_PER_TASK: usize = 16;

/// A layer going backward over some rows.
struct Step<'a> {
    kept: &'a KeptMaxout,
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

/// Gradients of a layer's small parameters over some rows.
struct RowGrads {
    gain: Vec<f32>,
    shift: Vec<f32>,
    /// pieces × outputs, unlike the parameter
    bias: Vec<f32>,
}

/// Which rows of a level were calculated and which of these have a gradient to pass on, and where each of all its rows
/// begins in what it read.
#[derive(Clone, Copy)]
struct Reads<'a> {
    calculated: &'a [Range<usize>],
    rows: &'a [u32],
    starts: &'a [u32],
}

/// A pass over the rows of one level: `d` holds the gradient of the level's output and gets that of the maxout's;
/// `d_below` gets the gradient of what the level read.
#[inline(always)]
fn step_down_body<S: Simd>(
    simd: S,
    step: &Step<'_>,
    rows: LevelRows<'_>,
    reads: Reads<'_>,
    d: &mut [f32],
    d_below: &mut [f32],
    grads: &mut RowGrads,
) {
    let width = step.kept.shape.outputs;
    let mut n_filled = 0;
    let mut factors = vec![0.0; width];
    for row in reads.calculated.iter().cloned().flatten() {
        let numbers = row * width..(row + 1) * width;
        let (d, normalized, which) =
            (&mut d[numbers.clone()], &rows.normalized[numbers.clone()], &rows.which[numbers]);
        if let Some(offset) = step.residual {
            let to = reads.starts[row] as usize + offset;
            d_below[n_filled..to].fill(0.0);
            d_below[to..to + width].copy_from_slice(d);
            n_filled = to + width;
        }
        if let Some(dropout) = step.dropout {
            dropout.fill_row(step.first_row + row as u64, &mut factors);
            multiply_row(simd, d, &factors);
        }
        backprop_row(
            simd,
            d,
            normalized,
            rows.scales[row],
            &step.kept.gain,
            &mut grads.gain,
            &mut grads.shift,
        );
        bias_gradient(d, which, &mut grads.bias);
    }
    d_below[n_filled..].fill(0.0);
    let winners = Winners { d_best: d, which: rows.which };
    input_gradient(simd, winners, &step.kept.weights, reads.rows, reads.starts, d_below);
}

crate::dispatch! {
    fn step_down(
        step: &Step<'_>,
        rows: LevelRows<'_>,
        reads: Reads<'_>,
        d: &mut [f32],
        d_below: &mut [f32],
        grads: &mut RowGrads,
    ) -> () = step_down_body;
}

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
    /// Adds the gradients of all parameters, given that of the tokens' rows (n_tokens × width).
    ///
    /// The weights are those of the forward pass, whatever has become of them since.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if `d_out` or `grads` do not fit the forward pass. Nothing is added then.
    pub fn backprop(
        &self,
        threads: Threads<'_>,
        d_out: &[f32],
        grads: &mut EncoderGrads<'_>,
    ) -> Result<(), KernelError> {
        grads.check(self)?;
        let width = self.layout.width;
        KernelError::expect_len(
            "encoder: the gradient of the output",
            self.types.len() * width,
            d_out.len(),
        )?;
        let n_types = self.mix.scales.len();
        let mut d_levels: Vec<Aligned> =
            (1..=self.layout.depth).map(|level| Aligned::any(self.layout.n_rows(level) * width)).collect();
        let mut d_tokens = Aligned::any(d_out.len());
        self.down_levels(threads, d_out, &mut d_levels, &mut d_tokens, &mut grads.layers);

        let mut d_types = Aligned::zeros(n_types * width);
        scatter_tokens(self.isa, &self.types, &d_tokens, width, &mut d_types);
        let mut d_embedded = Aligned::any(self.embedded.len());
        self.down_mix(threads, &mut d_types, &mut d_embedded, &mut grads.mix);

        self.sum_parameters(threads, &d_levels, &d_types, &d_embedded, grads);
        Ok(())
    }

    /// Level after level, so that its weights stay in the second cache for all groups.
    fn down_levels(
        &self,
        threads: Threads<'_>,
        d_out: &[f32],
        d_levels: &mut [Aligned],
        d_tokens: &mut [f32],
        grads: &mut [MaxoutGrads<'_>],
    ) {
        let layout = &self.layout;
        let width = layout.width;
        let mut bottom = Aligned::any(layout.n_rows(0) * width);
        for (index, grads) in grads.iter_mut().enumerate().rev() {
            let level = index + 1;
            let (below, above) = d_levels.split_at_mut(index);
            let mut d_below = below.last_mut().map_or(&mut *bottom, |rows| &mut **rows);
            let mut d = &mut *above[0];
            let mut d_tokens = &mut *d_tokens;
            let mut row_grads: Vec<_> =
                layout.groups.iter().map(|_| RowGrads::new(self.kept[index].shape)).collect();
            let mut first_row = 0;
            let mut tasks = Vec::with_capacity(layout.groups.len());
            for (group, row_grads) in layout.groups.iter().zip(&mut row_grads) {
                let n_rows = layout.group_rows(level, group);
                let d = cut(&mut d, n_rows * width);
                let d_below = cut(&mut d_below, layout.group_rows(level - 1, group) * width);
                let d_tokens = (level == 1).then(|| cut(&mut d_tokens, group.tokens.len() * width));
                tasks.push((group, first_row, d, d_below, d_tokens, row_grads));
                first_row += n_rows;
            }
            threads.each(tasks, |(group, first_row, d, d_below, d_tokens, row_grads)| {
                if level == layout.depth {
                    d.copy_from_slice(&d_out[group.tokens.start * width..group.tokens.end * width]);
                }
                self.down_group(level, group, first_row, d, d_below, row_grads);
                if let Some(d_tokens) = d_tokens {
                    let rows: Vec<_> = layout.token_rows(0, group.docs.clone()).collect();
                    let types = &self.types[group.tokens.clone()];
                    let tokens = Tokens { types, first: group.tokens.start, rows: &rows };
                    mask_tokens(self.isa, tokens, d_below, width, self.mix.dropout, d_tokens);
                }
            });
            for sums in &row_grads {
                sums.add_to(grads);
            }
        }
    }

    /// A group's gradient of what a level read, from that of the level's output.
    fn down_group(
        &self,
        level: usize,
        group: &Group,
        first_row: usize,
        d: &mut [f32],
        d_below: &mut [f32],
        row_grads: &mut RowGrads,
    ) {
        let layout = &self.layout;
        let mut starts = Vec::new();
        layout.starts(level, group.docs.clone(), &mut starts);
        let step = Step {
            kept: &self.kept[level - 1],
            dropout: self.levels[level - 1].dropout,
            first_row: first_row as u64,
            residual: Some(layout.window * layout.width),
        };
        let rows = self.levels[level - 1].rows(layout.width, first_row..first_row + starts.len());
        let reads = Reads {
            calculated: &layout.calculated(level, group.docs.clone()),
            rows: &layout.read(level, group.docs.clone()),
            starts: &starts,
        };
        step_down(self.isa, &step, rows, reads, d, d_below, row_grads);
    }

    fn down_mix(
        &self,
        threads: Threads<'_>,
        d_types: &mut [f32],
        d_embedded: &mut [f32],
        grads: &mut MaxoutGrads<'_>,
    ) {
        let mix = &self.kept[self.layout.depth];
        let shape = mix.shape;
        let all_rows: Vec<u32> = (0..TYPES_AT_A_TIME as u32).collect();
        let starts: Vec<u32> = all_rows.iter().map(|row| row * shape.depth as u32).collect();
        let mut row_grads: Vec<_> =
            d_types.chunks(TYPES_AT_A_TIME * shape.outputs).map(|_| RowGrads::new(shape)).collect();
        let tasks: Vec<_> = (d_types.chunks_mut(TYPES_AT_A_TIME * shape.outputs))
            .zip(d_embedded.chunks_mut(TYPES_AT_A_TIME * shape.depth))
            .zip(&mut row_grads)
            .enumerate()
            .collect();
        threads.each(tasks, |(index, ((d, d_below), row_grads))| {
            let first = index * TYPES_AT_A_TIME;
            let n_rows = d.len() / shape.outputs;
            let step = Step { kept: mix, dropout: None, first_row: 0, residual: None };
            let rows = self.mix.rows(shape.outputs, first..first + n_rows);
            let all = 0..n_rows;
            let reads =
                Reads { calculated: from_ref(&all), rows: &all_rows[..n_rows], starts: &starts[..n_rows] };
            step_down(self.isa, &step, rows, reads, d, d_below, row_grads);
        });
        for sums in &row_grads {
            sums.add_to(grads);
        }
    }

    fn sum_parameters(
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

impl LevelTrace {
    fn rows(&self, width: usize, rows: Range<usize>) -> LevelRows<'_> {
        LevelRows {
            normalized: &self.normalized[rows.start * width..rows.end * width],
            scales: &self.scales[rows.clone()],
            which: &self.which[rows.start * width..rows.end * width],
        }
    }
}

impl RowGrads {
    fn new(shape: MaxoutShape) -> RowGrads {
        let MaxoutShape { outputs, pieces, .. } = shape;
        RowGrads { gain: vec![0.0; outputs], shift: vec![0.0; outputs], bias: vec![0.0; outputs * pieces] }
    }

    fn add_to(&self, grads: &mut MaxoutGrads<'_>) {
        let outputs = self.gain.len();
        add(grads.gain.iter_mut(), &self.gain);
        add(grads.shift.iter_mut(), &self.shift);
        for (piece, sums) in self.bias.chunks_exact(outputs).enumerate() {
            add(grads.bias.iter_mut().skip(piece).step_by(self.bias.len() / outputs), sums);
        }
    }
}

fn add<'a>(to: impl Iterator<Item = &'a mut f32>, sums: &[f32]) {
    for (to, sum) in to.zip(sums) {
        *to += sum;
    }
}
