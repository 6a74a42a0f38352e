//! One maxout layer of the encoder over the rows of a group: window, maxout, layer norm, dropout, residual.

use super::params::MaxoutParams;
use crate::gemm::Panels;
use crate::gemm::maxout::{RowStarts, maxout_rows};
use crate::layers::dropout::Dropout;
use crate::layers::layer_norm::{normalize, rescale};
use crate::layers::rowwise::{add_row, multiply_row};
use crate::simd::{Isa, Simd};

/// A maxout layer with its weights packed.
#[derive(Clone, Debug)]
pub(crate) struct PackedMaxout {
    pub panels: Panels,
    gain: Vec<f32>,
    shift: Vec<f32>,
}

impl PackedMaxout {
    pub fn new(isa: Isa, params: &MaxoutParams<'_>) -> PackedMaxout {
        PackedMaxout {
            panels: Panels::for_maxout(isa, params.weights, params.bias, params.shape().pieces),
            gain: params.gain.to_vec(),
            shift: params.shift.to_vec(),
        }
    }
}

/// What the backward pass needs of a level, or scratch space of the same size.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The rows after normalization, before gain and shift.
    pub normalized: &'a mut [f32],
    /// 1 / standard deviation of each row.
    pub scales: &'a mut [f32],
    /// The winning pieces; empty when nobody asks.
    pub which: &'a mut [u8],
}

/// What a level adds to the plain layer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    /// Where in a row's window the residual begins.
    pub residual: Option<usize>,
    pub dropout: Option<Dropout>,
    /// The number of the first row, for the dropout mask.
    pub first_row: u64,
}

#[inline(always)]
fn run_level_body<S: Simd>(
    simd: S,
    rows: RowStarts<'_>,
    layer: &PackedMaxout,
    extras: Extras,
    record: Record<'_>,
    out: &mut [f32],
) {
    let width = layer.gain.len();
    let Record { normalized, scales, which } = record;
    maxout_rows(simd, rows, &layer.panels, normalized, which);
    let mut factors = vec![0.0; if extras.dropout.is_some() { width } else { 0 }];
    let each =
        normalized.chunks_exact_mut(width).zip(scales).zip(out.chunks_exact_mut(width)).zip(rows.starts);
    for (row, (((normalized, scale), out), &start)) in each.enumerate() {
        *scale = normalize(simd, normalized);
        rescale(simd, normalized, &layer.gain, &layer.shift, out);
        if let Some(dropout) = extras.dropout {
            dropout.fill_row(extras.first_row + row as u64, &mut factors);
            multiply_row(simd, out, &factors);
        }
        if let Some(offset) = extras.residual {
            add_row(simd, out, &rows.numbers[start as usize + offset..][..width]);
        }
    }
}

crate::dispatch! {
    /// Runs a layer over rows, into `out`.
    pub(crate) fn run_level(
        rows: RowStarts<'_>,
        layer: &PackedMaxout,
        extras: Extras,
        record: Record<'_>,
        out: &mut [f32],
    ) -> () = run_level_body;
}
