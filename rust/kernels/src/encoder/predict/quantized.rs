//! The second and later window layers in bytes: predicting only, on request.
//!
//! A layer reads the rows of the level below as bytes, in the mixtures that the products of a pair of windows take, and
//! its weights are bytes too. What follows the maxout, and what is added to it, stays `f32`. See
//! `docs/decisions/0008-int8-encoder.md`.

use super::window_level::{Scratch, Windows, finish_rows};
use crate::KernelError;
use crate::aligned::Aligned;
use crate::encoder::batch::{Group, Layout};
use crate::encoder::level::Norm;
use crate::encoder::params::{EncoderParams, MaxoutParams};
use crate::gemm::byte_pairs::{Pair, maxout_byte_pairs};
use crate::gemm::byte_weights::{ByteCode, BytePairs, ByteWeights, PRODUCTS};
use crate::gemm::maxout::load;
use crate::simd::{Isa, Simd};

/// A window layer in bytes.
#[derive(Clone, Debug)]
pub(crate) struct QuantizedLevel {
    codes: [ByteCode; PRODUCTS],
    weights: BytePairs,
    norm: Norm,
}

/// The layers above the first in bytes; `ranges` as [`RangeFinder::ranges`] gives them.
///
/// # Errors
/// [`KernelError`] if windows have another size than one token on either side, or the ranges are not of these layers.
pub(crate) fn quantized_levels(
    isa: Isa,
    params: &EncoderParams<'_>,
    ranges: &[f32],
) -> Result<Vec<QuantizedLevel>, KernelError> {
    check_window(params.window)?;
    let (width, layers) = (params.width(), &params.layers[1..]);
    KernelError::expect_len(
        "quantized encoder: the ranges",
        layers.len() * PRODUCTS * 2 * width,
        ranges.len(),
    )?;
    if let Some(position) = ranges.iter().position(|limit| !limit.is_finite()) {
        return Err(KernelError::Value {
            what: "quantized encoder: a limit of the ranges",
            expected: "a finite number".to_owned(),
            found: ranges[position].to_string(),
        });
    }
    let per_level = ranges.chunks_exact(PRODUCTS * 2 * width);
    Ok(layers.iter().zip(per_level).map(|(layer, ranges)| QuantizedLevel::new(isa, layer, ranges)).collect())
}

/// Refuses windows whose products are not the four of a pair.
pub(crate) fn check_window(window: usize) -> Result<(), KernelError> {
    if window == 1 {
        return Ok(());
    }
    Err(KernelError::Value {
        what: "quantized encoder: the tokens that a window has on either side",
        expected: "1".to_owned(),
        found: window.to_string(),
    })
}

impl QuantizedLevel {
    fn new(isa: Isa, params: &MaxoutParams<'_>, ranges: &[f32]) -> QuantizedLevel {
        let width = params.gain.len();
        let code = |product: usize| {
            let limits = &ranges[product * 2 * width..][..2 * width];
            ByteCode::of_ranges(&limits[..width], &limits[width..])
        };
        let codes = [code(0), code(1), code(2), code(3)];
        let from =
            ByteWeights { weights: params.weights, bias: params.bias, shape: params.shape(), codes: &codes };
        QuantizedLevel { weights: BytePairs::new(isa, from), codes, norm: Norm::new(params) }
    }
}

/// Writes the rows of a level to `above`, from those of the level below, as
/// [`run_window_level`](super::window_level::run_window_level) does.
pub(crate) fn run_quantized_level(
    isa: Isa,
    layer: &QuantizedLevel,
    layout: &Layout,
    (level, group): (usize, &Group),
    below: &[f32],
    scratch: &mut Scratch,
    above: &mut [f32],
) {
    layout.starts(level, group.docs.clone(), &mut scratch.starts);
    layout.pairs(level, group.docs.clone(), &mut scratch.pairs);
    // Bytes that only fill up a step meet weights of zero.
    scratch.bytes.resize(scratch.pairs.len() * layer.weights.row_bytes(), 0);
    let mut best = Aligned::any(above.len());
    mix_to_bytes(isa, below, &scratch.pairs, layer, &mut scratch.bytes);
    maxout_byte_pairs(&scratch.bytes, &scratch.pairs, &layer.weights, &mut best);
    let windows = Windows {
        below,
        starts: &scratch.starts,
        middle: layout.width,
        calculated: &layout.calculated(level, group.docs.clone()),
    };
    finish_rows(isa, &layer.norm, windows, &best, above);
}

/// The first and the second row of each of the four mixtures, and whether the second is added to the first.
const MIXTURES: [(usize, usize, bool); PRODUCTS] =
    [(0, 2, false), (1, 2, true), (2, 1, false), (3, 1, false)];

/// How many of the mixtures a pair has: without a second window there is no fourth row.
fn n_mixtures(pair: &Pair) -> usize {
    if pair.both { PRODUCTS } else { PRODUCTS - 1 }
}

#[inline(always)]
fn mix_to_bytes_body<S: Simd>(
    simd: S,
    below: &[f32],
    pairs: &[Pair],
    layer: &QuantizedLevel,
    bytes: &mut [u8],
) {
    let (width, stride) = (layer.norm.gain.len(), layer.weights.stride());
    for (pair, bytes) in pairs.iter().zip(bytes.chunks_exact_mut(PRODUCTS * stride)) {
        let row = |index: usize| &below[pair.start + index * width..][..width];
        let mixtures = MIXTURES.iter().zip(&layer.codes).zip(bytes.chunks_exact_mut(stride));
        for ((&(first, second, plus), code), bytes) in mixtures.take(n_mixtures(pair)) {
            let (first, second) = (row(first), row(second));
            let mut column = 0;
            while column < width {
                let used = column..width.min(column + S::LANES);
                let (a, b) = (load(simd, &first[used.clone()]), load(simd, &second[used.clone()]));
                let mixed = if plus { simd.add(a, b) } else { simd.sub(a, b) };
                let factor = load(simd, &code.factors[used.clone()]);
                let offset = load(simd, &code.offsets[used.clone()]);
                simd.store_bytes(&mut bytes[used], simd.mul_add(mixed, factor, offset));
                column += S::LANES;
            }
        }
    }
}

crate::dispatch! {
    /// Writes the mixtures of the rows of each pair, as bytes.
    fn mix_to_bytes(below: &[f32], pairs: &[Pair], layer: &QuantizedLevel, bytes: &mut [u8]) -> () =
        mix_to_bytes_body;
}

/// How far the numbers that become bytes go, found in the rows of documents.
#[derive(Clone, Debug)]
pub(crate) struct RangeFinder {
    width: usize,
    /// For each level above the first, each mixture, each column.
    columns: Vec<Column>,
}

/// What was seen in one column.
#[derive(Clone, Copy, Debug)]
struct Column {
    low: f32,
    high: f32,
    n: f64,
    sum: f64,
    squares: f64,
}

/// Standard deviations from the mean beyond which numbers are cut: a few far ones would make the steps of all larger.
const MOST_DEVIATIONS: f64 = 4.5;

impl RangeFinder {
    pub fn new(width: usize, n_levels: usize) -> RangeFinder {
        let nothing = Column { low: f32::INFINITY, high: f32::NEG_INFINITY, n: 0.0, sum: 0.0, squares: 0.0 };
        RangeFinder { width, columns: vec![nothing; n_levels * PRODUCTS * width] }
    }

    /// Looks at the rows that a level, counted from the second, is going to read.
    pub fn see(&mut self, level: usize, below: &[f32], pairs: &[Pair]) {
        let width = self.width;
        let seen = &mut self.columns[level * PRODUCTS * width..][..PRODUCTS * width];
        for pair in pairs {
            let row = |index: usize| &below[pair.start + index * width..][..width];
            let mixtures = MIXTURES.iter().zip(seen.chunks_exact_mut(width));
            for (&(first, second, plus), seen) in mixtures.take(n_mixtures(pair)) {
                for ((seen, a), b) in seen.iter_mut().zip(row(first)).zip(row(second)) {
                    seen.see(if plus { a + b } else { a - b });
                }
            }
        }
    }

    /// For each level above the first, each of four mixtures: the lower limits of all columns, then the upper ones.
    pub fn ranges(&self) -> Vec<f32> {
        let limits = self.columns.chunks_exact(self.width).flat_map(|columns| {
            let low = columns.iter().map(|column| column.limits().0);
            low.chain(columns.iter().map(|column| column.limits().1))
        });
        limits.collect()
    }
}

impl Column {
    fn see(&mut self, number: f32) {
        (self.low, self.high) = (self.low.min(number), self.high.max(number));
        self.n += 1.0;
        self.sum += f64::from(number);
        self.squares += f64::from(number) * f64::from(number);
    }

    fn limits(&self) -> (f32, f32) {
        if self.n == 0.0 {
            return (0.0, 0.0);
        }
        let mean = self.sum / self.n;
        let far = MOST_DEVIATIONS * (self.squares / self.n - mean * mean).max(0.0).sqrt();
        (self.low.max((mean - far) as f32), self.high.min((mean + far) as f32))
    }
}
