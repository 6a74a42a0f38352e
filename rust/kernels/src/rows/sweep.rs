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

/// The vector at `at` of each row.
#[inline(always)]
pub(crate) fn load_each<S: Simd, const N: usize>(simd: S, rows: &[&[f32]; N], at: usize) -> [S::F32; N] {
    let mut vectors = [simd.splat(0.0); N];
    for (vector, row) in vectors.iter_mut().zip(rows) {
        *vector = simd.load_at(row, at);
    }
    vectors
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
    for (i, line) in lines.iter_mut().enumerate() {
        simd.store(line, finish.apply(simd, load_each(simd, &sources, i * S::LANES)));
    }
    if !rest.is_empty() {
        let mut last = [simd.splat(0.0); N];
        for (vector, source) in last.iter_mut().zip(sources) {
            *vector = simd.load_partial(&source[body..], 0.0);
        }
        simd.store_partial(rest, finish.apply(simd, last));
    }
}

/// `ln` of each number, of which there are whole vectors.
#[inline(always)]
pub(crate) fn ln_each<S: Simd>(simd: S, numbers: &mut [f32]) {
    for chunk in simd.chunks_mut(numbers).0 {
        simd.store(chunk, math::ln(simd, simd.load(chunk)));
    }
}
