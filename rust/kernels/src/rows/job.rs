//! What a kernel does with its rows, said once for every way that rows are taken.

use super::sweep::Finish;
use crate::simd::{Simd, math};

/// What happens to one vector of each of `N` rows that belong together, and the `M` sums over them.
pub(crate) trait Through<const N: usize, const M: usize> {
    /// What lanes past the end of the rows hold; it must add nothing.
    const FILL: [f32; N];
    /// Adds one vector of each row to the sums. Returns what to keep of it.
    fn add<S: Simd>(simd: S, pass: &mut Pass<S, N, M>, x: [S::F32; N]) -> [S::F32; N];
}

/// Rows on their way through the exponential.
#[derive(Clone, Copy)]
pub(crate) struct Pass<S: Simd, const N: usize, const M: usize> {
    maxima: [S::F32; N],
    scale: S::F32,
    /// The lanes' sums so far.
    pub(crate) sums: [S::F32; M],
}

impl<S: Simd, const N: usize, const M: usize> Pass<S, N, M> {
    /// For rows with these largest numbers; `inverse` is 1 / T.
    #[inline(always)]
    pub(crate) fn new(simd: S, maxima: [f32; N], inverse: f32) -> Self {
        let mut lanes = [simd.splat(0.0); N];
        for (lanes, max) in lanes.iter_mut().zip(maxima) {
            *lanes = simd.splat(max);
        }
        let scale = simd.splat(inverse * std::f32::consts::LOG2_E);
        Self { maxima: lanes, scale, sums: [simd.splat(0.0); M] }
    }

    /// `a = (x - max) / (T ln 2)` for a vector of row `side`: exponents are kept in powers of two, for `2^a` is cheaper
    /// than `e^a`. The difference is taken first: it is exact near the maximum, and does not see a shift of the row.
    #[inline(always)]
    pub(crate) fn exponent(&self, simd: S, side: usize, x: S::F32) -> S::F32 {
        simd.mul(simd.sub(x, self.maxima[side]), self.scale)
    }
}

/// `exp((x - max) / T)` and its sum.
pub(crate) struct ExpSum;

impl Through<1, 1> for ExpSum {
    const FILL: [f32; 1] = [f32::NEG_INFINITY];
    #[inline(always)]
    fn add<S: Simd>(simd: S, pass: &mut Pass<S, 1, 1>, [x]: [S::F32; 1]) -> [S::F32; 1] {
        let e = math::exp2(simd, pass.exponent(simd, 0, x));
        pass.sums[0] = simd.add(pass.sums[0], e);
        [e]
    }
}

/// What is known of `N` rows that belong together when they have been through the exponential.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats<const N: usize, const M: usize> {
    /// The largest numbers.
    pub(crate) maxima: [f32; N],
    /// What [`Through`] summed.
    pub(crate) sums: [f32; M],
    /// The logarithms of as many of them as the job asks for.
    pub(crate) logs: [f32; M],
}

/// What is summed over `N` rows that belong together, and how the result is made of them.
pub(crate) trait RowJob<const N: usize, const M: usize> {
    /// What happens to each vector.
    type Through: Through<N, M>;
    /// Makes the result.
    type Finish: Finish<N>;
    /// Whether the result is made of what is kept of the rows, or else of the rows themselves.
    const KEEP: bool;
    /// So many of the rows are logits, whose largest number is wanted.
    const LOGITS: usize;
    /// The logarithms of so many sums are wanted.
    const LOGS: usize;

    /// How row `row` is made. `kept`, which may be longer than the row, may be changed here; without
    /// [`KEEP`](Self::KEEP) it is empty.
    fn finish(
        &mut self,
        row: usize,
        rows: [&[f32]; N],
        stats: &Stats<N, M>,
        kept: &mut [&mut [f32]; N],
    ) -> Self::Finish;
}
