//! The first window layer from word types alone.
//!
//! The rows that it reads are a function of the word type, so `W·[left, middle, right]` is a sum of three products that
//! are too: made once for each type, and kept.

use std::ops::Range;
use std::sync::Arc;

use super::level::{fill_gaps, fours};
use super::params::MaxoutParams;
use crate::gemm::Panels;
use crate::gemm::maxout::store_largest;
use crate::gemm::product::raw_sums;
use crate::layers::layer_norm::normalize_and_add;
use crate::simd::{Isa, Simd};

/// A word type's vector, followed by its products with each part of the first layer's window.
pub(crate) type TypeRow = Arc<[f32]>;

/// The first window layer, cut into the parts that see one token each.
#[derive(Clone, Debug)]
pub(crate) struct FirstLevel {
    parts: Vec<Panels>,
    gain: Vec<f32>,
    shift: Vec<f32>,
    window: usize,
}

impl FirstLevel {
    pub fn new(isa: Isa, params: &MaxoutParams<'_>, window: usize) -> FirstLevel {
        let shape = params.shape();
        let width = shape.depth / (2 * window + 1);
        let zeros = vec![0.0; params.bias.len()];
        let part = |index: usize| {
            let rows = params.weights.chunks_exact(shape.depth);
            let weights: Vec<f32> =
                rows.flat_map(|row| row[index * width..(index + 1) * width].iter().copied()).collect();
            // The middle brings the bias.
            Panels::for_maxout(
                isa,
                &weights,
                if index == window { params.bias } else { &zeros },
                shape.pieces,
            )
        };
        FirstLevel {
            parts: (0..2 * window + 1).map(part).collect(),
            gain: params.gain.to_vec(),
            shift: params.shift.to_vec(),
            window,
        }
    }

    /// The rows of word types, given their vectors.
    pub fn type_rows(&self, isa: Isa, vectors: &[f32]) -> Vec<TypeRow> {
        let width = self.gain.len();
        let n_types = vectors.len() / width;
        let products: Vec<Vec<f32>> = self
            .parts
            .iter()
            .map(|part| {
                let mut sums = vec![0.0; n_types * part.raw_columns()];
                raw_sums(isa, vectors, part, n_types, &mut sums);
                sums
            })
            .collect();
        (0..n_types)
            .map(|row| {
                let mut numbers = vectors[row * width..(row + 1) * width].to_vec();
                for (part, sums) in self.parts.iter().zip(&products) {
                    numbers.extend_from_slice(&sums[row * part.raw_columns()..][..part.raw_columns()]);
                }
                TypeRow::from(numbers)
            })
            .collect()
    }
}

/// How far ahead of the row that is calculated word types are asked for: what is kept of them is seldom in a near cache.
const AHEAD: usize = 1;
/// Numbers of a cache line.
const LINE: usize = 16;

#[inline(always)]
fn run_first_level_body<S: Simd>(
    simd: S,
    layer: &FirstLevel,
    below: &[&[f32]],
    starts: &[u32],
    calculated: &[Range<usize>],
    out: &mut [f32],
) {
    let (width, n_parts) = (layer.gain.len(), layer.parts.len());
    let mut best = vec![0.0; 4 * width];
    fill_gaps(calculated, width, out);
    for rows in fours(calculated) {
        let best = &mut best[..rows.len() * width];
        let mut residuals: [&[f32]; 4] = [&[]; 4];
        let each = starts[rows.clone()].iter().zip(best.chunks_exact_mut(width)).zip(&mut residuals);
        for ((&start, best), residual) in each {
            let start = start as usize;
            if let Some(next) = below.get(start + n_parts + AHEAD) {
                for at in (0..next.len()).step_by(LINE) {
                    simd.prefetch(next, at);
                }
            }
            let window = &below[start..][..n_parts];
            match layer.parts[0].vectors() {
                1 => add_parts::<S, 1>(simd, layer, window, best),
                2 => add_parts::<S, 2>(simd, layer, window, best),
                _ => add_parts::<S, 3>(simd, layer, window, best),
            }
            *residual = &window[layer.window][..width];
        }
        let out = &mut out[rows.start * width..rows.end * width];
        normalize_and_add(simd, best, &layer.gain, &layer.shift, residuals, out);
    }
}

/// The largest piece of each output of one row: the window's products, left to right, and their maxout.
#[inline(always)]
fn add_parts<S: Simd, const PIECES: usize>(simd: S, layer: &FirstLevel, window: &[&[f32]], best: &mut [f32]) {
    let raw = layer.parts[0].raw_columns();
    for (index, best) in best.chunks_mut(S::LANES).enumerate() {
        let mut sums = [simd.splat(0.0); PIECES];
        for (part, row) in window.iter().enumerate() {
            let at = layer.gain.len() + part * raw + index * PIECES * S::LANES;
            let (chunks, _) = simd.chunks(&row[at..][..PIECES * S::LANES]);
            for (sum, chunk) in sums.iter_mut().zip(chunks) {
                *sum = simd.add(*sum, simd.load(chunk));
            }
        }
        store_largest(simd, &sums, best);
    }
}

crate::dispatch! {
    /// Runs the layer: `below` has the type row of each token or padding row, `starts` where each window begins in it.
    pub(crate) fn run_first_level(
        layer: &FirstLevel,
        below: &[&[f32]],
        starts: &[u32],
        calculated: &[Range<usize>],
        out: &mut [f32],
    ) -> () = run_first_level_body;
}
