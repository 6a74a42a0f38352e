//! The whole encoder forward: once for a prediction, or with what the backward pass needs.

use super::batch::{Batch, Group, Layout};
use super::embed::{embed_types, hash_types};
use super::level::{Extras, PackedMaxout, Record, run_level};
use super::params::EmbedTable;
use crate::gemm::maxout::RowStarts;
use crate::simd::Isa;
use crate::threads::Threads;

/// Word types that are embedded together.
pub(crate) const TYPES_PER_TASK: usize = 128;

/// Embeds and mixes word types: rows × width.
pub(crate) fn mix_types(
    isa: Isa,
    threads: Threads<'_>,
    tables: &[EmbedTable<'_>],
    mix: &PackedMaxout,
    batch: &Batch<'_>,
) -> Vec<f32> {
    let width = mix.panels.columns();
    let depth = mix.panels.depth();
    let hashed = hash_types(tables, batch.features, batch.n_columns);
    let mut vectors = vec![0.0; batch.n_types() * width];
    let tasks: Vec<_> = hashed
        .chunks(TYPES_PER_TASK * tables.len())
        .zip(vectors.chunks_mut(TYPES_PER_TASK * width))
        .collect();
    threads.each(tasks, |(hashed, out)| {
        let n_types = out.len() / width;
        let mut embedded = vec![0.0; n_types * depth];
        embed_types(isa, tables, hashed, &[], &mut embedded);
        let starts: Vec<u32> = (0..n_types).map(|row| (row * depth) as u32).collect();
        let rows = RowStarts { numbers: &embedded, starts: &starts };
        let record =
            Record { normalized: &mut vec![0.0; out.len()], scales: &mut vec![0.0; n_types], which: &mut [] };
        run_level(isa, rows, mix, Extras::default(), record, out);
    });
    vectors
}

/// Buffers for one group, used for level after level.
#[derive(Default)]
struct Scratch {
    below: Vec<f32>,
    above: Vec<f32>,
    normalized: Vec<f32>,
    scales: Vec<f32>,
    starts: Vec<u32>,
}

/// Runs the window layers over a group, given the vectors of the word types; `out` gets the tokens' rows.
pub(crate) fn encode_group(
    isa: Isa,
    layers: &[PackedMaxout],
    layout: &Layout,
    group: &Group,
    types: &[u32],
    vectors: &[f32],
    out: &mut [f32],
) {
    let width = layout.width;
    let mut scratch = Scratch::default();
    scratch.below.resize(layout.group_rows(0, group) * width, 0.0);
    for (row, &index) in layout.token_rows(0, group.docs.clone()).zip(&types[group.tokens.clone()]) {
        scratch.below[row * width..][..width].copy_from_slice(&vectors[index as usize * width..][..width]);
    }
    for (level, layer) in (1..).zip(layers) {
        let n_rows = layout.group_rows(level, group);
        layout.starts(level, group.docs.clone(), &mut scratch.starts);
        scratch.normalized.resize(n_rows * width, 0.0);
        scratch.scales.resize(n_rows, 0.0);
        scratch.above.resize(n_rows * width, 0.0);
        let record =
            Record { normalized: &mut scratch.normalized, scales: &mut scratch.scales, which: &mut [] };
        let rows = RowStarts { numbers: &scratch.below, starts: &scratch.starts };
        let extras = Extras { residual: Some(layout.window * width), ..Extras::default() };
        let above = if level == layers.len() { &mut *out } else { &mut scratch.above };
        run_level(isa, rows, layer, extras, record, above);
        std::mem::swap(&mut scratch.below, &mut scratch.above);
    }
}
