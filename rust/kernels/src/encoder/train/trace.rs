//! What a forward pass keeps for the backward pass.

use std::ops::Range;

use crate::aligned::Aligned;
use crate::encoder::batch::{Layout, cut};
use crate::encoder::level::Record;
use crate::encoder::params::MaxoutParams;
use crate::gemm::shape::MaxoutShape;
use crate::gemm::sparse_input::Strips;
use crate::layers::dropout::Dropout;
use crate::simd::Isa;

/// Word types that one task embeds and mixes, or goes back through the mix with.
pub(crate) const TYPES_AT_A_TIME: usize = 32;

/// The activations of a level, as owned rows.
#[derive(Debug)]
pub(crate) struct LevelTrace {
    pub normalized: Aligned,
    pub scales: Vec<f32>,
    pub which: Vec<u8>,
    pub dropout: Option<Dropout>,
}

/// Some rows of it, for the way back.
#[derive(Clone, Copy)]
pub(crate) struct LevelRows<'a> {
    pub normalized: &'a [f32],
    pub scales: &'a [f32],
    pub which: &'a [u8],
}

/// What [`Trace::backprop`] needs of a forward pass.
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
    pub fn new(n_rows: usize, width: usize, dropout: Option<Dropout>) -> LevelTrace {
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

    /// Some of the rows.
    pub fn rows(&self, width: usize, rows: Range<usize>) -> LevelRows<'_> {
        LevelRows {
            normalized: &self.normalized[rows.start * width..rows.end * width],
            scales: &self.scales[rows.clone()],
            which: &self.which[rows.start * width..rows.end * width],
        }
    }
}
