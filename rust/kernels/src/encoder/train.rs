//! The encoder forward for training: keeps what the backward pass needs.

use super::batch::{Batch, Group, Layout};
use super::embed::{column_factors, hash_types};
use super::level::{Extras, PackedMaxout, Record, run_level};
use super::params::{EncoderParams, MaxoutParams};
use super::plan::check_columns;
use super::prepare::{Prepared, Types, prepare};
use crate::KernelError;
use crate::aligned::Aligned;
use crate::gemm::maxout::RowStarts;
use crate::gemm::sparse::MaxoutShape;
use crate::gemm::sparse_input::Strips;
use crate::gemm::winograd::Blocks;
use crate::layers::dropout::Dropout;
use crate::layers::rowwise::{add_row, multiply_row};
use crate::simd::{Isa, Simd};
use crate::threads::Threads;

/// Word types that one task embeds and mixes, or goes back through the mix with.
pub(crate) const TYPES_AT_A_TIME: usize = 32;

/// The share of numbers that each part drops.
#[derive(Clone, Debug, Default)]
pub struct DropRates {
    /// For each table, one mask for the whole batch.
    pub tables: Vec<f32>,
    /// After the mix, for each token.
    pub mix: f32,
    /// After each window layer, before its residual.
    pub layers: Vec<f32>,
}

/// The activations of a level, as owned rows.
#[derive(Debug)]
pub(crate) struct LevelTrace {
    pub normalized: Aligned,
    pub scales: Vec<f32>,
    pub which: Vec<u8>,
    pub dropout: Option<Dropout>,
}

/// What [`Trace::backprop`](super::Trace::backprop) needs of a forward pass.
#[derive(Debug)]
pub struct Trace {
    pub(crate) isa: Isa,
    pub(crate) layout: Layout,
    pub(crate) types: Vec<u32>,
    /// For each type, for each table, four rows.
    pub(crate) hashed: Vec<[u32; 4]>,
    /// By which the columns of the embedded vectors were multiplied; empty without dropout.
    pub(crate) factors: Vec<f32>,
    /// n_types × the width of all tables.
    pub(crate) embedded: Aligned,
    pub(crate) mix: LevelTrace,
    /// The rows that each window layer reads: level 0 up to the last but one.
    pub(crate) inputs: Vec<Aligned>,
    pub(crate) levels: Vec<LevelTrace>,
    pub(crate) tables: Vec<TableSize>,
    /// The window layers, first to last, and the mix layer.
    pub(crate) kept: Vec<KeptMaxout>,
}

/// The sizes of an embedding table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableSize {
    pub n_numbers: usize,
    pub width: usize,
}

/// What the backward pass needs of a maxout layer's parameters.
#[derive(Debug)]
pub(crate) struct KeptMaxout {
    pub weights: Strips,
    pub gain: Vec<f32>,
    pub shape: MaxoutShape,
}

impl KeptMaxout {
    pub fn new(params: &MaxoutParams<'_>) -> KeptMaxout {
        let weights = Strips::new(params.weights, params.shape());
        KeptMaxout { weights, gain: params.gain.to_vec(), shape: params.shape() }
    }
}

impl LevelTrace {
    fn new(n_rows: usize, width: usize, dropout: Option<Dropout>) -> LevelTrace {
        LevelTrace {
            normalized: Aligned::any(n_rows * width),
            scales: vec![0.0; n_rows],
            which: vec![0; n_rows * width],
            dropout,
        }
    }

    /// Cuts the rows into records of so many rows each.
    pub fn records(&mut self, width: usize, rows: impl Iterator<Item = usize>) -> Vec<Record<'_>> {
        let mut normalized = &mut *self.normalized;
        let mut scales = self.scales.as_mut_slice();
        let mut which = self.which.as_mut_slice();
        rows.map(|n| Record {
            normalized: cut(&mut normalized, n * width),
            scales: cut(&mut scales, n),
            which: cut(&mut which, n * width),
        })
        .collect()
    }
}

/// Takes the first `n` elements off a slice.
pub(crate) fn cut<'a, T>(slice: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (head, tail) = std::mem::take(slice).split_at_mut(n);
    *slice = tail;
    head
}

/// Runs the encoder with dropout. Gives the tokens' rows (n_tokens × width) and what the backward pass needs.
///
/// Masks are functions of `seed` and of the row alone, so the result does not depend on threads.
///
/// # Errors
/// [`KernelError`] if parameters, rates and batch do not fit together.
pub fn begin_update(
    isa: Isa,
    threads: Threads<'_>,
    params: &EncoderParams<'_>,
    batch: &Batch<'_>,
    rates: &DropRates,
    seed: u64,
) -> Result<(Vec<f32>, Trace), KernelError> {
    params.check()?;
    batch.check()?;
    check_columns(params.tables.iter().map(|table| table.column + 1).max().unwrap_or(0), batch)?;
    KernelError::expect_len("encoder: the tables' dropout rates", params.tables.len(), rates.tables.len())?;
    KernelError::expect_len("encoder: the layers' dropout rates", params.layers.len(), rates.layers.len())?;
    let width = params.width();
    let layout = Layout::new(batch.lengths, width, params.layers.len(), (params.window, params.beyond))?;
    let hashed = hash_types(&params.tables, batch.features, batch.n_columns);
    let factors = column_factors(&params.tables, &rates.tables, seed);
    let mut embedded = Aligned::any(batch.n_types() * params.embed_width());
    let mut mix = LevelTrace::new(batch.n_types(), width, Dropout::new(rates.mix, seed, 0));
    let types = Types { hashed: &hashed, factors: &factors };
    let Prepared { layers, kept, vectors } = prepare(isa, threads, params, &types, &mut embedded, &mut mix);
    let mut trace = Trace {
        isa,
        types: batch.types.to_vec(),
        hashed,
        factors,
        embedded,
        mix,
        inputs: (0..layout.depth).map(|level| Aligned::any(layout.n_rows(level) * width)).collect(),
        levels: (1..=layout.depth)
            .map(|level| {
                let dropout = Dropout::new(rates.layers[level - 1], seed, level as u64);
                LevelTrace::new(layout.n_rows(level), width, dropout)
            })
            .collect(),
        tables: params
            .tables
            .iter()
            .map(|table| TableSize { n_numbers: table.rows.len(), width: table.width })
            .collect(),
        kept,
        layout,
    };
    let mut out = vec![0.0; batch.types.len() * width];
    trace.encode(threads, &layers, &vectors, &mut out);
    Ok((out, trace))
}

/// A group of documents on its way through one level.
struct LevelTask<'a> {
    group: &'a Group,
    below: &'a mut [f32],
    above: &'a mut [f32],
    record: Record<'a>,
    /// The number of its first row in the level.
    first_row: usize,
}

impl Trace {
    /// Level after level, so that its weights stay in the second cache for all groups.
    fn encode(&mut self, threads: Threads<'_>, layers: &[PackedMaxout], vectors: &[f32], out: &mut [f32]) {
        let Trace { isa, layout, types, mix, inputs, levels, .. } = self;
        let (layout, width) = (&*layout, layout.width);
        for (index, (layer, trace)) in layers.iter().zip(levels).enumerate() {
            let level = index + 1;
            let (inputs, outputs) = inputs.split_at_mut(level);
            let mut below = &mut *inputs[index];
            let mut above = outputs.first_mut().map_or(&mut *out, |rows| &mut **rows);
            let dropout = trace.dropout;
            let records =
                trace.records(width, layout.groups.iter().map(|group| layout.group_rows(level, group)));
            let mut first_row = 0;
            let mut tasks = Vec::with_capacity(layout.groups.len());
            for (group, record) in layout.groups.iter().zip(records) {
                let n_rows = layout.group_rows(level, group);
                let below = cut(&mut below, layout.group_rows(level - 1, group) * width);
                let above = cut(&mut above, n_rows * width);
                tasks.push(LevelTask { group, below, above, record, first_row });
                first_row += n_rows;
            }
            threads.each(tasks, |LevelTask { group, below, above, record, first_row }| {
                if level == 1 {
                    let rows: Vec<_> = layout.token_rows(0, group.docs.clone()).collect();
                    let tokens = Tokens {
                        types: &types[group.tokens.clone()],
                        first: group.tokens.start,
                        rows: &rows,
                    };
                    // Its rows beside documents are nobody's output.
                    below.fill(0.0);
                    gather_tokens(*isa, tokens, vectors, width, mix.dropout, below);
                }
                let (mut starts, mut blocks) = (Vec::new(), Blocks::default());
                layout.starts(level, group.docs.clone(), &mut starts);
                layout.blocks(level, group.docs.clone(), &mut blocks);
                let extras = Extras {
                    calculated: &layout.calculated(level, group.docs.clone()),
                    blank: &layout.blank(level, group.docs.clone()),
                    residual: Some(layout.window * width),
                    dropout,
                    first_row: first_row as u64,
                };
                let input = RowStarts { numbers: below, starts: &starts };
                run_level(*isa, input, &blocks, layer, extras, record, above);
            });
        }
    }
}

/// Consecutive tokens, with the row that each has in the group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    pub types: &'a [u32],
    pub first: usize,
    pub rows: &'a [usize],
}

#[inline(always)]
fn gather_tokens_body<S: Simd>(
    simd: S,
    tokens: Tokens<'_>,
    vectors: &[f32],
    width: usize,
    dropout: Option<Dropout>,
    out: &mut [f32],
) {
    let mut factors = vec![0.0; width];
    for (token, (&index, &row)) in tokens.types.iter().zip(tokens.rows).enumerate() {
        let out = &mut out[row * width..][..width];
        out.copy_from_slice(&vectors[index as usize * width..][..width]);
        if let Some(dropout) = dropout {
            dropout.fill_row((tokens.first + token) as u64, &mut factors);
            multiply_row(simd, out, &factors);
        }
    }
}

crate::dispatch! {
    /// Copies each token's type vector to its row, with the token's dropout.
    fn gather_tokens(
        tokens: Tokens<'_>,
        vectors: &[f32],
        width: usize,
        dropout: Option<Dropout>,
        out: &mut [f32],
    ) -> () = gather_tokens_body;
}

#[inline(always)]
fn mask_tokens_body<S: Simd>(
    simd: S,
    tokens: Tokens<'_>,
    d_rows: &[f32],
    width: usize,
    dropout: Option<Dropout>,
    d_tokens: &mut [f32],
) {
    let mut factors = vec![0.0; width];
    for (token, (&row, d)) in tokens.rows.iter().zip(d_tokens.chunks_exact_mut(width)).enumerate() {
        d.copy_from_slice(&d_rows[row * width..][..width]);
        if let Some(dropout) = dropout {
            dropout.fill_row((tokens.first + token) as u64, &mut factors);
            multiply_row(simd, d, &factors);
        }
    }
}

crate::dispatch! {
    /// The way back of [`gather_tokens`]: each token's gradient from its row, with the token's dropout.
    pub(crate) fn mask_tokens(
        tokens: Tokens<'_>,
        d_rows: &[f32],
        width: usize,
        dropout: Option<Dropout>,
        d_tokens: &mut [f32],
    ) -> () = mask_tokens_body;
}

#[inline(always)]
fn scatter_tokens_body<S: Simd>(
    simd: S,
    types: &[u32],
    d_tokens: &[f32],
    width: usize,
    d_vectors: &mut [f32],
) {
    for (&index, d) in types.iter().zip(d_tokens.chunks_exact(width)) {
        add_row(simd, &mut d_vectors[index as usize * width..][..width], d);
    }
}

crate::dispatch! {
    /// Adds each token's gradient to that of its type, token by token.
    pub(crate) fn scatter_tokens(types: &[u32], d_tokens: &[f32], width: usize, d_vectors: &mut [f32]) -> () =
        scatter_tokens_body;
}
