//! The weights of windows of three rows as bytes, in the form that [`byte_pairs`](super::byte_pairs) reads.

use super::shape::MaxoutShape;
use crate::simd::{DotIsa, Isa};

/// How many products a pair of windows has.
pub(crate) const PRODUCTS: usize = 4;
/// How many inputs a step multiplies.
pub(super) const STEP: usize = 4;
/// The largest weight.
const MOST: f32 = 127.0;

/// How a column of floats becomes bytes: `byte = x * factor + offset`, rounded.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByteCode {
    pub factors: Vec<f32>,
    pub offsets: Vec<f32>,
}

impl ByteCode {
    /// The code that spreads `low..=high` over all bytes, column by column.
    pub fn of_ranges(low: &[f32], high: &[f32]) -> ByteCode {
        let mut code = ByteCode::default();
        for (&low, &high) in low.iter().zip(high) {
            // A column that is always the same is its offset, and nothing of it is left to multiply.
            let factor = 255.0 / (high - low).max(f32::MIN_POSITIVE * 1e9);
            code.factors.push(factor);
            code.offsets.push((-low * factor).round());
        }
        code
    }
}

/// Weights (outputs × pieces × 3 width) and bias of a maxout layer over windows, and the code of each product's input.
#[derive(Clone, Copy)]
pub(crate) struct ByteWeights<'a> {
    pub weights: &'a [f32],
    pub bias: &'a [f32],
    pub shape: MaxoutShape,
    pub codes: &'a [ByteCode; PRODUCTS],
}

/// The weights of the four products as bytes, in the order in which the kernel reads them.
#[derive(Clone, Debug)]
pub(crate) struct BytePairs {
    pub isa: DotIsa,
    /// For each panel, product, step, piece: four bytes a lane.
    pub weights: Vec<i8>,
    /// For each panel: what the sums of product 1 start with, then those of product 2; pieces × lanes.
    pub starts: Vec<i32>,
    /// What one is worth, for each output.
    pub scales: Vec<f32>,
    pub shape: MaxoutShape,
    /// How long a row of a window is.
    width: usize,
}

impl BytePairs {
    /// Rounds and packs weights.
    pub fn new(isa: Isa, from: ByteWeights<'_>) -> BytePairs {
        let MaxoutShape { outputs, pieces, depth } = from.shape;
        let (isa, width) = (DotIsa::of(isa), depth / 3);
        let lanes = isa.lanes();
        let n_panels = outputs.div_ceil(lanes);
        let mut packed = BytePairs {
            weights: vec![0; n_panels * PRODUCTS * steps(width) * pieces * lanes * STEP],
            starts: vec![0; n_panels * 2 * pieces * lanes],
            scales: vec![0.0; n_panels * lanes],
            shape: from.shape,
            isa,
            width,
        };
        for output in 0..outputs {
            packed.set_output(&from, output);
        }
        packed
    }

    /// How many steps a product has.
    pub fn n_steps(&self) -> usize {
        steps(self.width)
    }

    /// How many bytes the mixed rows of a pair have: four rows, each filled up to whole steps.
    pub fn row_bytes(&self) -> usize {
        PRODUCTS * steps(self.width) * STEP
    }

    /// The same for one of the four.
    pub fn stride(&self) -> usize {
        steps(self.width) * STEP
    }

    fn set_output(&mut self, from: &ByteWeights<'_>, output: usize) {
        let pieces = self.shape.pieces;
        let scaled: Vec<_> = (0..pieces).map(|piece| scaled_weights(from, output * pieces + piece)).collect();
        let largest = scaled.iter().flatten().flatten().fold(0.0_f32, |most, weight| most.max(weight.abs()));
        let scale = (largest / MOST).max(f32::MIN_POSITIVE);
        let (panel, lane) = (output / self.isa.lanes(), output % self.isa.lanes());
        self.scales[output] = scale;
        for (piece, products) in scaled.iter().enumerate() {
            // What offsets add to each product, to be taken away again.
            let mut offsets = [0.0_f64; PRODUCTS];
            for (product, weights) in products.iter().enumerate() {
                for (column, weight) in weights.iter().enumerate() {
                    let rounded = (weight / scale).round_ties_even();
                    offsets[product] -= f64::from(rounded) * f64::from(from.codes[product].offsets[column]);
                    let at = self.place(panel, product, column, piece, lane);
                    self.weights[at] = rounded as i8;
                }
            }
            let bias = f64::from(from.bias[output * pieces + piece]) / f64::from(scale);
            // The sums of the windows are `m0 + m1 + m2` and `m1 - m2 + m3`, and only products 1 and 2 have a start.
            let starts = [
                bias + offsets[1] + (offsets[0] + offsets[3]) / 2.0,
                offsets[2] + (offsets[0] - offsets[3]) / 2.0,
            ];
            for (product, start) in starts.iter().enumerate() {
                let at = ((panel * 2 + product) * pieces + piece) * self.isa.lanes() + lane;
                self.starts[at] = start.round_ties_even() as i32;
            }
        }
    }

    fn place(&self, panel: usize, product: usize, column: usize, piece: usize, lane: usize) -> usize {
        let step = (panel * PRODUCTS + product) * steps(self.width) + column / STEP;
        ((step * self.shape.pieces + piece) * self.isa.lanes() + lane) * STEP + column % STEP
    }
}

fn steps(width: usize) -> usize {
    width.div_ceil(STEP)
}

/// The weights of a row of the maxout for each of the four products, times what a step of each input is worth.
pub(super) fn scaled_weights(from: &ByteWeights<'_>, row: usize) -> [Vec<f32>; PRODUCTS] {
    let width = from.shape.depth / 3;
    let row = &from.weights[row * from.shape.depth..][..from.shape.depth];
    let mut products = [const { Vec::new() }; PRODUCTS];
    for column in 0..width {
        let [w0, w1, w2] = [row[column], row[width + column], row[2 * width + column]];
        let mixed = [w0, (w0 + w1 + w2) / 2.0, (w0 - w1 + w2) / 2.0, w2];
        for ((product, weight), code) in products.iter_mut().zip(mixed).zip(from.codes) {
            product.push(weight / code.factors[column]);
        }
    }
    products
}
