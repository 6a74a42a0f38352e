//! Affine + maxout over windows of three rows of bytes, two windows at a time.
//!
//! Winograd's F(2, 3): for rows `x0 x1 x2 x3` and weights `w0 w1 w2`, the sums of the two windows are `m0 + m1 + m2` and
//! `m1 - m2 + m3` with
//!
//! ```text
//! m0 = w0 · (x0 - x2)                   m1 = (w0 + w1 + w2)/2 · (x1 + x2)
//! m3 = w2 · (x3 - x1)                   m2 = (w0 - w1 + w2)/2 · (x2 - x1)
//! ```
//!
//! The products are of unsigned bytes with signed ones. Each product has ranges of
//! its own for every column of its input; what a column's step is worth goes into the weights, which then are rounded
//! to a scale that all products and pieces of an output share. So sums, the combination of the products and the maxout
//! are whole numbers, exact and the same on every instruction set.

use super::byte_weights::{BytePairs, PRODUCTS, STEP};
use crate::simd::Dot;

/// Two neighbouring windows: where the first begins in the input, to which row of the output it goes, and whether there
/// is a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub start: usize,
    pub row: usize,
    pub both: bool,
}

/// Writes the largest piece of each output to `best`, rows × outputs, for the rows of all pairs. `mixed` has the four
/// rows of each pair; where there is no second window, the last may be anything.
pub(crate) fn maxout_byte_pairs(mixed: &[u8], pairs: &[Pair], weights: &BytePairs, best: &mut [f32]) {
    run(weights.isa, mixed, pairs, weights, best);
}

crate::dispatch_dot! {
    fn run(mixed: &[u8], pairs: &[Pair], weights: &BytePairs, best: &mut [f32]) -> () = run_body;
}

#[inline(always)]
fn run_body<D: Dot>(dot: D, mixed: &[u8], pairs: &[Pair], weights: &BytePairs, best: &mut [f32]) {
    match weights.shape.pieces {
        1 => pieces::<D, 1>(dot, mixed, pairs, weights, best),
        2 => pieces::<D, 2>(dot, mixed, pairs, weights, best),
        3 => pieces::<D, 3>(dot, mixed, pairs, weights, best),
        n => panic!("maxout_byte_pairs: 1 to 3 pieces, not {n}"),
    }
}

#[inline(always)]
fn pieces<D: Dot, const PIECES: usize>(
    dot: D,
    mixed: &[u8],
    pairs: &[Pair],
    weights: &BytePairs,
    best: &mut [f32],
) {
    let sums = PIECES * D::LANES;
    let n_steps = weights.n_steps();
    let per_panel = PRODUCTS * n_steps * sums * STEP;
    let row_bytes = weights.row_bytes();
    for index in 0..weights.shape.outputs.div_ceil(D::LANES) {
        let panel = Panel {
            chunks: dot.chunks(&weights.weights[index * per_panel..][..per_panel]),
            starts: &weights.starts[index * 2 * sums..][..2 * sums],
            scales: &weights.scales[index * D::LANES..][..D::LANES],
            first: index * D::LANES,
            n_steps,
        };
        let (mut pair, mut rows) = (pairs, mixed);
        // Two sums for each pair and piece: with AVX-512 24 of 32 registers, with AVX2 6 of 16.
        if D::LANES >= 16 {
            while pair.len() >= 4 {
                block::<D, 4, PIECES>(dot, rows, pair, &panel, weights.shape.outputs, best);
                (pair, rows) = (&pair[4..], &rows[4 * row_bytes..]);
            }
        }
        while !pair.is_empty() {
            block::<D, 1, PIECES>(dot, rows, pair, &panel, weights.shape.outputs, best);
            (pair, rows) = (&pair[1..], &rows[row_bytes..]);
        }
    }
}

/// The outputs that share a vector.
struct Panel<'a, D: Dot> {
    chunks: &'a [D::Chunk],
    starts: &'a [i32],
    scales: &'a [f32],
    /// The first output.
    first: usize,
    n_steps: usize,
}

/// The first `PAIRS` pairs, in registers from the first product to the largest piece.
#[inline(always)]
fn block<D: Dot, const PAIRS: usize, const PIECES: usize>(
    dot: D,
    rows: &[u8],
    pairs: &[Pair],
    panel: &Panel<'_, D>,
    outputs: usize,
    best: &mut [f32],
) {
    let mut start = [[dot.load(&panel.starts[..D::LANES]); PIECES]; 2];
    for (start, from) in start.iter_mut().flatten().zip(panel.starts.chunks_exact(D::LANES)) {
        *start = dot.load(from);
    }
    let m1 = product::<D, PAIRS, PIECES>(dot, rows, panel, 1, [start[0]; PAIRS]);
    let m2 = product::<D, PAIRS, PIECES>(dot, rows, panel, 2, [start[1]; PAIRS]);
    let (mut plus, mut minus) = (m1, m2);
    for (plus, minus) in plus.iter_mut().flatten().zip(minus.iter_mut().flatten()) {
        (*plus, *minus) = (dot.add(*plus, *minus), dot.sub(*plus, *minus));
    }
    let y0 = product::<D, PAIRS, PIECES>(dot, rows, panel, 0, plus);
    let y1 = product::<D, PAIRS, PIECES>(dot, rows, panel, 3, minus);
    let used = D::LANES.min(outputs - panel.first);
    for ((pair, y0), y1) in pairs.iter().zip(&y0).zip(&y1) {
        let at = pair.row * outputs + panel.first;
        store_largest(dot, y0, panel.scales, &mut best[at..at + used]);
        if pair.both {
            store_largest(dot, y1, panel.scales, &mut best[at + outputs..at + outputs + used]);
        }
    }
}

/// Adds one of the four products of some pairs to their sums.
#[inline(always)]
fn product<D: Dot, const PAIRS: usize, const PIECES: usize>(
    dot: D,
    rows: &[u8],
    panel: &Panel<'_, D>,
    which: usize,
    mut sums: [[D::I32; PIECES]; PAIRS],
) -> [[D::I32; PIECES]; PAIRS] {
    let n_steps = panel.n_steps;
    let (chunks, _) = panel.chunks[which * n_steps * PIECES..][..n_steps * PIECES].as_chunks::<PIECES>();
    let mut cut: [&[[u8; STEP]]; PAIRS] = [&[]; PAIRS];
    for (pair, cut) in cut.iter_mut().enumerate() {
        *cut = rows[(pair * PRODUCTS + which) * n_steps * STEP..][..n_steps * STEP].as_chunks().0;
        *cut = &cut[..chunks.len()];
    }
    for step in 0..chunks.len() {
        let mut weights = [dot.weights(&chunks[step][0]); PIECES];
        for (weights, chunk) in weights.iter_mut().zip(&chunks[step]) {
            *weights = dot.weights(chunk);
        }
        for (sums, row) in sums.iter_mut().zip(&cut) {
            let bytes = dot.bytes(row[step]);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = dot.dot(*sum, bytes, weights);
            }
        }
    }
    sums
}

#[inline(always)]
fn store_largest<D: Dot, const PIECES: usize>(
    dot: D,
    sums: &[D::I32; PIECES],
    scales: &[f32],
    best: &mut [f32],
) {
    let mut largest = sums[0];
    for &sum in &sums[1..] {
        largest = dot.max(largest, sum);
    }
    dot.store_scaled(best, largest, scales);
}

#[cfg(test)]
mod tests {
    use super::{Pair, maxout_byte_pairs};
    use crate::gemm::byte_weights::{ByteCode, BytePairs, ByteWeights, PRODUCTS, scaled_weights};
    use crate::gemm::shape::MaxoutShape;
    use crate::simd::Isa;
    use crate::testing::{for_every_isa, numbers};

    struct Case {
        shape: MaxoutShape,
        weights: Vec<f32>,
        bias: Vec<f32>,
        codes: [ByteCode; PRODUCTS],
        pairs: Vec<Pair>,
        mixed: Vec<u8>,
    }

    fn case(width: usize, outputs: usize, pieces: usize, n_pairs: usize) -> Case {
        let shape = MaxoutShape { outputs, pieces, depth: 3 * width };
        let stride = width.div_ceil(4) * 4;
        let code = |seed| {
            let low = numbers(width, seed, 0.5).iter().map(|x| x - 0.6).collect::<Vec<_>>();
            let high = numbers(width, seed + 1, 0.5).iter().map(|x| x + 0.6).collect::<Vec<_>>();
            ByteCode::of_ranges(&low, &high)
        };
        Case {
            shape,
            weights: numbers(outputs * pieces * 3 * width, 1, 1.0),
            bias: numbers(outputs * pieces, 2, 1.0),
            codes: [code(10), code(20), code(30), code(40)],
            pairs: (0..n_pairs)
                .map(|pair| Pair { start: 0, row: 2 * pair, both: pair + 1 < n_pairs })
                .collect(),
            mixed: numbers(n_pairs * PRODUCTS * stride, 3, 127.9).iter().map(|x| (x + 128.0) as u8).collect(),
        }
    }

    impl Case {
        fn weights(&self) -> ByteWeights<'_> {
            ByteWeights { weights: &self.weights, bias: &self.bias, shape: self.shape, codes: &self.codes }
        }

        fn run(&self, isa: Isa) -> Vec<f32> {
            let packed = BytePairs::new(isa, self.weights());
            let n_rows = 2 * self.pairs.len() - 1;
            let mut best = vec![f32::NAN; n_rows * self.shape.outputs];
            maxout_byte_pairs(&self.mixed, &self.pairs, &packed, &mut best);
            best
        }

        /// The same with one loop over everything.
        fn expected(&self) -> Vec<f32> {
            let MaxoutShape { outputs, pieces, depth } = self.shape;
            let stride = (depth / 3).div_ceil(4) * 4;
            let mut best = Vec::new();
            for pair in &self.pairs {
                for window in 0..if pair.both { 2 } else { 1 } {
                    for output in 0..outputs {
                        let scaled: Vec<_> = (0..pieces)
                            .map(|piece| scaled_weights(&self.weights(), output * pieces + piece))
                            .collect();
                        let most = scaled.iter().flatten().flatten().fold(0.0_f32, |m, w| m.max(w.abs()));
                        let scale = most / 127.0;
                        let sums = scaled.iter().enumerate().map(|(piece, products)| {
                            let (mut sums, mut offsets) = ([0_i32; PRODUCTS], [0.0_f64; PRODUCTS]);
                            for (product, weights) in products.iter().enumerate() {
                                for (column, weight) in weights.iter().enumerate() {
                                    let weight = (weight / scale).round_ties_even();
                                    let byte =
                                        self.mixed[(pair.row / 2 * PRODUCTS + product) * stride + column];
                                    sums[product] += i32::from(byte) * weight as i32;
                                    offsets[product] -=
                                        f64::from(weight * self.codes[product].offsets[column]);
                                }
                            }
                            let bias = f64::from(self.bias[output * pieces + piece]) / f64::from(scale);
                            let first = bias + offsets[1] + (offsets[0] + offsets[3]) / 2.0;
                            let second = offsets[2] + (offsets[0] - offsets[3]) / 2.0;
                            sums[1] += first.round_ties_even() as i32;
                            sums[2] += second.round_ties_even() as i32;
                            if window == 0 {
                                sums[0] + sums[1] + sums[2]
                            } else {
                                sums[1] - sums[2] + sums[3]
                            }
                        });
                        best.push(sums.max().unwrap() as f32 * scale);
                    }
                }
            }
            best
        }
    }

    for_every_isa! {
        fn sums_of_bytes_are_those_of_a_plain_loop_to_the_bit(isa) {
            for (width, outputs, pieces, n_pairs) in [
                (96, 96, 3, 9), (4, 16, 1, 1), (5, 17, 2, 3), (33, 7, 3, 5), (1, 1, 3, 4), (64, 40, 3, 2),
            ] {
                let case = case(width, outputs, pieces, n_pairs);
                assert_eq!(case.run(isa), case.expected(), "width {width}, {outputs} x {pieces}, {n_pairs} pairs");
            }
        }

        fn the_largest_bytes_do_not_saturate(isa) {
            let mut case = case(96, 16, 3, 4);
            case.weights.fill(1.0);
            case.mixed.fill(255);
            assert_eq!(case.run(isa), case.expected());
        }
    }
}
