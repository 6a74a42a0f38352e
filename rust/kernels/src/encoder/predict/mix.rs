//! Word types to mixed vectors, when predicting.

use std::slice::from_ref;

use crate::encoder::embed::{embed_types, hash_types};
use crate::encoder::level::{Extras, PackedMaxout, Record, run_level};
use crate::encoder::params::EmbedTable;
use crate::gemm::maxout::RowStarts;
use crate::gemm::winograd::Blocks;
use crate::simd::Isa;
use crate::threads::Threads;

/// Word types that are embedded together.
pub(crate) const TYPES_PER_TASK: usize = 64;

/// Embeds and mixes word types, given their feature rows: n_types × width.
pub(crate) fn mix_types(
    isa: Isa,
    threads: Threads<'_>,
    tables: &[EmbedTable<'_>],
    mix: &PackedMaxout,
    features: &[u64],
    n_columns: usize,
) -> Vec<f32> {
    let width = mix.width();
    let depth: usize = tables.iter().map(|table| table.width).sum();
    let hashed = hash_types(tables, features, n_columns);
    let mut vectors = vec![0.0; hashed.len() / tables.len() * width];
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
        let all = 0..n_types;
        let extras = Extras { calculated: from_ref(&all), ..Extras::default() };
        run_level(isa, rows, &Blocks::default(), mix, extras, record, out);
    });
    vectors
}
