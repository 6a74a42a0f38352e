//! One pass over a row, the pieces that the kernels are put together from.

use crate::simd::{Simd, math};

/// How a finished row is made, number by number, of the rows kept for it.
pub(crate) trait Finish<const N: usize>: Copy {
    /// Whether the result is zeros, whatever the rows hold.
    fn is_zero(&self) -> bool;
    /// The result, from one vector of each row.
    fn apply<S: Simd>(&self, simd: S, sources: [S::F32; N]) -> S::F32;
}

/// `Σ scale_i source_i + shift`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine<const N: usize> {
    pub(crate) scale: [f32; N],
    pub(crate) shift: f32,
}

impl<const N: usize> Affine<N> {
    pub(crate) const ZERO: Self = Self { scale: [0.0; N], shift: 0.0 };
}

impl<const N: usize> Finish<N> for Affine<N> {
    #[inline(always)]
    fn is_zero(&self) -> bool {
        self.shift == 0.0 && self.scale.iter().all(|&scale| scale == 0.0)
    }

    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, sources: [S::F32; N]) -> S::F32 {
        let mut value = simd.splat(self.shift);
        for (source, scale) in sources.into_iter().zip(self.scale) {
            value = simd.mul_add(source, simd.splat(scale), value);
        }
        value
    }
}

/// `(source - centre) * scale + shift`: exact near the centre, where a shift that held it would not be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Centred {
    pub(crate) centre: f32,
    pub(crate) scale: f32,
    pub(crate) shift: f32,
}

impl Finish<1> for Centred {
    #[inline(always)]
    fn is_zero(&self) -> bool {
        false
    }

    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, [source]: [S::F32; 1]) -> S::F32 {
        let distance = simd.sub(source, simd.splat(self.centre));
        simd.mul_add(distance, simd.splat(self.scale), simd.splat(self.shift))
    }
}

/// The lanes' largest numbers, NaN left out.
#[inline(always)]
pub(crate) fn max<S: Simd>(simd: S, row: &[f32]) -> S::F32 {
    let mut max = simd.splat(f32::NEG_INFINITY);
    let (chunks, rest) = simd.chunks(row);
    for chunk in chunks {
        max = simd.max(simd.load(chunk), max);
    }
    if !rest.is_empty() {
        max = simd.max(simd.load_partial(rest, f32::NEG_INFINITY), max);
    }
    max
}

#[inline(always)]
fn scaled_exp<S: Simd>(simd: S, x: S::F32, max: S::F32, factor: S::F32) -> S::F32 {
    math::exp_clamped(simd, simd.mul(simd.sub(x, max), factor))
}

/// One vector of each row.
#[inline(always)]
fn load_each<S: Simd, const N: usize>(simd: S, rows: &[&[S::Chunk]; N], at: usize) -> [S::F32; N] {
    let mut vectors = [simd.splat(0.0); N];
    for (vector, row) in vectors.iter_mut().zip(rows) {
        *vector = simd.load(&row[at]);
    }
    vectors
}

/// Writes `exp((x - max) * factor)` to `kept` (if it is wanted) and returns the lanes' sums.
#[inline(always)]
pub(crate) fn exp_sum<S: Simd, const KEEP: bool>(
    simd: S,
    row: &[f32],
    max: f32,
    factor: f32,
    kept: &mut [f32],
) -> S::F32 {
    let (max, factor) = (simd.splat(max), simd.splat(factor));
    let mut sum = simd.splat(0.0);
    let (chunks, rest) = simd.chunks(row);
    let (kept, kept_rest) = simd.chunks_mut(&mut kept[..if KEEP { row.len() } else { 0 }]);
    if KEEP {
        for (chunk, kept) in chunks.iter().zip(kept) {
            let e = scaled_exp(simd, simd.load(chunk), max, factor);
            simd.store(kept, e);
            sum = simd.add(sum, e);
        }
    } else {
        for chunk in chunks {
            sum = simd.add(sum, scaled_exp(simd, simd.load(chunk), max, factor));
        }
    }
    if !rest.is_empty() {
        // e^-inf is 0 in the lanes past the end.
        let e = scaled_exp(simd, simd.load_partial(rest, f32::NEG_INFINITY), max, factor);
        if KEEP {
            simd.store_partial(kept_rest, e);
        }
        sum = simd.add(sum, e);
    }
    sum
}

/// Writes the finished row in the ordinary way.
#[inline(always)]
pub(crate) fn write<S: Simd, const N: usize>(
    simd: S,
    finish: impl Finish<N>,
    sources: [&[f32]; N],
    out: &mut [f32],
) {
    let (lines, rest) = simd.chunks_mut(out);
    let body = lines.len() * S::LANES;
    let chunks = sources.map(|source| simd.chunks(&source[..body]).0);
    for (i, line) in lines.iter_mut().enumerate() {
        simd.store(line, finish.apply(simd, load_each(simd, &chunks, i)));
    }
    if !rest.is_empty() {
        let mut last = [simd.splat(0.0); N];
        for (vector, source) in last.iter_mut().zip(sources) {
            *vector = simd.load_partial(&source[body..], 0.0);
        }
        simd.store_partial(rest, finish.apply(simd, last));
    }
}

/// Finishes the row where it stands.
#[inline(always)]
pub(crate) fn rescale<S: Simd>(simd: S, finish: impl Finish<1>, row: &mut [f32]) {
    let (chunks, rest) = simd.chunks_mut(row);
    for chunk in chunks {
        simd.store(chunk, finish.apply(simd, [simd.load(chunk)]));
    }
    if !rest.is_empty() {
        simd.store_partial(rest, finish.apply(simd, [simd.load_partial(rest, 0.0)]));
    }
}

/// Streams a finished row to memory while it looks for the largest numbers of `M` other rows, so that the two
/// directions of the memory bus are busy together. All rows have one length.
#[inline(always)]
pub(crate) fn stream_and_max<S: Simd, const N: usize, const M: usize>(
    simd: S,
    finish: impl Finish<N>,
    sources: [&[f32]; N],
    out: &mut [f32],
    next: [&[f32]; M],
) -> [S::F32; M] {
    let (head, lines, tail) = simd.lines_mut(out);
    let (before, body) = (head.len(), lines.len() * S::LANES);
    write(simd, finish, sources.map(|row| &row[..before]), head);
    write(simd, finish, sources.map(|row| &row[before + body..]), tail);
    let mut largest = [simd.splat(0.0); M];
    for (largest, row) in largest.iter_mut().zip(next) {
        *largest = simd.max(max(simd, &row[..before]), max(simd, &row[before + body..]));
    }
    let sources = sources.map(|row| simd.chunks(&row[before..before + body]).0);
    let next = next.map(|row| simd.chunks(&row[before..before + body]).0);
    for (i, line) in lines.iter_mut().enumerate() {
        for (largest, next) in largest.iter_mut().zip(next) {
            *largest = simd.max(simd.load(&next[i]), *largest);
        }
        simd.stream(line, finish.apply(simd, load_each(simd, &sources, i)));
    }
    largest
}

/// `ln` of four numbers.
#[inline(always)]
pub(crate) fn ln4<S: Simd>(simd: S, numbers: [f32; 4]) -> [f32; 4] {
    let mut out = numbers;
    simd.store_partial(&mut out, math::ln(simd, simd.load_partial(&numbers, 1.0)));
    out
}
