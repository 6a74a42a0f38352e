//! The encoder forward for training: keeps what the backward pass needs.

use super::prepare::{Prepared, Types, prepare};
use super::tokens::{Tokens, gather_tokens};
use super::trace::{LevelTrace, TableSize, Trace};
use crate::KernelError;
use crate::aligned::Aligned;
use crate::encoder::batch::{Batch, Group, Layout, cut};
use crate::encoder::embed::{column_factors, hash_types};
use crate::encoder::level::{Extras, PackedMaxout, Record, run_level};
use crate::encoder::params::EncoderParams;
use crate::gemm::maxout::RowStarts;
use crate::gemm::winograd::Blocks;
use crate::layers::dropout::Dropout;
use crate::simd::Isa;
use crate::threads::Threads;

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
    batch.check(params.n_columns())?;
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
