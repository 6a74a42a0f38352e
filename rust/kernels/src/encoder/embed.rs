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

/// Floats of a cache line.
const LINE: usize = 16;

/// Asks for the rows of a table that are read next: they lie anywhere, and the CPU does not look so far ahead.
#[inline(always)]
fn prefetch_rows<S: Simd>(simd: S, table: &[f32], width: usize, rows: &[u32; 4]) {
    for &row in rows {
        for ahead in (0..width).step_by(LINE) {
            simd.prefetch(table, row as usize * width + ahead);
        }
    }
}

/// Writes the sum of four rows of a table, times `factors` unless these are empty.
#[inline(always)]
fn sum_rows<S: Simd>(simd: S, table: &EmbedTable<'_>, rows: &[u32; 4], factors: &[f32], out: &mut [f32]) {
    let width = table.width;
    let rows = rows.map(|row| &table.rows[row as usize * width..][..width]);
    let whole = width - width % S::LANES;
    for column in (0..whole).step_by(S::LANES) {
        let mut sum = simd.load_at(rows[0], column);
        for row in &rows[1..] {
            sum = simd.add(sum, simd.load_at(row, column));
        }
        if !factors.is_empty() {
            sum = simd.mul(sum, simd.load_at(factors, column));
        }
        simd.store_at(out, column, sum);
    }
    if whole < width {
        let mut sum = simd.load_partial(&rows[0][whole..], 0.0);
        for row in &rows[1..] {
            sum = simd.add(sum, simd.load_partial(&row[whole..], 0.0));
        }
        if !factors.is_empty() {
            sum = simd.mul(sum, simd.load_partial(&factors[whole..width], 0.0));
        }
        simd.store_partial(&mut out[whole..width], sum);
    }
}

#[inline(always)]
fn embed_types_body<S: Simd>(
    simd: S,
    tables: &[EmbedTable<'_>],
    hashed: &[[u32; 4]],
    factors: &[f32],
    out: &mut [f32],
) {
    let width: usize = tables.iter().map(|table| table.width).sum();
    let mut types = hashed.chunks_exact(tables.len());
    let mut next = types.next();
    for out in out.chunks_exact_mut(width) {
        let this = next.unwrap_or_default();
        next = types.next();
        for (table, rows) in tables.iter().zip(next.unwrap_or_default()) {
            prefetch_rows(simd, table.rows, table.width, rows);
        }
        let mut column = 0;
        for (table, rows) in tables.iter().zip(this) {
            let end = column + table.width;
            let factors = if factors.is_empty() { factors } else { &factors[column..end] };
            sum_rows(simd, table, rows, factors, &mut out[column..end]);
            column = end;
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
    let mut types = table.hashed.chunks_exact(table.n_tables).map(|hashed| hashed[table.table]);
    let mut next = types.next();
    for row in d_vectors.chunks_exact(table.stride) {
        let rows = next.unwrap_or_default();
        next = types.next();
        if let Some(rows) = &next {
            prefetch_rows(simd, d_table, width, rows);
        }
        masked.copy_from_slice(&row[columns.clone()]);
        if !factors.is_empty() {
            multiply_row(simd, &mut masked, &factors[columns.clone()]);
        }
        for index in rows {
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
