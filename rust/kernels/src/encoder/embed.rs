//! Word types to table vectors, side by side.

use super::params::EmbedTable;
use crate::layers::dropout::Dropout;
use crate::layers::hash_embed::rows_of;
use crate::layers::rowwise::{add_row, multiply_row};
use crate::simd::Simd;

/// The table rows of some word types: for each type, for each table, four rows.
pub(crate) fn hash_types(tables: &[EmbedTable<'_>], features: &[u64], n_columns: usize) -> Vec<[u32; 4]> {
    let mut hashed = Vec::with_capacity(features.len() / n_columns.max(1) * tables.len());
    for row in features.chunks_exact(n_columns) {
        hashed.extend(tables.iter().map(|table| rows_of(row[table.column], table.seed, table.n_rows())));
    }
    hashed
}

/// One number for each column of all tables, by which the vectors are multiplied; empty without dropout.
pub(crate) fn column_factors(tables: &[EmbedTable<'_>], rates: &[f32], seed: u64) -> Vec<f32> {
    if rates.iter().all(|&rate| rate <= 0.0) {
        return Vec::new();
    }
    let mut factors = Vec::new();
    for (index, (table, &rate)) in tables.iter().zip(rates).enumerate() {
        let first = factors.len();
        factors.resize(first + table.width, 1.0);
        // One mask for the whole batch, as in thinc's HashEmbed.
        if let Some(dropout) = Dropout::new(rate, seed, EMBED_LAYER + index as u64) {
            dropout.fill_row(0, &mut factors[first..]);
        }
    }
    factors
}

/// Keeps the masks of tables apart from those of layers.
const EMBED_LAYER: u64 = 1 << 32;

#[inline(always)]
fn embed_types_body<S: Simd>(
    simd: S,
    tables: &[EmbedTable<'_>],
    hashed: &[[u32; 4]],
    factors: &[f32],
    out: &mut [f32],
) {
    let width: usize = tables.iter().map(|table| table.width).sum();
    for (out, hashed) in out.chunks_exact_mut(width).zip(hashed.chunks_exact(tables.len())) {
        let mut rest = &mut *out;
        for (table, rows) in tables.iter().zip(hashed) {
            let (vector, next) = rest.split_at_mut(table.width);
            let row = |index: u32| &table.rows[index as usize * table.width..][..table.width];
            vector.copy_from_slice(row(rows[0]));
            for &index in &rows[1..] {
                add_row(simd, vector, row(index));
            }
            rest = next;
        }
        if !factors.is_empty() {
            multiply_row(simd, out, factors);
        }
    }
}

crate::dispatch! {
    /// Writes the vectors of all tables, side by side, for each word type.
    pub(crate) fn embed_types(
        tables: &[EmbedTable<'_>],
        hashed: &[[u32; 4]],
        factors: &[f32],
        out: &mut [f32],
    ) -> () = embed_types_body;
}

/// Which rows of one table the word types have, and where in a type's gradient that table's columns are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableUse<'a> {
    /// For each type, for each table, four rows.
    pub hashed: &'a [[u32; 4]],
    pub n_tables: usize,
    pub table: usize,
    /// The first column.
    pub column: usize,
    /// The width of all tables.
    pub stride: usize,
}

#[inline(always)]
fn backprop_table_body<S: Simd>(
    simd: S,
    table: TableUse<'_>,
    width: usize,
    d_vectors: &[f32],
    factors: &[f32],
    d_table: &mut [f32],
) {
    let mut masked = vec![0.0; width];
    let columns = table.column..table.column + width;
    for (row, hashed) in d_vectors.chunks_exact(table.stride).zip(table.hashed.chunks_exact(table.n_tables)) {
        masked.copy_from_slice(&row[columns.clone()]);
        if !factors.is_empty() {
            multiply_row(simd, &mut masked, &factors[columns.clone()]);
        }
        for index in hashed[table.table] {
            add_row(simd, &mut d_table[index as usize * width..][..width], &masked);
        }
    }
}

crate::dispatch! {
    /// Adds the gradients of one table's rows, word type by word type.
    pub(crate) fn backprop_table(
        table: TableUse<'_>,
        width: usize,
        d_vectors: &[f32],
        factors: &[f32],
        d_table: &mut [f32],
    ) -> () = backprop_table_body;
}
