//! The first window layer from word types alone.
//!
//! The rows that it reads are a function of the word type, so `W·[left, middle, right]` is a sum of three products that
//! are too: made once for each type, and kept.

use std::iter::repeat;
use std::ops::Range;
use std::sync::Arc;

use crate::encoder::level::{fill_gaps, fours};
use crate::encoder::params::MaxoutParams;
use crate::gemm::Panels;
use crate::gemm::maxout::store_largest;
use crate::gemm::product::raw_sums;
use crate::layers::four_rows::normalize_and_add;
use crate::simd::{Isa, Simd};

/// A word type's vector, followed by its products with each part of the first layer's window: as floats, one part after
/// the other; or in 16 bits each, two in the place of a float, those of the left and the right part side by side and then
/// those of the middle, of which every other panel is beside the one before.
pub(crate) type TypeRow = Arc<[f32]>;

/// The first window layer, cut into the parts that see one token each.
#[derive(Clone, Debug)]
pub(crate) struct FirstLevel {
    parts: Vec<Panels>,
    gain: Vec<f32>,
    shift: Vec<f32>,
    window: usize,
    /// Whether products are kept in 16 bits.
    halves: bool,
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
            halves: false,
        }
    }

    /// The same with products kept in 16 bits, which have half the memory to come from and errors of 0.2 % each. Windows
    /// must have one token on either side.
    pub fn with_halves(self) -> FirstLevel {
        FirstLevel { halves: true, ..self }
    }

    /// How long a row of the result is.
    pub fn width(&self) -> usize {
        self.gain.len()
    }

    /// How many tokens a window has on either side.
    pub fn window(&self) -> usize {
        self.window
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
                let sums = |index: usize| {
                    let raw = self.parts[index].raw_columns();
                    &products[index][row * raw..][..raw]
                };
                if self.halves {
                    self.add_halves([sums(0), sums(1), sums(2)], &mut numbers);
                } else {
                    (0..products.len()).for_each(|index| numbers.extend_from_slice(sums(index)));
                }
                TypeRow::from(numbers)
            })
            .collect()
    }

    fn add_halves(&self, [left, middle, right]: [&[f32]; 3], numbers: &mut Vec<f32>) {
        numbers.extend(left.iter().zip(right).map(|(&left, &right)| side_by_side(left, right)));
        let panel = middle.len() / self.parts[1].n_panels();
        for two in middle.chunks(2 * panel) {
            let (first, second) = two.split_at(panel);
            let second = second.iter().copied().chain(repeat(0.0));
            numbers.extend(first.iter().zip(second).map(|(&first, second)| side_by_side(first, second)));
        }
    }
}

/// Two numbers in 16 bits each, to be taken apart by `low_half` and `high_half`.
fn side_by_side(low: f32, high: f32) -> f32 {
    // Only moved, never calculated with.
    f32::from_bits(nearest_half(high) << 16 | nearest_half(low))
}

/// The upper half of the bits of the nearest float that has no other ones, ties to even; a NaN stays one.
fn nearest_half(number: f32) -> u32 {
    let bits = number.to_bits();
    if number.is_nan() { bits >> 16 | 0x40 } else { (bits + 0x7fff + (bits >> 16 & 1)) >> 16 }
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
            match (layer.parts[0].vectors(), layer.halves) {
                (1, false) => add_parts::<S, 1>(simd, layer, window, best),
                (2, false) => add_parts::<S, 2>(simd, layer, window, best),
                (_, false) => add_parts::<S, 3>(simd, layer, window, best),
                (1, true) => add_halves::<S, 1>(simd, layer, window, best),
                (2, true) => add_halves::<S, 2>(simd, layer, window, best),
                (_, true) => add_halves::<S, 3>(simd, layer, window, best),
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

/// The same of products in 16 bits.
#[inline(always)]
fn add_halves<S: Simd, const PIECES: usize>(
    simd: S,
    layer: &FirstLevel,
    window: &[&[f32]],
    best: &mut [f32],
) {
    let (width, raw, panel) = (layer.gain.len(), layer.parts[0].raw_columns(), PIECES * S::LANES);
    for (index, best) in best.chunks_mut(S::LANES).enumerate() {
        let (left, _) = simd.chunks(&window[0][width + index * panel..][..panel]);
        let (middle, _) = simd.chunks(&window[1][width + raw + index / 2 * panel..][..panel]);
        let (right, _) = simd.chunks(&window[2][width + index * panel..][..panel]);
        let mut sums = [simd.splat(0.0); PIECES];
        for (sum, ((left, middle), right)) in sums.iter_mut().zip(left.iter().zip(middle).zip(right)) {
            let two = simd.load(middle);
            let middle = if index % 2 == 0 { simd.low_half(two) } else { simd.high_half(two) };
            *sum = simd.add(simd.low_half(simd.load(left)), middle);
            *sum = simd.add(*sum, simd.high_half(simd.load(right)));
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

#[cfg(test)]
mod tests {
    use super::{nearest_half, side_by_side};

    #[test]
    fn halves_are_the_nearest() {
        for (number, half) in [
            (0.0_f32, 0.0_f32),
            (-0.0, -0.0),
            (1.0, 1.0),
            (1.003, 1.0),
            (1.006, 1.0078125),
            (1.0 + 1.0 / 256.0, 1.0), // ties to even
            (-1.0 - 3.0 / 256.0, -1.015625),
            (f32::INFINITY, f32::INFINITY),
            (f32::MAX, f32::INFINITY),
        ] {
            assert_eq!(f32::from_bits(nearest_half(number) << 16).to_bits(), half.to_bits(), "{number}");
        }
        assert!(f32::from_bits(nearest_half(f32::NAN) << 16).is_nan());
        let both = side_by_side(1.5, -2.5).to_bits();
        assert_eq!((f32::from_bits(both << 16), f32::from_bits(both >> 16 << 16)), (1.5, -2.5));
    }
}
